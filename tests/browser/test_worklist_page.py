"""The work list in Chromium: by keyboard alone, without scripts, axe, desk and telephone."""

from playwright.sync_api import Page, expect

from server.booking.rules import BookingState
from tests.browser.test_staff_pages import AXE, SMALL_TARGETS, OpenPage, city, open_page, pytestmark
from tests.server.booking.test_worklist import TUESDAY, at, close
from tests.server.city import City

__all__ = ["city", "open_page", "pytestmark"]

PAGE = "/phone/affected"
SCREENS = [(1280, 800), (390, 844)]


def lose_places(city: City) -> list[str]:
    """Three bookings of a Tuesday that closes; their codes by time."""
    booked = [city.booked(time, TUESDAY)[1] for time in ("10:15", "10:30", "16:00")]
    close(city)
    return [city.keyring.booking_code(uid).grouped for uid in booked]


def press(page: Page, label: str) -> None:
    """Go on with the Tab key until a button of this label has the focus, and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == label:
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"no key leads to {label}")


def test_a_booking_is_moved_and_its_people_noted_as_told_by_keys_and_without_scripts(
    open_page: OpenPage, city: City
) -> None:
    codes = lose_places(city)
    page = open_page("kakaricho", PAGE, script=False)
    expect(page.locator(".entries h3 small")).to_have_text(codes)

    press(page, "次の空き枠へ移す")
    press(page, "まとめて次の空き枠へ移す")
    expect(page.locator(".notice.good")).to_contain_text("件を移しました")
    for left in (2, 1, 0):
        press(page, "電話で連絡した")
        expect(page.locator(".entries h3")).to_have_count(left)
    expect(page.locator("tbody tr")).to_have_count(3)


def test_the_link_leads_to_the_times_for_another_choice(open_page: OpenPage, city: City) -> None:
    person, booking = city.booked("10:15", TUESDAY)
    close(city)
    page = open_page("denwa", PAGE)
    page.get_by_role("link", name="別の日時を選ぶ").click()
    page.wait_for_url(f"**/phone/notices/{city.notice(person).uid}?move=1")
    expect(page.locator(".proposed")).to_be_focused()
    assert (at(city, booking), city.state(booking)) == ("01 10:15", BookingState.CONFIRMED)


def test_axe_finds_nothing_and_nothing_leaves_the_screen(open_page: OpenPage, city: City) -> None:
    lose_places(city)
    for screen in SCREENS:
        page = open_page("denwa", PAGE, screen)
        for state in ("to do", "moved", "told"):
            page.wait_for_load_state()
            page.evaluate(AXE.read_text(encoding="utf-8"))
            found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])")
            assert found == [], (screen, state)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (screen, state)
            assert page.evaluate(SMALL_TARGETS) == [], (screen, state)
            if state == "to do" and screen == SCREENS[0]:
                with page.expect_navigation():
                    page.get_by_role("button", name="まとめて").click()
            elif state == "moved":
                with page.expect_navigation():
                    page.get_by_role("button", name="電話で連絡した").first.click()
