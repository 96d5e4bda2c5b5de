"""The picture of the slip: every glyph there, the number high enough, the code readable by somebody else."""

import random
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageChops

from kiosk.printer_profile import PrinterProfile, load_profile, names
from kiosk.raster import GETA, Fonts, NoFont, Press
from kiosk.slip import NumberLine, TextLine, compose
from madoguchi.codes import of_ticket
from madoguchi.texts import Texts
from tests.kiosk.fake_office import ticket

TEXTS = Texts.load()
FONTS = Fonts()
VIRTUAL = load_profile("virtual-80mm")
JOB = UUID("0193796c-3b11-7d07-a4f5-7e2a9c1b4f86")


def drawn(profile: PrinterProfile, number: int = 62, language: str = "ja", **changes: object) -> Image.Image:
    slip = compose(ticket(number, **changes), JOB, language, TEXTS.say, profile.width_mm)
    return Press(FONTS, profile).draw(slip)


def ink(picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is black."""
    box = ImageChops.invert(picture.convert("L")).getbbox()
    assert box is not None
    return box


def test_no_text_that_we_offer_lacks_a_glyph() -> None:
    offered = (text[language] for text in TEXTS.by_key.values() for language in TEXTS.languages if language in text)

    assert FONTS.missing("".join(offered)) == set()


@pytest.mark.parametrize("character", ["髙", "﨑", "①", "々", "ー", "ｶ", "é"])
def test_letters_that_shift_jis_printers_lack_are_there(character: str) -> None:
    assert FONTS.missing(character) == set()


def test_a_character_that_no_font_has_becomes_a_geta_and_the_slip_comes_out() -> None:
    assert FONTS.printable("本庁\U0001f600", 0) == "本庁" + GETA
    assert drawn(VIRTUAL, office={"ja": "本庁\U0001f600"}).height > 0


@pytest.mark.parametrize(
    ("names", "printed"),
    [
        ({"ja": "本庁", "en": "Hall \U0001f600"}, {"ja": "本庁"}),
        ({"ja": "本庁\U0001f600", "en": "Hall"}, {"ja": "Hall", "en": "Hall"}),
        ({"ja": "本庁\U0001f600"}, {"ja": "本庁\U0001f600"}),
        ({"ja": "髙﨑", "en": "Takasaki"}, {"ja": "髙﨑", "en": "Takasaki"}),
    ],
    ids=["Japanese instead", "romanised instead", "nothing instead", "whole"],
)
def test_a_name_that_no_font_has_is_printed_in_another_language(names: dict[str, str], printed: dict[str, str]) -> None:
    assert FONTS.names(names) == printed


def test_a_box_to_be_ticked_stands_before_each_task() -> None:
    plain, with_box = (
        Press(FONTS, VIRTUAL).draw((TextLine("日付", 3.4, indent=4.6, box=box),)) for box in (False, True)
    )
    difference = ImageChops.difference(plain.convert("L"), with_box.convert("L")).getbbox()

    assert difference is not None
    assert difference[0] == VIRTUAL.dots(1.0)
    assert difference[2] <= VIRTUAL.dots(1.0 + 4.6)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("number", [1, 62, 301, 1999])
def test_the_digits_are_twenty_millimetres_high_on_every_model(name: str, number: int) -> None:
    profile = load_profile(name)

    left, top, right, bottom = ink(Press(FONTS, profile).draw((NumberLine(str(number), 21.0),)))

    assert (bottom - top) * 25.4 / profile.dpi >= 20
    assert left > 0
    assert right < profile.width_dots


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", TEXTS.languages)
def test_nothing_is_cut_off_at_the_edges(name: str, language: str) -> None:
    profile = load_profile(name)
    long = {"ja": "電子証明書の更新（有効期限のお知らせが届いた方）と暗証番号の再設定", "en": "W" * 90}

    picture = drawn(profile, 1234567, language, service=long, party=4)
    margin = picture.crop((profile.width_dots - 1, 0, profile.width_dots, 400))

    assert picture.width == profile.width_dots
    assert margin.getextrema() == (255, 255)


@pytest.mark.parametrize("name", names())
def test_another_reader_reads_the_tickets_code_from_the_paper(name: str) -> None:
    found = zxingcpp.read_barcodes(np.array(drawn(load_profile(name)).convert("L")))

    assert [code.text for code in found] == [of_ticket(ticket().uid).text]


def test_a_slip_is_black_or_white_and_the_same_every_time() -> None:
    first, second = drawn(VIRTUAL), drawn(VIRTUAL)

    assert first.mode == "1"
    assert first.tobytes() == second.tobytes()


def test_two_slips_that_differ_differ_on_paper() -> None:
    slips = {drawn(VIRTUAL, number).tobytes() for number in random.Random(1).sample(range(1, 2000), 20)}  # noqa: S311

    assert len(slips) == 20


def test_without_a_japanese_font_the_kiosk_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NoFont, match="make setup"):
        Fonts([tmp_path])


def test_fonts_of_the_system_are_found_when_the_kiosk_has_none(tmp_path: Path) -> None:
    for weight in ("Regular", "Bold"):
        source = next(Path(font) for bold in (False, True) if weight in (font := str(FONTS.open(32, bold).path)))
        (tmp_path / "bizud").mkdir(exist_ok=True)
        (tmp_path / "bizud" / source.name).symlink_to(source)

    assert Fonts([tmp_path / "none", tmp_path]).missing("窓") == set()
