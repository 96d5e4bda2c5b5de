"""The driver of the real scanner over a device that comes and goes."""

import errno
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from kiosk.devices.evdev_scanner import EvdevScanner
from kiosk.devices.ports import ScanLost
from tests.kiosk.fake_input import DROPPED, ENTER, FakeDevice, key, scanned, typed

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


def test_closing_ends_the_thread_also_while_it_waits_for_a_scanner() -> None:
    scanner = EvdevScanner("/dev/input/scanner", "us", Socket(OSError(errno.ENOENT, "none")).open)

    scanner.close()

    assert "scanner-drain" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}
