"""Learning the postcard's own code at set-up: its class and length, and nothing of what stands in it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.devices.ports import Scan, ScanLost
from kiosk.learn import learn
from tests.kiosk.entrance import configured, scan
from tests.kiosk.fake_office import BOOKED, NOTICE

MINE = "983205673214"


class Samples:
    """A scanner before which somebody holds one thing after another."""

    def __init__(self, *scans: Scan | ScanLost) -> None:
        self.scans: Iterator[Scan | ScanLost] = iter(scans)

    def connected(self) -> bool:
        return True

    def read(self, timeout: float) -> Scan | ScanLost | None:
        assert timeout > 0
        return next(self.scans, None)

    def close(self) -> None: ...


def of(*texts: str) -> list[Scan]:
    return [Scan(text.encode()) for text in texts]


def test_two_lengths_of_one_class_are_two_shapes() -> None:
    assert learn(Samples(*of("1" * 23, "2" * 23, "A" * 9)), 3) == {"digits-23", "capitals-9"}


def test_what_must_not_be_learned_is_not_and_every_sample_is_wiped(capsys: pytest.CaptureFixture[str]) -> None:
    scans = of(MINE, f"https://here.example/b/{NOTICE}", BOOKED, "]Q1", "T-1-secret")

    assert learn(Samples(*scans[:2], ScanLost("overrun"), *scans[2:]), 1) == {"letters-10"}
    assert not any(any(scan) for scan in scans)
    said = capsys.readouterr().out
    assert [text for text in (MINE, NOTICE, BOOKED, "secret") if text in said] == []


def test_when_nobody_holds_anything_to_it_nothing_is_learned() -> None:
    assert learn(Samples(), 3) == set()


def test_the_command_says_the_line_for_the_kiosks_file(tmp_path: Path) -> None:
    config = configured(tmp_path, "http://127.0.0.1:1", f'kind = "virtual"\nfolder = "{tmp_path}/tickets"')
    words = [sys.executable, "-m", "madoguchi.cli", "kiosk", "learn", "--samples", "1", "--config", str(config)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as command:  # noqa: S603 - our own words
        assert command.stdout is not None
        asked = command.stdout.readline()
        scan(tmp_path, "5" * 23)
        said, _ = command.communicate(timeout=20)

    assert (command.returncode, "1 different postcards" in asked) == (0, True)
    assert said.splitlines()[-1] == 'postcard = ["digits-23"]'
