"""How long visits take, learned: a little from a few, all from many, and never fooled by a visit left open."""

import pytest

from server.queueing.durations import Done, Durations

PICKUP, LANE = 1, 1


def done(minutes: float, times: int = 1, hour: int = 10) -> list[Done]:
    """So many stops that took so long."""
    return [Done(PICKUP, LANE, hour, minutes)] * times


def minutes(past: list[Done], today: list[Done] | None = None, hour: int = 10, people: int = 1) -> float:
    """What is expected of a stop that the office's file says takes fifteen minutes."""
    return Durations({(PICKUP, LANE): 15.0}, past, today or []).takes(PICKUP, LANE, hour, people).mean


def test_with_nothing_seen_it_is_what_the_office_says() -> None:
    assert minutes([]) == pytest.approx(15)
    assert Durations({}, [], []).takes(9, 9, 10).mean == pytest.approx(15)


def test_few_visits_teach_a_little_and_many_nearly_all() -> None:
    assert 12 < minutes(done(9, 5)) < 14
    assert minutes(done(9, 500)) == pytest.approx(9, abs=0.3)


def test_an_hour_with_many_visits_of_its_own_differs_from_the_others() -> None:
    past = done(8, 300, hour=10) + done(16, 300, hour=13)

    assert minutes(past, hour=10) < 9.5 < 14 < minutes(past, hour=13)
    assert 11 < minutes(past, hour=16) < 13


def test_a_slow_day_is_noticed_while_it_lasts() -> None:
    past = done(10, 300)

    assert minutes(past, done(15, 3)) < 11
    assert minutes(past, done(15, 200)) > 13


def test_a_visit_that_was_left_open_teaches_nothing() -> None:
    usual = done(10, 100)

    assert minutes(usual + done(600, 5)) == minutes(usual)
    assert minutes(usual + done(170, 1)) < 11


def test_a_party_takes_as_many_times_as_long_as_it_has_people() -> None:
    assert minutes([], people=4) == pytest.approx(60)


def test_the_more_was_seen_the_surer_one_is() -> None:
    little, much = (Durations({(PICKUP, LANE): 15.0}, done(10, n), []).doubt for n in (0, 1000))

    assert 0.05 < much < 0.07 < 0.15 < little
