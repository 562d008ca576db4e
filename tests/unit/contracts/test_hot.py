"""The hot decoder accepts what the pydantic model accepts, and nothing else."""

import copy
import json
import random
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from contracts import hot
from contracts.generate import EXAMPLES, load
from contracts.topics import TOPICS

DATA = {topic: example["data"] for topic, example in load(EXAMPLES).items()}

# What to put in the place of a value: every type, every bound of the contract and its neighbour, every shape of time.
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 5, 6, 500, 2**63 - 1, 2**63, 2**64, -(2**63), 2**70, 10**300, 0.0, 1.0, 1.5, -0.0,
    1e300,
    "", "1", "x" * 128, "x" * 129, "x" * 4000, "x" * 4001, "é" * 4000, "\U0001f4bf" * 4001, "a\x00b", "\x00", "a\nb",
    "2026-11-01", "2026-02-29", "2024-02-29", "2026-11-01 10:00:00", "2026-11-01T10:00:00Z",
    "2026-11-01T10:00:00.123456789+05:30",
    "2026-11-01T10:00:00", "2026-11-01T24:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "20261101",
    "2026-W01-1", "2026-11-01t10:00:00z", "2026-11-01\n", "user\n", "auto", "breadth", "decode",
    [], [None], ["x"], [1], [[]], [{}], ["x"] * 501, [1] * 500, [1] * 501, ["x"] * 5000,
    {}, {"id": 1}, {"id": 1, "name": "x"}, {"name": ""}, {"instance_id": 7}, {"instance_id": 7, "release": {"id": 7}},
    {"": {}},
]  # fmt: skip


def agree(topic: str, document: bytes) -> bool:
    """Whether both take the document; fails when they differ."""
    model = TOPICS[topic].model
    try:
        slow: Any = model.model_validate_json(document, strict=True)
    except ValidationError:
        with pytest.raises(hot.Mismatch):
            hot.decoder(model).decode(document)
        return False
    fast = hot.decoder(model).decode(document)
    assert_same(slow, fast)
    return True


def assert_same(slow: Any, fast: Any) -> None:
    if isinstance(slow, BaseModel):
        for name in type(slow).model_fields:
            assert_same(getattr(slow, name), getattr(fast, name))
    elif isinstance(slow, list):
        assert len(slow) == len(fast)
        for one, other in zip(slow, fast, strict=True):
            assert_same(one, other)
    else:
        assert (slow, type(slow)) == (fast, type(fast))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a document, the document's own included."""
    found = [path]
    if isinstance(value, dict):
        for name in value:
            found += places(value[name], (*path, name))
    elif isinstance(value, list):
        for position, element in enumerate(value):
            found += places(element, (*path, position))
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


@pytest.mark.parametrize("topic", TOPICS)
def test_every_value_in_every_place(topic: str) -> None:
    taken = 0
    every = places(DATA[topic])
    for path in every:
        for value in [*VALUES, ...]:
            if path or value is not ...:
                taken += agree(topic, json.dumps(replaced(DATA[topic], path, value)).encode())
    assert 0 < taken < len(every) * len(VALUES)


@pytest.mark.parametrize("topic", TOPICS)
def test_fields_nobody_knows(topic: str) -> None:
    for path in places(DATA[topic]):
        place = DATA[topic]
        for step in path:
            place = place[step]
        if isinstance(place, dict):
            for value in (None, "\x00", [[{"a": 1.5}]], {"": None}):
                took = agree(topic, json.dumps(replaced(DATA[topic], (*path, "nobody_knows"), value)).encode())
                assert took is (TOPICS[topic].direction == "in" or (path[:1] == ("evidence",) and value != "\x00"))


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), topic=st.sampled_from(sorted(TOPICS)), count=st.integers(1, 4))
def test_several_mutations_at_once(seed: int, topic: str, count: int) -> None:
    chance = random.Random(seed)
    document = DATA[topic]
    for _ in range(count):
        path = chance.choice(places(document))
        value = chance.choice([*VALUES, ...] if path else VALUES)
        document = replaced(document, path, value)
    agree(topic, json.dumps(document, ensure_ascii=chance.random() < 0.5).encode())


@pytest.mark.parametrize(
    "addition", [rb'"x": "\ud800"', b'"x": ' + b"9" * 5000, b'"x": 1e400', b'"review_id": "a", "review_id": "5501"']
)
def test_what_is_ignored_by_both_or_only_here(addition: bytes) -> None:
    assert (
        hot.decoder(TOPICS["review.approved"].model).decode(b'{"review_id": "5501", ' + addition + b"}").review_id
        == "5501"
    )


def test_a_constraint_that_cannot_be_compiled_is_refused_at_compile_time() -> None:
    class Patterned(BaseModel):
        text: Annotated[str, Field(pattern="a$")]

    class CheckedElements(BaseModel):
        texts: list[Annotated[str, AfterValidator(str.strip)]]

    class CheckedUnion(BaseModel):
        either: Annotated[str, AfterValidator(str.strip)] | int

    class Sets(BaseModel):
        numbers: set[int]

    for model in (Patterned, CheckedElements, CheckedUnion, Sets):
        with pytest.raises(TypeError, match=model.__name__):
            hot.struct(model)


def test_bounds_of_every_kind_are_compiled() -> None:
    class Bounded(BaseModel):
        low: Annotated[int, Field(gt=1)]
        high: Annotated[int, Field(lt=1)]
        size: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=2)]

    decode = hot.decoder(Bounded).decode
    assert decode(b'{"low": 2, "high": 0, "size": ["a"]}').size == ["a"]
    for document in (
        b'{"low":1,"high":0,"size":[]}',
        b'{"low":2,"high":1,"size":[]}',
        b'{"low":2,"high":0,"size":[""]}',
    ):
        with pytest.raises(hot.Mismatch):
            decode(document)
