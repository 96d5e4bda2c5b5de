"""The words of ESC/POS: how long each command is, and what can be wrong with a job (pure)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CUTS: Final = (b"\x1dV", b"\x1bi", b"\x1bm")
RASTER: Final = b"\x1dv"
REAL_TIME_STATUS: Final = b"\x10\x04"
STATUS_COMMANDS: Final = {REAL_TIME_STATUS: "DLE EOT", b"\x1dr": "GS r", b"\x1da": "GS a"}
INTRODUCERS: Final = b"\x10\x1b\x1c\x1d"

INCOMPLETE: Final = -1
UNKNOWN: Final = 0


class FaultKind(StrEnum):
    """What is wrong with a job."""

    TRUNCATED = "truncated"
    LOST_BYTE = "lost_raster_byte"
    STRAY_BYTE = "stray_byte"
    TOO_WIDE = "too_wide"
    TOO_LONG = "too_long"
    NO_CUT = "no_cut"
    HIGH_BYTE = "high_byte_without_kanji_mode"
    KANJI = "kanji_not_drawn"
    UNKNOWN = "unknown_command"
    UNSUPPORTED = "unsupported"
    BAD_VALUE = "bad_value"
    LINE = "line_not_empty"


@dataclass(frozen=True)
class Fault:
    """What is wrong, at which byte of the job, and in how many bytes one after another."""

    kind: FaultKind
    at: int
    detail: str = ""
    count: int = 1


@dataclass(frozen=True)
class StatusRequest:
    """A question that the printer is to answer: "DLE EOT", "GS r" or "GS a", and its number."""

    command: str
    n: int


def size_of(data: bytes) -> int:
    """How long the command is that begins here; INCOMPLETE while that cannot be told, UNKNOWN for none of ours."""
    if len(data) < 2:
        return INCOMPLETE
    size = _SIZES.get(data[:2], UNKNOWN)
    return size if isinstance(size, int) else size(data)


def name_of(command: bytes) -> str:
    """As manuals write it: ESC d, GS V, FS &."""
    first = {0x10: "DLE", 0x1B: "ESC", 0x1C: "FS", 0x1D: "GS"}[command[0]]
    second = {0x04: "EOT", 0x05: "ENQ", 0x0C: "FF", 0x14: "DC4", 0x20: "SP"}.get(command[1], chr(command[1]))
    of_three = command[:2] in (RASTER, b"\x1d(", b"\x1d8", b"\x1b(", b"\x1c(")
    return f"{first} {second} {command[2:3].decode('latin-1')}" if of_three else f"{first} {second}"


def byte_was_lost(picture: bytes, following: bytes) -> bool:
    """Whether a picture's last bytes look like the command that should have come after it.

    A picture that lost bytes on the way takes as many from what follows: its end is a command or the first part
    of one. What follows must then not begin a command itself.
    """
    for length in range(1, min(len(picture), 8) + 1):
        tail = picture[-length:]
        if tail[0] not in INTRODUCERS[1:]:
            continue
        size = size_of(tail)
        if size == length and tail[:2] in _AFTER_PICTURES and length > 1:
            return True
        if following and following[0] not in INTRODUCERS:
            whole = size_of(tail + following[:1])
            if whole > length or whole == INCOMPLETE:
                return True
    return False


_AFTER_PICTURES: Final = (b"\x1b@", b"\x1bJ", b"\x1ba", b"\x1bd", b"\x1dV")
"""What drivers send after a picture. Commands that the dots of a drawing seldom spell at its very end."""


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _raster_size(data: bytes) -> int:
    if data[2:3] not in (b"", b"0"):
        return UNKNOWN
    return 8 + _word(data, 4) * _word(data, 6) if len(data) >= 8 else INCOMPLETE


def _columns_size(data: bytes) -> int:
    if len(data) > 2 and data[2] not in (0, 1, 32, 33):
        return UNKNOWN
    return 5 + _word(data, 3) * (3 if data[2] >= 32 else 1) if len(data) >= 5 else INCOMPLETE


def _function_size(data: bytes) -> int:
    if len(data) > 2 and not chr(data[2]).isalpha():
        return UNKNOWN
    return 5 + _word(data, 3) if len(data) >= 5 else INCOMPLETE


def _long_function_size(data: bytes) -> int:
    if data[2:3] not in (b"", b"L"):
        return UNKNOWN
    return 7 + int.from_bytes(data[3:7], "little") if len(data) >= 7 else INCOMPLETE


def _cut_size(data: bytes) -> int:
    return INCOMPLETE if len(data) < 3 else _CUT_SIZES.get(data[2], UNKNOWN)


_CUT_SIZES: Final = {0: 3, 1: 3, 48: 3, 49: 3, 65: 4, 66: 4, 97: 4, 98: 4, 103: 4, 104: 4}


def _barcode_size(data: bytes) -> int:
    if len(data) < 4:
        return INCOMPLETE
    if 65 <= data[2] <= 79:
        return 4 + data[3]
    return _up_to_zero(data, 3) if data[2] <= 6 else UNKNOWN


def _tabs_size(data: bytes) -> int:
    size = _up_to_zero(data, 2)
    longest = 2 + 32 + 1
    return UNKNOWN if size > longest or (size == INCOMPLETE and len(data) > longest) else size


def _up_to_zero(data: bytes, start: int) -> int:
    end = data.find(0, start)
    return end + 1 if end >= 0 else INCOMPLETE


def _pulse_size(data: bytes) -> int:
    return INCOMPLETE if len(data) < 3 else {1: 5, 2: 5, 3: 5, 7: 4, 8: 10}.get(data[2], UNKNOWN)


def _real_time_status_size(data: bytes) -> int:
    return INCOMPLETE if len(data) < 3 else 4 if data[2] in (7, 8, 18) else 3


_SECOND_BYTES: Final = {
    b"\x10": {3: b"\x05"},
    b"\x1b": {2: b"2@LSimv<\x0c", 3: b" !%-3=?AEGJKMRTUVadertu{+", 4: b"$B\\c", 5: b"p", 10: b"W"},
    b"\x1c": {2: b"&.", 3: b"!-CW", 4: b"Sp"},
    b"\x1d": {2: b":c\x0c", 3: b"!/BHITabfhrw|", 4: b"$LPW\\", 5: b"^z"},
}
"""Commands of one length, by their first byte: length → second bytes."""

_SIZES: Final[dict[bytes, int | Callable[[bytes], int]]] = {
    **{
        first + bytes((second,)): size
        for first, sizes in _SECOND_BYTES.items()
        for size, seconds in sizes.items()
        for second in seconds
    },
    REAL_TIME_STATUS: _real_time_status_size,
    b"\x10\x14": _pulse_size,
    b"\x1b(": _function_size,
    b"\x1b*": _columns_size,
    b"\x1bD": _tabs_size,
    b"\x1c(": _function_size,
    b"\x1d(": _function_size,
    b"\x1d8": _long_function_size,
    b"\x1dV": _cut_size,
    b"\x1dk": _barcode_size,
    RASTER: _raster_size,
}
