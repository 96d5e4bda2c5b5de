"""終了: a visit ends, and queue, booking and notice know it at once."""

from functools import partial
from uuid import UUID

import pytest

from server.booking.rules import BookingState
from server.db import read_session
from server.desk.service import finish
from server.errors import RepeatedWithOtherBody
from server.issuance.models import NoticeState
from server.issuance.service import NoticeNotReady
from server.queueing.models import Visit
from server.queueing.rules import MoreStops, NobodyAtWindow, NotPossible, OtherVisitor, Outcome, StepState
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
    assert [(p.outcome, p.live, p.finished_at) for p in ended.people] == [(Outcome.HANDED_OVER, False, city.now)]
    assert city.notice(person).state is NoticeState.HANDED_OVER
    assert city.live(person) is None
    with pytest.raises(NoticeNotReady):
        city.hold(person, "14:00")


def test_when_it_was_not_the_person_can_book_again(here: Here) -> None:
    city, person, _ = here
    city.finish(3, Outcome.LEFT)

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

    assert [(p.outcome, p.live) for p in visit().people] == [(Outcome.HANDED_OVER, False)] * 3


def test_the_same_press_again_is_the_same_answer(here: Here) -> None:
    city, _, _ = here
    by = asked_by("staff:2")
    done = city.finish(3, by=by)
    city.come_without_booking()
    city.call_next(3)

    assert city.finish(3, by=by) == done
    assert city.window(3).is_open
    with pytest.raises(RepeatedWithOtherBody):
        city.finish(3, Outcome.LEFT, by=by)


@pytest.fixture
def family(city: City) -> tuple[City, list[Person], UUID]:
    """Three people with one booking are called to window 3."""
    people = city.people(3)
    _, booking = city.booked("10:00", person=people[0], family=people[1:])
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    return city, people, booking


Family = tuple[City, list[Person], UUID]


def test_each_of_a_family_ends_alone_and_closes_the_own_notice_only(family: Family) -> None:
    city, people, booking = family
    assert not city.finish(3, position=2).over
    assert [city.notice(person).state for person in people] == [
        NoticeState.READY,
        NoticeState.HANDED_OVER,
        NoticeState.READY,
    ]
    assert (city.state(booking), visit().live) == (BookingState.CHECKED_IN, True)
    assert not city.finish(3, Outcome.PAPERS_MISSING, position=1).over
    assert city.finish(3, position=3).over
    assert [p.outcome for p in visit().people] == [Outcome.PAPERS_MISSING, Outcome.HANDED_OVER, Outcome.HANDED_OVER]
    assert (city.state(booking), visit().live) == (BookingState.DONE, False)
    assert city.hold(people[0], "14:00").starts_at == moment("14:00")


def test_one_key_ends_all_who_are_left_and_nobody_ends_twice(family: Family) -> None:
    city, people, _ = family
    city.finish(3, Outcome.LEFT, position=1)
    with pytest.raises(NotPossible):
        city.finish(3, position=1)
    assert city.finish(3).over
    assert [city.notice(person).state for person in people] == [NoticeState.READY] + [NoticeState.HANDED_OVER] * 2


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.LATER_BY_MAIL, NoticeState.BY_MAIL),
        (Outcome.STOPPED, NoticeState.STOPPED),
    ],
)
def test_a_card_that_is_sent_or_stopped_is_booked_for_no_more(here: Here, outcome: Outcome, state: NoticeState) -> None:
    city, person, _ = here
    city.finish(3, outcome)
    assert city.notice(person).state is state
    with pytest.raises(NoticeNotReady):
        city.hold(person, "14:00")


def test_a_service_in_which_nothing_is_handed_over_ends_as_done(city: City) -> None:
    city.come_without_booking("pin")
    city.open(1)
    city.call_next(1)
    city.finish(1)

    assert [p.outcome for p in visit().people] == [Outcome.DONE]


def test_nothing_is_handed_over_before_the_last_stop_but_people_may_leave(city: City) -> None:
    city.check_papers_first()
    city.come_without_booking(party=2)
    city.open(1, 2)
    city.call_next(1)
    with pytest.raises(MoreStops):
        city.finish(1)
    city.finish(1, Outcome.LEFT, position=1)
    city.pass_on(1)
    city.call_next(2)
    assert city.finish(2).over
    assert [p.outcome for p in visit().people] == [Outcome.LEFT, Outcome.HANDED_OVER]
