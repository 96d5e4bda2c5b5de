"""How booked people come, learned: who is late may still come, and who is very late will not."""

import pytest

from server.outlook.rules import Comings


def test_with_nothing_seen_most_come_some_minutes_before_their_time() -> None:
    share, moments = Comings([], 0).after(-120)

    assert share == pytest.approx(0.85)
    assert min(moments) < -20 < max(moments) <= 15


def test_the_share_that_stays_away_is_learned() -> None:
    assert Comings([-10.0] * 700, 300).after(-120)[0] == pytest.approx(0.7, abs=0.01)


def test_the_later_it_is_the_less_likely_they_still_come() -> None:
    comings = Comings([float(minutes) for minutes in range(-30, 20)] * 10, 75)
    shares = [comings.after(minutes)[0] for minutes in (-60, -10, 0, 10, 15, 25)]

    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0.0
    assert all(moment > 10 for moment in comings.after(10)[1])
