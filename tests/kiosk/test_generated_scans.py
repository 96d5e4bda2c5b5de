"""Ten thousand scans by chance: no crash, and nothing is taken for a code of ours that is none (`make soak`: more)."""

import pytest

from tests.kiosk.generated_scans import try_out

SEED = 20261130


@pytest.mark.parametrize("part", range(4))
def test_of_ten_thousand_scans_none_breaks_anything_or_is_taken_for_another(part: int) -> None:
    assert try_out(SEED + part, 2500) > 700
