"""Neo4j community edition, bolt only."""

import signal
from collections.abc import Mapping
from pathlib import Path

from services.stack.engine import Engine, Launch
from services.stack.jars import cache_dir, fetch, read_lock
from services.stack.java import class_path, java_argv
from services.stack.ports import LOOPBACK

# Loopback only and without passwords, like a file of the user's own; it reports nothing to anybody.
CONFIGURATION = """\
server.default_listen_address={host}
server.bolt.listen_address={host}:{bolt}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
"""

OPENED = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch", "java.base/java.util.concurrent")


class Neo4j(Engine):
    """The graph database."""

    name = "neo4j"
    setting = "GATEFOLD_NEO4J_URL"
    port_names = ("bolt",)
    stop_signal = signal.SIGTERM
    # A clean stop takes ten seconds; its transaction log makes a killed one whole again.
    stop_grace_seconds = 5.0

    def create(self, ports: Mapping[str, int], log: Path) -> None:
        (self.home / "conf").mkdir()

    def launch(self, ports: Mapping[str, int]) -> Launch:
        values = {"host": LOOPBACK, **ports}
        (self.home / "conf" / "neo4j.conf").write_text(CONFIGURATION.format_map(values), encoding="utf-8")
        options = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
        options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
        home = (f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}")
        main = ("org.neo4j.server.Neo4jCommunity", *home)
        jars = fetch([jar for jar in read_lock() if jar.engine == "neo4j"], cache_dir())
        return Launch(java_argv(self.marker, options, main), class_path(jars))

    def url(self, ports: Mapping[str, int]) -> str:
        return f"bolt://{LOOPBACK}:{ports['bolt']}"

    @staticmethod
    def ask(url: str) -> None:
        import neo4j

        from services.graph.server import address

        server, login = address(url)
        driver = neo4j.GraphDatabase.driver(
            server, auth=login, connection_timeout=5.0, connection_acquisition_timeout=5.0
        )
        # Outside a managed transaction, which would try again for half a minute.
        with driver, driver.session() as session:
            session.run("RETURN 1").consume()
