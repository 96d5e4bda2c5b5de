"""The simulated devices: a scanner to which lines are written, a printer that puts its papers into a folder.

They are part of the product: the demo, the tests and a developer's laptop run the same kiosk as the entrance hall.
"""

import contextlib
import logging
import os
import selectors
import socket
import stat
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Final

from kiosk.devices.escpos_reader import read_job
from kiosk.devices.ports import MAX_SCAN, READY, SILENT, Cover, Line, Paper, PrinterStatus, Scan, ScanLost, Still
from kiosk.devices.virtual_printer import VirtualPrinterFolder
from kiosk.job import Job
from madoguchi.mynumber import wipe
from madoguchi.wire import Outcome

MAX_CLIENTS: Final = 32
_LONGEST_PATH: Final = 107  # of a Unix socket, by the kernel

TROUBLE: Final = {
    "paper-out": replace(READY, paper=Paper.OUT),
    "cover-open": replace(READY, cover=Cover.OPEN),
    "offline": replace(READY, line=Line.OFFLINE),
    "silent": SILENT,
    "paper-near-end": replace(READY, paper=Paper.NEAR_END),
}
"""An empty file of this name in the virtual printer's folder, and the printer says so."""

log = logging.getLogger(__name__)


class _Client:
    """What one writer has sent since its last line end. Fixed memory, however much it sends."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._line = bytearray(MAX_SCAN)
        self._length = 0
        self._overlong = False

    def feed(self, data: memoryview) -> list[Scan | ScanLost]:
        """Take what came; give the scans that it ended."""
        scans: list[Scan | ScanLost] = []
        for byte in data:
            if byte == 0x0A:
                scans += self.end()
            elif self._length < MAX_SCAN:
                self._line[self._length] = byte
                self._length += 1
            elif not self._overlong:
                # Refused at once: the writer may never send a line end. The rest of the line is thrown away.
                self._overlong = True
                scans.append(ScanLost("too_long"))
        return scans

    def end(self) -> list[Scan | ScanLost]:
        """The line is over, also when the writer closes without a line end. Empty lines are no scans."""
        length = self._length - (self._length > 0 and self._line[self._length - 1] == 0x0D)
        scan, overlong = Scan.of(self._line, length), self._overlong
        wipe(self._line)
        self._length, self._overlong = 0, False
        if overlong:
            wipe(scan)
            return []
        return [scan] if scan else []


class SimulatedScanner:
    """Listens on a Unix socket; many may write, one after another or at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[Scan | ScanLost] = deque()
        self._chunk = bytearray(4096)
        self._selector = selectors.DefaultSelector()
        self._listener = _listen(path)
        self._inode = path.stat().st_ino
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._open = True

    def connected(self) -> bool:
        """Always, until it is closed."""
        return self._open

    def read(self, timeout: float) -> Scan | ScanLost | None:
        """The next line of any writer, or None after `timeout` seconds."""
        until = time.monotonic() + timeout
        while not self._waiting and self._open:
            left = until - time.monotonic()
            ready = self._selector.select(max(0.0, left))
            for key, _ in ready:
                if key.data is None:
                    self._accept()
                else:
                    self._receive(key.data)
            if not ready and left <= 0:
                break
        return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Stop listening and take the socket file away, if it is still ours."""
        if not self._open:
            return
        self._open = False
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.connection.close()
        self._selector.close()
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the writer was gone before we came
            connection, _ = self._listener.accept()
            if len(self._selector.get_map()) > MAX_CLIENTS:
                connection.close()
                return
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, _Client(connection))

    def _receive(self, client: _Client) -> None:
        try:
            length = client.connection.recv_into(self._chunk)
        except BlockingIOError:
            return
        except OSError:
            length = 0
        with memoryview(self._chunk) as view:
            self._waiting.extend(client.feed(view[:length]))
        wipe(self._chunk)
        if length == 0:
            self._waiting.extend(client.end())
            self._selector.unregister(client.connection)
            client.connection.close()


class VirtualPrinter:
    """Puts each paper into a folder, as bytes and as the picture that came out."""

    def __init__(self, folder: Path, width_dots: int) -> None:
        self._folder = folder
        self._width_dots = width_dots
        self._tray = VirtualPrinterFolder(folder)

    def status(self) -> PrinterStatus:
        """Ready, or what lies in the folder as trouble."""
        if not self._folder.is_dir():
            return replace(READY, line=Line.OFFLINE)
        return next((said for name, said in TROUBLE.items() if (self._folder / name).exists()), READY)

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:  # noqa: ARG002 - a folder does not stall
        """Put it into the folder, unless the printer is in trouble."""
        status = self.status()
        if status.fault:
            return Outcome.NOT_PRINTED
        wanted = still()
        try:
            for paper in read_job(job.data if wanted else job.picture + job.void, self._width_dots):
                number = self._tray.keep(paper)
                for fault in paper.faults:
                    log.warning("paper %04d: %s", number, fault)
        except OSError as error:
            log.warning("%s: %s", self._folder, error.strerror)
            return Outcome.NOT_PRINTED
        if not wanted:
            return Outcome.NOT_PRINTED
        return Outcome.UNKNOWN if status == SILENT else Outcome.PRINTED

    def close(self) -> None:
        """Nothing is kept open."""


def _listen(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise OSError(f"{path}: a socket's path has at most {_LONGEST_PATH} bytes; choose a shorter one")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before bind, so that there is no moment in which others may write.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(str(path))
        listener.listen(MAX_CLIENTS)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Take away the socket of a kiosk that was killed; never a file of somebody else, never a living kiosk's."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise OSError(f"{path}: is no socket; choose another path for [scanner] socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"{path}: another kiosk is listening here")
