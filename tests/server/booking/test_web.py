"""The residents' pages, as a browser without scripts sees them."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from madoguchi import codes
from server import create_app
from server.booking.models import Booking, Slot
from server.booking.queries import booking_by_uid, live_booking_of
from server.booking.rules import BookingState
from server.booking.service import check_in_booking, locked_booking
from server.db import read_session, transaction
from server.issuance.models import Notice, NoticeState
from server.issuance.service import Sticker, find_by_number
from server.sample import new_notice, open_around_the_clock
from tests.conftest import Browser, Office, settings_for
from tests.fakes import MONDAY_NINE

TUESDAY = "/book/2026-12-01"
MY_NUMBER = "983205673214"  # passes the check digit; nobody's
WRONG = "ACDE2345"


class Forms(HTMLParser):
    """The fields that each form of a page would send untouched, by the form's address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.by_action: dict[str, dict[str, str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Forms and hidden fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.by_action[given["action"]] = {}
        elif tag == "input" and given.get("type") == "hidden":
            list(self.by_action.values())[-1][given["name"]] = given["value"]


class Resident:
    """Somebody with a browser."""

    def __init__(self, office: Office, client: FlaskClient | None = None) -> None:
        self.office = office
        self.client = client or office.client()

    def get(self, path: str) -> TestResponse:
        """A page."""
        return self.client.get(path)

    def send(self, on: str, action: str, **fields: str) -> TestResponse:
        """Fill in the form of the page `on` that goes to `action`."""
        return self.post(action, {**Forms(self.get(on).text).by_action[action], **fields})

    def post(self, action: str, fields: dict[str, str]) -> TestResponse:
        """Send fields."""
        return self.client.post(action, data=fields)

    def sign_in(self, sticker: Sticker) -> TestResponse:
        """With the words on a sticker."""
        words = {"credential_id": sticker.credential_id, "password": sticker.password}
        return self.send("/", "/sign-in", **words)

    def slots(self, page: str = TUESDAY) -> list[str]:
        """The times of a day that can be chosen."""
        shown = self.get(page).text
        return re.findall(r'name="slot" value="([^"]+)" required>', shown)

    def hold(self, nth: int = 0) -> str:
        """Choose a time of Tuesday; gives the page on which to confirm it."""
        return str(self.send(TUESDAY, "/book/hold", slot=self.slots()[nth]).location)

    def book(self, nth: int = 0) -> str:
        """Book a time of Tuesday; gives the booking's page."""
        confirm = self.hold(nth)
        return str(self.send(confirm, confirm).location)


@pytest.fixture
def sticker(sqlite_office: Office) -> Sticker:
    """The sticker of a notice that waits to be booked."""
    return new_notice(sqlite_office.keyring, "honcho", MONDAY_NINE)


@pytest.fixture
def visitor(sqlite_office: Office) -> Resident:
    """Somebody who has not signed in."""
    return Resident(sqlite_office)


@pytest.fixture
def resident(visitor: Resident, sticker: Sticker) -> Resident:
    """Somebody who has signed in with that sticker."""
    visitor.sign_in(sticker)
    return visitor


def notice_of(office: Office, sticker: Sticker) -> Notice:
    """The notice a sticker was made for."""
    read_session().rollback()
    return find_by_number(office.keyring, read_session(), sticker.number)


def booking_of(office: Office, sticker: Sticker) -> Booking:
    """The booking of that notice."""
    booking = live_booking_of(read_session(), notice_of(office, sticker).id, office.clock.now())
    assert booking is not None
    return booking


def plain(page: TestResponse) -> str:
    """What a person reads."""
    body = page.text.partition("<body")[2].partition(">")[2]
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def focused(page: TestResponse) -> tuple[str, str]:
    """The name of the field that has the focus from the start, and what describes it."""
    field = next((tag for tag in re.findall(r"<input [^>]*>", page.text) if " autofocus" in tag), "")
    found = [re.search(rf'{attribute}="([^"]*)"', field) for attribute in ("name", "aria-describedby")]
    return found[0][1] if found[0] else "", found[1][1] if found[1] else ""


class TestSigningIn:
    def test_the_first_page_says_what_to_enter_what_never_and_whom_to_phone(self, visitor: Resident) -> None:
        page = plain(visitor.get("/"))
        assert "シール（または案内）に書かれた予約IDとパスワード" in page
        assert "マイナンバー（個人番号）と、カードの暗証番号は入力しないでください" in page
        assert "0120-000-000" in page

    @pytest.mark.parametrize(
        "typed", [str.upper, str.lower, lambda w: f" {w[:4]} {w[4:]} ", lambda w: f"{w[:4]}　-　{w[4:]}"]
    )
    def test_case_and_spaces_of_the_stickers_words_do_not_matter(
        self, visitor: Resident, sticker: Sticker, typed: Callable[[str], str]
    ) -> None:
        words = {"credential_id": typed(sticker.credential_id), "password": typed(sticker.password)}
        answer = visitor.send("/", "/sign-in", **words)
        assert (answer.status_code, answer.location) == (303, "/book")

    def test_a_wrong_password_and_an_unknown_id_look_alike(self, visitor: Resident, sticker: Sticker) -> None:
        wrong = visitor.send("/", "/sign-in", credential_id=sticker.credential_id, password=WRONG)
        unknown = visitor.send("/", "/sign-in", credential_id="ZZZZZZ", password=WRONG)
        assert wrong.status_code == unknown.status_code == 403
        assert plain(wrong) == plain(unknown)
        assert "予約IDまたはパスワードが正しくありません" in plain(wrong)

    def test_after_five_wrong_passwords_the_page_says_until_when_and_whom_to_phone(
        self, visitor: Resident, sticker: Sticker
    ) -> None:
        for _ in range(5):
            visitor.send("/", "/sign-in", credential_id=sticker.credential_id, password=WRONG)
        answer = visitor.sign_in(sticker)
        assert answer.status_code == 409
        assert "9時15分まで（15分間）" in plain(answer)
        assert "（0120-000-000　開庁日の8時30分から17時15分まで）" in plain(answer)

    def test_an_office_that_is_open_all_day_says_so(
        self, visitor: Resident, sticker: Sticker, sqlite_office: Office
    ) -> None:
        open_around_the_clock(date(2026, 11, 30), 1, sqlite_office.clock.now())
        for _ in range(5):
            visitor.send("/", "/sign-in", credential_id=sticker.credential_id, password=WRONG)
        assert "（0120-000-000　終日）" in plain(visitor.sign_in(sticker))

    def test_after_a_refusal_the_field_to_type_in_has_the_focus_and_says_why(
        self, visitor: Resident, sticker: Sticker
    ) -> None:
        wrong = visitor.send("/", "/sign-in", credential_id=sticker.credential_id, password=WRONG)
        assert focused(wrong) == ("password", "wrong how never")
        refused = visitor.send("/", "/sign-in", credential_id=MY_NUMBER, password=WRONG)
        assert focused(refused) == ("credential_id", "wrong how never")
        assert focused(visitor.get("/")) == ("", "")

    @pytest.mark.parametrize("field", ["credential_id", "password"])
    def test_what_may_be_a_my_number_is_refused_and_not_shown_again(self, visitor: Resident, field: str) -> None:
        words = {"credential_id": "ABC234", "password": WRONG, field: f"{MY_NUMBER[:4]} {MY_NUMBER[4:]}"}
        answer = visitor.send("/", "/sign-in", **words)
        assert answer.status_code == 422
        assert "マイナンバー（個人番号）と思われる番号" in plain(answer)
        assert MY_NUMBER[4:] not in answer.text

    @pytest.mark.parametrize("word", ["", "A" * 10_000, "ABC\x00234", "\ud800".encode("utf-16", "surrogatepass").hex()])
    def test_what_cannot_be_a_stickers_word_is_simply_wrong(self, visitor: Resident, word: str) -> None:
        answer = visitor.send("/", "/sign-in", credential_id=word, password=word)
        assert answer.status_code == 403
        assert "A" * 50 not in answer.text

    def test_the_eleventh_try_in_a_minute_waits(self, sqlite_office: Office) -> None:
        url = sqlite_office.settings.database_url
        app = create_app(settings_for(url, rate_limits=True), sqlite_office.clock)
        visitor = Resident(sqlite_office, Browser(app, app.response_class))
        words = {"credential_id": "ZZZZZZ", "password": WRONG}
        tries = [visitor.send("/", "/sign-in", **words) for _ in range(11)]
        assert [t.status_code for t in tries] == [403] * 5 + [409] * 5 + [429]
        assert "1分ほど待ってから" in plain(tries[-1])

    def test_signing_in_with_another_sticker_forgets_the_former(
        self, resident: Resident, sqlite_office: Office
    ) -> None:
        confirm = resident.hold()
        resident.sign_in(new_notice(sqlite_office.keyring, "kita", MONDAY_NINE))
        assert resident.get(confirm).status_code == 404
        assert "見本市 北支所" in plain(resident.get("/book"))

    def test_after_half_an_hour_the_page_asks_to_sign_in_again(self, resident: Resident, sqlite_office: Office) -> None:
        sqlite_office.clock.forward(minutes=31)
        assert resident.get("/book").location == "/?expired=1"
        assert "もう一度ログインしてください" in plain(resident.get("/?expired=1"))

    def test_choosing_a_time_begins_the_half_hour_again(self, resident: Resident, sqlite_office: Office) -> None:
        sqlite_office.clock.forward(minutes=29)
        confirm = resident.hold()
        sqlite_office.clock.forward(minutes=9)
        assert resident.get(confirm).status_code == 200

    def test_after_signing_out_nothing_is_shown(self, resident: Resident) -> None:
        assert resident.send("/book", "/sign-out").location == "/"
        assert resident.get("/book").location == "/?wanted=1"


class TestTheStickersLink:
    def test_it_fills_in_the_booking_id_and_tells_nothing_else(self, visitor: Resident, sticker: Sticker) -> None:
        page = visitor.get(f"/b/{sticker.scan_code}")
        assert f'value="{sticker.credential_id}"' in page.text
        assert sticker.number not in page.text
        assert "カードの受け取り" not in page.text

    @pytest.mark.parametrize(
        "scan_code",
        [codes.from_bits(codes.Kind.NOTICE, bytes(7)).text, "N8MRDM9XBVGA", "B7K3F9QXMC", MY_NUMBER, "あ", "x" * 900],
    )
    def test_what_is_no_code_of_ours_shows_the_empty_form(self, visitor: Resident, scan_code: str) -> None:
        page = visitor.get(f"/b/{scan_code}")
        assert page.status_code == 200
        assert "コードから予約IDを読み取れませんでした" in plain(page)
        assert 'name="credential_id" value=""' in page.text
        assert scan_code not in plain(page)


class TestLanguage:
    def test_it_stays_chosen_through_signing_in(self, visitor: Resident, sticker: Sticker) -> None:
        assert visitor.send("/", "/language", lang="en").location == "/"
        visitor.sign_in(sticker)
        assert "Choose a day" in plain(visitor.get("/book"))

    def test_the_page_on_which_it_is_chosen_comes_again(self, resident: Resident) -> None:
        answer = resident.send(f"{TUESDAY}?said=full", "/language", lang="en")
        assert answer.location == f"{TUESDAY}?said=full"

    @pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "", "/\r\nX: y"])
    def test_it_leads_to_no_other_site(self, visitor: Resident, elsewhere: str) -> None:
        assert visitor.send("/", "/language", lang="en", next=elsewhere).location == "/"

    def test_the_browsers_own_language_is_spoken_first(self, visitor: Resident) -> None:
        page = visitor.client.get("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
        assert '<html lang="en" ' in page.text


class TestChoosing:
    def test_days_begin_today_and_say_their_state_in_words(self, resident: Resident) -> None:
        page = plain(resident.get("/book"))
        assert page.index("令和8年11月") < page.index("11月 30 日（月） ○ 空きあり")
        assert "12月 5 日（土） － 受付していません" in page
        assert "11月 29" not in page
        assert "1月 14 日（木）" in page
        assert "1月 15 日" not in page

    def test_few_and_full_have_their_own_mark_and_a_full_day_leads_nowhere(self, resident: Resident) -> None:
        with transaction() as tx:
            days = tx.session.query(Slot).filter(Slot.business_date.between("2026-12-01", "2026-12-02"))
            for slot in days.order_by(Slot.starts_at):
                slot.bookable = 1 if str(slot.business_date) == "2026-12-02" and slot.starts_at.hour == 0 else 0
        page = resident.get("/book")
        assert "12月 1 日（火） × 満席" in plain(page)
        assert "12月 2 日（水） △ 残りわずか" in plain(page)
        assert f'href="{TUESDAY}"' not in page.text

    def test_times_say_their_state_in_words_and_full_ones_cannot_be_chosen(self, resident: Resident) -> None:
        slots = resident.slots()
        with transaction() as tx:
            for bookable, uid in enumerate(slots[:2]):
                tx.session.query(Slot).filter(Slot.uid == UUID(uid)).update({"bookable": bookable})
        page = resident.get(TUESDAY)
        assert "8時30分 × 満席 8時45分 △ 残りわずか 9時00分 ○ 空きあり" in plain(page)
        assert page.text.count("disabled") == 1

    def test_a_day_leads_to_the_open_days_before_and_after_it(self, resident: Resident) -> None:
        page = resident.get("/book/2026-12-04").text
        assert 'href="/book/2026-12-03" rel="prev"' in page
        assert 'href="/book/2026-12-07" rel="next"' in page

    @pytest.mark.parametrize(
        ("day", "why"),
        [
            ("2027-01-15", "この日の予約は令和8年12月1日（火）から受け付けます"),
            ("2026-11-27", "この日の予約は締め切りました"),
            ("2026-12-05", "この日は受付していません"),
        ],
    )
    def test_a_day_that_is_not_offered_says_why(self, resident: Resident, day: str, why: str) -> None:
        assert why in plain(resident.get(f"/book/{day}"))

    @pytest.mark.parametrize(
        "day", ["tomorrow", "2026-13-01", "20261201", "2026-W49-2", "２０２６-12-01", "0000-00-00"]
    )
    def test_what_is_no_day_is_not_found(self, resident: Resident, day: str) -> None:
        assert resident.get(f"/book/{day}").status_code == 404

    @pytest.mark.parametrize(
        ("state", "sentence"),
        [(NoticeState.PREPARING, "カードの準備中です"), (NoticeState.HANDED_OVER, "ただいま予約できません")],
    )
    def test_without_a_card_that_is_ready_no_day_is_offered(
        self, resident: Resident, sticker: Sticker, state: NoticeState, sentence: str
    ) -> None:
        with transaction() as tx:
            tx.session.query(Notice).filter(Notice.number == sticker.number).update({"state": state})
        for page in ("/book", TUESDAY):
            assert sentence in plain(resident.get(page))


class TestBooking:
    @pytest.mark.journey
    def test_the_whole_way_ends_with_the_booking_code(self, office: Office) -> None:
        sticker = new_notice(office.keyring, "honcho", MONDAY_NINE)
        resident = Resident(office)
        resident.sign_in(sticker)
        assert resident.book(2) == "/book/done?said=booked"
        page = plain(resident.get("/book/done"))
        code = office.keyring.booking_code(booking_of(office, sticker).uid)
        assert code.grouped in page
        assert "日にち 令和8年12月1日（火）" in page
        assert "9時00分までに受付をしてください" in page
        assert "交付通知書（はがき）" in page

    def test_the_page_to_confirm_says_how_long_the_time_is_kept(
        self, resident: Resident, sqlite_office: Office
    ) -> None:
        confirm = resident.hold()
        sqlite_office.clock.forward(minutes=3, seconds=1)
        page = plain(resident.get(confirm))
        assert "この時間を7分間仮押さえしています。" in page
        assert "9時10分を過ぎると" in page

    def test_sent_twice_a_form_does_its_work_once(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        choice = {**Forms(resident.get(TUESDAY).text).by_action["/book/hold"], "slot": resident.slots()[0]}
        held = [resident.post("/book/hold", choice).location for _ in range(2)]
        fields = Forms(resident.get(held[0]).text).by_action[held[0]]
        done = [resident.post(held[0], fields).location for _ in range(2)]
        assert held[0] == held[1]
        assert done == ["/book/done?said=booked"] * 2
        assert booking_of(sqlite_office, sticker).state is BookingState.CONFIRMED

    def test_booked_already_from_another_page_of_theirs_shows_the_booking(self, resident: Resident) -> None:
        confirm = resident.hold()
        first, second = (Forms(resident.get(confirm).text).by_action[confirm] for _ in range(2))
        resident.post(confirm, first)
        assert resident.post(confirm, second).location == "/book"
        assert resident.get("/book").location == "/book/done"
        assert resident.get(confirm).location == "/book"
        assert resident.get(TUESDAY).location == "/book/done"

    def test_a_time_that_has_become_full_leads_back_to_the_day(self, resident: Resident) -> None:
        fields = {**Forms(resident.get(TUESDAY).text).by_action["/book/hold"], "slot": resident.slots()[0]}
        with transaction() as tx:
            tx.session.query(Slot).filter(Slot.business_date == "2026-12-01").update({"bookable": 0})
        answer = resident.post("/book/hold", fields)
        assert answer.location == f"{TUESDAY}?said=full"
        assert "この時間は予約がいっぱいになりました" in plain(resident.get(answer.location))

    def test_a_page_used_for_two_times_asks_again(self, resident: Resident) -> None:
        fields = Forms(resident.get(TUESDAY).text).by_action["/book/hold"]
        one, other = resident.slots()[:2]
        resident.post("/book/hold", {**fields, "slot": one})
        answer = resident.post("/book/hold", {**fields, "slot": other})
        assert answer.location == f"{TUESDAY}?said=again"

    def test_a_hold_that_is_over_says_so_and_leads_back(self, resident: Resident, sqlite_office: Office) -> None:
        confirm = resident.hold()
        fields = Forms(resident.get(confirm).text).by_action[confirm]
        sqlite_office.clock.forward(minutes=11)
        for answer in (resident.get(confirm), resident.post(confirm, fields)):
            assert answer.status_code == 409
            assert "仮押さえは終わりました" in plain(answer)
            assert f'href="{TUESDAY}"' in answer.text

    def test_a_hold_that_runs_can_be_gone_on_with(self, resident: Resident) -> None:
        confirm = resident.hold()
        page = resident.get("/book")
        assert "令和8年12月1日（火） 8時30分を仮押さえしています。" in plain(page)
        assert f'href="{confirm}"' in page.text

    def test_somebody_elses_booking_is_not_found(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book()
        uid = str(booking_of(sqlite_office, sticker).uid)
        other = Resident(sqlite_office)
        other.sign_in(new_notice(sqlite_office.keyring, "honcho", MONDAY_NINE))
        own = Forms(other.get("/book").text).by_action["/sign-out"] | {"request_id": str(uuid4())}
        assert other.get(f"/book/confirm/{uid}").status_code == 404
        assert other.post(f"/book/confirm/{uid}", own).status_code == 404
        assert other.post("/book/cancel", {**own, "booking": uid}).status_code == 404
        assert other.get("/book/booking.ics").status_code == 404

    @pytest.mark.parametrize("uid", ["1", "done", "6b1f0c3e-7a35-4c0b-9d55-0e3d1f8a2c47", "x" * 10_000, "%00"])
    def test_what_is_no_booking_is_not_found(self, resident: Resident, uid: str) -> None:
        assert resident.get(f"/book/confirm/{uid}").status_code == 404

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"slot": "no-uuid"}, 404),
            ({"slot": str(uuid4())}, 404),
            ({"request_id": ""}, 422),
            ({"request_id": "'; --"}, 422),
            ({"request_id": "a" * 10_000}, 422),
            ({"csrf_token": ""}, 400),
        ],
    )
    def test_what_cannot_be_meant_is_refused_with_a_sentence(
        self, resident: Resident, change: dict[str, str], status: int
    ) -> None:
        fields = {**Forms(resident.get(TUESDAY).text).by_action["/book/hold"], "slot": resident.slots()[0]}
        answer = resident.post("/book/hold", {**fields, **change})
        assert answer.status_code == status
        assert "ご確認ください" in plain(answer)
        assert "予約のページへ進む" in plain(answer)

    def test_without_signing_in_every_page_leads_to_the_first(self, visitor: Resident) -> None:
        for page in ("/book", TUESDAY, "/book/done", "/book/change", "/book/cancel", "/book/booking.ics"):
            assert visitor.get(page).location == "/?wanted=1"
        assert "はじめに、予約IDとパスワードでログインしてください" in plain(visitor.get("/?wanted=1"))


class TestTheBooking:
    def test_its_code_is_drawn_with_a_quiet_zone_and_no_style(self, resident: Resident) -> None:
        resident.book()
        picture = re.search(
            r'class="picture" role="img" aria-label="[^"]+">(<svg .*?</svg>)', resident.get("/book/done").text
        )
        assert picture is not None
        assert 'viewBox="0 0 29 29"' in picture[1]  # 21 modules and four of quiet on each side
        assert "style" not in picture[1]

    def test_the_calendar_file_tells_time_and_place_and_nothing_that_opens_a_door(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book()
        file = resident.get("/book/booking.ics")
        text = file.text.replace("\r\n ", "")
        assert file.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert "DTSTART;TZID=Asia/Tokyo:20261201T083000" in text
        assert "LOCATION:見本市 本庁" in text
        uid = booking_of(sqlite_office, sticker).uid
        code = sqlite_office.keyring.booking_code(uid)
        assert all(s not in text for s in (code.text, code.grouped, sticker.number, sticker.credential_id))

    def test_the_calendar_file_speaks_the_language_in_which_one_signed_in(
        self, visitor: Resident, sticker: Sticker
    ) -> None:
        english = {"Accept-Language": "en-GB,en;q=0.9"}
        form = Forms(visitor.client.get("/", headers=english).text).by_action["/sign-in"]
        words = {**form, "credential_id": sticker.credential_id, "password": sticker.password}
        visitor.client.post("/sign-in", data=words, headers=english)
        visitor.book()
        # A calendar fetches the file by itself and names no language.
        text = visitor.get("/book/booking.ics").text.replace("\r\n ", "")
        assert "PRODID:-//Madoguchi//Booking//EN" in text
        assert "LOCATION:Mihon City Hall" in text
        assert "SUMMARY:Booking at the counter (" in text
        assert "Please check in by 8:30." in text
        assert all(letter < "\u3000" for letter in text)

    def test_a_change_keeps_the_code_and_gives_the_old_time_back(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book(0)
        before = booking_of(sqlite_office, sticker)
        uid, old = before.uid, before.uses[0].slot_id
        slot = resident.slots("/book/change/2026-12-02")[3]
        answer = resident.send("/book/change/2026-12-02", "/book/move", slot=slot)
        assert answer.location == "/book/done?said=moved"
        assert "日にち 令和8年12月2日（水） 時刻 9時15分" in plain(resident.get(answer.location))
        assert booking_of(sqlite_office, sticker).uid == uid
        assert read_session().get_one(Slot, old).taken == 0

    def test_a_change_to_a_time_that_has_become_full_keeps_the_booking(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book(0)
        before = booking_of(sqlite_office, sticker).starts_at
        fields = Forms(resident.get("/book/change/2026-12-02").text).by_action["/book/move"]
        slot = resident.slots("/book/change/2026-12-02")[0]
        with transaction() as tx:
            tx.session.query(Slot).filter(Slot.business_date == "2026-12-02").update({"bookable": 0})
        answer = resident.post("/book/move", {**fields, "slot": slot})
        assert answer.location == "/book/change/2026-12-02?said=full"
        assert booking_of(sqlite_office, sticker).starts_at == before

    def test_the_time_that_is_booked_is_marked_while_changing(self, resident: Resident) -> None:
        resident.book(1)
        page = plain(resident.get("/book/change/2026-12-01"))
        assert "8時45分 △ 残りわずか 現在のご予約" in page
        assert page.count("現在のご予約は令和8年12月1日（火） 8時45分です。") == 1

    def test_cancelling_asks_first_and_offers_to_keep_the_booking(self, resident: Resident) -> None:
        resident.book()
        page = resident.get("/book/cancel")
        assert "令和8年12月1日（火） 8時30分の予約を取り消します。よろしいですか。" in plain(page)
        assert re.search(r'<button class="main" autofocus>予約を残す</button>', page.text)

    def test_cancelling_twice_cancels_once(self, resident: Resident, sqlite_office: Office, sticker: Sticker) -> None:
        resident.book()
        uid = booking_of(sqlite_office, sticker).uid
        fields = Forms(resident.get("/book/cancel").text).by_action["/book/cancel"]
        answers = [resident.post("/book/cancel", fields).location for _ in range(2)]
        assert answers == ["/book/cancelled"] * 2
        assert "予約を取り消しました" in plain(resident.get("/book/cancelled"))
        read_session().rollback()
        cancelled = booking_by_uid(read_session(), uid)
        assert cancelled is not None
        assert cancelled.state is BookingState.CANCELLED

    def test_a_page_to_cancel_an_older_booking_leaves_the_newer_one_alone(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book()
        old_page = Forms(resident.get("/book/cancel").text).by_action["/book/cancel"]
        resident.send("/book/cancel", "/book/cancel")
        resident.book(3)
        assert resident.post("/book/cancel", old_page).status_code == 422
        assert booking_of(sqlite_office, sticker).state is BookingState.CONFIRMED

    def test_after_check_in_nothing_can_be_changed(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        resident.book()
        booking = booking_of(sqlite_office, sticker).id
        with transaction() as tx:
            check_in_booking(locked_booking(tx, booking))
        page = resident.get("/book/done")
        assert "受付はお済みです" in plain(page)
        assert "日時を変更する" not in plain(page)
        for closed in ("/book/change", "/book/change/2026-12-02", "/book/cancel"):
            assert resident.get(closed).location == "/book/done"

    def test_without_a_booking_its_pages_lead_to_the_days(self, resident: Resident) -> None:
        assert resident.get("/book/done").location == "/book"
        for page in ("/book/change", "/book/cancel"):
            assert resident.get(resident.get(page).location).location == "/book"


class TestFamily:
    """Together: the words on each sticker, then one booking."""

    @pytest.fixture
    def child(self, sqlite_office: Office) -> Sticker:
        """The sticker of somebody else of the family."""
        return new_notice(sqlite_office.keyring, "honcho", MONDAY_NINE)

    def join(self, resident: Resident, sticker: Sticker, **words: str) -> TestResponse:
        """Add somebody."""
        typed = {"credential_id": sticker.credential_id, "password": sticker.password, **words}
        return resident.send("/book/family", "/book/family", **typed)

    def test_two_book_as_one_and_each_sees_the_booking(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker, child: Sticker
    ) -> None:
        assert self.join(resident, child).location == "/book/family"
        assert f"2人分の予約です。 予約ID {sticker.credential_id} 予約ID {child.credential_id}" in plain(
            resident.get("/book/family")
        )
        assert "2人分の予約です。" in plain(resident.get("/book"))
        resident.book()
        booking = booking_of(sqlite_office, sticker)
        assert [use.units for use in booking.uses] == [1, 1]
        assert booking_of(sqlite_office, child).uid == booking.uid
        assert "人数 2名様" in plain(resident.get("/book/done"))
        resident.sign_in(child)
        assert "人数 2名様" in plain(resident.get("/book/done"))
        resident.send("/book/change/2026-12-02", "/book/move", slot=resident.slots("/book/change/2026-12-02")[9])
        assert [use.units for use in booking_of(sqlite_office, sticker).uses] == [1, 1]

    def test_only_times_at_which_all_fit_can_be_chosen(self, resident: Resident, child: Sticker) -> None:
        alone = resident.slots()
        with transaction() as tx:
            tx.session.query(Slot).filter(Slot.uid == UUID(alone[1])).update({"bookable": 0})
        self.join(resident, child)
        assert resident.slots() == alone[2:-1]

    def test_a_day_with_too_few_places_together_says_so(self, resident: Resident, child: Sticker) -> None:
        with transaction() as tx:
            for slot in tx.session.query(Slot).filter(Slot.business_date == "2026-12-01"):
                slot.bookable = 1 if slot.starts_at.minute % 30 else 0
        self.join(resident, child)
        assert "12月 1 日（火） × 人数分なし" in plain(resident.get("/book"))
        assert "2人分を続けてとれる時刻がありません" in plain(resident.get(TUESDAY))

    def test_who_was_added_can_be_taken_out_again(self, resident: Resident, child: Sticker) -> None:
        self.join(resident, child)
        resident.send("/book/family", "/book/family/remove")
        assert "1人分の予約です。" in plain(resident.get("/book/family"))

    def test_only_one_stays_away(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker, child: Sticker
    ) -> None:
        self.join(resident, child)
        resident.book()
        assert resident.send("/book/cancel", "/book/leave").location == "/book/cancelled"
        assert [use.units for use in booking_of(sqlite_office, child).uses] == [1]
        assert live_booking_of(read_session(), notice_of(sqlite_office, sticker).id, MONDAY_NINE) is None
        resident.sign_in(child)
        assert "人数" not in plain(resident.get("/book/done"))

    def test_wrong_words_are_refused_as_at_the_sign_in(self, resident: Resident, child: Sticker) -> None:
        answer = self.join(resident, child, password=WRONG)
        assert (answer.status_code, child.credential_id in answer.text) == (422, True)
        assert self.join(resident, child, password=MY_NUMBER).status_code == 422
        for _ in range(4):
            self.join(resident, child, password=WRONG)
        answer = self.join(resident, child)
        assert answer.status_code == 409
        assert "9時15分まで" in plain(answer)

    def test_who_cannot_be_booked_with_is_refused_with_the_reason(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker, child: Sticker
    ) -> None:
        elsewhere = new_notice(sqlite_office.keyring, "kita", MONDAY_NINE)
        booked = new_notice(sqlite_office.keyring, "honcho", MONDAY_NINE)
        other = Resident(sqlite_office)
        other.sign_in(booked)
        other.book()
        with transaction() as tx:
            tx.session.query(Notice).filter(Notice.number == child.number).update({"state": NoticeState.STOPPED})
        for somebody, why in (
            (elsewhere, "カードの保管場所"),
            (booked, "すでにご予約があります"),
            (child, "ただいま予約できません"),
            (sticker, "同じ方を2回加えることはできません"),
        ):
            answer = self.join(resident, somebody)
            assert (answer.status_code, why in plain(answer)) == (409, True), why

    def test_somebody_who_has_booked_meanwhile_is_named_when_the_time_is_chosen(
        self, resident: Resident, sqlite_office: Office, child: Sticker
    ) -> None:
        self.join(resident, child)
        other = Resident(sqlite_office)
        other.sign_in(child)
        other.book(5)
        answer = resident.send(TUESDAY, "/book/hold", slot=resident.slots()[0])
        assert (answer.status_code, "すでにご予約があります" in plain(answer)) == (409, True)


class TestInvitation:
    """来庁期間・日時の指定: what the office has given is all that the web offers."""

    def invite(self, sticker: Sticker, **given: Any) -> None:
        """The office writes it down."""
        with transaction() as tx:
            row = tx.session.query(Notice).filter(Notice.number == sticker.number).one()
            for name, value in given.items():
                setattr(row, name, value)

    def test_days_outside_the_period_say_so(self, resident: Resident, sticker: Sticker) -> None:
        self.invite(sticker, assigned_from=date(2026, 12, 2), assigned_to=date(2026, 12, 3))
        page = plain(resident.get("/book"))
        assert "12月 1 日（火） － 期間外 12月 2 日（水） ○ 空きあり" in page
        assert "期間内においでになれないときは、お電話ください。（0120-000-000）" in plain(resident.get(TUESDAY))
        slots = resident.slots("/book/2026-12-02")
        self.invite(sticker, assigned_to=date(2026, 12, 1), assigned_from=None)
        chosen = resident.send(TUESDAY, "/book/hold", slot=slots[0], day="2026-12-02")
        assert chosen.location == "/book/2026-12-02?said=gone"

    def test_an_exact_time_is_the_only_choice_and_is_confirmed(
        self, resident: Resident, sqlite_office: Office, sticker: Sticker
    ) -> None:
        at = MONDAY_NINE.replace(hour=10) + timedelta(days=1)
        self.invite(sticker, assigned_at=at)
        assert len(resident.slots()) == 1
        resident.book()
        assert booking_of(sqlite_office, sticker).starts_at == at


def test_every_page_is_kept_by_nobody_and_allows_only_our_own_files(resident: Resident) -> None:
    for page in ("/", "/book", TUESDAY, resident.book(), "/nowhere"):
        answer = resident.get(page)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r'style=|<style|<script>|data:|(src|href)="(https?:)?//', answer.text)
