"""A keyboard that types codes: the events of a scanner, and an input device with a real descriptor."""

import contextlib
import os
from collections.abc import Iterable, Iterator

from kiosk.devices.keymap import (
    EV_KEY,
    EV_SYN,
    LAYOUTS,
    PRESS,
    RELEASE,
    SYN_DROPPED,
    InputEvent,
    pack_event,
)

EV_MSC = 4
AUTOREPEAT = 2
EVENTS_AT_ONCE = 64  # what the kernel keeps for a reader
ENTER, KEYPAD_ENTER, TAB, SHIFT, CTRL, ALT, CAPS_LOCK = 28, 96, 15, 42, 29, 56, 58
DROPPED = InputEvent(EV_SYN, SYN_DROPPED, 0, 0.0)


def key(code: int, at: float = 0.0) -> Iterator[InputEvent]:
    """One key pressed and let go, as the kernel tells it."""
    for value in (PRESS, RELEASE):
        yield InputEvent(EV_MSC, 4, code, at)
        yield InputEvent(EV_KEY, code, value, at)
        yield InputEvent(EV_SYN, 0, 0, at)


def held(modifier: int, codes: Iterable[int], at: float = 0.0) -> Iterator[InputEvent]:
    """Keys pressed while a modifier is held."""
    yield InputEvent(EV_KEY, modifier, PRESS, at)
    for code in codes:
        yield from key(code, at)
    yield InputEvent(EV_KEY, modifier, RELEASE, at)


def typed(text: str, layout: str = "us", at: float = 0.0, gap: float = 0.002) -> list[InputEvent]:
    """A text as a scanner set to this layout types it, without an end mark."""
    keys = {pair[shift]: (code, shift) for code, pair in LAYOUTS[layout].items() for shift in (1, 0)}
    events: list[InputEvent] = []
    for n, character in enumerate(text):
        code, shift = keys[character]
        events += held(SHIFT, [code], at + n * gap) if shift else key(code, at + n * gap)
    return events


def scanned(text: str, layout: str = "us", at: float = 0.0, end: int = ENTER) -> list[InputEvent]:
    """A text with its end mark."""
    return [*typed(text, layout, at), *key(end, at + 0.002 * len(text))]


class FakeDevice:
    """An input device over a pipe. `unplug` ends it, as reading a device that is gone fails."""

    def __init__(self) -> None:
        # In packets, for a device too never gives half an event.
        self.read_end, self._write_end = os.pipe2(os.O_DIRECT)
        os.set_blocking(self.read_end, False)
        self.grabbed = 0
        self.closed = False

    def fileno(self) -> int:
        return self.read_end

    def grab(self) -> None:
        self.grabbed += 1

    def close(self) -> None:
        self.closed = True
        os.close(self.read_end)
        with contextlib.suppress(OSError):
            os.close(self._write_end)

    def types(self, events: Iterable[InputEvent]) -> None:
        waiting = list(events)
        for start in range(0, len(waiting), EVENTS_AT_ONCE):
            packet = waiting[start : start + EVENTS_AT_ONCE]
            os.write(self._write_end, b"".join(pack_event(event) for event in packet))

    def unplug(self) -> None:
        os.close(self._write_end)
        self._write_end = -1
