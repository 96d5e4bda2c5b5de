"""A printer behind a path: a character device such as /dev/usb/lp0, or an ordinary file that collects the bytes.

Nothing is asked: from a device, "sent" is all that is known, so its outcome is unknown. An ordinary file keeps
what it is given.
"""

import os
import select
import stat
import time
from pathlib import Path
from typing import Final

from kiosk.devices.ports import READY, SILENT, Line, PrinterStatus
from madoguchi.wire import Outcome

PIECE: Final = 4096


class FilePrinter:
    """Appends each job to a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def status(self) -> PrinterStatus:
        """Off line when nothing can be written there; nothing is known about a device's paper."""
        place = self._path if self._path.exists() else self._path.parent
        if not os.access(place, os.W_OK):
            return PrinterStatus(line=Line.OFFLINE)
        return SILENT if self._is_device() else READY

    def print(self, job: bytes, deadline_s: float) -> Outcome:
        """Write it all, or say that it was not printed."""
        until = time.monotonic() + deadline_s
        try:
            # Non-blocking, or a stalled printer would hold the kiosk for ever.
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
            )
        except OSError:
            return Outcome.NOT_PRINTED
        try:
            if not _write(descriptor, job, until):
                return Outcome.NOT_PRINTED
            return Outcome.UNKNOWN if self._is_device() else Outcome.PRINTED
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is kept open between jobs."""

    def _is_device(self) -> bool:
        try:
            return not stat.S_ISREG(self._path.stat().st_mode)
        except OSError:
            return False


def _write(descriptor: int, job: bytes, until: float) -> bool:
    """Whether every byte went out in time."""
    view = memoryview(job)
    while view:
        left = until - time.monotonic()
        if left <= 0 or not select.select([], [descriptor], [], left)[1]:
            return False
        try:
            view = view[os.write(descriptor, view[:PIECE]) :]
        except BlockingIOError:
            continue
        except OSError:
            return False
    return True
