"""A criterion as a tree: every part with its numbers and its truth, and what is still to do."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.definition import All, Any_, BadgeDefinition, Coverage, Criterion, Manual, Not, Tenure, Threshold
from contracts.snapshot import FrozenSnapshot, Occasion
from evaluators.engine import evaluate
from evaluators.tree import Node, tree

NOW = Occasion("", datetime(2026, 6, 1, tzinfo=UTC), date(2026, 6, 1))
GENRES, STYLES = Threshold(metric="genres", at_least=5), Threshold(metric="styles", at_least=10)


def badge(criterion: Criterion, **more: Any) -> BadgeDefinition:
    """A badge with this rule."""
    said = {"key": "odd", "family": "odd", "tier": None, "tier_index": 0, "name": "Odd", "description": "Be odd"}
    return BadgeDefinition(
        **said, category="special", icon="x", criterion=criterion, triggers=("ownership.added",), sort_score=1, **more
    )


def looked(criterion: Criterion, **counts: int | None) -> Node:
    """The tree for a user with these numbers."""
    return tree(badge(criterion), FrozenSnapshot("ann", counts=counts), NOW)


def test_one_number() -> None:
    node = looked(GENRES, genres=3)
    assert (node.kind, node.words, node.metric) == ("threshold", "genres >= 5", "genres")
    assert (node.value, node.target, node.truth, node.children) == (3, 5, False, ())
    assert (node.reason, node.remaining) == ("3 of 5 genres", "Add 2 more genres")
    assert looked(GENRES, genres=5).truth is True
    assert looked(GENRES, genres=5).remaining is None
    unknown = looked(Tenure(years=3))
    assert (unknown.value, unknown.truth, unknown.remaining) == (None, None, "Join date not known")
    assert looked(Manual()).truth is None


def test_all_any_and_not() -> None:
    both = looked(All(criteria=(GENRES, STYLES)), genres=5, styles=7)
    assert (both.value, both.target, both.truth, both.metric) == (1, 2, False, None)
    assert [one.truth for one in both.children] == [True, False]
    assert both.remaining == "Add 3 more styles"
    assert looked(All(criteria=(GENRES, STYLES)), genres=4, styles=7).remaining == (
        "Add 1 more genre and Add 3 more styles"
    )
    either = looked(Any_(criteria=(GENRES, STYLES)), genres=4, styles=7)
    assert (either.truth, either.remaining) == (False, "Add 1 more genre or Add 3 more styles")
    assert looked(Any_(criteria=(GENRES, STYLES)), genres=4, styles=10).remaining is None
    without = looked(All(criteria=(STYLES, Not(criterion=GENRES))), genres=9, styles=10)
    assert without.truth is False
    assert without.remaining == "Only without genres >= 5"
    (inner,) = without.children[1].children
    assert (inner.truth, inner.remaining) == (True, None)
    # What is not wanted is nothing to work for; what is not known is not the absence of it.
    assert looked(Not(criterion=GENRES), genres=2).children[0].remaining is None
    assert looked(Not(criterion=Tenure(years=1))).truth is None
    twice = looked(Not(criterion=Not(criterion=GENRES)), genres=2)
    assert twice.children[0].children[0].remaining == "Add 3 more genres"


def test_of_a_label() -> None:
    one = badge(Coverage(of="label", percent=50), context_kind="label")
    facts = {("label_coverage", "label:5"): {"owned": 90, "total": 243, "label": "Warp Records", "label_id": 5}}
    node = tree(one, FrozenSnapshot("ann", evidence=facts), NOW, "label:5")
    assert (node.value, node.truth, node.remaining) == (37, False, "Add 32 more Warp Records releases")
    assert tree(one, FrozenSnapshot("ann"), NOW, "label:5").truth is None


leaves = st.one_of(
    st.builds(Threshold, metric=st.sampled_from(("genres", "styles", "reviews")), at_least=st.integers(1, 4)),
    st.builds(Tenure, years=st.integers(1, 3)),
    st.just(Manual()),
)
criteria = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(All, criteria=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Any_, criteria=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, criterion=inner),
    ),
    max_leaves=8,
)
numbers = st.fixed_dictionaries({name: st.none() | st.integers(0, 5) for name in ("genres", "styles", "reviews")})


@given(criteria, numbers, st.none() | st.just(date(2024, 1, 1)))
def test_the_root_is_the_verdict(criterion: Criterion, counts: dict[str, int | None], joined: date | None) -> None:
    """Whatever the rule and the numbers: earned exactly where the root is true, and then nothing is left to do."""
    one, snapshot = badge(criterion), FrozenSnapshot("ann", counts=counts, joined_on=joined)
    node, verdict = tree(one, snapshot, NOW), evaluate(one, snapshot, NOW)
    assert (node.truth is True, node.value, node.target) == (verdict.earned, verdict.value, verdict.target)
    assert (node.remaining is None) == verdict.earned
    assert {leaf.kind for leaf in node.leaves()} <= {"threshold", "tenure", "manual"}


@given(criteria, numbers)
def test_truth_is_three_valued(criterion: Criterion, counts: dict[str, int | None]) -> None:
    """Each joint is what three-valued logic makes of its parts."""

    def check(node: Node) -> None:
        truths = [child.truth for child in node.children]
        match node.kind:
            case "all":
                assert node.truth is (False if False in truths else None if None in truths else True)
            case "any":
                assert node.truth is (True if True in truths else None if None in truths else False)
            case "not":
                assert node.truth is (None if truths[0] is None else not truths[0])
        for child in node.children:
            check(child)

    check(tree(badge(criterion), FrozenSnapshot("ann", counts=counts), NOW))


@pytest.mark.parametrize("value", [0, 4, 5, 6])
def test_words_follow_the_numbers(value: int) -> None:
    assert (looked(GENRES, genres=value).remaining is None) == (value >= 5)
