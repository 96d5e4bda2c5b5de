"""What a scan is that is no code of ours (pure): the class and length of a text, and a scanner that is set otherwise.

Of somebody else's code nothing but its class and length is ever kept or told.
"""

import re
from dataclasses import dataclass
from typing import Final

from kiosk.devices.keymap import LAYOUTS, UNKNOWN_KEY
from madoguchi import codes

_CLASSES: Final = {
    "digits": re.compile(r"[0-9]+"),
    "capitals": re.compile(r"[0-9A-Z-]+"),
    "letters": re.compile(r"[0-9A-Za-z-]+"),
    "link": re.compile(r"(?i:https?)://[!-~]+"),
    "ascii": re.compile(r"[ -~]+"),
    "text": re.compile(r"(?s:.+)"),
}
SUFFIXES: Final = ("enter", "tab", "none")
"""What ends a scan; `none`: silence does."""

SHAPE: Final = re.compile(rf"({'|'.join(_CLASSES)})-[1-9][0-9]{{0,3}}")


@dataclass(frozen=True)
class ScannerSetup:
    """How the scanner is set, as far as it is known, and the shapes of the code that stands on the postcard."""

    layout: str = "us"
    suffix: str = ""
    postcard: frozenset[str] = frozenset()


def shape_of(text: str) -> str:
    """Class and length of a text, such as `digits-23`; empty for no text. A scanner's prefix does not count."""
    plain = codes.AIM_PREFIX.sub("", text.strip())
    kind = next((kind for kind, pattern in _CLASSES.items() if pattern.fullmatch(plain)), "")
    return kind and f"{kind}-{len(plain)}"


def why_unread(text: str, read: codes.Unread, hosts: tuple[str, ...], setup: ScannerSetup) -> str:
    """The refusal code for a text that is no code of ours: `other_code` (that of the postcard), `wrong_code`, or
    `unreadable` for one of ours that did not come over whole.
    """
    if shape_of(text) in setup.postcard:
        return "other_code"
    # Characters that have no key, or no place in a text, do not make somebody else's code one of ours.
    printed = "".join(character for character in text if character.isprintable())[: codes.LONGEST]
    if text and codes.read(printed, hosts) is codes.Unread.WRONG_CODE:
        return codes.Unread.WRONG_CODE
    return read


def typed_otherwise(text: str, hosts: tuple[str, ...], layout: str) -> bool:
    """Whether the scan is a code of ours if the scanner were set to another layout than the kiosk takes it for."""
    return any(
        isinstance(codes.read(retyped(text, layout, other), hosts), codes.Code) for other in LAYOUTS if other != layout
    )


def retyped(text: str, read_as: str, typed_as: str) -> str:
    """What a scan read with one layout says in another: the same keys. A character without a key stays."""
    return text.translate(_RETYPED[read_as, typed_as])


def same_keys(wanted: str, text: str, read_as: str, typed_as: str) -> bool:
    """Whether a text read with one layout is what a scanner set to another types for the text that was wanted."""
    read, typed = LAYOUTS[read_as], LAYOUTS[typed_as]
    seen: dict[str, set[str]] = {}
    for key, pair in typed.items():
        for character, other in zip(pair, read.get(key, chr(UNKNOWN_KEY) * 2), strict=True):
            seen.setdefault(character, set()).add(other)
    return len(text) == len(wanted) and all(b in seen.get(a, ()) for a, b in zip(wanted, text, strict=True))


def _keys(read_as: str, typed_as: str) -> dict[int, int]:
    """Character → character on the same key. Of two keys with one character, the usual one comes last in its table."""
    read, typed = LAYOUTS[read_as], LAYOUTS[typed_as]
    return {
        ord(read[key][shift]): ord(typed[key][shift]) if key in typed else UNKNOWN_KEY
        for key in sorted(read, key=_RARE.__contains__, reverse=True)
        for shift in (1, 0)
    }


_RARE: Final = frozenset({86, 89}) | frozenset(range(71, 84)) | {55, 98, 117, 121}
"""Keys whose characters also have a usual key: those of the keypad, and the ones beside the two shifts."""

_RETYPED: Final = {(a, b): _keys(a, b) for a in LAYOUTS for b in LAYOUTS}
