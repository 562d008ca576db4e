"""What a stack answers: the addresses of its engines, and how each of them is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the engines that are up.

    Raises:  StackError when an address is asked for that the stack does not have.
    """

    urls: Mapping[str, str]

    def __getitem__(self, engine: str) -> str:
        try:
            return self.urls[engine]
        except KeyError:
            raise StackError(f"{engine} is not part of what was started") from None

    @property
    def postgres_url(self) -> str:
        return self["postgres"]

    @property
    def kafka_url(self) -> str:
        return self["kafka"]

    @property
    def neo4j_url(self) -> str:
        return self["neo4j"]


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine as it is now. `external` is a server of somebody else's, named by the environment, that answers."""

    engine: str
    state: Literal["running", "not answering", "stopped", "external", "external, not answering"]
    url: str | None
    pid: int | None

    @property
    def answers(self) -> bool:
        return self.state in {"running", "external"}
