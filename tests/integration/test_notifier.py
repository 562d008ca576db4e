"""`gatefold notifier` against a real receiver of webhooks and a real SMTP server, through Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP

from contracts.envelope import encode_binary
from contracts.times import parse_time
from services.kafka import Outgoing, Publisher
from services.notifier.webhook import is_genuine
from services.settings import Settings
from services.topics import TopicAdmin, plan
from tests.e2e.processes import Crew, Process, until
from tests.integration.commands import gatefold

SECRET = "a-secret-that-the-receiver-knows-as-well"
AT = "2026-03-01T12:00:00Z"
Award = Callable[..., Awaitable[list[str]]]


class Receiver:
    """A receiver of webhooks: keeps what it is sent, and answers what it is told to, 200 when nothing is left."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[bytes] = []  # status line and headers; empty: none at all
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self._came = asyncio.Condition()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?team=notifications"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def leave(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def of(self, user: str, number: int = 1, seconds: float = 30) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """What was sent of a user, once there is so much of it."""
        async with asyncio.timeout(seconds), self._came:
            await self._came.wait_for(lambda: len(self._of(user)) >= number)
        return self._of(user)

    def _of(self, user: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        return [one for one in self.got if one[1]["user_id"] == user]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                lines = head.split("\r\n")
                assert lines[0] == "POST /hooks?team=notifications HTTP/1.1"
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                assert is_genuine(SECRET.encode(), headers, body, time.time())
                answer = self.answers.pop(0) if self.answers else b"200 OK"
                async with self._came:
                    self.got.append((headers, json.loads(body)))
                    self._came.notify_all()
                if not answer:
                    await reader.read()  # until the other side gives up, or is gone
                    return
                writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    await found.listen()
    yield found
    await found.leave()


@pytest.fixture(scope="module")
def settings(database: str, kafka_url: str, topic_prefix: str) -> Settings:
    return Settings(postgres_url=database, kafka_url=kafka_url, topic_prefix=topic_prefix)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    admin = TopicAdmin(settings)
    await admin.open()
    await admin.create(plan(settings, {}))
    await admin.close()
    found = Publisher(settings.bootstrap)
    yield found
    await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def award(db: asyncpg.Connection[asyncpg.Record], publisher: Publisher, settings: Settings) -> Award:
    """Give badges in one batch and publish them as often as asked; answers the ids of the messages."""

    async def awarded(
        user: str, *families: str, times: int = 1, notify: bool = True, context: str = "", **evidence: Any
    ) -> list[str]:
        batch, messages, ids = str(uuid4()), [], []
        for family in families:
            for index, tier in enumerate(("bronze", "silver")):
                award_id = uuid4()
                await db.execute(
                    "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger,"
                    " caused_by, batch_id, evidence) values ($1, $2, $3, $4, $5, 'auto', 'x', '{}', $6, '{}')",
                    user,
                    f"{family}-{tier}",
                    context,
                    award_id,
                    parse_time(AT),
                    batch,
                )
                badge = {"key": f"{family}-{tier}", "family": family, "tier": tier, "tier_index": index}
                data = {
                    "award_id": str(award_id),
                    "revision": 1,
                    "user_id": user,
                    "badge": badge | {"name": family.title(), "category": "breadth", "icon": "x"},
                    "context": context,
                    "awarded_at": AT,
                    "source": "auto",
                    "trigger": "ownership.added",
                    "caused_by": {"source": "/s", "id": "1"},
                    "batch_id": batch,
                    "highest_in_family": tier == "silver",
                    "notify": notify,
                    "evidence": {"metric": "genres", "value": 5, "target": 5, **evidence},
                }
                ids.append(f"{award_id}:1")
                headers, value = encode_binary(
                    type="badge.awarded",
                    id=ids[-1],
                    source="gatefold",
                    subject=user,
                    time=parse_time(AT),
                    data=json.dumps(data).encode(),
                )
                messages.append(Outgoing(settings.topic("badge.awarded"), user.encode(), value, headers))
        report = await publisher.publish(messages * times)
        assert len(report.sent) == len(messages) * times
        return ids

    return awarded


@pytest.fixture(scope="module")
def surroundings(settings: Settings, receiver: Receiver, publisher: Publisher) -> dict[str, str]:
    return {
        "GATEFOLD_POSTGRES_URL": f"{settings.postgres_url}?role=gatefold_notifier",
        "GATEFOLD_KAFKA_URL": settings.kafka_url,
        "GATEFOLD_TOPIC_PREFIX": settings.topic_prefix,
        "GATEFOLD_NOTIFIER_PORT": "0",
        "GATEFOLD_NOTIFIER_WEBHOOK_URL": receiver.url,
        "GATEFOLD_NOTIFIER_SECRET": SECRET,
        "GATEFOLD_NOTIFIER_QUIET_SECONDS": "0.5",
        "GATEFOLD_NOTIFIER_SECONDS": "1",
    }


@pytest.fixture(scope="module")
def crew(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    found = Crew(tmp_path_factory.mktemp("notifier"), surroundings, {})
    yield found
    found.stop()
    found.close()


def started(crew: Crew, **settings: str) -> Process:
    """A notifier that reads."""
    process = crew.start("notifier", **settings)
    until(lambda: process.get("/readyz")[0] == 200, f"{process.name} is ready")
    return process


@asynccontextmanager
async def notifying(crew: Crew, **settings: str) -> AsyncIterator[Process]:
    process = await asyncio.to_thread(started, crew, **settings)
    try:
        yield process
    finally:
        if process.code is None:
            assert await asyncio.to_thread(process.terminate) == 0


async def test_a_batch_is_one_signed_webhook_whatever_comes_twice(
    crew: Crew, receiver: Receiver, award: Award, user: str
) -> None:
    await award("nobody", "too-early")  # before there was a notifier
    async with notifying(crew) as process:
        ids = await award(user, "genre-tourist", "label-hopper", "time-traveler", "owner", "editor", times=2)
        await award(user, "quiet", notify=False)
        ((headers, body),) = await receiver.of(user)
        assert headers["content-type"] == "application/json"
        assert headers["idempotency-key"] == body["notice_id"]
        assert sorted(one["event_id"] for one in body["awards"]) == sorted(ids)
        assert len({one["batch_id"] for one in body["awards"]}) == 1
        assert body["awards"][0]["evidence"] == {"metric": "genres", "value": 5, "target": 5}
        tiers = {one["event_id"]: one["badge"]["tier"] for one in body["awards"]}
        assert [tiers[event_id] for event_id in body["highlights"]] == ["silver"] * 3
        assert body["more"] == 2
        await award(user, "later")
        assert len(await receiver.of(user, 2)) == 2
        assert receiver._of("nobody") == []
        read = {fate: process.metric("gatefold_notifier_read_total", fate=fate) for fate in ("duplicate", "quiet")}
        assert read == {"duplicate": 10, "quiet": 2}
        await asyncio.to_thread(
            until, lambda: process.metric("gatefold_notices_total", fate="sent") == 2, "both count as sent"
        )


async def test_who_is_down_or_fails_is_asked_again_with_the_same_id(
    crew: Crew, receiver: Receiver, award: Award, user: str
) -> None:
    await receiver.leave()
    async with notifying(crew) as process:
        await award(user, "genre-tourist")
        until(lambda: process.metric("gatefold_notices_total", fate="again") >= 1, "an attempt that failed")
        receiver.answers = [b"500 Oops", b"429 Slowly\r\nRetry-After: 1"]
        await receiver.listen()
        attempts = await receiver.of(user, 3)
    assert len({headers["idempotency-key"] for headers, _ in attempts}) == 1
    assert attempts[0][1] == attempts[1][1] == attempts[2][1]


async def test_what_is_refused_is_dead_until_it_is_redriven(
    crew: Crew, receiver: Receiver, award: Award, user: str, surroundings: dict[str, str]
) -> None:
    receiver.answers = [b"410 Gone"]
    async with notifying(crew) as process:
        await award(user, "genre-tourist")
        ((_, refused),) = await receiver.of(user)
        await asyncio.to_thread(process.wait_for, "notice is dead")
        listed = await asyncio.to_thread(gatefold, surroundings, "notifier", "dead", "--json")
        (dead,) = [json.loads(line) for line in listed.out.splitlines()]
        assert (dead["notice_id"], dead["user_id"]) == (refused["notice_id"], user)
        assert (dead["awards"], dead["attempts"], dead["reason"]) == (2, 1, "answered 410")
        table = await asyncio.to_thread(gatefold, surroundings, "notifier", "dead")
        assert "1 dead notices" in table.out
        asked = ("notifier", "redrive", dead["notice_id"])
        would = await asyncio.to_thread(gatefold, surroundings, *asked, "--dry-run")
        assert would.out == f"would be due {dead['notice_id']}\n"
        assert (await asyncio.to_thread(gatefold, surroundings, *asked)).code == 0
        assert (await receiver.of(user, 2))[1][1] == refused
        nothing = await asyncio.to_thread(gatefold, surroundings, *asked)
        assert (nothing.code, nothing.err) == (1, f"there is no dead notice {dead['notice_id']}\n")


async def test_who_is_killed_in_the_middle_delivers_again(
    crew: Crew, receiver: Receiver, award: Award, user: str
) -> None:
    """And loses nothing of what came while nobody read."""
    other = f"{user}-other"
    receiver.answers = [b""]
    async with notifying(crew) as process:
        await award(user, "genre-tourist", "owner")
        ((first, _),) = await receiver.of(user)
        process.kill()
    await award(other, "editor", times=3)
    async with notifying(crew):
        attempts = await receiver.of(user, 2)
        assert attempts[1][0]["idempotency-key"] == first["idempotency-key"]
        assert attempts[1][1] == attempts[0][1]
        assert len((await receiver.of(other))[0][1]["awards"]) == 2


async def test_what_was_taken_back_is_not_told(
    crew: Crew, receiver: Receiver, award: Award, user: str, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with notifying(crew, notifier_quiet_seconds="2") as process:
        before = process.metric("gatefold_notices_total", fate="empty")
        await award(user, "genre-tourist")
        await award(f"{user}-gone", "genre-tourist")
        await db.execute(
            "update user_badges set revoked_at = now() where user_id = $1 and badge_key like '%bronze'", user
        )
        await db.execute("delete from user_badges where user_id = $1", f"{user}-gone")
        ((_, body),) = await receiver.of(user)
        assert [one["badge"]["tier"] for one in body["awards"]] == ["silver"]
        until(lambda: process.metric("gatefold_notices_total", fate="empty") > before, "an empty notice")
        assert receiver._of(f"{user}-gone") == []


class Box:
    """An SMTP server's mails; answers a recipient with a refusal of its own where one waits."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


async def test_mails_name_what_was_earned_and_nothing_else_gets_in(crew: Crew, award: Award, user: str) -> None:
    box = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    name = "<b>Größe</b>\r\nBcc: all@example.org \u202eRTL 🎷"
    mail = {
        "notifier_webhook_url": "",
        "notifier_smtp_url": f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "notifier_mail_from": "badges@records.example",
        "notifier_mail_to": "{user_id}@users.example",
        "notifier_page": "https://records.example/me",
    }
    async with server:
        async with notifying(crew, **mail) as process:
            box.refusals = ["451 later", "451 later"]
            await award(user, "label-loyalist", context="label:1", label=name)
            await award(user, name)
            await award(f"{user}@twice", "owner")
            await asyncio.to_thread(process.wait_for, "notice is dead")
            await asyncio.to_thread(until, lambda: len(box.mails) == 1, "a mail")
        ((to, message),) = box.mails
        assert to == [f"{user}@users.example"]
        assert message["bcc"] is None
        assert message["subject"].startswith("New badge: ")
        assert message["subject"].endswith(" and 1 more")
        assert message["message-id"].endswith("@records.example>")
        text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
        assert "Label-Loyalist Silver (<b>Größe</b>  Bcc: all@example.org RTL 🎷), 2026-03-01" in text
        assert "(<bdi>&lt;b&gt;Größe&lt;/b&gt;  Bcc: all@example.org RTL 🎷</bdi>)" in html
        assert "<b>" not in html
        assert "https://records.example/me" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"GATEFOLD_NOTIFIER_WEBHOOK_URL": None}, "set one of GATEFOLD_NOTIFIER_WEBHOOK_URL"),
        ({"GATEFOLD_NOTIFIER_SMTP_URL": "smtp://127.0.0.1"}, "set one of GATEFOLD_NOTIFIER_WEBHOOK_URL"),
        ({"GATEFOLD_NOTIFIER_SECRET": "short"}, "GATEFOLD_NOTIFIER_SECRET"),
        ({"GATEFOLD_NOTIFIER_WEBHOOK_URL": "ftp://sekret@x"}, "GATEFOLD_NOTIFIER_WEBHOOK_URL: "),
        (
            {"GATEFOLD_NOTIFIER_WEBHOOK_URL": None, "GATEFOLD_NOTIFIER_SMTP_URL": "smtp://127.0.0.1"},
            "GATEFOLD_NOTIFIER_MAIL_TO",
        ),
    ],
)
def test_settings_that_cannot_work(surroundings: dict[str, str], change: dict[str, str | None], said: str) -> None:
    environment = {name: value for name, value in (surroundings | change).items() if value is not None}
    done = gatefold(environment, "notifier")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "sekret" not in done.err
