"""Promotion for admins: a badge leaves the shadow. Who does it is the token's `sub`."""

from __future__ import annotations

import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath

from catalog.definition import BadgeDefinition
from catalog.index import Catalog
from services.api.admin_body import Body, body_of
from services.api.answers import fresh_answer
from services.api.auth import Identity
from services.api.problems import CONFLICT, UNKNOWN_ACHIEVEMENT, Problem, invalid
from services.api.routes import LONGEST_KEY, admin, parts_of
from services.shadows.promotion import StillShadow, check, promote
from services.stores import shadows
from services.stores.postgres import Connection
from services.stores.shadows import Kept

SECONDS: Final = 2.0  # how long one request works; what is left by then is said
Who = Annotated[Identity, Depends(admin)]
Key = Annotated[str, InPath(max_length=LONGEST_KEY, description="A badge's key.")]

router = APIRouter(prefix="/api/admin/catalog", dependencies=[Depends(admin)], include_in_schema=False)


class PromoteBody(Body):
    """Whether users should be notified; with `dry_run` it is only counted; `confirm` says that it is meant."""

    notify: bool = False
    dry_run: bool = False
    confirm: bool = False


@router.post("/{badge_key}/promote")
async def promotion(request: Request, badge_key: Key, who: Who) -> Response:
    """Show and publish what was kept of a badge; where `left` is not 0, ask again. 422 without `confirm`."""
    body = await body_of(request, PromoteBody)
    parts = parts_of(request)
    badge = parts.catalog.badges.get(badge_key)
    if badge is None:
        raise Problem(UNKNOWN_ACHIEVEMENT, f"There is no badge {badge_key!r}.")
    done = await parts.reader.ask(shadows.count, badge_key)
    left = sum(done)
    if not body.dry_run:
        try:
            check(badge)
        except StillShadow as still:
            raise Problem(CONFLICT, str(still)) from None
        if not body.confirm:
            raise invalid("confirm", f"{done.awards} awards will be shown and told: send true where that is meant")
        done, left = await parts.writer.ask(_promote, parts.catalog, badge, notify=body.notify, by=who.user_id)
    answer = {"badge_key": badge_key, "dry_run": body.dry_run, **done._asdict(), "left": left, "notify": body.notify}
    return fresh_answer(answer)


async def _promote(
    connection: Connection, catalog: Catalog, badge: BadgeDefinition, *, notify: bool, by: str
) -> tuple[Kept, int]:
    until = time.monotonic() + SECONDS
    done = Kept(0, 0)
    async for page in promote(connection, catalog, badge, notify=notify, by=by):
        done = Kept(done.awards + page.awards, done.revoked + page.revoked)
        if time.monotonic() > until:
            break
    return done, sum(await shadows.count(connection, badge.key))
