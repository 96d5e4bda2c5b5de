"""Arriving with a code or without a booking, on each kind of database."""

from datetime import UTC, datetime, timedelta, tzinfo
from uuid import uuid4

import pytest

from madoguchi import codes
from madoguchi.wire import CheckInAnswer, Outcome, Result
from server.booking.rules import BookingState
from server.clock import OFFICE_ZONE
from server.db import read_session
from server.errors import Refusal, RepeatedWithOtherBody
from server.issuance.notice_codes import MyNumberRefused, shown_number
from server.issuance.service import find_by_number
from server.offices.queries import UnknownService
from server.offices.service import set_policy
from server.queueing.models import NumberDay, Visit
from server.queueing.rules import NumbersUsedUp
from server.reception.rules import (
    BookingIsCancelled,
    CodeUnknown,
    NotBooked,
    OfficeClosed,
    OtherCode,
    PartyTooLarge,
    Unreadable,
    WalkInsClosed,
    WrongCode,
    WrongDay,
    WrongOffice,
)
from server.reception.service import Kiosk, read_code, report_print
from server.sample import open_around_the_clock
from tests.fakes import asked_by
from tests.server.city import MONDAY, City, moment

TUESDAY = MONDAY + timedelta(days=1)


class TestCheckingIn:
    """受付: a booked person holds a code to the scanner."""

    def test_says_in_which_language_the_booking_was_made_also_when_it_is_scanned_again(self, city: City) -> None:
        person = city.person()
        booking = city.book(person, city.hold(person, "10:00", language="vi").booking).booking
        first = city.scan(city.code(booking))
        city.printed(first)
        assert first.ticket.language == "vi"
        assert city.scan(city.code(booking)).ticket.language == "vi"
        assert city.come_without_booking().ticket.language is None

    def test_gives_a_ticket_with_all_that_stands_on_the_slip(self, city: City) -> None:
        _, booking = city.booked("10:00")
        city.clock.set(9, 52)
        answer = city.scan(city.code(booking))

        ticket = answer.ticket
        assert (answer.result, answer.early, answer.late) == (Result.TICKET, True, False)
        assert (ticket.number, ticket.party, ticket.people_waiting) == (1, 1, 0)
        assert (ticket.booked_at, ticket.issued_at) == (moment("10:00"), moment("9:52"))
        assert (ticket.lane["ja"], ticket.service["ja"], ticket.office["ja"]) == (
            "受取",
            "カードの受け取り",
            "見本市 本庁",
        )
        assert (ticket.reprint_of, city.state(booking)) == (None, BookingState.CHECKED_IN)

    @pytest.mark.parametrize("spelling", ["{code}", "{lower}", " {code}\t"[:-1], "http://127.0.0.1:8000/b/{code}"])
    def test_the_notices_own_code_is_as_good_as_the_booking_code(self, city: City, spelling: str) -> None:
        person, _ = city.booked("10:00")
        code = person.sticker.scan_code

        assert city.scan(spelling.format(code=code, lower=code.lower())).ticket.booked_at == moment("10:00")

    @pytest.mark.parametrize(
        ("came", "early", "late"),
        [("9:59", True, False), ("10:00", False, False), ("10:15", False, False), ("10:16", False, True)],
    )
    def test_early_on_time_and_late(self, city: City, came: str, early: bool, late: bool) -> None:
        _, booking = city.booked("10:00")
        city.at(came)
        answer = city.scan(city.code(booking))

        assert (answer.early, answer.late) == (early, late)

    def test_who_came_late_hears_it_again_with_every_scan(self, city: City) -> None:
        _, booking = city.booked("10:00")
        city.at("10:16")
        first = city.scan(city.code(booking))
        reprint = city.scan(city.code(booking))
        city.printed(reprint)
        city.at("11:00")

        assert [a.late for a in (first, reprint, city.scan(city.code(booking)))] == [True] * 3

    def test_who_came_on_time_is_not_late_however_late_the_second_scan(self, city: City) -> None:
        _, booking = city.booked("10:00")
        city.scan(city.code(booking))
        city.at("11:00")

        assert not city.scan(city.code(booking)).late

    def test_who_is_late_waits_with_the_walk_ins(self, city: City) -> None:
        _, late = city.booked("10:00")
        _, on_time = city.booked("10:30")
        city.clock.set(10, 16)
        city.scan(city.code(late))
        city.come_without_booking()
        city.scan(city.code(on_time))
        city.open(3)
        city.clock.set(10, 35)

        called = []
        for _ in range(3):
            called.append(city.call_next(3).number)
            city.finish(3)
        assert called == [3, 1, 2]

    def test_people_waiting_are_all_who_stand_before_one(self, city: City) -> None:
        bookings = [city.booked("10:00")[1] for _ in range(3)] + [city.booked("9:30")[1]]

        assert [city.scan(city.code(b)).ticket.people_waiting for b in bookings] == [0, 1, 2, 0]
        assert city.come_without_booking().ticket.people_waiting == 0
        city.clock.set(10, 0)
        assert city.come_without_booking().ticket.people_waiting == 5


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("1234 5678 9018", MyNumberRefused),
        ("１２３４５６７８９０１２", MyNumberRefused),
        ("", Unreadable),
        ("B7K3F9QXM", Unreadable),
        ("B" * 201, Unreadable),
        ("B7K3F9QXM\n0", Unreadable),
        ("https://www.example.jp/b/N7K3F9QXM2P0", WrongCode),
        ("4901234567894", WrongCode),
    ],
)
def test_what_is_no_code_of_ours_is_refused_before_anything_is_looked_up(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        read_code(text, ["127.0.0.1:8000"])


class TestRefusals:
    """Every no of the kiosk, each with its code."""

    def test_a_code_that_stands_for_nothing_here(self, city: City) -> None:
        with pytest.raises(CodeUnknown):
            city.scan(city.code(uuid4()))
        with pytest.raises(CodeUnknown):
            city.scan(codes.from_bits(codes.Kind.NOTICE, bytes(7)).text)

    def test_a_notice_without_a_booking_or_with_a_hold_only(self, city: City) -> None:
        person = city.person()
        with pytest.raises(NotBooked):
            city.scan(person.sticker.scan_code)
        held = city.hold(person, "10:00")
        for text in (person.sticker.scan_code, city.code(held.booking)):
            with pytest.raises(NotBooked):
                city.scan(text)

    def test_another_day_another_office_a_cancelled_booking(self, city: City) -> None:
        _, tomorrow = city.booked("10:00", TUESDAY)
        person, cancelled = city.booked("10:00")
        city.cancel(person, cancelled)
        with pytest.raises(WrongDay) as refused:
            city.scan(city.code(tomorrow))
        assert refused.value.facts == {"date": "2026-12-01"}

        with pytest.raises(BookingIsCancelled):
            city.scan(city.code(cancelled))
        with pytest.raises(BookingIsCancelled):
            city.scan(person.sticker.scan_code)

    def test_a_booking_at_another_office_is_told_which(self, city: City) -> None:
        person = city.person(site="kita")
        held = city.hold(person, city.slot("10:00", site="kita"))
        booking = city.book(person, held.booking).booking

        with pytest.raises(WrongOffice) as refused:
            city.scan(city.code(booking))
        assert refused.value.facts == {"site": {"ja": "見本市 北支所", "en": "Mihon City North Branch"}}

    @pytest.mark.parametrize(
        ("time", "received"), [("8:29:59", False), ("8:30", True), ("17:00", True), ("17:00:01", False)]
    )
    def test_booked_people_are_received_until_the_last_reception(self, city: City, time: str, received: bool) -> None:
        _, booking = city.booked("9:15")
        city.at(time)

        if received:
            assert city.scan(city.code(booking)).ticket.number == 1
            return
        with pytest.raises(OfficeClosed) as refused:
            city.scan(city.code(booking))
        day = "2026-11-30" if time.startswith("8") else "2026-12-01"
        assert refused.value.facts == {"next_opening": f"{day}T08:30:00+09:00"}
        assert city.state(booking) is BookingState.CONFIRMED


class TestScanningAgain:
    """The same code again: the same number, and paper only when it is needed."""

    @pytest.fixture
    def first(self, city: City) -> tuple[str, CheckInAnswer]:
        """A code that was scanned, and the answer."""
        _, booking = city.booked("10:00")
        return city.code(booking), city.scan(city.code(booking))

    @pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN, Outcome.NOT_PRINTED])
    def test_paper_that_is_not_known_to_be_printed_comes_again(
        self, city: City, first: tuple[str, CheckInAnswer], outcome: Outcome | None
    ) -> None:
        code, answer = first
        if outcome is not None:
            city.printed(answer, outcome)
        city.clock.forward(minutes=2)
        again = city.scan(code)

        assert (again.result, again.ticket.number) == (Result.TICKET, answer.ticket.number)
        assert (again.ticket.uid, again.ticket.reprint_of) == (answer.ticket.uid, moment("9:00"))
        assert again.job not in (None, answer.job)

    def test_printed_paper_does_not_come_again(self, city: City, first: tuple[str, CheckInAnswer]) -> None:
        code, answer = first
        city.printed(answer)
        again = city.scan(code)

        assert (again.result, again.job, again.ticket.number) == (Result.ALREADY, None, answer.ticket.number)

    def test_the_last_outcome_counts(self, city: City, first: tuple[str, CheckInAnswer]) -> None:
        code, answer = first
        city.printed(answer, Outcome.NOT_PRINTED)
        second = city.scan(code)
        city.printed(second)

        assert city.scan(code).result is Result.ALREADY

    def test_printed_stays_printed_whatever_is_said_later(self, city: City, first: tuple[str, CheckInAnswer]) -> None:
        code, answer = first
        city.printed(answer)
        city.printed(answer)
        city.printed(answer, Outcome.UNKNOWN)

        assert city.scan(code).result is Result.ALREADY

    def test_after_the_visit_no_new_ticket_is_given(self, city: City, first: tuple[str, CheckInAnswer]) -> None:
        code, answer = first
        city.open(3)
        city.call_next(3)
        city.finish(3)

        assert (city.scan(code).result, city.scan(code).ticket.number) == (Result.ALREADY, answer.ticket.number)
        assert visits(city) == 1

    def test_on_another_day_no_number_is_said_for_it_is_somebody_elses(
        self, city: City, first: tuple[str, CheckInAnswer]
    ) -> None:
        city.clock.forward(days=1)

        with pytest.raises((WrongDay, NotBooked)):
            city.scan(first[0])

    def test_a_job_of_another_kiosk_or_of_nobody_is_unknown(self, city: City, first: tuple[str, CheckInAnswer]) -> None:
        job = first[1].job
        assert job is not None
        for kiosk, uid in ((Kiosk(city.kiosk.id + 1, city.here), job), (city.kiosk, uuid4())):
            with pytest.raises(CodeUnknown):
                report_print("device:9", kiosk, uid, "a" * 64, Outcome.PRINTED, city.now)

    def test_the_same_request_again_is_the_same_answer_and_no_second_paper(self, city: City) -> None:
        _, booking = city.booked("10:00")
        by = asked_by(f"device:{city.kiosk.id}")
        answer = city.scan(city.code(booking), by)
        city.clock.forward(seconds=30)

        assert city.scan(city.code(booking), by) == answer
        _, other = city.booked("10:00")
        with pytest.raises(RepeatedWithOtherBody):
            city.scan(city.code(other), by)


class TestComingWithoutBooking:
    """当日受付: somebody presses the button of a service."""

    def test_gives_a_ticket_of_the_services_own_lane(self, city: City) -> None:
        tickets = [city.come_without_booking(service).ticket for service in ("pickup", "certificate", "pin", "pickup")]

        assert [t.number for t in tickets] == [1, 301, 302, 2]
        assert [t.lane["ja"] for t in tickets] == ["受取", "更新・暗証番号", "更新・暗証番号", "受取"]
        assert {t.booked_at for t in tickets} == {None}

    @pytest.mark.parametrize(("party", "may"), [(0, False), (1, True), (6, True), (7, False)])
    def test_one_ticket_stands_for_a_party(self, city: City, party: int, may: bool) -> None:
        if may:
            assert city.come_without_booking(party=party).ticket.party == party
            visit = read_session().query(Visit).one()
            assert len(visit.people) == party
            return
        with pytest.raises(PartyTooLarge) as refused:
            city.come_without_booking(party=party)
        assert refused.value.facts == {"most": 6}

    @pytest.mark.parametrize(
        ("hour", "minute", "refusal"),
        [(8, 29, OfficeClosed), (8, 30, None), (16, 45, None), (16, 46, WalkInsClosed), (17, 1, OfficeClosed)],
    )
    def test_until_the_last_reception_of_walk_ins(
        self, city: City, hour: int, minute: int, refusal: type[Refusal] | None
    ) -> None:
        city.clock.set(hour, minute)

        if refusal is None:
            assert city.come_without_booking().ticket.number == 1
            return
        with pytest.raises(refusal) as refused:
            city.come_without_booking()
        if refusal is WalkInsClosed:
            assert refused.value.facts == {"tel": "0120-000-000"}
        assert visits(city) == 0

    def test_a_service_that_is_not_offered(self, city: City) -> None:
        with pytest.raises(UnknownService):
            city.come_without_booking("passport")

    def test_the_same_request_again_is_the_same_number(self, city: City) -> None:
        by = asked_by(f"device:{city.kiosk.id}")
        answer = city.come_without_booking(by=by)

        assert city.come_without_booking(by=by) == answer
        with pytest.raises(RepeatedWithOtherBody):
            city.come_without_booking(party=2, by=by)
        assert visits(city) == 1


class TestNumbers:
    """受付番号: each once a day, without gaps."""

    @pytest.mark.parametrize("zone", [UTC, OFFICE_ZONE])
    def test_begin_again_at_midnight_in_japan_which_is_three_in_the_afternoon_utc(
        self, city: City, zone: tzinfo
    ) -> None:
        open_around_the_clock(MONDAY, 2, city.now)
        city.zone, numbers = zone, []
        for before in (3600, 1, 0, -1):
            city.at(datetime(2026, 11, 30, 15, 0, tzinfo=UTC) - timedelta(seconds=before))
            numbers.append(city.come_without_booking().ticket.number)

        assert numbers == [1, 2, 1, 2]
        assert [(d.business_date, d.next) for d in number_days()] == [(MONDAY, 3), (TUESDAY, 3)]

    def test_end_with_the_last_one_of_the_series(self, city: City) -> None:
        city.come_without_booking()
        (day,) = number_days()
        city.set_row(day, next=300)

        assert city.come_without_booking().ticket.number == 300
        with pytest.raises(NumbersUsedUp):
            city.come_without_booking()
        assert city.come_without_booking("pin").ticket.number == 301

    def test_a_refused_person_uses_up_no_number(self, city: City) -> None:
        city.come_without_booking()
        with pytest.raises(PartyTooLarge):
            city.come_without_booking(party=99)
        assert city.come_without_booking().ticket.number == 2


def visits(city: City) -> int:
    """How many visits there are."""
    return read_session().query(Visit).filter(Visit.office_id == city.here).count()


def number_days() -> list[NumberDay]:
    """The number days, by date."""
    read_session().rollback()
    return read_session().query(NumberDay).order_by(NumberDay.business_date).all()


def test_the_ticket_says_what_its_people_can_do_while_they_wait(city: City) -> None:
    picked_up = city.scan(city.code(city.booked("10:00")[1])).ticket
    renewed = city.come_without_booking("certificate").ticket

    assert picked_up.tasks == ("notice", "pin", "return")
    assert renewed.tasks == ()


class TestTheNumberPrintedOnTheNotice:
    """Taken only where the office says so, and never a way to try numbers out."""

    @staticmethod
    def allow(city: City) -> None:
        set_policy(city.here, None, "kiosk_reads_notice_numbers", True, MONDAY, "test", city.now)

    def test_is_refused_until_the_office_says_that_its_notices_hold_it(self, city: City) -> None:
        person, _ = city.booked("10:00")
        with pytest.raises(OtherCode):
            city.scan(person.sticker.number)
        self.allow(city)

        assert city.scan(person.sticker.number).ticket.booked_at == moment("10:00")
        assert city.scan(shown_number(person.sticker.number).lower()).ticket.number == 1

    def test_a_restricted_notice_answers_as_one_that_nobody_knows(self, city: City) -> None:
        self.allow(city)
        person, _ = city.booked("10:00")
        notice = find_by_number(city.keyring, read_session(), person.sticker.number)
        city.set_row(notice, restricted=True)

        refused = []
        for number in (person.sticker.number, "ZZZ999999"):
            with pytest.raises(Refusal) as answer:
                city.scan(number)
            refused.append((type(answer.value), answer.value.facts))
        assert refused == [(CodeUnknown, {})] * 2

    def test_five_that_lead_nowhere_close_it_and_the_label_still_works(self, city: City) -> None:
        self.allow(city)
        person, _ = city.booked("10:00")
        other, _ = city.booked("10:00", TUESDAY)
        numbers = ["ZZZ000001", "ZZZ000002", other.sticker.number, "ZZZ000003", "ZZZ000004", person.sticker.number]
        answers = []
        for number in numbers:
            with pytest.raises(Refusal) as refused:
                city.scan(number)
            answers.append(type(refused.value))

        assert answers == [CodeUnknown, CodeUnknown, WrongDay, CodeUnknown, CodeUnknown, OtherCode]
        assert city.scan(person.sticker.scan_code).ticket.number == 1
        city.clock.forward(minutes=16)
        assert city.scan(person.sticker.number).ticket.number == 1

    def test_a_booking_of_today_begins_the_count_anew(self, city: City) -> None:
        self.allow(city)
        person, _ = city.booked("10:00")
        for n in range(4):
            with pytest.raises(CodeUnknown):
                city.scan(f"ZZZ00000{n}")
        city.scan(person.sticker.number)

        with pytest.raises(CodeUnknown):
            city.scan("ZZZ000009")
        assert city.scan(person.sticker.number).ticket.number == 1
