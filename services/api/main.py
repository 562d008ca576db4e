"""The process `gatefold api`: uvicorn on uvloop, until SIGTERM."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from typing import Final

import uvicorn

from services import logs
from services.api.app import create_app
from services.api.protocol import Whole
from services.settings import Settings

GRACE_SECONDS: Final = 10
DEAF_SECONDS: Final = 60


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:  OSError where the address is taken or not ours.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    server = socket.socket(family, kind, protocol)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Who takes nothing of an answer for so long is gone, or does as if.
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAF_SECONDS * 1000)
        server.bind(address)
    except OSError:
        server.close()
        raise
    return server


def serve(settings: Settings, *, started: Callable[[str], None] = lambda url: None) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those that run; `started` is told the address.

    Raises:  KeyConfigurationError, OSError where the port is taken.
    """
    logs.configure(process="api", as_json=settings.log_json, level=settings.log_level)
    app = create_app(settings)
    bound = listen(settings.api_host, settings.api_port)
    host = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
    url = f"http://{host}:{bound.getsockname()[1]}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                # What is there by now stays: collections need not look at it again.
                gc.collect()
                gc.freeze()
                logs.logger(__name__).info("listening", url=url)
                started(url)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Streams have no end of their own, and uvicorn waits for all answers that are under way.
            app.state.live.hub.close()
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=Whole,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.api_proxies,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    # uvicorn stops on these and raises them once more when it has: that is a clean end, not a death by signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with bound:
        server.run(sockets=[bound])
