"""Each fault as the resident sees it, as staff hear it and as it is recorded: the table in docs/operations.md."""

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import pytest

from madoguchi import codes
from tests.kiosk.fake_office import TOKEN
from tests.rig.conftest import PLACE, Desk
from tests.rig.entrance import Entrance, entrance
from tests.rig.keyboard import scanner
from tests.rig.machine import Machine

pytestmark = pytest.mark.rig

_people: Final = count(1)


def somebody() -> str:
    """The booking code of somebody who was not here before."""
    return codes.from_bits(codes.Kind.BOOKING, next(_people).to_bytes(5) * 2).text


@pytest.fixture(scope="module")
def running(printer: Machine) -> Iterator[Entrance]:
    """The kiosk, started once."""
    if not printer.world.ask("is_there", path=PLACE):
        printer.world.ask("throw_away", name="scanner")
        printer.world.ask("plug", name="scanner", **scanner())
        printer.world.ask("wait_for", path=PLACE)
    with entrance(printer, PLACE) as here:
        yield here


@pytest.fixture
def here(running: Entrance, printer: Machine) -> Iterator[Entrance]:
    """The kiosk, and devices that are well; so they are left."""
    yield running
    Desk(printer.world, printer.drivers).becomes()


@pytest.fixture
def paper(printer: Machine) -> Desk:
    """The printer, to be made to fail."""
    return Desk(printer.world, printer.drivers)


# Scanner


def test_scanner_unplugged(here: Entrance) -> None:
    here.from_now_on()
    here.world.ask("unplug", name="scanner")

    here.sees("idle", "kiosk.scanner.away")
    assert here.staff_hear("scanner")
    assert "gone (No such device)" in here.log()

    here.world.ask("plug", name="scanner")
    here.sees("idle", "kiosk.welcome.body")


def test_server_away(here: Entrance) -> None:
    def breaks_the_line(_: str) -> None:
        raise ConnectionError

    here.from_now_on()
    here.office.before_answer = breaks_the_line
    here.sees("away", "kiosk.server.away")
    here.office.before_answer = lambda _: None

    here.sees("idle", "kiosk.welcome.body")
    assert "the server is away" in here.log()


def test_scan_lost(here: Entrance) -> None:
    here.world.ask("signal", pid=here.pid, name="SIGSTOP")
    here.scan(somebody())
    here.world.ask("signal", pid=here.pid, name="SIGCONT")

    here.sees("message", "kiosk.unreadable")
    assert "scan: lost, 0 bytes" in here.log()


def test_another_keyboard(here: Entrance) -> None:
    here.from_now_on()
    here.world.ask("plug", name="other", **scanner(socket=2, serial="S0002"))

    assert here.staff_hear("input_device")
    assert "is none of ours: what it types is ignored" in here.log()

    here.world.ask("throw_away", name="other")


def test_somebody_elses_code(here: Entrance) -> None:
    here.scan("https://elsewhere.example/card")
    here.sees("message", "kiosk.wrongcode")
    before = here.told
    here.scan("https://elsewhere.example/card")
    here.sees("message", "kiosk.wrongcode")

    here.told = before
    assert here.staff_hear("refused_twice")
    assert "elsewhere.example" not in here.log()


# Printer


@pytest.mark.parametrize(
    "trouble", [{"paper": "out"}, {"cover": True}, {"error": True}], ids=["paper", "cover", "cutter"]
)
def test_printer_cannot_print(here: Entrance, paper: Desk, trouble: dict[str, Any]) -> None:
    paper.becomes(**trouble)
    who = somebody()
    here.scan(who)

    number = here.sees("number", "kiosk.paperout")["number"]
    assert here.staff_hear("printer")
    assert here.recorded("not_printed")

    paper.becomes()
    here.scan(who)
    here.sees("number", "kiosk.take", number)
    assert here.recorded("not_printed", "printed")


def test_paper_ends_in_the_middle(here: Entrance, paper: Desk) -> None:
    paper.becomes(paper="out", after=20_000)
    here.scan(somebody())

    here.sees("number", "kiosk.paperout")
    assert here.staff_hear("printer")
    assert here.recorded("not_printed")


def test_paper_near_its_end(here: Entrance, paper: Desk) -> None:
    here.from_now_on()
    paper.becomes(paper="near")

    assert here.staff_hear("paper_near_end")

    here.scan(somebody())
    here.sees("number", "kiosk.take")
    assert here.recorded("printed")


def test_printer_says_nothing(here: Entrance, paper: Desk) -> None:
    paper.becomes(mute=True)
    here.scan(somebody())

    here.sees("number", "kiosk.paper.unknown")
    assert here.staff_hear("printer")
    assert here.recorded("unknown")


def test_printer_takes_no_more(here: Entrance, paper: Desk) -> None:
    paper.becomes(stall=True)
    here.scan(somebody())

    here.sees("number")
    assert here.staff_hear("printer")
    assert here.recorded("not_printed") or here.recorded("unknown")


def test_printer_switched_off(here: Entrance, paper: Desk) -> None:
    here.from_now_on()
    paper.off()
    here.scan(somebody())

    here.sees("number", "kiosk.paperout")
    assert here.staff_hear("printer")
    assert here.recorded("not_printed")

    paper.on()


def test_power_lost_in_the_middle(here: Entrance, paper: Desk) -> None:
    paper.becomes(drop=True, after=20_000)
    here.scan(somebody())

    here.sees("number", "kiosk.paperout")
    assert here.staff_hear("printer")
    assert here.recorded("not_printed")

    paper.off()
    paper.becomes()
    paper.on()


# What nobody may keep


def test_my_number(here: Entrance) -> None:
    canary = "983205673214"
    here.scan(canary)

    here.sees("message", "kiosk.mynumber")
    assert "983205" not in repr(here.office.asked)
    assert "ASCII" in here.memory_holds(TOKEN), "whoever looks finds what is there"
    assert here.memory_holds(canary) == []
    assert here.files_hold(canary) == []
