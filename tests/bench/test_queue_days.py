"""The simulated days: made of a seed, played by the office's own rules."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench.figure_queue import Compared
from bench.queue_days import CLOSES, OPENS, Day, Kind, Rule, Waiting, make_day, play
from bench.queue_rules import first_come, own, zms
from server.offices.policy import DEFAULT
from server.queueing.rules import NobodyWaiting, StepClass

TEN = OPENS.replace(hour=10)
NOON = TEN.replace(hour=12)
WHAT = ("mean", "p95", "longest")


@pytest.fixture(scope="module")
def day() -> Day:
    """A busy day at five windows."""
    return make_day(7, Kind(windows=5, load=0.85))


def test_the_same_seed_makes_the_same_day_and_another_one_another(day: Day) -> None:
    assert make_day(7, day.kind) == day
    assert make_day(8, day.kind).people != day.people


def test_bookings_are_those_that_the_program_sells(day: Day) -> None:
    times = Counter(person.booked_at for person in day.people if person.booked_at)

    # Twenty places an hour, a quarter of them kept for people without a booking; the last slot ends with the day.
    assert [times[TEN + timedelta(minutes=m)] for m in (0, 15, 30, 45)] == [4, 3, 4, 4]
    assert (min(times), max(times)) == (OPENS, CLOSES - timedelta(minutes=15))


def test_days_are_as_full_as_they_were_asked_to_be() -> None:
    days = [make_day(seed, Kind(windows=8, load=0.9)) for seed in range(40)]
    booked = [person for one in days for person in one.people if person.booked_at]
    works = sum((p.takes for one in days for p in one.people if p.comes_at), timedelta())

    assert works / (len(days) * 8 * (CLOSES - OPENS)) == pytest.approx(0.9, rel=0.02)
    assert 0.12 < sum(person.comes_at is None for person in booked) / len(booked) < 0.20


@pytest.mark.parametrize("rule", [own, first_come, zms])
def test_everybody_who_comes_is_served_once_and_no_window_serves_two(day: Day, rule: Rule) -> None:
    visits = play(day, rule).visits

    assert sorted(v.person.id for v in visits) == sorted(p.id for p in day.people if p.comes_at)
    assert all(v.called_at >= OPENS and v.arrived_at <= v.called_at for v in visits)
    for visit in visits:
        assert sum(v.called_at <= visit.called_at < v.ended_at for v in visits) <= day.kind.windows


def test_only_the_rule_that_lets_early_people_wait_leaves_windows_idle(day: Day) -> None:
    assert play(day, own).idle == play(day, first_come).idle == timedelta()
    assert play(day, zms).idle > timedelta(hours=1)


def test_who_is_called_before_the_booked_time_has_not_waited(day: Day) -> None:
    early = [v for v in play(day, own).visits if v.person.booked_at and v.called_at < v.person.booked_at]

    assert early
    assert {v.waited for v in early} == {timedelta()}


def booked(number: int, due: datetime) -> Waiting:
    """Came at half past nine."""
    return Waiting(number, StepClass.BOOKED, due, TEN - timedelta(minutes=30))


class TestZms:
    """What the other program calls, as its source says it."""

    def test_booked_people_go_first_from_their_time_on_and_never_before(self) -> None:
        walk_in = Waiting(1, StepClass.WALK_IN, NOON, TEN - timedelta(hours=1))
        soon = TEN + timedelta(minutes=1)

        assert zms([walk_in, booked(2, soon)], TEN, DEFAULT).id == 1
        assert zms([walk_in, booked(2, soon)], soon, DEFAULT).id == 2
        with pytest.raises(NobodyWaiting):
            zms([booked(2, soon), booked(3, NOON)], TEN, DEFAULT)

    def test_walk_ins_go_in_the_order_of_coming(self) -> None:
        line = [Waiting(n, StepClass.WALK_IN, NOON, TEN - timedelta(minutes=10 * n)) for n in (1, 3, 2)]

        assert zms(line, TEN, DEFAULT).id == 3

    def test_it_knows_no_late_people(self, day: Day) -> None:
        visits = play(day, zms, replace(DEFAULT, late_grace_minutes=24 * 60)).visits

        assert {v.step_class for v in visits if v.person.booked_at} == {StepClass.BOOKED}


def test_the_page_about_the_simulation_is_that_of_the_default_policy() -> None:
    page = (Path(__file__).parents[2] / "docs/queue-simulation.md").read_text(encoding="utf-8")

    assert f"**Why {DEFAULT.booked_first_minutes} and {DEFAULT.walk_in_due_minutes} minutes.**" in page


def test_a_figure_says_what_it_was_compared_with_and_which_aims_are_missed() -> None:
    compared = Compared.of(Kind(windows=3, load=0.8), days=4)

    assert compared.own.idle_minutes == 0
    assert compared.zms.idle_minutes > 0
    assert set(compared.missed()) <= {f"{who} {what}" for who in ("booked", "walk-ins") for what in WHAT}
