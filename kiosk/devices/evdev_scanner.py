"""The real scanner: a Linux input device in keyboard mode (the only importer of evdev).

One thread does nothing but drain the device: the kernel keeps 64 events for a reader, a scan has some 300, and a
reader that stalls for 20 ms has lost half of it. The device is grabbed, so that nothing of a scan is typed into
the console. Scanner unplugged, not yet there, permissions not yet set by udev: the thread tries again until it is.
"""

import fcntl
import logging
import os
import queue
import select
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from kiosk.devices.keymap import EVENT_SIZE, ScanAssembler, parse_events
from kiosk.devices.ports import Scan, ScanLost
from madoguchi.mynumber import wipe

RETRY_S: Final = 0.5
CLOCK_MONOTONIC: Final = 1
_EVIOCSCLOCKID: Final = 0x400445A0  # _IOW('E', 0xa0, int)

log = logging.getLogger(__name__)


class InputDevice(Protocol):
    """What the scanner needs of an opened input device."""

    def fileno(self) -> int:
        """The descriptor that gives struct input_event."""

    def grab(self) -> None:
        """Take the device for us alone; OSError EBUSY when somebody else has it."""

    def close(self) -> None:
        """Give it back, which also ends the grab."""


class KernelDevice:
    """An input device of the kernel."""

    def __init__(self, path: str) -> None:
        import evdev  # not everywhere installable: only who has a real scanner needs it

        self._device = evdev.InputDevice(path)
        # The pauses inside a scan are measured by the kernel's time stamps; the wall clock may jump.
        fcntl.ioctl(self._device.fd, _EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))

    def fileno(self) -> int:
        """The descriptor, which evdev opened non-blocking."""
        return int(self._device.fd)

    def grab(self) -> None:
        """Take the device for us alone."""
        self._device.grab()

    def close(self) -> None:
        """Give it back."""
        self._device.close()


class EvdevScanner:
    """Reads whole scans from an input device that may come and go."""

    def __init__(
        self,
        where: str | Callable[[], str | None],
        layout: str,
        open_device: Callable[[str], InputDevice] = KernelDevice,
    ) -> None:
        """`where`: the device's path, or what looks for it each time that it is not there."""
        self._where = where
        self._path: str | None = None
        self._assembler = ScanAssembler(layout)
        self._open_device = open_device
        self._scans: queue.Queue[Scan | ScanLost] = queue.Queue(maxsize=64)
        self._buffer = bytearray(EVENT_SIZE * 256)
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="scanner-drain", daemon=True)
        self._thread.start()

    def connected(self) -> bool:
        """Whether the device is open and ours."""
        return self._connected.is_set()

    def at(self) -> str | None:
        """The path of the device that is read; while there is none, where it is looked for next."""
        return self._path or self._find()

    def read(self, timeout: float) -> Scan | ScanLost | None:
        """The next scan, or None after `timeout` seconds."""
        try:
            return self._scans.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop draining and give the device back."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        os.write(self._wake_write, b"!")
        self._thread.join(timeout=5)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        while not self._stopping.is_set():
            device = self._open()
            if device is None:
                self._stopping.wait(RETRY_S)
                continue
            try:
                self._drain(device.fileno())
            except OSError as error:  # ENODEV: unplugged
                self._tell(f"gone ({error.strerror})")
            finally:
                self._connected.clear()
                self._path = None
                self._give(self._assembler.lose("unplugged"))
                device.close()

    def _open(self) -> InputDevice | None:
        """The device, grabbed. None when it is not there, not yet allowed (udev is slow) or somebody else's."""
        device, path = None, self._find()
        if path is None:
            self._tell("not there")
            return None
        try:
            device = self._open_device(path)
            device.grab()
        except OSError as error:
            if device is not None:
                device.close()
            self._tell(f"not usable ({error.strerror})")
            return None
        self._path = path
        self._connected.set()
        self._tell(None)
        return device

    def _find(self) -> str | None:
        return self._where if isinstance(self._where, str) else self._where()

    def _drain(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while not self._stopping.is_set():
            wait = self._assembler.due_in(time.monotonic()) * 1000 + 1 if self._assembler.pending else None
            ready = {fd for fd, _ in poll.poll(wait)}
            if descriptor in ready:
                self._take(descriptor)
            elif not ready:
                # Only with nothing left to read is silence silence: a late reader is no silent scanner.
                self._give(self._assembler.silence(time.monotonic()))

    def _take(self, descriptor: int) -> None:
        length = os.readv(descriptor, [self._buffer])
        if length == 0:
            raise OSError(0, "end of file")
        with memoryview(self._buffer) as view:
            for event in parse_events(view[:length]):
                self._give(self._assembler.feed(event))
        wipe(self._buffer)  # the keys of a scan are the scan

    def _give(self, scans: Iterable[Scan | ScanLost]) -> None:
        for scan in scans:
            try:
                self._scans.put_nowait(scan)
            except queue.Full:  # nobody reads: nothing may pile up, and nothing may be read hours later
                if isinstance(scan, Scan):
                    wipe(scan)

    def _tell(self, trouble: str | None) -> None:
        """Once when the scanner is lost, once when it is back."""
        if trouble != self._trouble:
            if trouble:
                log.warning("scanner: %s; trying again", trouble)
            else:
                log.info("scanner %s: ready", self._path)
        self._trouble = trouble
