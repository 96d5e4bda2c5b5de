"""What every printer must do; the same tests for the folder, the file, and our driver on every way to a printer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.devices.escpos_reader import read_job
from kiosk.devices.ports import READY, Printer
from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.printer_file import FilePrinter
from kiosk.devices.simulated import VirtualPrinter
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.printer_profile import load_profile
from madoguchi.wire import Outcome
from tests.kiosk.twins import WAYS, job, wait_for, wanted

PROFILE = load_profile("virtual-80mm")
JOB = job(PROFILE, 200)
SLIP = JOB.data


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


def _on(way: str) -> Callable[[Path], Iterator[Made]]:
    def make(folder: Path) -> Iterator[Made]:
        with VirtualPrinterServer(folder / "tray") as server, WAYS[way](server, folder) as transport:

            def papers() -> bytes:
                return b"".join(printed.paper.data for printed in server.papers)

            yield Made(EscposPrinter(transport, answer_s=5.0), papers, lambda: server.set(paper="out"))

    return make


MAKERS: dict[str, Callable[[Path], Iterator[Made]]] = {
    "virtual": _virtual,
    "file": _file,
    **{way: _on(way) for way in WAYS},
}


@pytest.fixture(params=list(MAKERS))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    yield from MAKERS[request.param](tmp_path)


def test_a_printer_that_is_well_says_so(made: Made) -> None:
    assert made.printer.status() == READY


def test_a_job_comes_out_byte_for_byte(made: Made) -> None:
    outcome = made.printer.print(JOB, 5.0, wanted)

    assert (outcome, made.papers()) == (Outcome.PRINTED, SLIP)


def test_jobs_come_out_one_after_another(made: Made) -> None:
    outcomes = [made.printer.print(JOB, 5.0, wanted) for _ in range(3)]

    assert outcomes == [Outcome.PRINTED] * 3
    assert made.papers() == SLIP * 3


def test_asking_changes_nothing(made: Made) -> None:
    assert [made.printer.status() for _ in range(3)] == [READY] * 3
    assert made.papers() == b""


def test_a_printer_that_cannot_print_says_why_and_prints_nothing(made: Made) -> None:
    made.break_it()

    assert made.printer.status().fault is not None
    assert made.printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
    assert made.papers() == b""


def test_the_paper_of_somebody_who_is_not_there_any_more_comes_out_void(made: Made) -> None:
    outcome = made.printer.print(JOB, 5.0, lambda: False)

    wait_for(made.papers)
    assert (outcome, made.papers()) == (Outcome.NOT_PRINTED, JOB.picture + JOB.void)
    (paper,) = read_job(made.papers(), PROFILE.width_dots)
    assert (paper.cut, paper.faults) == (True, ())


def test_the_cut_is_asked_for_when_the_picture_has_left(made: Made) -> None:
    asked: list[bytes] = []

    def still() -> bool:
        asked.append(made.papers())
        return True

    assert made.printer.print(JOB, 5.0, still) is Outcome.PRINTED
    assert len(asked) == 1
    assert JOB.cut not in asked[0]


def test_closing_twice_is_harmless(made: Made) -> None:
    made.printer.close()
    made.printer.close()
