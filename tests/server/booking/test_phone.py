"""The phone desk: find a notice, hold while speaking, read back, book, move, cancel."""

import re
from datetime import date
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from madoguchi import codes
from server.audit import newest_entries
from server.booking.models import Channel
from server.booking.rules import BookingState, SlotNotBookable
from server.db import read_session
from server.issuance.models import NoticeState
from server.offices.queries import service_by_code
from tests.conftest import Office
from tests.server.auth.colleague import colleague, plain
from tests.server.city import City, Person, moment

MY_NUMBER = "983205673214"  # passes the check digit; nobody's


class Operator:
    """The phone desk with a caller on the line."""

    def __init__(self, city: City, caller: Person) -> None:
        self.city, self.caller = city, caller
        self.desk = colleague(city.office, "denwa")
        self.page = f"/phone/notices/{city.notice(caller).uid}"

    def find(self, number: str) -> TestResponse:
        """Type the number that the caller reads."""
        return self.desk.send("/phone", "/phone/find", number=number)

    def proposed(self, page: str = "") -> str:
        """The time that has the focus."""
        shown = self.desk.get(page or self.page).text
        return str(re.findall(r'class="proposed" autofocus>(\d+:\d+)', shown)[0])

    def hold(self, time: str, **typed: str) -> TestResponse:
        """Keep a place while speaking."""
        slot = str(self.city.slot(time))
        return self.desk.send(self.page, f"{self.page}/hold", **{"slot": slot, "day": "2026-11-30", **typed})

    def held(self, time: str) -> str:
        """The page to read back from."""
        return str(self.hold(time).location)

    def book(self, time: str) -> str:
        """The booking's page."""
        return self.agree(self.held(time))

    def agree(self, read_back: str) -> str:
        """Press 「この内容で予約する」."""
        return str(self.desk.send(read_back, f"{read_back}/book").location)


@pytest.fixture
def operator(sqlite_office: Office) -> Operator:
    """Monday at nine; the caller holds a notice in hand."""
    city = City(sqlite_office)
    return Operator(city, city.person())


def uid_of(page: str) -> UUID:
    """The booking that an address names."""
    return UUID(page.removesuffix("/book").rpartition("/")[2])


@pytest.mark.parametrize("said", ["H1H000001", "h1h-000001", "Ｈ１Ｈ－０００００１", " h1h 000 001 "])
def test_a_notice_is_found_however_its_number_is_typed(operator: Operator, said: str) -> None:
    answer = operator.find(said)
    assert answer.location == operator.page
    assert "交付通知書 H1H-000001" in plain(operator.desk.get(answer.location))


@pytest.mark.parametrize("said", [MY_NUMBER, "9832 0567 3214", "９８３２－０５６７－３２１４", "123456789012"])
def test_twelve_digits_are_refused_with_a_sentence_and_not_shown_again(operator: Operator, said: str) -> None:
    answer = operator.find(said)
    assert answer.status_code == 422
    assert "12桁の番号（マイナンバー）は使いません" in plain(answer)
    assert said not in answer.text


@pytest.mark.parametrize("said", ["", "M1H00001", "M1H\0000001", "x" * 10_000, "A-1"])
def test_what_is_no_notice_number_is_refused_in_place(operator: Operator, said: str) -> None:
    answer = operator.find(said)
    assert answer.status_code == 422
    assert "番号を読み取れません" in plain(answer)


def test_an_unknown_number_is_said_to_be_unknown(operator: Operator) -> None:
    assert "この番号の交付通知書はありません" in plain(operator.find("M1H999999"))


def test_the_next_free_time_has_the_focus(operator: Operator) -> None:
    assert operator.proposed() == "09:15"


def test_a_day_that_is_asked_for_is_shown_with_its_first_free_time(operator: Operator) -> None:
    page = f"{operator.page}?day=2026-12-01"
    assert operator.proposed(page) == "08:30"
    assert "令和8年12月1日（火）" in plain(operator.desk.get(page))


def test_weeks_begin_on_sunday_as_on_the_web(operator: Operator) -> None:
    table = operator.desk.get(operator.page).text.partition("<table>")[2].partition("</table>")[0]
    assert "".join(re.findall(r'<th scope="col">(.)</th>', table)) == "日月火水木金土"
    first_week = re.findall(r"<td>(.*?)</td>", table.split("</tr>")[1], re.DOTALL)
    assert [re.sub(r"<[^>]+>", "", cell).split(" ")[0] for cell in first_week[:2]] == ["", "11/30"]


@pytest.mark.parametrize("day", ["2026-11-29", "2027-11-30", "monday", ""])
def test_a_day_that_cannot_be_booked_leads_to_the_first_that_can(operator: Operator, day: str) -> None:
    assert operator.proposed(f"{operator.page}?day={day}") == "09:15"


def test_the_place_is_held_for_the_phone_while_speaking(operator: Operator) -> None:
    operator.hold("10:00")
    held = operator.city.live(operator.caller)
    assert held is not None
    assert (held.state, held.channel, operator.city.taken("10:00")) == (BookingState.HELD, Channel.PHONE, 1)


def test_what_is_read_aloud_names_day_time_office_papers_and_the_code_in_groups(operator: Operator) -> None:
    read_back = operator.held("10:00")
    code = operator.city.keyring.booking_code(uid_of(read_back)).grouped
    page = plain(operator.desk.get(read_back))
    assert "令和8年11月30日（月） 10時00分 、見本市 本庁で、カードの受け取りのご予約です。" in page
    assert "10時00分までに受付をしてください。" in page
    assert "交付通知書（はがき）" in page
    assert f"予約番号は、 {code} です。" in page
    assert "この時間を 9時10分 まで確保しています" in page


def test_the_booking_that_was_agreed_stands_with_the_code_that_was_read(operator: Operator) -> None:
    read_back = operator.held("10:00")
    done = operator.agree(read_back)
    assert operator.city.state(uid_of(done)) is BookingState.CONFIRMED
    page = plain(operator.desk.get(done))
    assert "予約しました。" in page
    assert operator.city.keyring.booking_code(uid_of(done)).grouped in page


def test_pressing_twice_holds_once_and_books_once(operator: Operator) -> None:
    desk, slot = operator.desk, str(operator.city.slot("10:00"))
    fields = {**desk.form(operator.page, f"{operator.page}/hold"), "slot": slot}
    first, second = (desk.client.post(f"{operator.page}/hold", data=fields).location for _ in range(2))
    assert first == second
    fields = desk.form(first, f"{first}/book")
    done = [desk.client.post(f"{first}/book", data=fields).location for _ in range(2)]
    assert done[0] == done[1]
    assert operator.city.taken("10:00") == 1
    assert operator.city.has_right_counters()


def test_another_time_of_the_same_page_gives_the_first_place_back(operator: Operator) -> None:
    fields = operator.desk.form(operator.page, f"{operator.page}/hold")
    for time in ("10:00", "10:15"):
        slot = str(operator.city.slot(time))
        operator.desk.client.post(f"{operator.page}/hold", data={**fields, "slot": slot})
    assert (operator.city.taken("10:00"), operator.city.taken("10:15")) == (0, 1)


def test_a_place_that_went_away_while_speaking_brings_the_next_one(operator: Operator) -> None:
    fields = {**operator.desk.form(operator.page, f"{operator.page}/hold"), "day": "2026-11-30"}
    fields["slot"] = str(operator.city.slot("14:00"))
    while operator.city.place("14:00").taken < operator.city.place("14:00").bookable:
        operator.city.booked("14:00")
    answer = operator.desk.client.post(f"{operator.page}/hold", data=fields)
    assert answer.status_code == 409
    assert "この時間はいま埋まりました" in plain(answer)
    assert 'class="proposed" autofocus>14:15' in answer.text


def test_after_the_last_time_of_a_day_the_next_day_is_proposed(operator: Operator) -> None:
    fields = {**operator.desk.form(operator.page, f"{operator.page}/hold"), "day": "2026-11-30"}
    fields["slot"] = str(operator.city.slot("17:00"))
    operator.city.set_row(operator.city.place("17:00"), bookable=0)
    answer = operator.desk.client.post(f"{operator.page}/hold", data=fields)
    assert "令和8年12月1日（火）" in plain(answer)
    assert 'class="proposed" autofocus>08:30' in answer.text


def test_a_place_that_was_closed_or_is_nobodys_brings_the_times_again(operator: Operator) -> None:
    operator.city.set_row(operator.city.place("10:00"), closed=True)
    assert "この時間は予約できなくなりました" in plain(operator.hold("10:00"))
    assert operator.hold("10:00", slot="no uuid").status_code == 404
    assert operator.hold("10:00", slot=str(operator.caller.notice).zfill(32)).status_code == 409


def test_a_hold_that_lapsed_is_not_booked(operator: Operator) -> None:
    read_back = operator.held("10:00")
    operator.city.clock.forward(minutes=11)
    assert operator.desk.get(read_back).location == operator.page
    fields = {"csrf_token": operator.desk.token(), "request_id": str(uid_of(read_back))}
    assert operator.desk.client.post(f"{read_back}/book", data=fields).location == operator.page
    assert "仮予約の時間が過ぎました" in plain(operator.desk.get(operator.page))


def test_a_caller_who_does_not_want_the_place_leaves_it_to_others(operator: Operator) -> None:
    read_back = operator.held("10:00")
    assert operator.desk.send(read_back, f"{read_back}/release").location == operator.page
    assert operator.city.taken("10:00") == 0


def test_a_booking_is_moved_and_keeps_its_code(operator: Operator) -> None:
    done = operator.book("10:00")
    code = operator.city.keyring.booking_code(uid_of(done)).grouped
    ask = f"{done}/move?slot={operator.city.slot('11:00')}&day=2026-11-30"
    assert "まだ確保していません" in plain(operator.desk.get(ask))
    moved = operator.desk.send(ask, f"{done}/move")
    page = plain(operator.desk.get(moved.location))
    assert "日時を変更しました" in page
    assert "11時00分 、" in page
    assert code in page
    assert (operator.city.taken("10:00"), operator.city.taken("11:00")) == (0, 1)


def test_the_old_time_stays_when_the_new_one_went_away(operator: Operator) -> None:
    done = operator.book("10:00")
    ask = f"{done}/move?slot={operator.city.slot('11:00')}&day=2026-11-30"
    fields = operator.desk.form(ask, f"{done}/move")
    operator.city.set_row(operator.city.place("11:00"), bookable=0)
    answer = operator.desk.client.post(f"{done}/move", data=fields)
    assert 'class="proposed" autofocus>11:15' in answer.text
    assert operator.city.taken("10:00") == 1
    assert operator.desk.get(ask).status_code == 409


def test_the_booked_time_itself_is_not_proposed_for_a_move(operator: Operator) -> None:
    operator.book("09:15")
    page = f"{operator.page}?move=1"
    assert operator.proposed(page) == "09:30"
    assert "09:15 いまの予約" in plain(operator.desk.get(page))


def test_a_booking_is_cancelled_after_asking_with_the_focus_on_keeping_it(operator: Operator) -> None:
    done = operator.book("10:00")
    asked = operator.desk.get(f"{done}/cancel")
    assert re.search(r"autofocus>予約を残す", asked.text)
    cancelled = operator.desk.send(f"{done}/cancel", f"{done}/cancel")
    assert "予約を取り消しました" in plain(operator.desk.get(cancelled.location))
    assert operator.city.state(uid_of(done)) is BookingState.CANCELLED


def test_a_visit_that_has_begun_is_neither_moved_nor_cancelled(operator: Operator) -> None:
    done = operator.book("10:00")
    ask = f"{done}/move?slot={operator.city.slot('11:00')}&day=2026-11-30"
    forms = {path: operator.desk.form(on, path) for on, path in ((ask, f"{done}/move"), (f"{done}/cancel",) * 2)}
    operator.city.scan(operator.city.code(uid_of(done)))
    for path, fields in forms.items():
        operator.desk.client.post(path, data=fields)
        assert "変更・取消はできません" in plain(operator.desk.get(operator.page))
    assert "来庁受付が済んでいます" in plain(operator.desk.get(operator.page))


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (NoticeState.PREPARING, "まだ予約できません"),
        (NoticeState.STOPPED, "交付取止めです"),
        (NoticeState.HANDED_OVER, "交付済です"),
        (NoticeState.BY_MAIL, "後日郵送します"),
    ],
)
def test_only_a_notice_that_is_ready_is_booked(operator: Operator, state: NoticeState, sentence: str) -> None:
    fields = operator.desk.form(operator.page, f"{operator.page}/hold")
    operator.city.set_row(operator.city.notice(operator.caller), state=state)
    page = operator.desk.get(operator.page)
    assert sentence in plain(page)
    assert 'name="slot"' not in page.text
    fields["slot"] = str(operator.city.slot("10:00"))
    operator.desk.client.post(f"{operator.page}/hold", data=fields)
    assert operator.city.taken("10:00") == 0


def test_a_booking_belongs_to_its_notice_only(operator: Operator) -> None:
    _, strangers = operator.city.booked("10:00")
    for way in ("", "/cancel", f"/move?slot={operator.city.slot('11:00')}"):
        assert operator.desk.get(f"{operator.page}/bookings/{strangers}{way}").status_code == 404
    fields = {"csrf_token": operator.desk.token(), "request_id": str(strangers)}
    assert operator.desk.client.post(f"{operator.page}/bookings/{strangers}/cancel", data=fields).status_code == 404
    assert operator.city.state(strangers) is BookingState.CONFIRMED


def test_a_resident_who_books_on_the_web_meanwhile_is_seen(operator: Operator) -> None:
    operator.city.hold(operator.caller, "10:00")
    assert "9時10分まで仮予約しています。（ウェブで入力中です。）" in plain(operator.desk.get(operator.page))
    operator.hold("11:00")
    assert (operator.city.taken("10:00"), operator.city.taken("11:00")) == (0, 1)


def test_no_address_holds_a_number_or_a_code(operator: Operator) -> None:
    done = operator.book("10:00")
    for address in (operator.find("H1H000001").location, done):
        assert "H1H" not in address
        assert codes.Kind.BOOKING.value + "-" not in address


def test_the_whole_call_on_each_kind_of_database(office: Office) -> None:
    city = City(office)
    operator = Operator(city, city.person())
    done = operator.book("10:00")
    ask = f"{done}/move?slot={city.slot('11:00')}&day=2026-11-30"
    moved = operator.desk.send(ask, f"{done}/move").location
    operator.desk.send(f"{moved}/cancel", f"{moved}/cancel")
    assert city.state(uid_of(done)) is BookingState.CANCELLED
    assert city.has_right_counters()


class TestFamily:
    """Several notices on the line at once."""

    def join(self, operator: Operator, sibling: Person, page: str = "") -> TestResponse:
        """Type another number."""
        return operator.desk.send(page or operator.page, f"{operator.page}/party", number=sibling.sticker.number)

    def test_two_are_booked_together_and_one_stays_away(self, operator: Operator) -> None:
        city, sibling = operator.city, operator.city.person()
        page = self.join(operator, sibling).location
        assert "2人分を一緒に予約（H1H-000001、H1H-000002）" in plain(operator.desk.get(page))
        held = operator.desk.send(page, f"{operator.page}/hold", slot=str(city.slot("10:00")), day="2026-11-30")
        done = operator.agree(str(held.location))
        assert (city.taken("10:00"), city.taken("10:15")) == (1, 1)
        assert "2人分" in plain(operator.desk.get(operator.page))
        operator.desk.send(f"{done}/cancel", f"{done}/leave")
        assert "この方の分だけ予約を取り消しました" in plain(operator.desk.get(operator.page))
        assert (city.live(operator.caller), city.taken("10:00"), city.taken("10:15")) == (None, 1, 0)
        assert city.booking(uid_of(done)).state is BookingState.CONFIRMED

    def test_only_times_at_which_both_fit_can_be_chosen(self, operator: Operator) -> None:
        page = self.join(operator, operator.city.person()).location
        operator.city.set_row(operator.city.place("09:15"), bookable=0)
        assert operator.proposed(page) == "09:30"

    def test_who_cannot_be_added_is_refused_with_the_reason(self, operator: Operator) -> None:
        city = operator.city
        booked, _ = city.booked("11:00")
        stopped = city.person()
        city.set_row(city.notice(stopped), state=NoticeState.STOPPED)
        for somebody, why in (
            (booked, "すでに予約がある方"),
            (stopped, "カードの準備ができていない方"),
            (city.person(site="kita"), "カードの保管場所"),
            (operator.caller, "すでに加えた番号"),
        ):
            answer = self.join(operator, somebody)
            assert (answer.status_code, why in plain(answer)) == (409, True), why
        answer = operator.desk.send(operator.page, f"{operator.page}/party", number=MY_NUMBER)
        assert "マイナンバー" in plain(answer)
        assert operator.desk.get(f"{operator.page}?with=nobody").status_code == 404


class TestOverbooking:
    """枠を超えて受ける: a second step for officials, with a reason."""

    @pytest.fixture
    def official(self, operator: Operator) -> Operator:
        """A clerk has taken the telephone; ten o'clock is full."""
        operator.desk = colleague(operator.city.office, "madoguchi3")
        operator.city.set_row(operator.city.place("10:00"), bookable=0)
        return operator

    def beyond(self, official: Operator, **typed: str) -> TestResponse:
        """Choose ten o'clock, and why."""
        page = f"{official.page}/overbook"
        slot = str(official.city.slot("10:00"))
        return official.desk.send(f"{page}?day=2026-11-30", page, **{"slot": slot, "reason": "far_away", **typed})

    def test_a_full_time_is_held_read_back_and_booked_and_the_reason_kept(self, official: Operator) -> None:
        assert "枠を超えて受ける（理由を選ぶ）" in plain(official.desk.get(official.page))
        done = official.agree(str(self.beyond(official).location))
        assert official.city.state(uid_of(done)) is BookingState.CONFIRMED
        place = official.city.place("10:00")
        assert (place.taken, place.extra, place.phone_taken) == (1, 1, 0)
        entry = next(e for e in newest_entries(read_session(), 9) if e.verb == "booking.overbook")
        assert (entry.actor, entry.facts["reason"]) == (f"staff:{official.city.clerk('madoguchi3')}", "far_away")

    @pytest.mark.parametrize("typed", [{"reason": ""}, {"reason": "because"}, {"slot": ""}])
    def test_without_a_time_or_one_of_the_reasons_nothing_is_held(
        self, official: Operator, typed: dict[str, str]
    ) -> None:
        answer = self.beyond(official, **typed)
        assert (answer.status_code, "時刻と理由を選んでください" in plain(answer)) == (422, True)
        assert official.city.taken("10:00") == 0

    def test_a_closed_time_stays_closed(self, official: Operator) -> None:
        form = official.desk.form(f"{official.page}/overbook?day=2026-11-30", f"{official.page}/overbook")
        official.city.set_row(official.city.place("10:00"), closed=True)
        fields = {**form, "slot": str(official.city.slot("10:00")), "reason": "welfare"}
        assert official.desk.client.post(f"{official.page}/overbook", data=fields).status_code == 409

    def test_a_family_is_taken_beyond_the_places_together(self, official: Operator) -> None:
        city, sibling = official.city, official.city.person()
        page = f"{official.page}/overbook"
        asked = f"{page}?day=2026-11-30&with={city.notice(sibling).uid}"
        official.desk.send(asked, page, slot=str(city.slot("10:00")), reason="family_together")
        assert (city.place("10:00").extra, city.taken("10:15")) == (1, 1)

    def test_the_call_centre_is_neither_offered_it_nor_let_in(self, operator: Operator) -> None:
        assert "枠を超えて" not in plain(operator.desk.get(operator.page))
        assert operator.desk.get(f"{operator.page}/overbook").status_code == 403
        fields = {**operator.desk.form(operator.page, f"{operator.page}/hold"), "reason": "welfare"}
        fields["slot"] = str(operator.city.slot("10:00"))
        operator.city.set_row(operator.city.place("10:00"), bookable=0)
        assert operator.desk.client.post(f"{operator.page}/overbook", data=fields).status_code == 403
        assert operator.desk.client.post(f"{operator.page}/hold", data=fields).status_code == 409
        assert operator.city.taken("10:00") == 0

    def test_a_booking_is_moved_beyond_the_places_with_its_reason_and_keeps_its_code(self, official: Operator) -> None:
        city = official.city
        _, booking = city.booked("14:00", person=official.caller)
        page = f"{official.page}/overbook"
        assert f"{page}?day=2026-11-30&amp;move=1" in official.desk.get(f"{official.page}?move=1").text
        asked = official.desk.get(f"{page}?day=2026-11-30&move=1")
        assert "令和8年11月30日（月） 14時00分）を、選んだ時刻に変更します" in plain(asked)
        slot = str(city.slot("10:00"))
        done = official.desk.send(f"{page}?day=2026-11-30&move=1", page, slot=slot, reason="office_fault")

        assert done.location == f"{official.page}/bookings/{booking}"
        assert (city.taken("14:00"), city.taken("10:00"), city.place("10:00").extra) == (0, 1, 1)
        entry = next(e for e in newest_entries(read_session(), 9) if e.verb == "booking.overbook")
        assert (entry.subject_uid, entry.facts["reason"]) == (booking, "office_fault")


class TestAssigned:
    """来庁期間・日時: officials say when somebody is asked to come."""

    @pytest.fixture
    def official(self, operator: Operator) -> Operator:
        """A clerk has taken the telephone."""
        operator.desk = colleague(operator.city.office, "madoguchi3")
        return operator

    def assign(self, official: Operator, **typed: str) -> TestResponse:
        """Send the form."""
        page = f"{official.page}/assigned"
        return official.desk.send(page, page, **{"first": "", "last": "", "at": "", **typed})

    def test_days_and_a_time_are_set_shown_cleared_and_audited(self, official: Operator) -> None:
        city = official.city
        self.assign(official, first="2026-12-01", last="2026-12-11")
        assert "令和8年12月1日（火）〜令和8年12月11日（金）" in plain(official.desk.get(official.page))
        with pytest.raises(SlotNotBookable) as refused:
            city.hold(official.caller, "10:00")
        assert refused.value.facts == {"reason": "period"}

        self.assign(official, at="2026-12-02T10:30")
        assert "令和8年12月2日（水） 10時30分" in plain(official.desk.get(official.page))
        assert 'value="2026-12-02T10:30"' in official.desk.get(f"{official.page}/assigned").text
        assert city.notice(official.caller).assigned_at == moment("10:30", date(2026, 12, 2))

        self.assign(official)
        assert "指定なし" in plain(official.desk.get(official.page))
        read_session().rollback()
        entries = [e for e in newest_entries(read_session(), 30) if e.verb == "notice.assign"]
        assert len(entries) == 3
        assert {e.actor for e in entries} == {f"staff:{city.clerk('madoguchi3')}"}
        assert entries[2].facts == {"first": "2026-12-01", "last": "2026-12-11", "at": None}

    @pytest.mark.parametrize(
        "typed",
        [
            {"first": "2026-12-11", "last": "2026-12-01"},
            {"first": "2026-12-01", "at": "2026-12-02T10:30"},
            {"first": "20261-12-01"},
            {"last": "2100-01-01"},
            {"at": "tomorrow"},
            {"at": "2026-12-02T10:30+00:00"},
        ],
    )
    def test_what_cannot_be_meant_changes_nothing(self, official: Operator, typed: dict[str, str]) -> None:
        self.assign(official, first="2026-12-01")
        page = self.assign(official, **typed)
        assert (page.status_code, "どちらか一方" in plain(page)) == (422, True)
        assert official.city.notice(official.caller).assigned_from == date(2026, 12, 1)

    def test_the_call_centre_sees_it_and_does_not_change_it(self, operator: Operator) -> None:
        assert "指定なし" in plain(operator.desk.get(operator.page))
        assert operator.desk.get(f"{operator.page}/assigned").status_code == 403


def test_the_phone_desk_sees_which_service_has_a_legal_deadline(operator: Operator) -> None:
    assert "法定の期限あり" not in plain(operator.desk.get(operator.page))
    operator.city.set_row(service_by_code(read_session(), operator.city.here, "pickup"), legal_deadline=True)
    assert "法定の期限あり" in plain(operator.desk.get(operator.page))
