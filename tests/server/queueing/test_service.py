"""The line and the windows, on each kind of database: open, call, call again, missed, and the end of the day."""

from uuid import UUID, uuid4

import pytest

from madoguchi.wire import BoardPicture, CallKind
from server.db import read_session
from server.errors import RepeatedWithOtherBody
from server.offices.models import Office as OfficeRow
from server.offices.policy import DEFAULT
from server.offices.queries import office_by_code
from server.queueing.board_api import picture_of
from server.queueing.models import Call, Visit, VisitPerson, VisitStep
from server.queueing.queries import heads, lines_of_window, sequence_of
from server.queueing.rules import (
    NobodyAtWindow,
    NobodyWaiting,
    NotPossible,
    Outcome,
    StepState,
    UnknownWindow,
    WindowClosed,
    WindowOccupied,
    choose_next,
)
from server.queueing.service import call_next, close_past_days, open_window
from tests.fakes import asked_by
from tests.server.city import City, moment


@pytest.fixture
def line(city: City) -> City:
    """Windows 2 and 3 are open; 1 and 2 wait for pick-up."""
    city.open(2, 3)
    city.come_without_booking()
    city.come_without_booking()
    return city


class TestWindows:
    """A clerk takes a window and leaves it."""

    def test_only_one_clerk_works_at_a_window(self, city: City) -> None:
        city.open(2)
        city.open(2)

        with pytest.raises(WindowOccupied):
            city.open(2, by="madoguchi3")
        city.close(2)
        city.open(2, by="madoguchi3")
        assert city.window(2).clerk_id == city.clerk("madoguchi3")

    def test_a_window_is_not_left_while_somebody_is_called_there(self, line: City) -> None:
        line.call_next(3)
        with pytest.raises(WindowOccupied):
            line.close(3)

        line.finish(3)
        line.close(3)
        assert not line.window(3).is_open

    def test_nobody_is_called_to_a_closed_window(self, line: City) -> None:
        line.close(3)

        with pytest.raises(WindowClosed) as refused:
            line.call_next(3)
        assert refused.value.facts == {"window": 3}
        with pytest.raises(UnknownWindow):
            call_next(asked_by("staff:1"), 99_999, line.now)


class TestCallingNext:
    """次を呼ぶ: whoever is due longest, of the services the window offers."""

    def test_calls_in_the_order_of_numbers_where_nothing_else_speaks(self, line: City) -> None:
        called = line.call_next(3)

        assert (called.sequence, called.kind, called.number, called.window) == (1, "call", 1, 3)
        assert (called.reason, line.call_next(2).number) == ("walk_in", 2)

    def test_with_nobody_waiting_the_window_is_told(self, line: City) -> None:
        line.call_next(2)
        line.call_next(3)
        line.open(1)

        line.finish(3)
        with pytest.raises(NobodyWaiting):
            line.call_next(3)
        with pytest.raises(NobodyWaiting):
            line.call_next(1)

    def test_a_window_serves_one_after_the_other(self, line: City) -> None:
        line.call_next(3)

        with pytest.raises(WindowOccupied):
            line.call_next(3)

    def test_each_window_calls_only_for_its_services(self, city: City) -> None:
        city.open(1, 2, 3)
        for service in ("certificate", "pickup", "pin"):
            city.come_without_booking(service)
            city.clock.forward(minutes=1)

        assert [city.call_next(window).number for window in (3, 2, 1)] == [1, 301, 302]

    def test_the_booked_person_goes_first_when_the_booked_time_has_come(self, city: City) -> None:
        city.open(2, 3)
        city.scan(city.code(city.booked("9:15")[1]))
        for _ in range(2):
            city.clock.forward(minutes=1)
            city.come_without_booking()

        city.at("9:14:59")
        before = city.call_next(2)
        city.at("9:15")
        then = city.call_next(3)
        assert [(c.number, c.reason) for c in (before, then)] == [(2, "walk_in"), (1, "booked")]

    def test_who_came_early_is_called_when_a_window_would_stand_idle(self, city: City) -> None:
        city.open(2)
        for time in ("10:30", "10:00"):
            city.scan(city.code(city.booked(time)[1]))

        called = city.call_next(2)
        assert (called.number, called.reason) == (2, "booked_early")

    def test_the_choice_among_the_heads_is_the_choice_among_all(self, city: City) -> None:
        for n, time in enumerate(("10:00", "9:15", "9:30", "10:15", "9:15", "10:00")):
            city.scan(city.code(city.booked(time)[1]))
            city.come_without_booking("pickup" if n % 2 else "pin")
            city.clock.forward(minutes=3)
        window = city.window(2)
        everybody = read_session().query(VisitStep).all()

        for now in (moment("9:18"), moment("9:29"), moment("9:30"), moment("9:40"), moment("10:00")):
            lines = lines_of_window(read_session(), window, now)
            chosen, reason = choose_next(heads(read_session(), lines, now, DEFAULT), now, DEFAULT)
            first, why = choose_next(everybody, now, DEFAULT)
            assert (chosen.id, reason) == (first.id, why)

    def test_the_same_request_again_calls_nobody_else(self, line: City) -> None:
        by = asked_by("staff:2")
        called = line.call_next(3, by)

        assert line.call_next(3, by) == called
        with pytest.raises(RepeatedWithOtherBody):
            line.call_next(2, by)
        assert calls() == [(1, "call", 1)]


class TestCallingAgain:
    """再呼出・不在: the same ticket again, or on the list of the absent."""

    def test_the_same_number_is_called_to_the_same_window_again(self, line: City) -> None:
        line.call_next(3)
        line.clock.forward(minutes=1)
        again = line.recall(3)

        assert (again.sequence, again.kind, again.number, again.window) == (2, "recall", 1, 3)
        assert step_of(again.visit).calls == 2

    def test_who_does_not_come_leaves_the_window_free_for_the_next(self, line: City) -> None:
        first = line.call_next(3)
        away = line.missed(3)

        assert (away.kind, away.number, step_of(first.visit).state) == ("missed", 1, StepState.MISSED)
        assert line.call_next(3).number == 2

    def test_who_was_missed_and_comes_is_called_by_hand(self, line: City) -> None:
        visit = line.call_next(3).visit
        line.missed(3)
        called = line.call(2, ticket_of(visit))

        assert (called.number, called.window, called.reason) == (1, 2, "by_hand")
        assert step_of(visit).state is StepState.CALLED

    def test_somebody_waiting_can_be_called_by_hand_but_not_who_is_called_or_gone(self, line: City) -> None:
        line.call(3, ticket_of(visit_of(2)))
        with pytest.raises(NotPossible):
            line.call(2, ticket_of(visit_of(2)))
        line.finish(3)
        with pytest.raises(NotPossible):
            line.call(2, ticket_of(visit_of(2)))
        with pytest.raises(NotPossible):
            line.call(2, uuid4())

    @pytest.mark.parametrize("action", ["recall", "missed", "finish"])
    def test_at_an_empty_window_there_is_nobody_to_act_on(self, line: City, action: str) -> None:
        with pytest.raises(NobodyAtWindow):
            getattr(line, action)(3)
        line.call_next(3)
        line.finish(3)
        with pytest.raises(NobodyAtWindow):
            getattr(line, action)(3)

    def test_every_call_is_kept_in_one_sequence_with_its_reason(self, line: City) -> None:
        line.call_next(3)
        line.recall(3)
        line.missed(3)
        line.call_next(2)

        assert calls() == [(1, "call", 1), (2, "recall", 1), (3, "missed", 1), (4, "call", 2)]
        reason = read_session().query(Call).order_by(Call.sequence).first()
        assert reason is not None
        assert reason.reason == {
            "code": "walk_in",
            "due": "2026-11-30T09:20:00+09:00",
            "arrived": "2026-11-30T09:00:00+09:00",
        }


class TestTheBoard:
    """案内表示: the picture is the truth."""

    def test_shows_calls_newest_first_the_absent_and_who_waits(self, line: City) -> None:
        line.come_without_booking("pin")
        line.call_next(3)
        line.missed(3)
        line.call_next(3)
        line.clock.forward(minutes=1)
        line.recall(3)

        picture = board(line)
        assert [(c.sequence, c.kind, c.number, c.window) for c in picture.calls] == [(4, CallKind.RECALL, 2, 3)]
        assert (picture.sequence, picture.absent) == (4, (1,))
        assert (picture.waiting.total, [lane.n for lane in picture.waiting.lanes]) == (1, [0, 1])

    def test_who_was_missed_and_is_called_again_is_no_longer_absent(self, line: City) -> None:
        visit = line.call_next(3).visit
        line.missed(3)
        line.call(3, ticket_of(visit))

        assert (board(line).absent, [c.number for c in board(line).calls]) == ((), [1])

    def test_shows_the_six_newest_numbers_once_each(self, city: City) -> None:
        city.open(3)
        for _ in range(8):
            city.come_without_booking()
            city.call_next(3)
            city.finish(3)

        assert [c.number for c in board(city).calls] == [8, 7, 6, 5, 4, 3]

    def test_begins_empty_the_next_day_but_its_sequence_goes_on(self, line: City) -> None:
        line.call_next(3)
        line.missed(3)
        line.clock.forward(days=1)

        picture = board(line)
        assert (picture.sequence, picture.calls, picture.absent, picture.waiting.total) == (2, (), (), 0)

    def test_knows_only_its_own_office(self, line: City) -> None:
        line.call_next(3)
        kita = office_by_code(read_session(), "kita")

        assert sequence_of(read_session(), kita.id) == 0
        assert picture_of(read_session(), kita, line.now).calls == ()


class TestAColleaguesWindow:
    """A clerk's window is the clerk's until the evening; only a supervisor goes on where a clerk has left."""

    def test_is_not_opened_by_another_clerk(self, line: City) -> None:
        with pytest.raises(WindowOccupied):
            line.open(3, by="madoguchi3")

    def test_is_taken_over_by_a_supervisor_with_its_visitor(self, line: City) -> None:
        number = line.call_next(3).number
        chief = line.clerk("kakaricho")
        open_window(asked_by(f"staff:{chief}"), line.window(3).id, chief, line.now, may_take_over=True)

        assert line.window(3).clerk_id == chief
        assert line.recall(3).number == number


class TestTheEndOfTheDay:
    """What was left open on an earlier day is ended; today's line begins empty."""

    def test_everybody_left_is_noted_as_gone_and_the_windows_are_free(self, line: City) -> None:
        line.call_next(3)
        line.call_next(2)
        line.missed(2)
        line.come_without_booking()

        assert close_past_days(line.now) == 0
        assert close_past_days(line.clock.forward(days=1)) == 3
        assert close_past_days(line.now) == 0
        assert {s.state for s in read_session().query(VisitStep)} == {StepState.VOID}
        assert {(p.outcome, p.live) for p in read_session().query(VisitPerson)} == {(Outcome.LEFT, False)}
        line.come_without_booking()
        line.open(3)
        assert line.call_next(3).number == 1

    def test_a_window_left_open_in_the_evening_is_free_in_the_morning(self, line: City) -> None:
        line.clock.forward(days=1)

        line.open(3, by="madoguchi3")
        assert line.window(3).clerk_id == line.clerk("madoguchi3")

    @pytest.mark.usefixtures("line")
    def test_the_sweep_closes_windows_at_which_nobody_stood(self, city: City) -> None:
        city.open(1)
        close_past_days(city.clock.forward(days=1))

        assert not city.window(1).is_open

    @pytest.mark.usefixtures("line")
    def test_at_midnight_in_japan_yesterday_is_over(self) -> None:
        assert close_past_days(moment("23:59:59")) == 0
        assert close_past_days(moment("24:00")) == 2

    def test_who_waits_since_yesterday_is_not_called_today_even_before_the_sweep(self, line: City) -> None:
        line.clock.forward(days=1)

        with pytest.raises(NobodyWaiting):
            line.call_next(3)


def calls() -> list[tuple[int, str, int]]:
    """(sequence, kind, number) of all calls."""
    read_session().rollback()
    return [(c.sequence, c.kind.value, c.number) for c in read_session().query(Call).order_by(Call.sequence)]


def visit_of(number: int) -> UUID:
    """The visit of the number that was given out so many-th."""
    return read_session().query(Visit).order_by(Visit.id).all()[number - 1].uid


def ticket_of(visit: UUID) -> UUID:
    """The ticket of a visit."""
    read_session().rollback()
    return read_session().query(Visit).filter(Visit.uid == visit).one().tickets[0].uid


def step_of(visit: UUID) -> VisitStep:
    """The step of a visit."""
    read_session().rollback()
    return read_session().query(Visit).filter(Visit.uid == visit).one().steps[0]


def board(city: City) -> BoardPicture:
    """The picture of the main office's board."""
    read_session().rollback()
    return picture_of(read_session(), read_session().get_one(OfficeRow, city.here), city.now)
