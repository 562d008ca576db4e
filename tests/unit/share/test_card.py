"""Cards: every badge and any text on them, within the picture; pictures drawn once, in a process."""

import asyncio
import os
import signal
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.definition import BadgeDefinition
from catalog.index import load_catalog
from services.pool import Died
from services.share import fonts
from services.share.card import HEIGHT, WIDTH, Earned, badge_card, profile_card
from services.share.names import clean
from services.share.picture import Pictures, draw

SVG = "{http://www.w3.org/2000/svg}"
BADGES, FAMILIES = load_catalog().badges, load_catalog().families
LONG = "Wolfeschlegelsteinhausenbergerdorff & Sons " * 5


def earned(badge: BadgeDefinition, of: str = "", proof: str = "20 genres") -> Earned:
    return Earned(badge, (badge.tier or "one of a kind").capitalize(), "Breadth", badge.name, of, proof, "21 May 2024")


def texts(svg: str) -> Iterator[tuple[float, float, float, str]]:
    """Where each text begins and ends, at which height, and what it says."""
    for node in ET.fromstring(svg).iter(f"{SVG}text"):
        x, y, size = (float(node.get(name, "nan")) for name in ("x", "y", "font-size"))
        said = node.text or ""
        yield x, x + fonts.width(said, bold=node.get("font-weight") == "700") * size, y, said


@pytest.mark.parametrize("badge", [tiers[-1] for tiers in FAMILIES.values()], ids=lambda badge: badge.key)
def test_every_badge_fits_whatever_it_was_earned_for(badge: BadgeDefinition) -> None:
    for of, by in (("", ""), ("Warp Records", "Ann"), (LONG, LONG), ("山口百恵 " * 20, "שלום " * 40)):
        found = list(texts(badge_card(earned(badge, of, LONG if of == LONG else "20 genres"), by)))
        assert all(left >= 0 and right <= WIDTH - 60 and 0 < y < HEIGHT - 40 for left, right, y, _ in found)
        heights = sorted({y for left, _, y, _ in found if left >= 560})
        assert all(lower - upper > 24 for upper, lower in pairwise(heights))
        assert "".join(said for _, _, _, said in found).startswith("Gatefold")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_a_profile_has_room_for_the_best(count: int) -> None:
    badges = [earned(badge, LONG) for badge in BADGES.values()][:count]
    svg = profile_card(badges, LONG, "1,234 badges in 22 families")
    assert all(left >= 0 and right <= WIDTH - 60 for left, right, _, _ in texts(svg))
    assert svg.count("<svg ") == 1 + min(count, 4)
    assert svg.count("stroke-dasharray") == max(0, 4 - count)


@given(name=st.text(max_size=200), of=st.text(max_size=60))
@settings(max_examples=50)
def test_any_text_is_well_formed_and_inside(name: str, of: str) -> None:
    name, of = clean(name), clean(of)
    badge = BADGES["label-loyalist-gold"]
    for svg in (badge_card(earned(badge, of), name), profile_card([earned(badge, of)], name, of)):
        assert {node.tag.removeprefix(SVG) for node in ET.fromstring(svg).iter()} <= {
            *("svg", "title", "rect", "circle", "g", "path", "text", "linearGradient", "stop")
        }
        assert all(right <= WIDTH for _, right, _, _ in texts(svg))


def test_what_is_drawn_is_drawn_with_our_fonts_alone() -> None:
    """With none at hand a text leaves no trace: nothing of the machine's is used."""
    svg = badge_card(earned(BADGES["deep-cut"]), "Ann")
    without = "".join(svg.partition("<text")[0:1]) + "</svg>"
    assert draw(svg, []) == draw(without, [])
    assert draw(svg, fonts.files()) != draw(without, fonts.files())


@pytest_asyncio.fixture(loop_scope="session")
async def pictures() -> Iterator[Pictures]:
    found = Pictures(cache_bytes=1)
    yield found
    found.close()


async def test_pictures_are_kept_within_bounds(pictures: Pictures) -> None:
    first, second = (badge_card(earned(BADGES[key]), "") for key in ("deep-cut", "owner-i"))
    png = await pictures.png(first)
    assert struct.unpack(">II", png[16:24]) == (WIDTH, HEIGHT)
    assert await pictures.png(first) == png
    assert pictures.drawn == 1
    await pictures.png(second)
    assert await pictures.png(first) == png
    assert pictures.drawn == 3


async def test_cards_are_drawn_beside_the_loop_and_not_in_its_process(pictures: Pictures) -> None:
    await pictures.png(badge_card(earned(BADGES["deep-cut"]), ""))
    executor = pictures._pool._executor
    assert executor is not None
    assert os.getpid() not in executor._processes
    (pid,) = executor._processes
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Died):
        await asyncio.gather(*(pictures.png(badge_card(earned(BADGES["owner-i"]), str(by))) for by in range(20)))
    assert await pictures.png(badge_card(earned(BADGES["owner-i"]), "again"))


async def test_what_cannot_be_drawn_harms_nothing_else(pictures: Pictures) -> None:
    svg = badge_card(earned(BADGES["deep-cut"]), "")
    with pytest.raises(ValueError, match="root node"):
        await pictures.png("<svg")
    assert await pictures.png(svg)
