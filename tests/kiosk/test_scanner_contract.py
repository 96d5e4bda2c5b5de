"""What every scanner must do; the same tests for the simulated one and the driver of the real one."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from kiosk.devices.evdev_scanner import EvdevScanner
from kiosk.devices.ports import ScanLost, Scanner
from kiosk.devices.simulated import SimulatedScanner
from tests.kiosk.fake_input import FakeDevice, scanned, typed

CODE = "B-7K3F-9QXM-C"


class Hand(Protocol):
    """Somebody who holds codes to the scanner."""

    def scan(self, text: str) -> None: ...
    def begin(self, text: str) -> None: ...


class KeyboardHand:
    def __init__(self, device: FakeDevice) -> None:
        self._device = device

    def scan(self, text: str) -> None:
        # Pressed when this is written, however long the writing takes: what is late must not look like a silence.
        self._device.types(scanned(text, at=time.monotonic() + 0.001 * len(text)))

    def begin(self, text: str) -> None:
        self._device.types(typed(text, at=time.monotonic()))


class SocketHand:
    def __init__(self, path: Path) -> None:
        self._path = path

    def scan(self, text: str) -> None:
        self._write(text.encode() + b"\n")

    def begin(self, text: str) -> None:
        self._write(text.encode())

    def _write(self, data: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as writer:
            writer.connect(str(self._path))
            writer.sendall(data)


Made = tuple[Scanner, Hand]


def _simulated(folder: Path) -> Made:
    return SimulatedScanner(folder / "scan.sock"), SocketHand(folder / "scan.sock")


def _evdev(_: Path) -> Made:
    device = FakeDevice()
    return EvdevScanner("/dev/input/scanner", "us", lambda _: device), KeyboardHand(device)


@pytest.fixture(params=[_simulated, _evdev], ids=["simulated", "evdev"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    make: Callable[[Path], Made] = request.param
    scanner, hand = make(tmp_path)
    yield scanner, hand
    scanner.close()


def test_a_scan_is_given_once_and_whole(made: Made) -> None:
    scanner, hand = made

    hand.scan(CODE)

    assert scanner.read(2.0) == bytearray(CODE.encode())
    assert scanner.read(0.0) is None


def test_scans_come_in_the_order_in_which_they_were_made(made: Made) -> None:
    scanner, hand = made

    for number in range(20):
        hand.scan(f"B{number}")

    assert [scanner.read(2.0) for _ in range(20)] == [bytearray(f"B{n}".encode()) for n in range(20)]


def test_without_a_scan_reading_gives_nothing_after_its_time(made: Made) -> None:
    scanner, _ = made
    began = time.monotonic()

    assert scanner.read(0.05) is None
    assert 0.04 < time.monotonic() - began < 1.0


def test_the_bytes_belong_to_the_reader_who_may_wipe_them(made: Made) -> None:
    scanner, hand = made
    hand.scan("983205673214")
    scan = scanner.read(2.0)

    assert isinstance(scan, bytearray)


def test_a_scan_without_an_end_mark_is_a_scan(made: Made) -> None:
    scanner, hand = made

    hand.begin(CODE)

    assert scanner.read(2.0) == bytearray(CODE.encode())


def test_an_empty_line_is_no_scan(made: Made) -> None:
    scanner, hand = made

    hand.scan("")
    hand.scan(CODE)

    assert scanner.read(2.0) == bytearray(CODE.encode())


def test_ten_thousand_characters_are_refused_without_losing_the_next_scan(made: Made) -> None:
    scanner, hand = made

    hand.scan("9" * 10_000)
    hand.scan(CODE)

    assert scanner.read(5.0) == ScanLost("too_long")
    assert scanner.read(5.0) == bytearray(CODE.encode())


def test_it_is_connected_until_it_is_closed_and_closing_twice_is_harmless(made: Made) -> None:
    scanner, hand = made
    hand.scan(CODE)
    scanner.read(2.0)
    connected = scanner.connected()

    scanner.close()
    scanner.close()

    assert (connected, scanner.connected()) == (True, False)
