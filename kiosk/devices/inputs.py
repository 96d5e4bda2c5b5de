"""Which input devices there are, as sysfs tells without any permission: the scanner found by its ids, and strangers."""

import os
import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYSFS: Final = Path("/sys/class/input")
DEV: Final = Path("/dev/input")

_USB, _BLUETOOTH = 3, 5
_KEY_ENTER, _KEY_A, _BTN_LEFT, _BTN_TOUCH, _REL_X, _ABS_MT_POSITION_X = 28, 30, 0x110, 0x14A, 0, 0x35
_WORD_BITS = struct.calcsize("l") * 8  # the kernel writes bit masks in words of the reader's size


@dataclass(frozen=True)
class Input:
    """One input device: `path` in /dev/input, `usb_id` vendor:product, `plug` alike for all interfaces of one thing."""

    path: str
    name: str
    usb_id: str
    plug: str
    pluggable: bool
    keyboard: bool
    mouse: bool
    touch: bool


def inputs(sysfs: Path = SYSFS) -> tuple[Input, ...]:
    """The input devices there are now, by where they are plugged in."""
    found = [_input(folder) for folder in sysfs.glob("event*")]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.plug, one.path)))


def find_scanner(found: Iterable[Input], ids: Collection[str]) -> str | None:
    """The path of the first keyboard with one of these ids; the others of its interfaces have no letters."""
    return next((one.path for one in found if one.keyboard and _is_one_of(one.usb_id, ids)), None)


def strangers(found: Iterable[Input], scanner: str | None) -> tuple[Input, ...]:
    """Keyboards and mice that were plugged in, beside the scanner and the touch panel with all their interfaces.

    `scanner`: its path, also by one of its links; None while nobody knows.
    """
    found = tuple(found)
    own = None if scanner is None else os.path.realpath(scanner)
    ours = {one.plug for one in found if one.touch or one.path == own}
    return tuple(one for one in found if one.pluggable and (one.keyboard or one.mouse) and one.plug not in ours)


def _input(folder: Path) -> Input | None:
    device = folder / "device"
    try:
        bus, vendor, product = (_text(device / "id" / name) for name in ("bustype", "vendor", "product"))
        keys, moves, places = (_bits(device / "capabilities" / name) for name in ("key", "rel", "abs"))
        path, phys = str(DEV / folder.name), _text(device / "phys")
        return Input(
            path=path,
            name=_text(device / "name"),
            usb_id=f"{vendor}:{product}",
            plug=phys.rpartition("/input")[0] or phys or path,
            pluggable=int(bus, 16) in (_USB, _BLUETOOTH),
            keyboard=_has(keys, _KEY_A) and _has(keys, _KEY_ENTER),
            mouse=_has(keys, _BTN_LEFT) and _has(moves, _REL_X),
            touch=_has(keys, _BTN_TOUCH) or _has(places, _ABS_MT_POSITION_X),
        )
    except (OSError, ValueError):
        return None  # unplugged while it was looked at


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _bits(path: Path) -> int:
    bits = 0
    for word in _text(path).split():
        bits = bits << _WORD_BITS | int(word, 16)
    return bits


def _has(bits: int, code: int) -> bool:
    return bool(bits >> code & 1)


def _is_one_of(usb_id: str, ids: Collection[str]) -> bool:
    return usb_id in ids or f"{usb_id.partition(':')[0]}:*" in ids
