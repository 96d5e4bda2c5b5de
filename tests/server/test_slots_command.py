"""`madoguchi slots`: what it does and says."""

from collections.abc import Callable

import pytest

from madoguchi.cli import _parser
from server import commands
from server.auth.rules import NameUnusable
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


@pytest.mark.parametrize("words", [("123456789018", "1"), ("--pool", "123456789018", "size", "1")])
def test_what_may_be_a_my_number_is_not_said_again(slots: Callable[..., str], words: tuple[str, ...]) -> None:
    with pytest.raises(NameUnusable) as refused:
        slots("set", "--office", "honcho", *words)
    assert refused.value.facts == {"most": 40}


@pytest.mark.parametrize("name", ["", "あ" * 41, "123456789018", "sato\u202e", "a\nb"])
@pytest.mark.parametrize("words", [("staff", "add", "--role=clerk"), ("devices", "add-board", "--office=honcho")])
def test_a_name_that_may_not_be_kept_is_refused_and_not_said_again(
    city: City, words: tuple[str, ...], name: str
) -> None:
    asked = _parser().parse_args([*words, "--", name])
    with pytest.raises(NameUnusable) as refused:
        commands.COMMANDS[words[0]](city.office.app, asked)
    assert refused.value.facts == {"most": 40}
