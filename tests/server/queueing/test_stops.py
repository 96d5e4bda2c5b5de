"""Visits of several stops, on each kind of database: one number through all of them, and terminals that are shared."""

import pytest
from sqlalchemy import select

from server.db import read_session
from server.errors import ChangedMeanwhile
from server.offices.models import Terminal
from server.queueing.rules import LastStop, NobodyWaiting, NoTerminalFree, NotPossible, OtherVisitor, StepState
from server.queueing.service import pass_on
from tests.fakes import asked_by
from tests.server.city import City, steps


@pytest.fixture
def counter(city: City) -> City:
    """Papers are checked at window 1, cards issued at windows 2 and 3 with one terminal; three people have come."""
    city.check_papers_first(terminals=1)
    city.open(1, 2, 3)
    for _ in range(3):
        city.come_without_booking()
        city.clock.forward(seconds=1)
    return city


def test_a_visit_keeps_number_and_place_through_all_its_stops(counter: City) -> None:
    first = counter.call_next(1)
    counter.clock.forward(minutes=5)

    passed = counter.pass_on(1)
    called = counter.call_next(2)

    assert (passed.number, passed.lane["ja"], called.number) == (first.number, "交付", first.number)
    one, _, _, two = steps()
    assert (one.state, one.ended_at, two.position, two.due_at) == (StepState.DONE, counter.now, 2, one.due_at)
    with pytest.raises(LastStop):
        counter.pass_on(2)
    assert counter.finish(2).outcome == "handed_over"
    assert steps()[-1].ended_at == counter.now


def test_who_is_called_elsewhere_is_not_told_to_wait_for_a_terminal(counter: City) -> None:
    counter.call_next(1)
    counter.pass_on(1)
    counter.call_next(2)
    with pytest.raises(NotPossible):
        counter.call(3, steps()[0].visit.tickets[0].uid)


def test_a_window_calls_only_from_its_own_lanes(counter: City) -> None:
    with pytest.raises(NobodyWaiting):
        counter.call_next(2)


def test_so_many_are_served_as_there_are_terminals(counter: City) -> None:
    for _ in range(2):
        counter.call_next(1)
        counter.pass_on(1)
    counter.call_next(2)

    with pytest.raises(NobodyWaiting):
        counter.call_next(3)
    counter.finish(2)
    assert counter.call_next(3).number == 2


def test_a_terminal_that_is_down_serves_nobody(counter: City) -> None:
    counter.call_next(1)
    counter.pass_on(1)
    counter.set_row(read_session().scalars(select(Terminal)).one(), is_down=True)

    with pytest.raises(NobodyWaiting):
        counter.call_next(2)


def test_who_is_called_by_hand_needs_a_terminal_too(counter: City) -> None:
    tickets = []
    for _ in range(2):
        counter.call_next(1)
        counter.pass_on(1)
        read_session().rollback()
        tickets.append(steps()[-1].visit.tickets[0].uid)
    counter.call(2, tickets[1])

    with pytest.raises(NoTerminalFree):
        counter.call(3, tickets[0])


def test_who_is_missed_leaves_the_terminal_to_others(counter: City) -> None:
    for _ in range(2):
        counter.call_next(1)
        counter.pass_on(1)
    counter.call_next(2)
    counter.missed(2)

    assert counter.call_next(3).number == 2


def test_who_has_chosen_a_pin_goes_first_and_the_others_keep_their_place(counter: City) -> None:
    for _ in range(3):
        counter.call_next(1)
        counter.pass_on(1)
    counter.set_row(steps()[-1], ready=True)

    order = []
    for _ in range(3):
        order.append(counter.call_next(2).number)
        counter.finish(2)
    assert order == [3, 1, 2]


def test_whose_patience_is_over_counts_as_ready_however_many_are_due_before(city: City) -> None:
    city.check_papers_first(terminals=1)
    city.open(1, 2)
    for _ in range(3):
        city.come_without_booking()
    city.at("9:01")
    patient = city.come_without_booking().ticket.number
    city.at("9:02")
    city.come_without_booking()
    tickets = {step.visit.tickets[0].number: step.visit.tickets[0].uid for step in steps()}
    city.call(1, tickets[patient])
    city.pass_on(1)
    city.at("9:30")
    city.ready(tickets[5])
    for number in (1, 2, 3, 5):
        city.call(1, tickets[number])
        city.pass_on(1)

    city.at("9:32")
    assert city.call_next(2).number == patient


def test_two_at_one_terminal_are_refused_by_the_database(counter: City) -> None:
    for _ in range(2):
        counter.call_next(1)
        counter.pass_on(1)
    counter.call_next(2)
    one, two = steps()[-2:]

    with pytest.raises(ChangedMeanwhile):
        counter.set_row(two, state=StepState.CALLED, window_id=counter.window(3).id, terminal_id=one.terminal_id)


def test_nobody_is_called_to_a_terminal_stop_without_a_terminal(counter: City) -> None:
    counter.call_next(1)
    counter.pass_on(1)

    with pytest.raises(ChangedMeanwhile):
        counter.set_row(steps()[-1], state=StepState.CALLED, window_id=counter.window(3).id)


def test_passing_on_is_done_once_and_only_for_whom_the_screen_shows(counter: City) -> None:
    counter.call_next(1)
    by, window = asked_by("staff:2"), counter.window(1).id
    with pytest.raises(OtherVisitor):
        pass_on(by, window, counter.now, 99)

    assert pass_on(by, window, counter.now, 1) == pass_on(by, window, counter.now, 1)
    assert [s.state for s in steps()].count(StepState.DONE) == 1
