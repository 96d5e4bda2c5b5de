"""A printer in the network: TCP, usually port 9100.

Our own small transport, for what decides is not to be had from a library: writing in pieces with a deadline,
asking before and after the job, and silence kept apart from "no paper". One connection per job: such printers
serve one at a time and drop those that idle.
"""

import contextlib
import select
import socket
import time
from typing import Final

from kiosk.devices.ports import SILENT, Line, PrinterStatus
from kiosk.devices.printer_status import QUESTIONS, question, read_status, valid
from madoguchi.wire import Outcome

PIECE: Final = 4096
CONNECT_S: Final = 1.0
ANSWER_S: Final = 0.2
AGAIN_S: Final = 0.1


class NetworkPrinter:
    """Prints over TCP. `replies`: the model answers DLE EOT. `paper_s`: how long a slip takes to come out."""

    def __init__(self, host: str, port: int, *, replies: bool = True, paper_s: float = 0.0) -> None:
        self._address = (host, port)
        self._replies = replies
        self._paper_s = paper_s

    def status(self) -> PrinterStatus:
        """Ask on a connection of its own. A refused connection is an answer, a silent one is not."""
        try:
            with self._connect(CONNECT_S) as connection:
                return self._ask(connection, time.monotonic() + len(QUESTIONS) * ANSWER_S)
        except TimeoutError:
            return SILENT
        except OSError:
            return PrinterStatus(line=Line.OFFLINE)

    def print(self, job: bytes, deadline_s: float) -> Outcome:
        """Ask, send, ask again."""
        until = time.monotonic() + deadline_s
        try:
            with self._connect(min(CONNECT_S, deadline_s)) as connection:
                if self._ask(connection, until).fault:
                    return Outcome.NOT_PRINTED
                if not self._send(connection, job, until):
                    # The cut is the job's last bytes: without them no whole slip has come out.
                    return Outcome.NOT_PRINTED
                return self._outcome(connection, until)
        except OSError:
            return Outcome.NOT_PRINTED  # no connection, nothing was sent

    def close(self) -> None:
        """Nothing is kept open between jobs."""

    def _connect(self, timeout: float) -> socket.socket:
        connection = socket.create_connection(self._address, timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        return connection

    def _ask(self, connection: socket.socket, until: float) -> PrinterStatus:
        """All four, one after another: some models want nothing else sent before an answer is in."""
        answers: dict[int, int] = {}
        if not self._replies:
            return SILENT
        for n in QUESTIONS:
            _drain(connection)
            answer = _answer(connection, n, min(until, time.monotonic() + ANSWER_S))
            if answer is None:
                break  # a printer that is silent once is not asked three times more while somebody waits
            answers[n] = answer
        return read_status(answers)

    def _send(self, connection: socket.socket, job: bytes, until: float) -> bool:
        """Whether every byte left us in time."""
        view = memoryview(job)
        try:
            while view:
                readable, writable, _ = select.select([connection], [connection], [], until - time.monotonic())
                if not readable and not writable:
                    return False
                if readable:
                    # 10 04 n inside a picture is answered too; those answers must not be taken for ours.
                    _drain(connection)
                if writable:
                    view = view[connection.send(view[:PIECE]) :]
        except (OSError, ValueError):  # ValueError: the deadline has passed
            return False
        return True

    def _outcome(self, connection: socket.socket, until: float) -> Outcome:
        """Ask until the slip must be out: the printer notices the end of its paper only when it gets there."""
        out_by = min(time.monotonic() + self._paper_s, until)
        while True:
            try:
                status = self._ask(connection, until)
            except OSError:
                return Outcome.UNKNOWN
            if status.fault:
                return Outcome.NOT_PRINTED
            if not status.complete:
                return Outcome.UNKNOWN
            if time.monotonic() >= out_by:
                return Outcome.PRINTED
            time.sleep(AGAIN_S)


def _drain(connection: socket.socket) -> None:
    """Throw away what nobody asked for. OSError when the other side is gone."""
    with contextlib.suppress(BlockingIOError):
        while True:
            if not connection.recv(PIECE):
                raise ConnectionResetError("the printer closed the connection")


def _answer(connection: socket.socket, n: int, until: float) -> int | None:
    """The answer to status n, or None. Bytes that cannot be one (automatic status) are passed over."""
    connection.sendall(question(n))
    while (left := until - time.monotonic()) > 0:
        if not select.select([connection], [], [], left)[0]:
            return None
        received = connection.recv(PIECE)
        if not received:
            raise ConnectionResetError("the printer closed the connection")
        for byte in received:
            if valid(byte):
                return byte
    return None
