"""The printer on a real kernel, by its own driver and by libusb, with a USB printer that has paper, cover and plug."""

from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from kiosk.printer_profile import load_profile
from kiosk.printing import make_job
from tests.rig.conftest import Desk

pytestmark = pytest.mark.rig

PROFILE = load_profile("epson-tm-t20iii")
# Longer than any slip: more than kernel and printer take into their queues while nothing is printed.
_picture = Image.frombytes("1", (576, 4000), bytes(range(1, 251)) * (576 * 4000 // 8 // 250))
JOB = make_job(UUID(int=1), _picture, Image.new("1", (576, 8), 1), PROFILE)
HALF = len(JOB.data) // 2


def assert_prints(desk: Desk) -> None:
    """The same driver prints a whole slip."""
    outcome = desk.print(JOB)
    assert (outcome, desk.paper(JOB)[-len(JOB.data) :] == JOB.data) == ("printed", True)


def test_a_slip_arrives_byte_for_byte(desk: Desk) -> None:
    assert (desk.status()["fault"], desk.print(JOB)) == (None, "printed")
    assert desk.paper(JOB) == JOB.data


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [
        ({"paper": "out"}, "paper_out"),
        ({"cover": True}, "cover_open"),
        ({"offline": True}, "printer_offline"),
        ({"error": True}, "printer_offline"),
    ],
    ids=["paper", "cover", "offline", "cutter"],
)
def test_a_printer_that_cannot_print_says_why_and_nothing_is_sent(
    desk: Desk, trouble: dict[str, Any], fault: str
) -> None:
    desk.becomes(**trouble)

    assert (desk.status()["fault"], desk.print(JOB), desk.paper()) == (fault, "not_printed", b"")

    desk.becomes()
    assert_prints(desk)


def test_a_printer_whose_paper_is_near_its_end_prints_and_says_so(desk: Desk) -> None:
    desk.becomes(paper="near")

    assert (desk.status()["paper"], desk.print(JOB)) == ("near_end", "printed")


@pytest.mark.parametrize(
    "trouble", [{"paper": "out"}, {"cover": True}, {"error": True}], ids=["paper", "cover", "cutter"]
)
def test_a_slip_that_ended_in_the_middle_is_not_printed(desk: Desk, trouble: dict[str, Any]) -> None:
    desk.becomes(**trouble, after=HALF)

    assert desk.print(JOB) == "not_printed"

    desk.becomes()
    assert_prints(desk)


def test_of_a_printer_that_says_nothing_nothing_is_known(desk: Desk) -> None:
    desk.becomes(mute=True)

    assert (desk.status()["line"], desk.status()["paper"], desk.print(JOB)) == ("unknown", "unknown", "unknown")

    desk.becomes()
    assert_prints(desk)


def test_a_printer_that_takes_no_more_is_given_up_in_time(desk: Desk) -> None:
    desk.becomes(stall=True, after=HALF // 2)

    assert desk.print(JOB, deadline_s=3.0) == "not_printed"

    desk.becomes()
    assert_prints(desk)


def test_a_printer_that_is_switched_off_is_off_line_and_prints_again_when_it_is_on(desk: Desk) -> None:
    desk.off()
    off = (desk.status()["fault"], desk.print(JOB))
    desk.on()

    assert off == ("printer_offline", "not_printed")
    assert_prints(desk)


def test_a_printer_that_loses_its_power_in_the_middle_has_not_printed(desk: Desk) -> None:
    desk.becomes(drop=True, after=HALF)
    outcome = desk.print(JOB)
    desk.off()
    desk.becomes()
    desk.on()

    assert outcome == "not_printed"
    assert_prints(desk)


@pytest.mark.parametrize("desk", ["usblp"], indirect=True)
def test_a_printer_that_another_program_uses_is_waited_for(desk: Desk) -> None:
    desk.world.ask("hold", path="/dev/usb/lp0")
    held = (desk.status()["fault"], desk.print(JOB))
    desk.world.ask("let_go", path="/dev/usb/lp0")

    assert held == ("printer_offline", "not_printed")
    assert_prints(desk)
