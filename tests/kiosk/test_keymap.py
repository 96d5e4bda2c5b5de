"""From key presses to scans: whole codes or none, whatever the scanner's settings and the kernel's haste."""

import string
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.keymap import (
    EV_KEY,
    EVENT_SIZE,
    LAYOUTS,
    PRESS,
    RELEASE,
    UNKNOWN_KEY,
    InputEvent,
    ScanAssembler,
    pack_event,
    parse_events,
)
from kiosk.devices.ports import MAX_SCAN, ScanLost
from tests.kiosk.fake_input import (
    ALT,
    AUTOREPEAT,
    CAPS_LOCK,
    CTRL,
    DROPPED,
    ENTER,
    KEYPAD_ENTER,
    SHIFT,
    TAB,
    held,
    key,
    scanned,
    typed,
)

CODE = "B-7K3F-9QXM-C"
LINK = "https://madoguchi.example:8000/b/N7K3F9QXM2PC"


def assembled(events: Iterable[InputEvent], layout: str = "us") -> list[bytearray | ScanLost]:
    assembler = ScanAssembler(layout)
    return [scan for event in events for scan in assembler.feed(event)]


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("text", [CODE, LINK, "]Q1" + LINK, "983205673214"])
def test_a_scan_comes_over_character_by_character(layout: str, text: str) -> None:
    assert assembled(scanned(text, layout), layout) == [bytearray(text.encode())]


@given(st.text(sorted(set(string.printable) - set(string.whitespace)), min_size=1, max_size=60))
def test_every_printable_character_survives_the_us_table(text: str) -> None:
    assert assembled(scanned(text)) == [bytearray(text.encode())]


@given(st.text(sorted(set(string.printable) - set(string.whitespace)), min_size=1, max_size=60))
def test_every_printable_character_survives_the_japanese_table(text: str) -> None:
    assert assembled(scanned(text, "jp"), "jp") == [bytearray(text.encode())]


def test_signs_lie_elsewhere_on_a_japanese_keyboard() -> None:
    wrong = assembled(scanned("https://x", "jp"), "us")

    assert wrong == [bytearray(b"https'//x")]


@pytest.mark.parametrize("end", [ENTER, KEYPAD_ENTER, TAB])
def test_a_scan_ends_with_the_scanners_end_mark(end: int) -> None:
    assert assembled(scanned(CODE, end=end)) == [bytearray(CODE.encode())]


def test_ctrl_j_is_a_line_feed_and_a_second_end_mark_is_no_scan() -> None:
    events = [*typed(CODE), *held(CTRL, [36]), *key(ENTER)]

    assert assembled(events) == [bytearray(CODE.encode())]


def test_without_an_end_mark_a_pause_ends_the_scan() -> None:
    assembler = ScanAssembler("us")
    during = [scan for event in typed("B7K3") for scan in assembler.feed(event)]
    early, then = assembler.silence(0.006 + 0.119), assembler.silence(0.006 + 0.121)

    assert (during, early, then) == ([], [], [bytearray(b"B7K3")])
    assert not assembler.pending


def test_what_follows_a_pause_is_another_scan_even_when_it_is_read_late() -> None:
    events = [*typed("B7K3", at=1.0), *scanned("N9QX", at=2.2)]

    assert assembled(events) == [bytearray(b"B7K3"), bytearray(b"N9QX")]


def test_what_follows_a_pause_too_soon_is_the_rest_of_the_same_scan_and_no_code() -> None:
    events = [*typed("https://elsewhere.example/", at=1.0), *scanned("B-7K3F-9QXM-C", at=1.3), *scanned("N9QX", at=1.5)]

    assert assembled(events) == [bytearray(b"https://elsewhere.example/"), ScanLost("pause"), bytearray(b"N9QX")]


def test_an_autorepeat_is_no_key_press_and_does_not_keep_the_scan_awake() -> None:
    assembler = ScanAssembler("us")
    events = [*typed("B7"), *(InputEvent(EV_KEY, 8, AUTOREPEAT, 0.01 * n) for n in range(50))]
    scans = [scan for event in events for scan in assembler.feed(event)]

    assert scans + assembler.silence(0.5) == [bytearray(b"B7")]


def test_caps_lock_turns_letters_but_not_digits_and_is_forgotten_after_the_scan() -> None:
    events = [*key(CAPS_LOCK), *typed("b7"), *held(SHIFT, [48]), *key(ENTER), *scanned("b")]

    assert assembled(events) == [bytearray(b"B7b"), bytearray(b"b")]


def test_the_other_shift_still_holds_when_one_is_let_go() -> None:
    down, up = (InputEvent(EV_KEY, 54, value, 0.0) for value in (PRESS, RELEASE))
    events = [down, *held(SHIFT, [48]), *key(48), up, *key(48), *key(ENTER)]

    assert assembled(events) == [bytearray(b"BBb")]


def test_digits_of_the_keypad_are_digits() -> None:
    events = [*key(80), *key(82), *key(73), *key(74), *key(KEYPAD_ENTER)]

    assert assembled(events) == [bytearray(b"209-")]


@pytest.mark.parametrize("events", [list(held(ALT, [71, 72])), list(key(200))], ids=["alt codes", "no such key"])
def test_what_has_no_character_makes_the_scan_unreadable(events: list[InputEvent]) -> None:
    (scan,) = assembled([*typed("B7"), *events, *key(ENTER)])

    assert isinstance(scan, bytearray)
    assert UNKNOWN_KEY in scan


class TestDroppedEvents:
    def test_when_the_kernel_dropped_events_the_whole_scan_is_lost_and_the_next_is_whole(self) -> None:
        events = typed(CODE)
        events[30:60] = [DROPPED]

        assert assembled([*events, *key(ENTER), *scanned("N1")]) == [ScanLost("overrun"), bytearray(b"N1")]

    def test_a_dropped_end_mark_is_made_up_for_by_silence(self) -> None:
        assembler = ScanAssembler("us")
        scans = [scan for event in [*typed("B7K3"), DROPPED] for scan in assembler.feed(event)]

        assert scans + assembler.silence(1.0) == [ScanLost("overrun")]

    def test_a_shift_whose_release_was_dropped_is_not_held_for_the_next_scan(self) -> None:
        events = [InputEvent(EV_KEY, SHIFT, PRESS, 0.0), *typed("B7"), DROPPED, *key(ENTER), *scanned("1")]

        assert assembled(events) == [ScanLost("overrun"), bytearray(b"1")]


class TestBounds:
    def test_an_endless_scan_is_refused_without_losing_the_next(self) -> None:
        events = [*typed("9" * 10_000, gap=0.0), *key(ENTER), *scanned(CODE)]

        assert assembled(events) == [ScanLost("too_long"), bytearray(CODE.encode())]

    def test_the_longest_scan_is_given_whole(self) -> None:
        (scan,) = assembled([*typed("9" * MAX_SCAN, gap=0.0), *key(ENTER)])

        assert scan == bytearray(b"9" * MAX_SCAN)

    def test_nothing_of_a_scan_stays_in_the_assembler(self) -> None:
        assembler = ScanAssembler("us")
        for event in scanned("983205673214"):
            assembler.feed(event)

        assert b"9832" not in bytes(assembler._buffer)

    def test_a_scan_that_was_cut_off_by_unplugging_is_lost(self) -> None:
        assembler = ScanAssembler("us")
        for event in typed("B7"):
            assembler.feed(event)

        assert (assembler.lose("unplugged"), assembler.lose("unplugged")) == ([ScanLost("unplugged")], [])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 600), st.integers(0, 2), st.floats(0, 9))))
def test_no_events_whatever_break_the_assembler(raw: list[tuple[int, int, int, float]]) -> None:
    for scan in assembled(InputEvent(*fields) for fields in sorted(raw, key=lambda fields: fields[3])):
        assert isinstance(scan, ScanLost) or 0 < len(scan) <= MAX_SCAN


def test_events_are_read_as_the_kernel_writes_them() -> None:
    event = InputEvent(EV_KEY, ENTER, PRESS, 12.5)
    data = pack_event(event) * 2

    assert list(parse_events(data + b"half")) == [event, event]
    assert len(data) == 2 * EVENT_SIZE
