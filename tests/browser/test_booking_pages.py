"""The residents' pages in Chromium: with and without scripts, on a telephone and on a desk, by hand and by keyboard."""

import os
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from server.booking.queries import live_booking_of
from server.db import read_session
from server.issuance.service import Sticker, find_by_number
from server.sample import new_notice
from tests.browsers import QUIET, chromium
from tests.conftest import Office
from tests.databases import wait_until
from tests.fakes import MONDAY_NINE

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TELEPHONE, DESK = (375, 812), (1280, 900)
SCREENS = [("ja", TELEPHONE), ("en", DESK)]
TUESDAY = "/book/2026-12-01"


@pytest.fixture
def sticker(sqlite_office: Office) -> Sticker:
    """The sticker of a notice that waits to be booked."""
    return new_notice(sqlite_office.keyring, "honcho", MONDAY_NINE)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Opens a browser of its own on a screen; `script=False` for one without scripts, `axe=True` to examine pages."""
    contexts: list[BrowserContext] = []

    def opened(lang: str, screen: tuple[int, int] = TELEPHONE, *, script: bool = True, axe: bool = False) -> Page:
        contexts.append(
            browser.new_context(
                base_url=address,
                viewport={"width": screen[0], "height": screen[1]},
                locale={"ja": "ja-JP", "en": "en-GB"}[lang],
                java_script_enabled=script,
                bypass_csp=axe,
            )
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        if axe:
            page.add_init_script(path=AXE)
        return page

    yield opened
    for context in contexts:
        context.close()


def press(page: Page, path: str) -> None:
    """Press the button of the form that goes to `path`."""
    page.locator(f"form[action^='{path}'] button:not(.grave)").click()


def sign_in(page: Page, sticker: Sticker) -> None:
    """By the sticker's link and password, as somebody does who has scanned it."""
    page.goto(f"/b/{sticker.scan_code}")
    page.locator("#password").fill(sticker.password.lower())
    press(page, "/sign-in")
    expect(page).to_have_url(re.compile(r"/book(/done)?$"))


def choose(page: Page, nth: int) -> None:
    """The second open day, and a time of it."""
    page.locator(".days .free a").nth(1).click()
    page.locator(".times .free label").nth(nth).click()
    page.locator(".decide button").click()


def book(page: Page, nth: int = 0) -> None:
    """From the days to the booking."""
    choose(page, nth)
    press(page, "/book/confirm/")
    expect(page).to_have_url(re.compile(r"/book/done\?said=booked$"))


def complaints(page: Page) -> list[str]:
    """What the browser complains about from now on: errors, blocked parts, parts that are missing or foreign."""
    found: list[str] = []
    page.on("console", lambda m: found.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("response", lambda r: found.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("request", lambda r: None if "//127.0.0.1:" in r.url else found.append(r.url))
    return found


@pytest.mark.journey
@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize(("lang", "screen"), SCREENS)
def test_a_resident_books_changes_and_cancels(
    open_page: OpenPage, sticker: Sticker, lang: str, screen: tuple[int, int], script: bool
) -> None:
    page = open_page(lang, screen, script=script)
    found = complaints(page)
    sign_in(page, sticker)
    book(page)
    code = page.locator(".ref").inner_text()
    page.locator("a[href='/book/change']").click()
    choose(page, 4)
    expect(page).to_have_url(re.compile(r"/book/done\?said=moved$"))
    assert page.locator(".ref").inner_text() == code
    page.locator("a[href='/book/cancel']").click()
    page.locator("form[action='/book/cancel'] button").click()
    expect(page).to_have_url(re.compile(r"/book/cancelled$"))
    assert found == []


@pytest.mark.journey
def test_a_resident_books_and_keeps_the_booking_with_the_keyboard_alone(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("ja", DESK)
    page.goto("/")
    for field, word in (("#credential_id", sticker.credential_id), ("#password", sticker.password)):
        tab_to(page, field)
        page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/book$"))
    follow(page, f"a[href='{TUESDAY}']")
    tab_to(page, "input[name=slot]")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
        assert page.evaluate(CLEAR_OF_THE_BUTTON), "what has the focus is behind the button"
    follow(page, ".decide button")
    follow(page, "form[action^='/book/confirm/'] button")
    follow(page, "a[href='/book/cancel']")
    wait_until(lambda: page.evaluate("document.activeElement !== document.body"), what="the focus")
    page.keyboard.press("Enter")  # the focus stands on "keep the booking"
    expect(page).to_have_url(re.compile(r"/book/done\??$"))


CLEAR_OF_THE_BUTTON = """() =>
  document.activeElement.closest("label").getBoundingClientRect().bottom
    <= document.querySelector(".decide").getBoundingClientRect().top"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until it has the focus, and see that this shows."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = "getComputedStyle(document.activeElement.closest('label') ?? document.activeElement).outline"
            assert "rgb(0, 0, 0) solid 4px" in page.evaluate(outline)
            return
    raise AssertionError(f"{selector} is not reached by the Tab key")


def follow(page: Page, selector: str) -> None:
    """Go to a link or button and press Enter."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize(("lang", "screen"), SCREENS)
def test_axe_finds_nothing_on_any_page_and_each_fits_the_narrowest_telephone_and_a_finger(
    open_page: OpenPage, sqlite_office: Office, sticker: Sticker, lang: str, screen: tuple[int, int]
) -> None:
    page = open_page(lang, screen, axe=True)
    for page_name in every_page(page, sqlite_office, sticker):
        violations = page.evaluate("async () => (await axe.run()).violations")
        assert [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in violations] == [], page_name
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, page_name
        assert page.evaluate(SMALL_TARGETS) == [], page_name
        page.set_viewport_size({"width": screen[0], "height": screen[1]})


SMALL_TARGETS = """() =>
  [...document.querySelectorAll("button, .button, .days a, .times label, .tel, .top-name, main input")]
  .filter(e => e.checkVisibility() && e.type !== "radio" && e.type !== "hidden")
  .filter(e => e.getBoundingClientRect().height < 44)
  .map(e => e.outerHTML.slice(0, 120))"""


def every_page(page: Page, office: Office, sticker: Sticker) -> Iterator[str]:
    """Goes to each page and state of a page in turn, waits until it has its looks; gives its name."""
    for name in _every_page(page, office, sticker):
        page.wait_for_load_state()
        yield name


def _every_page(page: Page, office: Office, sticker: Sticker) -> Iterator[str]:
    page.goto("/")
    yield "first page"
    page.locator("#credential_id").fill("ABC234")
    page.locator("#password").fill("ACDE2345")
    press(page, "/sign-in")
    yield "wrong password"
    sign_in(page, sticker)
    yield "days"
    page.goto(f"{TUESDAY}?said=full")
    yield "times, with a refusal"
    page.goto("/book/2026-12-05")
    yield "a day without times"
    page.goto("/book/family")
    yield "for whom"
    sibling = new_notice(office.keyring, "honcho", MONDAY_NINE)
    page.locator("#credential_id").fill(sibling.credential_id)
    page.locator("#password").fill("ACDE2345")
    page.locator("form[action='/book/family'] button").click()
    expect(page.locator("#wrong")).to_be_visible()
    yield "for whom, wrong password"
    page.locator("#password").fill(sibling.password)
    page.locator("form[action='/book/family'] button").click()
    expect(page.locator(".people li")).to_have_count(2)
    yield "for whom: two"
    page.goto("/book")
    choose(page, 3)
    yield "confirm"
    confirm = page.url
    page.goto("/book")
    yield "days, while a time is kept"
    office.clock.forward(minutes=11)
    page.goto(confirm)
    yield "the hold is over"
    page.goto("/book")
    book(page)
    yield "booked"
    page.goto("/book/change")
    yield "change: days"
    page.goto("/book/change/2026-12-01")
    yield "change: times"
    page.goto("/book/cancel")
    yield "cancel"
    page.locator("form[action='/book/cancel'] button").click()
    yield "cancelled"
    page.goto("/nowhere")
    yield "refusal"


def test_the_code_on_the_screen_is_read_by_a_scanner(
    open_page: OpenPage, sqlite_office: Office, sticker: Sticker
) -> None:
    page = open_page("ja")
    sign_in(page, sticker)
    book(page)
    shown = Image.open(BytesIO(page.locator(".code .picture").screenshot()))
    notice = find_by_number(sqlite_office.keyring, read_session(), sticker.number)
    booking = live_booking_of(read_session(), notice.id, sqlite_office.clock.now())
    assert booking is not None
    assert [found.text for found in zxingcpp.read_barcodes(shown)] == [
        sqlite_office.keyring.booking_code(booking.uid).text
    ]
    assert page.locator(".ref").inner_text() == sqlite_office.keyring.booking_code(booking.uid).grouped


def test_the_calendar_file_is_downloaded(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("en", DESK)
    sign_in(page, sticker)
    book(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to calendar").click()
    file = download.value
    assert file.suggested_filename == "booking.ics"
    assert "LOCATION:Mihon City Hall" in file.path().read_text("utf-8")


def test_on_paper_there_is_the_booking_and_nothing_to_press(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("ja", DESK)
    sign_in(page, sticker)
    book(page)
    page.emulate_media(media="print")
    for on_paper in (".ref", ".code .picture", ".facts", ".arrive", ".bring", ".on-paper"):
        expect(page.locator(on_paper).first).to_be_visible()
    assert page.locator("button:visible, .button:visible, header:visible").count() == 0


def test_print_is_offered_only_where_scripts_run(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("ja", script=False)
    sign_in(page, sticker)
    book(page)
    expect(page.locator("#print")).to_be_hidden()
    with_scripts = open_page("ja")
    sign_in(with_scripts, sticker)
    with_scripts.goto("/book/done")
    expect(with_scripts.locator("#print")).to_be_visible()


def test_who_waits_too_long_is_told_without_pressing_anything(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("ja")
    page.clock.install()
    sign_in(page, sticker)
    choose(page, 0)
    expect(page.locator("#hold")).to_be_visible()
    page.clock.fast_forward("09:50")
    expect(page.locator("#lapsed")).to_be_hidden()
    page.clock.fast_forward("00:11")
    expect(page.locator("#lapsed")).to_be_visible()
    expect(page.locator("#hold")).to_be_hidden()


def test_the_language_changes_on_the_page_one_is_on(open_page: OpenPage, sticker: Sticker) -> None:
    page = open_page("ja")
    sign_in(page, sticker)
    page.goto(TUESDAY)
    page.get_by_text("Language").click()
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile(TUESDAY))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tue 1 Dec 2026")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [768, 1024, 1280])
def test_no_letter_of_a_closed_day_stands_alone_on_its_line(open_page: OpenPage, sticker: Sticker, width: int) -> None:
    page = open_page("ja", (width, 900))
    sign_in(page, sticker)
    lines = page.locator(".days .closed").first.evaluate(LETTERS_OF_EACH_LINE)
    assert sum(lines) == len("受付していません")
    assert min(lines) >= 3


# The words after the sign: how many letters stand on each line.
LETTERS_OF_EACH_LINE = """(day) => {
  const text = day.querySelector(":scope > span:last-child").firstChild;
  const lines = new Map();
  for (let n = text.data.search(/\\S/); n < text.data.trimEnd().length; n += 1) {
    const letter = document.createRange();
    letter.setStart(text, n);
    letter.setEnd(text, n + 1);
    const top = Math.round(letter.getBoundingClientRect().top);
    lines.set(top, (lines.get(top) ?? 0) + 1);
  }
  return [...lines.values()];
}"""


# Asked for its height a page is laid out, and only then asks for letters; one that nobody looks at may wait with that.
LETTERS_THERE = (
    "document.body.offsetHeight && [...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
)


def test_a_machine_without_japanese_letters_is_sent_ours(playwright_: Playwright, address: str, tmp_path: Path) -> None:
    fonts = tmp_path / "fonts.conf"
    latin = next(p.parent for p in Path("/usr/share/fonts").rglob("*.[ot]tf") if "dejavu" in p.name.lower())
    fonts.write_text(f"<fontconfig><dir>{latin}</dir><cachedir>{tmp_path}</cachedir></fontconfig>", "utf-8")
    poor = playwright_.chromium.launch(
        executable_path=chromium(), args=list(QUIET), env={**os.environ, "FONTCONFIG_FILE": str(fonts)}
    )
    for path in ("/", "/staff/sign-in"):
        page = poor.new_page(locale="ja-JP")
        found = complaints(page)
        page.goto(address + path, wait_until="networkidle")
        wait_until(lambda: "Madoguchi Letters" in str(page.evaluate(LETTERS_THERE)), what="our letters")  # noqa: B023
        assert found == []
        sheet = page.request.get(f"{address}/static/vendor/fonts/letters.css")
        assert "max-age" in sheet.headers["cache-control"]
        page.close()
    poor.close()
