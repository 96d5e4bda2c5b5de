"""How bytes get to a printer and back: what every way to one must do, and what all ways through a file share.

A transport moves bytes within a deadline and knows nothing of slips or status; that is `printer_escpos.py`.
`until` is a moment of the monotonic clock, in seconds.
"""

import os
import select
import time
from typing import Final, Protocol

from kiosk.devices.ports import SILENT, PrinterStatus

PIECE: Final = 4096
_BREATH_S: Final = 0.005


class Connection(Protocol):
    """An open way to one printer. OSError when the printer is gone; a deadline that passes is no error."""

    def write(self, data: memoryview, until: float) -> int:
        """How many of the bytes, from the first on, were taken; 0 when none was by then."""

    def read(self, until: float) -> bytes:
        """What came from the printer; empty when nothing had by then."""

    def flush(self, until: float) -> bool:
        """Whether all that was written has left this machine by then. What has not never will."""

    def said(self) -> PrinterStatus:
        """What the way itself tells about the printer, without asking it in its own language."""

    def close(self) -> None:
        """Let go; once."""


class Transport(Protocol):
    """A way to one printer."""

    def open(self, until: float) -> Connection:
        """Connect. TimeoutError when nobody answers by then, OSError when there is nobody."""

    def close(self) -> None:
        """Let go of what is kept between connections; may be called again."""


def left(until: float) -> float:
    """Seconds until then, never less than none."""
    return max(0.0, until - time.monotonic())


def write_all(connection: Connection, data: bytes, until: float) -> bool:
    """Whether every byte was taken in time."""
    view = memoryview(data)
    while view:
        taken = connection.write(view, until)
        if not taken:
            return False
        view = view[taken:]
    return True


class ByDescriptor:
    """A connection through a non-blocking file descriptor, which it owns.

    `ends`: reading nothing means that the other side is gone, as with sockets and terminals.
    """

    def __init__(self, descriptor: int, *, ends: bool) -> None:
        self._descriptor = descriptor
        self._ends = ends

    def write(self, data: memoryview, until: float) -> int:
        """A piece, as soon as it is taken."""
        while self._wait(select.POLLOUT, until):
            try:
                return os.write(self._descriptor, data[:PIECE])
            except BlockingIOError:
                time.sleep(_BREATH_S)  # some drivers say "now" and mean "soon"
        return 0

    def read(self, until: float) -> bytes:
        """What is there, as soon as anything is."""
        while self._wait(select.POLLIN, until):
            try:
                if data := os.read(self._descriptor, PIECE):
                    return data
            except BlockingIOError:
                pass
            else:
                if self._ends:
                    raise ConnectionResetError("the printer closed the connection")
            time.sleep(_BREATH_S)
        return b""

    def flush(self, until: float) -> bool:  # noqa: ARG002 - others wait
        """What the system has taken it delivers."""
        return True

    def said(self) -> PrinterStatus:
        """Nothing."""
        return SILENT

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def _wait(self, events: int, until: float) -> int:
        """What can be done by then, 0 for nothing. Also on trouble: the attempt then names it."""
        poll = select.poll()
        poll.register(self._descriptor, events)
        return next((can for _, can in poll.poll(round(left(until) * 1000))), 0)
