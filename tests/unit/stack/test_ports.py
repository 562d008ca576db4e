"""Ports that are free and stay free."""

import socket

from services.stack import ports


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])
    assert ports.is_free(ports.free_port())


def test_no_port_is_one_that_the_system_lends_to_clients() -> None:
    pool = ports.candidates()
    assert all(ports.free_port() in pool for _ in range(50))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockname()[1] not in pool


def test_a_port_to_avoid_is_avoided() -> None:
    only, *rest = list(ports.candidates())[:300]
    avoid = set(ports.candidates()) - {only, *rest[:20]}
    assert ports.free_port(avoid) not in avoid
