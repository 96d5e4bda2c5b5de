"""Slip → picture of black and white dots.

Japanese goes on paper as a picture: it prints on any model, and no text can become a command of the printer.
Fonts are opened once; a line that was drawn before (the fixed sentences, the office's name) is not drawn again.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont

from kiosk.printer_profile import PrinterProfile
from kiosk.slip import SIDE_MM, CodeBlock, NumberLine, Rule, Slip, TextLine
from madoguchi.wire import Names

OWN_FONTS: Final = Path(__file__).resolve().parent / "fonts"
SYSTEM_FONTS: Final = Path("/usr/share/fonts")
GETA: Final = "〓"
"""Printers' stand-in for a character that no font has: the ticket comes out all the same, and it shows."""

# Letters that the first have not: one weight each, for a kiosk has little room.
_FURTHER = (
    ("NotoSansKR-Medium.ttf", "NotoSansCJKkr-Medium.otf"),
    ("NotoSansSC-Medium.ttf", "NotoSansCJKsc-Medium.otf"),
)
_REGULAR = ("BIZUDGothic-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf")
_BOLD = ("BIZUDGothic-Bold.ttf", "NotoSansCJK-Bold.ttc", "NotoSansCJKjp-Bold.otf")
_WHITE, _BLACK = 255, 0
_MARGIN_MM = 1.0
_QUIET_ZONE = 4
_INK = bytes([_WHITE, *[_BLACK] * 255])  # of a module of the code


class NoFont(RuntimeError):
    """There is no font with Japanese letters on this machine."""


class Fonts:
    """The fonts for the paper, from the first folder that has them; kept open in the sizes that were used.

    A line is drawn with one font: the first that has all its letters. The system maps the files, so that of a large one
    only what is drawn comes into memory.
    """

    def __init__(self, folders: Iterable[Path] = (OWN_FONTS, SYSTEM_FONTS)) -> None:
        folders = list(folders)
        japanese = (_required(_REGULAR, folders), _required(_BOLD, folders))
        further = (_found(names, folders) for names in _FURTHER)
        self._faces = (japanese, *((path, path) for path in further if path is not None))
        self._opened = lru_cache(maxsize=64)(ImageFont.truetype)
        self._has = lru_cache(maxsize=8192)(self._look_for)

    def open(self, size: int, bold: bool, face: int = 0) -> ImageFont.FreeTypeFont:
        """A face in a size; the first has the Japanese letters."""
        return self._opened(str(self._faces[face][bold]), size)

    def face_for(self, text: str) -> int:
        """The first face that has all letters of a text, else the one that lacks fewest."""
        return min(range(len(self._faces)), key=lambda face: len(self._lacking(text, face)))

    def missing(self, text: str) -> set[str]:
        """The characters of a text that cannot be printed."""
        return set.intersection(*(self._lacking(text, face) for face in range(len(self._faces))))

    def printable(self, text: str, face: int) -> str:
        """The text with 〓 for what a face has not."""
        lacking = self._lacking(text, face)
        return "".join(GETA if char in lacking else char for char in text)

    def _lacking(self, text: str, face: int) -> set[str]:
        return {char for char in text if not self._has(char, face)}

    def _look_for(self, char: str, face: int) -> bool:
        """Whether both weights have the character: what a font lacks it draws as one and the same box."""
        if char.isspace():
            return True
        for bold in (False, True):
            font = self.open(32, bold, face)
            if bytes(font.getmask(char)) == bytes(font.getmask("\U0010ffff")):
                return False
        return True

    def names(self, names: Names) -> Names:
        """A name in the languages in which it can be printed; for Japanese another stands in where only that can be."""
        whole = {language: name for language, name in names.items() if not self.missing(name)}
        return {"ja": next(iter(whole.values()), names["ja"]), **whole}

    def digits_size(self, height: int) -> int:
        """The font size at which the lowest digit is `height` dots high."""
        probe = self.open(1000, True)
        boxes = [probe.getbbox(digit) for digit in "0123456789"]
        lowest = min(bottom - top for _, top, _, bottom in boxes)
        return -(-height * 1000 // round(lowest))


class Press:
    """Draws slips for one printer model."""

    def __init__(self, fonts: Fonts, profile: PrinterProfile) -> None:
        self.fonts = fonts
        self._profile = profile
        self._dots = profile.dots
        # A demo's day has some 200 different lines in two languages; each takes some 20 kilobytes.
        self._line = lru_cache(maxsize=256)(self._draw_line)

    def draw(self, slip: Slip) -> Image.Image:
        """The whole slip, as wide as the print head."""
        strips = [self._strip(element) for element in slip]
        margin = self._dots(_MARGIN_MM)
        picture = Image.new("1", (self._profile.width_dots, sum(s.height for s in strips) + 2 * margin), _WHITE)
        at = margin
        for strip in strips:
            picture.paste(strip, (0, at))
            at += strip.height
        return picture

    def _strip(self, element: TextLine | NumberLine | Rule | CodeBlock) -> Image.Image:
        width = self._profile.width_dots
        if isinstance(element, TextLine):
            return self._line(element, width)
        if isinstance(element, NumberLine):
            return self._number(element)
        if isinstance(element, CodeBlock):
            return self._code_block(element)
        strip = Image.new("1", (width, self._dots(3.5)), _WHITE)
        middle = strip.height // 2
        ImageDraw.Draw(strip).rectangle((0, middle, width, middle + 1), fill=_BLACK)
        return strip

    def _draw_line(self, line: TextLine, width: int) -> Image.Image:
        size, above, side = self._dots(line.mm), self._dots(line.above), self._dots(SIDE_MM)
        strip = Image.new("L", (width, above + size + self._dots(0.5)), _WHITE)
        face = self.fonts.face_for(line.text)
        font = self.fonts.open(size, line.bold, face)
        text = self.fonts.printable(line.text, face)
        draw = ImageDraw.Draw(strip)
        left = max(0, (width - round(font.getlength(text))) // 2) if line.center else side + self._dots(line.indent)
        draw.text((left, above), text, font=font, fill=_BLACK)
        if line.box:
            draw.rectangle((side, above + size // 12, side + size * 5 // 6, above + size * 11 // 12), None, _BLACK, 2)
        return _hard(strip)

    def _number(self, number: NumberLine) -> Image.Image:
        width = self._profile.width_dots
        size = self.fonts.digits_size(self._dots(number.mm))
        # Four digits fit in full height on every model; a longer number gets smaller instead of losing a digit.
        while self.fonts.open(size, True).getlength(number.text) > width:
            size -= 4
        font = self.fonts.open(size, True)
        left, top, right, bottom = (round(edge) for edge in font.getbbox(number.text))
        gap = self._dots(2.5)
        strip = Image.new("L", (width, bottom - top + 2 * gap), _WHITE)
        at = ((width - (right - left)) // 2 - left, gap - top)
        ImageDraw.Draw(strip).text(at, number.text, font=font, fill=_BLACK)
        return _hard(strip)

    def _code_block(self, block: CodeBlock) -> Image.Image:
        left = self._dots(block.mm)
        code = _code_picture(block.payload, left)
        texts = [self._line(line, self._profile.width_dots - left) for line in block.beside]
        height = max(code.height, sum(text.height for text in texts))
        strip = Image.new("1", (self._profile.width_dots, height), _WHITE)
        strip.paste(code, (0 if block.beside else (strip.width - code.width) // 2, 0))
        at = (height - sum(text.height for text in texts)) // 2
        for text in texts:
            strip.paste(text, (left, at))
            at += text.height
        return strip


def _found(names: Iterable[str], folders: Iterable[Path]) -> Path | None:
    for folder in folders:
        for name in names:
            for path in sorted(folder.rglob(name)) if folder.is_dir() else ():
                return path
    return None


def _required(names: Iterable[str], folders: Iterable[Path]) -> Path:
    if (path := _found(names, folders)) is not None:
        return path
    raise NoFont(
        "no font with Japanese letters for the paper: run `make setup`, which fetches BIZ UDGothic to kiosk/fonts, "
        "or install fonts-morisawa-bizud-gothic or fonts-noto-cjk"
    )


def _hard(strip: Image.Image) -> Image.Image:
    """Black or white: the print head knows no grey."""
    return strip.point([_BLACK if grey < 150 else _WHITE for grey in range(256)], "1")


def _code_picture(payload: str, room: int) -> Image.Image:
    """The code with its quiet zone, in whole dots per module."""
    matrix = segno.make(payload, error="m", micro=False).matrix
    side = len(matrix) + 2 * _QUIET_ZONE
    edge = bytes(_QUIET_ZONE)
    rows = b"".join(edge + bytes(row) + edge for row in matrix)
    around = bytes(side * _QUIET_ZONE)
    small = Image.frombytes("L", (side, side), (around + rows + around).translate(_INK))
    scale = max(3, room // side)
    return small.resize((side * scale, side * scale), Image.Resampling.NEAREST)
