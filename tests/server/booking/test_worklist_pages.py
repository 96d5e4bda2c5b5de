"""The page of the work list: who lost a place, who was told, who is moved where."""

import re
from datetime import timedelta

import pytest

from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_staff
from server.booking.models import Told
from server.booking.worklist import open_entries
from server.db import read_session
from server.offices.queries import office_by_code
from server.sample import SampleStaff
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.booking.test_worklist import TUESDAY, at, close
from tests.server.city import City

PAGE = "/phone/affected"


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Three bookings of a Tuesday that closes."""
    city = City(sqlite_office)
    for time in ("10:15", "10:30", "16:00"):
        city.booked(time, TUESDAY)
    close(city)
    return city


@pytest.fixture
def operator(city: City) -> Colleague:
    """The phone desk."""
    return colleague(city.office, "denwa")


def entries(city: City) -> list[str]:
    """The uids of what is to be done."""
    read_session().rollback()
    return [str(entry.uid) for entry in open_entries(read_session(), city.here)]


def notice(operator: Colleague) -> str:
    """What the page says at its top."""
    return " ".join(re.findall(r'class="notice [a-z]+">([^<]*)<', operator.get(PAGE).text))


def test_the_list_shows_each_booking_with_its_time_and_code(city: City, operator: Colleague) -> None:
    page = plain(operator.get(PAGE))
    code = city.keyring.booking_code(open_entries(read_session(), city.here)[0].booking.uid).grouped

    assert "これから連絡する予約 3件" in page
    assert "令和8年12月1日（火） 10時15分" in page
    assert code in page
    assert "まだ連絡していません" in page


def test_as_all_staff_pages_it_is_in_japanese_only(operator: Colleague) -> None:
    page = operator.client.get(PAGE, headers={"Accept-Language": "en"}).text

    assert "令和8年12月1日（火） 10時15分" in page
    assert "閉庁・枠の閉鎖" in page


def test_one_is_moved_told_and_then_among_what_is_done(city: City, operator: Colleague) -> None:
    first = entries(city)[0]
    operator.send(PAGE, f"{PAGE}/{first}/move")
    assert notice(operator) == "令和8年12月2日（水） 8時30分へ移しました。ご本人にご連絡ください。"
    operator.send(PAGE, f"{PAGE}/{first}/told", how=Told.PHONE.value)

    assert len(entries(city)) == 2
    page = plain(operator.get(PAGE))
    assert "電話、令和8年11月30日（月） 9時00分、denwa" in page.partition("対応が済んだ予約")[2]


def test_all_are_moved_at_once(city: City, operator: Colleague) -> None:
    bookings = [entry.booking.uid for entry in open_entries(read_session(), city.here)]
    operator.send(PAGE, f"{PAGE}/move-all")

    assert "3件を移しました。空きがなかった予約 0件、まだ試していない予約 0件。" in notice(operator)
    assert [at(city, booking) for booking in bookings] == ["02 08:30", "02 08:30", "02 08:45"]
    assert f"{PAGE}/move-all" not in operator.get(PAGE).text


def test_what_is_done_otherwise_is_struck(city: City, operator: Colleague) -> None:
    for uid in entries(city):
        operator.send(PAGE, f"{PAGE}/{uid}/done")

    assert entries(city) == []
    assert "連絡が必要な予約はありません。" in plain(operator.get(PAGE))


def test_what_a_colleague_has_done_meanwhile_is_said(city: City, operator: Colleague) -> None:
    first = entries(city)[0]
    forms = {action: operator.form(PAGE, f"{PAGE}/{first}/{action}") for action in ("move", "told", "done")}
    operator.send(PAGE, f"{PAGE}/{first}/done")
    notice(operator)

    for action, form in forms.items():
        operator.client.post(
            f"{PAGE}/{first}/{action}", data={**form, "how": "phone", "request_id": f"another-{action}"}
        )
        assert notice(operator) == "この予約の対応は、もう済んでいます。", action


def test_without_a_free_place_it_says_so(city: City, operator: Colleague) -> None:
    for n in range(1, 46):
        close(city, TUESDAY + timedelta(days=n))
    operator.send(PAGE, f"{PAGE}/{entries(city)[0]}/move")

    assert notice(operator) == "もとの日時より後に空き枠がありません。予約は一覧に残っています。"


def test_a_way_of_telling_nobody_knows_is_not_noted(city: City, operator: Colleague) -> None:
    operator.send(PAGE, f"{PAGE}/{entries(city)[0]}/told", how="pigeon")
    assert "まだ連絡していません" in plain(operator.get(PAGE))


def test_another_offices_bookings_are_not_this_offices_work(city: City) -> None:
    kita = at_kita(city)
    first = entries(city)[0]

    assert "これから連絡する予約 0件" in plain(kita.get(PAGE))
    for action in ("move", "told", "done"):
        typed = {"csrf_token": kita.token(), "how": "phone", "request_id": f"kita-{action}"}
        kita.client.post(f"{PAGE}/{first}/{action}", data=typed)
        assert notice(kita) == "この予約の対応は、もう済んでいます。", action
    assert len(entries(city)) == 3
    assert "まだ連絡していません" in plain(colleague(city.office, "denwa").get(PAGE))


def at_kita(city: City) -> Colleague:
    """An operator of another office."""
    kita, words = office_by_code(read_session(), "kita").id, "kita-no-denwa-uketsuke"
    add_staff(Passwords(), "kita", Role.OPERATOR, words, kita, "kanri", city.now)
    city.office.staff.append(SampleStaff("kita", words, "operator"))
    return colleague(city.office, "kita")
