"""Answers are kept while there is room, and the longest unused go first."""

from services.api.answers import Answer
from services.api.kept import Kept

BODY = b"x" * 1900  # counts as some 3,000 bytes


def test_the_longest_unused_go_first() -> None:
    kept = Kept(9_000)
    for key in "abc":
        kept.keep(key, key.upper(), Answer(BODY, key))
    assert kept.find("a") == ("A", Answer(BODY, "a"))
    kept.keep("d", "D", Answer(BODY, "d"))
    assert [key for key in "abcd" if kept.find(key)] == ["a", "c", "d"]


def test_the_same_place_is_taken_once() -> None:
    kept = Kept(9_000)
    for made_from in range(10):
        kept.keep("a", made_from, Answer(BODY, str(made_from)))
    kept.keep("b", 0, Answer(BODY, "b"))
    kept.keep("c", 0, Answer(BODY, "c"))
    assert kept.find("a") == (9, Answer(BODY, "9"))
    assert kept.find("b")
    assert kept.find("c")


def test_nothing_is_kept_without_room() -> None:
    kept = Kept(0)
    kept.keep("a", 1, Answer(b"", "a"))
    assert kept.find("a") is None


def test_an_answer_larger_than_all_the_room_drives_no_other_out() -> None:
    kept = Kept(5_000)
    kept.keep("small", 1, Answer(BODY, "small"))
    kept.keep("large", 1, Answer(3 * BODY, "large"))
    assert (kept.find("large"), kept.find("small")) == (None, (1, Answer(BODY, "small")))


def test_what_an_answer_was_made_from_takes_room_too() -> None:
    kept = Kept(9_000)
    kept.keep("row", ("2026-11-20", ["x" * 6_000, 7, None]), Answer(b"", "row"))
    kept.keep("a", "A", Answer(BODY, "a"))
    assert (kept.find("row"), kept.find("a")) == (None, ("A", Answer(BODY, "a")))
