"""Where a run takes place: engines of its own, or a database and topics of its own on engines that are there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.settings import Settings
from services.stack.errors import StackError
from services.stack.jars import cache_dir, fetch, read_lock
from services.stack.reaper import doomed_directory
from services.stack.stack import ENGINES, Stack
from services.stack.state import write_private

PARTITIONS: Final = 8
SESSION_SECONDS: Final = 6.0  # the least that Kafka takes unless told otherwise
BUNDLE_RECORDS: Final = 1

# What the run decides for itself, whatever the environment says. Bundles of one record make the kill fall among them,
# and what each event earns is the same in bundles of any size. Two keys for tokens would be one too many.
_OURS: Final[Mapping[str, str]] = {
    "GATEFOLD_GROUP": "gatefold",
    "GATEFOLD_TOPIC_PARTITIONS": str(PARTITIONS),
    "GATEFOLD_SESSION_SECONDS": str(SESSION_SECONDS),
    "GATEFOLD_BUNDLE_RECORDS": str(BUNDLE_RECORDS),
    "GATEFOLD_HOLDERS_SECONDS": "0.5",
    "GATEFOLD_WORKER_HOST": "127.0.0.1",
    "GATEFOLD_WORKER_PORT": "0",
    "GATEFOLD_RELAY_HOST": "127.0.0.1",
    "GATEFOLD_RELAY_PORT": "0",
    "GATEFOLD_GRAPH_HOST": "127.0.0.1",
    "GATEFOLD_GRAPH_PORT": "0",
    "GATEFOLD_API_HOST": "127.0.0.1",
    "GATEFOLD_API_PORT": "0",
    "GATEFOLD_LOG_JSON": "true",
    "GATEFOLD_LOG_LEVEL": "INFO",
}
# Engines that live for half a minute: the quick compiler alone halves what their boot costs.
_QUICK_JAVA: Final = "-XX:TieredStopAtLevel=1"
_NOT_OURS: Final = ("GATEFOLD_JWT_PUBLIC_KEY", "GATEFOLD_JWT_JWKS_URL")


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of a run, its stack, and which engines were there before it."""

    stack: Stack
    replaced: Mapping[str, str]
    run: str

    @property
    def logs(self) -> Path:
        """Where the processes' logs go; the engines' are in the stack's own."""
        return self.stack.directory / "demo"

    @property
    def database(self) -> str | None:
        """The database to make on a PostgreSQL that was there before; None on our own, which has one."""
        return f"gatefold_demo_{self.run}" if "postgres" in self.replaced else None

    def settings(self) -> tuple[Settings, dict[str, str]]:
        """The settings of the run, as this process and as its children's environment have them; engines are up.

        Raises:  StackError where the stack lacks an engine.
        """
        endpoints = self.stack.endpoints()
        postgres = endpoints.postgres_url
        if self.database is not None:
            postgres = urlsplit(postgres)._replace(path=f"/{self.database}").geturl()
        ours = {
            **_OURS,
            **self.stack.environment(),
            "GATEFOLD_POSTGRES_URL": postgres,
            "GATEFOLD_KAFKA_URL": endpoints.kafka_url,
            "GATEFOLD_SCRATCH": str(self.logs / "scratch"),
            "GATEFOLD_TOPIC_PREFIX": f"demo-{self.run}." if "kafka" in self.replaced else "",
        }
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_OURS} | ours
        options = Settings.model_validate({name.removeprefix("GATEFOLD_").lower(): v for name, v in ours.items()})
        return options, environment

    def write_env(self, options: Settings) -> Path:
        """Write the file to source in a shell, for commands on what the run left up."""
        wanted = {
            **self.stack.environment(),
            "GATEFOLD_POSTGRES_URL": options.postgres_url,
            "GATEFOLD_KAFKA_URL": options.kafka_url,
            "GATEFOLD_TOPIC_PREFIX": options.topic_prefix,
            "GATEFOLD_TOPIC_PARTITIONS": str(PARTITIONS),
        }
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in wanted.items()]
        write_private(self.logs / "env", "".join(lines))
        return self.logs / "env"

    def fetch(self, *, progress: bool) -> None:
        """Bring what the engines consist of to this machine, unless it is there.

        Raises:  DownloadFailed, WrongDigest.
        """
        cache = cache_dir()
        wanted = [jar for jar in read_lock() if jar.engine not in self.replaced]
        # Whether each is whole, the engines' boot finds out.
        fetch([jar for jar in wanted if not (cache / "jars" / jar.path).exists()], cache, progress=progress)

    def save_logs(self, target: Path) -> None:
        """Copy every log to a directory that outlives the run."""
        for source in (self.logs, self.stack.directory / "logs"):
            if source.is_dir():
                # What cannot be read is no reason to lose the rest.
                with contextlib.suppress(OSError, shutil.Error):
                    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("env", "scratch"))


@contextlib.contextmanager
def place(state_dir: Path | None) -> Iterator[Place]:
    """A place that is gone after the block, with all that runs in it; without `state_dir` also when we are killed.

    Raises:  StackError where the directory holds something already.
    """
    os.environ["JDK_JAVA_OPTIONS"] = f"{os.environ.get('JDK_JAVA_OPTIONS', '')} {_QUICK_JAVA}".strip()
    replaced = {name: url for name, kind in ENGINES.items() if (url := os.environ.get(kind.setting))}
    run = secrets.token_hex(4)
    if state_dir is None:
        with doomed_directory() as directory:
            yield from _wiped(Place(Stack(directory), replaced, run))
        return
    if state_dir.exists() and any(state_dir.iterdir()):
        raise StackError(f"{state_dir} is not empty: the demo removes its directory, so it wants one of its own")
    yield from _wiped(Place(Stack(state_dir), replaced, run))


def _wiped(made: Place) -> Iterator[Place]:
    try:
        yield made
    finally:
        shutil.rmtree(made.logs, ignore_errors=True)
        made.stack.down(wipe=True)
