"""What staff read of a kiosk's scanner."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from madoguchi.wire import ScannerFinding
from server.auth.words import FINDINGS, scanner_words
from server.clock import business_date
from tests.server.city import moment


@dataclass
class Kiosk:
    """A kiosk and its newest test."""

    scanner_tested_at: datetime | None
    scanner_finding: str | None


NOW = moment("9:10")


@pytest.mark.parametrize(
    ("at", "finding", "said", "well"),
    [
        (None, None, "まだ点検していません", False),
        (NOW, "ok", "正常（9:10）", True),
        (NOW, "layout", "キー配列の設定が変わっています（9:10）", False),
        (NOW, "full moon", "点検できませんでした（9:10）", False),
        (NOW - timedelta(days=1), "ok", "今日はまだ点検していません（11/29は正常）", False),
    ],
)
def test_a_scanner_is_well_only_when_today_s_test_says_so(
    at: datetime | None, finding: str | None, said: str, well: bool
) -> None:
    assert scanner_words(Kiosk(at, finding), business_date(NOW)) == (said, well)


def test_every_finding_has_its_words() -> None:
    assert set(FINDINGS) == set(ScannerFinding)
