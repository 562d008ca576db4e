"""The field types and the two base classes that all event models are made of.

A `Received` event ignores unknown fields, so that producers can grow; a `Published` one forbids them, so that nothing
is published by accident. Checks that no bound expresses are functions that return their argument: `contracts.hot` runs
the very same ones.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from contracts.ids import MAX_ID, MAX_ITEMS, MAX_OBJECT_ID, MAX_TEXT, USER_ID_PATTERN, is_user_id
from contracts.times import check_day, check_day_or_time, check_lenient, check_time

NO_NUL: Final = "NUL and lone surrogates are not allowed in text"


class Received(BaseModel):
    """An event that other systems write: strict types, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class Published(BaseModel):
    """An event that we write: strict types, unknown fields forbidden."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def check_no_nul(value: Any) -> Any:
    """The text or the evidence itself, when PostgreSQL can store it: no NUL character in any text."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError(NO_NUL)
    if isinstance(value, dict):
        for name, element in value.items():
            check_no_nul(name)
            check_no_nul(element)
    elif isinstance(value, list):
        for element in value:
            check_no_nul(element)
    return value


def check_user_id(text: str) -> str:
    """The text itself, when it is a user id."""
    if not is_user_id(text):
        raise ValueError("expected 1 to 64 of A-Z a-z 0-9 _ . : @ -")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(check_no_nul)]
LongText = Annotated[str, AfterValidator(check_no_nul)]
ObjectId = Annotated[str, Field(min_length=1, max_length=MAX_OBJECT_ID), AfterValidator(check_no_nul)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
IdOrNone = Annotated[int, Field(ge=0, le=MAX_ID)]
Count = Annotated[int, Field(ge=0)]
Rating = Annotated[int, Field(ge=0, le=5)]

UserIdText = Annotated[
    str, AfterValidator(check_user_id), WithJsonSchema({"type": "string", "pattern": f"^{USER_ID_PATTERN}$"})
]
Day = Annotated[str, AfterValidator(check_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[str, AfterValidator(check_time), WithJsonSchema({"type": "string", "format": "date-time"})]
DayOrMoment = Annotated[
    str,
    AfterValidator(check_day_or_time),
    WithJsonSchema({"type": "string", "title": "date YYYY-MM-DD, or RFC 3339 time with an offset"}),
]
LenientMoment = Annotated[
    str,
    AfterValidator(check_lenient),
    WithJsonSchema({"type": "string", "title": "date, or date and time with or without an offset"}),
]

MAX_LIST = MAX_ITEMS
Evidence = Annotated[dict[str, Any], AfterValidator(check_no_nul)]
