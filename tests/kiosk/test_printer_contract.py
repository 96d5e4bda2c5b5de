"""What every printer must do; the same tests for the folder, the file and the driver of the network printer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from kiosk.devices.ports import READY, Printer
from kiosk.devices.printer_file import FilePrinter
from kiosk.devices.printer_network import NetworkPrinter
from kiosk.devices.simulated import VirtualPrinter
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.printer_profile import load_profile
from kiosk.printing import make_job
from madoguchi.wire import Outcome

PROFILE = load_profile("virtual-80mm")
SLIP = make_job(UUID(int=1), Image.new("1", (PROFILE.width_dots, 200), 1), PROFILE).data


@dataclass
class Made:
    """A printer, what lies on its paper, and a way to make it unable to print."""

    printer: Printer
    papers: Callable[[], bytes]
    break_it: Callable[[], object]


def _virtual(folder: Path) -> Iterator[Made]:
    def papers() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*.bin")))

    yield Made(VirtualPrinter(folder, PROFILE.width_dots), papers, (folder / "paper-out").touch)


def _file(folder: Path) -> Iterator[Made]:
    path = folder / "out" / "printer"
    path.parent.mkdir()

    def break_it() -> None:
        path.unlink(missing_ok=True)
        path.parent.rmdir()

    yield Made(FilePrinter(path), lambda: path.read_bytes() if path.exists() else b"", break_it)


def _network(folder: Path) -> Iterator[Made]:
    with VirtualPrinterServer(folder) as server:

        def papers() -> bytes:
            return b"".join(printed.paper.data for printed in server.papers)

        yield Made(NetworkPrinter("127.0.0.1", server.port), papers, lambda: server.set(paper="out"))


@pytest.fixture(params=[_virtual, _file, _network], ids=["virtual", "file", "network"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    make: Callable[[Path], Iterator[Made]] = request.param
    yield from make(tmp_path)


def test_a_printer_that_is_well_says_so(made: Made) -> None:
    assert made.printer.status() == READY


def test_a_job_comes_out_byte_for_byte(made: Made) -> None:
    outcome = made.printer.print(SLIP, 5.0)

    assert (outcome, made.papers()) == (Outcome.PRINTED, SLIP)


def test_jobs_come_out_one_after_another(made: Made) -> None:
    outcomes = [made.printer.print(SLIP, 5.0) for _ in range(3)]

    assert outcomes == [Outcome.PRINTED] * 3
    assert made.papers() == SLIP * 3


def test_asking_changes_nothing(made: Made) -> None:
    assert [made.printer.status() for _ in range(3)] == [READY] * 3
    assert made.papers() == b""


def test_a_printer_that_cannot_print_says_why_and_prints_nothing(made: Made) -> None:
    made.break_it()

    assert made.printer.status().fault is not None
    assert made.printer.print(SLIP, 5.0) is Outcome.NOT_PRINTED
    assert made.papers() == b""


def test_closing_twice_is_harmless(made: Made) -> None:
    made.printer.close()
    made.printer.close()
