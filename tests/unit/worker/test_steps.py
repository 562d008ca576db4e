"""Which item of an event crossed a line, and ids that never change."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.state.collector import Collector
from services.worker.earned import award_id, uuid_in
from services.worker.steps import Steps


def steps(*values: int) -> Steps:
    """An event whose items moved `releases` through these values, the first being the one before it."""
    found = Steps(lambda item: {"release_id": item})
    collector = Collector("u")
    for at, value in enumerate(values):
        collector.counters["releases"] = value
        found.mark(collector)
        if at:
            found.items.append(at)
    return found


@pytest.mark.parametrize(
    ("values", "target", "item"),
    [
        ((0, 1), 1, 1),
        ((0, 1, 2, 3), 2, 2),
        ((0, 5, 6), 3, 1),
        ((4, 4, 5, 5), 5, 2),
        # Over the line, back, and over again: the item that has decided is the last one.
        ((4, 5, 4, 5), 5, 3),
        # Over the line and back: it was crossed, whatever came after.
        ((4, 5, 4), 5, 1),
        ((5, 6), 5, None),
        ((3, 4), 5, None),
        ((3,), 3, None),
    ],
)
def test_the_item_that_crossed(values: tuple[int, ...], target: int, item: int | None) -> None:
    found = steps(*values).crossing(lambda at: at["releases"], target)
    assert found == (None if item is None else {"release_id": item})


def test_steps_are_copies() -> None:
    collector = Collector("u")
    found = Steps(lambda item: item)
    found.mark(collector)
    collector.counters["releases"] = 7
    collector.moved.append(((b"m", 1), 0, 1))
    found.mark(collector)
    assert [at["releases"] for at in found.counters] == [0, 7]
    assert found.moved == [0, 1]


DELETED = datetime(2024, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "id_"),
    [
        (("ann", "owner-i", "", None), "949bca5e-0f83-5971-8aa3-3bdf5ed617f3"),
        (("ann", "owner-i", "", DELETED), "89c014ab-893f-516e-8a8f-6dd041e1690a"),
        (("ann", "owner-ii", "", None), "947c9f6f-09fd-54c4-b92c-2d1ce48815da"),
        (("ann", "master-collector-bronze", "master:1", None), "386e047c-637a-50c7-b22a-98f35f547bfa"),
        (("bob", "owner-i", "", None), "c3420d36-fcf9-5e6c-a683-44b53477424d"),
    ],
)
def test_award_ids_never_change(arguments: tuple[Any, ...], id_: str | None) -> None:
    assert award_id(*arguments) == id_


@given(st.uuids(), st.text(st.characters(codec="utf-8")))
def test_names_become_uuids_of_version_5(space: UUID, name: str) -> None:
    assert uuid_in(space, name) == str(uuid5(space, name))
