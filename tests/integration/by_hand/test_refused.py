"""What cannot be done by hand, and what is not meant to be kept."""

from typing import Any

import pytest

from services.manual import acts
from services.manual.acts import Act, Unfit, Unknown
from services.stores.postgres import Connection
from tests.integration.by_hand.world import CATALOG, GENRES, NOW, REVIEW, act, everything
from tests.model.lab import Log


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (("ada", "no-such", ""), "There is no badge 'no-such'."),
        (("bob", "reviewer-i", ""), "Nothing is known of user 'bob'."),
    ],
)
async def test_what_is_not_there(connection: Connection, ada: Log, name: tuple[str, str, str], said: str) -> None:
    before = await everything(connection)
    for work in (acts.grant, acts.revoke):
        with pytest.raises(Unknown) as unknown:
            await work(connection, CATALOG, act(name))
        assert str(unknown.value) == said
    with pytest.raises(Unknown, match="was never given genre-tourist-silver"):
        await acts.revoke(connection, CATALOG, act(GENRES))
    with pytest.raises(Unknown, match="was never given label-loyalist-gold for label:5"):
        await acts.edit(connection, CATALOG, act(("ada", "label-loyalist-gold", "label:5")), {"hidden": True})
    assert await everything(connection) == before


@pytest.mark.parametrize(
    ("key", "context", "fits"),
    [
        ("label-loyalist-gold", "label:5", True),
        ("label-loyalist-gold", f"label:{2**63 - 1}", True),
        ("label-loyalist-gold", f"label:{2**63}", False),
        ("label-loyalist-gold", "label:05", False),
        ("label-loyalist-gold", "artist:5", False),
        ("label-loyalist-gold", "", False),
        ("reviewer-ii", "label:5", False),
        ("reviewer-ii", " ", False),
    ],
)
async def test_contexts(connection: Connection, ada: Log, key: str, context: str, fits: bool) -> None:
    name = ("ada", key, context)
    if fits:
        assert (await acts.grant(connection, CATALOG, act(name))).outcome == "granted"
    else:
        with pytest.raises(Unfit, match=key) as unfit:
            await acts.grant(connection, CATALOG, act(name))
        assert unfit.value.parameter == "context"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("reason", one) for one in ("", "  \n", "x" * 501, "a\0b", "\ud800")),
        *(("by", one) for one in ("", "x" * 65, "\0")),
        *(("user_id", one) for one in ("", "a b", "ada\n", "x" * 65)),
    ],
)
def test_acts_that_are_none(parameter: str, value: str) -> None:
    fields: dict[str, Any] = {"user_id": "ada", "badge_key": "reviewer-i", "context": "", "reason": "r", "by": "b"}
    assert Act(**fields, at=NOW)
    with pytest.raises(Unfit) as unfit:
        Act(**(fields | {parameter: value}), at=NOW)
    assert unfit.value.parameter == parameter


async def test_a_dry_run_keeps_nothing(connection: Connection, ada: Log) -> None:
    before = await everything(connection)
    done = await acts.grant(connection, CATALOG, act(dry_run=True))
    gone = await acts.revoke(connection, CATALOG, act(REVIEW, dry_run=True))
    hid = await acts.edit(connection, CATALOG, act(REVIEW, dry_run=True), {"hidden": True})
    assert [one.outcome for one in (done, gone, hid)] == ["granted", "revoked", "changed"]
    assert await everything(connection) == before
