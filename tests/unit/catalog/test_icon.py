"""Each category has its own drawing, each tier its own colours."""

import re
import xml.etree.ElementTree as ET
from importlib import resources

import pytest

from catalog.definition import CATEGORIES
from catalog.icon import COLOURS, has_icon, icon_svg
from catalog.index import load_catalog

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("icon", sorted({badge.icon for badge in load_catalog().badges.values()}))
def test_every_icon_of_the_catalog_is_a_drawing_in_its_tiers_colours(icon: str) -> None:
    root = ET.fromstring(icon_svg(icon))
    colours = COLOURS[icon.partition("-")[2] or None]
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 64 64"
    assert root.get("style") == f"color:{colours.body};--light:{colours.light};--deep:{colours.deep}"
    assert root.findtext(f"{SVG}title")


def test_a_drawing_per_category_and_no_orphans() -> None:
    files = {file.name for file in resources.files("catalog").joinpath("icons").iterdir()}
    assert files == {f"{category}.svg" for category in CATEGORIES}
    shapes = {re.sub(r'style="[^"]*"', "", icon_svg(category)) for category in CATEGORIES}
    assert len(shapes) == len(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_drawings_use_the_three_colours_and_no_others(category: str) -> None:
    root = ET.fromstring(icon_svg(category))
    used = {value for node in root.iter() for name in ("fill", "stroke") if (value := node.get(name))}
    assert {value.partition(",")[0] for value in used} == {"none", "currentColor", "var(--light", "var(--deep"}


@pytest.mark.parametrize("icon", ["", "gold", "breadth-lead", "breadth-", "../breadth", "breadth-gold-gold"])
def test_an_icon_that_does_not_exist_is_refused(icon: str) -> None:
    assert not has_icon(icon)
    with pytest.raises(ValueError, match="there is no icon"):
        icon_svg(icon)


def test_tiers_are_told_apart_by_colour() -> None:
    assert len({colours.body for colours in COLOURS.values()}) == len(COLOURS)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colours in COLOURS.values() for colour in colours)
