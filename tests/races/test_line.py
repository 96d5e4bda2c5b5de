"""Many windows, kiosks and clerks at once, in threads: nobody is called twice, no number is given twice."""

from datetime import timedelta
from functools import partial

import pytest

from madoguchi.wire import CheckInAnswer
from server.booking.rules import BookingState
from server.db import read_session
from server.desk.service import finish
from server.errors import Refusal
from server.offices.models import Window
from server.queueing.models import Call, Ticket, Visit, VisitStep
from server.queueing.queries import sequence_of
from server.queueing.rules import AT_WINDOW, Outcome
from server.queueing.service import Called, call_next, close_past_days, close_window
from tests.fakes import asked_by
from tests.races.conftest import WINDOWS
from tests.races.together import Deed, at_once, codes, done
from tests.server.city import City

pytestmark = pytest.mark.race


def test_fifty_people_at_once_get_fifty_numbers_that_follow_each_other(hall: City) -> None:
    answers = at_once(hall.office.app, [hall.come_without_booking for _ in range(50)])

    assert sorted(a.ticket.number for a in done(answers)) == list(range(1, 51))
    assert tickets() == list(range(1, 51))


def test_of_fifty_windows_one_gets_the_only_person_waiting(hall: City) -> None:
    number = hall.come_without_booking().ticket.number
    answers = call_at_all_windows(hall)

    assert [called.number for called in done(answers)] == [number]
    assert codes(answers) == ["nobody_waiting"] * (WINDOWS - 1)
    assert sequences(hall) == [1]


def test_fifty_windows_call_fifty_different_people(hall: City) -> None:
    for _ in range(WINDOWS):
        hall.come_without_booking()
    answers = call_at_all_windows(hall)

    assert sorted(called.number for called in done(answers)) == list(range(1, WINDOWS + 1))
    assert len({called.window for called in done(answers)}) == WINDOWS
    assert sequences(hall) == list(range(1, WINDOWS + 1))
    assert sequence_of(read_session(), hall.here) == WINDOWS


def test_one_window_pressed_ten_times_at_once_calls_one_person(hall: City) -> None:
    for _ in range(10):
        hall.come_without_booking()
    hall.open(1)
    window = hall.window(1).id
    answers = at_once(hall.office.app, [partial(call_next, asked_by("staff:1"), window, hall.now) for _ in range(10)])

    assert len(done(answers)) == 1
    assert set(codes(answers)) == {"window_occupied"}
    assert sequences(hall) == [1]


def test_the_same_check_in_twenty_times_at_once_is_one_visit_with_one_number(city: City) -> None:
    _, booking = city.booked("10:00")
    answers = done(at_once(city.office.app, [partial(city.scan, city.code(booking)) for _ in range(20)]))

    assert len(answers) == 20
    assert {(a.ticket.uid, a.ticket.number) for a in answers} == {(answers[0].ticket.uid, 1)}
    assert len([a for a in answers if a.ticket.reprint_of is None]) == 1
    assert (read_session().query(Visit).count(), tickets()) == (1, [1])


@pytest.mark.parametrize("what", ["walk-in", "call next"])
def test_the_same_request_twenty_times_at_once_is_one_deed_with_one_answer(hall: City, what: str) -> None:
    hall.open(1)
    by, window = asked_by("staff:1"), hall.window(1).id
    if what == "walk-in":
        deeds: list[Deed] = [partial(hall.come_without_booking, by=by) for _ in range(20)]
    else:
        hall.come_without_booking()
        deeds = [partial(call_next, by, window, hall.now) for _ in range(20)]
    answers = at_once(hall.office.app, deeds)

    assert codes(answers) == []
    assert {answer == answers[0] for answer in answers} == {True}
    assert (tickets(), len(sequences(hall))) == ([1], 0 if what == "walk-in" else 1)


def test_a_booking_is_either_checked_in_or_cancelled(hall: City) -> None:
    ended = set()
    for _ in range(20):
        person, booking = hall.booked("10:00")
        deeds: list[Deed] = [partial(hall.scan, hall.code(booking)), partial(hall.cancel, person, booking)]
        answers = at_once(hall.office.app, deeds)

        assert len(done(answers)) == 1
        came = isinstance(done(answers)[0], CheckInAnswer)
        assert codes(answers) == (["too_late_to_cancel"] if came else ["booking_cancelled"])
        ended.add(hall.state(booking))
    assert ended <= {BookingState.CHECKED_IN, BookingState.CANCELLED}
    assert hall.has_right_counters()


def test_a_window_that_closes_has_nobody_called_to_it(hall: City) -> None:
    hall.open(1)
    window = hall.window(1).id
    for _ in range(15):
        hall.open(1)
        hall.come_without_booking()
        deeds: list[Deed] = [partial(do, asked_by("staff:1"), window, hall.now) for do in (call_next, close_window)]
        answers = at_once(hall.office.app, deeds)
        assert len(done(answers)) == 1
        assert codes(answers) in (["window_closed"], ["window_occupied"])
        assert people_at_closed_windows() == 0
        if not hall.window(1).is_open:
            hall.open(1)
            hall.call_next(1)
        hall.finish(1)


@pytest.mark.parametrize("booked", [True, False])
def test_two_presses_of_finish_end_one_visit_and_not_the_next(hall: City, booked: bool) -> None:
    hall.open(3)
    window = hall.window(3).id
    for _ in range(8):
        if booked:
            hall.scan(hall.code(hall.booked("10:00")[1]))
        else:
            hall.come_without_booking()
        hall.call_next(3)
        press = [partial(finish, asked_by("staff:1"), window, Outcome.HANDED_OVER, hall.now) for _ in range(2)]
        answers = at_once(hall.office.app, press)

        assert (len(done(answers)), codes(answers)) == (1, ["nobody_at_window"])


def test_who_was_passed_on_is_called_elsewhere_or_stands_here_again_never_both(hall: City) -> None:
    city = City(hall.office)
    city.check_papers_first()
    city.open(1, 2)
    for _ in range(8):
        city.come_without_booking()
        city.call_next(1)
        city.pass_on(1)
        deeds: list[Deed] = [partial(city.undo, 1), partial(city.call_next, 2)]
        answers = at_once(hall.office.app, deeds)

        refused = codes(answers)
        assert (len(done(answers)), refused) in ((1, ["changed_since"]), (1, ["nobody_waiting"]))
        city.finish(2 if refused == ["changed_since"] else 1, Outcome.LEFT)


def test_undone_twice_at_once_is_undone_once(hall: City) -> None:
    hall.open(3)
    for _ in range(8):
        hall.scan(hall.code(hall.booked("10:00")[1]))
        hall.call_next(3)
        hall.finish(3)
        answers = at_once(hall.office.app, [partial(hall.undo, 3) for _ in range(2)])

        assert len(done(answers)) == 1
        assert set(codes(answers)) <= {"changed_since", "nothing_to_undo"}
        hall.finish(3)
    assert hall.has_right_counters()


def test_missed_and_finish_at_once_do_one_of_the_two(hall: City) -> None:
    hall.open(3)
    for _ in range(8):
        hall.scan(hall.code(hall.booked("10:00")[1]))
        hall.call_next(3)
        deeds: list[Deed] = [partial(hall.missed, 3), partial(hall.finish, 3)]
        answers = at_once(hall.office.app, deeds)

        assert (len(done(answers)), codes(answers)) == (1, ["nobody_at_window"])
    assert hall.has_right_counters()


def test_two_processes_end_the_same_day_at_once(hall: City) -> None:
    for _ in range(20):
        hall.come_without_booking()
    tomorrow = hall.now + timedelta(days=1)
    answers = at_once(hall.office.app, [partial(close_past_days, tomorrow) for _ in range(4)])

    assert set(codes(answers)) <= {"step_state"}
    assert read_session().query(VisitStep).filter(VisitStep.state != "void").count() == 0


def call_at_all_windows(hall: City) -> list[Called | Refusal]:
    """All windows call at the same moment."""
    hall.open(*range(1, WINDOWS + 1))
    windows = [hall.window(n).id for n in range(1, WINDOWS + 1)]
    calls = [partial(call_next, asked_by(f"staff:{n}"), window, hall.now) for n, window in enumerate(windows, 1)]
    return at_once(hall.office.app, calls)


def sequences(hall: City) -> list[int]:
    """The sequence numbers of an office's calls."""
    read_session().rollback()
    rows = read_session().query(Call).filter(Call.office_id == hall.here).order_by(Call.sequence)
    return [call.sequence for call in rows]


def tickets() -> list[int]:
    """All numbers that were given out."""
    read_session().rollback()
    return sorted(ticket.number for ticket in read_session().query(Ticket))


def people_at_closed_windows() -> int:
    """How many are called to or served at a window that is closed."""
    read_session().rollback()
    called = read_session().query(VisitStep).join(Window, Window.id == VisitStep.window_id)
    return called.filter(VisitStep.state.in_(AT_WINDOW), Window.is_open.is_(False)).count()
