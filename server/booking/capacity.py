"""How many places an hour has (pure): all of them, the share of those who come without a booking, the channels'."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from server.clock import office_time
from server.offices.opening_rules import OpenSession
from server.offices.policy import OfficePolicy, at_hour


@dataclass(frozen=True)
class Places:
    """The places of one slot; a maximum that is None is none."""

    bookable: int
    walk_in: int
    web_max: int | None = None
    phone_max: int | None = None


@dataclass(frozen=True)
class Room:
    """A stretch of time with its places, and how many of them are taken."""

    starts_at: datetime
    ends_at: datetime
    bookable: int
    taken: int


class SpanLike(Protocol):
    """Anything from a moment to a moment."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


class SlotLike(SpanLike, Protocol):
    """What arrival times need of a slot."""

    bookable: int


def places_at(starts_at: datetime, units: int, policy: OfficePolicy) -> Places:
    """The places of the slot that begins at a moment, where `units` (windows, staff, terminals) serve."""
    start = office_time(starts_at)
    by_hand, walk_ins = at_hour(policy.places_by_hour, start), at_hour(policy.walk_in_by_hour, start)
    total = units * policy.rate_per_hour if by_hand is None else by_hand
    percent = policy.walk_in_percent if walk_ins is None else walk_ins
    hour = places_of_hour(total, policy.slot_minutes, percent)
    bookable = [places for places, _ in hour]
    nth = start.minute // policy.slot_minutes
    return Places(
        *hour[nth],
        web_max=None if policy.web_percent == 100 else share_of(bookable, policy.web_percent)[nth],
        phone_max=None if policy.phone_percent == 100 else share_of(bookable, policy.phone_percent)[nth],
    )


def places_of_hour(total: int, slot_minutes: int, walk_in_percent: int) -> list[tuple[int, int]]:
    """(bookable, walk-in) places of each slot of an hour.

    The hour's places are spread evenly over its slots; of these places, counted through the hour, the walk-in share is
    taken evenly, the last ones first, so that whole places stay whole and both sums are exact.
    """
    slots = 60 // slot_minutes
    ends = [total * k // slots for k in range(slots + 1)]
    places = [end - start for start, end in pairwise(ends)]
    walk_ins = share_of(places, walk_in_percent)
    return [(all_of_them - kept, kept) for all_of_them, kept in zip(places, walk_ins, strict=True)]


def share_of(places: Sequence[int], percent: int) -> list[int]:
    """So many per cent of the places of an hour's slots, whole, taken evenly and never more than a slot has."""
    total, until, shares = sum(places), 0, [0]
    share = total * percent // 100
    for n in places:
        until += n
        shares.append(share * until // total if total else 0)
    return [end - start for start, end in pairwise(shares)]


def starts_of(sessions: Iterable[OpenSession], length: timedelta) -> Iterator[datetime]:
    """When slots begin that fit whole into a session and begin no later than its last reception of booked people.

    What a closure leaves of a session keeps its slots where they were: closed until 13:07, they go on at 13:15.
    """
    for session in sessions:
        start = session.opens + ((session.grid or session.opens) - session.opens) % length
        while start + length <= session.closes and start <= session.last_booked:
            yield start
            start += length


def held_elsewhere(open_slots: Sequence[Room], held: Iterable[Room]) -> list[int]:
    """How many places of each open slot are held by people of stretches that are no slots any more and overlap it.

    Places that moved in time, or became longer or shorter, are not sold again while somebody has them: each unit taken
    in a former slot keeps one place of one open slot at the same time, the earliest that has room. Whose stretch ends
    first chooses first, so that as many as possible are kept (open slots never overlap). What finds no room at its time
    keeps a place of the same hour, lest the hour be sold twice after several changes. No slot loses a place that is
    taken in itself.
    """
    room = [max(0, slot.bookable - slot.taken) for slot in open_slots]
    kept = [0] * len(room)
    in_order = sorted(range(len(room)), key=lambda n: open_slots[n].starts_at)

    def keep(units: int, slots: Iterable[int]) -> int:
        for n in slots:
            here = min(units, room[n] - kept[n])
            kept[n], units = kept[n] + here, units - here
        return units

    homeless = []
    for gone in sorted(held, key=lambda slot: (slot.ends_at, slot.starts_at)):
        there = [n for n in in_order if _overlap(open_slots[n], gone)]
        if there and (left := keep(gone.taken, there)):
            homeless.append((gone, left))
    for gone, left in homeless:
        keep(left, (n for n in in_order if _hour(open_slots[n]) == _hour(gone)))
    return kept


def _overlap(one: SpanLike, other: SpanLike) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _hour(span: SpanLike) -> datetime:
    return office_time(span.starts_at).replace(minute=0)


def spreads(slot: SpanLike, policy: OfficePolicy) -> bool:
    """Whether a slot is long enough to ask its people to come one after the other."""
    least = policy.spread_from_minutes
    return least > 0 and slot.ends_at - slot.starts_at >= timedelta(minutes=least)


def arrival_times(slot: SlotLike, policy: OfficePolicy) -> list[datetime]:
    """When the people of a slot are asked to come: the k-th place its k-th time.

    In a slot shorter than `spread_from_minutes` all come at its beginning. Else the places are spread over it, at
    multiples of five minutes where these suffice, at whole minutes where not: four places of an hour at :00, :15, :30,
    :45. Times differ as long as the slot has no more places than minutes.
    """
    if not spreads(slot, policy):
        return [slot.starts_at] * slot.bookable
    minutes = int((slot.ends_at - slot.starts_at).total_seconds()) // 60
    step = 5 if slot.bookable <= minutes // 5 else 1
    return [
        slot.starts_at + timedelta(minutes=minutes * k // slot.bookable // step * step) for k in range(slot.bookable)
    ]


def next_arrival(slot: SlotLike, taken: Sequence[tuple[datetime, int]], policy: OfficePolicy) -> datetime:
    """The arrival time of the next booking, where (arrival time, units) of those in the slot are `taken`.

    A party comes together at the first time of its places and keeps the following ones free for itself. A time given
    back is given out again. Only when all are used – the slot is overbooked – does somebody share one: the least used.
    """
    times = arrival_times(slot, policy)
    free = list(times)
    for arrives_at, _ in taken:  # whoever was told a time has it, and nobody else is told it while others are free
        _strike(free, arrives_at)
    for arrives_at, units in sorted(taken):
        for _ in range(units - 1):
            _strike(free, arrives_at)
    if free:
        return free[0]
    told = [arrives_at for arrives_at, _ in taken]
    return min(times or [slot.starts_at], key=lambda time: (told.count(time), time))


def _strike(free: list[datetime], arrives_at: datetime) -> None:
    """Take one time out of those that are free: this one, else the next later, else the last."""
    if free:
        free.remove(next((time for time in free if time >= arrives_at), free[-1]))
