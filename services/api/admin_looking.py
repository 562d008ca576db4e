"""What admins look at: the catalog, triggers, awards as they come, histories, holders, dead letters, exports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from contracts.events.rejection import Stage
from contracts.ids import is_user_id
from contracts.times import parse_time
from services.alarms.listing import listed
from services.api.answers import json_answer
from services.api.problems import NOT_FOUND, Problem, invalid
from services.api.rarity import share
from services.api.routes import LONGEST_CURSOR, LONGEST_KEY, admin, parts_of
from services.cursors import NoMark, mark_of
from services.looking import awards, badges, export
from services.looking.awards import LogMark
from services.looking.badges import NoSuch, Visibility
from services.stores import looking
from services.stores.alarms import AlarmMark
from services.stores.looking import FeedMark, HistoryMark, LetterMark, Row

PAGE: Final = 100
LONGEST_PAGE: Final = 500
FEED_HOURS: Final = 24

Name = Annotated[str | None, Query(max_length=LONGEST_KEY)]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]
Cursor = Annotated[str | None, Query(max_length=LONGEST_CURSOR)]
Since = Annotated[str | None, Query(max_length=64, description="RFC 3339.")]
M = TypeVar("M", bound=msgspec.Struct)

router = APIRouter(prefix="/api/admin", dependencies=[Depends(admin)], include_in_schema=False)


@router.get("/catalog")
async def catalog(
    request: Request, family: Name = None, trigger: Name = None, visibility: Visibility | None = None
) -> Response:
    """Badges with their rules in words, what triggers them, and how many hold them."""
    parts = parts_of(request)
    try:
        found = badges.chosen(parts.catalog, family, trigger, visibility)
    except NoSuch as error:
        raise Problem(NOT_FOUND, str(error)) from None
    counted, as_of = await parts.reader.ask(badges.counted, parts.catalog)
    collectors = counted.get("")
    shown = []
    for badge in found:
        held = None if as_of is None else counted.get(badge.key, 0)
        shown.append(badges.shown(badge) | {"rarity": {"holders": held, "share": share(held, collectors)}})
    return json_answer(request, {"badges": shown})


@router.get("/triggers")
async def triggers(request: Request) -> Response:
    """Which badges each topic may earn; those that earn none are marked."""
    return json_answer(request, {"triggers": badges.triggers(parts_of(request).catalog)})


@router.get("/holders")
async def holders(request: Request) -> Response:
    """How many hold each badge, and which tiers look odd beside the one before."""
    parts = parts_of(request)
    counted, as_of = await parts.reader.ask(badges.counted, parts.catalog)
    return json_answer(request, badges.holders(parts.catalog, counted, as_of))


@router.get("/users/{user_id}/history")
async def history(request: Request, user_id: str, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """What a user was given, and what was done by hand, the newest first."""
    mark = _mark(cursor, HistoryMark) or HistoryMark()
    found = None
    if is_user_id(user_id):
        found = await parts_of(request).reader.ask(awards.history, user_id, mark, limit)
    if found is None:
        raise Problem(NOT_FOUND, f"Nothing is known of user {user_id[:64]!a}.")
    return json_answer(request, found)


@router.get("/awards")
async def feed(
    request: Request,
    since: Since = None,
    trigger: Name = None,
    badge: Name = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Awards of the last 24 hours, or since a time, the newest first; a cursor goes on with the time it began with."""
    parts = parts_of(request)
    _check(request, trigger=trigger, badge=badge)
    now = datetime.now(UTC)
    mark = _mark(cursor, FeedMark) or FeedMark(_since(since, now) or now - timedelta(hours=FEED_HOURS))
    return json_answer(request, await parts.reader.ask(awards.feed, mark, trigger, badge, limit))


@router.get("/awards/log")
async def log(
    request: Request, user: Name = None, badge: Name = None, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """What was done by hand, the newest first."""
    _check(request, badge=badge)
    if user is not None and not is_user_id(user):
        raise invalid("user", "expected 1 to 64 of A-Z a-z 0-9 _ . : @ -", "query")
    mark = _mark(cursor, LogMark)
    return json_answer(request, await parts_of(request).reader.ask(awards.acts, mark, user, badge, limit))


@router.get("/awards/export")
async def export_awards(
    request: Request,
    form: Annotated[export.Format, Query(alias="format")] = "csv",
    since: Since = None,
    badge: Name = None,
) -> Response:
    """All awards, or those since a time or of a badge, revoked ones included, by user, badge and context."""
    parts = parts_of(request)
    _check(request, badge=badge)
    start = _since(since, datetime.now(UTC)) or export.BEGINNING

    async def ask(after: tuple[str, str, str], limit: int) -> Sequence[Row]:
        return await parts.reader.ask(looking.awards, after, start, badge, limit)

    # The first page is read before the answer begins, so that a server that is away is still a problem.
    pieces = export.pieces(ask, form)
    head = await anext(pieces) + await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for piece in pieces:
            yield piece

    return StreamingResponse(
        whole(),
        media_type=export.MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="awards.{form}"', "Cache-Control": "no-store"},
    )


@router.get("/dead-letters")
async def letters(
    request: Request, topic: Name = None, stage: Stage | None = None, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """Records that could not be accepted, the newest first, without what stood in them."""
    _check(request, topic=topic)
    mark = _mark(cursor, LetterMark) or LetterMark()
    return json_answer(request, await parts_of(request).reader.ask(awards.letters, mark, topic, stage, limit))


@router.get("/alarms")
async def alarms(request: Request, ended: bool = False, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Alarms that stand, the newest first; with `ended` those that have ended, too."""
    mark = _mark(cursor, AlarmMark) or AlarmMark()
    return json_answer(request, await parts_of(request).reader.ask(listed, mark, limit, ended=ended))


def _check(request: Request, trigger: str | None = None, badge: str | None = None, topic: str | None = None) -> None:
    try:
        awards.check(parts_of(request).catalog, trigger, badge, topic)
    except NoSuch as error:
        raise Problem(NOT_FOUND, str(error)) from None


def _mark(cursor: str | None, kind: type[M]) -> M | None:
    """The place that a cursor names.

    Raises:  Problem 422 for one that we did not give.
    """
    try:
        return None if cursor is None else mark_of(cursor, kind)
    except NoMark as error:
        raise invalid("cursor", str(error), "query") from None


def _since(text: str | None, now: datetime) -> datetime | None:
    try:
        since = None if text is None else parse_time(text)
    except ValueError as error:
        raise invalid("since", str(error), "query") from None
    if since is not None and since > now:
        raise invalid("since", "lies in the future", "query")
    return since
