"""The test page: what stands on it for each width, and which profile follows from what was seen."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp

from kiosk.devices.escpos_reader import FaultKind, read_job
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.print_test import WIDTHS, Answers, main, page, proposal
from kiosk.printer_profile import load_profile, names
from kiosk.raster import Fonts
from tests.kiosk.entrance import configured

LOOKED = Answers(576, 40.0, True, "ABCDEFG")


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[VirtualPrinterServer]:
    with VirtualPrinterServer(tmp_path / "tray") as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, twin: VirtualPrinterServer) -> Path:
    printer = f'kind = "network"\nhost = "127.0.0.1"\nport = {twin.port}\nprofile = "generic-80mm"'
    return configured(tmp_path, "http://127.0.0.1:1", printer)


@pytest.mark.parametrize("name", ["generic-58mm", "epson-tm-t88-512", "generic-80mm", "citizen-ct-s651"])
def test_the_page_shows_edges_steps_and_codes_of_its_width(name: str) -> None:
    profile = replace(load_profile(name), cutter=True)

    (paper,) = read_job(page(profile, Fonts()).data, profile.width_dots)

    assert [fault.kind for fault in paper.faults] == [FaultKind.TOO_WIDE] * sum(w > profile.width_dots for w in WIDTHS)
    columns = [paper.image.crop((x, 0, x + 1, paper.image.height)).convert("L") for x in (0, profile.width_dots - 1)]
    assert [column.tobytes().count(b"\0") > 50 for column in columns] == [True, True]
    read = sorted(
        code.text for code in zxingcpp.read_barcodes(paper.image.convert("L").resize([2 * n for n in paper.image.size]))
    )
    assert read == [f"TEST-{letter}" for letter in "ABCDEFG"]


def test_it_prints_asks_the_printer_and_proposes_the_profiles_that_fit(
    config: Path, twin: VirtualPrinterServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(config, LOOKED, None) == 0

    said = capsys.readouterr().out
    assert "paper ok, cover closed, online" in said
    assert "epson-tm-t20iii" in said
    assert "generic-80mm" not in said  # it answers
    assert len(twin.wait_for_papers(1, 5.0)) == 1


def test_what_no_option_says_is_asked_until_it_is_understood(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = iter(["wide", "512", "45", "perhaps", "yes", ""])

    assert main(config, Answers(), lambda _question: next(typed)) == 0

    said = capsys.readouterr().out
    assert said.count("that cannot be read") == 2
    assert "epson-tm-t88-512" in said


def test_a_mute_printer_is_told_apart(
    config: Path, twin: VirtualPrinterServer, capsys: pytest.CaptureFixture[str]
) -> None:
    twin.set(mute=True)

    assert main(config, LOOKED, None) == 0
    said = capsys.readouterr().out
    assert "outcome: unknown" in said
    assert "does not answer" in said
    assert "generic-80mm" in said


def test_what_is_wrong_is_told_in_place_of_a_proposal(
    config: Path, twin: VirtualPrinterServer, capsys: pytest.CaptureFixture[str]
) -> None:
    twin.set(paper="out")

    assert main(config, LOOKED, None) == 1
    said = capsys.readouterr()
    assert "paper out" in said.out
    assert "was not printed" in said.err
    assert main(Path("/nowhere/kiosk.toml"), LOOKED, None) == 1


def fitting(change: Callable[[Answers], Answers], answered: bool = True) -> str:
    return "\n".join(proposal(change(LOOKED), answered, load_profile("generic-80mm")))


def test_every_profile_that_ships_is_proposed_for_what_it_says() -> None:
    for profile in map(load_profile, names()):
        seen = Answers(profile.width_dots, 320 * 25.4 / profile.dpi, profile.cutter, None)
        assert f"  {profile.name}: " in "\n".join(proposal(seen, profile.status_replies, profile))


def test_without_a_fit_the_lines_of_a_profile_are_said() -> None:
    said = fitting(lambda seen: replace(seen, width=432, cut=False))

    assert "width_dots = 432" in said
    assert "cutter = false" in said
    assert 'verified_how = "never"' in said


def test_without_a_look_nothing_is_proposed() -> None:
    assert "look at the page" in fitting(lambda _: Answers(width=576))


@pytest.mark.parametrize(
    ("codes", "told"),
    [("abcdefg", "all codes are read"), ("BCDEFG", "is not in danger"), ("CD", "the slip's own code may not be read")],
)
def test_codes_that_are_not_read_are_weighed_against_the_slip(codes: str, told: str) -> None:
    assert told in fitting(lambda seen: replace(seen, codes=codes))
