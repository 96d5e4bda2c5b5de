"""What a scanner in keyboard mode sends for a text: HID reports of eight bytes, by the layout that it is set to."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kiosk.devices.keymap import LAYOUTS

# USB's number of a key (HID usage tables, page 7) → Linux's, which stands in the layouts.
KEYS: Final = {
    **{4 + n: code for n, code in enumerate(
        (30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44)
    )},
    **{30 + n: 2 + n for n in range(10)},
    40: 28, 43: 15, 44: 57, 45: 12, 46: 13, 47: 26, 48: 27, 49: 43, 51: 39, 52: 40, 53: 41, 54: 51, 55: 52, 56: 53,
    57: 58, 84: 98, 85: 55, 86: 74, 87: 78, 88: 96, 89: 79, 90: 80, 91: 81, 92: 75, 93: 76, 94: 77, 95: 71, 96: 72,
    97: 73, 98: 82, 99: 83, 135: 89, 137: 124,
}  # fmt: skip
USAGES: Final = {code: usage for usage, code in KEYS.items()}
ENTER, KEYPAD_ENTER, TAB, J, CAPS_LOCK = 40, 88, 43, 13, 57
CTRL, SHIFT = 1, 2
REST: Final = bytes(8)
# A keyboard of 255 keys with lights, as scanners describe themselves; the boot keyboard's 101 have no Japanese keys.
KEYBOARD_DESCRIPTION: Final = (
    "05010906a101050719e029e71500250175019508810295017508810195057501050819012905910295017503910195067508"
    "150026ff00050719002aff008100c0"
)
# A set of buttons that a maker describes in his own words: what a composite scanner has beside its keyboard.
VENDOR_DESCRIPTION: Final = "0600ff0901a101150026ff00750895080901810209019102c0"
MOUSE_DESCRIPTION: Final = (
    "05010902a1010901a100050919012903150025019503750181029501750581010501093009311581257f750895028106c0c0"
)


def pressed(usage: int, modifiers: int = 0) -> bytes:
    """One key down and nothing else."""
    return bytes((modifiers, 0, usage, 0, 0, 0, 0, 0))


def stroke(usage: int, modifiers: int = 0) -> bytes:
    """A key pressed and let go."""
    return pressed(usage, modifiers) + REST


def keys_of(text: str, layout: str = "us") -> Iterator[tuple[int, int]]:
    """Usage and modifiers of each character."""
    keys = [(code, pair) for code, pair in LAYOUTS[layout].items() if code in USAGES]
    where = {pair[shift]: (code, shift) for code, pair in keys for shift in (1, 0)}
    for character in text:
        code, shift = where[character]
        yield USAGES[code], SHIFT if shift else 0


def typed(text: str, layout: str = "us") -> bytes:
    """A text without an end mark."""
    return b"".join(stroke(usage, modifiers) for usage, modifiers in keys_of(text, layout))


def scanned(text: str, layout: str = "us") -> bytes:
    """A text and Enter."""
    return typed(text, layout) + stroke(ENTER)


def hid(description: str, *, keyboard: bool = True) -> dict[str, Any]:
    """A HID function as configfs wants it."""
    boot = "1" if keyboard else "0"
    return {"protocol": boot, "subclass": boot, "report_length": "8", "report_desc": description}


def scanner(socket: int = 1, serial: str = "S0001", functions: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """A scanner in one of the USB sockets."""
    more = {name: hid(description, keyboard=False) for name, description in functions}
    return {
        "socket": socket,
        "vendor": 0x05E0,
        "product": 0x1200,
        "strings": {"manufacturer": "RIG", "product": "Bar Code Scanner", "serialnumber": serial},
        "functions": {"hid.keys": hid(KEYBOARD_DESCRIPTION), **more},
    }
