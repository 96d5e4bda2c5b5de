"""The virtual printer: what an ESC/POS printer on TCP port 9100 does, with a folder for paper tray.

It is part of the product: the demonstration and a developer's laptop print to it, and the tests make it run out of
paper, fall silent, stop reading or hang up in the middle of a job. Jobs that end while it cannot print are lost,
as on a printer that is switched off for the new roll.
"""

import contextlib
import hashlib
import io
import json
import signal
import socket
import socketserver
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self, cast

from kiosk.devices.escpos_reader import HEAD, Paper, Reader, StatusRequest
from kiosk.devices.virtual_printer_state import PrinterState, answer, automatic_status

__all__ = ["PrintedPaper", "PrinterState", "VirtualPrinterFolder", "VirtualPrinterServer", "main"]

PIECE: Final = 4096
BUFFER: Final = 32 * 1024
"""What it takes in while it prints nothing; the system makes some more of it. Real ones hold 4 to 64 KB."""
_LOOK_AGAIN_S: Final = 0.02


class VirtualPrinterFolder:
    """The tray: 0001.bin are the job's bytes, 0001.json says what is wrong with it, 0001.png is the paper.

    Each file is there whole or not at all, and the picture comes last: where it is, the others are.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._last = max((int(path.stem) for path in folder.iterdir() if path.stem.isdigit()), default=0)

    def keep(self, paper: Paper) -> int:
        """Put a paper into the tray; its number."""
        with self._lock:
            self._last += 1
            name = f"{self._last:04}"
            self._write(f"{name}.bin", paper.data)
            self._write(f"{name}.json", json.dumps(_described(paper), indent=2).encode() + b"\n")
            picture = io.BytesIO()
            paper.image.save(picture, "PNG")
            self._write(f"{name}.png", picture.getvalue())
            return self._last

    def _write(self, name: str, data: bytes) -> None:
        part = self._folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(self._folder / name)


def _described(paper: Paper) -> dict[str, object]:
    return {
        "sha256": hashlib.sha256(paper.data).hexdigest(),
        "width": paper.image.width,
        "height": paper.image.height,
        "cut": paper.cut,
        "faults": [asdict(fault) for fault in paper.faults],
        "commands": paper.commands,
    }


@dataclass(frozen=True)
class PrintedPaper:
    """A paper in the tray. Times are of the monotonic clock: the job's first byte, and the piece with its cut."""

    number: int
    paper: Paper
    first_byte_at: float
    cut_at: float


class VirtualPrinterServer:
    """The printer on a TCP port: `with VirtualPrinterServer(folder) as printer: … printer.port …`.

    `papers` are those that came out, `lost` those that ended while nothing could be printed, and `first_byte_at`
    is when the first byte of the latest job came; a question is no job.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        width: int = HEAD,
        state: PrinterState | None = None,
    ) -> None:
        self.papers: list[PrintedPaper] = []
        self.lost: list[Paper] = []
        self.first_byte_at: float | None = None
        self.width = width
        self._tray = VirtualPrinterFolder(folder)
        self._state = state or PrinterState()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._told_by_itself: set[socket.socket] = set()
        self._server = _Server((host, port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_AGAIN_S,), name="virtual printer", daemon=True
        )

    def __enter__(self) -> Self:
        """Begin to take connections."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up on everybody and wait until the last byte received is dealt with."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        with self._changed:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens; with port 0 the system chose one."""
        return int(self._server.server_address[1])

    @property
    def state(self) -> PrinterState:
        """How the printer is now, or will be once `after` bytes have come."""
        with self._changed:
            return self._state

    def set(self, **changes: object) -> None:
        """Change what is named: `set(paper="out")`, `set(drop=True, after=2000)`. The rest stays."""
        with self._changed:
            self._become(replace(self._state, **changes))  # type: ignore[arg-type]  # replace() refuses wrong names

    def reset(self) -> None:
        """All is well again."""
        with self._changed:
            self._become(PrinterState())

    def wait_for_papers(self, n: int, timeout: float) -> list[PrintedPaper]:
        """The papers, once there are n. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.papers) >= n, timeout):
                raise TimeoutError(f"{len(self.papers)} papers after {timeout} s, not {n}")
            return list(self.papers)

    # What a connection needs

    def welcome(self, connection: socket.socket) -> None:
        """A connection is there."""
        with self._changed:
            self._connections.add(connection)

    def farewell(self, connection: socket.socket) -> None:
        """A connection is gone."""
        with self._changed:
            self._connections.discard(connection)
            self._told_by_itself.discard(connection)

    def piece_wanted(self, received: int) -> int:
        """How many bytes to take next, after so many of a job; waits while stalled, 0 when it is over."""
        while not self._closing.is_set():
            with self._changed:
                state = self._now(received)
                if not state.stall:
                    return min(PIECE, state.after - received) if state.after else PIECE
                self._changed.wait(_LOOK_AGAIN_S)
        return 0

    def hangs_up(self, received: int) -> bool:
        """Whether these bytes were the last straw."""
        with self._changed:
            return self._now(received).drop

    def respond(self, connection: socket.socket, request: StatusRequest, received: int) -> None:
        """Answer a question, and remember who wants to be told by itself."""
        with self._changed:
            said = answer(self._now(received), request)
            if request.command == "GS a":
                (self._told_by_itself.add if request.n else self._told_by_itself.discard)(connection)
        _send(connection, said)

    def begun(self, at: float) -> None:
        """The first byte of a job came."""
        with self._changed:
            self.first_byte_at = at

    def came_out(self, paper: Paper, first_byte_at: float, cut_at: float, received: int) -> None:
        """A job has ended: into the tray with it, if anything can be printed."""
        with self._changed:
            if not self._now(received).prints:
                self.lost.append(paper)
                return
            number = self._tray.keep(paper)
            self.papers.append(PrintedPaper(number, paper, first_byte_at, cut_at))
            self._changed.notify_all()

    def _now(self, received: int) -> PrinterState:
        """How it is for a job of so many bytes. Trouble that has begun stays."""
        if self._state.after and received >= self._state.after:
            self._become(replace(self._state, after=0))
        return self._state if not self._state.after else PrinterState(after=self._state.after)

    def _become(self, state: PrinterState) -> None:
        self._state = state
        if not state.after and not state.mute:
            for connection in self._told_by_itself:
                _send(connection, automatic_status(state))
        self._changed.notify_all()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], printer: VirtualPrinterServer) -> None:
        self.printer = printer
        super().__init__(address, _Connection)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)


class _Connection(socketserver.BaseRequestHandler):
    """One sender. What it did not cut hangs out of the printer when it goes."""

    def setup(self) -> None:
        self._printer = cast(_Server, self.server).printer
        self._reader = Reader(self._printer.width)
        self._first_byte_at = 0.0
        self._printer.welcome(self.request)

    def handle(self) -> None:
        at = time.monotonic()
        while data := self._receive():
            at = time.monotonic()
            self._take(data, at)
            if self._printer.hangs_up(self._reader.received):
                break
        received = self._reader.received
        for paper in self._reader.close():
            self._printer.came_out(paper, self._first_byte_at, at, received)

    def finish(self) -> None:
        self._printer.farewell(self.request)

    def _receive(self) -> bytes:
        size = self._printer.piece_wanted(self._reader.received)
        try:
            return bytes(self.request.recv(size)) if size else b""
        except OSError:
            return b""

    def _take(self, data: bytes, at: float) -> None:
        before = self._reader.received
        papers = self._reader.feed(data)
        received = before + len(data) if papers else self._reader.received
        if not before and (papers or self._reader.received):
            self._begin(at)
        for paper in papers:
            self._printer.came_out(paper, self._first_byte_at, at, received)
        # After the papers: who has an answer to the question behind a job finds the job in the tray.
        for request in self._reader.status_requests:
            self._printer.respond(self.request, request, received)
        self._reader.status_requests.clear()
        if papers and self._reader.received:
            self._begin(at)

    def _begin(self, at: float) -> None:
        self._first_byte_at = at
        self._printer.begun(at)


def _send(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # who asked may be gone
        connection.sendall(data)


def main(port: int, folder: Path) -> int:
    """The command: print until SIGTERM or Ctrl+C."""
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    with VirtualPrinterServer(folder, port) as printer:
        sys.stdout.write(f"virtual printer ready 127.0.0.1:{printer.port}, papers in {folder}\n")
        sys.stdout.flush()
        over.wait()
    return 0
