"""From stored awards and the catalog to the answers of the read service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import msgspec

from catalog.definition import BadgeDefinition, Coverage, Criterion, Tenure, Threshold
from catalog.icon import badge_svg, digest
from catalog.index import Catalog
from contracts.snapshot import Occasion
from contracts.times import rfc3339
from evaluators.coverage import percentage
from evaluators.progress import NEAREST_CONTEXTS, progress
from services import cursors
from services.api.rarity import rarity
from services.cursors import NoMark
from services.stores.achievements import Award, Counted, Detail, Held, Page, Place, Summary, moment
from services.stores.standings import Standing

Json: TypeAlias = dict[str, Any]

RETIRED: Final = "retired"
_UNKNOWN: Final = rarity(None, None)
# A cursor's numbers as PostgreSQL's integer and our years 1 … 9999 hold them.
_SCORES: Final = range(-(2**31), 2**31)
_TIMES: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)


class View:
    """The catalog, ready to be shown.

    Shape:   `scores` are all badge keys and their sort scores, `places` the same as a JSON object, `ladders` those with
             family and step in it;
             `master_badges` and `highest` the badges earned per master and the last of their targets, `coverage` those
             of a share: key, label or artist, percent, smallest total.
    """

    nearest: Final = NEAREST_CONTEXTS

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        badges = catalog.badges.values()
        self.scores = ([badge.key for badge in badges], [badge.sort_score for badge in badges])
        self.places = msgspec.json.encode(dict(zip(*self.scores, strict=True))).decode()
        self.ladders = (
            self.scores[0],
            [badge.family for badge in badges],
            [badge.tier_index for badge in badges],
            self.scores[1],
        )
        masters = [badge for badge in badges if badge.context_kind == "master"]
        self.master_badges = [badge.key for badge in masters]
        self.highest = max((target_of(badge.criterion) or 1 for badge in masters), default=1)
        shares = [(badge, badge.criterion) for badge in badges if isinstance(badge.criterion, Coverage)]
        self.coverage = (
            [badge.key for badge, _ in shares],
            [criterion.of for _, criterion in shares],
            [criterion.percent for _, criterion in shares],
            [criterion.min_total for _, criterion in shares],
        )
        self._faces = {badge.key: _face(badge) for badge in badges}
        self._families = {name: [tier.key for tier in tiers] for name, tiers in catalog.families.items()}

    def family(self, key: str) -> list[str]:
        """The keys of all tiers of the badge's family; of an unknown badge the key alone."""
        badge = self.catalog.badges.get(key)
        return [key] if badge is None else self._families[badge.family]

    def page(self, page: Page) -> Json:
        """The list of achievements."""
        rare = _rarities(page.held, page.collectors)
        return {
            "achievements": [self._achievement(award, rare.get(award.badge_key, _UNKNOWN)) for award in page.awards],
            "stats": self._stats(page.held, page.rarest, rare),
            "next_cursor": cursor_of(page.awards[-1]) if page.more else None,
        }

    def summary(self, summary: Summary) -> Json:
        """The statistics with the newest award."""
        rare = _rarities(summary.held, summary.collectors)
        newest = summary.most_recent
        return {
            **self._stats(summary.held, summary.rarest, rare),
            "most_recent": None if newest is None else self._achievement(newest, rare.get(newest.badge_key, _UNKNOWN)),
        }

    def detail(self, key: str, detail: Detail) -> Json | None:
        """One badge with its awards and its ladder; None where the user must not know of it."""
        badge = self.catalog.badges.get(key)
        first = detail.first
        if first is None and (badge is None or badge.secret):
            return None
        if first is None:
            face, rest = self._faces[key]
            shown: Json = {**face, "unlocked_at": None, "evidence": None, "context": ""}
            # What nobody holds has no row, once there are rows.
            holders = detail.holders or (None if detail.collectors is None else Counted(0, None))
            shown |= {"rarity": rarity(holders, detail.collectors), **rest, "source": None}
        else:
            shown = self._achievement(first, rarity(detail.holders, detail.collectors, detail.rank))
        tiers = () if badge is None else self.catalog.families[badge.family]
        return {
            **shown,
            "earned": first is not None,
            "awards": [
                {
                    "context": award.context,
                    "unlocked_at": rfc3339(moment(award.at)),
                    "source": award.source,
                    "evidence": award.evidence,
                    "today": _today(detail.today.get(award.context)),
                }
                for award in detail.awards
            ],
            "ladder": [
                _rung(tier, detail.since.get(tier.key))
                for tier in tiers
                if tier.key in detail.since or not (tier.secret or tier.retired)
            ],
            "next_cursor": cursor_of(detail.awards[-1]) if detail.more else None,
        }

    def progress(self, standing: Standing | None, now: datetime, limit: int) -> Json:
        """The next tiers, nearest first, as of the UTC date of `now`."""
        if standing is None:
            return {"in_progress": []}
        occasion = Occasion("", now, now.date())
        entries = progress(self.catalog, standing.collector, occasion, standing.awarded, limit)
        return {
            "in_progress": [
                {
                    "id": entry.id,
                    "name": entry.name,
                    "category": entry.badge.category,
                    "next_tier": entry.next_tier,
                    "context": entry.context,
                    "current": entry.current,
                    "target": entry.target,
                    "remaining": entry.remaining if entry.reachable and entry.current is not None else None,
                    "reachable": entry.reachable,
                    "ceiling": entry.ceiling,
                    "reason": entry.reason,
                    "hint": entry.hint,
                    # Titles of masters are known from awards only; unknown is left out.
                    "evidence": {name: value for name, value in entry.evidence.items() if value is not None},
                    "icon": self._faces[entry.id][1]["icon"],
                }
                for entry in entries
            ]
        }

    def achievement(self, award: Award) -> Json:
        """One award, as it stands in the list but for how rare it is."""
        return self._achievement(award, _UNKNOWN)

    def _achievement(self, award: Award, rare: Json) -> Json:
        face, rest = self._faces.get(award.badge_key) or _retired_face(award.badge_key)
        return {
            **face,
            "unlocked_at": moment(award.at),  # msgspec writes it as rfc3339 does, in a tenth of the time
            "evidence": award.evidence,
            "context": award.context,
            "rarity": rare,
            **rest,
            "source": award.source,
        }

    def _stats(self, held: Iterable[Held], rarest: Award | None, rare: Mapping[str, Json]) -> Json:
        total = 0
        categories: dict[str, int] = {}
        for one in held:
            badge = self.catalog.badges.get(one.badge_key)
            category = RETIRED if badge is None else badge.category
            categories[category] = categories.get(category, 0) + one.awards
            total += one.awards
        return {
            "total_earned": total,
            "by_category": dict(sorted(categories.items())),
            "rarest": None if rarest is None else self._achievement(rarest, rare[rarest.badge_key]),
        }


def target_of(criterion: Criterion) -> int | None:
    """The number that a badge asks for; None where it is not one number."""
    match criterion:
        case Threshold():
            return criterion.at_least
        case Coverage():
            return criterion.percent
        case Tenure():
            return criterion.years
        case _:
            return None


def icon_path(badge: BadgeDefinition, *, locked: bool = False) -> str:
    """Where the badge's picture is served, its content named."""
    named = digest(badge_svg(badge, locked=locked))
    return f"/badges/{badge.key}.svg?{'locked=1&' if locked else ''}v={named}"


def cursor_of(award: Award) -> str:
    """The place behind this award as a cursor."""
    return cursors.cursor_of(Place(award.score, award.at, award.badge_key, award.context))


def place_of(cursor: str) -> Place:
    """The place that `cursor_of` wrote.

    Raises:  NoMark for anything else.
    """
    place = cursors.mark_of(cursor, Place)
    if place.score not in _SCORES or place.at not in _TIMES:
        raise NoMark
    return place


def _rarities(held: Iterable[Held], collectors: Counted | None) -> dict[str, Json]:
    return {
        one.badge_key: rarity(
            None if one.holders is None else Counted(one.holders, one.active_holders), collectors, one.rank
        )
        for one in held
    }


def _face(badge: BadgeDefinition) -> tuple[Json, Json]:
    first = {
        "id": badge.key,
        "category": badge.category,
        "name": badge.name,
        "tier": badge.tier,
        "description": badge.description,
    }
    return first, {"hidden_until_earned": badge.hidden_until_earned, "icon": icon_path(badge)}


def _retired_face(key: str) -> tuple[Json, Json]:
    """Earned is kept: an award of a badge that this catalog does not know is shown with what is stored."""
    first = {"id": key, "category": RETIRED, "name": key, "tier": None, "description": "No longer in the catalog."}
    return first, {"hidden_until_earned": False, "icon": None}


def _today(found: tuple[int, int, date] | None) -> Json | None:
    """How the share of an award stands now: catalogues grow, records are sold."""
    if found is None:
        return None
    owned, total, as_of = found
    return {"owned": owned, "total": total, "percentage": percentage(owned, total), "as_of": as_of.isoformat()}


def _rung(badge: BadgeDefinition, since: int | None) -> Json:
    return {
        "id": badge.key,
        "tier": badge.tier,
        "target": target_of(badge.criterion),
        "earned": since is not None,
        "unlocked_at": None if since is None else rfc3339(moment(since)),
    }
