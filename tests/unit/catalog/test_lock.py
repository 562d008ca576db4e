"""No rule changes without a line in catalog.lock that says so."""

import pytest

from catalog.definition import Threshold
from catalog.index import every_badge, load_catalog
from catalog.lock import RENEW, digest, irrevocable, lock_faults, parse, read_lock, render


def test_the_committed_lock_fits_the_catalog() -> None:
    found = lock_faults(every_badge(), read_lock())
    assert not found, "\n".join(found)


def test_the_lock_is_sorted_one_line_per_badge() -> None:
    lines = render(reversed(every_badge())).splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[0])
    assert parse("\n".join(lines)) == read_lock()


def test_a_changed_rule_names_the_badge_and_the_command() -> None:
    gold = load_catalog().badges["genre-tourist-gold"]
    easier = gold.model_copy(update={"criterion": Threshold(metric="genres", at_least=15)})
    (fault,) = lock_faults([easier], {gold.key: digest(gold)})
    assert fault.startswith("genre-tourist-gold: its rule differs")
    assert RENEW in fault


def test_a_new_and_a_deleted_badge_are_named() -> None:
    gold, deep = (load_catalog().badges[key] for key in ("genre-tourist-gold", "deep-cut"))
    assert [fault.split(":")[0] for fault in lock_faults([gold], {deep.key: digest(deep)})] == [deep.key, gold.key]


@pytest.mark.parametrize(
    "change",
    [
        {"triggers": ("cron.anniversary",)},
        {"context_kind": "master"},
        {"criterion": Threshold(metric="genres", at_least=9)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_the_rule_is_in_the_digest(change: dict[str, object]) -> None:
    badge = load_catalog().badges["genre-tourist-silver"]
    assert digest(badge.model_copy(update=change)) != digest(badge)


def test_words_and_looks_are_not_in_the_digest() -> None:
    badge = load_catalog().badges["genre-tourist-silver"]
    other = badge.model_copy(
        update={"name": "X", "description": "Y", "icon": "special", "sort_score": 1, "retired": True}
    )
    assert digest(other) == digest(badge)


def test_a_shadow_is_the_same_badge_by_the_same_rule() -> None:
    """Into the lock as a shadow, out of it with a line that says so; back only where nobody has seen it."""
    shown = load_catalog().badges["deep-cut"]
    shadow = shown.model_copy(update={"shadow": True})
    assert digest(shadow) == digest(shown)
    assert render([shadow]) == render([shown]).replace("\n", " shadow\n")
    locked = parse(render([shadow]))
    assert lock_faults([shadow], locked) == lock_faults([shown], parse(render([shown]))) == []
    (fault,) = lock_faults([shown], locked)
    assert RENEW in fault
    assert fault.endswith("`gatefold catalog promote deep-cut`")
    assert irrevocable([shown], locked) == irrevocable([shadow], locked) == irrevocable([shadow], {}) == []
    (fault,) = lock_faults([shadow], parse(render([shown])))
    assert irrevocable([shadow], parse(render([shown]))) == [fault]
    assert fault == "deep-cut: in catalog.lock without the shadow; a badge that was shown is retired"
    harder = shadow.model_copy(update={"criterion": Threshold(metric="deep_cuts", at_least=2)})
    assert [fault.split(";")[0] for fault in lock_faults([harder], locked)] == [
        "deep-cut: its rule differs from catalog.lock"
    ]


@pytest.mark.parametrize("text", ["genre-tourist-gold\n", "a 1\na 2\n", "\n"])
def test_a_damaged_lock_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"catalog\.lock, line [12]: expected one `key digest`"):
        parse(text)
