"""What admins look at: who may, what cannot be asked, the catalog and its holders, dead letters."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.index import load_catalog
from contracts.times import rfc3339
from contracts.topics import INPUT_TOPICS
from services.cursors import cursor_of
from services.looking import badges
from services.settings import Settings
from services.stores.looking import END, FeedMark, HistoryMark, LetterMark
from tests.integration.admin.world import EXPORT, FEED, HISTORY, LETTERS, LOG, paged
from tests.integration.served import bearer, problem
from tests.model.events import minutes

CATALOG = load_catalog()
PATHS = (
    "catalog",
    "triggers",
    "holders",
    "awards",
    "awards/log",
    "awards/export",
    "dead-letters",
    "users/ann/history",
    "alarms",
)


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not(client: httpx.AsyncClient, ann: dict[str, str], path: str) -> None:
    problem(await client.get(f"/api/admin/{path}"), 401)
    problem(await client.get(f"/api/admin/{path}?limit=x&cursor=%00", headers=ann), 403)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (FEED, {"trigger": "no.such"}, 404),
        (FEED, {"badge": "no-such"}, 404),
        (FEED, {"since": "yesterday"}, 422),
        (FEED, {"since": "2999-01-01T00:00:00Z"}, 422),
        (FEED, {"limit": 0}, 422),
        (FEED, {"limit": 501}, 422),
        (FEED, {"cursor": "x"}, 422),
        (FEED, {"cursor": cursor_of(LetterMark())}, 422),
        (HISTORY, {"cursor": cursor_of(HistoryMark(END, "a\0"))}, 422),
        (HISTORY.replace("ann", "zoe"), {}, 404),
        (HISTORY.replace("ann", "a b"), {}, 404),
        (HISTORY.replace("ann", "a%00"), {}, 404),
        (LOG, {"user": "a b"}, 422),
        (LOG, {"badge": "no-such"}, 404),
        (EXPORT, {"format": "xml"}, 422),
        (EXPORT, {"badge": "no-such"}, 404),
        (EXPORT, {"since": "2999-01-01T00:00:00Z"}, 422),
        (LETTERS, {"topic": "no.such"}, 404),
        (LETTERS, {"stage": "late"}, 422),
        ("/api/admin/catalog", {"family": "no-such"}, 404),
        ("/api/admin/catalog", {"trigger": "manual"}, 404),
        ("/api/admin/catalog", {"visibility": "dim"}, 422),
    ],
)
async def test_questions_that_are_wrong(
    client: httpx.AsyncClient,
    db: asyncpg.Connection,
    chief: dict[str, str],
    path: str,
    query: dict[str, Any],
    status: int,
) -> None:
    body = problem(await client.get(path, params=query, headers=chief), status)
    if status == 422:
        assert [one["parameter"] for one in body["errors"]] == list(query)
    elif query:
        assert str(next(iter(query.values()))) in body["detail"]


async def test_the_catalog_and_its_triggers(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    async def keys(**query: str) -> list[str]:
        answer = await client.get("/api/admin/catalog", params=query, headers=chief)
        return [one["key"] for one in answer.json()["badges"]]

    await db.execute("insert into badge_holders values ('', 4, now()), ('genre-tourist-gold', 1, now())")
    assert await keys() == list(CATALOG.badges)
    assert await keys(family="genre-tourist") == [tier.key for tier in CATALOG.families["genre-tourist"]]
    assert await keys(trigger="compare.used") == [f"comparer-{tier}" for tier in ("i", "ii", "iii", "iv", "v")]
    assert await keys(trigger="cron.sweep", visibility="public") == await keys(visibility="public")
    seen = [await keys(visibility=one) for one in ("public", "hidden", "secret", "retired")]
    assert sorted(key for some in seen for key in some) == sorted(CATALOG.badges)
    (gold,) = (
        one
        for one in (await client.get("/api/admin/catalog?family=genre-tourist", headers=chief)).json()["badges"]
        if one["tier"] == "gold"
    )
    assert (gold["rule"], gold["triggers"], gold["rarity"]) == (
        "genres >= 20",
        ["ownership.added"],
        {"holders": 1, "share": 0.25},
    )
    found = (await client.get("/api/admin/triggers", headers=chief)).json()["triggers"]
    assert [one["trigger"] for one in found] == list(INPUT_TOPICS)
    empty = {one["trigger"] for one in found if one["empty"]}
    assert (
        empty
        == {one["trigger"] for one in found if not one["badges"]}
        == {topic for topic in INPUT_TOPICS if not CATALOG.trigger(topic).badges}
    )
    assert {"ownership.removed", "user.joined"} <= empty


async def test_holders_and_what_is_odd(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    uncounted = (await client.get("/api/admin/holders", headers=chief)).json()
    assert (uncounted["as_of"], uncounted["badges"][0]["holders"]) == (None, None)
    assert not any(one["outlier"] for one in uncounted["badges"])
    counts = {"": 1000, "owner-i": 900, "owner-ii": 901, "owner-iii": 300, "owner-iv": 2, "owner-v": 0}
    await db.executemany("insert into badge_holders values ($1, $2, now())", counts.items())
    body = (await client.get("/api/admin/holders", headers=chief)).json()
    assert body["collectors"] == 1000
    assert sorted(one["badge_key"] for one in body["badges"]) == sorted(CATALOG.badges)
    found = {one["badge_key"]: one for one in body["badges"]}
    assert (found["owner-iii"]["holders"], found["owner-iii"]["share"]) == (300, 0.3)
    assert {key: one["outlier"] for key, one in found.items() if one["outlier"]} == {
        "owner-ii": "more holders than owner-i, which is easier (900)",
        "owner-iv": "fewer than one in 100 of those who hold owner-iii (300)",
    }


@given(st.lists(st.integers(0, 10**6), min_size=5, max_size=5))
def test_a_ladder_that_falls_gently_is_not_odd(numbers: list[int]) -> None:
    counts = {f"owner-{tier}": n for tier, n in zip(("i", "ii", "iii", "iv", "v"), numbers, strict=True)} | {"": 10**6}
    shown = badges.holders(CATALOG, counts, datetime.now(UTC))["badges"]
    odd = {one["badge_key"] for one in shown if one["outlier"]}
    pairs = zip(numbers, numbers[1:], ("ii", "iii", "iv", "v"), strict=False)
    assert odd == {f"owner-{tier}" for a, b, tier in pairs if b > a or (a >= 100 and b * 100 < a)}


async def test_dead_letters(client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    for number in range(40):
        await db.execute(
            "insert into dead_letter values ($1, $2, $3, $4, 'secret', '[]', now(), $5, 'r', $6, null)",
            *(INPUT_TOPICS[number % 3], number % 2, number, b"\xff%d" % number if number % 4 else None),
            *("schema" if number % 5 else "decode", minutes(number // 8)),
        )
    for limit in (1, 7, 500):
        found = await paged(client, chief, LETTERS, "letters", limit=limit)
        assert len({(one["topic"], one["partition"], one["offset"]) for one in found}) == len(found) == 40
        times = [one["seen_at"] for one in found]
        assert times == sorted(times, reverse=True)
    assert "secret" not in json.dumps(found)
    some = await paged(client, chief, LETTERS, "letters", limit=2, topic=INPUT_TOPICS[0], stage="decode")
    assert {one["offset"] for one in some} == {n for n in range(40) if n % 3 == 0 and n % 5 == 0}


WORDS = st.one_of(
    st.sampled_from([*CATALOG.badges, *INPUT_TOPICS, *CATALOG.families, "manual", "ann", "csv", "json", "decode"]),
    st.sampled_from([cursor_of(HistoryMark()), cursor_of(LetterMark()), cursor_of(FeedMark(minutes(0)))]),
    st.text(max_size=30),
    st.integers().map(str),
    st.datetimes(timezones=st.just(UTC)).map(rfc3339),
    st.lists(st.none() | st.integers() | st.text(max_size=5), max_size=5).map(
        lambda mark: base64.urlsafe_b64encode(json.dumps(mark).encode()).decode().rstrip("=")
    ),
)
NAMES = ("since", "trigger", "badge", "limit", "cursor", "family", "visibility", "user", "topic", "stage", "format")


@hypothesis_settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=4))
async def test_any_question_gets_an_answer(
    client: httpx.AsyncClient, settings: Settings, path: str, query: dict[str, str]
) -> None:
    headers = bearer(settings, "chief", "admin")
    answer = await client.get(f"/api/admin/{path}", params=query, headers=headers)
    assert answer.status_code in (200, 404, 422), (path, query, answer.text)
    if answer.status_code != 200:
        problem(answer, answer.status_code)
