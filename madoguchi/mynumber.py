"""The 12-digit rule: what may be a My Number (個人番号) is refused before anything keeps it (pure).

We have no business with the number (番号法 19条, 20条), not even by mistake. It stands as a 2D code on
the back of every card, so people will hold it to the scanner. Twelve digits may also be something else
(parcels, driving licences); they are refused all the same, for a wrong check digit proves nothing.

Everything here works over the caller's buffer, which the caller wipes; `str` and `bytes` cannot be wiped.
"""

import unicodedata
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

DIGITS: Final = 12

_WEIGHTS: Final = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_SEPARATOR: Final = 10
_OTHER: Final = 11
_MEANT_AS_HYPHEN: Final = "ーｰ−"  # long vowels and the minus sign, which a Japanese keyboard gives for it


def check_digit_ok(digits: bytes | bytearray) -> bool:
    """Whether 12 ASCII digits end in their check digit (平成26年総務省令第85号 第5条)."""
    if len(digits) != DIGITS or not digits.isdigit():
        return False
    rest = sum(weight * (digit - 48) for weight, digit in zip(_WEIGHTS, digits, strict=False)) % 11
    return digits[-1] - 48 == (0 if rest <= 1 else 11 - rest)


def may_be_my_number(payload: bytes | bytearray) -> bool:
    """Whether nobody may keep this: 12 digits and nothing else, or 12 digits that check in other text.

    Spaces, hyphens, control characters, other forms of digits and the scanner's prefix make no difference;
    in other text the digits stand together or as 4-4-4. One pass, whatever the length.
    """
    with memoryview(payload) as view:
        return _twelve_digits(_characters(view, _start(view)))


def wipe(buffer: bytearray) -> None:
    """Overwrite the buffer in place, so that nothing of it stays in memory."""
    buffer[:] = bytes(len(buffer))


def _twelve_digits(characters: Iterator[int]) -> bool:
    last: deque[int] = deque(maxlen=DIGITS)
    groups: deque[int] = deque(maxlen=3)  # lengths of the last runs of digits, only separators between
    run = total = 0
    nothing_else = True
    for character in chain(characters, (_SEPARATOR,)):
        if character < 10:
            last.append(character)
            run += 1
            total += 1
            continue
        if run:
            groups.append(run)
            if (run == DIGITS or list(groups) == [4, 4, 4]) and _checks(last):
                return True
            run = 0
        if character == _OTHER:
            groups.clear()
            nothing_else = False
    return nothing_else and total == DIGITS


def _checks(last: deque[int]) -> bool:
    digits = bytearray(digit + 48 for digit in last)
    try:
        return check_digit_ok(digits)
    finally:
        wipe(digits)


def _start(view: memoryview) -> int:
    """Where the payload begins after an AIM prefix: ]C0 before 12 digits would else look like a run of 13."""
    at = next((place for place, byte in enumerate(view) if byte > 0x20), len(view))
    if len(view) - at < 3 or view[at] != 0x5D:
        return at
    return at + 3 if chr(view[at + 1]).isalpha() and chr(view[at + 2]).isalnum() else at


def _characters(view: memoryview, at: int) -> Iterator[int]:
    """Each character of UTF-8 text: its value as a digit, _SEPARATOR, or _OTHER (as is what is no UTF-8)."""
    while at < len(view):
        byte = view[at]
        if byte < 0x80:
            yield _ASCII[byte]
            at += 1
        else:
            point, length = _code_point(view, at)
            yield _value(chr(point)) if length else _OTHER
            at += length or 1


def _code_point(view: memoryview, at: int) -> tuple[int, int]:
    """The code point that begins here and how many bytes it has; 0 bytes when none begins here."""
    lead = view[at]
    length = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2
    if lead < 0xC2 or at + length > len(view):
        return 0, 0
    point = lead & (0x7F >> length)
    for following in view[at + 1 : at + length]:
        if following & 0xC0 != 0x80:
            return 0, 0
        point = point << 6 | following & 0x3F
    return (point, length) if point <= 0x10FFFF else (0, 0)


def _value(character: str) -> int:
    if character in _MEANT_AS_HYPHEN or unicodedata.category(character) in ("Cc", "Cf", "Pd", "Zs"):
        return _SEPARATOR
    return unicodedata.digit(character, _OTHER)


_ASCII: Final = tuple(_value(chr(byte)) for byte in range(0x80))
