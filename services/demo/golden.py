"""The demo's collectors played in memory by the worker's own code: what every badge comes to for each of them.

Shape:   a line per collector and badge: `collector badge value/target earned`. `earned` is the day of the award, `-`
         where there is none; of a badge with contexts value and day are those of the best one, and `xN` says for how
         many it was earned. Unknown is `?`, as is all that only engines find out: the graph, and no first pressing is
         known.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Final

from catalog.definition import SWEEP
from catalog.index import Catalog
from contracts.snapshot import Occasion
from evaluators.engine import evaluate_all
from evaluators.verdict import Verdict
from services.demo import catalogue
from services.demo.sending import Sendable, sendables
from services.state.collector import Collector, Key, Total
from services.state.facets import ARTIST, LABEL
from services.state.facts import Statement
from services.state.holdings import Entry
from services.stores.facts import FacetIds
from services.trial.events import EMPTY, script
from services.worker import tenure
from services.worker.activity import KINDS, ActivityBundle
from services.worker.awarding import Awarding
from services.worker.earned import Candidate
from services.worker.ownership import OwnershipBundle
from services.worker.work import Accepted, Knowledge, Work

FILE: Final = "golden.txt"
RENEW: Final = "gatefold catalog golden --write"
AS_OF: Final = date(2015, 1, 1)
_NOWHERE: Final[Any] = None  # a connection that nothing asks: all that is touched is in memory


class _Ids(FacetIds):
    """Ids in the order in which values are met."""

    def __call__(self, facet: str, value: str) -> int:
        return self._ids.setdefault((facet, value), len(self._ids) + 1)


def lines_of(catalog: Catalog) -> list[str]:
    """What each badge of this catalog comes to for each collector of the demo."""
    dumped = catalogue.every_release()
    known = {one.release_id: Entry(Statement(one.facts)) for one in dumped}
    labels = {((LABEL, label), one.release_id) for one in dumped for label in one.labels}
    works = {((ARTIST, artist), one.master_id or -one.release_id) for one in dumped for artist in one.artists}
    totals = {key: Total(n, AS_OF, None) for key, n in Counter(key for key, _ in labels | works).items()}
    return [
        *_played(catalog, sendables(str), {}, {}),
        *_played(catalog, sendables(str, catalogue.second_events()), known, totals),
    ]


def path() -> Path:
    """The committed lines."""
    with resources.as_file(resources.files("catalog")) as package:
        return package / FILE


def difference(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What is no longer as committed, a line each: `-` was, `+` is."""
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _played(
    catalog: Catalog, sent: Iterable[Sendable], known: Mapping[int, Entry], totals: Mapping[Key, Total]
) -> Iterator[str]:
    """The lines of those who send these events, in the order of their names."""
    knowledge = Knowledge(catalog, erasure_key=b"", owner="golden", facet_ids=_Ids())
    events = [event for _, event in script((at, one.message.value or b"") for at, one in enumerate(sent, 1)).events]
    accepted = [Accepted(at, event) for at, event in enumerate(events)]
    work = Work(_NOWHERE, knowledge, {event.subject: Collector(event.subject) for event in events})
    for collector in work.collectors.values():
        collector.totals = totals
    ownership, activity = OwnershipBundle(work), ActivityBundle(work)
    ownership.catalogue |= known
    ownership.stated_values(accepted)
    years = Awarding(catalog, {})
    for one in accepted:
        if one.event.type.startswith("ownership."):
            ownership.play(one)
        elif one.event.type in KINDS:
            activity.expect([one])
            activity.play(one)
        elif one.event.type == "cron.anniversary":
            tenure.judge(years, one.event, work.collectors[one.event.subject])
    earned = [candidate for each in (ownership.awarding, activity.awarding, years) for candidate in each.candidates]
    last = max(event.time for event in events)
    for user in sorted(work.collectors):
        given = {one.name[1:]: one for one in earned if one.name[0] == user}
        verdicts = evaluate_all(
            catalog.trigger(SWEEP).badges, work.collectors[user], Occasion(SWEEP, last, last.date())
        )
        for key in catalog.badges:
            of_badge = [verdict for verdict in verdicts if verdict.badge.key == key]
            yield f"{user.removesuffix(EMPTY):<13}{key:<34}{_outcome(of_badge, given)}"


def _outcome(verdicts: Sequence[Verdict], given: Mapping[tuple[str, str], Candidate]) -> str:
    if not verdicts:
        return f"{'?':>9}  -"
    best = max(verdicts, key=lambda one: (-1 if one.value is None else one.value, one.context))
    award = given.get((best.badge.key, best.context))
    value = f"{'?' if best.value is None else best.value}/{best.target}"
    shown = f"{value:>9}  {'-' if award is None else award.awarded_at.date()}"
    if best.context:
        shown += f"  {best.context} x{sum(key == best.badge.key for key, _ in given)}"
    return shown
