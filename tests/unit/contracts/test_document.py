"""Depth counted on bytes equals depth counted on the parsed document."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.document import fault, is_deep

TEXTS = ["", "[", "]", "{", "}", '"', "\\", '\\"', '"[', "\\\\", "]]]]", "a", "\n", '"]"', "é", "\\u005b"]


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(element) for element in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def build(chance: random.Random, levels: int) -> Any:
    """A document of exactly so many levels, with siblings and with brackets, quotes and backslashes in text."""
    if levels == 0:
        return chance.choice(TEXTS)
    inner = build(chance, levels - 1)
    siblings = [build(chance, chance.randint(0, min(levels - 1, 3))) for _ in range(chance.randint(0, 2))]
    elements = [*siblings, inner]
    chance.shuffle(elements)
    if chance.random() < 0.5:
        return elements
    return {chance.choice(TEXTS) + str(position): element for position, element in enumerate(elements)}


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 2**32), levels=st.integers(1, 60), ascii_only=st.booleans())
def test_equals_the_depth_of_the_parsed_document(seed: int, levels: int, ascii_only: bool) -> None:
    value = build(random.Random(seed), levels)
    assert depth(value) == levels
    assert is_deep(json.dumps(value, ensure_ascii=ascii_only).encode()) is (levels > 32)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", None),
        (b"[" * 32, None),
        (b"[" * 33, "nesting beyond 32"),
        (b"]" * 1000, None),
        (b'"' + b"[" * 1000 + b'"', None),
        (b'"\\"' + b"[" * 1000 + b'"', None),
        (b'"\\\\"' + b"[" * 1000 + b'"', "nesting beyond 32"),
        (b"[[]," * 500_000, "nesting beyond 32"),
        (b"\\" * 999_999 + b"[" * 40, "nesting beyond 32"),
        (("é" * 3).encode() + b"\xc3", "not UTF-8 (byte 6)"),
    ],
    ids=range(10),
)
def test_what_is_no_json_is_still_bounded(document: bytes, expected: str | None) -> None:
    assert fault(document) == expected
