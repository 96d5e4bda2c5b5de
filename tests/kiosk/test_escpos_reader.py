"""The strict reader of ESC/POS: it draws what a printer prints, and no damage to a job goes unnoticed."""

import contextlib
import io
import random
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import zxingcpp
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from kiosk.devices import escpos_symbols
from kiosk.devices.escpos_reader import HEAD, Fault, FaultKind, Paper, Reader, StatusRequest, read_job

INIT, FEED, CUT = b"\x1b@", b"\x1bd\x06", b"\x1dV\x00"
NUMBER = "MADOGUCHI/2026-11-30/62/9c1b4f86"


def job(*steps: Callable[[Dummy], object]) -> bytes:
    """What python-escpos sends for these steps."""
    printer = Dummy()
    with contextlib.redirect_stdout(io.StringIO()):  # it tells there what it does
        for step in steps:
            step(printer)
    return bytes(printer.output)


def drawing(width: int, height: int) -> Image.Image:
    """Any picture; the same for the same size. Its last row is white, as a slip's is."""
    dots = random.Random(62).randbytes((width + 7) // 8 * (height - 1))  # noqa: S311 - a picture, not a secret
    return Image.frombytes("1", (width, height), dots + b"\xff" * ((width + 7) // 8))


def raster(picture: Image.Image) -> bytes:
    rows = picture.convert("1").tobytes("raw", "1;I")
    return b"\x1dv0\x00" + (picture.width // 8).to_bytes(2, "little") + picture.height.to_bytes(2, "little") + rows


def kinds(paper: Paper) -> set[FaultKind]:
    return {fault.kind for fault in paper.faults}


def only(data: bytes, width: int = HEAD) -> Paper:
    (paper,) = read_job(data, width)
    return paper


def inked(picture: Image.Image) -> Image.Image:
    """The picture without the white around it."""
    return picture.crop(ImageChops.invert(picture.convert("L")).getbbox())


def scanned(picture: Image.Image) -> list[tuple[str, str]]:
    found = zxingcpp.read_barcodes(np.array(picture.convert("L")))
    return [(result.format.name, result.text) for result in found]


PICTURE = drawing(576, 200)
SLIP = INIT + raster(PICTURE) + FEED + CUT

HEADS = [bytes((first, second)) for first in b"\x10\x1b\x1c\x1d" for second in range(0x80)]


class TestPictures:
    @pytest.mark.parametrize("implementation", ["bitImageRaster", "graphics", "bitImageColumn"])
    @pytest.mark.parametrize("size", [(576, 400), (512, 1100), (512, 2000), (8, 8), (96, 25)])
    def test_each_way_of_sending_a_picture_comes_out_dot_by_dot(
        self, implementation: str, size: tuple[int, int]
    ) -> None:
        picture = drawing(*size)
        paper = only(job(lambda p: p.hw("INIT"), lambda p: p.image(picture, impl=implementation), Dummy.cut))
        assert paper.faults == ()
        assert paper.image.crop((0, 0, *size)).tobytes() == picture.tobytes()

    @pytest.mark.parametrize(
        ("vertical", "horizontal", "scale"), [(True, False, (2, 1)), (False, True, (1, 3)), (False, False, (2, 3))]
    )
    def test_low_density_makes_larger_dots(self, vertical: bool, horizontal: bool, scale: tuple[int, int]) -> None:
        picture = drawing(64, 24)
        image = partial(
            Dummy.image,
            img_source=picture,
            impl="bitImageColumn",
            high_density_vertical=vertical,
            high_density_horizontal=horizontal,
        )
        wide, high = picture.width * scale[0], picture.height * scale[1]
        # The library halves or thirds the picture before it asks the printer to make it larger again.
        paper = only(job(image, Dummy.cut))
        small = paper.image.crop((0, 0, wide, high)).resize(picture.size, Image.Resampling.NEAREST)
        assert small.resize((wide, high), 0).tobytes() == paper.image.crop((0, 0, wide, high)).tobytes()

    @pytest.mark.parametrize(("mode", "scale"), [(0, (1, 1)), (1, (2, 1)), (2, (1, 2)), (3, (2, 2)), (51, (2, 2))])
    def test_a_raster_picture_can_be_doubled(self, mode: int, scale: tuple[int, int]) -> None:
        picture = drawing(64, 10)
        sent = raster(picture)
        paper = only(sent[:3] + bytes([mode]) + sent[4:] + CUT)
        doubled = picture.resize((64 * scale[0], 10 * scale[1]), Image.Resampling.NEAREST)
        assert paper.image.crop((0, 0, *doubled.size)).tobytes() == doubled.tobytes()

    @pytest.mark.parametrize(("align", "left"), [("left", 0), ("center", 256), ("right", 512)])
    def test_a_picture_stands_where_it_is_aligned(self, align: str, left: int) -> None:
        block = Image.new("1", (64, 10), 0)
        paper = only(job(lambda p: p.set(align=align), lambda p: p.image(block), Dummy.cut))
        assert ImageChops.invert(paper.image).getbbox() == (left, 0, left + 64, 10)

    def test_the_paper_is_as_wide_as_the_head(self) -> None:
        assert only(raster(drawing(384, 10)) + CUT, width=384).image.size == (384, 10)

    def test_graphics_may_come_with_a_long_length(self) -> None:
        picture = drawing(64, 10)
        parameters = b"\x30\x70\x30\x01\x01\x31\x40\x00\x0a\x00" + picture.tobytes("raw", "1;I")
        sent = b"\x1d8L" + len(parameters).to_bytes(4, "little") + parameters + b"\x1d(L\x02\x00\x30\x32"
        assert only(sent + CUT).image.crop((0, 0, 64, 10)).tobytes() == picture.tobytes()


class TestText:
    def test_text_is_drawn_in_cells_of_12_by_24_dots(self) -> None:
        paper = only(job(lambda p: p.textln("No. 62"), Dummy.cut))
        left, top, right, bottom = ImageChops.invert(paper.image).getbbox() or (0, 0, 0, 0)
        assert 0 <= left < right <= 6 * 12
        assert 0 <= top < bottom <= 24

    def test_a_larger_size_is_the_same_letters_larger(self) -> None:
        plain = only(job(lambda p: p.textln("62"), Dummy.cut)).image.crop((0, 0, 24, 24))
        large = only(job(lambda p: p.set(custom_size=True, width=3, height=5), lambda p: p.textln("62"), Dummy.cut))
        assert large.image.crop((0, 0, 72, 120)).tobytes() == plain.resize((72, 120), 0).tobytes()

    def test_one_line_stands_on_one_base_line(self) -> None:
        together = only(b"6\x1d!\x112\n" + CUT).image
        alone = only(b"6\n" + CUT).image
        assert together.crop((0, 24, 12, 48)).tobytes() == alone.crop((0, 0, 12, 24)).tobytes()

    def test_what_does_not_fit_goes_on_in_the_next_line(self) -> None:
        paper = only(b"W" * 49 + b"\n" + CUT)
        assert paper.faults == ()
        assert paper.image.height == 60
        assert inked(paper.image.crop((0, 30, 576, 60))).width <= 12

    def test_bold_underlined_and_inverted_letters_are_darker(self) -> None:
        def ink(style: bytes) -> int:
            return only(style + b"62 \n" + CUT).image.histogram()[0]

        assert ink(b"") < min(ink(b"\x1bE\x01"), ink(b"\x1b-\x01")) < ink(b"\x1b-\x02") < ink(b"\x1dB\x01")

    def test_settings_last_until_they_are_reset(self) -> None:
        large, plain = read_job(b"\x1d!\x1162\n" + CUT + b"\x1b@62\n" + CUT)
        assert inked(large.image).height == 2 * inked(plain.image).height

    def test_tabs_and_positions_move_within_the_line(self) -> None:
        at_8, at_3, at_200 = (only(sent + b"6\n" + CUT).image for sent in (b"\t", b"\x1bD\x03\x00\t", b"\x1b$\xc8\x00"))
        lefts = [(ImageChops.invert(image).getbbox() or (0,))[0] for image in (at_8, at_3, at_200)]
        assert [lefts[0] - 8 * 12, lefts[1] - 3 * 12] == [lefts[2] - 200] * 2

    def test_feeds_make_the_paper_longer(self) -> None:
        heights = [
            only(sent + CUT).image.height for sent in (b"6\n", b"6\n\n", b"6\x1bd\x06", b"6\n\x1bJ\x64", b"\x1b3\x50\n")
        ]
        assert heights == [30, 60, 180, 130, 80]


class TestCodes:
    @pytest.mark.parametrize("align", ["left", "center", "right"])
    @pytest.mark.parametrize("level", [0, 1, 2, 3])
    def test_a_scanner_reads_the_printers_own_2d_code(self, align: str, level: int) -> None:
        code = partial(Dummy.qr, content=NUMBER, native=True, size=4, ec=level)
        paper = only(job(lambda p: p.set(align=align), code, Dummy.cut))
        assert paper.faults == ()
        assert scanned(paper.image) == [("QRCode", NUMBER)]

    def test_a_2d_code_sent_as_a_picture_is_read_too(self) -> None:
        paper = only(job(partial(Dummy.qr, content=NUMBER, size=4), Dummy.cut))
        assert scanned(paper.image) == [("QRCode", NUMBER)]

    @pytest.mark.parametrize(
        ("system", "content", "read"),
        [
            ("CODE128", "{B62-Mihon", ("Code128", "62-Mihon")),
            ("CODE128", "{A62-MIHON", ("Code128", "62-MIHON")),
            ("CODE128", "{C\x06\x02{B-Mihon", ("Code128", "0602-Mihon")),
            ("CODE39", "MIHON 62", ("Code39", "MIHON 62")),
            ("EAN13", "4901234567894", ("EAN13", "4901234567894")),
            ("EAN13", "490123456789", ("EAN13", "4901234567894")),
            ("EAN8", "49012347", ("EAN8", "49012347")),
            ("UPC-A", "012345678905", ("EAN13", "0012345678905")),
        ],
    )
    def test_a_scanner_reads_the_printers_own_bar_codes(self, system: str, content: str, read: tuple[str, str]) -> None:
        bars = partial(Dummy.barcode, code=content, bc=system, function_type="B", height=100)
        paper = only(job(bars, Dummy.cut))
        assert paper.faults == ()
        assert scanned(paper.image) == [read]

    def test_the_text_of_a_bar_code_stands_where_it_is_wanted(self) -> None:
        heights = [
            only(job(partial(Dummy.barcode, code="MIHON 62", bc="CODE39", pos=pos, height=100), Dummy.cut)).image.height
            for pos in ("OFF", "BELOW", "ABOVE", "BOTH")
        ]
        assert [height - heights[0] for height in heights] == [0, 24, 24, 48]

    @pytest.mark.parametrize(
        ("sent", "kind"),
        [
            pytest.param(b"\x1dk\x47\x05A123A", FaultKind.UNSUPPORTED, id="a system that is not drawn"),
            pytest.param(b"\x1dk\x02490123456789X\x00", FaultKind.BAD_VALUE, id="a letter in EAN13"),
            pytest.param(b"\x1dk\x024901234567895\x00", FaultKind.BAD_VALUE, id="a wrong check digit"),
            pytest.param(b"\x1dk\x04mihon\x00", FaultKind.BAD_VALUE, id="small letters in CODE39"),
            pytest.param(b"\x1dk\x49\x0262", FaultKind.BAD_VALUE, id="CODE128 without its set"),
            pytest.param(b"\x1dk\x49\x03{A\x80", FaultKind.BAD_VALUE, id="a byte that the set does not have"),
            pytest.param(b"\x1dk\x49\x05{B{S6", FaultKind.BAD_VALUE, id="a shift, which is not drawn"),
            pytest.param(b"\x1d(k\x03\x001Q0", FaultKind.BAD_VALUE, id="a 2D code without data"),
            pytest.param(b"\x1d(k\x03\x000Q0", FaultKind.UNSUPPORTED, id="PDF417"),
            pytest.param(b"\x1d(k\x04\x001A1\x00", FaultKind.UNSUPPORTED, id="the old model of QR"),
        ],
    )
    def test_a_code_that_cannot_be_drawn_is_told(self, sent: bytes, kind: FaultKind) -> None:
        assert kinds(only(INIT + sent + b"\n" + CUT)) == {kind}

    def test_more_data_than_a_2d_code_holds_is_told(self) -> None:
        data = b"1P0" + b"x" * 3000
        sent = b"\x1d(k" + len(data).to_bytes(2, "little") + data + b"\x1d(k\x03\x001Q0\n"
        assert kinds(only(sent + CUT)) == {FaultKind.BAD_VALUE}

    def test_the_tables_of_the_bar_codes_are_whole(self) -> None:
        assert (len(escpos_symbols._CODE_128), len(escpos_symbols._CODE_39)) == (106 * 6, 44 * 9)


class TestDamage:
    def test_a_whole_slip_has_no_fault(self) -> None:
        paper = only(SLIP)
        assert (paper.faults, paper.cut, paper.data) == ((), True, SLIP)
        assert paper.commands == ("ESC @", "GS v 0", "ESC d", "GS V")

    @given(st.integers(0, len(SLIP) - 1))
    def test_a_slip_cut_short_anywhere_is_noticed(self, end: int) -> None:
        papers = read_job(SLIP[:end])
        assert not any(paper.cut for paper in papers)
        assert all({FaultKind.NO_CUT} <= kinds(paper) for paper in papers)
        assert papers or end in (0, len(INIT))  # of a reset alone nothing comes out

    @given(st.integers(0, len(SLIP) - 1))
    def test_no_single_lost_byte_goes_unnoticed(self, place: int) -> None:
        papers = read_job(SLIP[:place] + SLIP[place + 1 :])
        assert any(paper.faults for paper in papers)

    @given(st.integers(len(INIT) + 8, len(INIT) + 8 + 72 * 200 - 1), st.integers(1, 4))
    def test_lost_bytes_of_a_picture_are_called_so(self, place: int, lost: int) -> None:
        end = len(SLIP) - len(FEED + CUT)
        damaged = SLIP[: min(place, end - lost)] + SLIP[min(place, end - lost) + lost :]
        assert FaultKind.LOST_BYTE in set().union(*(kinds(paper) for paper in read_job(damaged)))

    def test_a_byte_lost_before_another_picture_is_called_so(self) -> None:
        two = INIT + raster(PICTURE)[:-1] + raster(PICTURE) + FEED + CUT
        assert FaultKind.LOST_BYTE in kinds(read_job(two)[0])

    def test_a_picture_cut_short_shows_the_rows_that_came(self) -> None:
        paper = only(SLIP[: len(INIT) + 8 + 72 * 150 + 5])
        assert kinds(paper) == {FaultKind.TRUNCATED, FaultKind.NO_CUT}
        assert paper.image.tobytes() == PICTURE.crop((0, 0, 576, 150)).tobytes()

    @pytest.mark.parametrize(
        ("sent", "fault"),
        [
            pytest.param(b"\x00", Fault(FaultKind.STRAY_BYTE, 2, "0x00"), id="zero byte"),
            pytest.param(b"\x01\x02\x03", Fault(FaultKind.STRAY_BYTE, 2, "0x01", 3), id="control characters"),
            pytest.param("受付".encode(), Fault(FaultKind.HIGH_BYTE, 2, "0xe5", 6), id="UTF-8"),
            pytest.param("受付".encode("cp932"), Fault(FaultKind.HIGH_BYTE, 2, "0x8e", 3), id="Shift_JIS"),
            pytest.param(b"\x1bt\x01\xb1", Fault(FaultKind.HIGH_BYTE, 5, "0xb1"), id="half-width kana"),
            pytest.param(b"\x1b\x9962", Fault(FaultKind.UNKNOWN, 2, "1b 99"), id="unknown ESC"),
            pytest.param(b"\x1dV\x07", Fault(FaultKind.UNKNOWN, 2, "1d 56"), id="unknown kind of cut"),
            pytest.param(b"\x1dv1", Fault(FaultKind.UNKNOWN, 2, "1d 76"), id="unknown picture"),
            pytest.param(b"\x1b*\x05\x01\x00", Fault(FaultKind.UNKNOWN, 2, "1b 2a"), id="unknown density"),
            pytest.param(b"\x1ba\x05", Fault(FaultKind.BAD_VALUE, 2, "alignment 5"), id="unknown alignment"),
            pytest.param(b"\x1bL", Fault(FaultKind.UNSUPPORTED, 2, "ESC L"), id="page mode"),
            pytest.param(b"\x1b{\x01", Fault(FaultKind.UNSUPPORTED, 2, "ESC {"), id="upside down"),
            pytest.param(b"\x1d(A\x02\x00\x00\x02", Fault(FaultKind.UNSUPPORTED, 2, "GS ( A"), id="test print"),
            pytest.param(b"62\x1b@", Fault(FaultKind.LINE, 4, "ESC @ clears it"), id="a line cleared"),
            pytest.param(b"62" + raster(drawing(8, 8)), Fault(FaultKind.LINE, 4, "picture"), id="picture in a line"),
        ],
    )
    def test_each_kind_of_damage_is_named_with_its_place(self, sent: bytes, fault: Fault) -> None:
        assert only(INIT + sent + b"\n" + CUT).faults[0] == fault

    def test_text_before_the_cut_without_line_feed_is_told_and_printed(self) -> None:
        paper = only(b"62" + CUT)
        assert kinds(paper) == {FaultKind.LINE}
        assert inked(paper.image).width > 12

    @pytest.mark.parametrize(
        "sent", [raster(drawing(584, 8)), b"\x1bt\x00" + b"\x1b*\x21\x48\x02" + b"\xff" * 584 * 3 + b"\n"]
    )
    def test_a_picture_wider_than_the_head_is_told_and_cropped(self, sent: bytes) -> None:
        paper = only(sent + CUT)
        assert kinds(paper) == {FaultKind.TOO_WIDE}
        assert paper.image.width == 576

    def test_graphics_that_are_not_as_large_as_they_say_are_told(self) -> None:
        sent = b"\x1d(L\x0b\x00\x30\x70\x30\x01\x01\x31\x40\x00\x0a\x00\xff"
        assert kinds(only(sent + b"\n" + CUT)) == {FaultKind.BAD_VALUE}

    def test_a_missing_cut_is_told(self) -> None:
        paper = only(SLIP[: -len(CUT)])
        assert (paper.cut, kinds(paper)) == (False, {FaultKind.NO_CUT})

    def test_a_feed_gone_wild_is_told(self) -> None:
        paper = only(b"\x1b3\xff\x1bd\xff" + CUT)
        assert (kinds(paper), paper.image.height) == ({FaultKind.TOO_LONG}, 16_000)

    @given(st.lists(st.sampled_from(HEADS) | st.binary(max_size=12), max_size=40))
    def test_no_bytes_whatever_make_reading_fail(self, pieces: list[bytes]) -> None:
        papers = read_job(b"".join(pieces))
        assert all(paper.image.width == HEAD for paper in papers)


class TestKanji:
    @pytest.mark.parametrize(
        ("system", "encoding"), [(b"\x1cC\x00", "iso2022_jp"), (b"\x1cC\x01", "shift_jis"), (b"\x1cC\x00", "euc_jp")]
    )
    def test_kanji_take_their_room_and_are_flagged(self, system: bytes, encoding: str) -> None:
        kanji = "受付番号".encode(encoding).removeprefix(b"\x1b$B").removesuffix(b"\x1b(B")
        paper = only(INIT + system + b"\x1c&" + kanji + b"\x1c.\n" + CUT)
        assert [fault.kind for fault in paper.faults] == [FaultKind.KANJI] * 4
        assert 3 * 24 < inked(paper.image).width <= 4 * 24

    def test_half_a_kanji_at_the_end_is_told(self) -> None:
        assert FaultKind.TRUNCATED in kinds(only(b"\x1cC\x01\x1c&\x8e"))

    def test_after_kanji_mode_high_bytes_are_stray_again(self) -> None:
        assert FaultKind.HIGH_BYTE in kinds(only(b"\x1c&\x1c.\xb1\n" + CUT))


class TestStream:
    @given(st.lists(st.integers(1, 3000), max_size=12))
    def test_pieces_of_any_size_give_the_same_papers(self, sizes: list[int]) -> None:
        data, reader, papers = SLIP + b"62\n" + CUT, Reader(), []
        for size in sizes:
            papers += reader.feed(data[:size])
            data = data[size:]
        papers += reader.feed(data)
        assert [(paper.data, paper.faults) for paper in papers] == [(SLIP, ()), (b"62\n" + CUT, ())]
        assert papers[0].image.tobytes() == only(SLIP).image.tobytes()

    def test_one_byte_after_another_is_enough(self) -> None:
        reader = Reader()
        assert [len(reader.feed(bytes([byte]))) for byte in SLIP] == [0] * (len(SLIP) - 1) + [1]
        assert reader.close() == []

    def test_questions_are_handed_out_and_are_no_part_of_the_job(self) -> None:
        reader = Reader()
        (paper,) = reader.feed(b"\x10\x04\x01" + INIT + b"\x10\x04\x04" + SLIP[2:])
        assert reader.status_requests == [StatusRequest("DLE EOT", 1), StatusRequest("DLE EOT", 4)]
        assert (paper.data, paper.faults) == (SLIP, ())

    def test_a_question_inside_a_picture_is_dots(self) -> None:
        reader, picture = Reader(), Image.new("1", (576, 4), 255)
        sent = raster(picture)[:-40] + b"\x10\x04\x01" + raster(picture)[-37:]
        (paper,) = reader.feed(INIT + sent + CUT)
        assert (reader.status_requests, paper.faults) == ([], ())

    def test_other_questions_are_handed_out_too(self) -> None:
        reader = Reader()
        reader.feed(b"\x1dr\x01\x1da\xff")
        assert reader.status_requests == [StatusRequest("GS r", 1), StatusRequest("GS a", 255)]

    def test_a_question_alone_begins_no_job(self) -> None:
        reader = Reader()
        begun = [reader.feed(piece) == [] and reader.received > 0 for piece in (b"\x10", b"\x04", b"\x01", b"\x1b")]
        assert begun == [False, False, False, True]

    @pytest.mark.parametrize(
        "cut", [b"\x1dV\x00", b"\x1dV\x01", b"\x1dV0", b"\x1dV1", b"\x1dVA\x00", b"\x1dVB\x10", b"\x1bi", b"\x1bm"]
    )
    def test_every_kind_of_cut_ends_a_paper(self, cut: bytes) -> None:
        first, second = read_job(b"6\n" + cut + b"2\n" + cut)
        assert (first.cut, second.cut, first.faults + second.faults) == (True, True, ())

    def test_settings_alone_print_nothing(self) -> None:
        assert read_job(INIT + b"\x1ba\x01\x1c.") == []
