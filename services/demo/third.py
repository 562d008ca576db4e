"""The third act: why a badge is missing, what selling and buying would do, and a campaign for years of membership."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from catalog.definition import BadgeDefinition, Tenure
from catalog.index import load_catalog
from contracts.snapshot import full_years
from services.api.tokens import mint
from services.demo import catalogue, data
from services.demo.http import ADMIN, LIST, Api
from services.demo.outcome import Campaigned, Told, Tried
from services.demo.published import Published
from services.demo.second import Stage
from services.demo.words import counted
from services.importer.rows import derived_instance
from services.stores import awards, looking
from services.stores.positions import Positions

FAMILY: Final = "anniversary"
ASKED: Final = "world-collector-silver"
WANTED: Final = "label-loyalist-platinum"
CONTEXT: Final = f"label:{catalogue.LABEL}"
RATE: Final = 100.0
PAGE: Final = 500
SOLD: Final = (14220567, 14220590)  # the collector's only records of their countries

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Third:
    """What the third act has to tell: answers of the API as they came, the campaign's awards as they were published,
    each collector's list after it and the rarest of it."""

    why: Json
    bought: Json
    sold: Json
    campaign: Json
    given: list[Json]
    achievements: dict[str, list[Json]]
    rarest: dict[str, Json]
    tried: Tried
    campaigned: Campaigned
    told: Told

    @property
    def wanted(self) -> Json | None:
        """The badge that everything was bought for, as it would be earned."""
        return _wanted(self.bought)


async def play(stage: Stage, api: Api, published: Published, collectors: Sequence[str]) -> Third:
    """Why, what if and a campaign, to the end of what followed from it.

    Raises:  NotInTime, ProcessEnded, ApiRefused.
    """
    tokens = {name: mint(stage.options, name) for name in collectors}
    why = (await api.get(f"{LIST}/{ASKED}/why", tokens[data.COPIES_OF])).body
    bought, sold, tried = await _try(stage, api, tokens)
    stage.screen.done(f"{counted(tried.missing, 'releases')} tried, {len(SOLD)} records as good as sold")
    campaign = await _campaign(stage, api)
    stage.screen.done(f"a campaign swept {counted(campaign['done'], 'collectors')}")
    await _count_holders(stage)
    stage.screen.done("holders of each badge counted")
    given = await _given(stage, published, campaign)
    bodies = {name: (await api.get(f"{LIST}?limit={PAGE}", token)).body for name, token in tokens.items()}
    lists = {name: body["achievements"] for name, body in bodies.items()}
    return Third(
        why=why,
        bought=bought,
        sold=sold,
        campaign=campaign,
        given=given,
        achievements=lists,
        rarest={name: body["stats"]["rarest"] for name, body in bodies.items()},
        tried=tried,
        campaigned=campaigned(campaign, given, lists, due(datetime.now(UTC).date())),
        told=told(lists),
    )


async def _try(stage: Stage, api: Api, tokens: dict[str, str]) -> tuple[Json, Json, Tried]:
    """Everything that is missing for a tier, all but one of it, and two records sold."""
    before = await awards.ids(stage.connection)
    buyer, seller = tokens[catalogue.COLLECTOR], tokens[data.COMPOSED]
    asked = (await api.get(f"{LIST}/{WANTED}/missing?context={CONTEXT}&limit=1", buyer)).body
    needed: int = asked["needed"]
    asked = (await api.get(f"{LIST}/{WANTED}/missing?context={CONTEXT}&limit={needed}", buyer)).body
    releases = [{"id": one["release_id"]} for one in asked["missing"]]
    bought = (await api.post(f"{LIST}/what-if", buyer, {"add": releases})).body
    less = (await api.post(f"{LIST}/what-if", buyer, {"add": releases[:-1]})).body
    copies = [derived_instance(data.COMPOSED, release, "", 1) for release in SOLD]
    sold = (await api.post(f"{LIST}/what-if", seller, {"remove": copies})).body
    found = Tried(
        missing=needed,
        with_all=_wanted(bought) is not None,
        with_one_less=_wanted(less) is not None,
        left=[one["name"] for one in sold["loses"]],
        changed=len(before ^ await awards.ids(stage.connection)),
    )
    return bought, sold, found


def _wanted(answer: Json) -> Json | None:
    return next((one for one in answer["gains"] if (one["id"], one["context"]) == (WANTED, CONTEXT)), None)


async def _campaign(stage: Stage, api: Api) -> Json:
    """A campaign from its start to its end."""
    operator = mint(stage.options, "operator", role="admin")
    wanted = {"scope": "family", "value": FAMILY, "rate": RATE, "reason": "years that nobody was told of"}
    started: Json = (await api.post(ADMIN, operator, wanted)).body
    found = started

    async def done() -> Positions | None:
        nonlocal found
        found = (await api.get(f"{ADMIN}/{started['campaign_id']}", operator)).body
        return await stage.watch.look() if found["state"] == "done" else None

    await stage.watch.until_true(done, "the campaign")
    await stage.settled(with_graph=False)
    return found


async def _count_holders(stage: Stage) -> None:
    """What the scheduler does once a day; and the relay, whose next count may have begun before the campaign's end."""
    counting = stage.crew.start("holders", "cron", "run", "holders", "--json", ends=(0,))
    for _ in range(2):
        _, before = await looking.holders(stage.connection)

        async def again(before: datetime | None = before) -> Positions | None:
            _, now = await looking.holders(stage.connection)
            return await stage.watch.look() if now != before else None

        await stage.watch.until_true(again, "a count of holders")
    await stage.watch.until(lambda _: counting.child.poll() is not None, "the day's count of holders")


async def _given(stage: Stage, published: Published, campaign: Json) -> list[Json]:
    """The campaign's awards as everybody hears of them, by user and date."""

    def found() -> list[Json]:
        return [one for one in published.of_campaigns.values() if one["campaign_id"] == campaign["campaign_id"]]

    await stage.watch.until(lambda _: len(found()) >= campaign["awards"], "the campaign's awards on badge.awarded")
    return sorted(found(), key=lambda one: (one["user_id"], one["awarded_at"]))


def joins() -> dict[str, date]:
    """When each collector joined."""
    return {one["user"]: date.fromisoformat(one["joined_at"]) for one in data.activity()["joined"]}


def tenures() -> dict[str, int]:
    """The years that each badge of the family asks for."""

    def years(badge: BadgeDefinition) -> int:
        assert isinstance(badge.criterion, Tenure)
        return badge.criterion.years

    return {badge.key: years(badge) for badge in load_catalog().families[FAMILY]}


def due(today: date) -> dict[tuple[str, str], date]:
    """Which years of membership are full, by user and badge, and since when; the joins are on no 29 February."""
    return {
        (user, key): joined.replace(year=joined.year + years)
        for user, joined in joins().items()
        for key, years in tenures().items()
        if full_years(joined, today) >= years
    }


def campaigned(
    campaign: Json, given: Sequence[Json], achievements: dict[str, list[Json]], full: dict[tuple[str, str], date]
) -> Campaigned:
    """What the campaign came to, beside the calendar."""
    dated = [full.get((one["user_id"], one["badge"]["key"])) == _day(one) for one in given]
    keys = tenures()
    have = {(user, one["id"]) for user, found in achievements.items() for one in found if one["id"] in keys}
    return Campaigned(
        state=campaign["state"],
        users=campaign["done"],
        awards=campaign["awards"],
        published=len(given),
        to_the_day=sum(dated),
        notified=sum(one["notify"] for one in given),
        due=len(full),
        amiss=len(have ^ full.keys()),
    )


def _day(award: Json) -> date:
    return date.fromisoformat(award["awarded_at"][:10])


def told(achievements: dict[str, list[Json]]) -> Told:
    """What is said of rarity, beside the collectors' own lists: they are all collectors that there are."""
    holders: dict[str, set[str]] = {}
    ranks: dict[str, dict[str, int]] = {}
    for user, found in achievements.items():
        for one in found:
            holders.setdefault(one["id"], set()).add(user)
            if one["rarity"]["rank"] is not None:
                ranks.setdefault(one["id"], {})[user] = one["rarity"]["rank"]
    said = [one for found in achievements.values() for one in found]
    return Told(
        badges=len(holders),
        wrong=sum(one["rarity"]["holders"] != len(holders[one["id"]]) for one in said),
        percentages=sum("%" in (one["rarity"]["text"] or "%") for one in said),
        ranks=sum(map(len, ranks.values())),
        twice=sum(len(found) - len(set(found.values())) for found in ranks.values()),
    )
