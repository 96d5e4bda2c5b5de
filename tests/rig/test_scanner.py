"""The scanner's driver on a real kernel, with a USB keyboard that types as scanners do."""

import pytest

from tests.rig.conftest import PLACE, Counter
from tests.rig.keyboard import (
    CAPS_LOCK,
    CTRL,
    ENTER,
    KEYBOARD_DESCRIPTION,
    KEYPAD_ENTER,
    MOUSE_DESCRIPTION,
    REST,
    TAB,
    VENDOR_DESCRIPTION,
    J,
    keys_of,
    pressed,
    scanned,
    scanner,
    stroke,
    typed,
)

pytestmark = pytest.mark.rig

CODE = "https://madoguchi.example/c/B-7K3F-9QXM-C"
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


# Typing


@pytest.mark.parametrize("gap_ms", [0, 1, 5])
def test_a_scan_arrives_whole_however_fast_it_is_typed(counter: Counter, gap_ms: float) -> None:
    codes = [f"{CODE}{number}" for number in range(3)]

    assert counter.scans(*map(scanned, codes), gap_ms=gap_ms) == codes


@pytest.mark.parametrize("layout", ["us", "jp"])
def test_each_character_is_the_one_that_the_scanner_meant(counter: Counter, layout: str) -> None:
    counter.open(layout)
    assert counter.connected()

    assert counter.scans(scanned(PRINTABLE, layout)) == [PRINTABLE]


def test_a_scanner_that_presses_caps_lock_means_the_same_letters(counter: Counter) -> None:
    with_caps = stroke(CAPS_LOCK) + typed("B-7k3f".swapcase()) + stroke(CAPS_LOCK) + stroke(ENTER)

    assert counter.scans(with_caps, scanned("B-7k3f")) == ["B-7k3f", "B-7k3f"]


@pytest.mark.parametrize(
    "end",
    [stroke(ENTER), stroke(KEYPAD_ENTER), stroke(TAB), stroke(J, CTRL), stroke(ENTER) + stroke(J, CTRL), b""],
    ids=["cr", "keypad", "tab", "lf", "crlf", "silence"],
)
def test_whatever_ends_a_scan_it_is_one_scan(counter: Counter, end: bytes) -> None:
    assert counter.scans(typed(CODE) + end, rest_ms=200) == [CODE]


def test_a_key_that_is_held_down_is_pressed_once(counter: Counter) -> None:
    assert counter.scans(typed("B-7K3F") + pressed(ENTER), REST, scanned("B-9QXM"), rest_ms=600) == ["B-7K3F", "B-9QXM"]


def test_keys_whose_release_is_lost_are_pressed_all_the_same(counter: Counter) -> None:
    held = b"".join(pressed(usage, modifiers) for usage, modifiers in keys_of("B-7K3F9QXM"))

    assert counter.scans(held + stroke(ENTER)) == ["B-7K3F9QXM"]


def test_a_scan_without_an_end_is_given_although_its_last_key_stays_down(counter: Counter) -> None:
    *keys, last = keys_of("B-7K3F")
    stuck = b"".join(stroke(*key) for key in keys) + pressed(*last)

    assert counter.scans(stuck, REST, rest_ms=600) == ["B-7K3F"]


# Losing


def test_a_reader_that_was_held_up_gives_no_half_scan_and_the_next_one_is_whole(counter: Counter) -> None:
    counter.world.ask("signal", pid=counter.drivers.pid, name="SIGSTOP")
    counter.type(scanned(CODE))
    counter.world.ask("signal", pid=counter.drivers.pid, name="SIGCONT")

    assert counter.all_that_came() == ["lost: overrun"]
    assert counter.scans(scanned(CODE)) == [CODE]


def test_a_scanner_unplugged_in_the_middle_of_a_scan_gives_no_half_scan(counter: Counter) -> None:
    counter.type(typed("B-7K3F-9"))
    counter.unplug()

    # Silence may have ended what was typed before the plug was out: then it was a scan, whole as far as anybody knows.
    assert counter.read() in ("lost: unplugged", "B-7K3F-9")
    assert not counter.connected(wanted=False)


# Coming and going


def test_a_scanner_that_was_unplugged_is_found_again_under_another_number(counter: Counter) -> None:
    before = counter.number()
    counter.unplug()
    gone = counter.connected(wanted=False)
    counter.plug("other", **scanner(socket=2, serial="S0002"))
    counter.plug()
    back = counter.connected()

    assert (gone, back, counter.number() == before) == (False, True, False)
    assert counter.scans(scanned(CODE)) == [CODE]


def test_a_scanner_that_comes_after_the_kiosk_is_used_when_it_comes(counter: Counter) -> None:
    counter.unplug()
    counter.world.ask("wait_for", path=PLACE, there=False)
    counter.open()
    assert counter.says("not usable (No such file or directory)")

    counter.plug()

    assert counter.connected()
    assert counter.scans(scanned(CODE)) == [CODE]


def test_a_scanner_that_may_not_be_used_yet_is_used_once_it_may(counter: Counter) -> None:
    counter.close()
    counter.world.ask("permit", path=PLACE, mode=0o000)
    counter.open()
    assert counter.says("not usable (Permission denied)")
    assert not counter.connected(wanted=False)

    counter.world.ask("permit", path=PLACE, mode=0o660)

    assert counter.connected()
    assert counter.scans(scanned(CODE)) == [CODE]


def test_a_scanner_that_another_program_holds_is_taken_when_it_lets_go(counter: Counter) -> None:
    counter.close()
    counter.world.ask("hold", path=PLACE)
    counter.open()
    assert counter.says("not usable (Device or resource busy)")
    assert not counter.connected(wanted=False)

    counter.world.ask("let_go", path=PLACE)

    assert counter.connected()
    assert counter.scans(scanned(CODE)) == [CODE]


def test_nobody_else_hears_a_scan(counter: Counter) -> None:
    counter.world.ask("listen", path=PLACE)

    assert counter.scans(scanned(CODE)) == [CODE]
    assert counter.world.ask("heard", path=PLACE) == 0


# Other devices


def test_what_another_scanner_types_is_not_read(counter: Counter) -> None:
    counter.plug("other", **scanner(socket=2, serial="S0002"))
    counter.world.ask("wait_for", path=PLACE.replace("S0001", "S0002"))

    counter.world.ask("type", name="other", reports=scanned("999").hex(), gap_ms=0)

    assert counter.scans(scanned(CODE)) == [CODE]


@pytest.mark.parametrize(
    "beside", [VENDOR_DESCRIPTION, MOUSE_DESCRIPTION, KEYBOARD_DESCRIPTION], ids=["vendor", "mouse", "keyboard"]
)
def test_a_scanner_of_several_parts_is_read_by_its_keyboard(counter: Counter, beside: str) -> None:
    counter.world.ask("throw_away", name="scanner")
    assert not counter.connected(wanted=False)
    counter.plug(**scanner(functions=[("hid.more", beside)]))
    assert counter.connected()

    assert counter.scans(scanned(CODE)) == [CODE]

    counter.world.ask("throw_away", name="scanner")
