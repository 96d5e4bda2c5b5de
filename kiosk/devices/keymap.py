"""From key presses to scans (pure).

A scanner in keyboard mode sends key positions, not characters. With an exclusive grab no layout of the operating
system acts, so the tables are here: US and Japanese (JIS 106/109), as the scanner itself is set.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kiosk.devices.ports import MAX_SCAN, Scan, ScanLost
from madoguchi.mynumber import wipe

EV_SYN: Final = 0
EV_KEY: Final = 1
SYN_DROPPED: Final = 3
RELEASE, PRESS = 0, 1

SILENCE_S: Final = 0.12
"""A scan without an end mark is over when no key was pressed for this long."""

REST_S: Final = 1.0
"""What begins so soon after a scan that only silence ended is the rest of it: the second half of somebody's link may
be a code of ours. Nobody holds up another code so fast."""

UNKNOWN_KEY: Final = 0x1A
"""SUB stands for a key that has no character: with a control character inside, no code is read."""

_EVENT = struct.Struct("@llHHi")
EVENT_SIZE: Final = _EVENT.size


@dataclass(frozen=True)
class InputEvent:
    """One `struct input_event` of the kernel; `at` in seconds of the monotonic clock."""

    kind: int
    code: int
    value: int
    at: float


def parse_events(data: bytes | bytearray | memoryview) -> Iterator[InputEvent]:
    """The whole events in what was read from the device; the kernel never gives half a one."""
    for seconds, micros, kind, code, value in _EVENT.iter_unpack(data[: len(data) // EVENT_SIZE * EVENT_SIZE]):
        yield InputEvent(kind, code, value, seconds + micros / 1e6)


def pack_event(event: InputEvent) -> bytes:
    """The bytes of an event, as a simulated device writes them."""
    seconds = int(event.at)
    return _EVENT.pack(seconds, round((event.at - seconds) * 1e6), event.kind, event.code, event.value)


_SHIFTS: Final = frozenset({42, 54})
_CTRLS: Final = frozenset({29, 97})
_ALTS: Final = frozenset({56, 100})
_MODIFIERS: Final = _SHIFTS | _CTRLS | _ALTS
_CAPS_LOCK: Final = 58
_TAB: Final = 15
_ENDS: Final = frozenset({28, 96, _TAB})  # Enter, Enter of the keypad, Tab
# Lights, Windows keys and mode keys of Japanese keyboards: pressed by some scanners, they carry nothing.
_IGNORED: Final = frozenset({69, 70, 125, 126, 85, 90, 91, 92, 93, 94})

_LETTER_ROWS = {16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}
_LETTERS = {first + i: letter for first, row in _LETTER_ROWS.items() for i, letter in enumerate(row)}
_KEYPAD = {
    71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3",
    82: "0", 83: ".", 55: "*", 98: "/", 117: "=", 121: ",",
}  # fmt: skip
_SAME = {51: ",<", 52: ".>", 53: "/?", 57: "  "}

_US_SIGNS = {
    2: "1!", 3: "2@", 4: "3#", 5: "4$", 6: "5%", 7: "6^", 8: "7&", 9: "8*", 10: "9(", 11: "0)",
    12: "-_", 13: "=+", 26: "[{", 27: "]}", 43: "\\|", 39: ";:", 40: "'\"", 41: "`~", 86: "\\|",
}  # fmt: skip
_JP_SIGNS = {
    2: "1!", 3: '2"', 4: "3#", 5: "4$", 6: "5%", 7: "6&", 8: "7'", 9: "8(", 10: "9)", 11: "00",
    12: "-=", 13: "^~", 26: "@`", 27: "[{", 43: "]}", 39: ";+", 40: ":*", 89: "\\_",
    # Where JIS has the yen sign, ASCII has the backslash: both are byte 5C of the code.
    124: "\\|",
}  # fmt: skip


def _table(signs: dict[int, str]) -> dict[int, str]:
    letters = {code: letter + letter.upper() for code, letter in _LETTERS.items()}
    keypad = {code: sign * 2 for code, sign in _KEYPAD.items()}
    return letters | keypad | _SAME | signs


LAYOUTS: Final[dict[str, dict[int, str]]] = {"us": _table(_US_SIGNS), "jp": _table(_JP_SIGNS)}
"""Layout → key → the character alone and the character with shift."""


class ScanAssembler:
    """Puts key events together to scans: `feed` each event, `silence` when there is none.

    Kept true by all of it: a scan is given whole or not at all. When the kernel dropped events, what is left of
    the scan is swallowed up to its end and ScanLost is given instead, for the half of a code may be another code.
    """

    def __init__(self, layout: str) -> None:
        self._table = LAYOUTS[layout]
        # One fixed buffer, wiped after each scan: one that grows would leave copies of its beginning in memory.
        self._buffer = bytearray(MAX_SCAN)
        self._length = 0
        self._held: set[int] = set()
        self._caps = False
        self._lost: str | None = None
        self._last_press: float | None = None
        self._paused_at: float | None = None

    @property
    def pending(self) -> bool:
        """Whether a scan has begun and not ended."""
        return self._last_press is not None

    def due_in(self, now: float) -> float:
        """Seconds until silence ends the scan that has begun."""
        return max(0.0, SILENCE_S - (now - self._last_press)) if self._last_press is not None else SILENCE_S

    def feed(self, event: InputEvent) -> list[Scan | ScanLost]:
        """Take one event; give the scans that it ended."""
        if event.kind == EV_SYN and event.code == SYN_DROPPED:
            self._lose("overrun", event.at)
            return []
        if event.kind != EV_KEY or event.value not in (RELEASE, PRESS):
            return []  # an autorepeat (2) of a stuck key is no press: it must not keep the scan awake
        ended = self.silence(event.at)
        if event.code in _MODIFIERS:
            (self._held.add if event.value == PRESS else self._held.discard)(event.code)
        elif event.value == PRESS:
            ended += self._press(event.code, event.at)
        return ended

    def silence(self, now: float) -> list[Scan | ScanLost]:
        """End the scan when nothing was pressed for SILENCE_S."""
        if self._last_press is None or now - self._last_press < SILENCE_S:
            return []
        paused_at = self._last_press
        ended = self._end()
        self._paused_at = paused_at
        return ended

    def lose(self, reason: str) -> list[Scan | ScanLost]:
        """The device went away: a scan that has begun is lost."""
        if self.pending:
            self._lose(reason, 0.0)
        return self._end()

    def _press(self, code: int, at: float) -> list[Scan | ScanLost]:
        char = self._character(code)
        if char in (0x0A, 0x0D) or code in _ENDS:
            return self._end("tab" if code == _TAB else "enter")
        if code == _CAPS_LOCK:
            self._caps = not self._caps
        elif code not in _IGNORED:
            self._keep(char, at)
        return []

    def _keep(self, char: int, at: float) -> None:
        if self._last_press is None and self._paused_at is not None and at - self._paused_at < REST_S:
            self._lose("pause", at)
        self._last_press = at
        if self._lost is not None:
            return
        if self._length == MAX_SCAN:
            self._lose("too_long", at)
            return
        self._buffer[self._length] = char
        self._length += 1

    def _character(self, code: int) -> int:
        pair = self._table.get(code)
        if pair is None or self._held & _ALTS:
            return UNKNOWN_KEY
        if self._held & _CTRLS:
            return ord(pair[0].upper()) & 0x1F  # Ctrl+J is LF, Ctrl+] the GS of GS1 codes
        shifted = bool(self._held & _SHIFTS)
        return ord(pair[shifted != (self._caps and pair[0].isalpha())])

    def _lose(self, reason: str, at: float) -> None:
        self._empty_buffer()
        self._held.clear()
        self._lost = reason
        self._last_press = at

    def _end(self, ended: str = "none") -> list[Scan | ScanLost]:
        scan, lost = Scan.of(self._buffer, self._length, ended), self._lost
        self._empty_buffer()
        self._lost, self._last_press, self._paused_at = None, None, None
        self._held.clear()
        self._caps = False
        if lost is not None:
            return [ScanLost(lost)]
        return [scan] if scan else []

    def _empty_buffer(self) -> None:
        wipe(self._buffer)
        self._length = 0
