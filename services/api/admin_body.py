"""Bodies of what admins send: read when it is clear who sends them, with fields that are strict and all known."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect

from services.api.bodies import raw_body
from services.api.problems import INVALID, Problem, invalid


class Body(BaseModel):
    """What may be sent: these fields and no others, a number in quotes is not a number."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


T = TypeVar("T", bound=Body)


async def body_of(request: Request, model: type[T]) -> T:
    """The body as the model reads it.

    Raises:  Problem 422 naming each field and its fault.
    """
    try:
        return model.model_validate_json(await raw_body(request))
    except (TimeoutError, ClientDisconnect):
        raise invalid("", "the body ended too early or came too slowly") from None
    except ValidationError as error:
        faults = [
            (".".join(str(part) for part in fault["loc"])[:128], fault["msg"])
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        detail = "; ".join(f"{name or 'body'}: {fault}" for name, fault in faults)
        errors = [{"in": "body", "parameter": _plain(name), "detail": _plain(fault)} for name, fault in faults]
        raise Problem(INVALID, _plain(detail), errors=errors) from None


def _plain(text: str) -> str:
    """The text without what no JSON can carry."""
    return text.encode("utf-8", "replace").decode()
