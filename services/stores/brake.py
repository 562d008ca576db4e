"""The brake as all workers see it: it outlives a restart, and not a deploy."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("brake")
PACKAGES = ("contracts", "catalog", "evaluators", "services")


@cache
def code() -> str:
    """What identifies the code that runs: a digest of the sources, 16 hexadecimal digits."""
    digest = blake2b(digest_size=8)
    for package in PACKAGES:
        _add(digest, files(package))
    return digest.hexdigest()


def _add(digest: blake2b, folder: Traversable) -> None:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith((".py", ".sql", ".json", ".lock")):
            digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
        elif entry.is_dir() and entry.name != "__pycache__":
            _add(digest, entry)


async def pull(connection: Connection, why: str, *, timeout: float) -> None:
    """Stop all workers of this code."""
    await connection.execute(SQL["pull"], code(), why, timeout=timeout)


async def why(connection: Connection, *, timeout: float) -> str | None:
    """Why workers of this code are to stand still; None while they may go on."""
    found: str | None = await connection.fetchval(SQL["why"], code(), timeout=timeout)
    return found


async def release(connection: Connection) -> list[str]:
    """Let all workers go on; answers why they stood still."""
    return [row["why"] for row in await connection.fetch(SQL["release"])]
