"""The pages about opening hours in Chromium: by keyboard, without scripts, axe, sizes of screen."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from server.db import transaction
from server.offices.holiday_service import keep_holidays
from server.offices.models import OpeningRule
from server.offices.opening_rules import RuleKind
from tests.conftest import Office
from tests.server.city import MONDAY, City

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
SCREENS = [(1280, 800), (390, 844)]
HERE = "/admin/opening/honcho"
PATHS = [
    HERE,
    f"{HERE}/2026",
    f"{HERE}/rules/new?kind=nth",
    f"{HERE}/rules/new?preset=lunch",
    f"{HERE}/rules/new?kind=outage",
    f"{HERE}/rules/new?kind=holiday",
    f"{HERE}/csv",
    "/admin/holidays",
]


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """The sample city, with holidays, hours on them and a stop of the system."""
    city = City(sqlite_office)
    keep_holidays(city.now)
    hours = {"opens": 540, "closes": 1020, "last_booked": 1020, "last_walk_in": 1020}
    stop = {"on_date": MONDAY + timedelta(days=3), "until_date": MONDAY + timedelta(days=3)}
    with transaction() as tx:
        tx.session.add(OpeningRule(office_id=city.here, kind=RuleKind.HOLIDAY, **hours))
        tx.session.add(
            OpeningRule(office_id=city.here, kind=RuleKind.NTH, nth=10, weekdays=32, services=["pickup"], **hours)
        )
        tx.session.add(
            OpeningRule(office_id=city.here, kind=RuleKind.OUTAGE, closed=True, opens=720, closes=840, **stop)
        )
        tx.session.add(
            OpeningRule(
                office_id=city.here, kind=RuleKind.YEARLY, closed=True, first_md=1229, last_md=103, reason="年末年始"
            )
        )
    return city


@pytest.fixture
def contexts(browser: Browser, address: str, city: City) -> Iterator[list[BrowserContext]]:
    """One browser with scripts and one without, both signed in as the administrator."""
    opened = []
    password = city.office.account("admin").password
    for script in (True, False):
        context = browser.new_context(base_url=address, locale="ja-JP", java_script_enabled=script)
        page = context.new_page()
        page.goto("/staff/sign-in")
        page.fill("#name", "kanri")
        page.fill("#password", password)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"//[^/]+/(staff|admin)$"))
        opened.append(context)
    yield opened
    for context in opened:
        context.close()


@pytest.fixture
def page(contexts: list[BrowserContext]) -> Page:
    """The administrator's page."""
    return contexts[0].pages[0]


def faults(page: Page) -> list[object]:
    """What axe finds, and what leaves the screen."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[object] = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{wide} px too wide"] if wide > 0 else [])


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_nothing_leaves_the_screen(page: Page, city: City, screen: tuple[int, int]) -> None:
    city.booked("10:15", MONDAY + timedelta(days=1))
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    found = {}
    for path in PATHS:
        page.goto(path)
        found[path] = faults(page)
    page.goto(f"{HERE}/rules/new?kind=dated")
    page.fill("#on_date", "2026-12-01")
    page.get_by_label("閉庁", exact=True).check()
    page.get_by_role("button", name="変わる日を確かめる").click()
    expect(page.locator("[role=alert]")).to_contain_text("1件")
    found["preview"] = faults(page)

    assert {path: some for path, some in found.items() if some} == {}


def test_a_rule_is_written_looked_at_and_saved_by_keyboard_without_scripts(
    contexts: list[BrowserContext], city: City
) -> None:
    page = contexts[1].pages[0]
    page.goto(f"{HERE}/rules/new?kind=dated")
    page.locator("#on_date").focus()
    page.fill("#on_date", "2026-12-05")
    page.fill("#opens", "9:00")
    page.fill("#closes", "25:00")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("24:00まで")
    expect(page.locator("#on_date")).to_have_value("2026-12-05")
    page.fill("#closes", "12:00")
    page.keyboard.press("Enter")
    expect(page.locator(".changes tbody tr")).to_have_count(1)
    expect(page.locator(".changes tbody tr")).to_contain_text("12月5日")
    page.get_by_role("button", name="保存する").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("保存しました")

    assert not city.place("10:00", MONDAY + timedelta(days=5)).closed


def test_a_table_of_days_is_taken_in_and_its_bad_rows_are_named(page: Page, city: City, tmp_path: Path) -> None:
    table = tmp_path / "days.csv"
    table.write_bytes(
        "日付,開始,終了,,,手続,理由\n2026/12/5,9:00,16:00,,,,北会場\n2026/12/32,9:00,16:00\n".encode("cp932")
    )
    page.goto(f"{HERE}/csv")
    page.set_input_files("#file", table)
    page.get_by_role("button", name="変わる日を確かめる").click()
    expect(page.locator("[role=alert]")).to_contain_text("3行目")
    text = page.locator("#text").input_value().replace("12/32", "12/6")
    page.fill("#text", text)
    page.get_by_role("button", name="変わる日を確かめる").click()
    expect(page.locator(".changes tbody tr")).to_have_count(2)
    page.get_by_role("button", name="保存する").click()

    assert not city.place("10:00", MONDAY + timedelta(days=6)).closed
