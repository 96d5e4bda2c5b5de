"""What the forms and the table of opening hours refuse, and that they never say it again."""

from datetime import timedelta
from io import BytesIO

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from werkzeug.test import TestResponse

from server.booking.places import make_waiting
from server.booking.rules import SlotNotBookable
from server.db import read_session
from server.offices.opening_rules import RuleKind
from server.offices.opening_words import time_of
from server.offices.queries import calendar_of
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, Forms, colleague, plain
from tests.server.booking.test_stock import busy_at
from tests.server.city import MONDAY, City

HERE = "/admin/opening/honcho"
NUMBER = "123456789018"
WEEKLY = {"what": "rule", "kind": "weekly", "weekdays": "5", "opens": "9:00", "closes": "12:00"}


@pytest.fixture
def admin(sqlite_office: Office) -> Colleague:
    """The administrator, signed in."""
    return colleague(sqlite_office, "kanri")


def preview(admin: Colleague, **typed: str) -> TestResponse:
    """Send a form to be looked at."""
    return admin.client.post(f"{HERE}/preview", data={"csrf_token": admin.token(), **typed})


def table(admin: Colleague, data: bytes) -> TestResponse:
    """Send a file to be looked at."""
    typed = {"csrf_token": admin.token(), "what": "csv", "file": (BytesIO(data), "days.csv")}
    return admin.client.post(f"{HERE}/preview", data=typed, content_type="multipart/form-data")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"valid_to": "20271-03-31"}, "「有効期間の終わり」が読めません"),
        ({"valid_from": "2027-02-30"}, "「有効期間の始まり」が読めません"),
        ({"kind": "dated", "on_date": "9999-12-31"}, "「日（始まり）」が読めません"),
        ({"kind": "closure", "on_date": "2026-12-05", "until_date": "20261-12-31"}, "「終わりの日」が読めません"),
        ({"services": "passport"}, "この庁舎にない手続"),
        ({"kind": "dated", "on_date": "2026-12-08", "closed": "1", "services": "passport"}, "この庁舎にない手続"),
        ({"kind": "nth", "nth": "1", "months": "13"}, "月は1〜12"),
        ({"nth": "7"}, "第何かと曜日を"),
        ({"weekdays": "9"}, "曜日を選んで"),
        ({"opens": "9" * 5000 + ":00"}, "開始と終了を"),
        ({"reason": "あ" * 121}, "120文字まで"),
    ],
)
def test_what_cannot_be_read_is_never_taken_for_nothing(admin: Colleague, wrong: dict[str, str], said: str) -> None:
    page = preview(admin, **{**WEEKLY, "reason": "北会場", **wrong})
    assert page.status_code == 422
    assert said in plain(page)
    assert 'value="12:00"' in page.text


def test_a_rule_does_not_end_on_a_day_that_cannot_be_read(admin: Colleague) -> None:
    rule = next(r for r in calendar_of(read_session(), City(admin.office).here).rules if r.kind is RuleKind.WEEKLY)
    page = preview(admin, what="end", rule=str(rule.id), last_day="20271-01-01")
    assert page.status_code == 422
    assert "「最後の日」が読めません" in plain(page)
    assert 'value="20271-01-01"' in page.text
    assert f'value="{time_of(rule.opens)}"' in page.text


@pytest.mark.parametrize("text", [NUMBER, "1234-5678-9018", "１２３４ ５６７８ ９０１８", "a\0b", "a\u202eb"])
@pytest.mark.parametrize("field", ["reason", "opens", "on_date"])
def test_a_form_with_what_may_be_a_my_number_is_refused_without_saying_it(
    admin: Colleague, field: str, text: str
) -> None:
    page = preview(admin, **{**WEEKLY, field: text})
    assert page.status_code == 422
    assert "個人番号かもしれない" in plain(page)
    assert text not in page.text


@pytest.mark.parametrize(
    "row",
    [
        f"2026-12-06,9:00,12:00,,,,{NUMBER}",
        f"2026-12-06,9:00,8:00,,,,{NUMBER}",
        f"2026-12-06,9:00,12:00,,,,{NUMBER},,",
        f"2026-12-06,9:00,12:00,,,,{NUMBER} 北会場",
        f'2026-12-06,9:00,12:00,,,,"{NUMBER}',
        f"{NUMBER},9:00,12:00",
        f"2026-12-06,9:00,12:00,{NUMBER}",
    ],
)
def test_a_row_with_what_may_be_a_my_number_is_refused_and_not_said_again(admin: Colleague, row: str) -> None:
    page = preview(admin, what="csv", text=f"2026-12-05,9:00,12:00,,,,北会場\n{row}\n")
    assert page.status_code == 422
    assert "2行目" in plain(page)
    assert NUMBER not in page.text
    assert "北会場" in page.text


@pytest.mark.parametrize("letter", ["\0", "\u202e", "\u200b"])
def test_a_row_with_letters_that_nobody_sees_is_refused(admin: Colleague, letter: str) -> None:
    page = preview(admin, what="csv", text=f"2026-12-05,9:00,12:00,,,,a{letter}b")
    assert page.status_code == 422
    assert "見えない文字" in plain(page)


def test_a_reason_too_long_is_refused_by_its_row_and_never_cut(admin: Colleague) -> None:
    page = preview(admin, what="csv", text=f"2026-12-05,9:00,12:00\n2026-12-06,9:00,12:00,,,,{'北' * 121}\n")
    assert page.status_code == 422
    assert "2行目 理由は120文字まで" in plain(page)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "euc_jp"])
def test_a_table_in_letters_that_nobody_understands_is_not_guessed(admin: Colleague, encoding: str) -> None:
    page = table(admin, "日付,開始,終了\n2026-12-05,9:00,12:00\n".encode(encoding))
    assert page.status_code == 422
    assert "文字コードがわかりません" in plain(page)


def test_a_table_of_a_thousand_rows_with_reasons_is_saved_as_it_was_looked_at(admin: Colleague) -> None:
    city = City(admin.office)
    days = [MONDAY + timedelta(days=1 + n) for n in range(500)]
    reason = "市民まつりのため臨時に開庁します" * 3
    rows = [f"{day},{hours},,,,{reason}" for day in days for hours in ("9:00,12:00", "13:00,16:00")]
    looked = table(admin, "\n".join(rows).encode())
    assert looked.status_code == 200
    typed = Forms(looked.text).by_action[f"{HERE}/save"]
    saved = admin.client.post(f"{HERE}/save", data=typed, content_type="multipart/form-data")
    assert saved.status_code == 303
    assert "保存しました" in plain(admin.get(saved.location))
    read_session().rollback()
    dated = [r for r in calendar_of(read_session(), city.here).rules if r.kind is RuleKind.DATED and r.reason == reason]
    assert {r.on_date for r in dated} == set(days)
    assert len(dated) == 1000


def test_a_table_of_more_rows_is_refused_by_its_first_row_too_many(admin: Colleague) -> None:
    page = table(admin, b"2026-12-05,9:00\n" * 1005)
    assert page.status_code == 422
    assert "1002行目 行が多すぎます" in plain(page)


@pytest.mark.parametrize("year", ["0000", "0001", "9999", "20271", "x", "２０２６"])
def test_a_year_without_holidays_is_this_year(admin: Colleague, year: str) -> None:
    page = admin.get(f"/admin/holidays?year={year}")
    assert page.status_code == 200
    assert "2026" in plain(page)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2026-02-30", "20271-01-01"])
@pytest.mark.parametrize("what", ["set", "strike"])
def test_a_holiday_on_a_day_that_cannot_be_meant_is_refused(admin: Colleague, day: str, what: str) -> None:
    typed = {"csrf_token": admin.token(), "day": day, "name": "祝", "what": what}
    page = admin.client.post("/admin/holidays", data=typed)
    assert page.status_code == 303
    assert "2000〜2099年の日付を入れてください" in plain(admin.get(page.location))


@pytest.mark.parametrize(("busy", "said"), [(0, "予約枠も合わせて変わりました"), (1, "いまの規則に合わせて作り直して")])
def test_who_saves_is_told_whether_the_places_follow_already(admin: Colleague, busy: int, said: str) -> None:
    looked_at = preview(admin, what="rule", kind="dated", on_date=str(MONDAY + timedelta(days=1)), closed="1")
    forms = Forms(looked_at.text).by_action
    with busy_at("UPDATE slots", busy):
        admin.client.post(f"{HERE}/save", data=forms[f"{HERE}/save"])
    assert said in plain(admin.client.get(HERE))


def test_in_a_serving_process_saving_waits_for_no_places_and_nobody_books_a_closed_time_meanwhile(
    admin: Colleague, sqlite_office: Office
) -> None:
    """The timetable is asked to make them at once; what it does then is what the sweep does."""
    city, asked = City(sqlite_office), BackgroundScheduler(timezone="Asia/Tokyo")
    asked.add_job(lambda: make_waiting(city.here, city.now), "interval", days=1, id="_extend_all")
    sqlite_office.app.extensions["madoguchi.timetable"] = asked  # not running: what it is asked for can be looked at
    tuesday = MONDAY + timedelta(days=1)
    looked_at = preview(admin, what="rule", kind="dated", on_date=str(tuesday), closed="1")
    saved = admin.client.post(f"{HERE}/save", data=Forms(looked_at.text).by_action[f"{HERE}/save"])

    assert "作り直しています" in plain(admin.get(saved.location))
    assert not city.place("10:15", tuesday).closed
    with pytest.raises(SlotNotBookable) as refused:
        city.hold(city.person(), "10:15", tuesday)
    assert refused.value.facts == {"reason": "closed"}
    asked.get_job("places_now").func()
    assert city.place("10:15", tuesday).closed
    assert "作り直しています" not in plain(admin.get(HERE))
