"""Input devices as the kernel describes them: the scanner is found by its ids, strangers are held and told once."""

import errno
from pathlib import Path

import pytest

from kiosk.devices.input_guard import InputGuard
from kiosk.devices.inputs import Input, find_scanner, inputs, strangers
from kiosk.scanner_presets import known_ids, presets
from kiosk.scans import SUFFIXES
from tests.kiosk.fake_input import FakeDevice

LETTERS = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"  # as a keyboard says of itself
BUTTONS = "70000 0 0 0 0"
TOUCH = "400 0 0 0 0 0"


def plug(
    sysfs: Path, event: int, ids: str, keys: str = LETTERS, plug: str = "1", rel: str = "0", bus: str = "0003"
) -> None:
    """An input device as sysfs shows it."""
    device = sysfs / f"event{event}" / "device"
    for name, said in {
        "id/bustype": bus,
        "id/vendor": ids.partition(":")[0],
        "id/product": ids.partition(":")[2],
        "capabilities/key": keys,
        "capabilities/rel": rel,
        "capabilities/abs": "0",
        "phys": f"usb-0000:00:14.0-{plug}/input0",
        "name": f"thing {event}",
    }.items():
        (device / name).parent.mkdir(parents=True, exist_ok=True)
        (device / name).write_text(said + "\n")


def test_the_scanner_is_found_by_its_ids_under_whatever_number_it_comes(tmp_path: Path) -> None:
    plug(tmp_path, 3, "046d:c31c", plug="2")
    plug(tmp_path, 7, "05e0:1200", keys=BUTTONS, plug="3")  # its second interface has no letters
    plug(tmp_path, 8, "05e0:1200", plug="3")
    first = find_scanner(inputs(tmp_path), known_ids())
    (tmp_path / "event8").rename(tmp_path / "event21")

    assert (first, find_scanner(inputs(tmp_path), known_ids())) == ("/dev/input/event8", "/dev/input/event21")
    assert find_scanner(inputs(tmp_path), ("0c2e:*",)) is None


def test_of_two_scanners_always_the_same_is_read(tmp_path: Path) -> None:
    plug(tmp_path, 9, "05f9:2206", plug="1")
    plug(tmp_path, 4, "05f9:4204", plug="2")

    assert find_scanner(inputs(tmp_path), ("05f9:*",)) == "/dev/input/event9"


def test_keyboards_and_mice_are_strangers_and_scanner_and_touch_panel_are_not(tmp_path: Path) -> None:
    plug(tmp_path, 1, "05e0:1200", plug="1")
    plug(tmp_path, 2, "05e0:1200", keys=BUTTONS, rel="3", plug="1")
    plug(tmp_path, 3, "0eef:0001", keys=TOUCH, plug="2")
    plug(tmp_path, 4, "0eef:0001", keys=BUTTONS, rel="3", plug="2")  # a panel that can also be a mouse
    plug(tmp_path, 5, "0000:0001", keys=LETTERS, plug="isa", bus="0011")  # built in, with nothing plugged in
    plug(tmp_path, 6, "046d:c31c", plug="3")
    plug(tmp_path, 7, "046d:c077", keys=BUTTONS, rel="3", plug="4")
    (tmp_path / "event8").mkdir()  # gone while it is looked at

    assert [one.path for one in strangers(inputs(tmp_path), "/dev/input/event1")] == [
        "/dev/input/event6",
        "/dev/input/event7",
    ]


def test_a_link_to_the_scanner_is_the_scanner(tmp_path: Path) -> None:
    link, device = tmp_path / "by-id", tmp_path / "event1"
    device.touch()
    link.symlink_to(device)
    scanner = Input(str(device), "", "05e0:1200", "1", True, True, False, False)

    assert strangers([scanner], str(link)) == ()


KEYBOARD = Input("/dev/input/event6", "keyboard", "046d:c31c", "3", True, True, False, False)


class Room:
    """What is plugged in, and what opening it gives."""

    def __init__(self, *there: Input) -> None:
        self.there: tuple[Input, ...] = there
        self.scanner: str | None = None
        self.opened: list[FakeDevice] = []
        self.refused: OSError | None = None
        self.guard = InputGuard(lambda: self.scanner, lambda: self.there, self.open)

    def open(self, _: str) -> FakeDevice:
        if self.refused is not None:
            raise self.refused
        self.opened.append(FakeDevice())
        return self.opened[-1]


def test_a_stranger_is_told_once_and_held_until_it_goes() -> None:
    room = Room(KEYBOARD)
    told = [room.guard.look() for _ in range(4)]
    (device,) = room.opened
    held = device.grabbed
    room.there = ()
    room.guard.look()

    assert told == [(), (KEYBOARD,), (), ()]
    assert (held, device.closed) == (1, True)


def test_who_comes_again_is_told_again() -> None:
    room = Room(KEYBOARD)
    for there in ((KEYBOARD,), (KEYBOARD,), ()):
        room.there = there
        room.guard.look()
    room.there = (KEYBOARD,)

    assert [room.guard.look() for _ in range(2)] == [(), (KEYBOARD,)]


def test_what_may_not_be_held_yet_is_told_at_once_and_held_later() -> None:
    room = Room(KEYBOARD)
    room.refused = PermissionError(errno.EACCES, "not yet")
    told = [room.guard.look() for _ in range(3)]
    room.refused = None
    room.guard.look()

    assert told == [(), (KEYBOARD,), ()]
    assert [device.grabbed for device in room.opened] == [1]
    room.guard.close()
    assert room.opened[0].closed


def test_a_scanner_whose_link_comes_later_is_given_back() -> None:
    room = Room(KEYBOARD)
    room.guard.look()
    room.guard.look()
    room.scanner = KEYBOARD.path
    room.guard.look()

    assert [device.closed for device in room.opened] == [True]


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_family_says_where_it_is_found_and_how_it_is_set(name: str) -> None:
    preset = presets()[name]

    assert preset.ids
    assert preset.layout in ("us", "jp")
    assert preset.suffix in SUFFIXES
    assert preset.by_name_only == (not set(preset.ids) & set(known_ids()))


def test_no_id_stands_for_two_families() -> None:
    ids = [usb_id for preset in presets().values() for usb_id in preset.ids]

    assert len(ids) == len(set(ids)) == len({usb_id.lower() for usb_id in ids})
