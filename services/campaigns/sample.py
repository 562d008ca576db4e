"""What a campaign would give, tried on a sample of users: the stored sets evaluated, nothing written."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from catalog.definition import SWEEP
from evaluators.engine import evaluate_all
from services.campaigns.scope import Target
from services.state.collector import Collector
from services.stores import awards, collectors
from services.stores.postgres import Connection, looking
from services.worker import recounting
from services.worker.awarding import occasion_at
from services.worker.work import Knowledge

MOST: Final = 100


@dataclass(slots=True)
class Trial:
    """A dry run: users there are, users tried, and what the tried ones would be given, by badge."""

    users: int
    badges: int
    tried: int = 0
    winners: int = 0
    awards: Tally[str] = field(default_factory=Tally)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "dry_run": True,
            "users": self.users,
            "badges": self.badges,
            "tried": self.tried,
            "users_with_gains": self.winners,
            "awards": dict(sorted(self.awards.items())),
        }


async def trial(connection: Connection, knowledge: Knowledge, target: Target, sample: int) -> Trial:
    """Evaluate the target's badges for a sample of users, each on the state that a recount finds."""
    users = 1 if target.scope == "user" else await collectors.count(connection)
    found = Trial(users, len(target.badge_keys))
    index = knowledge.index_of(target.badge_keys)
    occasion = occasion_at(SWEEP, datetime.now(UTC))
    chosen = [target.value] if target.scope == "user" else await collectors.sample(connection, sample)
    for user in chosen:
        async with looking(connection):
            counted = (await recounting.recount(connection, knowledge, Collector(user), refresh=True)).collector
            earned = {
                (verdict.badge.key, verdict.context)
                for verdict in evaluate_all(index.badges, counted, occasion)
                if verdict.earned
            }
            keys, contexts = {key for key, _ in earned}, {context for _, context in earned}
            held = await awards.held(connection, [user], keys, contexts)
        new = earned - {(key, context) for _, key, context in held}
        found.tried += 1
        found.winners += bool(new)
        found.awards.update(key for key, _ in new)
    return found
