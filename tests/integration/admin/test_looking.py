"""What admins look at: pages that are complete whatever comes in, counts, exports that equal a recount."""

import base64
import csv
import io
import itertools
import json
import random
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

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
from services.looking.export import BEGINNING, COLUMNS, Format, cell, pieces
from services.settings import Settings
from services.stores import looking
from services.stores.looking import END, FeedMark, HistoryMark, LetterMark
from tests.integration.admin.conftest import put
from tests.integration.admin.test_awards import AWARDS, DEEP, REVOKE, problem
from tests.integration.served import bearer
from tests.model.events import minutes

CATALOG = load_catalog()
FEED, EXPORT, LETTERS = "/api/admin/awards", "/api/admin/awards/export", "/api/admin/dead-letters"
HISTORY, LOG = "/api/admin/users/ann/history", "/api/admin/awards/log"
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


MANY = """
    insert into user_badges (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence)
    select 'u' || n, 'owner-i', gen_random_uuid(), now(), 'auto', 'cron.sweep', 'null', gen_random_uuid(), '{}'
    from generate_series(1, $1::integer) n
"""


async def paged(
    web: httpx.AsyncClient, headers: dict[str, str], path: str, name: str, between: Any = None, **query: Any
) -> list[dict[str, Any]]:
    """All entries, page by page; `between` is done before each page but the first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await web.get(path, params=query | cursor, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body[name]) <= query["limit"]
        found += body[name]
        if body["next_cursor"] is None:
            return found
        cursor = {"cursor": body["next_cursor"]}
        if between is not None:
            await between()


async def crowd(db: asyncpg.Connection, number: int = 300) -> list[tuple[str, str, str]]:
    """Awards of the last hour and of before, some of one moment; (user, badge, context)."""
    chance = random.Random(7)
    now = datetime.now(UTC).replace(microsecond=0)
    names = []
    for at in range(number):
        user, key = f"u{at % 50}", chance.choice(["owner-i", "deep-cut", "genre-tourist-gold"])
        when = now - timedelta(minutes=chance.randrange(60)) if at % 3 else now - timedelta(days=2, minutes=at)
        context = f"label:{at}"
        await put(db, user, key, when, context=context, trigger=chance.choice(["ownership.added", "cron.sweep"]))
        names.append((user, key, context))
    return names


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not(web: httpx.AsyncClient, ann: dict[str, str], path: str) -> None:
    problem(await web.get(f"/api/admin/{path}"), 401)
    problem(await web.get(f"/api/admin/{path}?limit=x&cursor=%00", headers=ann), 403)


async def test_the_feed_is_complete_while_awards_come_in(
    web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    """New ones and late ones come in between the pages: what was there is there once, in order."""
    await crowd(db)
    since = datetime.now(UTC) - timedelta(hours=24)
    there = {str(row[0]) for row in await db.fetch("select award_id from user_badges where awarded_at >= $1", since)}
    number = itertools.count()

    async def more() -> None:
        await put(db, f"new{next(number)}", "owner-i", datetime.now(UTC))
        await put(db, f"late{next(number)}", "owner-i", datetime.now(UTC) - timedelta(minutes=next(number) % 50))

    for limit in (5, 7, 100):
        found = await paged(web, chief, FEED, "awards", more, limit=limit)
        ids = [one["award_id"] for one in found]
        assert len(ids) == len(set(ids))
        assert there <= set(ids)
        order = [(one["awarded_at"], one["award_id"]) for one in found]
        assert order == sorted(order, key=lambda one: (datetime.fromisoformat(one[0]), UUID(one[1])), reverse=True)


async def test_the_feed_counts_and_filters(
    web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    await crowd(db)
    await web.post(AWARDS, json=DEEP, headers=chief)
    rows = await db.fetch(
        "select trigger, badge_key, awarded_at >= now() - interval '24 hours' as fresh from user_badges"
    )

    def counted(column: str, wanted: Any = lambda row: True, *, fresh: bool = True) -> dict[str, int]:
        return dict(Counter(row[column] for row in rows if (row["fresh"] or not fresh) and wanted(row)))

    body = (await web.get(FEED, params={"limit": 2}, headers=chief)).json()
    assert (body["by_trigger"], body["by_badge"]) == (counted("trigger"), counted("badge_key"))
    assert body["total"] == sum(counted("trigger").values())
    assert body["by_trigger"]["manual"] == 1
    assert body["awards"][0] == {
        **{name: body["awards"][0][name] for name in ("award_id", "awarded_at")},
        "user_id": "ann",
        "badge_key": "deep-cut",
        "context": "",
        "revision": 1,
        "source": "manual",
        "trigger": "manual",
        "evidence": {"reason": "because"},
        "sort_override": None,
        "hidden": False,
        "revoked_at": None,
        "shadow": False,
    }
    later = (await web.get(FEED, params={"limit": 2, "cursor": body["next_cursor"]}, headers=chief)).json()
    assert (later["total"], later["since"]) == (None, body["since"])
    swept = (await web.get(FEED, params={"trigger": "cron.sweep", "badge": "owner-i"}, headers=chief)).json()
    assert swept["by_trigger"] == counted("trigger", lambda row: row[:2] == ("cron.sweep", "owner-i"))
    assert {(one["trigger"], one["badge_key"]) for one in swept["awards"]} == {("cron.sweep", "owner-i")}
    older = rfc3339(datetime.now(UTC) - timedelta(days=30))
    assert (await web.get(FEED, params={"since": older}, headers=chief)).json()["by_badge"] == counted(
        "badge_key", fresh=False
    )


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
    web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str], path: str, query: dict[str, Any], status: int
) -> None:
    body = problem(await web.get(path, params=query, headers=chief), status)
    if status == 422:
        assert [one["parameter"] for one in body["errors"]] == list(query)
    elif query:
        assert str(next(iter(query.values()))) in body["detail"]


async def test_the_history_of_a_user(web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    await put(db, "ann", "owner-i", minutes(0))
    await put(db, "ann", "label-loyalist-gold", minutes(1), context="label:5")
    await put(db, "bob", "owner-i", minutes(2))
    earned = DEEP | {"badge_key": "owner-i"}
    for method, path, body in (
        ("POST", AWARDS, DEEP),
        ("POST", REVOKE, earned),
        ("POST", AWARDS, earned | {"reason": "after all"}),
        ("PATCH", AWARDS, DEEP | {"hidden": True}),
    ):
        assert (await web.request(method, path, json=body, headers=chief)).status_code in (200, 201)
    for limit in (1, 2, 500):
        found = await paged(web, chief, HISTORY, "history", limit=limit)
        assert [(one["what"], one["badge_key"], one["source"], one["revision"]) for one in found] == [
            ("edit", "deep-cut", "manual", 1),
            ("reinstate", "owner-i", "manual", 2),
            ("revoke", "owner-i", "auto", 1),
            ("grant", "deep-cut", "manual", 1),
            ("award", "label-loyalist-gold", "auto", 1),
            ("award", "owner-i", "auto", 1),
        ]
    assert found[1]["reason"] == "after all"
    assert (found[5]["trigger"], found[5]["evidence"], found[5]["by"]) == ("ownership.added", {"value": 5}, None)
    assert (found[2]["before"]["revoked_at"], found[2]["after"]["revoked_at"]) == (None, found[2]["at"])
    log = await paged(web, chief, LOG, "acts", limit=3)
    assert [one["act"] for one in log] == ["edit", "reinstate", "revoke", "grant"]
    assert [one["act"] for one in await paged(web, chief, LOG, "acts", limit=1, badge="owner-i")] == [
        "reinstate",
        "revoke",
    ]
    assert await paged(web, chief, LOG, "acts", limit=1, user="bob") == []
    assert (await web.get(HISTORY.replace("ann", "bob"), headers=chief)).json()["history"][0]["what"] == "award"


async def test_the_catalog_and_its_triggers(
    web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    async def keys(**query: str) -> list[str]:
        answer = await web.get("/api/admin/catalog", params=query, headers=chief)
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
        for one in (await web.get("/api/admin/catalog?family=genre-tourist", headers=chief)).json()["badges"]
        if one["tier"] == "gold"
    )
    assert (gold["rule"], gold["triggers"], gold["rarity"]) == (
        "genres >= 20",
        ["ownership.added"],
        {"holders": 1, "share": 0.25},
    )
    found = (await web.get("/api/admin/triggers", headers=chief)).json()["triggers"]
    assert [one["trigger"] for one in found] == list(INPUT_TOPICS)
    empty = {one["trigger"] for one in found if one["empty"]}
    assert (
        empty
        == {one["trigger"] for one in found if not one["badges"]}
        == {topic for topic in INPUT_TOPICS if not CATALOG.trigger(topic).badges}
    )
    assert {"ownership.removed", "user.joined"} <= empty


async def test_holders_and_what_is_odd(web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    uncounted = (await web.get("/api/admin/holders", headers=chief)).json()
    assert (uncounted["as_of"], uncounted["badges"][0]["holders"]) == (None, None)
    assert not any(one["outlier"] for one in uncounted["badges"])
    counts = {"": 1000, "owner-i": 900, "owner-ii": 901, "owner-iii": 300, "owner-iv": 2, "owner-v": 0}
    await db.executemany("insert into badge_holders values ($1, $2, now())", counts.items())
    body = (await web.get("/api/admin/holders", headers=chief)).json()
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


async def test_dead_letters(web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    for number in range(40):
        await db.execute(
            "insert into dead_letter values ($1, $2, $3, $4, 'secret', '[]', now(), $5, 'r', $6, null)",
            *(INPUT_TOPICS[number % 3], number % 2, number, b"\xff%d" % number if number % 4 else None),
            *("schema" if number % 5 else "decode", minutes(number // 8)),
        )
    for limit in (1, 7, 500):
        found = await paged(web, chief, LETTERS, "letters", limit=limit)
        assert len({(one["topic"], one["partition"], one["offset"]) for one in found}) == len(found) == 40
        times = [one["seen_at"] for one in found]
        assert times == sorted(times, reverse=True)
    assert "secret" not in json.dumps(found)
    some = await paged(web, chief, LETTERS, "letters", limit=2, topic=INPUT_TOPICS[0], stage="decode")
    assert {one["offset"] for one in some} == {n for n in range(40) if n % 3 == 0 and n % 5 == 0}


FORMULAS = ["=1+1", "+1", "-x", "@me", "\tx", "\rx", "plain", 'a "b", c', "a\nb"]


async def test_exports_equal_a_recount(web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    names = await crowd(db, 2500)
    for at, text in enumerate(FORMULAS):
        await put(db, "@ann" if at % 2 else "-ann", "deep-cut", minutes(at), context=text)
        names.append(("@ann" if at % 2 else "-ann", "deep-cut", text))
    await db.execute("update user_badges set revoked_at = now(), sort_override = -5 where context = 'label:1'")
    rows = [dict(row) for row in await db.fetch(f"select {', '.join(COLUMNS)} from user_badges order by 1, 2, 3")]  # noqa: S608
    answer = await web.get(EXPORT, params={"format": "json"}, headers=chief)
    assert answer.headers["content-type"] == "application/json"
    lines = answer.json()
    assert [(one["user_id"], one["badge_key"], one["context"]) for one in lines] == sorted(names)
    for line, row in zip(lines, rows, strict=True):
        wanted = row | {"award_id": str(row["award_id"]), "evidence": json.loads(row["evidence"])}
        for name in ("awarded_at", "revoked_at"):
            wanted[name] = None if row[name] is None else rfc3339(row[name])
        assert line == wanted
    answer = await web.get(EXPORT, headers=chief)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="awards.csv"'
    head, *cells = csv.reader(io.StringIO(answer.text, newline=""))
    assert tuple(head) == COLUMNS
    assert cells == [[cell(value) for value in row.values()] for row in rows]
    assert not any(text.startswith(("=", "+", "@", "\t", "\r")) for row in cells for text in row)
    assert {text for row in cells for text in row if text.startswith("-")} == {"-5"}
    since = rfc3339(datetime.now(UTC) - timedelta(hours=24))
    fresh = await web.get(EXPORT, params={"since": since, "badge": "owner-i", "format": "json"}, headers=chief)
    assert len(fresh.json()) == await db.fetchval(
        "select count(*) from user_badges where badge_key = 'owner-i' and awarded_at > now() - interval '24 hours'"
    )


async def test_exports_of_nothing(web: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    assert (await web.get(EXPORT, params={"format": "json"}, headers=chief)).json() == []
    assert (await web.get(EXPORT, headers=chief)).text == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_exports_take_no_more_memory_for_more_awards(db: asyncpg.Connection, form: Format) -> None:
    async def peak(number: int) -> int:
        await db.execute("truncate award")
        await db.execute(MANY, number)
        tracemalloc.start()
        size = 0
        async for piece in pieces(lambda after, most: looking.awards(db, after, BEGINNING, None, most), form):
            size += len(piece)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > number * 50
        return most

    await peak(2000)
    assert await peak(40_000) < 1.5 * await peak(4000)


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
    web: httpx.AsyncClient, settings: Settings, path: str, query: dict[str, str]
) -> None:
    headers = bearer(settings, "chief", "admin")
    answer = await web.get(f"/api/admin/{path}", params=query, headers=headers)
    assert answer.status_code in (200, 404, 422), (path, query, answer.text)
    if answer.status_code != 200:
        problem(answer, answer.status_code)
