"""What was earned, before and after it is an award: its id, its batch, who is told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha1
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from catalog import lock
from catalog.definition import BadgeDefinition
from catalog.index import TriggerIndex
from contracts.envelope import Event, rfc3339
from evaluators.verdict import Verdict
from services.state.collector import Collector
from services.stores.awards import Name, NewAward
from services.stores.campaigns import Notify
from services.worker.evidence import FirstPressing, Oldest

AWARDS: Final = UUID("6f1d2b1e-5f0c-5c55-9a38-0d1f6a7c9e21")  # name space of award ids: never change it
BATCHES: Final = UUID("0f6f7c0a-6a55-5d5e-8a5b-3c9b52a7d1f4")  # name space of batch ids
_WITHOUT_VERSION: Final = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_5: Final = 0x5000 << 64 | 0x8000 << 48


def uuid_in(space: UUID, name: str) -> str:
    """The text of `uuid.uuid5(space, name)` without the objects on the way: an import earns dozens at once."""
    digest = int.from_bytes(sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:16], "big")
    text = f"{digest & _WITHOUT_VERSION | _VERSION_5:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def award_id(user_id: str, badge_key: str, context: str, erased_at: datetime | None) -> str:
    """Id of an award: the same whenever the same award is given, another one after a deletion."""
    # As JSON writes it: nothing in them is ever escaped (contract §2, §4).
    return uuid_in(AWARDS, f'["{user_id}", "{badge_key}", "{context}", "{rfc3339(erased_at) if erased_at else ""}"]')


class Candidate(msgspec.Struct, eq=False):
    """A verdict that is earned, whether or not the user has the award already."""

    verdict: Verdict
    collector: Collector
    event: Event
    awarded_at: datetime
    evidence: dict[str, Any]
    unnamed: Oldest | FirstPressing | None = None

    @property
    def name(self) -> Name:
        return self.collector.user_id, self.verdict.badge.key, self.verdict.context


class Earned(NamedTuple):
    """A new award and what it came from.

    Shape:   `highest_in_family`: no higher tier is held or was earned with it; `notify`: the user should be told.
    """

    award: NewAward
    candidate: Candidate
    highest_in_family: bool
    notify: bool


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a campaign gives of what is judged: `index` holds its badges, `due` what each user lacks of them."""

    campaign_id: str
    notify: Notify
    index: TriggerIndex
    due: Mapping[str, frozenset[tuple[str, str]]]  # by user: badge key and context

    def told(self, group: Sequence[Candidate]) -> Sequence[Candidate]:
        """What of all that one event earned a user is worth a notice: of a digest the badge that ranks first.

        Of a badge in the shadow nobody is told, so that it ranks nowhere.
        """
        group = [one for one in group if not one.verdict.badge.shadow]
        if self.notify == "normal":
            return group
        if self.notify == "none" or not group:
            return ()
        return [min(group, key=lambda one: (-one.verdict.badge.sort_score, one.name))]


def batch_of(candidate: Candidate) -> str:
    """Id of all that one event earned one user."""
    event = candidate.event
    return uuid_in(BATCHES, json.dumps([event.source, event.id, candidate.collector.user_id]))


@cache
def rule_of(badge: BadgeDefinition) -> str:
    """The digest of the rule that an award was given by."""
    return lock.digest(badge)
