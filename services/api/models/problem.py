"""What a refusal says."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """One parameter that is wrong."""

    where: str = Field(alias="in")
    parameter: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None
