"""Free loopback ports that no client connection takes by chance."""

import errno
import random
import socket
from collections.abc import Container
from pathlib import Path

LOOPBACK = "127.0.0.1"


def candidates() -> range:
    """The unprivileged ports below those that the system lends to outgoing connections.

    While an engine is down its clients keep dialling its port. Were that port one the system lends, a client could be
    lent it and connect to itself, and the engine would find its port taken when it comes back.
    """
    try:
        lent_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lent_from = 32768
    return range(15000, lent_from) if lent_from > 16000 else range(15000, 32768)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the engines do: connections of an earlier server that are still fading away are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def free_port(avoid: Container[int] = ()) -> int:
    """A port nobody listens on, none of those to avoid."""
    pool = candidates()
    while True:
        port = random.choice(pool)
        if port not in avoid and is_free(port):
            return port
