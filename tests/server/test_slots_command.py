"""`madoguchi slots`: what it does and says."""

from collections.abc import Callable

import pytest

from madoguchi.cli import _parser
from server import commands
from tests.server.booking.test_worklist import TUESDAY, close
from tests.server.city import City


@pytest.fixture
def slots(city: City) -> Callable[..., str]:
    """The command, run in the office's own context."""

    def run(*words: str) -> str:
        return commands.COMMANDS["slots"](city.office.app, _parser().parse_args(["slots", *words]))

    return run


def test_a_value_is_set_and_the_places_follow(city: City, slots: Callable[..., str]) -> None:
    said = slots("set", "--office", "honcho", "walk_in_by_hour", '{"mon 10": 100}')

    assert said == "places of honcho made up to 2027-01-15: 0 new slots"
    assert (city.place("10:15").bookable, city.place("10:15").walk_in) == (0, 3)


def test_places_are_made_up_to_a_day(slots: Callable[..., str]) -> None:
    said = slots("make", "--office", "honcho", "--from", "2026-12-01", "--to", "2027-01-18")
    assert said == "places of honcho made up to 2027-01-18: 35 new slots"


def test_the_work_list_is_counted_and_moved(city: City, slots: Callable[..., str]) -> None:
    city.booked("10:15", TUESDAY)
    close(city)

    assert slots("affected", "--office", "honcho") == "1 bookings on the work list"
    said = slots("affected", "--office", "honcho", "--move")
    assert said == "1 moved, 0 found no free place; 1 bookings on the work list"
