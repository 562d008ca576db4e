"""`gatefold notifier` against a real receiver of webhooks, through Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from tests.e2e.processes import Crew, until
from tests.integration.commands import gatefold
from tests.integration.notifier.world import Award, Receiver, notifying


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
