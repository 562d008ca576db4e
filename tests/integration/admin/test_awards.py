"""Awards by hand over HTTP: who may, what is wrong, what the user sees of it."""

import json
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.settings import Settings
from tests.integration.admin.world import AWARDS, DEEP, MINE, REVOKE
from tests.integration.awards import award
from tests.integration.served import bearer, problem, served
from tests.model.events import minutes


async def test_granted_revoked_granted(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    first = await client.post(AWARDS, json=DEEP, headers=chief)
    assert first.status_code == 201
    body = first.json()
    assert body | {"award_id": "", "awarded_at": ""} == {
        "outcome": "granted",
        "award_id": "",
        "revision": 1,
        "user_id": "ann",
        "badge_key": "deep-cut",
        "context": "",
        "awarded_at": "",
        "source": "manual",
        "evidence": {"reason": "because"},
        "sort_override": None,
        "hidden": False,
        "revoked_at": None,
        "shadow": False,
    }
    second = await client.post(AWARDS, json=DEEP | {"reason": "other"}, headers=chief)
    assert (second.status_code, second.json()) == (200, body | {"outcome": "unchanged"})
    gone = await client.post(REVOKE, json=DEEP, headers=chief)
    again = await client.post(REVOKE, json=DEEP, headers=chief)
    assert (gone.status_code, again.status_code) == (200, 200)
    assert (gone.json()["outcome"], again.json()["outcome"]) == ("revoked", "unchanged")
    assert again.json()["revoked_at"] == gone.json()["revoked_at"] is not None
    back = await client.post(AWARDS, json=DEEP | {"notify": False}, headers=chief)
    assert (back.status_code, back.json()) == (200, body | {"outcome": "reinstated", "revision": 2})
    told = [(row[0], json.loads(row[1])) for row in await db.fetch("select topic, value from outbox order by id")]
    assert [(topic, data["revision"], data.get("notify"), data.get("by")) for topic, data in told] == [
        ("badge.awarded", 1, True, None),
        ("badge.revoked", 1, None, "chief"),
        ("badge.awarded", 2, False, None),
    ]
    assert [row[0] for row in await db.fetch("select distinct by from award_log")] == ["chief"]


async def test_hidden_and_sorted(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str], ann: dict[str, str]
) -> None:
    """Hidden is as if it were not earned; a number of its own moves an award in the list."""
    for at, key in enumerate(("owner-i", "deep-cut", "genre-tourist-gold")):
        await award(db, "ann", key, at=minutes(at))
    await db.execute("insert into badge_holders values ('', 2, now()), ('deep-cut', 1, now()), ('owner-i', 2, now())")

    async def seen() -> tuple[list[str], int, str | None, str | None, bool]:
        listed = (await client.get(MINE, headers=ann)).json()
        summary = (await client.get(f"{MINE}/summary", headers=ann)).json()
        detail = (await client.get(f"{MINE}/deep-cut", headers=ann)).json()
        assert listed["stats"]["total_earned"] == summary["total_earned"] == len(listed["achievements"])
        rarest, newest = summary["rarest"], summary["most_recent"]
        keys = [one["id"] for one in listed["achievements"]]
        return keys, summary["total_earned"], rarest and rarest["id"], newest and newest["id"], detail["earned"]

    keys, *rest = await seen()
    assert sorted(keys) == ["deep-cut", "genre-tourist-gold", "owner-i"]
    assert rest == [3, "deep-cut", "genre-tourist-gold", True]
    hide = await client.patch(AWARDS, json=DEEP | {"hidden": True}, headers=chief)
    assert (hide.status_code, hide.json()["hidden"], hide.json()["outcome"]) == (200, True, "changed")
    keys, *rest = await seen()
    assert sorted(keys) == ["genre-tourist-gold", "owner-i"]
    assert rest == [2, "owner-i", "genre-tourist-gold", False]
    granted = await client.post(AWARDS, json=DEEP, headers=chief)
    assert (granted.status_code, granted.json()["hidden"]) == (200, True)
    assert (await client.patch(AWARDS, json=DEEP | {"hidden": False}, headers=chief)).json()["hidden"] is False
    for number, place in ((2**31 - 1, 0), (-(2**31), 2)):
        sort = await client.patch(AWARDS, json=DEEP | {"sort_override": number}, headers=chief)
        assert sort.json()["sort_override"] == number
        assert (await seen())[0].index("deep-cut") == place
    none = await client.patch(AWARDS, json=DEEP | {"sort_override": None}, headers=chief)
    assert none.json()["sort_override"] is None
    assert await db.fetchval("select count(*) from outbox") == 0
    assert await db.fetchval("select array_agg(act) from award_log") == ["edit"] * 5


@pytest.mark.parametrize(("method", "path"), [("POST", AWARDS), ("POST", REVOKE), ("PATCH", AWARDS)])
async def test_who_may_not(
    client: httpx.AsyncClient, db: asyncpg.Connection, ann: dict[str, str], method: str, path: str
) -> None:
    """Whoever is no admin learns nothing, whatever the body holds."""
    for content in (b"{", json.dumps(DEEP | {"hidden": True}).encode(), b"", b"[" * 10_000):
        problem(await client.request(method, path, content=content), 401)
        problem(await client.request(method, path, content=content, headers=ann), 403)
    assert await db.fetchval("select count(*) from user_badges") == 0


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"reason": None}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"reason": 5}, "reason"),
        ({"user_id": "a b"}, "user_id"),
        ({"user_id": 5}, "user_id"),
        ({"badge_key": None}, "badge_key"),
        ({"badge_key": "d\0"}, "badge_key"),
        ({"context": "label:5"}, "context"),
        ({"context": None}, "context"),
        ({"badge_key": "label-loyalist-gold"}, "context"),
        ({"badge_key": "label-loyalist-gold", "context": "artist:5"}, "context"),
        ({"notify": "yes"}, "notify"),
        ({"notify": 1}, "notify"),
        ({"by": "somebody else"}, "by"),
    ],
)
async def test_bodies_that_are_wrong(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str], changes: dict[str, Any], parameter: str
) -> None:
    body = problem(await client.post(AWARDS, json=DEEP | changes, headers=chief), 422)
    assert [one["parameter"] for one in body["errors"]] == [parameter]
    assert parameter in body["detail"]
    assert await db.fetchval("select count(*) from award_log") == 0


@pytest.mark.parametrize("missing", ["user_id", "badge_key", "reason"])
async def test_nothing_is_left_out(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str], missing: str
) -> None:
    body = {name: value for name, value in DEEP.items() if name != missing}
    for method, path in (("POST", AWARDS), ("POST", REVOKE), ("PATCH", AWARDS)):
        found = problem(await client.request(method, path, json=body, headers=chief), 422)
        assert [one["parameter"] for one in found["errors"]] == [missing]


@pytest.mark.parametrize(
    "change", [{}, {"hidden": None}, {"sort_override": 2**31}, {"sort_override": "5"}, {"hide": True}]
)
async def test_edits_that_are_none(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str], change: dict[str, Any]
) -> None:
    await award(db, "ann", "deep-cut", at=minutes(0))
    problem(await client.patch(AWARDS, json=DEEP | change, headers=chief), 422)


async def test_what_is_not_there(client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    nobody = problem(await client.post(AWARDS, json=DEEP | {"user_id": "zoe"}, headers=chief), 404)
    assert nobody["detail"] == "Nothing is known of user 'zoe'."
    badge = problem(await client.post(AWARDS, json=DEEP | {"badge_key": "deep"}, headers=chief), 404)
    assert (badge["type"], badge["detail"]) == ("/docs#unknown-achievement", "There is no badge 'deep'.")
    for method, path in (("POST", REVOKE), ("PATCH", AWARDS)):
        body = DEEP | ({"hidden": True} if method == "PATCH" else {})
        never = problem(await client.request(method, path, json=body, headers=chief), 404)
        assert never["detail"] == "User 'ann' was never given deep-cut."


async def test_each_account_does_its_part(
    database: str, db: asyncpg.Connection, settings: Settings, chief: dict[str, str], ann: dict[str, str]
) -> None:
    """With accounts of the two roles everything works; the reading one alone gives nothing."""
    urls = {}
    for role in ("gatefold_api", "gatefold_admin"):
        name = f"{role}_{urlsplit(database).path[-8:]}"
        await db.execute(f"create role {name} login password 'p' in role {role}")
        address = urlsplit(database)
        urls[role] = address._replace(netloc=f"{name}:p@{address.hostname}:{address.port}").geturl()
    looked = [MINE, f"{MINE}/summary", f"{MINE}/progress", f"{MINE}/deep-cut"]
    for admin_url, status in ((urls["gatefold_admin"], 201), (None, 503)):
        await db.execute("delete from user_badges")
        with_roles = settings.model_copy(update={"postgres_url": urls["gatefold_api"], "postgres_admin_url": admin_url})
        async with served(with_roles) as client:
            assert (await client.post(AWARDS, json=DEEP, headers=chief)).status_code == status
            for path in looked:
                assert (await client.get(path, headers=ann)).status_code == 200
            for path in (
                *("catalog", "triggers", "holders", "users/ann/history", "awards", "awards/log", "awards/export"),
                "dead-letters",
            ):
                assert (await client.get(f"/api/admin/{path}", headers=chief)).status_code == 200, path


async def test_who_writes_connects_when_an_admin_writes(
    db: asyncpg.Connection, settings: Settings, chief: dict[str, str], ann: dict[str, str]
) -> None:
    """Where that account's server is away, everything else goes on."""
    away = settings.model_copy(update={"postgres_admin_url": "postgresql://nobody@127.0.0.1:1/x"})
    async with served(away) as client:
        assert (await client.get(MINE, headers=ann)).status_code == 200
        assert (await client.get("/api/admin/awards", headers=chief)).status_code == 200
        problem(await client.post(AWARDS, json=DEEP, headers=ann), 403)
        assert (
            problem(await client.post(AWARDS, json=DEEP, headers=chief), 503)["detail"] == "PostgreSQL does not answer."
        )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("user_id", "badge_key", "context", "reason", "notify", "hidden", "sort_override", "by")
GOOD = st.fixed_dictionaries(
    {"user_id": st.sampled_from(["ann", "bob", "zoe"]), "reason": st.text(min_size=1, max_size=30)},
    optional={
        "badge_key": st.sampled_from(["deep-cut", "owner-i", "label-loyalist-gold", "no"]),
        "context": st.sampled_from(["", "label:5", "label:0", "master:1"]),
        "notify": st.booleans(),
        "hidden": st.booleans(),
        "sort_override": st.none() | st.integers(),
    },
)
BODIES = st.one_of(
    GOOD.map(lambda body: json.dumps(body).encode()),
    st.builds(lambda good, name, value: json.dumps(good | {name: value}).encode(), GOOD, st.sampled_from(FIELDS), JSON),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.integers(1, 5000).map(lambda depth: b'{"reason":' + b"[" * depth),
)


@hypothesis_settings(
    max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.sampled_from([("POST", AWARDS), ("POST", REVOKE), ("PATCH", AWARDS)]), BODIES)
async def test_any_body_gets_an_answer(
    client: httpx.AsyncClient, settings: Settings, database: str, place: tuple[str, str], content: bytes
) -> None:
    """Whatever comes: done, or a problem that says why, and never our fault."""
    headers = bearer(settings, "chief", "admin")
    answer = await client.request(*place, content=content, headers=headers)
    assert answer.status_code in (200, 201, 404, 422), (content, answer.text)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)
    else:
        assert answer.json()["outcome"] in ("granted", "reinstated", "revoked", "changed", "unchanged")
