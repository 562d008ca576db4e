"""What a stack remembers between commands: its name, secrets, ports and processes, in `state.json`."""

import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.stack.errors import StackError
from services.stack.processes import ProcessId


@dataclass(slots=True)
class EngineState:
    """One engine's ports, its address at the last boot, and its process if one was started."""

    ports: dict[str, int] = field(default_factory=dict)
    url: str = ""
    process: ProcessId | None = None


class State:
    """The file and its content. Every change is saved at once, by rename, so that no reader meets half a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        content = self._read()
        self.token: str = content.get("token") or secrets.token_hex(6)
        stored: Mapping[str, str] = content.get("secrets", {})
        self.password = stored.get("postgres") or secrets.token_urlsafe(24)
        self.jwt_secret = stored.get("jwt") or secrets.token_hex(32)
        self.erasure_key = stored.get("erasure") or secrets.token_hex(32)
        self.engines = {name: _engine(values) for name, values in content.get("engines", {}).items()}

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise StackError(f"{self._path} is damaged ({error}); `gatefold stack down --wipe` starts afresh") from None
        if not isinstance(content, dict):
            raise StackError(f"{self._path} is damaged; `gatefold stack down --wipe` starts afresh")
        return content

    def engine(self, name: str) -> EngineState:
        """The entry of one engine."""
        return self.engines.setdefault(name, EngineState())

    def marker(self, name: str) -> str:
        """What stands on the command line of this stack's engine and of no other process."""
        return f"gatefold-{self.token}-{name}"

    def save(self) -> None:
        """Write the file; readable by its owner only, for it holds the secrets."""
        with self._lock:
            engines = {name: _plain(entry) for name, entry in self.engines.items()}
            kept = {"postgres": self.password, "jwt": self.jwt_secret, "erasure": self.erasure_key}
            content = {"token": self.token, "secrets": kept, "engines": engines}
            write_private(self._path, json.dumps(content, indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read."""
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(partial, path)


def _engine(values: Mapping[str, Any]) -> EngineState:
    process = values.get("process")
    known = ProcessId(process["pid"], process["started"]) if process else None
    return EngineState(dict(values.get("ports", {})), values.get("url", ""), known)


def _plain(entry: EngineState) -> dict[str, Any]:
    process = {"pid": entry.process.pid, "started": entry.process.started} if entry.process else None
    return {"ports": entry.ports, "url": entry.url, "process": process}
