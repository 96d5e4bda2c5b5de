"""Limits per address, counted in this process."""

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from server.limits import Counters


def test_an_address_is_counted_by_itself() -> None:
    limiter, twice = FixedWindowRateLimiter(Counters()), parse("2 per minute")
    assert [limiter.hit(twice, "192.0.2.1") for _ in range(3)] == [True, True, False]
    assert limiter.hit(twice, "192.0.2.2")


def test_a_count_that_has_run_out_begins_anew() -> None:
    counters = Counters()
    assert [counters.incr("192.0.2.1", expiry=60) for _ in range(2)] == [1, 2]
    assert [counters.incr("192.0.2.2", expiry=0) for _ in range(2)] == [1, 1]


def test_the_setting_names_these_counters() -> None:
    assert isinstance(storage_from_string("memory://"), Counters)
