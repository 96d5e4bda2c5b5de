"""The self-test card: it tells a scanner that is set as it was from one that is not, and from everything else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from kiosk.agent import Agent
from kiosk.devices.keymap import ScanAssembler
from kiosk.devices.ports import Scan
from kiosk.dialogue import CallStaff, ReportTest, Scanned, StateSeen
from kiosk.print_card import main as print_card
from kiosk.printer_profile import load_profile
from kiosk.raster import Fonts, Press
from kiosk.scans import ScannerSetup
from kiosk.self_test import CARD, card, finding
from madoguchi.cli import main as madoguchi
from madoguchi.mynumber import may_be_my_number
from madoguchi.wire import ScannerFinding
from tests.kiosk.entrance import configured
from tests.kiosk.fake_input import CAPS_LOCK, ENTER, KEYPAD_ENTER, TAB, key, scanned, typed
from tests.kiosk.fake_office import BOOKED, state

FONTS = Fonts()
SET = {"us": ScannerSetup("us", "enter"), "jp": ScannerSetup("jp", "enter")}


def held(set_to: str, read_as: str, end: int = ENTER, prefix: str = "", caps: bool = False) -> Scan:
    """The card, held to a scanner that is set so, before a kiosk that takes it for something else."""
    assembler = ScanAssembler(read_as)
    events = [*(key(CAPS_LOCK) if caps else ()), *scanned(prefix + CARD, set_to, end=end)]
    (scan,) = [scan for event in events for scan in assembler.feed(event)]
    assert isinstance(scan, Scan)
    return scan


def found(scan: Scan, setup: ScannerSetup) -> ScannerFinding | None:
    return finding(scan.decode("utf-8", "replace"), scan.ended, setup)


def test_the_card_has_every_sign_and_no_number() -> None:
    assert set(map(chr, range(0x21, 0x7F))) <= set(CARD)
    assert not may_be_my_number(CARD.encode())


@pytest.mark.parametrize("layout", ["us", "jp"])
@pytest.mark.parametrize("prefix", ["", "]Q1"])
@pytest.mark.parametrize("end", [ENTER, KEYPAD_ENTER])
def test_a_scanner_that_is_set_as_it_was_is_well(layout: str, prefix: str, end: int) -> None:
    assert found(held(layout, layout, end, prefix), SET[layout]) is ScannerFinding.OK


@pytest.mark.parametrize(("set_to", "read_as"), [("us", "jp"), ("jp", "us")])
@pytest.mark.parametrize("prefix", ["", "]Q1"])
def test_another_layout_is_told(set_to: str, read_as: str, prefix: str) -> None:
    assert found(held(set_to, read_as, prefix=prefix), SET[read_as]) is ScannerFinding.LAYOUT


def test_another_end_mark_is_told() -> None:
    assert found(held("us", "us", TAB), SET["us"]) is ScannerFinding.SUFFIX
    assert found(held("us", "us", TAB), ScannerSetup("us", "tab")) is ScannerFinding.OK


def test_no_end_mark_is_told_by_the_silence() -> None:
    assembler = ScanAssembler("us")
    for event in typed(CARD):
        assembler.feed(event)
    (scan,) = assembler.silence(10.0)

    assert isinstance(scan, Scan)
    assert found(scan, SET["us"]) is ScannerFinding.SUFFIX
    assert found(scan, ScannerSetup("us", "none")) is ScannerFinding.OK


def test_capitals_that_are_swapped_are_told() -> None:
    assert found(held("us", "us", caps=True), SET["us"]) is ScannerFinding.CASE


def test_lost_or_wrong_characters_are_told() -> None:
    for text in (CARD[:-1], CARD.replace("~", "-"), CARD + "!"):
        assert finding(text, "enter", SET["us"]) is ScannerFinding.CHARACTERS


@pytest.mark.parametrize("text", ["", BOOKED, "https://x/MADOGUCHI-TEST-", "MADOGUCHI"])
def test_everything_else_is_not_the_card(text: str) -> None:
    assert finding(text, "enter", SET["us"]) is None


@pytest.mark.parametrize(
    ("end", "tone", "calls"), [(ENTER, "done", []), (TAB, "staff", ["scanner_settings"])], ids=["well", "end mark"]
)
def test_the_panel_says_what_the_card_says_and_the_server_and_staff_are_told(
    end: int, tone: str, calls: list[str]
) -> None:
    agent = Agent(lambda: "id", scanner=SET["us"])
    agent.handle(StateSeen(state()), 0.0)
    scan = held("us", "us", end)

    done = agent.handle(Scanned(scan, scan.ended), 0.0)

    assert agent.page.tone == tone
    assert [act.finding for act in done if isinstance(act, ReportTest)] == [finding(CARD, scan_end(end), SET["us"])]
    assert [act.reason for act in done if isinstance(act, CallStaff)] == calls


def scan_end(key_code: int) -> str:
    return "tab" if key_code == TAB else "enter"


@pytest.mark.parametrize("width_dots", [384, 576])
def test_another_reader_reads_the_card_from_both_papers(width_dots: int) -> None:
    profile = replace(load_profile("virtual-80mm"), width_dots=width_dots)
    picture = Press(FONTS, profile).draw(card(profile.width_mm))
    (code,) = zxingcpp.read_barcodes(np.array(picture.convert("L")))

    assert code.text == CARD


def test_the_command_prints_it_or_writes_a_picture(tmp_path: Path) -> None:
    config = configured(tmp_path, "http://127.0.0.1:1", f'kind = "virtual"\nfolder = "{tmp_path}/tickets"')
    words = ["kiosk", "self-test-card", "--config", str(config)]

    assert (madoguchi(words), madoguchi([*words, "--out", str(tmp_path / "card.png")])) == (0, 0)
    for file in (tmp_path / "tickets" / "0001.png", tmp_path / "card.png"):
        (code,) = zxingcpp.read_barcodes(np.array(Image.open(file).convert("L")))
        assert code.text == CARD


def test_without_paper_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, "http://127.0.0.1:1", f'kind = "virtual"\nfolder = "{tmp_path}/tickets"')
    (tmp_path / "tickets").mkdir()
    (tmp_path / "tickets" / "paper-out").touch()

    assert print_card(config, None) == 1
    assert "was not printed" in capsys.readouterr().err
