"""The connection to Neo4j, and which of its errors mean that it is away."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError, TransientError

CONNECT_SECONDS: Final = 3.0


class Away(Exception):
    """Neo4j does not answer, not in time, or not us; no address in what it says holds a password."""


def address(url: str) -> tuple[str, tuple[str, str] | None]:
    """The address without its login, and the login as the driver wants it: `bolt://user:password@host:port`."""
    parts = urlsplit(url)
    login, at, server = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = login.partition(":")
    return parts._replace(netloc=server).geturl(), (unquote(user), unquote(password))


def connect(url: str) -> neo4j.AsyncDriver:
    """A driver that connects when first used; close it.

    Raises:  ValueError, neo4j.exceptions.ConfigurationError where the address makes no sense.
    """
    server, login = address(url)
    return neo4j.AsyncGraphDatabase.driver(
        server,
        auth=login,
        connection_timeout=CONNECT_SECONDS,
        connection_acquisition_timeout=CONNECT_SECONDS,
        max_connection_lifetime=600,
        # What is no error is of no interest: an empty graph does not know our labels.
        notifications_min_severity="OFF",
    )


def is_away(error: BaseException) -> bool:
    """Whether to try again later; anything else that Neo4j answers is a fault of our own statements."""
    if isinstance(error, Neo4jError) and "TransactionTimedOut" in (error.code or ""):
        return True
    return isinstance(error, (OSError, TimeoutError, DriverError, TransientError, AuthError))


def reason(error: BaseException) -> str:
    """One line on what went wrong."""
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__
