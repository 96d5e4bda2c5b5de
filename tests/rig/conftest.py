"""One machine for all the rig's tests, and the devices that stand before it."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kiosk.devices.keymap import REST_S, SILENCE_S
from kiosk.job import Job
from tests.rig.kernel import ROOT
from tests.rig.keyboard import scanner
from tests.rig.machine import Line, Machine

LONG_S = 60.0  # how long we wait for what should come at once: an emulated machine beside others is slow

QUIET_S = 0.4
TRIES = 30
PLACE = "/dev/input/by-id/usb-RIG_Bar_Code_Scanner_S0001-event-kbd"


def documented_rule() -> str:
    """What docs/kiosk.md tells to write into a file of udev's."""
    rules = re.findall(r"SUBSYSTEM==[^`\n]+", (ROOT / "docs/kiosk.md").read_text(encoding="utf-8"))
    return "".join(f"{rule}\n" for rule in rules)


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


@dataclass
class Desk:
    """The printer, our driver, and what came out."""

    world: Line
    drivers: Line

    def print(self, job: Job, deadline_s: float = LONG_S) -> str:
        """Print a slip; what became of it."""
        parts = {"picture": base64.b64encode(job.picture).decode(), "cut": base64.b64encode(job.cut).decode()}
        outcome: str = self.drivers.ask("print", **parts, deadline_s=deadline_s)
        return outcome

    def status(self) -> dict[str, str | None]:
        """How the printer says it is."""
        said: dict[str, str | None] = self.drivers.ask("status")
        return said

    def paper(self, job: Job | None = None) -> bytes:
        """What the printer has received since, but for questions; of a job, as soon as all of it is there."""
        received = b""
        for _ in range(100):
            received += re.sub(rb"\x10\x04[\x01-\x04]", b"", base64.b64decode(self.world.ask("take_paper")))
            if job is None or received.endswith(job.data):
                break
            self.world.ask("rest", seconds=0.1)
        return received

    def becomes(self, **state: Any) -> None:
        """Paper out, cover open and so on; what is not named is well."""
        self.world.ask("printer_becomes", **state)

    def on(self) -> None:
        """Switch the printer on."""
        self.world.ask("plug_printer")
        self.world.ask("wait_for", path="/dev/usb/lp0")
        self.world.ask("settle")

    def off(self) -> None:
        """Pull its plug."""
        self.world.ask("unplug_printer")
        self.world.ask("wait_for", path="/dev/usb/lp0", there=False)


@pytest.fixture(scope="session")
def printer(machine: Machine) -> Machine:
    """The machine with a printer."""
    machine.world.ask(
        "plug_printer",
        socket=0,
        vendor=0x04B8,
        product=0x0202,
        strings={"manufacturer": "RIG", "product": "TM-T20III", "serialnumber": "P0001"},
        functions={"printer.lp": {"pnp_string": "MFG:RIG;CMD:ESC/POS;MDL:TM-T20III;CLS:PRINTER;", "q_len": "10"}},
    )
    machine.world.ask("wait_for", path="/dev/usb/lp0")
    machine.world.ask("settle")
    return machine


@pytest.fixture(params=["usblp", "usb"])
def desk(request: pytest.FixtureRequest, printer: Machine) -> Iterator[Desk]:
    """A printer that is well, read by the kernel's own driver or by libusb."""
    here = Desk(printer.world, printer.drivers)
    here.becomes()
    # The kernel's driver may just have got the printer back from libusb, and udev the new device.
    here.world.ask("wait_for", path="/dev/usb/lp0")
    here.world.ask("settle")
    here.drivers.ask("open_printer", kind=request.param, replies=True)
    here.paper()
    yield here
    here.drivers.ask("close_printer")
