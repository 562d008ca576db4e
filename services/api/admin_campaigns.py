"""Campaigns for admins: start, list, show, pause, resume, cancel, roll back. Who does it is the token's `sub`."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from pydantic import Field

from services.api.admin_body import Body, body_of
from services.api.answers import fresh_answer
from services.api.auth import Identity
from services.api.problems import CONFLICT, NOT_FOUND, Problem, invalid
from services.api.routes import admin, parts_of
from services.campaigns import acts
from services.campaigns.acts import DEFAULT_RATE, MOST_RATE, Overlap, UnknownCampaign, WrongState
from services.campaigns.sample import MOST as MOST_TRIED
from services.campaigns.sample import Trial, trial
from services.campaigns.scope import NothingToEarn, UnknownScope, target
from services.campaigns.shown import shown
from services.stores import campaigns
from services.stores.campaigns import Campaign, Notify, Scope
from services.stores.postgres import Connection
from services.worker.work import Knowledge

LONGEST: Final = 128
Who = Annotated[Identity, Depends(admin)]
Id = Annotated[str, InPath(max_length=LONGEST, description="A campaign's id.")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]

router = APIRouter(prefix="/api/admin/campaigns", dependencies=[Depends(admin)], include_in_schema=False)


class StartBody(Body):
    """For whom and what, how fast, and why; with `dry_run` a sample is evaluated and nothing begins."""

    scope: Scope
    value: str = Field(default="", max_length=LONGEST)
    notify: Notify = "none"
    rate: float = Field(default=DEFAULT_RATE, gt=0, le=MOST_RATE)
    reason: Reason
    dry_run: bool = False
    sample: int = Field(default=MOST_TRIED, ge=0, le=MOST_TRIED)


class RollbackBody(Body):
    """Why, and that it is meant."""

    reason: Reason
    confirm: bool = False


@router.post("")
async def start(request: Request, who: Who) -> Response:
    """Begin a campaign: 201; 409 where another one is at work on one of its badges."""
    body = await body_of(request, StartBody)
    parts, catalog = parts_of(request), parts_of(request).catalog
    if (body.scope == "all") == bool(body.value):
        raise invalid("value", "name the user, badge, trigger or family; of `all` nothing")
    if body.dry_run:
        knowledge = Knowledge(catalog, erasure_key=b"", owner="api")
        tried = await _possible(parts.reader.ask(_try, knowledge, body.scope, body.value, body.sample))
        return fresh_answer(tried.as_dict())

    async def work(connection: Connection) -> Campaign:
        return await acts.start(
            connection,
            catalog,
            scope=body.scope,
            value=body.value,
            notify=body.notify,
            rate=body.rate,
            by=who.user_id,
            reason=body.reason,
        )

    return fresh_answer(_shown(await _possible(parts.writer.ask(work))), 201)


@router.get("")
async def list_campaigns(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """All campaigns, the newest first."""
    found = await parts_of(request).reader.ask(campaigns.show, None, limit)
    return fresh_answer({"campaigns": [_shown(one) for one in found]})


@router.get("/{campaign_id}")
async def show(request: Request, campaign_id: Id) -> Response:
    """One campaign: how far it is, what it has given, when it will probably end."""
    return fresh_answer(_shown(await _possible(parts_of(request).reader.ask(acts.one, campaign_id))))


@router.post("/{campaign_id}/pause")
async def pause(request: Request, campaign_id: Id, who: Who) -> Response:
    """Send no more for now; 409 where it does not run."""
    return fresh_answer(_shown(await _possible(parts_of(request).writer.ask(acts.pause, campaign_id, by=who.user_id))))


@router.post("/{campaign_id}/resume")
async def resume(request: Request, campaign_id: Id, who: Who) -> Response:
    """Go on; 409 where it is not paused."""
    return fresh_answer(_shown(await _possible(parts_of(request).writer.ask(acts.resume, campaign_id, by=who.user_id))))


@router.post("/{campaign_id}/cancel")
async def cancel(request: Request, campaign_id: Id, who: Who) -> Response:
    """End it; what it gave stands."""
    return fresh_answer(_shown(await _possible(parts_of(request).writer.ask(acts.cancel, campaign_id, by=who.user_id))))


@router.post("/{campaign_id}/rollback")
async def rollback(request: Request, campaign_id: Id, who: Who) -> Response:
    """Take back what it gave. Without `confirm` nothing is done, and the answer says what would be."""
    body = await body_of(request, RollbackBody)
    parts = parts_of(request)
    if not body.confirm:
        awards, users = await _possible(parts.reader.ask(acts.at_stake, campaign_id))
        raise invalid("confirm", f"{awards} awards of {users} users will be revoked: send true where that is meant")
    work = parts.writer.ask(acts.rollback, campaign_id, by=who.user_id, reason=body.reason)
    return fresh_answer(_shown(await _possible(work)))


async def _try(connection: Connection, knowledge: Knowledge, scope: Scope, value: str, sample: int) -> Trial:
    return await trial(connection, knowledge, await target(connection, knowledge.catalog, scope, value), sample)


async def _possible(work: Awaitable[Any]) -> Any:
    """What the work answers.

    Raises:  Problem 404 naming what is not there, 409 where the state forbids it, 422 where nothing can be earned.
    """
    try:
        return await work
    except (UnknownCampaign, UnknownScope) as unknown:
        raise Problem(NOT_FOUND, str(unknown)) from None
    except (WrongState, Overlap) as conflict:
        raise Problem(CONFLICT, str(conflict)) from None
    except NothingToEarn as nothing:
        raise invalid("value", str(nothing)) from None


def _shown(campaign: Campaign) -> dict[str, Any]:
    return shown(campaign, datetime.now(UTC))
