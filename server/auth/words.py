"""How staff read the state of a device (pure)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, Protocol

from madoguchi.wire import ScannerFinding
from server.clock import business_date, office_time

FINDINGS: Final[Mapping[str, str]] = {
    ScannerFinding.OK: "正常",
    ScannerFinding.LAYOUT: "キー配列の設定が変わっています",
    ScannerFinding.CASE: "大文字と小文字の設定が変わっています",
    ScannerFinding.CHARACTERS: "読めない文字があります",
    ScannerFinding.SUFFIX: "終わりの記号の設定が変わっています",
}


class Tested(Protocol):
    """What the words need of a kiosk."""

    scanner_tested_at: datetime | None
    scanner_finding: str | None


def scanner_words(kiosk: Tested, today: date) -> tuple[str, bool]:
    """What the newest test of the kiosk's scanner said and when, and whether all is well today."""
    at = kiosk.scanner_tested_at
    if at is None:
        return "まだ点検していません", False
    found = FINDINGS.get(kiosk.scanner_finding or "", "点検できませんでした")
    if business_date(at) != today:
        return f"今日はまだ点検していません（{business_date(at):%-m/%-d}は{found}）", False
    return f"{found}（{office_time(at):%-H:%M}）", kiosk.scanner_finding == ScannerFinding.OK
