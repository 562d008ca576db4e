"""How the process and what it stands on are."""

from __future__ import annotations

from typing import Any, Literal

from services.api.models.answer import Answer


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Ready(Answer):
    """PostgreSQL answers; how far behind worker and relay are."""

    status: Literal["ready"]
    stores: dict[str, Literal["up"]]
    lag: dict[str, Any]
