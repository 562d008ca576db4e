"""A user's own copies, looked for by what is known of their releases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from services.state.facts import NOTHING, Facts, facts_of
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("shelf")

# So many copies are looked at for one answer, whatever the size of the collection.
MOST_LOOKED: Final = 10_000
MOST_WORDS: Final = 8
_PAGE: Final = msgspec.json.Decoder(list[tuple[int, int, msgspec.Raw]])
_SPECIAL: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


class Owned(NamedTuple):
    """A copy, and what is counted of its release."""

    instance_id: int
    release_id: int
    facts: Facts


class Found(NamedTuple):
    """Copies, the newest instance first; `next` is the instance behind which to look on, None at the end."""

    copies: list[Owned]
    next: int | None


async def search(connection: Connection, user_id: str, text: str, limit: int, after: int | None = None) -> Found:
    """At most `limit` copies behind `after` that hold all words of the text, in whatever case.

    Shape:   of a large collection an answer may have fewer copies, or none, and still a `next`.
    """
    words = text.split()[:MOST_WORDS]
    number = int(words[0]) if len(words) == 1 and words[0].isascii() and words[0].isdigit() else None
    row = await connection.fetchrow(
        SQL["search"],
        user_id,
        after,
        MOST_LOOKED if words else limit + 1,
        [pattern(word) for word in words],
        [pattern(msgspec.json.encode(word).decode()[1:-1]) for word in words],
        number if number is not None and number < 2**63 else None,
        limit + 1,
    )
    assert row is not None
    found = [_owned(*one) for one in ([] if row["page"] is None else _PAGE.decode(row["page"]))]
    if len(found) > limit:
        return Found(found[:limit], found[limit - 1].instance_id)
    return Found(found, row["last"] if words and row["looked"] == MOST_LOOKED else None)


async def copies(connection: Connection, user_id: str, instances: Sequence[int]) -> list[Owned]:
    """Those of these copies that the user has."""
    stored = await connection.fetch(SQL["copies"], user_id, instances)
    return [_owned(instance, release, content or "null") for instance, release, content in stored]


def pattern(word: str) -> str:
    """The word as a pattern for LIKE: anywhere, and nothing in it has a meaning of its own."""
    return f"%{word.translate(_SPECIAL)}%"


def _owned(instance_id: int, release_id: int, content: msgspec.Raw | str) -> Owned:
    said = content if isinstance(content, str) else bytes(content).decode()
    return Owned(instance_id, release_id, NOTHING if said == "null" else facts_of(said))
