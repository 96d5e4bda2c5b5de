"""Printer models as data: all that ship are whole, and one that nobody tried says so."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image, ImageChops

from kiosk.devices.escpos_reader import FaultKind
from kiosk.devices.ports import READY, SILENT
from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.transport_tcp import TcpTransport
from kiosk.devices.virtual_printer import PrinterState, VirtualPrinterServer
from kiosk.printer_profile import PROFILES, PrinterProfile, ProfileFault, load_profile, names, warn_if_unverified
from kiosk.printing import make_job, without_real_time_commands
from kiosk.raster import Fonts, Press
from kiosk.slip import compose
from madoguchi.texts import OFFERED, Texts
from madoguchi.wire import Outcome
from tests.kiosk.fake_office import ticket
from tests.kiosk.twins import wanted

JOB = UUID(int=1)
SOUND = (PROFILES / "virtual-80mm.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    (folder / "mihon.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", names())
def test_every_profile_that_ships_can_be_loaded(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert 48 <= profile.width_mm <= 104.2
    assert profile.dots(profile.width_mm) == profile.width_dots


def test_the_models_that_offices_buy_are_there() -> None:
    assert set(names()) >= {
        "citizen-ct-s651",
        "epson-tm-m30iii",
        "epson-tm-t20iii",
        "epson-tm-t88-512",
        "epson-tm-t88vii",
        "generic-58mm",
        "generic-80mm",
        "seiko-rp-f10-58mm",
        "seiko-rp-f10-80mm",
        "star-tsp600",
        "star-tsp800",
        "virtual-80mm",
    }


def as_sent(slip: Image.Image) -> Image.Image:
    """The slip with the few dots that keep its bytes from being commands."""
    inverted = bytes(0xFF ^ byte for byte in range(256))
    black = without_real_time_commands(slip.tobytes().translate(inverted))
    return Image.frombytes("1", slip.size, black.translate(inverted))


def verified(how: str) -> list[str]:
    return [name for name in names() if load_profile(name).verified_how == how]


def test_four_models_and_the_virtual_printer_are_verified_by_a_twin_and_no_other_says_so() -> None:
    assert verified("twin") == ["epson-tm-t20iii", "epson-tm-t88-512", "generic-58mm", "generic-80mm", "virtual-80mm"]


def test_no_profile_claims_paper_that_nobody_here_has_seen() -> None:
    assert verified("paper") == []


def test_what_was_tried_on_a_real_kernel_is_tried_there_at_each_run() -> None:
    tests = [path.read_text("utf-8") for path in Path(__file__).parents[1].joinpath("rig").rglob("*.py")]

    assert [name for name in verified("rig") if not any(f'"{name}"' in text for text in tests)] == []


@pytest.mark.parametrize("name", verified("twin"))
class TestTwins:
    """What `verified_how = "twin"` says, done: a printer of this width, with these answers, prints our slips."""

    @pytest.fixture
    def profile(self, name: str) -> PrinterProfile:
        return load_profile(name)

    @pytest.fixture
    def twin(self, profile: PrinterProfile, tmp_path: Path) -> Iterator[VirtualPrinterServer]:
        state = PrinterState(mute=not profile.status_replies)
        with VirtualPrinterServer(tmp_path, width=profile.width_dots, state=state) as server:
            yield server

    @pytest.mark.parametrize("language", OFFERED)
    def test_a_slip_comes_out_dot_for_dot(
        self, profile: PrinterProfile, twin: VirtualPrinterServer, language: str
    ) -> None:
        slip = Press(Fonts(), profile).draw(compose(ticket(), JOB, language, Texts.load().say, profile.width_mm))
        job = make_job(JOB, slip, slip, profile)
        printer = EscposPrinter(TcpTransport("127.0.0.1", twin.port), replies=profile.status_replies, answer_s=5.0)

        outcome = printer.print(job, 5.0, wanted)
        paper = twin.wait_for_papers(1, 5.0)[0].paper

        assert outcome is (Outcome.PRINTED if profile.status_replies else Outcome.UNKNOWN)
        assert (paper.data, paper.cut) == (job.data, profile.cutter)
        assert [fault.kind for fault in paper.faults] == ([] if profile.cutter else [FaultKind.NO_CUT])
        printed = paper.image.crop((0, 0, *slip.size)).convert("L")
        assert ImageChops.difference(printed, as_sent(slip).convert("L")).getbbox() is None

    def test_one_dot_more_would_be_lost(self, profile: PrinterProfile, twin: VirtualPrinterServer) -> None:
        wider = replace(profile, width_dots=profile.width_dots + 8, cutter=True)
        black = Image.new("1", (wider.width_dots, 10), 0)
        EscposPrinter(TcpTransport("127.0.0.1", twin.port), replies=False).print(
            make_job(JOB, black, black, wider), 5.0, wanted
        )

        paper = twin.wait_for_papers(1, 5.0)[0].paper

        assert [fault.kind for fault in paper.faults] == [FaultKind.TOO_WIDE]

    def test_it_is_asked_only_what_the_model_answers(self, profile: PrinterProfile, twin: VirtualPrinterServer) -> None:
        printer = EscposPrinter(TcpTransport("127.0.0.1", twin.port), replies=profile.status_replies, answer_s=5.0)

        assert printer.status() == (READY if profile.status_replies else SILENT)
        if profile.status_replies:
            twin.set(paper="out")
            assert printer.status().fault == "paper_out"


@pytest.mark.parametrize("name", sorted(set(names()) - set(verified("paper"))))
def test_a_profile_that_nobody_tried_on_paper_says_so_loudly(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_if_unverified(load_profile(name))

    assert "NOT VERIFIED" in caplog.text
    assert load_profile(name).model in caplog.text


def test_a_profile_that_was_tried_on_paper_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_if_unverified(load_profile("mihon", written(tmp_path, SOUND.replace('"twin"', '"paper"'))))

    assert caplog.text == ""


@pytest.mark.parametrize("name", ["", "mihon", "../kiosk", "Virtual-80mm", "virtual-80mm.toml"])
def test_a_name_that_is_no_profile_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(ProfileFault, match=r"choose one of .*epson-tm-t20iii"):
        load_profile(name)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("width_dots = 576", "", "width_dots is missing"),
        ("width_dots = 576", 'width_dots = "576"', "width_dots must be int"),
        ("width_dots = 576", "width_dots = true", "width_dots must be int"),
        ("width_dots = 576", "width_dots = 575", "multiple of 8"),
        ("dpi = 203", "dpi = 8", "dpi must be from 150"),
        ("paper_s = 0.0", "paper_s = 60", "paper_s must be from 0"),
        ("cutter = true", "cutter = 1", "cutter must be bool"),
        ('"2026-11-21"', '"yesterday"', "must be a date"),
        ('"2026-11-21"', '"never"', "or neither is"),
        ('"twin"', '"never"', "or neither is"),
        ('"twin"', '"hearsay"', "must be one of never, twin, rig, paper"),
        ("dpi = 203", "dpi = 203\ncolour = true", "nobody knows colour"),
        ("dpi = 203", "dpi = ", "mihon.toml"),
    ],
)
def test_a_fault_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ProfileFault, match=told):
        load_profile("mihon", written(tmp_path, SOUND.replace(old, new)))
