"""The socket of the simulated scanner: many writers, no writer that can harm it."""

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.devices.ports import MAX_SCAN, Scan, ScanLost
from kiosk.devices.simulated import MAX_CLIENTS, SimulatedScanner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.sock"


@pytest.fixture
def scanner(path: Path) -> Iterator[SimulatedScanner]:
    scanner = SimulatedScanner(path)
    yield scanner
    scanner.close()


def writer(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


def all_of(scanner: SimulatedScanner) -> list[Scan | ScanLost]:
    scans = []
    while (scan := scanner.read(0.2)) is not None:
        scans.append(scan)
    return scans


def test_only_our_own_user_may_write(scanner: SimulatedScanner, path: Path) -> None:
    assert scanner.connected()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_write_at_once_and_no_line_is_mixed_with_another(scanner: SimulatedScanner, path: Path) -> None:
    def write(number: int) -> None:
        with writer(path) as connection:
            for n in range(25):
                connection.sendall(f"B{number}-".encode())
                connection.sendall(f"{n}\n".encode())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    scans = all_of(scanner)

    assert sorted(bytes(scan).decode() for scan in scans if isinstance(scan, bytearray)) == sorted(
        f"B{number}-{n}" for number in range(8) for n in range(25)
    )


def test_a_writer_who_never_ends_a_line_does_not_hold_others_up(scanner: SimulatedScanner, path: Path) -> None:
    with writer(path) as endless, writer(path) as other:
        endless.sendall(b"9" * (MAX_SCAN + 1))
        other.sendall(b"B7K3\r\n")
        endless.sendall(b"9" * 20_000 + b"\nN1\n")

        scans = all_of(scanner)
        assert len(scans) == 3
        assert all(scan in scans for scan in (ScanLost("too_long"), bytearray(b"B7K3"), bytearray(b"N1")))


def test_binary_is_given_as_it_is(scanner: SimulatedScanner, path: Path) -> None:
    with writer(path) as connection:
        connection.sendall(bytes(range(1, 10)) + b"\x00\xff\n")

    assert scanner.read(1.0) == bytearray(bytes(range(1, 10)) + b"\x00\xff")


def test_more_writers_than_there_is_room_for_are_turned_away_and_the_others_served(
    scanner: SimulatedScanner, path: Path
) -> None:
    crowd = []
    for _ in range(MAX_CLIENTS + 5):
        crowd.append(writer(path))
        scanner.read(0.0)
    crowd[0].sendall(b"B1\n")

    assert scanner.read(1.0) == bytearray(b"B1")
    for connection in crowd:
        connection.close()


def test_the_socket_of_a_kiosk_that_was_killed_is_taken_over(path: Path) -> None:
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(path))
    left_behind.close()

    scanner = SimulatedScanner(path)
    with writer(path) as connection:
        connection.sendall(b"B1\n")

    assert scanner.read(1.0) == bytearray(b"B1")
    scanner.close()
    assert not path.exists()


def test_a_living_kiosks_socket_is_left_alone(scanner: SimulatedScanner, path: Path) -> None:
    with pytest.raises(OSError, match="another kiosk is listening"):
        SimulatedScanner(path)

    assert scanner.connected()
    assert path.exists()


def test_a_file_of_somebody_else_is_left_alone(path: Path) -> None:
    path.write_text("letter")

    with pytest.raises(OSError, match="is no socket"):
        SimulatedScanner(path)

    assert path.read_text() == "letter"


def test_a_path_that_is_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="at most 107 bytes"):
        SimulatedScanner(tmp_path / ("s" * 120))
