"""郵送するカード: the back room's page and its file."""

import csv
from io import StringIO

import pytest

from server.auth.models import Staff
from server.db import read_session
from server.queueing.rules import Outcome
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, Forms, colleague, plain
from tests.server.city import City

PAGE = "/mailings"


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Two have agreed; the notice of the second is restricted since."""
    city = City(sqlite_office)
    people = city.people(2)
    _, booking = city.booked("09:15", person=people[0], family=people[1:])
    city.set_row(city.notice(people[0]), storage_place="=棚1")
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    city.finish(3, Outcome.LATER_BY_MAIL)
    city.set_row(city.notice(people[1]), restricted=True)
    return city


def press(somebody: Colleague, n: int, **typed: str) -> str:
    """A button of the n-th card on the page, and what the page says then."""
    action = [a for a in Forms(somebody.get(PAGE).text).by_action if a.startswith("/mailings/")][n]
    return plain(somebody.get(somebody.send(PAGE, action, **typed).location))


def test_the_page_shows_what_is_to_be_sent_and_whom_to_ask_about(city: City) -> None:
    page = plain(colleague(city.office, "madoguchi3").get(PAGE))
    assert "未発送（2件）" in page
    assert "番号札 1番 H1H-000001 カードの受け取り =棚1 あり" in page
    assert "番号札 1番（2人目） H1H-000002 支援措置など：責任者に確認" in page
    assert "郵送するカード" in plain(colleague(city.office, "madoguchi3").get("/desk"))


def test_the_file_opens_in_excel_and_has_no_restricted_notice(city: City) -> None:
    answer = colleague(city.office, "madoguchi3").get(f"{PAGE}/to-send.csv")
    assert answer.headers["Cache-Control"] == "no-store"
    header, *rows = csv.reader(StringIO(answer.data.decode("utf-8-sig")))
    assert header[:4] == ["受付日", "番号札", "何人目", "交付通知書の番号"]
    assert rows == [["2026-11-30", "1", "1", "H1H-000001", "カードの受け取り", "'=棚1", "あり"]]


def test_sent_back_to_be_sent_and_returned(city: City) -> None:
    clerk = colleague(city.office, "madoguchi3")
    assert "発送済みにしました" in press(clerk, 0, state="sent", letter="123-45-67890-1")
    page = plain(clerk.get(PAGE))
    assert "未発送（1件）" in page
    assert "123-45-67890-1" in page
    assert "未発送に戻しました" in press(clerk, 1, state="to_send")
    assert "また予約できます" in press(clerk, 0, state="returned")
    assert "未発送（1件）" in plain(clerk.get(PAGE))


@pytest.mark.parametrize("letter", ["12", "123456789018"])
def test_a_number_that_is_none_sends_nothing(city: City, letter: str) -> None:
    assert "発送済みにしていません" in press(colleague(city.office, "madoguchi3"), 0, state="sent", letter=letter)
    read_session().rollback()
    assert "未発送（2件）" in plain(colleague(city.office, "madoguchi3").get(PAGE))


def test_who_is_slower_is_told_so_and_nonsense_is_refused(city: City) -> None:
    clerk = colleague(city.office, "madoguchi3")
    action, fields = next(
        (a, f) for a, f in Forms(clerk.get(PAGE).text).by_action.items() if a.startswith("/mailings/")
    )
    press(colleague(city.office, "madoguchi2"), 0, state="returned")
    answer = clerk.client.post(action, data={**fields, "state": "sent"})
    assert "ほかの職員が先に操作した" in plain(clerk.get(answer.location))
    assert clerk.send(PAGE, "/staff/sign-out").status_code == 303
    clerk.sign_in()
    assert clerk.client.post(action, data={"csrf_token": clerk.token(), "state": "lost"}).status_code == 422


def test_another_offices_clerk_sees_and_sends_none(city: City) -> None:
    action = next(a for a in Forms(colleague(city.office, "madoguchi3").get(PAGE).text).by_action if "mailings/" in a)
    chief = colleague(city.office, "kakaricho")
    city.set_row(read_session().get_one(Staff, city.clerk("kakaricho")), office_id=None)
    assert chief.get(PAGE).location == "/desk"
    chief.send("/desk", "/desk/office", office="kita")
    assert "未発送（0件）" in plain(chief.get(PAGE))
    fields = {"csrf_token": chief.token(), "request_id": "a-request-id", "state": "sent"}
    assert "ほかの職員が先に" in plain(chief.get(chief.client.post(action, data=fields).location))
