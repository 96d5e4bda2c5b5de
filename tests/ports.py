"""Ports of this machine that nobody listens on at this moment."""

import secrets
import socket

# Below the ports that the kernel gives to whoever calls out, so that no call takes one before it is listened on.
FIRST, LAST = 20_000, 32_000


def free_port(in_a_row: int = 1) -> int:
    """The first of so many ports, one after the other."""
    for _ in range(1000):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        if all(_is_free(port + n) for n in range(in_a_row)):
            return port
    raise AssertionError("no port is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
