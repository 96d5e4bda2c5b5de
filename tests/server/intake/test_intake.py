"""Walk-ins end by themselves and are opened again by staff, on each kind of database."""

from datetime import timedelta

import pytest

from server.audit import AuditEntry
from server.db import read_session
from server.intake.queries import Intake, intake_of
from server.intake.rules import Choice
from server.intake.service import decide
from server.offices.models import Service
from server.offices.queries import UnknownService
from server.offices.service import set_policy
from server.queueing.models import VisitStep
from server.queueing.rules import StepClass
from server.reception.rules import AskStaff, OfficeClosed, PartyTooLarge, WalkInsClosed
from server.reception.service import LetIn, let_in
from tests.fakes import asked_by
from tests.server.city import MONDAY, City, moment


def intake(city: City) -> Intake:
    """How it stands now."""
    read_session().rollback()
    return intake_of(read_session(), city.here, city.now)


def received(city: City) -> list[str]:
    """The services for which people without a booking are received."""
    return [one.service.code for one in intake(city).services if one.received]


def say(city: City, choice: Choice, service: str = "") -> None:
    """The supervisor decides."""
    decide(asked_by("staff:4"), city.here, service, choice, city.now)


def let(city: City, service: str = "pickup", party: int = 1) -> LetIn:
    """Staff give a number."""
    return let_in(asked_by("staff:2"), city.here, service, party, city.now)


def fill(city: City, people: int) -> None:
    """So many people come for pick-up, each a quarter of an hour of work for windows 2 and 3."""
    for _ in range(people):
        city.come_without_booking()


@pytest.fixture
def four(city: City) -> City:
    """Four o'clock, all windows open, nobody there."""
    city.at("15:00")
    city.open(1, 2, 3)
    city.at("16:00")
    return city


class TestByItself:
    """Received is who will be served by closing."""

    def test_until_the_expected_end_passes_closing(self, four: City) -> None:
        # Window 2 serves all, window 3 pick-up: eight people are done at 17:00, a ninth at 17:15, a tenth is too many.
        fill(four, 9)
        assert "pickup" not in received(four)
        with pytest.raises(WalkInsClosed) as refused:
            four.come_without_booking()
        assert refused.value.facts == {"tel": "0120-000-000"}

    def test_services_of_other_windows_go_on(self, four: City) -> None:
        fill(four, 9)
        assert intake(four).received
        assert received(four) == ["certificate", "pin"]
        assert four.come_without_booking("pin").ticket.number == 301

    def test_a_party_takes_as_long_as_its_people(self, four: City) -> None:
        fill(four, 4)
        with pytest.raises(WalkInsClosed):
            four.come_without_booking(party=4)
        assert four.come_without_booking(party=3).ticket.party == 3

    def test_a_further_procedure_is_its_own_work_and_nobody_more(self, four: City) -> None:
        fill(four, 2)
        before = {one.service.code: one.end for one in intake(four).services}
        four.call_next(3)
        four.add(3, "pin")
        after = {one.service.code: one.end for one in intake(four).services}
        # A quarter of an hour more for window 1 and 2, which do PINs; a second person would be as much for pick-up.
        pin, pickup = before["pin"], before["pickup"]
        assert pin is not None
        assert pickup is not None
        assert after["pin"] is not None
        assert pin < after["pin"] <= pin + timedelta(minutes=15)

    def test_booked_people_are_still_received(self, four: City) -> None:
        _, booking = four.booked("16:30")
        fill(four, 8)
        assert "pickup" not in received(four)
        four.at("16:31")
        assert four.scan(four.code(booking)).ticket.number == 9

    def test_the_place_of_who_does_not_come_falls_to_walk_ins(self, four: City) -> None:
        four.booked("16:15")
        fill(four, 8)
        for time in ("16:00", "16:15"):
            four.at(time)
            four.call_next(2), four.call_next(3)
            four.at(moment(time) + timedelta(minutes=14))
            assert "pickup" not in received(four)
            four.finish(2), four.finish(3)
        four.at("16:30")
        four.call_next(2), four.call_next(3)
        assert "pickup" not in received(four)
        four.at("16:31")
        assert "pickup" in received(four)

    def test_work_that_has_begun_counts_for_what_is_left_of_it(self, four: City) -> None:
        fill(four, 9)
        four.call_next(2), four.call_next(3)
        four.at("16:15")
        one = intake(four).of("pickup")
        assert one is not None
        # Seven others, 105 minutes for two windows, and one more of fifteen.
        assert one.end == moment("17:22:30")

    def test_an_office_may_go_without(self, four: City) -> None:
        set_policy(four.here, None, "walk_ins_end_by_themselves", False, MONDAY, "staff:5", four.now)
        fill(four, 12)
        assert "pickup" in received(four)

    def test_in_the_morning_windows_that_are_still_to_be_opened_count(self, city: City) -> None:
        city.at("8:30")
        city.open(2)
        fill(city, 40)
        assert "pickup" in received(city)


class TestStaff:
    """Staff decide for today."""

    def test_open_again_and_leave_it_to_the_line_again(self, four: City) -> None:
        fill(four, 9)
        say(four, Choice.OPEN)
        fill(four, 2)
        say(four, Choice.BY_ITSELF)
        assert "pickup" not in received(four)

    def test_close_one_service_or_all(self, four: City) -> None:
        say(four, Choice.CLOSED, "certificate")
        assert received(four) == ["pickup", "pin"]
        say(four, Choice.CLOSED)
        assert (received(four), intake(four).ended) == ([], True)
        say(four, Choice.OPEN, "pin")
        assert received(four) == ["pin"]

    def test_it_holds_for_the_day_and_never_beyond_the_last_reception(self, four: City) -> None:
        say(four, Choice.OPEN)
        four.at("16:46")
        assert received(four) == []
        say(four, Choice.CLOSED)
        four.at(moment("9:00", MONDAY.replace(day=30).replace(month=12, day=1)))
        assert received(four) == ["pickup", "certificate", "pin"]

    def test_who_decided_is_written_down_and_a_repeated_press_decides_once(self, four: City) -> None:
        by = asked_by("staff:4")
        for _ in range(2):
            decide(by, four.here, "pin", Choice.CLOSED, four.now)
        read_session().rollback()
        (entry,) = read_session().query(AuditEntry).filter(AuditEntry.verb == "intake.decide")
        assert (entry.actor, entry.facts) == ("staff:4", {"office": four.here, "choice": "closed", "service": "pin"})

    def test_a_service_of_another_office_is_unknown(self, four: City) -> None:
        with pytest.raises(UnknownService):
            say(four, Choice.CLOSED, "passport")


class TestLegalDeadline:
    """Whom the law sets a day is never refused."""

    @pytest.fixture
    def deadline(self, four: City) -> City:
        """The certificates of this office have a legal deadline, and all is closed."""
        service = read_session().query(Service).filter_by(code="certificate").one()
        four.set_row(service, legal_deadline=True)
        say(four, Choice.CLOSED)
        return four

    def test_goes_to_staff_while_others_are_refused(self, deadline: City) -> None:
        with pytest.raises(AskStaff):
            deadline.come_without_booking("certificate")
        with pytest.raises(WalkInsClosed):
            deadline.come_without_booking("pin")

    def test_also_after_the_last_reception_until_the_doors_close(self, deadline: City) -> None:
        deadline.at("16:50")
        with pytest.raises(AskStaff):
            deadline.come_without_booking("certificate")
        deadline.at("17:05")
        with pytest.raises(OfficeClosed):
            deadline.come_without_booking("certificate")

    def test_gets_its_number_like_all_others_while_people_are_received(self, deadline: City) -> None:
        say(deadline, Choice.OPEN)
        assert deadline.come_without_booking("certificate").ticket.number == 301


class TestLettingIn:
    """番号を出す: staff receive somebody all the same."""

    def test_gives_a_number_of_the_line_and_is_written_down(self, four: City) -> None:
        fill(four, 9)
        given = let(four)
        assert (given.number, given.service["ja"], given.people_waiting) == (10, "カードの受け取り", 9)
        read_session().rollback()
        (entry,) = read_session().query(AuditEntry).filter(AuditEntry.verb == "reception.let_in")
        assert (entry.actor, entry.facts) == ("staff:2", {"number": 10, "service": "pickup"})
        step = read_session().query(VisitStep).order_by(VisitStep.id.desc()).first()
        assert step is not None
        assert (step.step_class, step.due_at) == (StepClass.WALK_IN, moment("16:20"))
        assert given.wait is not None
        told = (given.wait.minutes, given.wait.least, given.wait.most)
        assert (step.told_minutes, step.told_least, step.told_most) == told

    def test_a_repeated_press_gives_the_same_number(self, four: City) -> None:
        by = asked_by("staff:2")
        assert {let_in(by, four.here, "pickup", 2, four.now).number for _ in range(2)} == {1}

    @pytest.mark.parametrize("party", [0, 7])
    def test_a_party_that_no_ticket_stands_for(self, four: City, party: int) -> None:
        with pytest.raises(PartyTooLarge):
            let(four, party=party)

    def test_a_service_that_the_office_does_not_offer(self, four: City) -> None:
        with pytest.raises(UnknownService):
            let(four, "passport")


def test_before_the_doors_open_nothing_has_ended(city: City) -> None:
    city.at("8:29")
    assert (intake(city).ended, intake(city).services) == (False, ())
