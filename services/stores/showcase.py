"""What a user's first page asks of awards, and the pins of the showcase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("showcase")

CARDS: Final = 4


class Best(msgspec.Struct, array_like=True, frozen=True):
    """The best award of a family and context; `at` in microseconds since 1970, `name` of the label, artist or master.

    Shape:   `contexts` counts those of the family that have an award; of a card in the showcase it is 0.
    """

    badge_key: str
    context: str
    at: int
    evidence: msgspec.Raw
    name: str | None
    family: str
    contexts: int
    pinned: bool = False


class Shelf(NamedTuple):
    """How many awards there are, the first contexts of each family, and the cards of the showcase."""

    total: int
    best: list[Best]
    showcase: list[Best]


Ladders = tuple[Sequence[str], Sequence[str], Sequence[int], Sequence[int]]  # keys, families, steps, scores
_BEST = msgspec.json.Decoder(list[Best])


async def shelf(connection: Connection, user_id: str, ladders: Ladders, text: str, most: int) -> Shelf:
    """A user's awards by family, contexts whose name has `text` first, and at most so many of a family."""
    row = await connection.fetchrow(SQL["shelf"], user_id, *ladders, text, most, CARDS)
    assert row is not None
    best, cards = ([] if row[name] is None else _BEST.decode(row[name]) for name in ("best", "showcase"))
    return Shelf(row["total"], best, cards)


async def pin(connection: Connection, user_id: str, badge_key: str, context: str) -> bool:
    """Pin an award; False where it does not stand, is pinned already or the showcase is full of pins."""
    return str(await connection.execute(SQL["pin"], user_id, badge_key, context, CARDS)) == "UPDATE 1"


async def unpin(connection: Connection, user_id: str, badge_key: str, context: str) -> None:
    """Take a pin away; where there is none nothing happens."""
    await connection.execute(SQL["unpin"], user_id, badge_key, context)
