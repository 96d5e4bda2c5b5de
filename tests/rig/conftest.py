"""One machine for all the rig's tests, and the devices that stand before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.rig.kernel import ROOT
from tests.rig.keyboard import ENTER, scanner, stroke, typed
from tests.rig.machine import Line, Machine

LONG_S = 60.0  # how long we wait for what should come at once: an emulated machine beside others is slow

PLACE = "/dev/input/by-id/usb-RIG_Bar_Code_Scanner_S0001-event-kbd"


def documented_rule() -> str:
    """What docs/kiosk.md tells to write into a file of udev's."""
    lines = (ROOT / "docs/kiosk.md").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip().startswith("SUBSYSTEM=="))


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Booted once. What is missing for it is a failure."""
    with Machine() as running:
        running.world.ask("udev", rules=documented_rule())
        yield running


@dataclass
class Counter:
    """The machine at the entrance with a scanner before it, and our driver inside it."""

    world: Line
    drivers: Line
    place: str

    def type(self, reports: bytes, gap_ms: float = 0.0, **more: Any) -> None:
        """Let the scanner send reports."""
        self.world.ask("type", name="scanner", function="hid.keys", reports=reports.hex(), gap_ms=gap_ms, **more)

    def scan(self, text: str, gap_ms: float = 0.0, layout: str = "us", end: bytes = stroke(ENTER)) -> None:
        """Hold a code to the scanner."""
        self.type(typed(text, layout) + end, gap_ms)

    def read(self, timeout: float = LONG_S) -> str | None:
        """What the driver makes of it; a scan that was lost as "lost: why"."""
        said = self.drivers.ask("read", timeout=timeout)
        if said is None:
            return None
        scan: str = said["scan"] if "scan" in said else f"lost: {said['lost']}"
        return scan

    def connected(self, wanted: bool = True) -> bool:
        """Whether the driver has the scanner, once it has or too long has passed."""
        there: bool = self.drivers.ask("connected", wanted=wanted, seconds=LONG_S)
        return there

    def open(self, layout: str = "us") -> None:
        """Start the driver."""
        self.drivers.ask("open_scanner", path=self.place, layout=layout)


@pytest.fixture
def counter(machine: Machine) -> Iterator[Counter]:
    """A scanner that is plugged in and read by our driver."""
    try:
        machine.world.ask("plug", name="scanner", **scanner())
        machine.world.ask("wait_for", path=PLACE)
        here = Counter(machine.world, machine.drivers, PLACE)
        here.open()
        assert here.connected(), machine.world.ask("log", name="drivers")
        yield here
    finally:
        machine.drivers.ask("close_scanner")
        machine.world.ask("throw_away", name="scanner")
