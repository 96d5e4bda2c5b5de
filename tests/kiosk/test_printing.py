"""From picture to bytes: what a strict reader gets back is dot for dot what was drawn."""

import contextlib
import io
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from kiosk.devices.escpos_reader import read_job
from kiosk.printer_profile import load_profile, names
from kiosk.printing import BAND, Job, make_job, raster, send, without_real_time_commands
from kiosk.raster import Fonts, Press
from kiosk.slip import compose
from madoguchi.texts import Texts
from madoguchi.wire import Outcome
from tests.kiosk.fake_office import ticket

JOB = UUID("0193796c-3b11-7d07-a4f5-7e2a9c1b4f86")
VIRTUAL = load_profile("virtual-80mm")


def picture(height: int, width: int = 576, seed: int = 0) -> Image.Image:
    """Dots by chance."""
    return Image.frombytes("1", (width, height), random.Random(seed).randbytes(width // 8 * height))  # noqa: S311


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_paper_is_dot_for_dot_the_slip_with_one_cut_and_no_fault(name: str, language: str) -> None:
    profile = load_profile(name)
    slip = compose(ticket(), JOB, language, Texts.load().say, profile.width_mm)
    drawn = Press(Fonts(), profile).draw(slip)

    (paper,) = read_job(make_job(JOB, drawn, profile).data, profile.width_dots)
    printed = paper.image.crop((0, 0, drawn.width, drawn.height))

    assert (paper.faults, paper.cut) == ((), True)
    assert ImageChops.difference(printed.convert("L"), drawn.convert("L")).getbbox() is None


@pytest.mark.parametrize("height", [1, 300, BAND, BAND + 1, 2000])
def test_the_bytes_are_those_of_the_library(height: int) -> None:
    dots = picture(height, seed=height)
    dots = Image.frombytes("1", dots.size, dots.tobytes().replace(b"\xef", b"\xee"))  # no real-time commands
    library = Dummy()
    with contextlib.redirect_stdout(io.StringIO()):
        library.image(dots, impl="bitImageRaster")

    assert raster(dots, 576) == library.output


def test_a_job_knows_its_hash_and_is_always_the_same() -> None:
    first, second = (make_job(JOB, picture(100), VIRTUAL) for _ in range(2))

    assert first == second
    assert first.intact()


def test_without_a_cutter_the_slip_is_only_fed_out() -> None:
    whole = make_job(JOB, picture(50), VIRTUAL).data
    fed = make_job(JOB, picture(50), replace(VIRTUAL, cutter=False)).data

    assert (whole.count(b"\x1dV"), fed.count(b"\x1dV")) == (1, 0)
    assert whole.startswith(fed)


@pytest.mark.parametrize("wrong", [Image.new("1", (568, 10)), Image.new("L", (576, 10))], ids=["width", "mode"])
def test_a_picture_that_does_not_fit_the_print_head_is_refused(wrong: Image.Image) -> None:
    with pytest.raises(ValueError, match="576 dots wide"):
        make_job(JOB, wrong, VIRTUAL)


@given(st.lists(st.sampled_from([0x10, 0x04, 0x05, 0x14, 0x08, 0x00, 0xFF]), max_size=200).map(bytes))
def test_no_picture_contains_a_command_that_acts_at_once(dots: bytes) -> None:
    safe = without_real_time_commands(dots)

    assert not any(command in safe for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))
    # Only single dots were added.
    assert len(safe) == len(dots)
    assert all((new, old) == (0x18, 0x10) for new, old in zip(safe, dots, strict=True) if new != old)


class Tray:
    """A printer that keeps what it was sent."""

    def __init__(self) -> None:
        self.jobs: list[tuple[bytes, float]] = []

    def print(self, job: bytes, deadline_s: float) -> Outcome:
        self.jobs.append((job, deadline_s))
        return Outcome.PRINTED


def test_a_job_that_is_not_what_was_hashed_is_not_sent() -> None:
    job, tray = make_job(JOB, picture(50), VIRTUAL), Tray()

    outcome = send(Job(job.uid, job.data[:-1], job.sha256), tray, 1.0)

    assert (outcome, tray.jobs) == (Outcome.NOT_PRINTED, [])
    assert send(job, tray, 1.0) is Outcome.PRINTED


def test_loading_the_library_leaves_no_folder_behind_and_prints_nothing(tmp_path: Path) -> None:
    program = "from kiosk import printing; printing._escpos(); import logging; assert not logging.root.handlers"

    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program],
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("", "", [])
