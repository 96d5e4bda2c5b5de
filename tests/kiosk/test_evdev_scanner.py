"""The driver of the real scanner over a device that comes and goes."""

import errno
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from kiosk.devices.evdev_scanner import EvdevScanner
from kiosk.devices.ports import Scan, ScanLost
from tests.kiosk.fake_input import DROPPED, ENTER, KEYPAD_ENTER, TAB, FakeDevice, key, scanned, typed

CODE = bytearray(b"B7K3")


class Socket:
    """A USB socket: what opening the device's path gives, one after another; the last one stays."""

    def __init__(self, *plugged: FakeDevice | OSError) -> None:
        self._plugged = list(plugged)
        self.opened = 0

    def open(self, _: str) -> FakeDevice:
        self.opened += 1
        found = self._plugged.pop(0) if len(self._plugged) > 1 else self._plugged[0]
        if isinstance(found, OSError):
            raise found
        return found


@pytest.fixture
def plug() -> Iterator[Callable[..., EvdevScanner]]:
    scanners: list[EvdevScanner] = []

    def make(*plugged: FakeDevice | OSError) -> EvdevScanner:
        scanners.append(EvdevScanner("/dev/input/scanner", "us", Socket(*plugged).open))
        return scanners[-1]

    yield make
    for scanner in scanners:
        scanner.close()


def wait_for(what: Callable[[], bool], seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.01)


def test_the_device_is_grabbed_so_that_nothing_is_typed_into_the_console(
    plug: Callable[..., EvdevScanner],
) -> None:
    device = FakeDevice()
    scanner = plug(device)

    wait_for(scanner.connected)

    assert device.grabbed == 1


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EBUSY])
def test_a_scanner_that_is_not_there_not_allowed_or_taken_is_waited_for(
    plug: Callable[..., EvdevScanner], number: int
) -> None:
    device = FakeDevice()
    scanner = plug(OSError(number, "not yet"), device)

    wait_for(scanner.connected)
    device.types(scanned("B7K3", at=time.monotonic()))

    assert scanner.read(2.0) == CODE


def test_a_scanner_that_somebody_else_has_grabbed_is_given_back_and_tried_again(
    plug: Callable[..., EvdevScanner],
) -> None:
    class Taken(FakeDevice):
        def grab(self) -> None:
            raise OSError(errno.EBUSY, "taken")

    taken, device = Taken(), FakeDevice()
    scanner = plug(taken, device)

    wait_for(scanner.connected)

    assert taken.closed


def test_after_unplugging_it_waits_for_the_scanner_and_grabs_it_again(
    plug: Callable[..., EvdevScanner],
) -> None:
    first, second = FakeDevice(), FakeDevice()
    scanner = plug(first, OSError(errno.ENOENT, "gone"), second)
    wait_for(scanner.connected)

    first.types(typed("B7", at=time.monotonic()))
    first.unplug()
    lost = scanner.read(2.0)
    wait_for(lambda: second.grabbed == 1)
    second.types(scanned("B7K3", at=time.monotonic()))

    assert (lost, first.closed) == (ScanLost("unplugged"), True)
    assert scanner.read(2.0) == CODE


def test_a_full_kernel_buffer_loses_the_scan_and_says_so(plug: Callable[..., EvdevScanner]) -> None:
    device = FakeDevice()
    scanner = plug(device)
    now = time.monotonic()

    dropped = replace(DROPPED, at=now)
    device.types([*typed("B7", at=now), dropped, *typed("F9", at=now), *key(ENTER, now)])
    device.types(scanned("B7K3", at=now))

    assert (scanner.read(2.0), scanner.read(2.0)) == (ScanLost("overrun"), CODE)


def test_what_nobody_reads_does_not_pile_up(plug: Callable[..., EvdevScanner]) -> None:
    device = FakeDevice()
    scanner = plug(device)

    for _ in range(200):
        device.types(scanned("B7K3", at=time.monotonic()))
    wait_for(lambda: not select.select([device], [], [], 0)[0])
    time.sleep(0.05)
    read = []
    while (scan := scanner.read(0.3)) is not None:
        read.append(scan)

    assert len(read) == 64


def test_keys_are_wiped_from_the_read_buffer(plug: Callable[..., EvdevScanner]) -> None:
    device = FakeDevice()
    scanner = plug(device)

    device.types(scanned("983205673214", at=time.monotonic()))
    scanner.read(2.0)

    wait_for(lambda: not any(scanner._buffer))


def test_a_scanner_that_comes_back_under_another_number_is_found_there() -> None:
    first, second = FakeDevice(), FakeDevice()
    devices = {"/dev/input/event3": first, "/dev/input/event9": second}
    there: list[str | None] = ["/dev/input/event3"]
    scanner = EvdevScanner(lambda: there[0], "us", lambda path: devices[path])
    try:
        wait_for(scanner.connected)
        at_first = scanner.at()
        there[0] = None
        first.unplug()
        wait_for(lambda: not scanner.connected())
        nowhere = scanner.at()
        there[0] = "/dev/input/event9"
        wait_for(scanner.connected)
        second.types(scanned("B7K3", at=time.monotonic()))

        assert (at_first, nowhere, scanner.at()) == ("/dev/input/event3", None, "/dev/input/event9")
        assert scanner.read(2.0) == CODE
    finally:
        scanner.close()


def test_two_scanners_at_once_do_not_mix_their_keys(plug: Callable[..., EvdevScanner]) -> None:
    ours, other = FakeDevice(), FakeDevice()
    scanner = plug(ours)
    now = time.monotonic()
    ours.types(typed("B7", at=now))
    other.types(scanned("N9", at=now))
    ours.types(scanned("K3", at=now + 0.01))

    assert scanner.read(2.0) == CODE
    other.close()


def test_how_a_scan_ended_is_told(plug: Callable[..., EvdevScanner]) -> None:
    device = FakeDevice()
    scanner = plug(device)
    ended = []
    for end in (ENTER, KEYPAD_ENTER, TAB, None):
        at = time.monotonic()
        device.types(typed("B7K3", at=at) if end is None else scanned("B7K3", at=at, end=end))
        scan = scanner.read(2.0)
        assert isinstance(scan, Scan)
        ended.append(scan.ended)

    assert ended == ["enter", "enter", "tab", "none"]


def test_closing_ends_the_thread_also_while_it_waits_for_a_scanner() -> None:
    scanner = EvdevScanner("/dev/input/scanner", "us", Socket(OSError(errno.ENOENT, "none")).open)

    scanner.close()

    assert "scanner-drain" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}
