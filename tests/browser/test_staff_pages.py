"""The staff pages in Chromium: window and phone by keyboard alone, a bad line, no scripts, axe, sizes of screen."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from server.booking.rules import BookingState
from tests.conftest import Office
from tests.server.city import City, Person

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
SCREENS = [(1280, 800), (1024, 768)]
AT = "/desk/windows/3"
SERVICES = "/admin/offices/honcho/services"
BOUNCE_MS = 700  # a little longer than what desk.js takes for a trembling finger

OpenPage = Callable[..., Page]


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Monday at nine; three people wait."""
    city = City(sqlite_office)
    for _ in range(3):
        city.come_without_booking()
    return city


@pytest.fixture
def open_page(browser: Browser, address: str, city: City) -> Iterator[OpenPage]:
    """Somebody signs in, with the keyboard, and goes to a page."""
    contexts: list[BrowserContext] = []

    def opened(name: str, path: str, screen: tuple[int, int] = SCREENS[0], *, script: bool = True) -> Page:
        contexts.append(browser.new_context(base_url=address, locale="ja-JP", java_script_enabled=script))
        page = contexts[-1].new_page()
        page.set_viewport_size({"width": screen[0], "height": screen[1]})
        page.set_default_timeout(10_000)
        page.goto(f"/staff/sign-in?next={path}")
        expect(page.locator("#name")).to_be_focused()
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.type(next(s.password for s in city.office.staff if s.name == name))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"//[^/]+{path}$"))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def window(open_page: OpenPage) -> Page:
    """The clerk of window 3 has opened it, with the keyboard."""
    page = open_page("madoguchi3", "/desk")
    open_window_3(page)
    return page


def open_window_3(page: Page) -> None:
    """The first window has the focus: two further on."""
    expect(page.locator(":focus")).to_contain_text("1番窓口")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{AT}")


def press(page: Page, key: str) -> None:
    """A key, as somebody presses it who looks first."""
    page.wait_for_timeout(BOUNCE_MS)
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
    page.keyboard.press(key)


def shows(page: Page, number: str) -> None:
    """The number at the window, or none."""
    expect(page.locator("#number")).to_have_text(number)
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")


def complaints(page: Page) -> list[str]:
    """What the browser complains about from now on."""
    found: list[str] = []
    page.on("console", lambda m: found.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda r: None if "//127.0.0.1:" in r.url else found.append(r.url))
    return found


@pytest.mark.alone
class TestWindow:
    def test_a_visit_from_call_to_end_takes_only_keys(self, window: Page, city: City) -> None:
        found = complaints(window)
        press(window, "n")
        shows(window, "1")
        press(window, "r")
        expect(window.locator("#rows")).to_contain_text("（2回目）")
        press(window, "m")
        expect(window.locator("#missed")).to_contain_text("1")
        press(window, "Enter")
        shows(window, "2")
        press(window, "k")
        press(window, "k")
        shows(window, "")
        assert city.window(3).is_open
        assert found == []

    def test_somebody_who_was_missed_is_called_with_tab_and_enter(self, window: Page) -> None:
        press(window, "n")
        press(window, "m")
        expect(window.locator("#missed")).to_contain_text("1")
        for _ in range(5):  # past what undoes it, the switch for the keys and the ways to walk-ins and to papers
            press(window, "Tab")
        press(window, "Enter")
        shows(window, "1")

    def test_one_press_ends_no_visit_and_is_forgotten_after_five_seconds(self, window: Page) -> None:
        press(window, "n")
        shows(window, "1")
        press(window, "g")
        expect(window.locator("#message")).to_have_text("もう一度押すと、1番を「帰った」で終わります。")
        window.wait_for_timeout(5_500)
        expect(window.locator("#message")).to_be_hidden()
        press(window, "g")
        shows(window, "1")

    def test_a_double_click_ends_no_visit(self, window: Page) -> None:
        press(window, "n")
        shows(window, "1")
        window.locator("[data-key=KeyK]").dblclick()
        window.wait_for_timeout(BOUNCE_MS)
        shows(window, "1")

    def test_a_double_click_calls_one_person(self, window: Page) -> None:
        window.locator("[data-key=KeyN]").dblclick()
        shows(window, "1")
        expect(window.locator("#waiting dd").first).to_have_text("2組")

    def test_no_button_moves_when_a_message_comes(self, window: Page) -> None:
        press(window, "n")
        shows(window, "1")
        before = window.locator("[data-key=KeyM]").bounding_box()
        press(window, "k")
        expect(window.locator("#message")).to_be_visible()
        assert window.locator("[data-key=KeyM]").bounding_box() == before

    def test_a_press_whose_answer_was_lost_is_done_once(self, window: Page) -> None:
        sent: list[str] = []

        def lose_the_first(route: Route) -> None:
            sent.append(re.findall("request_id=([^&]+)", route.request.post_data or "")[0])
            answer = route.fetch()
            if len(sent) == 1:
                route.abort()
            else:
                route.fulfill(response=answer)

        window.route("**/call-next", lose_the_first)
        press(window, "n")
        shows(window, "1")
        expect(window.locator("#waiting dd").first).to_have_text("2組")
        assert len(sent) == 2
        assert sent[0] == sent[1]

    def test_a_page_that_hears_nothing_for_five_seconds_says_so_and_heals(self, window: Page, city: City) -> None:
        window.context.set_offline(True)
        expect(window.locator("#stale")).to_be_visible(timeout=6_000)
        expect(window.locator("#stale")).to_contain_text("表示が更新されていません")
        city.come_without_booking()
        window.context.set_offline(False)
        expect(window.locator("#stale")).to_be_hidden()
        expect(window.locator("#waiting dd").first).to_have_text("4組")

    def test_what_others_do_is_seen_within_four_seconds(self, window: Page, city: City) -> None:
        city.come_without_booking()
        expect(window.locator("#waiting dd").first).to_have_text("4組", timeout=4_500)

    def test_the_office_says_no_in_place(self, window: Page, city: City) -> None:
        city.open(2)
        for _ in range(3):
            city.call_next(2)
            city.missed(2)
        press(window, "n")
        expect(window.locator("#message")).to_have_text("いま、この窓口で呼べる方はいません。")

    def test_the_letters_can_be_switched_off_and_stay_so(self, window: Page) -> None:
        window.locator("#keys").uncheck()
        window.reload()
        expect(window.locator("#keys")).not_to_be_checked()
        press(window, "n")
        window.wait_for_timeout(300)
        shows(window, "")
        press(window, "Enter")
        shows(window, "1")

    def test_a_window_that_was_closed_elsewhere_leads_back(self, window: Page, city: City) -> None:
        city.close(3)
        window.wait_for_url(re.compile("/desk$"))

    def test_without_scripts_every_button_works(self, open_page: OpenPage) -> None:
        page = open_page("madoguchi3", "/desk", script=False)
        open_window_3(page)
        for button in ("次を呼ぶ", "再呼出", "不在"):
            page.get_by_role("button", name=button).click()
        page.get_by_role("button", name=re.compile("^呼ぶ")).click()
        page.get_by_role("button", name="交付した").click()
        page.get_by_role("button", name="交付した").click()
        expect(page.locator("#nobody")).to_be_visible()
        page.get_by_role("button", name="窓口を閉じる").click()
        expect(page.locator(".notice")).to_have_text("3番窓口を閉じました。")

    def test_a_kiosk_that_asks_for_staff_is_shown_without_a_press_and_ends_with_one(
        self, window: Page, city: City
    ) -> None:
        city.ask_for_staff("paper_out")
        expect(window.locator("#asking li")).to_contain_text("用紙がありません")
        expect(window.locator("#asking-said")).to_have_text("入口 用紙がありません")
        assert violations(window) == []
        window.get_by_role("button", name="対応する").press("Enter")
        expect(window.locator("#asking-place")).to_be_hidden()


class TestPhone:
    def test_a_call_takes_twelve_keys(self, open_page: OpenPage, city: City) -> None:
        caller, keys = city.person(), 0
        page = open_page("denwa", "/phone")
        found = complaints(page)
        for step in ([*caller.sticker.number, "Enter"], ["Enter"], ["Enter"]):
            expect(page.locator(":focus")).to_be_visible()
            with page.expect_navigation():
                for key in step:
                    page.keyboard.press(key)
                    keys += 1
        expect(page.locator(".notice.good")).to_have_text("予約しました。")
        booked = city.live(caller)
        assert booked is not None
        assert (booked.state, keys, found) == (BookingState.CONFIRMED, 12, [])

    def test_arrows_lead_to_another_day_and_time(self, open_page: OpenPage, city: City) -> None:
        page = find(open_page("denwa", "/phone"), city.person())
        page.keyboard.press("ArrowDown")
        expect(page.locator(":focus")).to_contain_text("10:00")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator(".aloud")).to_contain_text("10時15分")

    def test_a_key_held_down_does_not_book(self, open_page: OpenPage, city: City) -> None:
        caller = city.person()
        page = find(open_page("denwa", "/phone"), caller)
        page.keyboard.down("Enter")
        expect(page.locator("h1")).to_have_text("読み上げて確認する")
        for _ in range(5):
            page.keyboard.down("Enter")
        page.wait_for_timeout(500)
        held = city.live(caller)
        assert held is not None
        assert held.state is BookingState.HELD

    def test_a_booking_is_moved_and_cancelled_by_keys(self, open_page: OpenPage, city: City) -> None:
        caller, booking = city.booked("10:00")
        page = find(open_page("denwa", "/phone"), caller)
        for heading in ("現在のご予約", "日時の変更を読み上げて確認する", "予約の内容"):
            enter(page)
            expect(page.locator("h1, h2").filter(has_text=heading)).to_be_visible()
        assert city.booking(booking).starts_at != city.place("10:00").starts_at
        page.goto(f"/phone/notices/{city.notice(caller).uid}/bookings/{booking}/cancel")
        expect(page.locator("[autofocus]")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".notice.good")).to_have_text("予約を取り消しました。")

    def test_the_hold_counts_its_minutes(self, open_page: OpenPage, city: City) -> None:
        page = find(open_page("denwa", "/phone"), city.person())
        page.keyboard.press("Enter")
        expect(page.locator("#hold-left")).to_have_text("あと10分です。")


def violations(page: Page) -> list[list[str]]:
    """What axe finds: rule and element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[list[str]] = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])")
    return found


def enter(page: Page) -> None:
    """Do what the page proposes, as soon as it has the focus."""
    expect(page.locator("[autofocus]")).to_be_focused()
    page.keyboard.press("Enter")


def find(page: Page, caller: Person) -> Page:
    """Type the number that the caller reads."""
    expect(page.locator("#number")).to_be_focused()
    page.keyboard.type(caller.sticker.number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/phone/notices/*")
    expect(page.locator(".proposed, .panel a[autofocus]")).to_be_focused()
    return page


@pytest.mark.parametrize("name", ["madoguchi3", "denwa", "kakaricho", "kanri"])
def test_axe_finds_nothing_and_nothing_leaves_the_screen(open_page: OpenPage, city: City, name: str) -> None:
    page = open_page(name, "/staff")
    for state in STATES[name](page, city.person()):
        page.wait_for_load_state()
        found = violations(page)
        assert found == [], state
        for width, height in reversed(SCREENS):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (state, width)
            assert page.evaluate(SMALL_TARGETS) == [], (state, width)


SMALL_TARGETS = """() => [...document.querySelectorAll("button, .button, .areas a, .days a, .tabs a, main input")]
  .filter(e => e.checkVisibility() && !["hidden", "checkbox", "radio"].includes(e.type))
  .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120))"""


def desk_states(page: Page, _: Person) -> Iterator[str]:
    """The window's screen in all that it shows."""
    yield "home"
    page.goto("/desk")
    yield "windows"
    open_window_3(page)
    yield "nobody"
    press(page, "n")
    shows(page, "1")
    yield "called"
    expect(page.locator(".buttons")).to_be_in_viewport(ratio=1)
    press(page, "k")
    yield "to be confirmed"
    page.context.set_offline(True)
    expect(page.locator("#stale")).to_be_visible(timeout=6_000)
    yield "stale"
    page.context.set_offline(False)
    press(page, "m")
    expect(page.locator("#missed button").first).to_be_visible()
    yield "missed"
    page.get_by_role("link", name="番号を出す").click()
    yield "walk-ins"
    page.get_by_role("button", name="番号を出す").click()
    expect(page.locator(".given")).to_be_visible()
    yield "let in"


def phone_states(page: Page, caller: Person) -> Iterator[str]:
    """A call from the number to the end."""
    page.goto("/phone")
    yield "number"
    page.keyboard.type("123456789012")
    page.keyboard.press("Enter")
    expect(page.locator(".refused")).to_be_visible()
    yield "refused"
    find(page, caller)
    yield "times"
    for heading in ("読み上げて確認する", "予約の内容"):
        enter(page)
        expect(page.locator("h1")).to_have_text(heading)
        yield heading
    page.get_by_role("link", name="変更・取消をする").click()
    for name in ("日時を変更する", "変更せずに戻る", "予約を取り消す"):
        page.get_by_role("link", name=name).click()
        yield name


def admin_states(page: Page, _: Person) -> Iterator[str]:
    """All of the administrator's pages."""
    for path in ("/admin", SERVICES, f"{SERVICES}/pickup", "/admin/devices", "/admin/staff", "/admin/audit"):
        page.goto(path)
        yield path
    page.goto("/admin/devices")
    page.locator("#board-name").fill("待合")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="接続を始める").click()
    yield "pairing"
    page.goto("/admin/devices")
    page.get_by_role("button", name="トークンを出し直す").click()
    yield "token"


def supervisor_states(page: Page, caller: Person) -> Iterator[str]:
    """An official takes a family beyond the places, with the keyboard; then the lists for paper."""
    page.goto("/phone")
    find(page, caller)
    page.locator("summary").click()
    page.locator("#more").fill("123456789012")
    page.keyboard.press("Enter")
    expect(page.locator(".refused")).to_be_visible()
    yield "nobody was added"
    page.get_by_role("link", name="枠を超えて受ける").click()
    expect(page.locator("input[name=slot]").first).to_be_focused()
    yield "time and reason"
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("読み上げて確認する")
    yield "read back"
    for path in ("/lists/day?day=2026-11-30", "/lists/restricted", "/lists/emergency"):
        page.goto(path)
        yield path


STATES = {"kakaricho": supervisor_states, "madoguchi3": desk_states, "denwa": phone_states, "kanri": admin_states}


def test_on_a_telephone_sign_out_stays_one_word(open_page: OpenPage) -> None:
    page = open_page("madoguchi3", "/desk", (390, 844))
    button = page.locator(".sign-out button")
    line = float(button.evaluate("(b) => parseFloat(getComputedStyle(b).lineHeight)"))
    words = button.evaluate(
        "(b) => { const r = document.createRange(); r.selectNodeContents(b); return r.getBoundingClientRect().height }"
    )
    assert words < 1.5 * line


def test_a_party_at_a_terminal_ends_one_by_one_is_undone_and_fetches_papers(open_page: OpenPage, city: City) -> None:
    """By keys; nothing for axe, nothing beyond the screen and no small button, at a desk and on a telephone."""
    city.check_papers_first()
    family = city.people(2)
    _, booking = city.booked("09:00", person=family[0], family=family[1:])
    city.scan(city.code(booking))
    city.open(1)
    for leave in (city.pass_on, city.missed, city.park, city.pass_on):
        city.call_next(1)
        leave(1)
    city.close(1)
    page = open_page("madoguchi3", "/desk")
    found = complaints(page)
    open_window_3(page)
    press(page, "n")
    shows(page, "4")
    is_fine(page, "a party, one who was missed, one who rests, two terminals")
    for _ in range(2):
        page.get_by_role("button", name=re.compile("1人目")).first.press("Enter")
        page.wait_for_timeout(BOUNCE_MS)
    expect(page.locator("#people .ended")).to_have_text("交付した")
    press(page, "u")
    expect(page.locator("#people .ended")).to_have_count(0)
    press(page, "h")
    shows(page, "")
    is_fine(page, "two rest, the newest can be undone")
    press(page, "u")
    shows(page, "4")
    press(page, "f")
    page.wait_for_url("**/papers")
    page.get_by_label("委任状").check()
    is_fine(page, "papers")
    page.get_by_role("button", name="帰り票を出す").click()
    page.wait_for_url("**/slips/**")
    expect(page.locator(".return-slip")).to_contain_text("A letter of proxy")
    is_fine(page, "slip")
    assert found == []


def is_fine(page: Page, state: str) -> None:
    """At both sizes."""
    for width, height in ((390, 844), SCREENS[0]):
        page.set_viewport_size({"width": width, "height": height})
        assert violations(page) == [], state
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        assert page.evaluate(SMALL_TARGETS) == [], state
