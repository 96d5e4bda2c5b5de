"""A printer on a serial port, also one behind a USB adapter."""

import array
import contextlib
import fcntl
import os
import termios
import time
import tty
from pathlib import Path
from typing import Final

from kiosk.devices.transport import ByDescriptor

SPEEDS: Final = {str(baud): getattr(termios, f"B{baud}") for baud in (9600, 19200, 38400, 57600, 115200)}
FLOWS: Final = ("none", "rtscts", "xonxoff")
_LOOK_AGAIN_S: Final = 0.01
_INPUT, _OUTPUT, _CONTROL, _IN_SPEED, _OUT_SPEED = 0, 1, 2, 4, 5  # of the list that termios works with


class SerialTransport:
    """Opens a serial port with 8 data bits and no parity. `flow`: how the printer says that its buffer is full."""

    def __init__(self, path: Path, baud: str, flow: str) -> None:
        self._path = path
        self._speed = SPEEDS[baud]
        self._flow = flow

    def open(self, until: float) -> "SerialConnection":  # noqa: ARG002 - opening does not wait
        """Open and set it. OSError when it is not there, not ours, in use or no serial port."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._set(descriptor)
        except (OSError, termios.error) as error:
            os.close(descriptor)
            raise OSError(*error.args) from error
        return SerialConnection(descriptor)

    def close(self) -> None:
        """Nothing is kept."""

    def _set(self, descriptor: int) -> None:
        tty.setraw(descriptor, termios.TCSANOW)
        settings = termios.tcgetattr(descriptor)
        settings[_INPUT] &= ~(termios.IXON | termios.IXOFF | termios.IXANY)
        settings[_CONTROL] &= ~(termios.CRTSCTS | termios.CSTOPB)
        settings[_CONTROL] |= termios.CLOCAL | termios.CREAD
        if self._flow == "xonxoff":
            settings[_INPUT] |= termios.IXON
        elif self._flow == "rtscts":
            settings[_CONTROL] |= termios.CRTSCTS
        settings[_IN_SPEED] = settings[_OUT_SPEED] = self._speed
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)


class SerialConnection(ByDescriptor):
    """The open port."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, ends=True)
        self._all_left = True

    def write(self, data: memoryview, until: float) -> int:
        """A piece."""
        self._all_left = False
        return super().write(data, until)

    def flush(self, until: float) -> bool:
        """tcdrain() knows no deadline; the length of the queue does."""
        waiting = array.array("i", [0])
        while True:
            fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, waiting)
            if not waiting[0]:
                self._all_left = True
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_AGAIN_S)

    def close(self) -> None:
        """Throw away what the printer would not take: closing would else wait half a minute for it."""
        if not self._all_left:
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
        super().close()
