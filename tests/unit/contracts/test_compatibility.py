"""Every kind of break is caught, and growth is not called a break."""

from typing import Any

import pytest

from contracts.compatibility import breaks

TEXT = {"type": "string"}
NULL = {"type": "null"}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 9}


def made(field: Any, required: bool = False, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": field}, "required": ["a"] if required else [], **more}


def listed(items: Any, **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": items, **bounds}


REFERRED = {**made({"$ref": "#/$defs/Inner"}), "$defs": {"Inner": made(TEXT)}}
REFERRED_LESS = {**made({"$ref": "#/$defs/Inner"}), "$defs": {"Inner": {"type": "object"}}}

IN_BREAKS = [
    (made(TEXT), {"type": "object"}, "data.a: removed"),
    (made(TEXT), made(TEXT, required=True), "data.a: newly required"),
    (made(TEXT), made(NUMBER), "data.a: no longer takes string"),
    (made({"anyOf": [TEXT, NULL]}), made(TEXT), "data.a: no longer takes null"),
    (made({"type": "number"}), made({"type": "integer"}), "data.a: no longer takes number"),
    (made({}), made(TEXT), "data.a: no longer takes anything"),
    (made(NUMBER), made({**NUMBER, "minimum": 2}), "data.a: minimum raised to 2"),
    (made(NUMBER), made({**NUMBER, "maximum": 8}), "data.a: maximum lowered to 8"),
    (made(TEXT), made({**TEXT, "maxLength": 5}), "data.a: maxLength lowered to 5"),
    (made(TEXT), made({**TEXT, "minLength": 1}), "data.a: minLength raised to 1"),
    (made(TEXT), made({**TEXT, "pattern": "^a"}), "data.a: pattern is now ^a"),
    (made(TEXT), made({**TEXT, "format": "date"}), "data.a: format is now date"),
    (made(TEXT), made({**TEXT, "enum": ["x"]}), "data.a: now one of [\"'x'\"]"),
    (made({**TEXT, "enum": ["x", "y"]}), made({**TEXT, "const": "x"}), "data.a: no longer takes 'y'"),
    (made(listed(TEXT)), made(listed(TEXT, maxItems=5)), "data.a: maxItems lowered to 5"),
    (made(listed(TEXT)), made(listed(TEXT, minItems=1)), "data.a: minItems raised to 1"),
    (made(listed(made(TEXT))), made(listed(made(NUMBER))), "data.a[].a: no longer takes string"),
    (made(TEXT), made(TEXT, additionalProperties=False), "data: now forbids unknown fields"),
    (REFERRED, REFERRED_LESS, "data.a.a: removed"),
]

OUT_BREAKS = [
    (made(TEXT), {"type": "object"}, "data.a: removed"),
    (made(TEXT, required=True), made(TEXT), "data.a: no longer always there"),
    (made(TEXT), made({"anyOf": [TEXT, NULL]}), "data.a: may now be null"),
    (made({"type": "integer"}), made({"type": "number"}), "data.a: may now be number"),
    (made(listed(TEXT)), made(listed(NUMBER)), "data.a[]: may now be integer"),
    (REFERRED, REFERRED_LESS, "data.a.a: removed"),
]


@pytest.mark.parametrize(("before", "after", "fault"), IN_BREAKS, ids=[case[2] for case in IN_BREAKS])
def test_breaks_of_what_we_take(before: Any, after: Any, fault: str) -> None:
    assert breaks(before, after, "in") == [fault]


@pytest.mark.parametrize(("before", "after", "fault"), OUT_BREAKS, ids=[case[2] for case in OUT_BREAKS])
def test_breaks_of_what_we_publish(before: Any, after: Any, fault: str) -> None:
    assert breaks(before, after, "out") == [fault]


IN_GROWTH = [
    ({"type": "object"}, made(TEXT)),
    (made(TEXT, required=True), made(TEXT)),
    (made(TEXT), made({"anyOf": [TEXT, NULL]})),
    (made({"type": "integer"}), made({"type": "number"})),
    (made(TEXT), made({})),
    (made({**NUMBER, "minimum": 2}), made(NUMBER)),
    (made({**NUMBER, "maximum": 8}), made(NUMBER)),
    (made({**TEXT, "minLength": 1, "maxLength": 5, "pattern": "^a", "format": "date"}), made(TEXT)),
    (made({**TEXT, "const": "x"}), made({**TEXT, "enum": ["x", "y"]})),
    (made({**TEXT, "enum": ["x"]}), made(TEXT)),
    (made(listed(TEXT, minItems=1, maxItems=5)), made(listed(TEXT))),
    (made(TEXT, additionalProperties=False), made(TEXT)),
    (REFERRED_LESS, REFERRED),
]
OUT_GROWTH = [
    ({"type": "object"}, made(TEXT, required=True)),
    (made(TEXT), made(TEXT, required=True)),
    (made({"anyOf": [TEXT, NULL]}), made(TEXT)),
    (made({"type": "number"}), made({"type": "integer"})),
]


@pytest.mark.parametrize(("before", "after"), IN_GROWTH)
def test_what_we_take_may_grow(before: Any, after: Any) -> None:
    assert breaks(before, after, "in") == []


@pytest.mark.parametrize(("before", "after"), OUT_GROWTH)
def test_what_we_publish_may_grow(before: Any, after: Any) -> None:
    assert breaks(before, after, "out") == []
