"""Codes that the printer itself draws from data: 二次元コード (QR) and the bar codes in common use (pure).

Drawn without quiet zone, as printers do: whoever sends them leaves room.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Final

import segno
from PIL import Image

_LEVELS: Final = {48: "L", 49: "M", 50: "Q", 51: "H"}
_CODE_128: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122"
    "123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323"
    "131123131321112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131"
    "213113213311213131311123311321331121312113312311332111314111221411431111111224111422121124121421141122"
    "141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112"
    "124211411212421112421211212141214121412121111143111341131141114113114311411113411311113141114131311141"
    "411131211412211214211232"
)
"""Six widths of bars and gaps for each value, 0 to 105."""

_CODE_128_STOP: Final = "2331112"
_CODE_39_CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
_CODE_39: Final = (
    "111331311311311113113311113313311111111331113311331111113331111111311313311311311113311311311113113113"
    "113113313113111111133113311133111113133111111113313311113311113113311111133311311111133113111133313111"
    "131111131133311131131113131131111111333311111331113111331111131331331111113133111113333111111131131113"
    "331131111133131111131111313331111311133111311131313111131311131131113131111313131131131311"
)
"""Nine widths for each character."""

_EAN: Final = "0001101001100100100110111101010001101100010101111011101101101110001011"
"""Seven modules for each digit on the left."""

_EAN_PARITY: Final = "000000001011001101001110010011011001011100010101010110011010"
"""Which of the six digits on the left are mirrored, by the first digit, which has no bars of its own."""


@dataclass
class CodeSettings:
    """What was set for the next code; it stays set for those after it."""

    level: int = 48
    module: int = 3
    data: bytes = b""
    bar_module: int = 3
    bar_height: int = 162
    text_place: int = 0

    def function(self, data: bytes) -> Image.Image | None:
        """GS ( k cn fn …: the code when it is to be printed. Raises LookupError, ValueError."""
        if data[:1] != b"1" or len(data) < 3:
            raise LookupError(f"GS ( k system {data[:1].hex()}")
        function, values = data[1], data[2:]
        if function == 65 and values[0] != 50:
            raise LookupError(f"QR model {values[0]}")
        if function == 67:
            self.module = values[0]
        elif function == 69:
            self.level = values[0]
        elif function == 80:
            self.data = values[1:]
        return self._symbol() if function == 81 else None

    def bars(self, values: bytes) -> tuple[Image.Image, str]:
        """GS k m d… NUL, or GS k m n d…: the bar code and the text beside it. Raises LookupError, ValueError."""
        system = values[0]
        data = values[1:-1] if system <= 6 else values[2:]
        if system not in SYSTEMS:
            raise LookupError(f"bar code system {system}")
        text = re.sub(rb"\{[ABC1]", b"", data).decode("ascii", "replace")
        return barcode(system, data, self.bar_module, max(1, self.bar_height)), text

    def _symbol(self) -> Image.Image:
        if self.level not in _LEVELS or not 1 <= self.module <= 16 or not self.data:
            raise ValueError("GS ( k: level, module size or data missing")
        return qr(self.data, _LEVELS[self.level], self.module)


def qr(data: bytes, level: str, module: int) -> Image.Image:
    """A 二次元コード with modules of so many dots. Raises ValueError when the data has no room in any size."""
    try:
        symbol = segno.make(data, error=level, boost_error=False, micro=False)
    except segno.DataOverflowError as error:
        raise ValueError("more data than a code can hold") from error
    rows = [bytes(row) for row in symbol.matrix]
    small = Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows)).point([255] + [0] * 255)
    return small.convert("1").resize((small.width * module, small.height * module), Image.Resampling.NEAREST)


def barcode(system: int, data: bytes, module: int, height: int) -> Image.Image:
    """A bar code by its number in GS k, one of SYSTEMS. Raises ValueError for data that it cannot hold."""
    bars = SYSTEMS[system](data)
    row = bytes(0 if bar == "1" else 255 for bar in bars)
    return Image.frombytes("L", (len(row), 1), row).convert("1").resize((len(row) * module, height), 0)


def _bars(widths: str) -> str:
    return "".join(colour * int(width) for width, colour in zip(widths, cycle("10"), strict=False))


def _ean_13(data: bytes) -> str:
    digits = _digits(data, 13)
    left = "".join(
        _left(digit) if parity == "0" else _right(digit)[::-1]
        for digit, parity in zip(digits[1:7], _EAN_PARITY[digits[0] * 6 :][:6], strict=True)
    )
    return f"101{left}01010{''.join(map(_right, digits[7:]))}101"


def _ean_8(data: bytes) -> str:
    digits = _digits(data, 8)
    return f"101{''.join(map(_left, digits[:4]))}01010{''.join(map(_right, digits[4:]))}101"


def _upc_a(data: bytes) -> str:
    return _ean_13(b"0" + data)


def _digits(data: bytes, length: int) -> list[int]:
    """The digits with their check digit, which may have been left to the printer."""
    if not data.isdigit() or len(data) not in (length - 1, length):
        raise ValueError(f"expected {length - 1} or {length} digits")
    digits = [byte - 48 for byte in data[: length - 1]]
    check = -sum(digit * weight for digit, weight in zip(reversed(digits), cycle((3, 1)), strict=False)) % 10
    if len(data) == length and data[-1] - 48 != check:
        raise ValueError("wrong check digit")
    return [*digits, check]


def _left(digit: int) -> str:
    return _EAN[digit * 7 :][:7]


def _right(digit: int) -> str:
    return "".join("1" if bar == "0" else "0" for bar in _left(digit))


def _code_39(data: bytes) -> str:
    text = data.decode("ascii", "replace").strip("*")
    if not text or set(text) - set(_CODE_39_CHARACTERS[:-1]):
        raise ValueError("a character that CODE39 does not have")
    places = (_CODE_39_CHARACTERS.index(character) * 9 for character in f"*{text}*")
    return "0".join(_bars(_CODE_39[place:][:9]) for place in places)


def _code_128(data: bytes) -> str:
    values = _code_128_values(data)
    check = values[0] + sum(place * value for place, value in enumerate(values))
    return _bars("".join(_CODE_128[value * 6 :][:6] for value in (*values, check % 103)) + _CODE_128_STOP)


def _code_128_values(data: bytes) -> list[int]:
    """`{A`, `{B`, `{C` choose the set, `{1` is FNC1, `{{` a brace; in set C each byte is a number below 100."""
    if data[:1] != b"{" or data[1:2] not in (b"A", b"B", b"C"):
        raise ValueError("no code set at the start")
    chosen = chr(data[1])
    values = [{"A": 103, "B": 104, "C": 105}[chosen]]
    rest = iter(data[2:])
    for byte in rest:
        special = chr(next(rest, 0)) if byte == ord("{") else ""
        if special and special in "ABC":
            values.append({"A": 101, "B": 100, "C": 99}[special])
            chosen = special
        elif special == "1":
            values.append(102)
        elif special and special != "{":
            raise ValueError(f"no {{{special} in CODE128 here")
        else:
            values.append(_code_128_value(chosen, byte))
    return values


def _code_128_value(chosen: str, byte: int) -> int:
    value = byte if chosen == "C" else byte - 32 if byte >= 32 else byte + 64
    highest = {"A": 95, "B": 127, "C": 99}[chosen]
    if byte > highest or (chosen == "B" and byte < 32):
        raise ValueError(f"a character that set {chosen} does not have")
    return value


SYSTEMS: Final[dict[int, Callable[[bytes], str]]] = {
    0: _upc_a,
    2: _ean_13,
    3: _ean_8,
    4: _code_39,
    65: _upc_a,
    67: _ean_13,
    68: _ean_8,
    69: _code_39,
    73: _code_128,
}
