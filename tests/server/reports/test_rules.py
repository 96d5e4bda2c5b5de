"""How waits are counted: examples worked out by hand."""

from datetime import date, timedelta

import pytest

from server.reports.rules import (
    PeriodUnusable,
    Wait,
    by_hour,
    check_period,
    figures,
    lines,
    minutes_between,
    of_all,
    percentile,
    told,
    waited_from,
)
from tests.server.city import MONDAY, moment


def wait(minutes: float, booked: bool = False, hour: int = 9, people: int = 1, **what_was_told: int) -> Wait:
    """One ticket for pick-up."""
    return Wait(MONDAY, hour, "受け取り", "受取", booked, people, minutes, minutes, **what_was_told)


class TestFigures:
    """Of the waits 0, 10, 20, 30 and 90 minutes."""

    WAITS = (wait(30), wait(0, people=3), wait(90), wait(10), wait(20))

    def test_each_ticket_counts_once_and_its_people_are_summed(self) -> None:
        found = figures(self.WAITS)
        assert found is not None
        assert (found.tickets, found.people) == (5, 7)
        assert (found.median, found.mean, found.percentile_95, found.longest) == (20, 30, 90, 90)
        assert found.within == 0.8

    def test_the_middle_of_an_even_number_lies_between_two(self) -> None:
        found = figures([wait(10), wait(20)])
        assert found is not None
        assert found.median == 15

    def test_nothing_has_no_figures(self) -> None:
        assert figures([]) is None

    @pytest.mark.parametrize(
        ("n", "share", "value"), [(20, 95, 19), (21, 95, 20), (100, 95, 95), (1, 95, 1), (20, 50, 10)]
    )
    def test_the_smallest_value_that_so_many_do_not_exceed(self, n: int, share: int, value: int) -> None:
        assert percentile(list(range(1, n + 1)), share) == value

    @pytest.mark.parametrize(("minutes", "within"), [(30, 1.0), (30.1, 0.0)])
    def test_thirty_minutes_are_within_thirty_minutes(self, minutes: float, within: float) -> None:
        found = figures([wait(minutes)])
        assert found is not None
        assert found.within == within


class TestLines:
    """Booked people and walk-ins apart, and both together."""

    def test_a_line_for_both_only_where_there_are_both(self) -> None:
        found = lines([wait(5, booked=True), wait(10), wait(20, hour=10)], by_hour)
        assert [(line.of, line.booked, line.figures.tickets) for line in found] == [
            (("09時",), True, 1),
            (("09時",), False, 1),
            (("09時",), None, 2),
            (("10時",), False, 1),
        ]

    def test_of_nothing_there_is_no_line(self) -> None:
        assert lines([], of_all) == []


class TestWaiting:
    """From when, until when."""

    def test_who_came_early_waits_from_the_booked_time_who_came_late_from_coming(self) -> None:
        assert waited_from(moment("9:52"), moment("10:00")) == moment("10:00")
        assert waited_from(moment("10:05"), moment("10:00")) == moment("10:05")
        assert waited_from(moment("9:52"), None) == moment("9:52")

    def test_who_is_called_before_the_booked_time_has_not_waited(self) -> None:
        assert minutes_between(moment("10:00"), moment("9:55")) == 0
        assert minutes_between(moment("10:00"), moment("10:07:30")) == 7.5


class TestTold:
    """What was told, and what became of it."""

    def test_mean_error_and_ranges_that_were_right(self) -> None:
        found = told(
            [wait(12, told=10, least=5, most=12), wait(30, told=20, least=15, most=25), wait(8, told=8), wait(99)]
        )
        assert (found.tickets, found.error) == (3, 4.0)
        assert (found.ranges, found.hits) == (2, 0.5)

    def test_where_nothing_was_told_nothing_is_said(self) -> None:
        found = told([wait(12)])
        assert (found.tickets, found.error, found.ranges, found.hits) == (0, None, 0, None)


@pytest.mark.parametrize(("days", "right"), [(0, True), (365, True), (366, False), (-1, False)])
def test_a_report_is_of_a_year_at_the_most(days: int, right: bool) -> None:
    last = date(2026, 4, 1) + timedelta(days=days)
    if right:
        check_period(date(2026, 4, 1), last)
        return
    with pytest.raises(PeriodUnusable):
        check_period(date(2026, 4, 1), last)
