"""The page about a badge: earned, not earned, of a label, secret, unknown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.index import Catalog, load_catalog
from services.api.routes import Parts
from services.api.view import View
from services.stores.postgres import Connection
from tests.integration.awards import award
from tests.integration.missing import shelves as missing
from tests.integration.pages.conftest import See
from tests.integration.pages.shelves import NOON

LABEL = {"metric": "label_coverage", "target": 25, "label_id": 23528, "owned": 90, "total": 243, "percentage": 37.0}


def text(document: str) -> str:
    """What stands in the document, tags left out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", document))


@pytest.fixture
async def label(db: Connection) -> Connection:
    """Ada has 90 of 243 releases of a label, and bronze for it and for 30 others."""
    await db.execute("truncate label, artist, master, release, release_label, catalogue_total")
    await missing.warp(db, "ada")
    await missing.collector(db, "ada", releases=90, genres=3)
    said: dict[str, Any] = LABEL | {"value": 37, "as_of": "2026-11-01"}
    await award(db, "ada", "label-loyalist-bronze", "label:23528", NOON, evidence=said | {"label": "Warp Records"})
    for at in range(1, 31):
        told = said | {"label_id": at, "label": f"Label No. {at} <b>"}
        at_time = NOON - timedelta(days=at)
        await award(db, "ada", "label-loyalist-bronze", f"label:{at}", at_time, evidence=told)
    await award(db, "ada", "label-loyalist-silver", "label:7", NOON, evidence=said | {"label_id": 7})
    return db


async def test_earned_for_a_label(label: Connection, see: See) -> None:
    page = await see("/me/badges/label-loyalist-bronze?context=label:23528")
    said = text(page)
    assert "Label Loyalist Warp Records" in said
    assert "You had 90 of the 243 releases by Warp Records: 37 %, and 25 % were needed." in said
    assert "Today: 90 of 243, 37 %." in said
    assert "Earned on 1 March 2026" in said
    assert "Bronze 25 % earned 1 March 2026" in said
    assert "Silver 50 % still ahead" in said  # for this label
    assert "Label No. 1 &lt;b&gt;" in said
    assert "Label No. 1 <b>" not in page
    assert said.count("Label No.") == 23
    further = re.search(r'href="([^"]*cursor=[^"]*)"', page)
    assert further is not None
    rest = await see(further[1].replace("&amp;", "&"))
    assert text(rest).count("Label No.") == 7
    assert "Label Loyalist Warp Records" in text(rest)
    # Without a context it is about the first of the list; of another one the other ladder is told.
    assert "Label Loyalist Warp Records" in text(await see("/me/badges/label-loyalist-bronze"))
    assert "Silver 50 % earned 1 March 2026" in text(await see("/me/badges/label-loyalist-bronze?context=label:7"))


async def test_not_earned_for_a_label(label: Connection, see: See) -> None:
    page = await see("/me/badges/label-loyalist-silver?context=label:23528")
    said = text(page)
    assert "Not yet earned" in said
    assert "Add 32 more Warp Records releases" in said
    assert '<progress value="37" max="50"' in page
    assert "37 % of 50 %" in said
    assert "Dextrous 1989" in said
    german = text(await see("/me/badges/label-loyalist-silver?context=label:23528", language="de"))
    assert "Noch 32 Platten von Warp Records" in german
    assert "37 % von 50 %" in german


async def test_not_earned(label: Connection, see: See) -> None:
    said = text(await see("/me/badges/genre-tourist-bronze"))
    assert "Add 2 more genres" in said
    assert "3 of 5" in said
    assert "Blues" in said
    assert "Gold 20 out of reach" in said
    assert "See all that is missing" in said
    far = await see("/me/badges/genre-tourist-gold")
    assert "there are only 15" in far
    assert "<progress" not in far
    assert "Not known yet" in text(await see("/me/badges/anniversary-i"))


async def test_for_whom_nothing_is_known(db: Connection, see: See) -> None:
    for key in load_catalog().badges:
        for language in ("en", "de"):
            await see(f"/me/badges/{key}", who="nobody", language=language)


async def test_what_was_taken_back_or_is_no_longer_given(label: Connection, see: See) -> None:
    await award(label, "ada", "deep-cut", at=NOON, revoked_at=NOON)
    await award(label, "ada", "of-old", "label:5", NOON, evidence={"metric": "forgotten", "value": 3})
    await award(label, "ada", "owner-i", at=NOON, source="manual")
    await award(label, "ada", "mono-enthusiast", at=NOON, hidden=True)
    assert "it is only given again by hand" in text(await see("/me/badges/deep-cut"))
    assert "Earned on 1 March 2026" in text(await see("/me/badges/of-old"))
    assert "Given to you by hand." in text(await see("/me/badges/owner-i"))
    assert "How you earned it" not in await see("/me/badges/of-old")
    hidden = text(await see("/me/badges/mono-enthusiast"))
    assert "Not yet earned" in hidden
    assert "Earned" not in hidden


async def test_how_many_hold_it(label: Connection, see: See) -> None:
    await label.execute(
        "insert into badge_holders (badge_key, holders, as_of) values ('', 500, now()), ($1, 412, now())",
        "label-loyalist-bronze",
    )
    assert "Held by 412 collectors" in text(await see("/me/badges/label-loyalist-bronze"))
    await label.execute(
        "update award set rank = 17 where badge_key = 'label-loyalist-bronze' and context = 'label:23528'"
    )
    assert "17th of 412 to earn it" in text(await see("/me/badges/label-loyalist-bronze"))
    assert "als 17. von 412 verdient" in text(await see("/me/badges/label-loyalist-bronze", language="de"))
    await label.execute("update badge_holders set holders = 1 where badge_key <> ''")
    assert "nobody else has it so far" in text(await see("/me/badges/label-loyalist-bronze"))


async def test_a_dialog_is_a_part_of_the_page(label: Connection, see: See) -> None:
    part = await see("/me/badges/genre-tourist-bronze", **{"HX-Request": "true"})
    assert part.lstrip().startswith("<dialog")
    assert "<html" not in part
    assert "style=" not in part


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("x%20y", 404),
        ("%00", 404),
        ("a" * 200, 404),
        ("genre-tourist-bronze?context=label:1", 422),
        ("label-loyalist-gold?context=artist:1", 422),
        ("label-loyalist-gold?context=label:%00", 404),
        (f"label-loyalist-gold?context={'9' * 65}", 422),
        ("label-loyalist-gold?cursor=x", 422),
    ],
)
async def test_what_is_not_there(db: Connection, see: See, path: str, status: int) -> None:
    assert "<h1>" in await see(f"/me/badges/{path}", status=status)


async def test_a_secret_is_kept(db: Connection, see: See, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: Parts = client._transport.app.state.parts
    badges = [badge.model_copy(update={"secret": badge.key == "deep-cut"}) for badge in load_catalog().badges.values()]
    monkeypatch.setattr(client._transport.app.state, "parts", _with(parts, Catalog(badges)))
    await see("/me/badges/deep-cut", status=404)
    await award(db, "ada", "deep-cut", at=NOON)
    assert "Earned on" in text(await see("/me/badges/deep-cut"))


def _with(parts: Parts, catalog: Catalog) -> Parts:
    return replace(parts, view=View(catalog))
