"""The kiosk's process in the guest: our own drivers, loaded once and driven by messages, as a user without rights."""

import base64
import faulthandler
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import evdev  # noqa: F401 - a machine without it fails here, at once

from kiosk.devices.evdev_scanner import EvdevScanner
from kiosk.devices.ports import Printer, ScanLost
from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.transport import Transport
from kiosk.devices.transport_usb import UsbTransport
from kiosk.devices.transport_usblp import UsblpTransport
from kiosk.job import Job
from tests.rig.guest.wire import serve

ANSWER_S = 2.0  # a busy host may hold the printer up


class Drivers:
    """The scanner's and the printer's driver, as the kiosk opens them."""

    def __init__(self) -> None:
        self._scanner: EvdevScanner | None = None
        self._printer: Printer | None = None

    def open_scanner(self, path: str, layout: str = "us") -> None:
        """Begin to look after a scanner, which may come later."""
        self.close_scanner()
        self._scanner = EvdevScanner(path, layout)

    def close_scanner(self) -> None:
        """Give it back."""
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None

    def read(self, timeout: float) -> dict[str, str] | None:
        """The next scan; None when there is none in this time."""
        scan = self._the_scanner.read(timeout)
        if isinstance(scan, ScanLost):
            return {"lost": scan.reason}
        return None if scan is None else {"scan": scan.decode("latin-1")}

    def connected(self, wanted: bool, seconds: float) -> bool:
        """Whether the scanner is there, once it is as wanted or the time is over."""
        until = time.monotonic() + seconds
        while self._the_scanner.connected() != wanted and time.monotonic() < until:
            time.sleep(0.02)
        return self._the_scanner.connected()

    @property
    def _the_scanner(self) -> EvdevScanner:
        assert self._scanner is not None
        return self._scanner

    def open_printer(self, kind: str, replies: bool) -> None:
        """Begin to use the printer: by the kernel's driver, "usblp", or by libusb, "usb"."""
        self.close_printer()
        ways: dict[str, Callable[[], Transport]] = {
            "usblp": lambda: UsblpTransport(Path("/dev/usb/lp0")),
            "usb": lambda: UsbTransport(0x04B8, 0x0202),
        }
        self._printer = EscposPrinter(ways[kind](), replies=replies, answer_s=ANSWER_S)

    def close_printer(self) -> None:
        """Give it back."""
        if self._printer is not None:
            self._printer.close()
            self._printer = None

    def print(self, picture: str, cut: str, deadline_s: float) -> str:
        """Print a job, its parts in base64; what became of it."""
        job = Job.of(UUID(int=0), base64.b64decode(picture), base64.b64decode(cut), base64.b64decode(cut))
        return self._the_printer.print(job, deadline_s, lambda: True).value

    def status(self) -> dict[str, str | None]:
        """How the printer says it is."""
        status = self._the_printer.status()
        return {**asdict(status), "fault": status.fault}

    @property
    def _the_printer(self) -> Printer:
        assert self._printer is not None
        return self._printer


def main() -> None:
    """Until the machine is switched off."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    faulthandler.register(signal.SIGUSR1)  # where it hangs, if it does, goes into its log
    drivers = Drivers()
    deeds: dict[str, Any] = {name: getattr(drivers, name) for name in dir(drivers) if not name.startswith("_")}
    serve(0, deeds)


if __name__ == "__main__":
    main()
