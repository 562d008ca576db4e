"""Records made of the committed examples, the way Kafka would hand them over."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import envelope
from contracts.generate import EXAMPLES, load

Record = dict[str, Any]
_EXAMPLES = load(EXAMPLES)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _record(topic: str, mode: str = "binary", **changes: Any) -> Record:
    """The arguments of `envelope.decode` for a topic's example; changed attributes of None are left out."""
    event = {**copy.deepcopy(_EXAMPLES[topic]), **changes}
    written = datetime.fromisoformat(_EXAMPLES[topic]["time"])
    event = {name: value for name, value in event.items() if value is not None}
    record: Record = {
        "topic": topic,
        "key": str(event.get("subject", _EXAMPLES[topic]["subject"])).encode("utf-8", "surrogatepass"),
        "timestamp_ms": (written - _EPOCH) // timedelta(milliseconds=1),
    }
    if mode == "structured":
        return record | {
            "headers": [("content-type", b"application/cloudevents+json")],
            "value": json.dumps(event).encode(),
        }
    names = ("specversion", "id", "source", "type", "subject", "time")
    return record | {
        "headers": [
            (f"ce_{name}", str(event[name]).encode("utf-8", "surrogatepass")) for name in names if name in event
        ],
        "value": json.dumps(event["data"]).encode() if "data" in event else b"",
    }


def _refusal(record: Record) -> tuple[str, str]:
    with pytest.raises(envelope.InvalidEvent) as caught:
        envelope.decode(**record)
    return caught.value.stage, caught.value.reason


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    return _record


@pytest.fixture(scope="session")
def refusal() -> Callable[[Record], tuple[str, str]]:
    return _refusal
