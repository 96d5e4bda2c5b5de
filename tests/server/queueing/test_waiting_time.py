"""The estimate, on lines made of values: what makes people wait longer, and how honest its range is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.wire import WaitView
from server.clock import OFFICE_ZONE
from server.offices.policy import DEFAULT
from server.queueing.rules import StepClass, StepLike, choose_next
from server.queueing.waiting_time import (
    CameIn,
    Estimate,
    InLine,
    Place,
    Scene,
    Stop,
    Takes,
    ToCome,
    estimates,
    newcomer,
    told,
)

NINE = datetime(2026, 11, 30, 9, 0, tzinfo=OFFICE_ZONE)
LANE, ISSUE = 1, 2
TEN_MINUTES = Takes.about(10, 6)
STOP = Stop(LANE, TEN_MINUTES)
ME = 1000


def luck() -> Random:
    """Always the same."""
    return Random(1)  # noqa: S311 - luck, not secrets


def walk_in(number: int, came: float = 0.0, stops: tuple[Stop, ...] = (STOP,)) -> InLine:
    """Somebody without a booking who came so many minutes after nine (before: negative)."""
    at = NINE + timedelta(minutes=came)
    return InLine(number, StepClass.WALK_IN, at + timedelta(minutes=15), at, stops)


def booked(number: int, minutes: float) -> InLine:
    """Somebody booked for so many minutes after nine."""
    at = NINE + timedelta(minutes=minutes)
    return InLine(number, StepClass.BOOKED, at, at, (STOP,))


def places(busy: int, free: int = 0, since: float = 3.0, lane: int = LANE) -> list[Place]:
    """Windows of a lane at which somebody is served, and some without."""
    return [Place(frozenset({lane}), walk_in(-n - 1), since) for n in range(busy)] + [Place(frozenset({lane}))] * free


def my_wait(scene: Scene) -> Estimate:
    """What the last comer of a scene is told."""
    return estimates(scene, luck(), {ME})[ME]


def line(people: int, windows: int, to_come: Sequence[ToCome] = ()) -> Scene:
    """So many people before me, and all windows busy."""
    return Scene(NINE, [*(walk_in(n, -n) for n in range(1, people + 1)), walk_in(ME)], places(windows), to_come)


def test_with_nobody_waiting_and_a_window_free_it_is_soon() -> None:
    now = my_wait(Scene(NINE, [walk_in(ME)], places(2, free=1)))

    assert now == Estimate(0.0, 0.0, 0.0)
    assert told(now) == WaitView(0, 0, 5)


@given(people=st.integers(0, 30), windows=st.integers(1, 8), more=st.integers(3, 10))
def test_more_people_before_me_mean_a_longer_wait_and_more_windows_a_shorter_one(
    people: int, windows: int, more: int
) -> None:
    mine = my_wait(line(people, windows))

    assert mine.least <= mine.likely <= mine.most
    assert my_wait(line(people + more, windows)).likely > mine.likely
    assert my_wait(line(people + more, windows + 3)).likely < my_wait(line(people + more, windows)).likely


def test_who_is_before_me_by_the_rule_counts_and_who_comes_after_does_not() -> None:
    alone = my_wait(Scene(NINE, [walk_in(ME)], places(1)))
    due = booked(1, 5)
    behind = booked(2, 60)

    assert my_wait(Scene(NINE, [walk_in(ME), behind], places(1))) == alone
    assert my_wait(Scene(NINE, [walk_in(ME), due], places(1))).likely > alone.likely + 5


def test_who_is_booked_and_still_to_come_counts_as_likely_as_they_come() -> None:
    likely, unlikely = (
        my_wait(line(2, 1, [ToCome(booked(100 + n, 2), share, [0.0, 1.0]) for n in range(4)])).likely
        for share in (0.9, 0.1)
    )

    assert my_wait(line(2, 1)).likely <= unlikely < likely


def test_whoever_has_been_served_long_will_be_done_sooner_than_who_has_just_begun() -> None:
    begun, nearly_done = (my_wait(Scene(NINE, [walk_in(ME)], places(1, since=since))) for since in (0.0, 12.0))

    assert nearly_done.likely < begun.likely
    assert my_wait(Scene(NINE, [walk_in(ME)], places(1, since=500.0))).likely < 60


def test_a_terminal_that_goes_down_makes_the_wait_longer_and_its_range_wider() -> None:
    stop = Stop(LANE, TEN_MINUTES, "jlis")
    waiting = [*(walk_in(n, -n, (stop,)) for n in range(1, 9)), walk_in(ME, stops=(stop,))]
    scene = Scene(NINE, waiting, places(0, free=5), terminals={"jlis": 3})
    three, two = my_wait(scene), my_wait(replace(scene, terminals={"jlis": 2}))

    assert two.likely > three.likely
    assert two.most - two.least > three.most - three.least


def test_who_cannot_be_called_at_all_is_told_nothing() -> None:
    stop = Stop(LANE, TEN_MINUTES, "jlis")
    for scene in (
        Scene(NINE, [walk_in(ME)], []),
        Scene(NINE, [walk_in(ME)], places(1, lane=ISSUE)),
        Scene(NINE, [walk_in(ME, stops=(stop,))], places(0, free=2), terminals={"jlis": 0}),
    ):
        assert estimates(scene, luck()) == {}


def test_who_is_passed_on_waits_before_those_who_came_later() -> None:
    first = walk_in(1, -30, (STOP, Stop(ISSUE, TEN_MINUTES)))
    issue = Place(frozenset({ISSUE}), walk_in(2, stops=(Stop(ISSUE, TEN_MINUTES),)), 0.0)
    papers = Place(frozenset({LANE}), first, 25.0)
    me = walk_in(ME, stops=(Stop(ISSUE, TEN_MINUTES),))

    alone = my_wait(Scene(NINE, [me], [issue]))
    assert my_wait(Scene(NINE, [me], [issue, papers])).likely > alone.likely + 3


@given(
    people=st.lists(
        st.tuples(st.sampled_from(StepClass), st.integers(-200, 40), st.integers(-60, 0), st.booleans()), max_size=12
    )
)
def test_everybody_is_called_in_the_order_of_the_rule(people: list[tuple[StepClass, int, int, bool]]) -> None:
    ten = Stop(LANE, Takes((10.0,), 10.0))
    waiting = [
        InLine(number, step_class, NINE + timedelta(minutes=due), NINE + timedelta(minutes=entered), (ten,), ready)
        for number, (step_class, due, entered, ready) in enumerate(people, start=1)
    ]
    left, calls = waiting, dict[int, float]()
    while left:
        minute = 10.0 * len(calls)
        first, _ = choose_next(list[StepLike](left), NINE + timedelta(minutes=minute), DEFAULT)
        calls[first.id] = minute
        left = [party for party in left if party.id != first.id]

    found = estimates(Scene(NINE, waiting, places(0, free=1)), luck())
    assert {number: estimate.likely for number, estimate in found.items()} == calls


def test_who_comes_later_without_a_booking_goes_before_who_is_early_and_nobody_else() -> None:
    came_in = [[CameIn(540 + minute, (STOP,)) for minute in range(1, 40, 2)]] * 3
    early = Scene(NINE, [replace(booked(ME, 45), entered_at=NINE)], places(2))
    others = line(3, 2)

    assert my_wait(early).likely < 15
    assert 25 < my_wait(replace(early, walk_ins=came_in)).likely < 60
    assert my_wait(replace(others, walk_ins=came_in)).likely == pytest.approx(my_wait(others).likely, rel=0.3)


def test_who_will_come_much_too_late_stands_with_the_others() -> None:
    in_time, late = (
        my_wait(line(5, 1, [ToCome(booked(100 + n, 2), 1.0, [comes]) for n in range(4)])).likely
        for comes in (2.0, 30.0)
    )

    assert in_time > late + 20
    assert late == pytest.approx(my_wait(line(5, 1)).likely, rel=0.2)


def test_a_newcomer_takes_nobodys_time() -> None:
    scene = line(5, 2)
    asked = [newcomer(-lane, Stop(LANE, TEN_MINUTES), NINE + timedelta(minutes=15), NINE) for lane in (1, 2, 3)]
    found = estimates(replace(scene, waiting=[*scene.waiting, *asked]), luck(), {-1, -2, -3})

    assert found[-1] == found[-2] == found[-3]
    assert found[-1].likely >= my_wait(scene).likely * 0.8


def test_what_was_seen_keeps_its_mean_and_its_shape() -> None:
    seen = Takes.of([2.0, 4.0] * 60 + [30.0] * 60)
    four = seen.times(1.0, people=4)

    assert seen.mean == pytest.approx(12)
    assert (seen.drawn(0.1), seen.drawn(0.5), seen.drawn(0.9)) == (2, 4, 30)
    assert seen.left(5.0, 0.5) == 25
    assert four.mean == pytest.approx(48)
    assert four.drawn(0.0) > 4 * seen.drawn(0.0)
    assert four.drawn(0.99) < 4 * seen.drawn(0.99)


def test_the_same_chance_gives_the_same_estimate() -> None:
    assert my_wait(line(9, 2)) == my_wait(line(9, 2))


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.0, 0.0, 0.0), WaitView(0, 0, 5)),
        (Estimate(2.4, 0.4, 6.0), WaitView(0, 0, 5)),
        (Estimate(18.0, 13.0, 31.0), WaitView(20, 15, 30)),
        (Estimate(22.5, 12.4, 47.5), WaitView(25, 10, 50)),
    ],
)
def test_people_are_told_minutes_by_fives(estimate: Estimate, expected: WaitView) -> None:
    assert told(estimate) == expected
