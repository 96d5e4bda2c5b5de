"""元に戻す: what was just done at a window is undone, by the same clerk within a minute, or refused."""

import pytest
from sqlalchemy import select

from server.audit import AuditEntry
from server.booking.rules import BookingState
from server.db import read_session
from server.issuance.models import NoticeState
from server.queueing.models import Visit
from server.queueing.rules import (
    ChangedSince,
    NoTerminalFree,
    NothingToUndo,
    Outcome,
    ParkedFor,
    StepState,
    WindowClosed,
    WindowOccupied,
)
from tests.server.city import City, steps


@pytest.fixture
def here(city: City) -> City:
    """Two people wait, the first is called to window 3."""
    city.open(3)
    for _ in range(2):
        city.come_without_booking()
        city.clock.forward(seconds=1)
    city.call_next(3)
    return city


def test_an_ending_is_undone_for_visit_booking_and_notice(city: City) -> None:
    person, booking = city.booked("09:15")
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    city.finish(3)
    city.clock.forward(seconds=60)
    assert city.undo(3).act == "finish"

    assert city.notice(person).state is NoticeState.READY
    assert city.state(booking) is BookingState.CHECKED_IN
    (visit,) = read_session().scalars(select(Visit))
    assert (visit.live, [(p.live, p.outcome) for p in visit.people]) == (True, [(True, None)])
    assert steps()[0].state is StepState.CALLED
    assert city.finish(3, Outcome.LATER_BY_MAIL).over
    verbs = read_session().scalars(select(AuditEntry.verb).order_by(AuditEntry.id)).all()
    assert verbs[-4:] == ["visit.finish", "visit.undo", "mailing.promise", "visit.finish"]
    assert city.has_right_counters()


def test_the_ending_of_one_of_a_family_is_undone_for_that_one_alone(city: City) -> None:
    people = city.people(3)
    _, booking = city.booked("10:00", person=people[0], family=people[1:])
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    city.finish(3, position=1)
    city.finish(3, position=2)
    city.undo(3)

    assert [city.notice(p).state.value for p in people] == ["handed_over", "ready", "ready"]
    with pytest.raises(NothingToUndo):
        city.undo(3)


@pytest.mark.parametrize("act", ["missed", "park"])
def test_missed_and_parked_are_undone(here: City, act: str) -> None:
    here.missed(3) if act == "missed" else here.park(3, ParkedFor.CHOOSING)
    assert here.undo(3).act == act
    (first, _) = steps()
    assert (first.state, first.window_id, first.parked_for) == (StepState.CALLED, here.window(3).id, None)
    assert here.finish(3).over


def test_who_was_passed_on_stands_at_the_window_again_until_called_elsewhere(city: City) -> None:
    city.check_papers_first()
    city.open(1, 2)
    city.come_without_booking()
    city.call_next(1)
    city.pass_on(1)
    assert city.undo(1).act == "pass_on"
    assert [(s.state, s.lane_id) for s in steps()] == [(StepState.CALLED, steps()[0].lane_id)]

    city.pass_on(1)
    city.call_next(2)
    with pytest.raises(ChangedSince):
        city.undo(1)


def test_only_the_same_clerk_within_a_minute_and_once(here: City) -> None:
    with pytest.raises(NothingToUndo):
        here.undo(3)
    here.finish(3)
    with pytest.raises(NothingToUndo):
        here.undo(3, by="madoguchi3")
    here.clock.forward(seconds=61)
    with pytest.raises(NothingToUndo):
        here.undo(3)


def test_not_while_somebody_else_is_at_the_window_or_it_is_closed(here: City) -> None:
    here.finish(3)
    here.close(3)
    with pytest.raises(WindowClosed):
        here.undo(3)
    here.open(3)
    here.call_next(3)
    with pytest.raises(WindowOccupied):
        here.undo(3)


def test_not_when_the_notice_was_booked_for_again(city: City) -> None:
    person, booking = city.booked("09:15")
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    city.finish(3, Outcome.PAPERS_MISSING)
    city.hold(person, "14:00")
    with pytest.raises(ChangedSince):
        city.undo(3)
    assert city.state(booking) is BookingState.DONE


def test_not_when_who_was_missed_has_been_called_elsewhere(here: City) -> None:
    here.open(2)
    here.missed(3)
    here.back(steps()[0].visit.tickets[0].uid)
    with pytest.raises(ChangedSince):
        here.undo(3)


def test_not_when_the_terminal_is_taken(city: City) -> None:
    city.check_papers_first(terminals=1)
    city.open(1, 2, 3)
    for _ in range(2):
        city.come_without_booking()
        city.call_next(1)
        city.pass_on(1)
    city.call_next(2)
    city.missed(2)
    city.call_next(3)
    with pytest.raises(NoTerminalFree):
        city.undo(2)
