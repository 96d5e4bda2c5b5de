"""番号札の再発行: staff put any ticket of today on paper again, at a kiosk that fetches it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from madoguchi.wire import CheckInAnswer, KioskState, Outcome, Result
from server.audit import AuditEntry
from server.auth.service import UnknownDevice, add_kiosk
from server.db import read_session
from server.reception.queries import kiosks_of, papers_in_doubt
from server.reception.rules import CodeUnknown
from server.reception.service import report_print, reprint
from tests.conftest import Office
from tests.fakes import asked_by
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City
from tests.server.reception.test_kiosk_api import kiosk

PAGE = "/desk/reprints"


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Monday at nine."""
    return City(sqlite_office)


@pytest.fixture
def chief(city: City) -> Colleague:
    """The supervisor."""
    return colleague(city.office, "kakaricho")


def received(city: City, outcome: Outcome = Outcome.PRINTED) -> CheckInAnswer:
    """Somebody has a number, and this became of the paper."""
    _, booking = city.booked("10:00")
    answer = city.scan(city.code(booking))
    report(city, answer.job, outcome)
    return answer


def report(city: City, job: UUID | None, outcome: Outcome) -> None:
    """The kiosk says what became of a paper."""
    assert job is not None
    report_print(f"device:{city.kiosk.id}", city.kiosk, job, "a" * 64, outcome, city.now)


def printer(city: City) -> UUID:
    """The kiosk's own uid."""
    return kiosks_of(read_session(), city.here)[0].uid


def orders(city: City, token: str | None = None) -> KioskState:
    """What the kiosk hears when it asks how things stand."""
    return KioskState.from_json(kiosk(city, token).get("/api/kiosk/state").json)


def ask(city: City, chief: Colleague, number: int | str, at: UUID | None = None) -> str:
    """Fill in the form; what the page says then."""
    fields = chief.form(PAGE, PAGE) | {"number": str(number), "kiosk": str(at or printer(city))}
    return plain(chief.client.post(PAGE, data=fields, follow_redirects=True))


class TestAsking:
    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_staff_reprint_whatever_became_of_the_paper(self, city: City, chief: Colleague, outcome: Outcome) -> None:
        ticket = received(city, outcome).ticket

        assert "1番を「" in ask(city, chief, ticket.number)
        (order,) = orders(city).reprints
        assert (order.ticket.uid, order.ticket.number) == (ticket.uid, ticket.number)
        assert order.ticket.reprint_of == ticket.issued_at

    def test_the_kiosk_hears_of_it_until_it_has_reported(self, city: City, chief: Colleague) -> None:
        ask(city, chief, received(city).ticket.number)
        (order,) = orders(city).reprints
        assert [one.job for one in orders(city).reprints] == [order.job]

        report(city, order.job, Outcome.NOT_PRINTED)

        assert orders(city).reprints == ()

    def test_what_is_not_fetched_in_time_does_not_come_out_later(self, city: City, chief: Colleague) -> None:
        ask(city, chief, received(city).ticket.number)

        city.clock.forward(minutes=2, seconds=1)

        assert orders(city).reprints == ()

    def test_another_kiosk_hears_nothing_of_it(self, city: City, chief: Colleague) -> None:
        _, token = add_kiosk(city.keyring, city.here, "裏口", "test", city.now)
        ask(city, chief, received(city).ticket.number)

        heard = {one: len(orders(city, one).reprints) for one in (city.kiosk_token, token)}

        assert heard == {city.kiosk_token: 1, token: 0}

    def test_after_it_is_printed_a_new_scan_only_says_the_number(self, city: City, chief: Colleague) -> None:
        _, booking = city.booked("10:00")
        first = city.scan(city.code(booking))
        report(city, first.job, Outcome.NOT_PRINTED)
        ask(city, chief, first.ticket.number)
        report(city, orders(city).reprints[0].job, Outcome.PRINTED)

        assert city.scan(city.code(booking)).result is Result.ALREADY

    def test_who_asked_is_written_down_and_asking_twice_makes_one_paper(self, city: City) -> None:
        ticket, asking = received(city).ticket, asked_by("staff:1")
        at = printer(city)

        first = reprint(asking, city.here, ticket.uid, at, city.now)
        assert reprint(asking, city.here, ticket.uid, at, city.now) == first

        entries = [e for e in read_session().query(AuditEntry) if e.verb == "print.reprint"]
        assert [(e.actor, e.subject_uid, e.facts["number"]) for e in entries] == [("staff:1", first.job, 1)]

    def test_a_ticket_of_another_day_or_office_is_refused(self, city: City) -> None:
        ticket, at = received(city).ticket, printer(city)

        with pytest.raises(CodeUnknown):
            reprint(asked_by("staff:1"), city.here, ticket.uid, at, city.now + timedelta(days=1))
        with pytest.raises(CodeUnknown):
            reprint(asked_by("staff:1"), city.here, uuid4(), at, city.now)
        with pytest.raises(UnknownDevice):
            reprint(asked_by("staff:1"), city.here, ticket.uid, uuid4(), city.now)


class TestThePage:
    def test_it_lists_the_papers_in_doubt_and_no_others(self, city: City, chief: Colleague) -> None:
        received(city)
        lost, unknown = received(city, Outcome.NOT_PRINTED), received(city, Outcome.UNKNOWN)

        listed = papers_in_doubt(read_session(), city.here, city.now)

        assert [(doubt.number, doubt.outcome) for doubt in listed] == [
            (lost.ticket.number, Outcome.NOT_PRINTED),
            (unknown.ticket.number, Outcome.UNKNOWN),
        ]
        page = plain(chief.get(PAGE))
        assert "2番 印字できず" in page.replace("\u3000", " ")
        assert "3番 印字したか不明" in page.replace("\u3000", " ")

    def test_what_was_reprinted_is_listed_no_more(self, city: City, chief: Colleague) -> None:
        ask(city, chief, received(city, Outcome.NOT_PRINTED).ticket.number)
        report(city, orders(city).reprints[0].job, Outcome.PRINTED)

        assert papers_in_doubt(read_session(), city.here, city.now) == []
        assert "ありません。" in plain(chief.get(PAGE))

    @pytest.mark.parametrize("number", ["99", "0", "", "x", "9" * 30])
    def test_a_number_that_nobody_has_is_told(self, city: City, chief: Colleague, number: str) -> None:
        assert "本日ありません" in ask(city, chief, number)

    def test_a_kiosk_that_is_none_is_told(self, city: City, chief: Colleague) -> None:
        assert "受付端末を選んで" in ask(city, chief, received(city).ticket.number, at=uuid4())
