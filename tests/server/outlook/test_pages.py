"""The page of a ticket: what its holder reads, from the machine at the entrance to the end."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from madoguchi.codes import of_ticket
from madoguchi.wire import CheckInAnswer
from server.db import read_session
from server.queueing.models import VisitStep
from server.queueing.rules import ParkedFor
from tests.conftest import Office
from tests.server.city import City


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """The sample city, Monday at nine, with one window for pick-up."""
    city = City(sqlite_office)
    city.open(3)
    return city


def page(city: City, ticket: UUID | str, language: str = "ja") -> Any:
    """What a telephone gets."""
    code = ticket if isinstance(ticket, str) else of_ticket(ticket).text
    return city.office.client().get(f"/t/{code}", headers={"Accept-Language": language})


def come(city: City, times: int) -> list[CheckInAnswer]:
    """So many people come one after the other."""
    answers = []
    for _ in range(times):
        answers.append(city.come_without_booking())
        city.clock.forward(seconds=5)
    return answers


def test_who_waits_reads_how_many_are_before_them_and_how_long_it_will_take(city: City) -> None:
    ticket = come(city, 5)[-1].ticket
    answer = page(city, ticket.uid)

    assert answer.status_code == 200
    assert f"<strong>{ticket.number}</strong>" in answer.text
    assert "あと4人" in answer.text
    assert "あと約" in answer.text
    assert "9時00分現在の情報です。" in answer.text
    assert answer.headers["Refresh"] == "30"
    assert "People ahead of you: 4" in page(city, ticket.uid, "en").text


def test_who_is_back_with_missing_papers_counts_as_before_all_others(city: City) -> None:
    first, _, last = (answer.ticket for answer in come(city, 3))
    city.call(3, last.uid)
    city.park(3, ParkedFor.PAPERS)
    assert "あと1人" not in page(city, first.uid).text
    city.back(last.uid)

    assert "あと1人" in page(city, first.uid).text
    assert "あと1人" not in page(city, last.uid).text


def test_who_is_called_reads_the_window_and_afterwards_that_it_is_over(city: City) -> None:
    ticket = come(city, 1)[0].ticket
    assert "まもなくお呼びします" in page(city, ticket.uid).text

    city.call_next(3)
    assert f"受付番号 {ticket.number} の方　3番窓口へお越しください" in page(city, ticket.uid).text

    city.missed(3)
    assert "いらっしゃいませんでした" in page(city, ticket.uid).text

    city.call(3, ticket.uid)
    city.finish(3)
    over = page(city, ticket.uid)
    assert "ご案内は終わりました" in over.text
    assert "Refresh" not in over.headers


def test_with_no_window_open_no_time_is_told(city: City) -> None:
    ticket = come(city, 2)[-1].ticket
    city.close(3)

    assert ticket.wait is not None
    assert "待ち時間の目安をお知らせできません" in page(city, ticket.uid).text


def test_every_code_that_is_not_known_has_the_same_answer(city: City) -> None:
    known = come(city, 1)[0].ticket.uid
    unknown = [page(city, code) for code in (UUID(int=7), "T0", "B7K3F9QXM0", "%20", "T" * 300)]
    city.clock.forward(days=1)
    unknown.append(page(city, known))

    assert {answer.status_code for answer in unknown} == {404}
    assert len({answer.text.partition("<main")[2] for answer in unknown}) == 1


def test_what_a_ticket_was_told_is_written_down(city: City) -> None:
    wait = come(city, 4)[-1].ticket.wait
    read_session().rollback()
    step = read_session().scalars(select(VisitStep).order_by(VisitStep.id.desc()).limit(1)).one()

    assert wait is not None
    assert (step.told_minutes, step.told_least, step.told_most) == (wait.minutes, wait.least, wait.most)
    assert 0 < wait.least < wait.minutes < wait.most
