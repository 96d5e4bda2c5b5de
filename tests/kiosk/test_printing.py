"""From picture to bytes: what a strict reader gets back is dot for dot what was drawn."""

import contextlib
import io
import pickle
import platform
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from kiosk.devices.escpos_reader import read_job
from kiosk.devices.ports import Still
from kiosk.job import BAND, Job
from kiosk.printer_profile import load_profile, names
from kiosk.printing import make_job, raster, send, without_real_time_commands
from kiosk.raster import Fonts, Press
from kiosk.slip import compose, void_mark
from madoguchi.texts import Texts
from madoguchi.wire import Outcome
from tests.kiosk.fake_office import ticket

JOB = UUID("0193796c-3b11-7d07-a4f5-7e2a9c1b4f86")
VIRTUAL = load_profile("virtual-80mm")
MARK = Image.new("1", (VIRTUAL.width_dots, 8), 0)


def picture(height: int, width: int = 576, seed: int = 0) -> Image.Image:
    """Dots by chance."""
    return Image.frombytes("1", (width, height), random.Random(seed).randbytes(width // 8 * height))  # noqa: S311


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_paper_is_dot_for_dot_the_slip_with_one_cut_and_no_fault(name: str, language: str) -> None:
    profile = replace(load_profile(name), cutter=True)
    slip = compose(ticket(), JOB, language, Texts.load().say, profile.width_mm)
    drawn = Press(Fonts(), profile).draw(slip)

    (paper,) = read_job(make_job(JOB, drawn, drawn, profile).data, profile.width_dots)
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

    assert raster(dots) == library.output


def test_a_job_knows_its_hash_and_is_always_the_same() -> None:
    first, second = (make_job(JOB, picture(100), MARK, VIRTUAL) for _ in range(2))

    assert first == second
    assert first.intact()


def test_without_a_cutter_the_slip_is_only_fed_out() -> None:
    whole = make_job(JOB, picture(50), MARK, VIRTUAL).data
    fed = make_job(JOB, picture(50), MARK, replace(VIRTUAL, cutter=False)).data

    assert (whole.count(b"\x1dV"), fed.count(b"\x1dV")) == (1, 0)
    assert whole.startswith(fed)


@pytest.mark.parametrize("wrong", [Image.new("1", (568, 10)), Image.new("L", (576, 10))], ids=["width", "mode"])
def test_a_picture_that_does_not_fit_the_print_head_is_refused(wrong: Image.Image) -> None:
    with pytest.raises(ValueError, match=r"a slip must be 576 dots wide|black and white"):
        make_job(JOB, wrong, MARK, VIRTUAL)


@given(st.lists(st.sampled_from([0x10, 0x04, 0x05, 0x14, 0x08, 0x00, 0xFF]), max_size=200).map(bytes))
def test_no_picture_contains_a_command_that_acts_at_once(dots: bytes) -> None:
    safe = without_real_time_commands(dots)

    assert not any(command in safe for command in (b"\x10\x04", b"\x10\x05", b"\x10\x14"))
    # Only single dots were added.
    assert len(safe) == len(dots)
    assert all((new, old) == (0x18, 0x10) for new, old in zip(safe, dots, strict=True) if new != old)


class Tray:
    """A printer that keeps what it was sent."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.jobs: list[bytes] = []
        self._meanwhile = meanwhile

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:  # noqa: ARG002 - nobody waits here
        self._meanwhile()
        wanted = still()
        self.jobs.append(job.data if wanted else job.picture + job.void)
        return Outcome.PRINTED if wanted else Outcome.NOT_PRINTED


class TestSending:
    def test_a_job_comes_out_for_the_visitor_whose_it_is(self) -> None:
        job, tray = make_job(JOB, picture(50), MARK, VIRTUAL), Tray()

        assert send(job, tray, 1.0, lambda: JOB) is Outcome.PRINTED
        assert tray.jobs == [job.data]

    def test_a_job_that_is_not_what_was_hashed_is_not_sent(self) -> None:
        job, tray = make_job(JOB, picture(50), MARK, VIRTUAL), Tray()

        assert send(replace(job, picture=job.picture[:-1]), tray, 1.0, lambda: JOB) is Outcome.NOT_PRINTED
        assert tray.jobs == []

    @pytest.mark.parametrize("there", [None, UUID(int=2)], ids=["nobody", "somebody else"])
    def test_a_job_is_not_sent_when_its_visitor_is_gone(self, there: UUID | None) -> None:
        tray = Tray()

        assert send(make_job(JOB, picture(50), MARK, VIRTUAL), tray, 1.0, lambda: there) is Outcome.NOT_PRINTED
        assert tray.jobs == []

    @pytest.mark.parametrize("then", [None, UUID(int=2)], ids=["nobody", "somebody else"])
    def test_a_visitor_who_goes_while_it_prints_leaves_a_void_paper(self, then: UUID | None) -> None:
        here: list[UUID | None] = [JOB]
        job, tray = make_job(JOB, picture(50), MARK, VIRTUAL), Tray(lambda: here.append(then))

        assert send(job, tray, 1.0, lambda: here[-1]) is Outcome.NOT_PRINTED
        assert tray.jobs == [job.picture + job.void]


@pytest.mark.parametrize("name", names())
def test_void_stands_on_the_paper_in_words(name: str) -> None:
    profile = replace(load_profile(name), cutter=True)
    mark = Press(Fonts(), profile).draw(void_mark(Texts.load().say, ("ja", "en"), profile.width_mm))
    slip = picture(50, profile.width_dots)
    job = make_job(JOB, slip, mark, profile)

    (paper,) = read_job(job.picture + job.void, profile.width_dots)
    printed = paper.image.crop((0, slip.height, mark.width, slip.height + mark.height))

    assert (paper.faults, paper.cut) == ((), True)
    assert ImageChops.difference(printed.convert("L"), mark.convert("L")).getbbox() is None


@pytest.mark.parametrize("cache", ["whole", "cut short", "empty", "no folder"])
def test_a_broken_cache_of_the_library_does_not_stop_the_start(tmp_path: Path, cache: str) -> None:
    folder = tmp_path / "cache"
    pickled = folder / f"{platform.python_version()}.capabilities.pickle"
    if cache != "no folder":
        folder.mkdir()
        pickled.write_bytes(
            {"whole": pickle.dumps({}), "cut short": pickle.dumps({"profiles": {}})[:-5]}.get(cache, b"")
        )
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.pickle")}

    done = run_python(
        "from kiosk import printing, printer_profile as p; printing._byte_writer(p.load_profile('virtual-80mm'))",
        ESCPOS_CAPABILITIES_PICKLE_DIR=str(folder),
        ESCPOS_CAPABILITIES_FILE="/nowhere.json",
        TMPDIR=str(tmp_path),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.pickle")} == before


def test_loading_the_library_leaves_no_folder_behind_and_prints_nothing(tmp_path: Path) -> None:
    program = "from kiosk import printing; printing._escpos(); import logging; assert not logging.root.handlers"

    done = run_python(program, TMPDIR=str(tmp_path))

    assert (done.returncode, done.stdout, done.stderr, list(tmp_path.iterdir())) == (0, "", "", [])


def run_python(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A program of its own, in which nothing is loaded yet."""
    root = str(Path(__file__).parents[2])
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program], env={**environment, "PYTHONPATH": root}, capture_output=True, text=True
    )
