"""A printer behind a path that cannot be asked anything: an ordinary file that collects the bytes, or some device.

From a device, "sent" is all that is known, so its outcome is unknown. An ordinary file keeps what it is given.
"""

import os
import stat
import time
from contextlib import closing
from pathlib import Path

from kiosk.devices.ports import READY, SILENT, Line, PrinterStatus, Still
from kiosk.devices.transport import ByDescriptor, write_all
from kiosk.job import Job
from madoguchi.wire import Outcome


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

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:
        """Write it all, or say that it was not printed."""
        until = time.monotonic() + deadline_s
        try:
            # Non-blocking, or a stalled printer would hold the kiosk for ever.
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
            )
        except OSError:
            return Outcome.NOT_PRINTED
        with closing(ByDescriptor(descriptor, ends=False)) as connection:
            try:
                if not write_all(connection, job.picture, until):
                    return Outcome.NOT_PRINTED
                wanted = still()
                if not write_all(connection, job.cut if wanted else job.void, until) or not wanted:
                    return Outcome.NOT_PRINTED
            except OSError:
                return Outcome.NOT_PRINTED
        return Outcome.UNKNOWN if self._is_device() else Outcome.PRINTED

    def close(self) -> None:
        """Nothing is kept open between jobs."""

    def _is_device(self) -> bool:
        try:
            return not stat.S_ISREG(self._path.stat().st_mode)
        except OSError:
            return False
