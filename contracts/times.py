"""Dates and times as events write them: strict where they decide, lenient where they do not.

Units:   every datetime that leaves this module is aware and UTC; fractions beyond microseconds are cut, not rounded.
Raises:  ValueError with a sentence that fits behind the name of the field.
"""

import re
from datetime import UTC, date, datetime

# [0-9] and not \d: \d would take the digits of other scripts, which fromisoformat partly accepts.
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_strict = re.compile(rf"{_DAY}[Tt ]{_CLOCK}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_CLOCK})").fullmatch
_day = re.compile(_DAY).fullmatch


def parse_time(text: str) -> datetime:
    """The moment an RFC 3339 text with an offset names, in UTC.

    Raises:  ValueError for naive times, ``+0100``, leap seconds, impossible days, moments outside the years 1 ... 9999.
    """
    if _strict(text) is None:
        raise ValueError("expected an RFC 3339 time with an offset")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("no such day in the calendar") from None
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None


def parse_day(text: str) -> date:
    """The day a text of exactly ``YYYY-MM-DD`` names."""
    if _day(text) is None:
        raise ValueError("expected a date YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("no such day in the calendar") from None


def parse_day_or_time(text: str) -> date:
    """The UTC date of a ``YYYY-MM-DD`` date or of an RFC 3339 time with an offset."""
    if _day(text) is not None:
        return parse_day(text)
    if _strict(text) is None:
        raise ValueError("expected a date YYYY-MM-DD or an RFC 3339 time with an offset")
    return parse_time(text).date()


def check_day(text: str) -> str:
    """The text itself, when `parse_day` accepts it."""
    parse_day(text)
    return text


def check_day_or_time(text: str) -> str:
    """The text itself, when `parse_day_or_time` accepts it."""
    parse_day_or_time(text)
    return text


def check_time(text: str) -> str:
    """The text itself, when `parse_time` accepts it."""
    parse_time(text)
    return text


def check_lenient(text: str) -> str:
    """The text itself, when it is ``YYYY-MM-DD``, alone or followed by ``T`` or a blank and a time of day.

    Any time of day that Python reads as ISO 8601 will do, with or without an offset: nothing is decided by such a text.
    """
    if text[4:8:3] != "--" or text[10:11] not in {"", "T", "t", " "}:
        raise ValueError("expected a date or a date and time")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        try:
            datetime.fromisoformat(text.upper())
        except ValueError:
            raise ValueError("expected a date or a date and time of the calendar") from None
    return text


def rfc3339(moment: datetime) -> str:
    """The moment as RFC 3339 in UTC with ``Z``, with a fraction only when it is not zero.

    Raises:  ValueError for a naive datetime, which names no moment.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without an offset names no moment")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
