"""The engines as containers, for the fixtures of conftest.py: GATEFOLD_TEST_STACK=containers asks for them."""

import contextlib
import gc
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from services.stack.boot import ask_external
from services.stack.endpoints import Endpoints
from services.stack.ports import free_port
from services.stack.stack import ENGINES

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

BOOTED_AT_ONCE = ("postgres", "kafka")


class NoContainers(Exception):
    """GATEFOLD_TEST_STACK=containers asks for a Docker engine, and none answers."""


class Containers:
    """One container for each engine; offers what the tests use of a Stack."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[DockerContainer, str]] = {}

    def endpoints(self) -> Endpoints:
        """The addresses of the engines that have been started."""
        return Endpoints({name: url for name, (_, url) in self._running.items()})

    def start_engine(self, name: str) -> str:
        """Start an engine for the first time or again; its address stays the same."""
        if name not in self._running:
            # A port of our choice: one of Docker's choice would be another one after a restart.
            port = free_port()
            container, url = _container(name, port)
            container.start()
            self._running[name] = container, url
        container, url = self._running[name]
        container.get_wrapped_container().start()
        ask_external(ENGINES[name], url)
        return url

    def stop_engine(self, name: str) -> None:
        """Stop an engine in the orderly way; its data stay."""
        self._running[name][0].get_wrapped_container().stop()

    def restart(self, name: str) -> str:
        """Stop an engine and start it."""
        self.stop_engine(name)
        return self.start_engine(name)

    def kill(self, name: str) -> None:
        """SIGKILL an engine."""
        self._running[name][0].get_wrapped_container().kill()

    def remove(self) -> None:
        """Remove every container with its data."""
        for container, _ in self._running.values():
            container.stop()


def _container(name: str, port: int) -> "tuple[DockerContainer, str]":
    if name == "postgres":
        from testcontainers.community.postgres import PostgresContainer

        postgres = PostgresContainer(
            "postgres:18", username="gatefold", password="gatefold", dbname="gatefold", driver=None
        )
        return postgres.with_bind_ports(5432, port), f"postgresql://gatefold:gatefold@127.0.0.1:{port}/gatefold"
    if name == "kafka":
        from testcontainers.community.kafka import KafkaContainer

        kafka = KafkaContainer("confluentinc/cp-kafka:8.0.0").with_kraft().with_bind_ports(9093, port)
        settings = {
            "KAFKA_MESSAGE_MAX_BYTES": "8388608",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        }
        for setting, value in settings.items():
            kafka = kafka.with_env(setting, value)
        return kafka, f"kafka://127.0.0.1:{port}"
    from testcontainers.community.neo4j import Neo4jContainer

    class OpenNeo4j(Neo4jContainer):  # type: ignore[misc]
        """Without a password, as in the local stack."""

        def _configure(self) -> None:
            self.with_env("NEO4J_AUTH", "none")

    return OpenNeo4j("neo4j:community").with_bind_ports(7687, port), f"bolt://127.0.0.1:{port}"


def check_docker() -> None:
    """Return when a Docker engine answers.

    Raises:  NoContainers.
    """
    import docker  # type: ignore[import-untyped]

    # The client forgets to close its socket when nobody answers, which is no fault of the tests.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            client = docker.from_env()
            client.ping()
            client.close()
            return
        except docker.errors.DockerException as error:
            said = str(error)
        gc.collect()
    raise NoContainers(
        f"GATEFOLD_TEST_STACK=containers needs a Docker engine, but none answers ({said}); "
        "without that variable the tests start their engines themselves"
    )


@contextlib.contextmanager
def running_containers() -> Iterator[Containers]:
    """PostgreSQL and Kafka as containers until the end of the block.

    Raises:  NoContainers when no Docker engine answers.
    """
    check_docker()
    engines = Containers()
    try:
        for name in BOOTED_AT_ONCE:
            engines.start_engine(name)
        yield engines
    finally:
        engines.remove()
