"""What every command does about its servers: connect, and say in one line which one is away (exit 69)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    import asyncpg

    from services.kafka import LogReader, Publisher
    from services.settings import Settings
    from services.topics import TopicAdmin

FOUND = 1
WRONG_USAGE = 2
UNREACHABLE = 69

T = TypeVar("T")


class Unreachable(Exception):
    """A server does not answer: says which, where, and which variable points there."""

    def __init__(self, server: str, where: str, variable: str, reason: BaseException | str) -> None:
        said = (
            reason if isinstance(reason, str) else str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        )
        super().__init__(f"{server} at {where} is unreachable ({variable}): {said}")


def without_password(url: str) -> str:
    """The URL as it may be shown: without its query, where a password may stand as well."""
    parts = urlsplit(url)
    user, at, server = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{parts.scheme}://{name}{colon and ':***'}{at}{server}{parts.path}"


def say(text: str, *, style: str = "red") -> None:
    """One line to the person, on stderr, never wrapped."""
    from rich.console import Console

    Console(stderr=True).print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def fail(text: str, code: int = FOUND) -> NoReturn:
    """Say what is wrong and leave with this exit code."""
    say(text)
    raise typer.Exit(code)


def load_settings() -> Settings:
    """The settings of this process; a wrong variable is named, exit code 2."""
    from pydantic import ValidationError

    from services.settings import settings

    try:
        return settings()
    except ValidationError as error:
        for fault in error.errors():
            say(f"GATEFOLD_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}")
        raise typer.Exit(WRONG_USAGE) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a command's coroutine; a server that is away or has no schema becomes a line and an exit code."""
    import asyncpg
    from aiokafka.errors import KafkaError

    from services.kafka import UNREACHABLE as KAFKA_AWAY
    from services.kafka import MissingTopic
    from services.stores.migrate import NewerSchema, OlderSchema

    # What the client would say of a broker that is away comes out as one sentence here.
    log = logging.getLogger("aiokafka")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        options = load_settings()
    except typer.Exit:
        work.close()
        raise
    try:
        return asyncio.run(work)
    except Unreachable as away:
        fail(str(away), UNREACHABLE)
    except KAFKA_AWAY as error:
        fail(str(Unreachable("Kafka", options.bootstrap, "GATEFOLD_KAFKA_URL", error)), UNREACHABLE)
    except MissingTopic as missing:
        fail(str(missing))
    except KafkaError as error:
        fail(f"Kafka at {options.bootstrap} refuses: {error}")
    except (NewerSchema, OlderSchema) as error:
        fail(str(error))
    except asyncpg.UndefinedTableError as error:
        fail(f"the database has no schema yet ({error}): run `gatefold migrate`")
    except asyncpg.InsufficientPrivilegeError as error:
        fail(f"the account in GATEFOLD_POSTGRES_URL may not do this ({error}): see Roles in docs/operations.md")
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        asyncpg.OperatorInterventionError,
    ) as error:
        where = without_password(options.postgres_url)
        fail(str(Unreachable("PostgreSQL", where, "GATEFOLD_POSTGRES_URL", error)), UNREACHABLE)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        raise typer.Exit(0) from None
    finally:
        log.setLevel(level)


@contextlib.asynccontextmanager
async def postgres(options: Settings, application: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """One connection for a command.

    Raises:  Unreachable.
    """
    from services.stores.postgres import TRANSIENT, connect

    away: tuple[type[BaseException], ...] = (*TRANSIENT, *_refusals(), ValueError)
    try:
        connection = await connect(options.postgres_url, application=f"gatefold-{application}")
    except away as error:
        where = without_password(options.postgres_url)
        raise Unreachable("PostgreSQL", where, "GATEFOLD_POSTGRES_URL", error) from error
    try:
        yield connection
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=3)


@contextlib.asynccontextmanager
async def publisher(options: Settings, *, request_seconds: float = 8.0) -> AsyncIterator[Publisher]:
    """A publisher for a command.

    Raises:  Unreachable.
    """
    from services.kafka import Publisher

    found = Publisher(options.bootstrap, request_seconds=request_seconds)
    await _open(found, options)
    try:
        yield found
    finally:
        await found.close()


@contextlib.asynccontextmanager
async def log_reader(options: Settings) -> AsyncIterator[LogReader]:
    """Who asks Kafka how far its logs go.

    Raises:  Unreachable.
    """
    from services.kafka import LogReader

    found = LogReader(options.bootstrap)
    await _open(found, options)
    try:
        yield found
    finally:
        await found.close()


@contextlib.asynccontextmanager
async def topic_admin(options: Settings) -> AsyncIterator[TopicAdmin]:
    """Who reads and creates topics.

    Raises:  Unreachable.
    """
    from services.topics import TopicAdmin

    found = TopicAdmin(options)
    await _open(found, options)
    try:
        yield found
    finally:
        await found.close()


async def _open(client: Publisher | LogReader | TopicAdmin, options: Settings) -> None:
    from aiokafka.errors import KafkaError

    try:
        await client.open()
    except (KafkaError, OSError, ValueError) as error:
        raise Unreachable("Kafka", options.bootstrap, "GATEFOLD_KAFKA_URL", error) from error


def _refusals() -> tuple[type[BaseException], ...]:
    """Errors by which a server, or a pooler in front of it, refuses the connection itself."""
    import asyncpg

    return (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidPasswordError,
        asyncpg.ClientConfigurationError,
    )
