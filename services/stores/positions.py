"""How far the workers and the relay have come: ledger and outbox, seen at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from services.stores.postgres import Connection
from services.stores.queries import statements


@dataclass(frozen=True, slots=True)
class LedgerPosition:
    """One row of the ledger; processed + duplicate + dead + hole = next_offset - base_offset."""

    base_offset: int
    next_offset: int
    processed: int
    duplicate: int
    dead: int
    hole: int


@dataclass(frozen=True, slots=True)
class Positions:
    """The ledger by (unprefixed topic, partition), and what waits: messages (those refused apart), news, graphs."""

    ledger: dict[tuple[str, int], LedgerPosition]
    unsent: int
    failed: int
    untold: int
    graph_due: int


async def load_positions(connection: Connection) -> Positions:
    """Ledger and outbox in one snapshot: no message of a processed event can be missing from both."""
    rows = await connection.fetch(statements("positions")["positions"])
    ledger = {
        (row["topic"], row["partition"]): LedgerPosition(
            row["base_offset"], row["next_offset"], row["processed"], row["duplicate"], row["dead"], row["hole"]
        )
        for row in rows
        if row["topic"] is not None
    }
    waiting = rows[0]
    return Positions(ledger, waiting["unsent"], waiting["failed"], waiting["untold"], waiting["graph_due"])
