"""One machine for all the rig's tests, and the devices that stand before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kiosk.devices.keymap import REST_S, SILENCE_S
from tests.rig.kernel import ROOT
from tests.rig.keyboard import scanner
from tests.rig.machine import Line, Machine

LONG_S = 60.0  # how long we wait for what should come at once: an emulated machine beside others is slow

QUIET_S = 0.4
TRIES = 30
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
    log_before: int = 0

    def scans(self, *typing: bytes, gap_ms: float = 0.0, rest_ms: float = 0.0) -> list[str]:
        """What the driver makes of what the scanner types; a scan that was lost as "lost: why".

        When the host holds the guest up in the middle, the scanner was silent there: that says nothing, and is tried
        again.
        """
        for _ in range(TRIES):
            pauses = [self.type(reports, gap_ms, rest_ms=rest_ms) for reports in typing]
            came = self.all_that_came()
            if max(pauses) < SILENCE_S * 1000 / 2:
                return came
            self.read(REST_S)  # what is typed too soon after a pause is taken for the rest
        raise AssertionError(f"this machine is too busy to type a code in {TRIES} tries")

    def type(self, reports: bytes, gap_ms: float = 0.0, rest_ms: float = 0.0) -> float:
        """Let the scanner send reports; the longest pause between two of them, in milliseconds."""
        words = {"reports": reports.hex(), "gap_ms": gap_ms, "rest_ms": rest_ms}
        longest: float = self.world.ask("type", name="scanner", **words)
        return longest

    def read(self, timeout: float = LONG_S) -> str | None:
        """The next scan."""
        said = self.drivers.ask("read", timeout=timeout)
        if said is None:
            return None
        scan: str = said["scan"] if "scan" in said else f"lost: {said['lost']}"
        return scan

    def all_that_came(self) -> list[str]:
        """Scans until nothing comes any more."""
        first = self.read()
        came = [] if first is None else [first]
        while (scan := self.read(QUIET_S)) is not None:
            came.append(scan)
        return came

    def connected(self, wanted: bool = True) -> bool:
        """Whether the driver has the scanner, once it has or too long has passed."""
        there: bool = self.drivers.ask("connected", wanted=wanted, seconds=LONG_S)
        return there

    def number(self) -> str:
        """Under which number the kernel has the scanner."""
        place: str = self.world.ask("wait_for", path=PLACE)
        return place

    def says(self, words: str) -> bool:
        """Whether the driver says this in its log since it was started, sooner or later."""
        said: bool = self.world.ask("says", name="drivers", words=words, after=self.log_before, seconds=LONG_S)
        return said

    def plug(self, name: str = "scanner", **device: Any) -> None:
        """A device into its socket: a new one, or the one of that name again."""
        self.world.ask("plug", name=name, **device)

    def unplug(self) -> None:
        """Pull the scanner's plug."""
        self.world.ask("unplug", name="scanner")

    def open(self, layout: str = "us") -> None:
        """Start the driver."""
        self.log_before = len(self.world.ask("log", name="drivers"))
        self.drivers.ask("open_scanner", path=PLACE, layout=layout)

    def close(self) -> None:
        """End the driver."""
        self.drivers.ask("close_scanner")


@pytest.fixture
def counter(machine: Machine) -> Iterator[Counter]:
    """A scanner that is plugged in and read by our driver."""
    here = Counter(machine.world, machine.drivers)
    if not machine.world.ask("is_there", path=PLACE):
        machine.world.ask("throw_away", name="scanner")
        here.plug(**scanner())
        here.number()
    here.open()
    assert here.connected(), machine.world.ask("log", name="drivers")
    yield here
    here.close()
    machine.world.ask("throw_away", name="other")
