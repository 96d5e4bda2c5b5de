"""Everything that changes the stock of places at once, in seeded random order, by threads and by processes.

People hold, book, move, cancel; holds lapse; staff overbook; sizes change, days close and open, all are moved. After it
and at every moment during it the counts are those of the bookings, and whoever was told "booked" has a place.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from sqlalchemy import and_, func, select

from server.booking.models import Booking, Slot
from server.booking.places import check_places
from server.booking.rules import BookingState
from server.db import db, read_session
from server.offices.models import Pool
from tests.races.crowd import Crowd, live_in_a_process
from tests.races.together import at_once, codes
from tests.server.city import City, moment

pytestmark = pytest.mark.race

TIMES = ("10:15", "10:30", "11:15", "14:15")


def crowds(city: City, n: int, each: int = 3) -> list[Crowd]:
    """So many crowds, each with people of its own, who all want the same times."""
    slots = [city.slot(time) for time in TIMES]
    return [Crowd(n, city.here, [p.notice for p in city.people(each)], slots) for n in range(n)]


def agree(city: City, lived: Sequence[Crowd]) -> None:
    """Counters are right, everybody has what they were told, and nothing ran into anything else."""
    read_session().rollback()
    assert check_places(read_session(), city.here) == ([], [])
    for crowd in lived:
        assert "busy" not in crowd.refused, "somebody waited in vain: a deadlock"
        assert {city.state(uid) for uid in crowd.booked.values()} <= {BookingState.CONFIRMED}
        assert all(city.booking(uid).uses for uid in crowd.booked.values())
    assert sum(len(crowd.refused) for crowd in lived) > 0
    assert sum(crowd.confirmed for crowd in lived) > 0
    confirmed = select(func.count()).select_from(Booking).where(Booking.state == BookingState.CONFIRMED)
    assert read_session().scalar(confirmed) == sum(len(crowd.booked) for crowd in lived)
    too_full = select(Slot.id).where(Slot.taken > Slot.bookable + Slot.extra)
    assert read_session().scalars(too_full).all() == []


def test_people_alone_never_take_more_than_the_places_and_lose_none(city: City) -> None:
    lived = crowds(city, 6)
    answers = at_once(city.office.app, [partial(crowd.live, city.office.app, 25, False) for crowd in lived])

    assert codes(answers) == []
    agree(city, lived)
    assert all(city.taken(time) <= city.place(time).bookable for time in TIMES)


def test_whatever_staff_change_meanwhile_the_counts_agree_at_every_moment(city: City) -> None:
    lived, over = crowds(city, 5), Event()

    def watch() -> int:
        looks = 0
        while not over.is_set():
            read_session().rollback()
            assert check_places(read_session(), city.here) == ([], []), "a count was wrong for a moment"
            looks += 1
        return looks

    def live_all() -> None:
        try:
            answers = at_once(city.office.app, [partial(crowd.live, city.office.app, 20, True) for crowd in lived])
            assert codes(answers) == []
        finally:
            over.set()

    looks, _ = at_once(city.office.app, [watch, live_all])
    assert isinstance(looks, int)
    assert looks > 5
    agree(city, lived)


def test_an_hour_never_sells_more_than_its_places_however_often_slots_change_their_length(city: City) -> None:
    """Slots of ten, fifteen and thirty minutes, made anew again and again while people book them all."""
    lived, over, ten = crowds(city, 4, each=4), Event(), moment("10:00")
    in_the_hour = and_(Slot.starts_at >= ten, Slot.starts_at < ten + timedelta(hours=1))
    sold = select(func.coalesce(func.sum(Slot.taken), 0)).join(Pool, Pool.id == Slot.pool_id)
    sold = sold.where(Pool.office_id == city.here, in_the_hour)
    for crowd in lived:
        crowd.slots = [city.slot(time) for time in ("10:00", "10:15", "10:30")]

    def watch() -> list[int]:
        seen = []
        while not over.is_set():
            read_session().rollback()
            seen.append(read_session().scalars(sold).one())
            over.wait(0.02)
        return seen

    def live_all() -> None:
        try:
            answers = at_once(city.office.app, [partial(c.live, city.office.app, 20, True, True) for c in lived])
            assert codes(answers) == []
        finally:
            over.set()

    seen, _ = at_once(city.office.app, [watch, live_all])
    assert isinstance(seen, list)
    assert 6 < max(seen) <= 9
    agree(city, lived)


def test_two_processes_on_one_database_agree_in_the_end(city: City) -> None:
    two, settings = crowds(city, 2, each=5), city.office.settings
    db.session.remove()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        lived = list(processes.map(live_in_a_process, [settings] * 2, two, [15] * 2, timeout=60))

    agree(city, lived)
