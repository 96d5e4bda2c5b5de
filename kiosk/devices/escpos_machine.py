"""What each ESC/POS command does to the paper: the virtual printer without its stream."""

from collections.abc import Callable
from typing import Final, TypeVar

from PIL import Image

from kiosk.devices.escpos_canvas import (
    FONT_A,
    FONT_B,
    KANJI,
    LINE_SPACING,
    Canvas,
    Style,
    beside,
    box,
    character,
    from_columns,
    from_rows,
    scaled,
    stacked,
)
from kiosk.devices.escpos_commands import FaultKind, name_of
from kiosk.devices.escpos_symbols import CodeSettings

Complain = Callable[[FaultKind, str], None]
DrawnT = TypeVar("DrawnT")

_TAB: Final = 8
_KANJI_CODES: Final = {0: "JIS", 48: "JIS", 1: "Shift_JIS", 49: "Shift_JIS", 2: "Shift_JIS", 50: "Shift_JIS"}


class Machine:
    """A printer's settings and its paper. What it cannot do as told it complains about."""

    def __init__(self, width: int, complain: Complain) -> None:
        self._width = width
        self._complain = complain
        self.canvas = Canvas(width)
        self._reset()

    def _reset(self) -> None:
        canvas = self.canvas
        canvas.align, canvas.left, canvas.area = 0, 0, self._width
        self._style = Style()
        self._spacing = LINE_SPACING
        self._tabs: tuple[int, ...] = tuple(range(_TAB, 256, _TAB))
        self._kanji = False
        self._kanji_code = "JIS"
        self._graphics: Image.Image | None = None
        self._codes = CodeSettings()

    # Text

    def takes_two_bytes(self, byte: int) -> bool:
        """Whether this byte begins a kanji."""
        if not self._kanji:
            return False
        if self._kanji_code == "JIS":
            return 0x21 <= byte <= 0x7E or byte >= 0xA1
        return 0x81 <= byte <= 0x9F or 0xE0 <= byte <= 0xFC

    def text(self, byte: int) -> None:
        """One character of the printer's own fonts."""
        if byte >= 0x80 and not self._kanji:
            self._complain(FaultKind.HIGH_BYTE, f"0x{byte:02x}")
        plain = 0x20 <= byte < 0x7F
        style = self._style
        self._put(character(chr(byte), style) if plain else box(style.font, style))

    def kanji(self) -> None:
        """A kanji has its room and no face: its shape is known to the printer alone."""
        self._complain(FaultKind.KANJI, self._kanji_code)
        self._put(box(KANJI, self._style))

    def control(self, byte: int) -> None:
        """LF, CR, HT and BEL; no other control character has a meaning here."""
        if byte == 0x0A:
            self.canvas.end_line(self._spacing)
        elif byte == 0x09:
            column = self._style.font[0] * self._style.wide + self._style.spacing
            self.canvas.x = next((tab * column for tab in self._tabs if tab * column > self.canvas.x), self.canvas.x)
        elif byte not in (0x07, 0x0D):
            self._complain(FaultKind.STRAY_BYTE, f"0x{byte:02x}")

    def _put(self, cell: Image.Image) -> None:
        if not self.canvas.fits(cell.width):
            self.canvas.end_line(self._spacing)
        self.canvas.add(cell, self._style.spacing * self._style.wide)

    # Commands

    def run(self, command: bytes) -> None:
        """Do what a whole command says."""
        does = _DOES.get(command[:2])
        if does is not None:
            does(self, command[2:])
        elif command[:2] not in _WITHOUT_TRACE and command[:3] != b"\x1c(A":  # fonts of kanji
            self._complain(FaultKind.UNSUPPORTED, name_of(command))

    def raster_in_part(self, command: bytes) -> None:
        """A raster picture whose end never came: the rows that are there."""
        if len(command) > 8 and command[4] | command[5]:
            self._raster(command[2:])

    def initialise(self, _: bytes) -> None:
        """ESC @ forgets settings, and the line that was not printed yet."""
        if self.canvas.line_begun:
            self._complain(FaultKind.LINE, "ESC @ clears it")
        self.canvas.forget_line()
        self._reset()

    def cut(self, values: bytes) -> None:
        """GS V, ESC i, ESC m: what is left in the line is printed; the functions with a value feed before."""
        if self.canvas.line_begun:
            self._complain(FaultKind.LINE, "cut")
            self.canvas.end_line(self._spacing)
        if len(values) == 2:
            self.canvas.end_line(values[1])

    def _print_mode(self, values: bytes) -> None:
        n, style = values[0], self._style
        style.font = FONT_B if n & 0x01 else FONT_A
        style.bold, style.underline = bool(n & 0x08), int(bool(n & 0x80))
        style.high, style.wide = 1 + bool(n & 0x10), 1 + bool(n & 0x20)

    def _size(self, values: bytes) -> None:
        self._style.wide, self._style.high = (values[0] >> 4 & 7) + 1, (values[0] & 7) + 1

    def _font(self, values: bytes) -> None:
        self._style.font = FONT_B if self._choice(values[0], 2, "font") else FONT_A

    def _underline(self, values: bytes) -> None:
        self._style.underline = self._choice(values[0], 3, "underline")

    def _align(self, values: bytes) -> None:
        self.canvas.align = self._choice(values[0], 3, "alignment")

    def _choice(self, n: int, choices: int, what: str) -> int:
        """Many settings take 0, 1, … and the digits 0, 1, … alike."""
        chosen = n - 48 if n >= 48 else n
        if chosen < choices:
            return chosen
        self._complain(FaultKind.BAD_VALUE, f"{what} {n}")
        return 0

    def _bold(self, values: bytes) -> None:
        self._style.bold = bool(values[0] & 1)

    def _invert(self, values: bytes) -> None:
        self._style.inverted = bool(values[0] & 1)

    def _character_spacing(self, values: bytes) -> None:
        self._style.spacing = values[0]

    def _line_spacing(self, values: bytes) -> None:
        self._spacing = values[0] if values else LINE_SPACING

    def _feed_dots(self, values: bytes) -> None:
        self.canvas.end_line(values[0])

    def _feed_lines(self, values: bytes) -> None:
        if values[0]:
            self.canvas.end_line(self._spacing)
        self.canvas.end_line(max(0, values[0] - 1) * self._spacing)

    def _set_tabs(self, values: bytes) -> None:
        self._tabs = tuple(values[:-1])

    def _move_to(self, values: bytes) -> None:
        self.canvas.x = min(int.from_bytes(values, "little"), self.canvas.area)

    def _move_by(self, values: bytes) -> None:
        by = int.from_bytes(values, "little", signed=True)
        self.canvas.x = min(max(0, self.canvas.x + by), self.canvas.area)

    def _margin(self, values: bytes) -> None:
        self.canvas.left = min(int.from_bytes(values, "little"), self._width)
        self.canvas.area = min(self.canvas.area, self._width - self.canvas.left)

    def _area(self, values: bytes) -> None:
        self.canvas.area = min(int.from_bytes(values, "little"), self._width - self.canvas.left)

    def _upside_down(self, values: bytes) -> None:
        if values[0] & 1:
            self._complain(FaultKind.UNSUPPORTED, "ESC {")

    def _turned(self, values: bytes) -> None:
        if values[0] % 48:
            self._complain(FaultKind.UNSUPPORTED, "ESC V")

    def _kanji_on(self, _: bytes) -> None:
        self._kanji = True

    def _kanji_off(self, _: bytes) -> None:
        self._kanji = False

    def _kanji_system(self, values: bytes) -> None:
        if values[0] not in _KANJI_CODES:
            self._complain(FaultKind.BAD_VALUE, f"kanji code {values[0]}")
        self._kanji_code = _KANJI_CODES.get(values[0], "JIS")

    # Pictures

    def _block(self, picture: Image.Image) -> None:
        canvas = self.canvas
        if canvas.line_begun:
            self._complain(FaultKind.LINE, "picture")
            canvas.end_line(self._spacing)
        if picture.width > canvas.area:
            self._complain(FaultKind.TOO_WIDE, f"{picture.width} dots where {canvas.area} can be printed")
            picture = picture.crop((0, 0, canvas.area, picture.height))
        canvas.block(picture)

    def _raster(self, values: bytes) -> None:
        """GS v 0 m xL xH yL yH: m doubles width (1) and height (2)."""
        mode, width_bytes = self._choice(values[1], 4, "raster mode"), values[2] | values[3] << 8
        if width_bytes and len(values) > 6:
            self._block(scaled(from_rows(values[6:], width_bytes), 1 + (mode & 1), 1 + (mode >> 1)))

    def _columns(self, values: bytes) -> None:
        """ESC * m nL nH: columns of 8 or 24 dots, in single or double density, go into the line."""
        column_bytes = 3 if values[0] >= 32 else 1
        if len(values) == 3:
            return
        wide, high = 1 if values[0] & 1 else 2, 1 if column_bytes == 3 else 3
        picture = scaled(from_columns(values[3:], column_bytes), wide, high)
        if not self.canvas.fits(picture.width):
            room = self.canvas.area - self.canvas.x
            self._complain(FaultKind.TOO_WIDE, f"{picture.width} dots where {room} are left")
            picture = picture.crop((0, 0, room, picture.height))
        self.canvas.add(picture)

    def _function(self, values: bytes) -> None:
        """GS ( X pL pH …."""
        letter, data = chr(values[0]), values[3:]
        if letter == "L":
            self._graphics_function(data)
        elif letter == "k":
            self._symbol_function(data)
        elif letter not in "DEHK":  # settings, answers, density: no trace on paper
            self._complain(FaultKind.UNSUPPORTED, f"GS ( {letter}")

    def _long_function(self, values: bytes) -> None:
        """GS 8 L p1 p2 p3 p4 …."""
        self._graphics_function(values[5:])

    def _graphics_function(self, data: bytes) -> None:
        """Function 112 keeps a picture, function 50 prints it."""
        function = data[1:2]
        if function == b"\x70" and len(data) >= 10:
            self._keep_graphics(data[2:])
        elif function in (b"2", b"\x02") and self._graphics is not None:
            picture, self._graphics = self._graphics, None
            self._block(picture)
        else:
            self._complain(FaultKind.UNSUPPORTED, f"GS ( L function {data[1:2].hex()}")

    def _keep_graphics(self, data: bytes) -> None:
        """a bx by c xL xH yL yH: tone, scale, colour, size."""
        wide, high = data[1], data[2]
        width, height = data[4] | data[5] << 8, data[6] | data[7] << 8
        dots = data[8:]
        width_bytes = (width + 7) // 8
        if data[0] != 48 or not width or len(dots) != width_bytes * height or not {wide, high} <= {1, 2}:
            self._complain(FaultKind.BAD_VALUE, f"GS ( L: {len(dots)} bytes for {width} by {height} dots")
            return
        picture = from_rows(dots, width_bytes).crop((0, 0, width, height))
        self._graphics = scaled(picture, wide, high)

    # Codes

    def _symbol_function(self, data: bytes) -> None:
        picture = self._drawn(lambda: self._codes.function(data))
        if picture is not None:
            self._block(picture)

    def _barcode(self, values: bytes) -> None:
        drawn = self._drawn(lambda: self._codes.bars(values))
        if drawn is None:
            return
        bars, text = drawn
        letters = [character(letter, Style()) for letter in text if letter.isprintable()]
        place = self._choice(self._codes.text_place, 4, "place of the text")
        above, below = letters if place & 1 else [], letters if place & 2 else []
        self._block(stacked([beside(above), bars, beside(below)]))

    def _drawn(self, draw: Callable[[], DrawnT]) -> DrawnT | None:
        try:
            return draw()
        except LookupError as error:
            self._complain(FaultKind.UNSUPPORTED, str(error.args[0]))
        except ValueError as error:
            self._complain(FaultKind.BAD_VALUE, str(error))
        return None

    def _bar_height(self, values: bytes) -> None:
        self._codes.bar_height = values[0]

    def _bar_width(self, values: bytes) -> None:
        if 1 <= values[0] <= 6:
            self._codes.bar_module = values[0]
        else:
            self._complain(FaultKind.BAD_VALUE, f"bar width {values[0]}")

    def _bar_text(self, values: bytes) -> None:
        self._codes.text_place = values[0]


_DOES: Final[dict[bytes, Callable[[Machine, bytes], None]]] = {
    b"\x1b ": Machine._character_spacing,
    b"\x1b!": Machine._print_mode,
    b"\x1b$": Machine._move_to,
    b"\x1b*": Machine._columns,
    b"\x1b-": Machine._underline,
    b"\x1b2": Machine._line_spacing,
    b"\x1b3": Machine._line_spacing,
    b"\x1b@": Machine.initialise,
    b"\x1bD": Machine._set_tabs,
    b"\x1bE": Machine._bold,
    b"\x1bG": Machine._bold,
    b"\x1bJ": Machine._feed_dots,
    b"\x1bM": Machine._font,
    b"\x1bV": Machine._turned,
    b"\x1b\\": Machine._move_by,
    b"\x1ba": Machine._align,
    b"\x1bd": Machine._feed_lines,
    b"\x1bi": Machine.cut,
    b"\x1bm": Machine.cut,
    b"\x1b{": Machine._upside_down,
    b"\x1c&": Machine._kanji_on,
    b"\x1c.": Machine._kanji_off,
    b"\x1cC": Machine._kanji_system,
    b"\x1d!": Machine._size,
    b"\x1d(": Machine._function,
    b"\x1d8": Machine._long_function,
    b"\x1dB": Machine._invert,
    b"\x1dH": Machine._bar_text,
    b"\x1dL": Machine._margin,
    b"\x1dV": Machine.cut,
    b"\x1dW": Machine._area,
    b"\x1dh": Machine._bar_height,
    b"\x1dk": Machine._barcode,
    b"\x1dv": Machine._raster,
    b"\x1dw": Machine._bar_width,
}

_WITHOUT_TRACE: Final = frozenset(
    first + bytes((second,))
    for first, seconds in {
        b"\x10": b"\x05\x14",  # recovery, drawer
        b"\x1b": b"=?BRScprtuv",  # choice of device, code page, drawer, buzzer, colour, panel keys
        b"\x1c": b"!-SW",  # looks of kanji, which are not drawn anyway
        b"\x1d": b"ITbf|",  # identity, smoothing, font of a bar code's text, density
    }.items()
    for second in seconds
)
