"""What operators try and ask: dry runs, simulations, and why a user has a badge or has it not. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from pydantic import Field

from contracts import hot
from contracts.envelope import Event, InvalidEvent
from contracts.events.fields import MAX_LIST, Day, Moment, Text, UserIdText
from contracts.events.fields import Received as Body
from contracts.ids import is_user_id
from contracts.times import parse_day, parse_time
from services.api import examples, trial_examples
from services.api import why as whys
from services.api.answers import fresh_answer
from services.api.bodies import body_of
from services.api.models.trials import DryRun, Simulation
from services.api.models.why import Why
from services.api.problems import NOT_FOUND, Problem, invalid
from services.api.routes import admin, parts_of
from services.stores import collectors
from services.stores.postgres import Connection
from services.trial import dry_run as runs
from services.trial import events, simulate
from services.trial.knowledge import trial_knowledge
from services.why.answer import known
from services.worker.work import Knowledge

MOST_USERS: Final = 100

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin)])


class DryRunBody(Body):
    """An event that might come: for one user, or for a sample of them."""

    type: Text
    user: UserIdText | None = None
    sample: Annotated[int, Field(ge=1, le=MOST_USERS)] | None = None
    data: dict[str, Any] | None = Field(default=None, description="as the event carries it")
    time: Moment | None = Field(default=None, description="now if left out; never in the future")


class SimulateBody(Body):
    """Events to play, or a snapshot with other numbers, on a copy of a user or on nobody."""

    user: UserIdText | None = Field(default=None, description="whose copy; left out: from nothing")
    events: Annotated[list[Any], Field(max_length=MAX_LIST)] | None = Field(
        default=None, description="CloudEvents, in order"
    )
    set: dict[str, Any] | None = Field(default=None, description="values by metric, or by metric@context")
    on: Day | None = Field(default=None, description="the day until which time is moved")


_dry_run, _simulate = hot.HotDecoder(hot.struct(DryRunBody), ""), hot.HotDecoder(hot.struct(SimulateBody), "")
User = Annotated[str, InPath(description="User id.", examples=["ann"])]


@router.get(
    "/users/{user_id}/achievements/{achievement_id}/why",
    response_model=Why,
    responses=examples.responses(401, 403, 404, 422, 429, 503),
)
async def why(request: Request, user_id: User, achievement_id: whys.Key, context: whys.Context = "") -> Response:
    """Why a user has a badge, or has it not; of secret ones too."""
    if not is_user_id(user_id) or not await parts_of(request).reader.ask(known, user_id):
        raise _nobody(user_id)
    return await whys.answer(request, user_id, achievement_id, context, secrets_too=True)


@router.post(
    "/dry-run",
    response_model=DryRun,
    responses=examples.responses(401, 403, 404, 413, 422, 429, 503, kept=False),
    openapi_extra=examples.body("DryRunBody", trial_examples.DRY_RUN_BODY),
)
async def dry_run(request: Request) -> Response:
    """What an event would earn a user or a sample of users, as things stand; nothing is written."""
    body = await body_of(request, _dry_run)
    now = datetime.now(UTC)
    if (body.user is None) == (body.sample is None):
        raise invalid("user", "name a user, or how many users to sample")
    try:
        event = events.named(body.type, body.user or "nobody", body.data, _time(body.time) or now, now)
    except events.Future as error:
        raise invalid("time", str(error)) from None
    except InvalidEvent as error:
        raise invalid("data" if error.stage == "schema" else "type", error.reason) from None
    parts = parts_of(request)
    knowledge = trial_knowledge(parts.catalog)
    found, summary = await parts.patient.ask(_runs, knowledge, body.user, body.sample, event)
    if body.user is not None and not (found or summary.failed):
        raise _nobody(body.user)
    return fresh_answer({"runs": found, "summary": summary.shown()})


async def _runs(
    connection: Connection, knowledge: Knowledge, user: str | None, sample: int | None, event: Event
) -> tuple[list[dict[str, Any]], runs.Summary]:
    users: Sequence[str] = [user] if user is not None else await collectors.sample(connection, sample or 1)
    summary, found = runs.Summary(), []
    async for one in runs.dry_runs(connection, knowledge, users, event):
        summary.add(one)
        if "failed" not in one:
            found.append(one)
    return found, summary


@router.post(
    "/simulate",
    response_model=Simulation,
    responses=examples.responses(401, 403, 404, 413, 422, 429, 503, kept=False),
    openapi_extra=examples.body("SimulateBody", trial_examples.SIMULATE_BODY),
)
async def simulation(request: Request) -> Response:
    """Which awards events, other numbers or the passing of time would bring; nothing is written."""
    body = await body_of(request, _simulate)
    if body.events is not None and (body.set is not None or body.on is not None):
        raise invalid("events", "play events, or set numbers and a day, not both")
    parts = parts_of(request)
    catalog = parts.catalog
    try:
        if body.events is not None:
            lines = [(at, _line(one)) for at, one in enumerate(body.events, 1)]
            knowledge = trial_knowledge(catalog)
            timeline = await parts.patient.ask(simulate.play, knowledge, lines, body.user)
        else:
            overrides = simulate.overrides_of(body.set or {})
            today = datetime.now(UTC).date()
            timeline = await parts.patient.ask(simulate.travel, catalog, body.user, overrides, _day(body.on), today)
    except simulate.Unfit as unfit:
        raise invalid("set", str(unfit)) from None
    except simulate.UnknownUser:
        raise _nobody(body.user) from None
    return fresh_answer(
        {
            "timeline": timeline.entries,
            "played": timeline.played,
            "bad": [{"line": line, "reason": reason} for line, reason in timeline.bad],
            "repeated": timeline.repeated,
        }
    )


def _line(event: Any) -> bytes:
    try:
        return msgspec.json.encode(event)
    except OverflowError:  # whole numbers that nothing of ours takes: whoever reads the line says so
        return json.dumps(event).encode()


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _day(text: str | None) -> date | None:
    return None if text is None else parse_day(text)


def _nobody(user_id: str) -> Problem:
    return Problem(NOT_FOUND, f"Nothing is known of user {user_id[:64]!a}.")
