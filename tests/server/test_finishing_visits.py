"""終了: a visit ends, and queue, booking and notice know it at once."""

from functools import partial

import pytest

from server.booking.rules import BookingState
from server.db import read_session
from server.desk.service import Outcome, finish
from server.errors import RepeatedWithOtherBody
from server.issuance.models import NoticeState
from server.issuance.service import NoticeNotReady
from server.queueing.models import Visit
from server.queueing.rules import NobodyAtWindow, OtherVisitor, StepState
from tests.fakes import asked_by
from tests.server.city import City, Person, moment


@pytest.fixture
def here(city: City) -> tuple[City, Person, BookingState]:
    """Somebody with a booking is called to window 3."""
    person, booking = city.booked("10:00")
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    return city, person, city.state(booking)


def visit() -> Visit:
    """The only visit."""
    read_session().rollback()
    return read_session().query(Visit).one()


Here = tuple[City, Person, BookingState]


def test_when_the_card_is_handed_over_everything_is_done(here: Here) -> None:
    city, person, before = here
    city.clock.forward(minutes=9)
    done = city.finish(3)

    ended = visit()
    assert (before, done.visit, done.outcome) == (BookingState.CHECKED_IN, ended.uid, "handed_over")
    assert (ended.live, ended.steps[0].state) == (False, StepState.DONE)
    assert [(p.outcome, p.live, p.finished_at) for p in ended.people] == [("handed_over", False, city.now)]
    assert city.notice(person).state is NoticeState.HANDED_OVER
    assert city.live(person) is None
    with pytest.raises(NoticeNotReady):
        city.hold(person, "14:00")


def test_when_it_was_not_the_person_can_book_again(here: Here) -> None:
    city, person, _ = here
    city.finish(3, Outcome.NOT_HANDED_OVER)

    assert city.notice(person).state is NoticeState.READY
    assert city.hold(person, "14:00").starts_at == moment("14:00")
    assert city.has_right_counters()


def test_the_window_is_free_and_nobody_can_be_finished_twice(here: Here) -> None:
    city, _, _ = here
    city.finish(3)

    with pytest.raises(NobodyAtWindow):
        city.finish(3)
    city.come_without_booking()
    assert city.call_next(3).number == 2


def test_a_screen_that_shows_somebody_else_ends_nobodys_visit(here: Here) -> None:
    city, person, _ = here
    press = partial(finish, window_id=city.window(3).id, outcome=Outcome.HANDED_OVER, now=city.now)
    with pytest.raises(OtherVisitor):
        press(asked_by("staff:2"), number=2)
    assert (visit().live, city.notice(person).state) == (True, NoticeState.READY)

    press(asked_by("staff:2"), number=1)
    assert not visit().live


def test_a_party_without_a_booking_ends_together(city: City) -> None:
    city.come_without_booking(party=3)
    city.open(3)
    city.call_next(3)
    city.finish(3)

    assert [(p.outcome, p.live) for p in visit().people] == [("handed_over", False)] * 3


def test_the_same_press_again_is_the_same_answer(here: Here) -> None:
    city, _, _ = here
    by = asked_by("staff:2")
    done = city.finish(3, by=by)
    city.come_without_booking()
    city.call_next(3)

    assert city.finish(3, by=by) == done
    assert city.window(3).is_open
    with pytest.raises(RepeatedWithOtherBody):
        city.finish(3, Outcome.NOT_HANDED_OVER, by=by)
