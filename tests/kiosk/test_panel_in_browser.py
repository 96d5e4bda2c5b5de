"""The touch panel in Chromium: by finger and by keyboard, in both shapes of panel, in every language."""

import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as BrowserPage

from kiosk.dialogue import Choice, Page
from kiosk.messages import Say, Tone
from kiosk.screen.server import ScreenServer
from madoguchi.texts import Texts
from server.offices.service_plan import presets
from tests.kiosk.fake_office import NOW, OFFICE, PICKUP, RENEWAL

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TEXTS = Texts.load()
UPRIGHT, WIDE = (1080, 1920), (1280, 800)
TARGET = 118
"""20 mm on a panel of 150 dots per inch."""

PAGES = {
    "idle": Page("idle", Say("kiosk.welcome.body"), walk_in=True),
    "walk-ins ended": Page(
        "idle",
        Say("kiosk.onlybooked"),
        (Say("kiosk.onlybooked.deadline", {"tel": "050-0000-0062"}),),
        deadline=True,
    ),
    "checking": Page("checking", Say("kiosk.scan.reading")),
    "printing": Page("printing", Say("kiosk.printing"), number=62),
    "number": Page(
        "number",
        Say("kiosk.take", {"number": 62}),
        (Say("kiosk.early", {"time": NOW}),),
        62,
        Tone.DONE,
        seconds=8.0,
    ),
    "no paper": Page(
        "number",
        Say("kiosk.paperout", {"number": 1362}),
        (Say("kiosk.staffcoming"),),
        1362,
        Tone.STAFF,
        seconds=20.0,
    ),
    "my number": Page("message", Say("kiosk.mynumber"), tone=Tone.CAREFUL, seconds=20.0),
    "postcard": Page("message", Say("kiosk.othercode"), tone=Tone.AGAIN, picture="label", seconds=20.0),
    "wrong office": Page("message", Say("kiosk.wrongsite", {"site": OFFICE}), tone=Tone.STAFF, seconds=20.0),
    "cancelled": Page("message", Say("kiosk.cancelled"), tone=Tone.STAFF, walk_in=True, seconds=20.0),
    "services": Page(
        "services",
        Say("kiosk.walkin.title"),
        choices=tuple(Choice(f"s{n}", name, "card") for n, name in enumerate([PICKUP, RENEWAL] * 2)),
        seconds=45.0,
    ),
    "all services": Page(
        "services",
        Say("kiosk.walkin.title"),
        choices=tuple(Choice(code, row.get("short", row["name"]), row["picture"]) for code, row in presets().items()),
        seconds=45.0,
    ),
    "warning": Page("warning", Say("kiosk.timeout"), seconds=10.0),
    "away": Page("away", Say("kiosk.server.away"), tone=Tone.STAFF),
}


@pytest.fixture
def touches() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def screen(touches: list[tuple[str, str]]) -> Iterator[ScreenServer]:
    server = ScreenServer(TEXTS, "127.0.0.1", 0, lambda button, value: touches.append((button, value)))
    server.name_office(OFFICE)
    yield server
    server.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, has_touch=True)
    yield context
    context.close()


@pytest.fixture
def panel(context: BrowserContext, screen: ScreenServer) -> Iterator[BrowserPage]:
    """The panel's page. A word on its console is a failure: blocked styles and scripts are told there."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(screen.url)
    yield page
    assert [line for line in said if "ERR_" not in line] == []


def shown(panel: BrowserPage, screen: ScreenServer, name: str, language: str = "ja") -> None:
    """Show a page and wait until it is there."""
    screen.show(PAGES[name], language)
    expect(panel.locator("body")).to_have_attribute("data-page", PAGES[name].name)
    expect(panel.locator("html")).to_have_attribute("data-language", language)


def touched(touches: list[tuple[str, str]], wanted: tuple[str, str]) -> None:
    until = time.monotonic() + 5
    while wanted not in touches:
        assert time.monotonic() < until, touches
        time.sleep(0.01)


@pytest.mark.parametrize("size", [UPRIGHT, WIDE, (1920, 1080)], ids=["upright", "wide", "large"])
def test_a_label_and_what_one_does_with_it_stay_on_one_line(
    panel: BrowserPage, screen: ScreenServer, size: tuple[int, int]
) -> None:
    panel.set_viewport_size({"width": size[0], "height": size[1]})
    shown(panel, screen, "idle")
    second = panel.locator("#second")
    assert "「予約なし」を押してください" in second.inner_text().replace("\u2060", "")
    panel.evaluate("async () => { await document.fonts.ready }")
    assert second.evaluate(HEIGHTS_AROUND_THE_MARK) == 1


# How many lines the letters before and after 」 stand on.
HEIGHTS_AROUND_THE_MARK = """(p) => {
  const text = p.firstChild, at = text.data.indexOf("」"), tops = new Set();
  for (const n of [at, text.data.indexOf("を", at)]) {
    const letter = document.createRange();
    letter.setStart(text, n);
    letter.setEnd(text, n + 1);
    tops.add(Math.round(letter.getBoundingClientRect().top));
  }
  return tops.size;
}"""


def test_what_may_be_a_my_number_is_answered_with_a_warning_sign(panel: BrowserPage, screen: ScreenServer) -> None:
    shown(panel, screen, "my number")
    expect(panel.locator("#sign")).to_be_visible()
    panel.evaluate("async () => { await document.fonts.ready }")
    assert str(panel.locator("#sign-use").get_attribute("href")).endswith("#careful")
    assert "careful" in (Path(__file__).parents[2] / "kiosk/screen/static/signs.svg").read_text("utf-8")


@pytest.mark.parametrize("size", [UPRIGHT, WIDE], ids=["upright", "wide"])
def test_every_page_fits_the_panel_and_every_target_a_finger(
    panel: BrowserPage, screen: ScreenServer, size: tuple[int, int]
) -> None:
    panel.set_viewport_size({"width": size[0], "height": size[1]})
    for language, name in product(TEXTS.languages, PAGES):
        shown(panel, screen, name, language)
        over = panel.evaluate(
            "[document.querySelector('main').scrollHeight - document.querySelector('main').clientHeight,"
            " document.documentElement.scrollWidth - innerWidth]"
        )
        sizes = panel.evaluate(
            "[...document.querySelectorAll('button')].map((b) => Math.min(b.offsetWidth, b.offsetHeight))"
        )
        assert max(over) <= 8, f"{name} in {language}: something does not fit"
        assert min(sizes) >= TARGET, f"{name} in {language}: a button is too small"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_axe_finds_nothing_on_any_page(browser: Browser, screen: ScreenServer, name: str) -> None:
    context = browser.new_context(bypass_csp=True, viewport={"width": WIDE[0], "height": WIDE[1]})
    page = context.new_page()
    page.add_init_script(path=AXE)
    page.goto(screen.url)
    shown(page, screen, name)
    page.wait_for_timeout(50)
    page.evaluate("async () => { await document.fonts.ready; }")  # a font cut short is a warning of the server

    found = page.evaluate("async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.help}`)")

    context.close()
    assert found == []


def test_a_touch_on_the_panel_reaches_the_kiosk(
    panel: BrowserPage, screen: ScreenServer, touches: list[tuple[str, str]]
) -> None:
    shown(panel, screen, "idle")
    panel.get_by_role("button", name="予約なし").tap()
    touched(touches, ("walkin", ""))
    shown(panel, screen, "services", "en")
    panel.get_by_role("button", name="Certificate renewal").first.tap()
    touched(touches, ("service", "s1"))


def test_the_panel_can_be_worked_by_keyboard_and_keeps_its_place(
    panel: BrowserPage, screen: ScreenServer, touches: list[tuple[str, str]]
) -> None:
    shown(panel, screen, "idle")
    panel.get_by_role("button", name="English").focus()
    panel.keyboard.press("Enter")
    touched(touches, ("language", "en"))
    shown(panel, screen, "idle", "en")
    expect(panel.get_by_role("button", name="English")).to_be_focused()
    panel.get_by_role("button", name="Português").focus()
    panel.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="No booking")).to_be_focused()
    panel.keyboard.press("Space")
    touched(touches, ("walkin", ""))


def test_a_touch_anywhere_keeps_a_choice_open(
    panel: BrowserPage, screen: ScreenServer, touches: list[tuple[str, str]]
) -> None:
    shown(panel, screen, "warning")

    panel.locator("main").tap(position={"x": 20, "y": 20})

    touched(touches, ("continue", ""))


def test_the_number_is_the_biggest_thing_on_its_page(panel: BrowserPage, screen: ScreenServer) -> None:
    shown(panel, screen, "number")

    heights = panel.evaluate(
        "['number', 'lead'].map((id) => parseFloat(getComputedStyle(document.getElementById(id)).fontSize))"
    )

    assert panel.locator("#number").inner_text() == "62"
    assert heights[0] > 5 * heights[1]


def test_when_the_kiosk_falls_silent_the_panel_says_so_and_heals_when_it_is_back(
    panel: BrowserPage, screen: ScreenServer, touches: list[tuple[str, str]]
) -> None:
    port = int(screen.url.rsplit(":", 1)[1].rstrip("/"))
    shown(panel, screen, "idle")
    screen.close()
    expect(panel.locator("#away")).to_be_visible(timeout=15_000)
    again = ScreenServer(TEXTS, "127.0.0.1", port, lambda button, value: touches.append((button, value)))
    again.show(PAGES["idle"], "en")

    expect(panel.locator("#away")).to_be_hidden(timeout=15_000)
    expect(panel.locator("html")).to_have_attribute("lang", "en", timeout=15_000)
    # The page was loaded anew: its old token would no longer be taken.
    panel.get_by_role("button", name="Call staff").tap()
    touched(touches, ("staff", ""))
    again.close()
