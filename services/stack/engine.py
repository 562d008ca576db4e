"""What every engine of the stack offers: how it is prepared, started, asked whether it is there, and stopped."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from services.stack.processes import Owner

READY_MARK = "prepared"


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start an engine's process."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None


class Engine(ABC):
    """One engine of one stack. Holds no process: the stack starts it and knows its number.

    home is the engine's own directory; marker is unique to this engine of this stack and stands on its command line.
    """

    name: ClassVar[str]
    setting: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[int]
    stop_grace_seconds: ClassVar[float]
    boot_seconds: ClassVar[float] = 120.0
    poll_seconds: ClassVar[float] = 0.15

    def __init__(self, home: Path, marker: str, password: str) -> None:
        self.home = home
        self.marker = marker
        self.password = password

    @abstractmethod
    def create(self, ports: Mapping[str, int], log: Path) -> None:
        """Make the data directory; runs once in the life of a stack."""

    @abstractmethod
    def launch(self, ports: Mapping[str, int]) -> Launch:
        """Write the configuration for these ports and say how to start the process."""

    @abstractmethod
    def url(self, ports: Mapping[str, int]) -> str:
        """The address for clients."""

    @staticmethod
    @abstractmethod
    def ask(url: str) -> None:
        """Put a real question to the server; returns when it has answered, raises anything when it has not."""

    def check(self, ports: Mapping[str, int]) -> None:
        """Return when clients may use the engine, raise anything while they may not; asked until it returns."""
        self.ask(self.url(ports))

    def owned_directories(self) -> tuple[Path, ...]:
        """Every directory that goes when the stack's data are removed."""
        return (self.home,)

    def prepare(self, ports: Mapping[str, int], log: Path) -> None:
        """Make the data directory unless it is complete; what an interrupted attempt left is removed first."""
        mark = self.home / READY_MARK
        if mark.exists():
            return
        self.remove()
        self.home.mkdir(parents=True)
        self.home.chmod(0o711)
        self.create(ports, log)
        mark.touch()

    def remove(self) -> None:
        """Delete the engine's data."""
        for directory in self.owned_directories():
            if directory.exists():
                shutil.rmtree(directory)
