"""A printer in the network: TCP, usually port 9100. One connection per job: such printers serve one at a time and
drop those that idle.
"""

import contextlib
import os
import socket
from typing import Final

from kiosk.devices.transport import ByDescriptor, left

SEND_BUFFER: Final = 16 * 1024


class TcpTransport:
    """Connects to host and port."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def open(self, until: float) -> "TcpConnection":
        """Connect."""
        connection = socket.create_connection(self._address, max(left(until), 0.001))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What waits in this machine looks sent: the less, the sooner a printer that takes no more is noticed.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.setblocking(False)
        return TcpConnection(connection)

    def close(self) -> None:
        """Nothing is kept."""


class TcpConnection(ByDescriptor):
    """A socket."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection.fileno(), ends=True)
        self._connection = connection

    def close(self) -> None:
        """Hang up after the last byte: an answer that nobody read would else make the system throw away what it
        has not sent yet."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while os.read(self._connection.fileno(), 4096):
                pass
        self._connection.close()
