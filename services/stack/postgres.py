"""PostgreSQL from the wheel: data checksums, a random password, durable as in production."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.stack.engine import Engine, Launch
from services.stack.errors import BootFailed
from services.stack.ports import LOOPBACK
from services.stack.state import write_private
from services.stack.unprivileged import binaries, data_home, server_owner

ROLE = "gatefold"
DATABASE = "gatefold"
SOCKET_PATH_MAX_BYTES = 107

SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "200",
    # What is measured and tested here is what production does: a commit is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Engine):
    """The database server."""

    name = "postgres"
    setting = "GATEFOLD_POSTGRES_URL"
    port_names = ("client",)
    stop_signal = signal.SIGINT
    stop_grace_seconds = 30.0
    poll_seconds = 0.03

    def __init__(self, home: Path, marker: str, password: str) -> None:
        super().__init__(home, marker, password)
        self._owner = server_owner()
        self._place = data_home(home, marker, self._owner)

    def owned_directories(self) -> tuple[Path, ...]:
        return (self.home, self._place, self._socket_directory())

    def create(self, ports: Mapping[str, int], log: Path) -> None:
        self._own(self._place)
        self._own(self._data)
        # Beside the data: what a killed boot leaves of it goes with them.
        secret = self._place / "password"
        write_private(secret, self.password)
        account: dict[str, Any] = (
            {} if self._owner is None else {"user": self._owner.uid, "group": self._owner.gid, "extra_groups": ()}
        )
        if self._owner is not None:
            os.chown(secret, self._owner.uid, self._owner.gid)
        argv = [str(binaries(self._owner) / "initdb"), "-D", str(self._data), "-U", ROLE, "--pwfile", str(secret)]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--data-checksums"]
        # Text sorts by code point, whatever the machine's locale is.
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-c", f"cluster_name={self.marker}"]
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        done = subprocess.run(
            argv, cwd=self._data, env=environment, capture_output=True, text=True, check=False, **account
        )
        secret.unlink()
        with log.open("a", encoding="utf-8") as file:
            file.write(done.stdout + done.stderr)
        if done.returncode:
            raise BootFailed(f"postgres could not make its data directory:\n{done.stdout}{done.stderr}")

    def launch(self, ports: Mapping[str, int]) -> Launch:
        sockets = self._socket_directory()
        self._own(sockets)
        # The stack has made sure that no server runs here. What a killed one left would stop this one as soon as some
        # other process bears its number.
        for leftover in (self._data / "postmaster.pid", *sockets.iterdir()):
            leftover.unlink(missing_ok=True)
        quoted = '"' + str(sockets).replace('"', '""') + '"'
        settings = {
            **SETTINGS,
            "listen_addresses": LOOPBACK,
            "port": str(ports["client"]),
            "unix_socket_directories": quoted,
            "cluster_name": self.marker,
        }
        argv = [str(binaries(self._owner) / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Launch(argv, {"LC_ALL": "C"}, self._owner)

    def url(self, ports: Mapping[str, int]) -> str:
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{ports['client']}/{DATABASE}"

    @staticmethod
    def ask(url: str) -> None:
        asyncio.run(_ask(url))

    def check(self, ports: Mapping[str, int]) -> None:
        asyncio.run(_ensure_database(self.url(ports)))
        super().check(ports)

    @property
    def _data(self) -> Path:
        return self._place / "data"

    def _socket_directory(self) -> Path:
        """Beside the data, or where the system's limit for a socket's path forbids that, in a short place."""
        wanted = self._place / "socket"
        longest = wanted / ".s.PGSQL.65535.lock"
        return (
            wanted if len(os.fsencode(longest)) <= SOCKET_PATH_MAX_BYTES else Path(tempfile.gettempdir()) / self.marker
        )

    def _own(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o711 if directory == self.home.resolve() else 0o700)
        if self._owner is not None and directory != self.home.resolve():
            os.chown(directory, self._owner.uid, self._owner.gid)


async def _ask(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


async def _ensure_database(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url.rpartition("/")[0] + "/postgres", timeout=5)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
