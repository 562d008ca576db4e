"""What other rules come to: both catalogs evaluated on the same users by the one engine; nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from catalog.definition import SWEEP, BadgeDefinition, Manual, in_words, metrics_of
from catalog.lock import digest
from contracts.snapshot import METRICS, Occasion, Snapshot
from evaluators.engine import evaluate_all
from services.state.collector import Collector
from services.stores import awards, collectors
from services.stores.postgres import Connection, looking
from services.worker import reading, recounting
from services.worker.awarding import occasion_at
from services.worker.work import FAULTS, Knowledge

EXAMPLES: Final = 3
PAGE: Final = 200
Pair = tuple[str, str]  # badge key and context


@dataclass(slots=True)
class Change:
    """One badge whose rule differs; the numbers count pairs of user and context."""

    key: str
    what: str  # added, removed, changed
    before: str
    after: str
    gains: int = 0
    losses: int = 0  # of eligibility: awards that stand are never taken
    messages: int = 0  # gains that nobody was given yet; of a badge in the shadow nobody is told
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """What changes; `tiers` counts users by family and by the tier they would move from and to."""

    changes: dict[str, Change]
    unknown: list[str] = field(default_factory=list)  # badges that read what is not measured here
    users: int = 0
    touched: int = 0
    tiers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # users whose stored state contradicts itself, and why

    @property
    def moved(self) -> int:
        """Gains and losses together."""
        return sum(one.gains + one.losses for one in self.changes.values())


class Comparison:
    """Old rules and new ones, as far as they differ."""

    def __init__(self, old: Iterable[BadgeDefinition], new: Iterable[BadgeDefinition]) -> None:
        before = {badge.key: badge for badge in old if _earnable(badge)}
        after = {badge.key: badge for badge in new if _earnable(badge)}
        self.found = Difference({})
        for key in sorted(before.keys() | after.keys()):
            was, now = before.get(key), after.get(key)
            if was is None or now is None or digest(was) != digest(now):
                what = "added" if was is None else "removed" if now is None else "changed"
                self.found.changes[key] = Change(key, what, _rule(was), _rule(now))
        for badge in (*before.values(), *after.values()):
            if not metrics_of(badge.criterion) <= METRICS.keys():
                self.found.unknown.append(badge.key)
        families = {badge.family for badge in (*before.values(), *after.values()) if badge.key in self.found.changes}
        # Whole families: which tier is the highest depends on the others, too.
        self._old = self._known(before.values(), families)
        self._new = self._known(after.values(), families)
        self._badges = before | after

    def _known(self, badges: Iterable[BadgeDefinition], families: set[str]) -> Sequence[BadgeDefinition]:
        return [badge for badge in badges if badge.family in families and badge.key not in self.found.unknown]

    def judge(self, snapshot: Snapshot, occasion: Occasion, held: Iterable[Pair]) -> None:
        """Evaluate both on one user, who was given the awards `held` already."""
        was, now = _earned(self._old, snapshot, occasion), _earned(self._new, snapshot, occasion)
        self.found.users += 1
        if was == now:
            return
        self.found.touched += 1
        given = set(held)
        for key, context in sorted(was ^ now):
            change = self.found.changes.get(key)
            if change is None:
                continue
            if (key, context) in now:
                change.gains += 1
                change.messages += (key, context) not in given and not self._badges[key].shadow
            else:
                change.losses += 1
            if snapshot.user_id not in change.examples and len(change.examples) < EXAMPLES:
                change.examples.append(snapshot.user_id)
        for place in {(self._badges[key].family, context) for key, context in was ^ now}:
            move = (place[0], self._highest(was, place), self._highest(now, place))
            if move[1] != move[2]:
                self.found.tiers[move] = self.found.tiers.get(move, 0) + 1

    def fail(self, user_id: str, error: BaseException) -> None:
        """Leave a user out, whose stored state contradicts itself."""
        self.found.failed[user_id] = f"{type(error).__name__}: {error}"

    def _highest(self, earned: set[Pair], place: tuple[str, str]) -> str:
        tiers = [
            self._badges[key]
            for key, context in earned
            if (self._badges[key].family, context) == place and not self._badges[key].shadow
        ]
        best = max(tiers, key=lambda badge: badge.tier_index, default=None)
        return "–" if best is None else best.tier or "earned"


async def compare(
    connection: Connection, knowledge: Knowledge, comparison: Comparison, now: datetime, sample: int | None
) -> AsyncIterator[int]:
    """Judge a sample of users, or all of them where there is none; yields how many are done, after each page.

    Shape:   users whose stored state contradicts itself are counted in `failed` alone.
    """
    occasion = occasion_at(SWEEP, now)
    async for users in _pages(connection, sample):
        async with looking(connection):
            await _judge(connection, knowledge, comparison, occasion, users)
        yield len(users)


async def _judge(
    connection: Connection, knowledge: Knowledge, comparison: Comparison, occasion: Occasion, users: Sequence[str]
) -> None:
    """Judge users who are read together; one by one only to find whose rows cannot be read."""
    stored = [Collector(user) for user in users]
    try:
        sets, said = await reading.sets_and_said(connection, stored)
    except FAULTS as error:
        if len(users) == 1:
            comparison.fail(users[0], error)
            return
        for user in users:
            await _judge(connection, knowledge, comparison, occasion, [user])
        return
    held: dict[str, list[Pair]] = {user: [] for user in users}
    for user, key, context in await awards.of_users(connection, users):
        held[user].append((key, context))
    for one in stored:
        try:
            found = await recounting.counted_again(connection, knowledge, one, sets[one.user_id], said, refresh=True)
            comparison.judge(found.collector, occasion, held[one.user_id])
        except FAULTS as error:
            comparison.fail(one.user_id, error)


async def _pages(connection: Connection, sample: int | None) -> AsyncIterator[list[str]]:
    if sample is not None:
        chosen = await collectors.sample(connection, sample)
        for start in range(0, len(chosen), PAGE):
            yield chosen[start : start + PAGE]
        return
    last = ""
    while page := await collectors.page(connection, last, PAGE):
        yield page
        last = page[-1]


def _earnable(badge: BadgeDefinition) -> bool:
    return not badge.retired and not isinstance(badge.criterion, Manual)


def _earned(badges: Sequence[BadgeDefinition], snapshot: Snapshot, occasion: Occasion) -> set[Pair]:
    verdicts = evaluate_all(badges, snapshot, occasion)
    return {(verdict.badge.key, verdict.context) for verdict in verdicts if verdict.earned}


def _rule(badge: BadgeDefinition | None) -> str:
    return "" if badge is None else in_words(badge.criterion)


def as_dict(found: Difference) -> dict[str, Any]:
    """As JSON."""
    return {
        "users": found.users,
        "users_touched": found.touched,
        "badges": [
            {
                "key": one.key,
                "what": one.what,
                "before": one.before,
                "after": one.after,
                "gains": one.gains,
                "losses": one.losses,
                "messages": one.messages,
                "examples": one.examples,
            }
            for one in found.changes.values()
        ],
        "tiers": [
            {"family": family, "from": before, "to": after, "users": users}
            for (family, before, after), users in sorted(found.tiers.items())
        ],
        "not_evaluated": sorted(set(found.unknown)),
        "failed": [{"user": user, "failed": why} for user, why in found.failed.items()],
    }


def as_markdown(found: Difference, against: str) -> str:
    """For a pull request."""
    lines = [
        f"### Catalog against `{against}`",
        "",
        f"{len(found.changes)} badges differ. Of {found.users:,} users {found.touched:,} are touched, "
        f"{sum(one.messages for one in found.changes.values()):,} awards would be new. Awards that stand stay.",
        "",
    ]
    if found.changes:
        lines += ["| badge | | rule | gains | no more | new awards | for example |", "|---|---|---|---|---|---|---|"]
    for one in found.changes.values():
        rule = " → ".join(f"`{text}`" for text in dict.fromkeys((one.before, one.after)) if text)
        numbers = f"{one.gains:,} | {one.losses:,} | {one.messages:,}"
        lines.append(f"| `{one.key}` | {one.what} | {rule} | {numbers} | {', '.join(one.examples)} |")
    if found.tiers:
        lines += ["", "| family | from | to | users |", "|---|---|---|---|"]
        lines += [f"| {family} | {a} | {b} | {n:,} |" for (family, a, b), n in sorted(found.tiers.items())]
    if found.unknown:
        lines += [
            "",
            f"Not evaluated, because they read what is not measured here: {', '.join(sorted(set(found.unknown)))}.",
        ]
    if found.failed:
        named = ", ".join(list(found.failed)[:EXAMPLES])
        lines += [
            "",
            f"Left out, for what is stored of them contradicts itself: {len(found.failed):,} users, as {named}.",
        ]
    return "\n".join(lines) + "\n"
