"""How many places an hour has, and when the people of a slot are asked to come."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.booking.capacity import (
    Places,
    Room,
    arrival_times,
    held_elsewhere,
    next_arrival,
    places_at,
    places_of_hour,
    share_of,
)
from server.offices.policy import LENGTHS, OfficePolicy

TEN = datetime.fromisoformat("2026-12-05T10:00+09:00")  # a Saturday


@dataclass
class Frame:
    """A slot from ten o'clock."""

    bookable: int = 4
    minutes: int = 60
    starts_at: datetime = TEN
    ends_at: datetime = TEN

    def __post_init__(self) -> None:
        """Its end follows."""
        self.ends_at = self.starts_at + timedelta(minutes=self.minutes)


def shown(*times: datetime) -> list[str]:
    """As people say them."""
    return [f"{time:%H:%M}" for time in times]


def test_the_sample_offices_three_windows_have_nine_bookable_places_an_hour() -> None:
    assert places_of_hour(12, 15, 25) == [(3, 0), (2, 1), (2, 1), (2, 1)]


def test_ten_windows_have_twice_the_places_of_five() -> None:
    policy = OfficePolicy(slot_minutes=60, walk_in_percent=0)
    assert [places_at(TEN, windows, policy).bookable for windows in (5, 10)] == [20, 40]


@pytest.mark.parametrize("slot_minutes", LENGTHS)
@pytest.mark.parametrize("rate", [1, 3, 4, 5, 7])
def test_an_hours_places_are_whole_and_their_sum_is_exact(slot_minutes: int, rate: int) -> None:
    for windows in range(13):
        for percent in range(101):
            places = places_of_hour(windows * rate, slot_minutes, percent)
            case = f"{windows} windows, {percent} %: {places}"
            assert len(places) == 60 // slot_minutes, case
            assert sum(b + w for b, w in places) == windows * rate, case
            assert sum(w for _, w in places) == windows * rate * percent // 100, case
            assert all(b >= 0 and w >= 0 for b, w in places), case
            sums = [b + w for b, w in places]
            assert max(sums) - min(sums) <= 1, case


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 100))
def test_a_share_is_exact_and_never_more_than_there_is(places: list[int], percent: int) -> None:
    shares = share_of(places, percent)
    assert sum(shares) == sum(places) * percent // 100
    assert all(0 <= share <= n for share, n in zip(shares, places, strict=True))


def test_a_weekday_or_an_hour_may_keep_another_share_for_people_without_a_booking() -> None:
    policy = OfficePolicy(slot_minutes=60, walk_in_by_hour={"sat": 50, "11": 0, "sat 12": 100})
    later = [timedelta(hours=n) for n in range(3)] + [timedelta(days=2, hours=1), timedelta(days=2)]
    found = [places_at(TEN + wait, 2, policy) for wait in later]
    assert found == [Places(4, 4), Places(4, 4), Places(0, 8), Places(8, 0), Places(6, 2)]


def test_an_hour_set_by_hand_does_not_ask_how_many_windows_there_are() -> None:
    policy = OfficePolicy(slot_minutes=60, walk_in_percent=0, places_by_hour={"sat 10": 6})
    assert [places_at(TEN + timedelta(hours=n), 1, policy).bookable for n in (0, 1)] == [6, 4]


def test_each_channel_has_its_share_of_the_bookable_places_of_an_hour() -> None:
    policy = OfficePolicy(web_percent=50, phone_percent=0)
    found = [places_at(TEN + timedelta(minutes=15 * n), 3, policy) for n in range(4)]
    assert [p.bookable for p in found] == [3, 2, 2, 2]
    assert sum(p.web_max or 0 for p in found) == 4
    assert {p.phone_max for p in found} == {0}
    assert places_at(TEN, 3, OfficePolicy()).web_max is None


@pytest.mark.parametrize(
    ("frame", "times"),
    [
        (Frame(4), ["10:00", "10:15", "10:30", "10:45"]),
        (Frame(3), ["10:00", "10:20", "10:40"]),
        (Frame(7), ["10:00", "10:05", "10:15", "10:25", "10:30", "10:40", "10:50"]),
        (Frame(3, 15), ["10:00", "10:00", "10:00"]),
        (Frame(0), []),
    ],
)
def test_the_people_of_a_frame_are_asked_to_come_one_after_the_other(frame: Frame, times: list[str]) -> None:
    assert shown(*arrival_times(frame, OfficePolicy())) == times


def test_an_office_may_ask_all_to_come_at_the_beginning() -> None:
    assert set(arrival_times(Frame(), OfficePolicy(spread_from_minutes=0))) == {TEN}


@given(st.integers(1, 60), st.sampled_from(LENGTHS))
def test_no_two_arrival_times_are_alike_as_long_as_there_are_minutes(places: int, minutes: int) -> None:
    times = arrival_times(Frame(min(places, minutes), minutes), OfficePolicy(spread_from_minutes=5))
    assert all(TEN <= one < other for one, other in pairwise(times))
    assert times[-1] < Frame(places, minutes).ends_at


def test_a_time_that_was_given_back_is_given_out_again() -> None:
    taken = [(time, 1) for time in arrival_times(Frame(), OfficePolicy())]
    del taken[1]
    assert shown(next_arrival(Frame(), taken, OfficePolicy())) == ["10:15"]


def test_a_party_comes_together_and_the_next_after_its_places() -> None:
    assert shown(next_arrival(Frame(), [(TEN, 3)], OfficePolicy())) == ["10:45"]


def test_who_is_overbooked_shares_the_least_used_time() -> None:
    taken = [(time, 1) for time in arrival_times(Frame(), OfficePolicy())] + [(TEN, 1)]
    assert shown(next_arrival(Frame(), taken, OfficePolicy())) == ["10:15"]
    assert shown(next_arrival(Frame(0), [], OfficePolicy())) == ["10:00"]


@given(st.data())
def test_whatever_is_booked_and_given_back_no_two_are_told_the_same_time(data: st.DataObject) -> None:
    policy, frame = OfficePolicy(), Frame(data.draw(st.integers(1, 20)))
    taken: list[tuple[datetime, int]] = []
    for _ in range(data.draw(st.integers(1, 40))):
        room = frame.bookable - sum(units for _, units in taken)
        if room and data.draw(st.booleans()):
            taken.append((next_arrival(frame, taken, policy), data.draw(st.integers(1, room))))
        elif taken:
            taken.pop(data.draw(st.integers(0, len(taken) - 1)))
        times = [time for time, _ in taken]
        assert len(times) == len(set(times))


def test_a_frame_that_was_made_larger_gives_nobody_a_time_that_is_told_already() -> None:
    taken = [(time, 1) for time in arrival_times(Frame(4), OfficePolicy())]
    for _ in range(2):
        taken.append((next_arrival(Frame(6), taken, OfficePolicy()), 1))
    assert shown(*sorted(time for time, _ in taken)) == ["10:00", "10:10", "10:15", "10:30", "10:40", "10:45"]


def room(start: int, minutes: int, bookable: int, taken: int) -> Room:
    """A stretch from so many minutes after ten."""
    return Room(TEN + timedelta(minutes=start), TEN + timedelta(minutes=start + minutes), bookable, taken)


def test_an_hour_that_is_sold_out_is_not_sold_again_when_its_slots_move_by_five_minutes() -> None:
    sold = [room(start, 15, 0, taken) for start, taken in ((0, 3), (15, 2), (30, 2), (45, 2))]
    moved = [room(start, 15, places, 0) for start, places in ((-10, 2), (5, 3), (20, 2), (35, 2), (50, 2), (65, 3))]
    assert held_elsewhere(moved, sold) == [2, 3, 2, 2, 0, 0]


def test_a_slot_that_became_longer_keeps_its_own_people_and_those_of_the_one_it_swallowed() -> None:
    assert held_elsewhere([room(0, 30, 5, 3), room(30, 30, 4, 0)], [room(15, 15, 0, 2)]) == [2, 0]
    assert held_elsewhere([room(0, 30, 5, 5)], [room(15, 15, 0, 2)]) == [0]


@st.composite
def one_after_another(draw: st.DrawFn) -> list[Room]:
    """Open slots of a pool: they never overlap."""
    slots, start = [], -60
    for _ in range(draw(st.integers(0, 6))):
        start += draw(st.integers(0, 20))
        slots.append(room(start, minutes := draw(st.sampled_from(LENGTHS)), *draw(st.tuples(*[st.integers(0, 4)] * 2))))
        start += minutes
    return slots


CLOSED = st.lists(st.builds(room, st.integers(-60, 60), st.sampled_from(LENGTHS), *[st.integers(0, 4)] * 2), max_size=6)


def overlap(one: Room, other: Room) -> bool:
    """Whether two stretches have a moment in common."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def most_kept(slots: list[Room], closed: list[Room]) -> int:
    """As many units as can be kept at all: by the marriage theorem, the worst set of closed slots decides."""
    units = sum(gone.taken for gone in closed)
    lacking = 0
    for size in range(1, len(closed) + 1):
        for some in combinations(closed, size):
            there = [slot for slot in slots if any(overlap(slot, gone) for gone in some)]
            free = sum(max(0, slot.bookable - slot.taken) for slot in there)
            lacking = max(lacking, sum(gone.taken for gone in some) - free)
    return units - lacking


@given(one_after_another(), CLOSED)
def test_every_place_held_in_a_former_slot_is_kept_once_and_as_many_as_there_is_room(
    slots: list[Room], closed: list[Room]
) -> None:
    kept = held_elsewhere(slots, closed)
    assert sum(kept) >= most_kept(slots, closed)
    assert sum(kept) <= sum(gone.taken for gone in closed if any(overlap(slot, gone) for slot in slots))
    assert all(0 <= n <= max(0, slot.bookable - slot.taken) for n, slot in zip(kept, slots, strict=True))


CUTS = st.tuples(st.sampled_from(LENGTHS), st.lists(st.integers(0, 8), max_size=5), st.lists(st.integers(0, 9)))


@given(st.lists(CUTS, max_size=9))
def test_however_often_an_hour_is_cut_anew_it_has_its_places_once(cuts: list[tuple[int, list[int], list[int]]]) -> None:
    """Each time some people leave, the hour is cut into slots of another length, and others book what is free."""
    people: list[Room] = []
    for length, leaving, booking in cuts:
        for n in leaving:
            del people[n : n + 1]
        sizes = enumerate(places for places, _ in places_of_hour(9, length, 0))
        slots = [room(length * n, length, places, 0) for n, places in sizes]
        kept = held_elsewhere(slots, people)
        assert sum(kept) == len(people)
        free = [slot for slot, gone in zip(slots, kept, strict=True) for _ in range(slot.bookable - gone)]
        for n in booking[: len(free)]:
            slot = free.pop(n % len(free))
            people.append(Room(slot.starts_at, slot.ends_at, 0, 1))
