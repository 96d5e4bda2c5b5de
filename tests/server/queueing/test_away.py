"""Who rests, fetches papers or was missed, and comes back; who is ready; what is added; on each kind of database."""

from uuid import UUID

import pytest
from sqlalchemy import select

from madoguchi.codes import of_ticket
from madoguchi.wire import Result
from server.db import read_session
from server.offices.models import Policy, Service, Terminal
from server.offices.queries import UnknownService
from server.queueing.models import Ticket, VisitPerson, VisitStep
from server.queueing.queries import set_aside
from server.queueing.rules import (
    NobodyAtWindow,
    NobodyWaiting,
    NotPossible,
    Outcome,
    ParkedFor,
    StepClass,
    StepState,
    UnknownTerminal,
)
from server.queueing.service import add_procedure, close_past_days, set_terminal
from server.reception.rules import CodeUnknown
from tests.fakes import asked_by
from tests.server.city import MONDAY, City


@pytest.fixture
def line(city: City) -> City:
    """Five people have come for their cards, a second apart; window 3 calls."""
    city.open(3)
    for _ in range(5):
        city.come_without_booking()
        city.clock.forward(seconds=1)
    return city


def ticket(number: int) -> UUID:
    """The ticket of a number."""
    read_session().rollback()
    return read_session().scalars(select(Ticket.uid).where(Ticket.number == number)).one()


def step(number: int) -> VisitStep:
    """The newest step of a number."""
    read_session().rollback()
    wanted = select(VisitStep).join(Ticket, Ticket.visit_id == VisitStep.visit_id).where(Ticket.number == number)
    return read_session().scalars(wanted.order_by(VisitStep.id.desc()).limit(1)).one()


def calls(city: City, n: int, window: int = 3) -> list[int]:
    """The next n numbers that a window calls, each served at once."""
    numbers = []
    for _ in range(n):
        numbers.append(city.call_next(window).number)
        city.finish(window)
    return numbers


class TestResting:
    @pytest.mark.parametrize("why", list(ParkedFor))
    def test_who_rests_leaves_the_window_free_and_is_called_by_nobody(self, line: City, why: ParkedFor) -> None:
        line.call_next(3)
        rested = line.park(3, why)

        assert (rested.number, rested.ticket, step(1).parked_for) == (1, ticket(1), why)
        assert calls(line, 4) == [2, 3, 4, 5]
        with pytest.raises(NobodyWaiting):
            line.call_next(3)

    @pytest.mark.parametrize("why", [ParkedFor.CHOOSING, ParkedFor.OTHER])
    def test_who_comes_back_from_thinking_has_kept_the_place(self, line: City, why: ParkedFor) -> None:
        line.call_next(3)
        due = step(1).due_at
        line.park(3, why)
        line.clock.forward(minutes=20)
        line.back(ticket(1))

        assert (step(1).step_class, step(1).due_at, step(1).parked_for) == (StepClass.RETURNED, due, None)
        assert calls(line, 2) == [1, 2]

    def test_only_who_was_away_comes_back_and_nobody_rests_twice(self, line: City) -> None:
        with pytest.raises(NotPossible):
            line.back(ticket(1))
        line.call_next(3)
        line.park(3)
        with pytest.raises(NobodyAtWindow):
            line.park(3)

    def test_a_terminal_is_left_to_others(self, city: City) -> None:
        city.check_papers_first(terminals=1)
        city.open(1, 2, 3)
        for _ in range(2):
            city.come_without_booking()
            city.call_next(1)
            city.pass_on(1)
        city.call_next(2)
        city.park(2, ParkedFor.CHOOSING)
        assert city.call_next(3).number == 2


class TestMissed:
    def test_who_was_missed_and_comes_back_is_served_after_two_calls(self, line: City) -> None:
        line.call_next(3)
        line.missed(3)
        line.clock.forward(minutes=12)
        line.back(ticket(1))

        assert calls(line, 5) == [2, 3, 1, 4, 5]

    @pytest.mark.parametrize(("policy", "order"), [(0, [1, 2]), (1, [2, 1])])
    def test_after_how_many_is_the_offices_policy(self, line: City, policy: int, order: list[int]) -> None:
        line.set_row(Policy(office_id=line.here, valid_from=MONDAY, key="missed_return_calls", value=policy, by="test"))
        line.call_next(3)
        line.missed(3)
        line.back(ticket(1))
        assert calls(line, 2) == order

    def test_the_ticket_at_the_kiosk_brings_back(self, line: City) -> None:
        line.call_next(3)
        line.missed(3)
        by = asked_by(f"device:{line.kiosk.id}")
        answer = line.scan(of_ticket(ticket(1)).text, by=by)

        assert (answer.result, answer.job, answer.ticket.number) == (Result.ALREADY, None, 1)
        assert step(1).state is StepState.WAITING
        assert line.scan(of_ticket(ticket(1)).text, by=by) == answer

    def test_the_ticket_of_who_waits_only_says_the_number(self, line: City) -> None:
        assert line.scan(of_ticket(ticket(4)).grouped).ticket.number == 4
        assert step(4).step_class is StepClass.WALK_IN

    def test_a_ticket_that_has_ended_or_is_yesterdays_stands_for_nothing(self, line: City) -> None:
        calls(line, 1)
        with pytest.raises(CodeUnknown):
            line.scan(of_ticket(ticket(1)).text)
        line.clock.forward(minutes=24 * 60)
        with pytest.raises(CodeUnknown):
            line.scan(of_ticket(ticket(2)).text)


class TestPapers:
    def test_who_brings_them_is_called_within_the_next_two_calls(self, line: City) -> None:
        calls(line, 1)
        line.call_next(3)
        line.park(3, ParkedFor.PAPERS)
        line.clock.forward(minutes=120)
        line.scan(of_ticket(ticket(2)).text)

        assert step(2).step_class is StepClass.PAPERS
        assert 2 in calls(line, 2)

    def test_who_does_not_come_back_that_day_has_ended_without_papers(self, line: City) -> None:
        line.call_next(3)
        line.park(3, ParkedFor.PAPERS)
        line.clock.forward(minutes=24 * 60)
        close_past_days(line.now)

        ended = [p.outcome for p in read_session().scalars(select(VisitPerson).order_by(VisitPerson.visit_id))]
        assert ended == [Outcome.PAPERS_MISSING] + [Outcome.LEFT] * 4


class TestReady:
    @pytest.fixture
    def counter(self, city: City) -> City:
        """Papers at window 1, cards at 2 and 3."""
        city.check_papers_first()
        city.open(1, 2, 3)
        for _ in range(2):
            city.come_without_booking()
            city.clock.forward(seconds=1)
        return city

    def test_who_has_chosen_while_waiting_goes_first(self, counter: City) -> None:
        for _ in range(2):
            counter.call_next(1)
            counter.pass_on(1)
        assert [a.number for a in set_aside(read_session(), counter.here, counter.now)] == [1, 2]
        counter.ready(ticket(2))
        assert counter.call_next(2).number == 2

    def test_who_has_chosen_before_is_ready_at_the_later_stop(self, counter: City) -> None:
        for n in (1, 2):
            counter.call_next(1)
            if n == 2:
                counter.ready(ticket(2))
            counter.pass_on(1)
        assert (step(2).ready, step(1).ready) == (True, False)
        assert counter.call_next(2).number == 2


class TestProcedures:
    def test_another_procedure_is_done_in_the_same_visit_with_its_number(self, city: City) -> None:
        city.come_without_booking()
        city.open(1, 3)
        city.call_next(3)
        due = step(1).due_at
        add_procedure(asked_by("staff:2"), city.window(3).id, 1, "pin", city.now, 1)
        passed = city.pass_on(3)

        assert (passed.number, passed.lane["ja"], step(1).due_at) == (1, "更新・暗証番号", due)
        city.call_next(1)
        city.finish(1)
        people = read_session().scalars(select(VisitPerson).order_by(VisitPerson.position)).all()
        assert [(p.further_of, p.outcome) for p in people] == [(None, Outcome.HANDED_OVER), (1, Outcome.DONE)]

    def test_what_is_done_in_the_same_lane_costs_no_second_wait(self, city: City) -> None:
        city.come_without_booking("certificate")
        city.open(1)
        city.call_next(1)
        add_procedure(asked_by("staff:2"), city.window(1).id, 1, "pin", city.now)
        assert city.finish(1).over

    def test_only_what_the_counter_takes_for_somebody_who_is_there(self, city: City) -> None:
        city.come_without_booking()
        city.open(3)
        city.call_next(3)
        with pytest.raises(UnknownService):
            add_procedure(asked_by("staff:2"), city.window(3).id, 1, "apply", city.now)
        with pytest.raises(NotPossible):
            add_procedure(asked_by("staff:2"), city.window(3).id, 2, "pin", city.now)
        assert read_session().scalars(select(Service.code).where(Service.code == "pin")).one()


class TestTerminals:
    def test_a_terminal_that_is_down_serves_nobody_new_until_it_is_back(self, city: City) -> None:
        city.check_papers_first(terminals=1)
        city.open(1, 2)
        city.come_without_booking()
        city.call_next(1)
        city.pass_on(1)
        one = read_session().scalars(select(Terminal.id)).one()
        assert set_terminal(asked_by("staff:2"), city.here, one, city.now, is_down=True).is_down
        with pytest.raises(NobodyWaiting):
            city.call_next(2)
        set_terminal(asked_by("staff:2"), city.here, one, city.now, is_down=False)
        assert city.call_next(2).number == 1

    def test_another_offices_terminal_is_not_known(self, city: City) -> None:
        with pytest.raises(UnknownTerminal):
            set_terminal(asked_by("staff:2"), city.here, 99, city.now, is_down=True)
