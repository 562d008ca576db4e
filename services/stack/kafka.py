"""Apache Kafka as one process that is broker and controller (KRaft)."""

import asyncio
import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from services.stack.engine import Engine, Launch
from services.stack.errors import BootFailed
from services.stack.jars import cache_dir, fetch, read_lock
from services.stack.java import class_path, java_argv
from services.stack.ports import LOOPBACK

# A message may be as large as the largest the contract allows, with room for its headers.
MESSAGE_MAX_BYTES = 8 * 1024 * 1024

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{client},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{client}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
# Relative to the working directory: a path with a comma would be two.
log.dirs=data
message.max.bytes={message_max}
replica.fetch.max.bytes={message_max}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# One killed node comes back as soon as its former self is forgotten: nine seconds by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A worker that dies is replaced at once, and tests may choose a short session.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=4
"""

LOGGING = """\
<Configuration status="warn">
  <Appenders>
    <Console name="out"><PatternLayout pattern="%d{ISO8601} %-5p %c{1}: %m%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="warn"><AppenderRef ref="out"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="info"/>
    <!-- It prints every setting at each start. -->
    <Logger name="org.apache.kafka.common.config" level="error"/>
  </Loggers>
</Configuration>
"""


LOGGING_OPTION = "-Dlog4j2.configurationFile=log4j2.xml"
PROPERTIES_FILE = "server.properties"


class Kafka(Engine):
    """The broker."""

    name = "kafka"
    setting = "GATEFOLD_KAFKA_URL"
    port_names = ("client", "controller")
    stop_signal = signal.SIGTERM
    stop_grace_seconds = 10.0

    def create(self, ports: Mapping[str, int], log: Path) -> None:
        self._configure(ports)
        cluster = cluster_id(uuid.uuid4().bytes)
        main = ("kafka.tools.StorageTool", "format", "-t", cluster, "-c", PROPERTIES_FILE)
        # One pass over little code: compiling it well would take longer than running it.
        argv = java_argv(self.marker, (LOGGING_OPTION, "-XX:TieredStopAtLevel=1"), main)
        done = subprocess.run(
            argv, cwd=self.home, env=class_path(self._jars()), capture_output=True, text=True, check=False
        )
        with log.open("a", encoding="utf-8") as file:
            file.write(done.stdout + done.stderr)
        if done.returncode:
            raise BootFailed(f"kafka could not format its data directory:\n{done.stdout}{done.stderr}")

    def launch(self, ports: Mapping[str, int]) -> Launch:
        self._configure(ports)
        main = ("kafka.Kafka", PROPERTIES_FILE)
        return Launch(java_argv(self.marker, (LOGGING_OPTION,), main), class_path(self._jars()))

    def url(self, ports: Mapping[str, int]) -> str:
        return f"kafka://{LOOPBACK}:{ports['client']}"

    @staticmethod
    def ask(url: str) -> None:
        """Metadata, and a group coordinator: the first group request after a boot makes Kafka create its topic."""
        asyncio.run(_ask([part.strip().removeprefix("kafka://").rstrip("/") for part in url.split(",")]))

    def _configure(self, ports: Mapping[str, int]) -> None:
        values = {"host": LOOPBACK, "message_max": MESSAGE_MAX_BYTES, **ports}
        (self.home / PROPERTIES_FILE).write_text(PROPERTIES.format_map(values), encoding="utf-8")
        (self.home / "log4j2.xml").write_text(LOGGING, encoding="utf-8")

    @staticmethod
    def _jars() -> list[Path]:
        return fetch([jar for jar in read_lock() if jar.engine == "kafka"], cache_dir())


def cluster_id(sixteen: bytes) -> str:
    """These bytes as Kafka writes an id, but never with a hyphen first: its tool would take that for an option."""
    return urlsafe_b64encode(bytes((sixteen[0] & 0x7F,)) + sixteen[1:]).decode().rstrip("=")


async def _ask(servers: list[str]) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=5000)
    try:
        await admin.start()
        await admin.describe_cluster()
        await admin.find_coordinator("gatefold-boot-probe")
    finally:
        await admin.close()
