"""The self-test card (pure): one code with every sign there is, by which staff see each morning that the scanner still
is set as it was – its keyboard layout, its capitals and its end mark.
"""

from typing import Final

from kiosk.devices.keymap import LAYOUTS
from kiosk.messages import Say
from kiosk.scans import ScannerSetup, same_keys
from kiosk.slip import CodeBlock, Rule, Slip, TextLine, wrap
from madoguchi.wire import ScannerFinding

MARK: Final = "MADOGUCHI-TEST-"
"""How the card begins: letters and hyphens lie alike on all layouts."""

CARD: Final = MARK + "".join(map(chr, range(0x21, 0x7F)))
CODE_MM: Final = 36.0

_LONGEST_PREFIX = 4


def finding(text: str, ended: str, setup: ScannerSetup) -> ScannerFinding | None:
    """What the card says of the scanner; None for a scan that is not the card."""
    at = text.upper().find(MARK)
    if not 0 <= at <= _LONGEST_PREFIX:
        return None
    said = text.strip()[at:]
    if said == CARD:
        return ScannerFinding.SUFFIX if ended and ended != setup.suffix else ScannerFinding.OK
    if said.casefold() == CARD.casefold():
        return ScannerFinding.CASE
    others = (layout for layout in LAYOUTS if layout != setup.layout)
    known = any(same_keys(CARD, said, setup.layout, other) for other in others)
    return ScannerFinding.LAYOUT if known else ScannerFinding.CHARACTERS


def card(width_mm: float) -> Slip:
    """The card as it is printed."""

    def lines(text: str, mm: float, **look: bool) -> list[TextLine]:
        return [TextLine(part, mm, **look) for part in wrap(text, width_mm, mm)]

    return (
        *lines("読み取り機の点検カード", 5.0, bold=True, center=True),
        Rule(),
        CodeBlock(CARD, (), CODE_MM),
        *lines("毎朝、受付を始める前に、この二次元コードを受付端末にかざしてください。", 3.6),
        *lines("画面に結果が出て、職員の画面に点検日が残ります。", 3.6),
        *lines("色があせたり、よごれたりしたら、印刷し直してください。", 3.6),
    )


def told(found: ScannerFinding) -> Say:
    """What the panel says of it."""
    return Say(f"kiosk.selftest.{found}")
