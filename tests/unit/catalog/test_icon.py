"""Each category has its own motif, each family its own glyph, each tier its own metal, and all of them can be seen."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from catalog.definition import CATEGORIES, BadgeDefinition
from catalog.drawings import DEFAULTS, GLYPHS, MOTIFS
from catalog.icon import COLOURS, GREY, badge_svg, digest, has_icon, icon_svg
from catalog.index import load_catalog

SVG = "{http://www.w3.org/2000/svg}"
BADGES = load_catalog().badges
# Any page lighter than the first or darker than the last of these two is easier.
LIGHT_PAGE, DARK_PAGE = "#f6f1e7", "#242424"
COLOUR = re.compile(r"#[0-9a-f]{6}([0-9a-f]{2})?")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def over(colour: str, page: str) -> str:
    """What a colour with an alpha looks like on a page."""
    alpha = int(colour[7:] or "ff", 16) / 255
    mixed = (round(int(colour[at : at + 2], 16) * alpha + int(page[at : at + 2], 16) * (1 - alpha)) for at in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


@pytest.mark.parametrize("metal", COLOURS.values(), ids=str)
@pytest.mark.parametrize("page", ["#ffffff", LIGHT_PAGE, DARK_PAGE, "#000000"])
def test_what_is_earned_stands_out(metal: tuple[str, str, str, str], page: str) -> None:
    body, light, sheen, deep = metal
    assert contrast(body, page) >= 3
    assert contrast(light, body) >= 3
    assert min(contrast(deep, light), contrast(deep, sheen)) >= 4.5


@pytest.mark.parametrize("page", ["#ffffff", LIGHT_PAGE, DARK_PAGE, "#000000"])
def test_what_is_locked_stands_out(page: str) -> None:
    grey = ET.fromstring(badge_svg(BADGES["deep-cut"], locked=True))
    fills = {fill for node in grey.iter() if (fill := node.get("fill", "")).startswith("#")}
    assert fills
    for under in (page, *(over(fill, page) for fill in fills if len(fill) == 9)):
        assert contrast(GREY, under) >= 3


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("badge", BADGES.values(), ids=lambda badge: badge.key)
def test_every_badge_is_a_drawing_in_its_tiers_colours(badge: BadgeDefinition, locked: bool) -> None:
    root = ET.fromstring(badge_svg(badge, locked=locked))
    assert (root.tag, root.get("viewBox"), root.get("role")) == (f"{SVG}svg", "0 0 96 96", "img")
    assert root.findtext(f"{SVG}title") == badge.title
    values = [value for node in root.iter() for value in node.attrib.values()]
    allowed = {GREY, f"{GREY}24"} if locked else set(COLOURS[badge.tier])
    assert {value for value in values if COLOUR.fullmatch(value)} <= allowed
    # A page may forbid styles and scripts; nothing is looked up elsewhere but the sheen in the drawing itself.
    assert not any(
        name in {"style", "class", "href"} or name.startswith("on") for n in root.iter() for name in n.attrib
    )
    looked_up = {value for value in values if "url(" in value}
    assert looked_up <= {f"url(#{node.get('id')})" for node in root.iter() if node.get("id")}


def test_tiers_are_told_apart_without_colours() -> None:
    plain = {
        tier: COLOUR.sub("", badge_svg(BADGES[f"owner-{tier}"], locked=True)) for tier in ("i", "ii", "iii", "iv", "v")
    }
    assert [drawing.count('r="2.4"') for drawing in plain.values()] == [1, 2, 3, 4, 5]
    metals = [badge_svg(BADGES[f"genre-tourist-{tier}"]) for tier in ("bronze", "silver", "gold", "platinum")]
    assert all(lower.count('r="2.4"') + 1 == upper.count('r="2.4"') for lower, upper in pairwise(metals))


def test_glyphs_belong_to_a_family_and_no_two_are_alike() -> None:
    assert set(GLYPHS) <= set(load_catalog().families)
    assert len({*GLYPHS.values(), *DEFAULTS.values()}) == len(GLYPHS) + len(CATEGORIES)
    assert set(MOTIFS) == set(DEFAULTS) == set(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_new_family_gets_a_picture_for_free(category: str) -> None:
    new = BADGES["deep-cut"].model_copy(
        update={"key": "new", "family": "new", "name": 'New <&> "One"', "category": category}
    )
    svg = badge_svg(new)
    assert ET.fromstring(svg).findtext(f"{SVG}title") == 'New <&> "One"'
    assert svg.split("</title>")[1] == icon_svg(category).split("</title>")[1]


def test_a_picture_is_named_by_its_content() -> None:
    named = {digest(badge_svg(badge, locked=locked)) for badge in BADGES.values() for locked in (False, True)}
    assert len(named) == 2 * len(BADGES)
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in named)


@pytest.mark.parametrize("icon", ["", "gold", "breadth-lead", "breadth-", "../breadth", "breadth-gold-gold"])
def test_an_icon_that_does_not_exist_is_refused(icon: str) -> None:
    assert not has_icon(icon)
    with pytest.raises(ValueError, match="there is no icon"):
        icon_svg(icon)


@pytest.mark.parametrize("icon", sorted({badge.icon for badge in BADGES.values()}))
def test_every_icon_that_awards_name_is_drawn(icon: str) -> None:
    assert has_icon(icon)
    assert ET.fromstring(icon_svg(icon)).findtext(f"{SVG}title") == icon.replace("-", " ").capitalize()
