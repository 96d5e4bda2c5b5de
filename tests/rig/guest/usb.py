"""Devices plugged into the guest's own USB sockets: Linux plays both ends (dummy_hcd and configfs gadgets)."""

import contextlib
import errno
import fcntl
import math
import os
import select
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kiosk.devices.escpos_commands import REAL_TIME_STATUS, StatusRequest
from kiosk.devices.virtual_printer_state import PrinterState, answer

GADGETS: Final = Path("/sys/kernel/config/usb_gadget")
_SET_PORT_STATUS: Final = 3 << 30 | 1 << 16 | ord("g") << 8 | 0x22  # GADGET_SET_PRINTER_STATUS
NOT_ERROR, SELECTED, PAPER_EMPTY = 0x08, 0x10, 0x20
_LOOK_AGAIN_S: Final = 0.02
WHOLE_REQUEST: Final = 8192  # one that is read in part is freed twice by this kernel when the plug is pulled


class Gadget:
    """A USB device. `functions`: name as configfs wants it, "hid.keys", and what is written into its files."""

    def __init__(
        self, socket: int, vendor: int, product: int, strings: dict[str, str], functions: dict[str, dict[str, Any]]
    ) -> None:
        self._socket = f"dummy_udc.{socket}"
        self._folder = GADGETS / f"socket{socket}"
        self._functions = {name: self._folder / "functions" / name for name in functions}
        _fill(self._folder, {"idVendor": hex(vendor), "idProduct": hex(product), "bcdUSB": "0x0200"})
        _fill(self._folder / "strings/0x409", strings)
        (self._folder / "configs/c.1").mkdir(parents=True)
        for name, files in functions.items():
            _fill(self._functions[name], files)
            (self._folder / "configs/c.1" / name).symlink_to(self._functions[name])

    def plug(self) -> None:
        """Into its socket."""
        (self._folder / "UDC").write_text(self._socket)

    def unplug(self) -> None:
        """Out of it."""
        with contextlib.suppress(OSError):  # it was not plugged in
            (self._folder / "UDC").write_text("\n")

    def throw_away(self) -> None:
        """Unplugged, and nothing of it is left."""
        self.unplug()
        for name, function in self._functions.items():
            (self._folder / "configs/c.1" / name).unlink()
            function.rmdir()
        for folder in ("configs/c.1", "strings/0x409", "."):
            (self._folder / folder).rmdir()

    def node(self, function: str) -> Path:
        """The file in /dev by which we play this function."""
        if function.startswith("printer."):
            return Path("/dev/g_printer0")
        number = int((self._functions[function] / "dev").read_text().split(":")[1])
        return Path(f"/dev/hidg{number}")


class Keyboard:
    """What a scanner in keyboard mode types. Nothing gets lost on the way: each report waits for the one before."""

    def __init__(self, gadget: Gadget, function: str) -> None:
        self._gadget = gadget
        self._function = function

    def type(self, reports: str, gap_ms: float, rest_ms: float = 0.0) -> float:
        """Send reports of eight bytes, in hex; `gap_ms` after each time the keyboard is at rest, `rest_ms` at last.

        Gives the longest time between two reports, in milliseconds.
        """
        line = open_node(self._gadget.node(self._function), os.O_RDWR)
        longest, before = 0.0, math.inf
        try:
            for at in range(0, len(reports), 16):
                report = bytes.fromhex(reports[at : at + 16])
                _write_all(line, report)
                now = time.monotonic()
                longest, before = max(longest, now - before), now
                if gap_ms and not any(report):
                    time.sleep(gap_ms / 1000)
            time.sleep(rest_ms / 1000)
        finally:
            os.close(line)
        return longest * 1000


class UsbPrinter:
    """A receipt printer's interface board: keeps every byte and answers DLE EOT as the virtual one does."""

    def __init__(self, gadget: Gadget) -> None:
        self._gadget = gadget
        self._lock = threading.Lock()
        self._state = PrinterState()
        self._paper = bytearray()
        self._received = 0
        self._line: int | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def plug(self) -> None:
        """Switch it on."""
        self._gadget.plug()
        # It cannot be opened before the other side has looked at the device.
        self._line = open_node(self._gadget.node("printer.lp"), os.O_RDWR | os.O_NONBLOCK)
        self._over.clear()
        self._show_port_status()
        self._thread = threading.Thread(target=self._play, args=(self._line,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Switch it off. Nobody may have the kernel's gadget open then: it takes that amiss."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._gadget.unplug()

    def become(self, **changes: Any) -> None:
        """Paper, cover and so on, as of PrinterState; what is not named is well again."""
        with self._lock:
            self._state = PrinterState(**changes)
            self._received = 0
        self._show_port_status()

    def take_paper(self) -> bytes:
        """What has been received since it was last taken, questions included."""
        with self._lock:
            taken = bytes(self._paper)
            self._paper.clear()
        return taken

    def _play(self, line: int) -> None:
        tail = b""
        try:
            while not self._over.is_set():
                if self._now().stall:
                    self._over.wait(_LOOK_AGAIN_S)
                    continue
                if not select.select([line], [], [], _LOOK_AGAIN_S)[0]:
                    continue
                data = _read(line, WHOLE_REQUEST)
                if not data:
                    self._over.wait(_LOOK_AGAIN_S)
                    continue
                with self._lock:
                    self._paper += data
                    self._received += len(data)
                if self._now().drop:
                    self._over.set()
                    break
                tail = self._answer(line, tail + data)
        finally:
            os.close(line)
        if self._now().drop:
            self._gadget.unplug()

    def _now(self) -> PrinterState:
        with self._lock:
            if self._state.after and self._received >= self._state.after:
                self._state = replace(self._state, after=0)
            return PrinterState() if self._state.after else self._state

    def _answer(self, line: int, data: bytes) -> bytes:
        """Questions act wherever they are met, also inside a picture. Gives what may begin one."""
        while (at := data.find(REAL_TIME_STATUS)) >= 0 and len(data) > at + 2:
            said = answer(self._now(), StatusRequest("DLE EOT", data[at + 2]))
            if said:
                with contextlib.suppress(OSError):
                    os.write(line, said)
            data = data[at + 3 :]
        return data[-2:]

    def _show_port_status(self) -> None:
        """What GET_PORT_STATUS of the printer class gives."""
        if self._line is None or self._over.is_set():
            return
        now = self._now()
        bits = NOT_ERROR if not now.error else 0
        bits |= SELECTED if now.prints else 0
        bits |= PAPER_EMPTY if now.paper == "out" else 0
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._line, _SET_PORT_STATUS, bits)


def open_node(path: Path, flags: int, seconds: float = 30.0) -> int:
    """Open a device that is about to be there. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while True:
        try:
            # What is no device is an ordinary file that somebody wrote to before the device came.
            if stat.S_ISCHR(path.stat().st_mode):
                return os.open(path, flags | os.O_CLOEXEC)
        except OSError as error:
            last = errno.errorcode.get(error.errno or 0, "?")
            if time.monotonic() > until:
                raise TimeoutError(f"{path}: {last} for {seconds} s") from error
        time.sleep(_LOOK_AGAIN_S)


def _fill(folder: Path, files: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        if name == "report_desc":
            (folder / name).write_bytes(bytes.fromhex(content))
        else:
            (folder / name).write_text(content)


def _read(line: int, size: int) -> bytes:
    try:
        return os.read(line, size)
    except OSError:
        return b""


def _write_all(line: int, data: bytes) -> None:
    if os.write(line, data) != len(data):
        raise OSError(errno.EIO, "half a report")
