"""Whether the process of this container says that it is healthy: exit code 0 or 1."""

from __future__ import annotations

import http.client
import os
import sys
from pathlib import Path

PORTS = {
    "api": "8100",
    "worker": "8101",
    "relay": "8102",
    "graph": "8103",
    "scheduler": "8104",
    "notifier": "8105",
}
PROCESS = Path("/proc/1/cmdline")
SECONDS = 4


def main() -> int:
    """Ask /healthz of the process that process 1 is."""
    arguments = PROCESS.read_text(encoding="utf-8").split("\0")
    name = next((argument for argument in arguments if argument in PORTS), None)
    if name is None:
        return 0  # a command that ends by itself has no health to ask for
    port = os.environ.get(f"GATEFOLD_{name.upper()}_PORT", PORTS[name])
    try:
        # Not urllib: it would ask a proxy, where the environment names one.
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0 if status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
