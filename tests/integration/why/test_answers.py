"""Why a badge is held, or is not: on real state, counted beside a plain recount."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from catalog import lock
from catalog.definition import All, Any_, BadgeDefinition, Manual, Not, Tenure, Threshold
from catalog.index import Catalog, load_catalog
from services.missing.asked import Unfit
from services.state.facts import NOTHING
from services.stores import ownership
from services.stores import why as store
from services.stores.postgres import Connection
from services.why.answer import Asked, known, why
from tests.integration.trial.past import processed, unwritten
from tests.model import pools
from tests.model.events import added, event, history, minutes

CATALOG = load_catalog()
NOW = datetime(2026, 3, 11, tzinfo=UTC)
WARP = [{"id": 23528, "name": "As printed"}]


async def asked(
    connection: Connection, key: str, context: str = "", *, user: str = "ada", catalog: Catalog = CATALOG, **more: Any
) -> dict[str, Any] | None:
    """The answer, as JSON has it."""
    async with unwritten(connection):
        found = await why(connection, user, catalog, Asked(key, context, NOW, **more))
    decoded: dict[str, Any] | None = msgspec.json.decode(msgspec.json.encode(found))
    return decoded


def page(numbers: Iterable[int], **said: Any) -> list[tuple[int, dict[str, Any]]]:
    """Copies of releases, all alike."""
    return [(n, {"id": n, **said}) for n in numbers]


async def test_not_earned(connection: Connection) -> None:
    owned = [(n, {"id": n, "country": country}) for n, country in enumerate(("UK", "US", "Japan"), 1)]
    await processed(connection, [added("page", *owned, *page(range(10, 14)))])
    found = await asked(connection, "world-collector-bronze")
    assert found is not None
    assert found["criterion"] == {
        "kind": "threshold", "words": "countries >= 5", "metric": "countries", "value": 3, "target": 5,
        "truth": False, "reason": "3 of 5 countries", "remaining": "Add records from 2 more countries", "children": [],
    }  # fmt: skip
    assert (found["earned"], found["met_today"], found["award"]) == (False, False, None)
    assert found["remaining"] == "Add records from 2 more countries"
    assert found["gaps"] == [
        {"field": "country", "missing": 4, "releases": 7, "words": "4 of 7 releases have no country"}
    ]
    assert found["snapshot"] == {"changed_at": "2026-03-01T12:00:00Z", "days": 10}
    assert found["triggers"] == [
        {"type": "ownership.added", "last_event_at": "2026-03-01T12:00:00Z", "told_by": "sets"}
    ]
    assert found["since"] == "no subscribed event since 2026-03-01T12:00:00Z"


async def test_earned_with_its_event_and_its_rule(connection: Connection) -> None:
    await processed(connection, [added("page", *page(range(1, 11)))])
    found = await asked(connection, "owner-ii")
    assert found is not None
    rule = lock.digest(CATALOG.badges["owner-ii"])
    assert lock.read_lock()["owner-ii"] == rule
    award = found["award"]
    assert award["caused_by"] == {"source": "/tests", "id": "page"}
    assert (award["trigger"], award["source"], award["unlocked_at"]) == (
        "ownership.added", "auto", "2026-03-01T12:00:00Z",
    )  # fmt: skip
    assert award["evidence"]["earned_with"] == {"release_id": 10, "title": None}
    assert award["rule"] == {"then": rule, "now": rule, "changed": False}
    assert (found["earned"], found["met_today"], found["remaining"]) == (True, True, "Earned")

    await connection.execute("update user_badges set rule_digest = 'an older rule'")
    found = await asked(connection, "owner-ii")
    assert found is not None
    assert found["award"]["rule"] == {"then": "an older rule", "now": rule, "changed": True}
    await connection.execute("update user_badges set rule_digest = null, revoked_at = now()")
    found = await asked(connection, "owner-ii")
    assert found is not None
    assert found["award"]["rule"] == {"then": None, "now": rule, "changed": None}
    assert found["award"]["revoked_at"] is not None
    assert (found["earned"], found["met_today"]) == (False, True)
    assert found["remaining"] == "Taken back; only given again by hand"


async def test_every_award_keeps_its_rule(connection: Connection) -> None:
    await processed(connection, history(5, 150))
    rows = await connection.fetch("select badge_key, rule_digest from user_badges")
    locked = lock.read_lock()
    assert len(rows) > 30
    assert {row["badge_key"]: row["rule_digest"] for row in rows} == {
        row["badge_key"]: locked[row["badge_key"]] for row in rows
    }


async def test_of_a_label(connection: Connection) -> None:
    await connection.execute("insert into label values (23528, 'Warp Records'), (7, 'Other')")
    await connection.execute(
        "insert into catalogue_total values ('label', 23528, 20, '2026-02-01'), ('label', 7, 10, '2026-02-01')"
    )
    other = [{"id": 7, "name": "Other"}]
    await processed(connection, [added("page", *page(range(1, 6), labels=WARP), *page(range(6, 8), labels=other))])
    # The one with an award, else the nearest without.
    found = await asked(connection, "label-loyalist-bronze")
    assert found is not None
    assert (found["context"], found["context_name"], found["earned"]) == ("label:23528", "Warp Records", True)
    found = await asked(connection, "label-loyalist-silver")
    assert found is not None
    assert (found["context"], found["criterion"]["value"]) == ("label:23528", 25)
    assert found["remaining"] == "Add 5 more Warp Records releases"
    found = await asked(connection, "label-loyalist-bronze", "label:7")
    assert found is not None
    assert (found["earned"], found["criterion"]["value"], found["criterion"]["truth"]) == (False, 20, False)
    assert found["gaps"] == []
    found = await asked(connection, "label-loyalist-bronze", "label:999")
    assert found is not None
    assert (found["met_today"], found["remaining"]) == (None, "Catalogue size not known")
    for key, context in (
        ("label-loyalist-bronze", "master:3"),
        ("label-loyalist-bronze", "label:0"),
        ("owner-i", "label:7"),
        ("label-loyalist-bronze", "label:99999999999999999999"),
    ):
        with pytest.raises(Unfit):
            await asked(connection, key, context)


async def test_of_a_master(connection: Connection) -> None:
    await connection.execute("insert into master (master_id, title) values (21, 'Kid A')")
    await processed(
        connection, [added("page", *page(range(1, 3), master_id=21), *page((9,), master_id=0), *page((8,)))]
    )
    found = await asked(connection, "master-collector-bronze")
    assert found is not None
    assert (found["context"], found["context_name"]) == ("master:21", "Kid A")
    assert found["remaining"] == "Add 1 more pressing of Kid A"
    assert [gap["missing"] for gap in found["gaps"]] == [1]
    nobody = await asked(connection, "master-collector-bronze", user="nobody")
    assert nobody is not None
    assert (nobody["context"], nobody["since"]) == ("", "no subscribed event yet")
    assert nobody["snapshot"] == {"changed_at": None, "days": None}
    assert await known(connection, "ada")
    assert not await known(connection, "nobody")


def badge(key: str, criterion: Any, **more: Any) -> BadgeDefinition:
    """A badge of the tests."""
    return BadgeDefinition(
        key=key, family=key, tier=None, tier_index=0, name=key.title(), description="Be odd", category="special",
        icon="special", criterion=criterion, triggers=("ownership.added", "review.approved"), sort_score=1, **more,
    )  # fmt: skip


GENRES, REVIEWS = Threshold(metric="genres", at_least=2), Threshold(metric="reviews", at_least=1)
ODD = Catalog(
    (
        badge("both", All(criteria=(GENRES, REVIEWS))),
        badge("either", Any_(criteria=(Threshold(metric="genres", at_least=9), REVIEWS))),
        badge("without", All(criteria=(REVIEWS, Not(criterion=GENRES)))),
        badge("long", Any_(criteria=(Tenure(years=3), Manual()))),
        badge("hushed", GENRES, secret=True),
        badge("by-hand", Manual()),
        badge("old", GENRES, retired=True),
    )
)


async def test_compound_rules_part_by_part(connection: Connection) -> None:
    await processed(
        connection,
        [
            added("page", (1, {"id": 1, "genres": ["A", "B"]}), (2, {"id": 2})),
            event("review.approved", "r", {"review_id": "x"}, user="ben", time=minutes(5)),
        ],
    )
    both = await asked(connection, "both", catalog=ODD)
    assert both is not None
    assert (both["met_today"], both["criterion"]["value"], both["criterion"]["target"]) == (False, 1, 2)
    assert [one["truth"] for one in both["criterion"]["children"]] == [True, False]
    assert both["remaining"] == "Write 1 more review"
    assert both["gaps"] == [{"field": "genres", "missing": 1, "releases": 2, "words": "1 of 2 releases has no genre"}]
    assert [(one["type"], one["told_by"]) for one in both["triggers"]] == [
        ("ownership.added", "sets"), ("review.approved", None),
    ]  # fmt: skip
    either = await asked(connection, "either", catalog=ODD, user="ben")
    assert either is not None
    # Met, and not awarded: its event had come before the badge.
    assert (either["met_today"], either["earned"]) == (True, False)
    assert either["remaining"] == "Reached, the award is still to come"
    assert either["since"] == "no subscribed event since 2026-03-01T12:05:00Z"
    without = await asked(connection, "without", catalog=ODD)
    assert without is not None
    assert without["remaining"] == "Write 1 more review and Only without genres >= 2"
    long = await asked(connection, "long", catalog=ODD)
    assert long is not None
    assert (long["met_today"], long["criterion"]["children"][1]["reason"]) == (None, "given by hand only")
    old = await asked(connection, "old", catalog=ODD)
    assert old is not None
    assert old["remaining"] == "No longer given"


async def test_what_is_secret_stays_so_until_it_is_earned(connection: Connection) -> None:
    await processed(connection, [added("page", (1, {"id": 1, "genres": ["A", "B"]}))])
    assert await asked(connection, "hushed", catalog=ODD) is None
    assert await asked(connection, "nothing", catalog=ODD) is None
    assert (await asked(connection, "hushed", catalog=ODD, secrets_too=True) or {})["met_today"] is True
    await connection.execute("update user_badges set badge_key = 'hushed' where badge_key = 'owner-i'")
    assert (await asked(connection, "hushed", catalog=ODD) or {})["earned"] is True
    await connection.execute("update user_badges set revoked_at = now()")
    assert await asked(connection, "hushed", catalog=ODD) is None


async def test_what_is_hidden_is_as_if_not_earned_but_for_operators(connection: Connection) -> None:
    await processed(connection, [added("page", (1, {"id": 1, "master_id": 7}))])
    await connection.execute(
        "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
        " batch_id, evidence) select user_id, 'master-collector-bronze', 'master:7', gen_random_uuid(), awarded_at,"
        " 'manual', 'manual', 'null', batch_id, '{\"reason\": \"between us\"}' from user_badges"
        " where badge_key = 'owner-i'"
    )
    await connection.execute("update user_badges set hidden = true")
    for key, catalog in (("owner-i", CATALOG), ("master-collector-bronze", CATALOG), ("owner-i", ODD)):
        told = await asked(connection, key, catalog=catalog)
        assert (told is None) == (catalog is ODD), "of a badge that the catalog lost there is nothing else"
        assert told is None or (told["earned"], told["award"], told["context"]) == (False, None, "")
        seen = await asked(connection, key, catalog=catalog, secrets_too=True) or {}
        assert (seen["earned"], seen["award"] is None) == (True, False)


async def test_a_badge_that_the_catalog_lost(connection: Connection) -> None:
    await processed(connection, [added("page", (1, {"id": 1}))])
    found = await asked(connection, "owner-i", catalog=ODD)
    assert found is not None
    assert (found["earned"], found["criterion"], found["award"]["rule"]["now"]) == (True, None, None)
    assert found["award"]["evidence"]["value"] == 1


async def test_when_events_were_heard(connection: Connection) -> None:
    await processed(
        connection,
        [
            event("wishlist.added", "w", {"release_ids": [1, 2]}, time=minutes(1)),
            event("wishlist.removed", "x", {"release_ids": [2]}, time=minutes(2)),
            event("user.joined", "j", {"joined_at": "2020-01-01"}, time=minutes(3)),
            event("cron.anniversary", "c", {"on": "2026-01-01"}, time=minutes(4)),
        ],
    )
    heard = await store.heard(connection, "ada")
    assert heard.by_sets == {
        "wishlist.added": minutes(1), "wishlist.removed": minutes(2), "user.joined": minutes(3),
    }  # fmt: skip
    assert heard.by_awards == {"wishlist.added": minutes(1), "cron.anniversary": minutes(4)}
    # What leaves no trace but awards is known by these.
    found = await asked(connection, "anniversary-v")
    assert found is not None
    assert found["triggers"] == [
        {"type": "cron.anniversary", "last_event_at": "2026-03-01T12:04:00Z", "told_by": "awards"}
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_gaps_are_those_of_a_plain_recount(connection: Connection, seed: int) -> None:
    await processed(connection, history(seed, 120))
    for user in pools.USERS:
        holdings = (await ownership.holdings_of(connection, user)).values()
        facts = [(one.facts() or NOTHING) for one in holdings if one.copies]
        assert await store.gaps(connection, user) == {
            "releases": len(facts),
            "country": sum(one.country is None for one in facts),
            "year": sum(one.pressing_year() is None for one in facts),
            "formats": sum(one.formats is None for one in facts),
            "genres": sum(one.genres is None for one in facts),
            "styles": sum(one.styles is None for one in facts),
            "labels": sum(one.labels is None for one in facts),
            "label_ids": sum(all(id_ is None for id_, _ in one.labels or ()) for one in facts),
            "artist_ids": sum(all(id_ is None for id_, _ in one.artists or ()) for one in facts),
            "master_id": sum(one.master_id is None for one in facts),
            "have": sum(one.have is None for one in facts),
        }


async def test_every_badge_says_why(connection: Connection) -> None:
    await processed(connection, history(2, 120))
    dice = random.Random(1)
    for key, one in CATALOG.badges.items():
        found = await asked(connection, key, user=dice.choice(pools.USERS), secrets_too=True)
        assert found is not None
        assert found["id"] == key
        assert found["remaining"]
        assert bool(found["context"]) <= bool(one.context_kind)
        assert found["met_today"] or found["criterion"]["remaining"]


async def test_gaps_that_take_too_long_are_left_open(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    await processed(connection, [added("page", *page(range(1, 400)))])
    monkeypatch.setattr(store, "GAPS_SECONDS", 0.000_001)
    found = await asked(connection, "world-collector-bronze")
    assert found is not None
    assert found["gaps"] is None
    # The rest of the answer is asked after it, on the same connection.
    assert found["since"] == "no subscribed event since 2026-03-01T12:00:00Z"
