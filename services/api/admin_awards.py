"""What admins do to awards: grant, revoke, hide and sort them. Who does it is the token's `sub`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from contracts.events.fields import UserIdText
from services.api.admin_body import Body, body_of
from services.api.answers import fresh_answer
from services.api.auth import Identity
from services.api.problems import NOT_FOUND, UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.routes import LONGEST_CONTEXT, LONGEST_KEY, admin, parts_of
from services.manual import acts
from services.manual.acts import LONGEST_REASON, SORTS, Act, Done
from services.stores.postgres import Connection

Who = Annotated[Identity, Depends(admin)]
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]
Sort = Annotated[int, Field(ge=SORTS.start, le=SORTS.stop - 1)]

router = APIRouter(prefix="/api/admin/awards", include_in_schema=False)


class RevokeBody(Body):
    """Which award, and why."""

    user_id: UserIdText
    badge_key: str = Field(max_length=LONGEST_KEY)
    context: str = Field(default="", max_length=LONGEST_CONTEXT)
    reason: Reason


class GrantBody(RevokeBody):
    """Which award to whom, and why; `notify`: whether the user should be told."""

    notify: bool = True


class EditBody(RevokeBody):
    """What to set of an award; what is left out stays."""

    sort_override: Sort | None = None
    hidden: bool | None = None


@router.post("")
async def grant(request: Request, who: Who) -> Response:
    """Give a badge: 201 where it is new, 200 where it was there, revoked (it stands again) or not (nothing changes)."""
    body = await body_of(request, GrantBody)
    parts = parts_of(request)

    async def work(connection: Connection, act: Act) -> Done:
        return await acts.grant(connection, parts.catalog, act, notify=body.notify)

    done = await _done(request, work, body, who)
    return fresh_answer(done.shown(), 201 if done.outcome == "granted" else 200)


@router.post("/revoke")
async def revoke(request: Request, who: Who) -> Response:
    """Take a badge; a second time nothing changes."""
    body = await body_of(request, RevokeBody)
    catalog = parts_of(request).catalog

    async def work(connection: Connection, act: Act) -> Done:
        return await acts.revoke(connection, catalog, act)

    done = await _done(request, work, body, who)
    return fresh_answer(done.shown())


@router.patch("")
async def edit(request: Request, who: Who) -> Response:
    """Hide an award, or sort it elsewhere; nobody is told."""
    body = await body_of(request, EditBody)
    catalog = parts_of(request).catalog
    changes: dict[str, Any] = body.model_dump(include={"sort_override", "hidden"}, exclude_unset=True)
    if changes.get("hidden", False) is None:
        raise invalid("hidden", "true or false")

    async def work(connection: Connection, act: Act) -> Done:
        return await acts.edit(connection, catalog, act, changes)

    done = await _done(request, work, body, who)
    return fresh_answer(done.shown())


async def _done(request: Request, work: Any, body: RevokeBody, who: Identity) -> Done:
    """What became of the act.

    Raises:  Problem 404 naming the user, badge or award that is not there, 422 naming what is wrong.
    """
    try:
        act = Act(body.user_id, body.badge_key, body.context, body.reason, who.user_id, datetime.now(UTC))
        done: Done = await parts_of(request).writer.ask(work, act)
    except acts.Unknown as unknown:
        raise Problem(UNKNOWN_ACHIEVEMENT if unknown.badge else NOT_FOUND, str(unknown)) from None
    except acts.Unfit as unfit:
        raise invalid(unfit.parameter, str(unfit)) from None
    return done
