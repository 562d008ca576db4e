"""What a run came to, and the invariants it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.demo.words import counted, span

COLLECTORS = 4
DUPLICATES_SENT = 1
MALFORMED_SENT = 1


@dataclass(frozen=True, slots=True)
class Takeover:
    """A worker was killed, others have its partitions.

    Shape:   of the records that were sent to its partitions, `done` were processed when it died and `left` were not;
             `stranded` are partitions that it still owns in the ledger although records came after its death, or that
             no living worker has. `seconds` from its death to the next record of its partitions that was processed.
    """

    name: str
    pid: int
    partitions: Sequence[int]
    done: int
    left: int
    heirs: Sequence[str]
    stranded: Sequence[int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that could not be accepted."""

    topic: str
    partition: int
    offset: int
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What-ifs: whether all releases that are `missing` for a tier earn it, and one less; the tiers that the numbers
    would leave with records sold; how many awards were changed by asking."""

    missing: int
    with_all: bool
    with_one_less: bool
    left: Sequence[str]
    changed: int


@dataclass(frozen=True, slots=True)
class Campaigned:
    """A campaign for years of membership.

    Shape:   of `published` messages with its id, `to_the_day` are dated with the day on which the years were full, and
             `notified` are to be told the user. `due` awards are asked for by the calendar, `amiss` are those of them
             that no list has, and those in a list that it does not ask for.
    """

    state: str
    users: int
    awards: int
    published: int
    to_the_day: int
    notified: int
    due: int
    amiss: int


@dataclass(frozen=True, slots=True)
class Told:
    """Rarity in the lists of all collectors: how often another number of holders is told than lists have the badge, how
    often a percentage of so few; ranks that are told, and those that are told twice."""

    badges: int
    wrong: int
    percentages: int
    ranks: int
    twice: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was counted, each number at its own source.

    Shape:   `sent` acknowledgements of Kafka, `in_log` records in the logs of the input topics; `processed`,
             `duplicate`, `dead`, `hole` from the ledger; `told` sweeps that the relay sent because the catalogue had
             learned something, and for the campaign; `awarded` award ids in the database; `published` award id by
             message id as consumed from `badge.awarded`, `messages` how many messages that were; `rejections`
             messages on `event.rejected`; `recount` the report of `gatefold recount --check`.
    """

    sent: int
    in_log: int
    processed: int
    duplicate: int
    dead: int
    hole: int
    told: int
    outbox: int
    refused: int
    awarded: frozenset[str]
    published: Mapping[str, str]
    messages: int
    rejections: int
    letters: Sequence[Letter]
    recount: Mapping[str, Any]
    takeover: Takeover
    tried: Tried
    campaigned: Campaigned
    rarity: Told


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: whether it held, and the numbers in a sentence."""

    name: str
    held: bool
    said: str


def checks(outcome: Outcome) -> list[Check]:
    """Every invariant of a run."""
    one = outcome
    ids = set(one.published.values())
    taken, tried, campaign, rarity = one.takeover, one.tried, one.campaigned, one.rarity
    return [
        Check(
            "every event accounted for",
            one.sent + one.told == one.in_log == one.processed + one.duplicate + one.dead and one.hole == 0,
            f"{counted(one.sent, 'events')} sent, {counted(one.told, 'sweeps')} of the relay, {one.in_log:,} in Kafka"
            f" = {one.processed:,} processed"
            f" + {one.duplicate:,} duplicate + {one.dead:,} dead"
            + (f", {one.hole:,} lost from the log" if one.hole else ""),
        ),
        Check(
            "one duplicate and one dead letter",
            one.duplicate == DUPLICATES_SENT and one.dead == MALFORMED_SENT == len(one.letters) == one.rejections,
            f"{counted(one.duplicate, 'duplicates')} changed nothing, {counted(len(one.letters), 'dead letters')} kept"
            f" and told on event.rejected ({one.rejections:,})",
        ),
        Check(
            "published = awarded",
            bool(one.awarded) and ids == one.awarded and len(one.published) == len(ids),
            f"{counted(len(one.awarded), 'awards')} in PostgreSQL = {counted(len(one.published), 'messages')} on"
            f" badge.awarded" + _repeated(one) + _unequal(one.awarded, ids),
        ),
        Check(
            "outbox empty",
            one.outbox == 0 and one.refused == 0,
            f"{one.outbox:,} messages wait in the outbox, {one.refused:,} were refused",
        ),
        Check(
            "killed worker replaced",
            taken.done > 0 and taken.left > 0 and bool(taken.heirs) and not taken.stranded,
            f"{taken.name} (pid {taken.pid}) killed with SIGKILL after {taken.done:,} of"
            f" {taken.done + taken.left:,} records of partitions {span(taken.partitions)};"
            + (
                f" {' and '.join(taken.heirs)} went on after {taken.seconds:.1f} s"
                if taken.heirs
                else " nobody went on"
            )
            + (f"; stranded: {', '.join(map(str, taken.stranded))}" if taken.stranded else ""),
        ),
        Check(
            "no drift",
            one.recount["drifted"] == 0 and one.recount["users"] == COLLECTORS,
            f"recount --check: {counted(one.recount['users'], 'collectors')}, {one.recount['drifted']} drift",
        ),
        Check(
            "what-if tells and writes nothing",
            tried.missing > 0 and tried.with_all and not tried.with_one_less and bool(tried.left) and not tried.changed,
            f"what-if: {tried.missing} releases more {'earn' if tried.with_all else 'do not earn'} the tier they are"
            f" missing for, {tried.missing - 1} {'do as well' if tried.with_one_less else 'do not'}; two records less"
            f" leave {' and '.join(tried.left) or 'nothing'}; {tried.changed} awards changed by asking",
        ),
        Check(
            "campaign gave what was due",
            campaign.state == "done"
            and campaign.users == COLLECTORS
            and 0 < campaign.awards == campaign.published == campaign.to_the_day
            and not campaign.notified
            and not campaign.amiss,
            f"campaign over {counted(campaign.users, 'collectors')} {campaign.state}:"
            f" {counted(campaign.awards, 'awards')} = {counted(campaign.published, 'messages')}, {campaign.to_the_day}"
            f" dated to the day, {campaign.notified} to notify; of {counted(campaign.due, 'awards')} that the calendar"
            f" asks for {campaign.amiss} amiss",
        ),
        Check(
            "rarity is what the lists say",
            rarity.badges > 0 and not rarity.wrong and not rarity.percentages and rarity.ranks > 0 and not rarity.twice,
            f"rarity of {counted(rarity.badges, 'badges')}: {rarity.wrong} told otherwise than the lists have them,"
            f" {rarity.percentages} as percentages of so few; {counted(rarity.ranks, 'ranks')}, {rarity.twice} of them"
            " told twice",
        ),
    ]


def _repeated(one: Outcome) -> str:
    """At-least-once delivery at work, where it was: a message may come twice, its id tells."""
    return f" (distinct ids of {one.messages:,} deliveries)" if one.messages != len(one.published) else ""


def _unequal(awarded: frozenset[str], published: set[str]) -> str:
    missing, foreign = len(awarded - published), len(published - awarded)
    return f"; {missing} not published, {foreign} published and not awarded" if missing or foreign else ""


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """The counts as `gatefold demo --json` prints them."""
    one, taken = outcome, outcome.takeover
    return {
        "sent": one.sent,
        "told": one.told,
        "in_log": one.in_log,
        "processed": one.processed,
        "duplicate": one.duplicate,
        "dead": one.dead,
        "outbox": one.outbox,
        "awards": len(one.awarded),
        "published": len(set(one.published.values())),
        "messages": one.messages,
        "drift": one.recount["drifted"],
        "dead_letters": [
            {
                "topic": letter.topic,
                "partition": letter.partition,
                "offset": letter.offset,
                "stage": letter.stage,
                "reason": letter.reason,
            }
            for letter in one.letters
        ],
        "killed": {
            "worker": taken.name,
            "pid": taken.pid,
            "partitions": list(taken.partitions),
            "processed_before": taken.done,
            "left": taken.left,
            "taken_over_by": list(taken.heirs),
            "seconds": round(taken.seconds, 1),
        },
    }
