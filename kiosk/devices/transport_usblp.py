"""A USB printer through the kernel's own driver: /dev/usb/lp0.

The driver takes a piece at a time and throws away what is not delivered when the file is closed; so it is waited for.
Beside the printer's own answers it knows the port's status, as old as printers with a plug of 25 pins.
"""

import array
import errno
import fcntl
import os
import select
from pathlib import Path
from typing import Final

from kiosk.devices.ports import SILENT, Line, Paper, PrinterStatus
from kiosk.devices.transport import ByDescriptor

LPGETSTATUS: Final = 0x060B
_NO_PAPER, _SELECTED, _NO_ERROR = 0x20, 0x10, 0x08


class UsblpTransport:
    """Opens a printer device; only one program can."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, until: float) -> "UsblpConnection":  # noqa: ARG002 - opening does not wait
        """Open it. OSError when it is not there, not ours or in use."""
        return UsblpConnection(os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))

    def close(self) -> None:
        """Nothing is kept."""


class UsblpConnection(ByDescriptor):
    """The open device."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, ends=False)

    def flush(self, until: float) -> bool:
        """The driver is ready for the next piece when the printer has taken the last."""
        can = self._wait(select.POLLOUT, until)
        if can & (select.POLLERR | select.POLLHUP):
            raise OSError(errno.ENODEV, "the printer was unplugged")
        return bool(can)

    def said(self) -> PrinterStatus:
        """The port's status."""
        status = array.array("i", [0])
        try:
            fcntl.ioctl(self._descriptor, LPGETSTATUS, status)
        except OSError:
            return SILENT
        return read_port_status(status[0])


def read_port_status(byte: int) -> PrinterStatus:
    """What the port's status tells against the printer. Many models never set it, so it can say nothing good."""
    if byte & _NO_PAPER:
        return PrinterStatus(paper=Paper.OUT)
    return PrinterStatus(line=Line.OFFLINE) if byte & _SELECTED and not byte & _NO_ERROR else SILENT
