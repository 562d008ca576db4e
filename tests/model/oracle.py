"""The contract as a dictionary model: records in processing order in, state and awards out.

It shares no code with the service, and recomputes everything from the events it was given after every single one.
Where the contract leaves a choice, `Choice:` says what is chosen.

Shape:   an event is a dict with type, id, source, subject, time (aware, UTC) and data; None stands for poison.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from tests.model import measures
from tests.model.measures import BADGES, COUNTED, FIELDS, Facts
from tests.model.pools import AS_OF, TOTALS

Event = dict[str, Any]
Stamp = tuple[datetime, str, str, int]
Values = dict[str, dict[str, int | None]]

SETS = {"review.approved": "review_id", "edit.approved": "edit_id", "compare.used": "compare_id"}
REMEMBERED = {"user.joined", "ownership.added", "ownership.removed", "wishlist.added", "wishlist.removed", *SETS}
"""Events that leave something. Choice: the others (synced, anniversary, sweep) make nobody known, for else the state
would depend on whether they were read before a deletion or after it."""


@dataclass
class User:
    """One user: the events that stand, the facts that were counted of each release, the awards."""

    events: list[Event] = field(default_factory=list)
    counted: dict[int, Facts] = field(default_factory=dict)
    awards: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    erased_at: datetime | None = None

    def owned(self) -> dict[int, Facts]:
        """The distinct releases owned, with the facts that were counted."""
        return {release: self.counted[release] for release in set(copies(self.events).values()) if release is not None}

    def newest(self) -> Event | None:
        """The newest event of which anything is left."""
        return max((event for event in self.events if event["type"] in REMEMBERED), key=stamp, default=None)


class Oracle:
    """Feed it with `take`, in the order in which the service processed; ask `state`, `users`, `ledger` and `dead`."""

    def __init__(self) -> None:
        self.users: defaultdict[str, User] = defaultdict(User)
        self.catalogue: defaultdict[int, dict[str, tuple[Stamp, Any]]] = defaultdict(dict)
        self.seen: set[tuple[str, str]] = set()
        self.ledger: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        self.dead: dict[tuple[str, int, int], bytes | None] = {}

    def take(self, topic: str, partition: int, offset: int, event: Event | None, key: bytes | None = None) -> set[str]:
        """Process one record; answers the users who are due a sweep since the catalogue learned of their releases."""
        counts = self.ledger[topic, partition]
        if event is None:
            counts["dead"] += 1
            self.dead[topic, partition, offset] = key
            return set()
        if (event["source"], event["id"]) in self.seen:
            counts["duplicate"] += 1
            return set()
        self.seen.add((event["source"], event["id"]))
        counts["processed"] += 1
        user = self.users[event["subject"]] if topic != "release.described" else User()
        void = user.erased_at is not None and event["time"] <= user.erased_at
        if topic == "release.described":
            return self._describe(event)
        if topic == "cron.sweep":
            self._sweep(user, event, void)
        elif topic == "user.deleted":
            self._delete(user, event, void)
        elif void:
            pass
        elif topic == "cron.anniversary":
            self._evaluate(user, event, topic, date.fromisoformat(event["data"]["on"]))
        elif topic in REMEMBERED:
            self._apply(user, event)
        return set()

    def __eq__(self, other: object) -> bool:
        """Whether two models will agree for ever; the order in which a user's events came is past and gone."""
        return isinstance(other, Oracle) and self._content() == other._content()

    __hash__ = None

    def _content(self) -> list[Any]:
        users = {
            name: (sorted(user.events, key=stamp), user.counted, user.awards, user.erased_at)
            for name, user in self.users.items()
            if user != User()
        }
        return [users, {key: said for key, said in self.catalogue.items() if said}, self.seen, self.ledger, self.dead]

    def state(self) -> dict[str, dict[str, Any]]:
        """What `export state` has to say, by user."""
        return {name: _state(user) for name, user in self.users.items() if user.newest() is not None}

    def known(self, user: User, release: int) -> Facts:
        """What is known of a release for this user: per field the catalogue, else the user's own newest word."""
        said = {**stated(user.events, release), **self.catalogue.get(release, {})}
        return {name: (when[0].year, value) for name, (when, value) in said.items()}

    # --- what events do --------------------------------------------------------------------------------------------

    def _apply(self, user: User, event: Event) -> None:
        """Item by item, so that evidence can name the item at which a line was crossed; evaluated after the last."""
        items = _items(event)
        steps = [User(list(user.events), dict(user.counted))]
        titles: dict[int, str | None] = {}
        for upto in range(1, len(items) + 1):
            step = User([*user.events, _cut(event, upto)], dict(steps[-1].counted))
            if event["type"] == "ownership.added":
                # Choice: only a statement on a release, or a recount, changes what is counted of it. A release of
                # which one copy goes and another stays keeps what was counted.
                release = items[upto - 1]["release"]["id"]
                before = steps[-1].owned().get(release)
                step.counted[release] = self.known(step, release)
                after = step.owned().get(release)
                if after is not None and (before is None or measures.essence(before) != measures.essence(after)):
                    titles[measures.master(after) or 0] = measures.said(after, "title")
            steps.append(step)
        user.events.append(event)
        user.counted = steps[-1].counted
        self._evaluate(user, event, event["type"], event["time"].date(), steps, titles)

    def _sweep(self, user: User, event: Event, void: bool) -> None:
        """Recount and evaluate everything.

        Choice: a sweep no newer than a deletion still recounts, for the catalogue's news reaches owners by sweeps with
        the time of `release.described`; what it finds is dated like after a deletion, with the newest event left.
        """
        newest = user.newest()
        if newest is not None:
            self._recount(user)
            dated = newest if void else event
            self._evaluate(user, dated, "cron.sweep", dated["time"].date())

    def _delete(self, user: User, event: Event, void: bool) -> None:
        # Choice: "dead letters stored by then", whatever their time, and by a deletion older than the last one too.
        self.dead = {place: key for place, key in self.dead.items() if key != event["subject"].encode()}
        if void:
            return
        user.erased_at = until = event["time"]
        user.events = [one for one in user.events if one["time"] > until]
        user.awards = {name: award for name, award in user.awards.items() if award["awarded_at"] > until}
        user.counted = {}
        self._recount(user)
        newest = user.newest()
        if newest is not None:
            self._evaluate(user, newest, "cron.sweep", newest["time"].date())

    def _recount(self, user: User) -> None:
        owned = {release for release in copies(user.events).values() if release is not None}
        user.counted = {release: self.known(user, release) for release in owned}

    def _describe(self, event: Event) -> set[str]:
        release, nobody = event["data"]["id"], User()
        before = measures.essence(self.known(nobody, release))
        for name in FIELDS:
            if event["data"].get(name) is not None:
                _write(self.catalogue[release], name, stamp(event), event["data"][name])
        if measures.essence(self.known(nobody, release)) == before:
            return set()
        return {
            name
            for name, user in self.users.items()
            if release in user.owned()
            and measures.essence(self.known(user, release)) != measures.essence(user.counted[release])
        }

    # --- badges ----------------------------------------------------------------------------------------------------

    def _evaluate(
        self,
        user: User,
        event: Event,
        trigger: str,
        on: date,
        steps: list[User] | None = None,
        titles: dict[int, str | None] | None = None,
    ) -> None:
        """Every badge that listens to the trigger, once, after the whole event; earned is kept."""

        @cache
        def before() -> list[Values]:
            return [values(step, on) for step in steps or []]

        now = values(user, on)
        for badge, metric, target, listens in BADGES:
            for context, value in now[metric].items() if trigger in (listens, "cron.sweep") else ():
                if value is None or value < target or (badge, context) in user.awards:
                    continue
                evidence = {"metric": metric, "value": value, "target": target}
                evidence |= _details(user, metric, context, titles)
                crossed = _crossing(before, metric, context, target)
                if crossed is not None:
                    evidence |= _earned_with(user, _items(event)[crossed])
                user.awards[badge, context] = {"awarded_at": event["time"], "evidence": evidence}


def _crossing(before: Callable[[], list[Values]], metric: str, context: str, target: int) -> int | None:
    """The item at which the line was crossed, None where no item did it. Choice: of several the last."""
    numbers = [step[metric].get(context) or 0 for step in before()]
    crossed = [at for at in range(len(numbers) - 1) if numbers[at] < target <= numbers[at + 1]]
    return max(crossed, default=None)


def _details(user: User, metric: str, context: str, titles: dict[int, str | None] | None) -> dict[str, Any]:
    owned = user.owned()
    if metric == "largest_decade":
        decades = measures.decades_of(owned)  # Choice: of several decades of one size the earliest.
        return {"decade": min(decades, key=lambda decade: (-decades[decade], decade)) * 10}
    if metric == "oldest_age_years":
        year, release = measures.oldest(owned) or (0, 0)
        return {"oldest": {"release_id": release, "title": measures.said(owned[release], "title"), "year": year}}
    if metric == "pressings":
        # Choice: a master goes by the title of the release that counted last, in a recount by that of the smallest id.
        master = int(context.removeprefix("master:"))
        smallest = min(release for release, facts in owned.items() if measures.master(facts) == master)
        title = measures.said(owned[smallest], "title") if titles is None else titles[master]
        return {"master_id": master, "master": title}
    if metric in ("label_coverage", "artist_coverage"):
        kind, id_ = context.split(":")
        total, name = TOTALS[kind, int(id_)]
        n = {"label": measures.owned_of_labels, "artist": measures.owned_of_artists}[kind](owned)[int(id_)]
        tenths = min(1000, 1000 * n // total)
        return {
            f"{kind}_id": int(id_),
            kind: name,
            "owned": n,
            "total": total,
            "percentage": tenths / 10,
            "as_of": AS_OF,
        }
    return {}


def _earned_with(user: User, item: Any) -> dict[str, Any]:
    if isinstance(item, int):
        return {"earned_with": {"release_id": item}}
    if "release" not in item:
        return {}
    # Choice: the title is the one that is counted; where the copy moved on inside the event, the user's own word.
    release = item["release"]["id"]
    owned, said = user.owned(), stated(user.events, release)
    title = measures.said(owned[release], "title") if release in owned else said.get("title", (None, None))[1]
    return {"earned_with": {"release_id": release, "title": title}}


def values(user: User, on: date) -> Values:
    """Every metric by context, as of a date; None where it is not known."""
    owned, oldest, joined = user.owned(), measures.oldest(user.owned()), joined_on(user.events)
    counts = {**measures.metrics_of(owned), **sizes(user.events)}
    return {
        **{metric: {"": counts[metric]} for metric in (*COUNTED, "reviews", "edits", "wishlist", "compares")},
        "oldest_age_years": {"": None if oldest is None else on.year - oldest[0]},
        "years_since_join": {"": None if joined is None else measures.full_years(joined, on)},
        # Measured by the lane of its own, which does not run beside the model.
        "hops": {"": None},
        "cluster_artists": {"": None},
        "pressings": {f"master:{master}": n for master, n in measures.pressings(owned).items()},
        "label_coverage": shares("label", measures.owned_of_labels(owned)),
        "artist_coverage": shares("artist", measures.owned_of_artists(owned)),
    }


def shares(kind: str, owned: Counter[Any]) -> dict[str, int | None]:
    """Percent of each catalogue that is large enough; Choice: rounded down, 100 at most."""
    known = {id_: total for (of, id_), (total, _) in TOTALS.items() if of == kind and total >= 5}
    return {f"{kind}:{id_}": min(100, 100 * n // known[id_]) for id_, n in owned.items() if id_ in known}


def _state(user: User) -> dict[str, Any]:
    owned, oldest, joined = user.owned(), measures.oldest(user.owned()), joined_on(user.events)
    return {
        "joined_on": None if joined is None else joined.isoformat(),
        "oldest_year": None if oldest is None else oldest[0],
        **measures.metrics_of(owned),
        **sizes(user.events),
        "pressings": {str(master): n for master, n in measures.pressings(owned).items() if n >= 2},
    }


# --- recomputed from a user's events ----------------------------------------------------------------------------------


def stamp(event: Event, item: int = 0) -> Stamp:
    """What decides who wrote last: time, then id, then source, then the later item."""
    return (event["time"], event["id"], event["source"], item)


def _write(written: dict[Any, tuple[Stamp, Any]], key: Any, when: Stamp, value: Any) -> None:
    if key not in written or written[key][0] < when:
        written[key] = (when, value)


def copies(events: list[Event]) -> dict[int, int | None]:
    """Instance -> release, None for a removed one: the last writer wins."""
    written: dict[int, tuple[Stamp, int | None]] = {}
    for event in events:
        if event["type"] in ("ownership.added", "ownership.removed"):
            for at, item in enumerate(event["data"]["items"]):
                release = item["release"]["id"] if event["type"] == "ownership.added" else None
                _write(written, item["instance_id"], stamp(event, at), release)
    return {instance: release for instance, (_, release) in written.items()}


def stated(events: list[Event], release: int) -> dict[str, tuple[Stamp, Any]]:
    """What a user's events say of a release: per field the newest word, whatever became of the copy."""
    written: dict[str, tuple[Stamp, Any]] = {}
    for event in events:
        for at, item in enumerate(event["data"]["items"] if event["type"] == "ownership.added" else ()):
            for name in FIELDS if item["release"]["id"] == release else ():
                if item["release"].get(name) is not None:
                    _write(written, name, stamp(event, at), item["release"][name])
    return written


def sizes(events: list[Event]) -> dict[str, int]:
    """The metrics over wishes (the last writer wins), reviews, edits and compares (sets)."""
    wishes: dict[int, tuple[Stamp, bool]] = {}
    for event in events:
        if event["type"] in ("wishlist.added", "wishlist.removed"):
            for at, release in enumerate(event["data"]["release_ids"]):
                _write(wishes, release, stamp(event, at), event["type"] == "wishlist.added")
    found = {kind: {event["data"][name] for event in events if event["type"] == kind} for kind, name in SETS.items()}
    return {
        "wishlist": sum(wished for _, wished in wishes.values()),
        "reviews": len(found["review.approved"]),
        "edits": len(found["edit.approved"]),
        "compares": len(found["compare.used"]),
    }


def joined_on(events: list[Event]) -> date | None:
    """The earliest UTC date of joining that was stated."""
    texts = [event["data"]["joined_at"] for event in events if event["type"] == "user.joined"]
    days = [
        date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text).astimezone(UTC).date()
        for text in texts
    ]
    return min(days, default=None)


def _items(event: Event) -> list[Any]:
    return event["data"].get("items") or event["data"].get("release_ids") or []


def _cut(event: Event, upto: int) -> Event:
    """The event with its first items alone."""
    name = "items" if "items" in event["data"] else "release_ids"
    return {**event, "data": {name: event["data"][name][:upto]}}
