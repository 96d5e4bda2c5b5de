"""The power fails again and again while people are served: what was acknowledged is there, and nothing happened twice.

Everybody who gets no answer asks again with the same request id, as kiosk, desk and browsers do.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx
import pytest

from server import create_app
from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_staff
from server.booking.rules import BookingState
from server.db import db, read_session
from server.queueing.models import Call, Ticket, Visit
from server.queueing.queries import sequence_of
from server.repeats import Request
from tests.conftest import Office, settings_for
from tests.fakes import MONDAY_NINE, StandingClock
from tests.races.conftest import load_hall
from tests.races.people import Clerk, KioskAtTheDoor, Resident, all_at_once, new_id, wires
from tests.server.city import City
from tests.serving import Server, serving

pytestmark = pytest.mark.race
T = TypeVar("T")
PASSWORD = "mihon-shi-no-mado"  # noqa: S105 - of a clerk who does not exist
EACH = 25
PATIENCE_S = 90.0
TIMES = [f"{hour}:{minute:02}" for hour in (13, 14, 15) for minute in (0, 15, 30, 45)]


class BadLine(httpx.BaseTransport):
    """A line that loses every seventh answer after the server has given it."""

    def __init__(self, line: httpx.BaseTransport) -> None:
        """`line` does the work."""
        self._line, self._count, self.loses = line, count(1), False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, or the news that there is none."""
        answer = self._line.handle_request(request)
        if self.loses and next(self._count) % 7 == 0:
            answer.read()
            raise httpx.ReadError("the answer is lost", request=request)
        return answer


@dataclass
class Day:
    """The hall, its server, and what was acknowledged there."""

    city: City
    server: Server
    transport: BadLine
    acknowledged: Counter[str] = field(default_factory=Counter)
    asked_again: int = 0

    def until_answered(self, what: str, ask: Callable[[], T]) -> T:
        """Ask with the same request id until there is an answer."""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = ask()
            except httpx.TransportError:
                self.asked_again += 1
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)
            else:
                self.acknowledged[what] += 1
                return answer

    def fail_at(self, moments: list[int], chance: Random) -> None:
        """Cut the power as soon as so many actions are acknowledged, a few milliseconds more or less; then go on."""
        for moment in moments:
            while sum(self.acknowledged.values()) < moment:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            self.server.kill()
            self.server.start()
            self.server.wait_ready()


@pytest.fixture
def day(city_database: tuple[str, object], tmp_path: Path) -> Iterator[Day]:
    """The hall with one server, on each kind of database."""
    settings = settings_for(city_database[0])
    app = create_app(settings, StandingClock(MONDAY_NINE))
    with app.app_context():
        load_hall()
        city = City(Office(app, StandingClock(MONDAY_NINE), [], settings), "hall")
        add_staff(Passwords(), "kaijo", Role.CLERK, PASSWORD, city.here, "kanri", MONDAY_NINE)
        with serving(settings, tmp_path) as servers, wires() as transport:
            yield Day(city, servers[0], BadLine(transport))
        db.session.remove()
        db.engine.dispose()


def check_people_in(day: Day, codes: list[str], kiosk: KioskAtTheDoor) -> list[dict[str, Any]]:
    """One after the other holds a code to the scanner."""
    url = day.server.url
    return [day.until_answered("check-in", partial(kiosk.scan, url, code, new_id())) for code in codes]


def let_people_walk_in(day: Day, kiosk: KioskAtTheDoor) -> list[dict[str, Any]]:
    """One after the other comes without a booking."""
    return [day.until_answered("walk-in", partial(kiosk.walk_in, day.server.url, new_id())) for _ in range(EACH)]


def serve_people(day: Day, clerk: Clerk) -> list[int]:
    """A clerk calls whoever is next and ends the visit, again and again; gives the numbers that were served."""
    url = day.server.url
    served: list[int] = []
    while len(served) < EACH:
        called = day.until_answered("press", partial(clerk.press, url, 1, "call-next", new_id()))
        if called["refusal"] is not None:
            assert called["refusal"]["code"] == "nobody_waiting"
            day.acknowledged["press"] -= 1
            time.sleep(0.01)
            continue
        number = called["picture"]["number"]
        form = {"outcome": "handed_over", "confirmed": "1", "number": str(number)}
        done = day.until_answered("press", partial(clerk.press, url, 1, "finish", new_id(), **form))
        assert done["refusal"] is None
        served.append(number)
    return served


def hold_places(day: Day, people: list[Resident], slots: list[str]) -> list[str]:
    """One after the other keeps a place; gives the pages of the holds."""
    url = day.server.url
    holds = [partial(who.hold, url, slots[n % len(slots)], new_id()) for n, who in enumerate(people)]
    return [day.until_answered("hold", hold) for hold in holds]


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(day: Day) -> None:
    city, url, chance = day.city, day.server.url, Random(20261130)  # noqa: S311 - nothing secret
    codes = [city.code(city.booked(TIMES[n % 12])[1]) for n in range(EACH)]
    residents, kiosk = [Resident(day.transport) for _ in range(EACH)], KioskAtTheDoor(day.transport, city.kiosk_token)
    people = city.people(EACH)
    all_at_once([partial(r.sign_in, url, p.sticker) for r, p in zip(residents, people, strict=True)])
    clerk = Clerk(day.transport)
    clerk.sign_in(url, "kaijo", PASSWORD)
    clerk.open(url, 1)
    before = asked(city)
    slots = [str(city.slot(time)) for time in TIMES]

    moments = sorted(chance.sample(range(5, 100), 3))
    power = threading.Thread(target=day.fail_at, args=(moments, chance))
    power.start()
    day.transport.loses = True
    deeds: list[Callable[[], Any]] = [
        partial(check_people_in, day, codes, kiosk),
        partial(let_people_walk_in, day, kiosk),
        partial(serve_people, day, clerk),
        partial(hold_places, day, residents, slots),
    ]
    checked_in, walked_in, served, held = all_at_once(deeds)
    power.join(PATIENCE_S)

    assert day.asked_again > 3 * EACH / 7
    assert day.acknowledged == {"check-in": EACH, "walk-in": EACH, "press": 2 * EACH, "hold": EACH}
    check_tickets(city, checked_in + walked_in)
    check_calls(city, served)
    check_holds(city, people, held)
    assert asked(city) - before == sum(day.acknowledged.values())


def asked(city: City) -> int:
    """How many askings the database remembers, once it is seen that its counters are right."""
    assert city.has_right_counters()
    return read_session().query(Request).count()


def check_tickets(city: City, answers: list[dict[str, Any]]) -> None:
    """Each ticket that was acknowledged is there, each number once and without gaps, each booking came once."""
    read_session().rollback()
    visits = read_session().query(Visit).filter(Visit.office_id == city.here).all()
    tickets = read_session().query(Ticket).filter(Ticket.visit_id.in_([v.id for v in visits])).all()

    assert {(str(t.uid), t.number) for t in tickets} == {(a["ticket"]["uid"], a["ticket"]["number"]) for a in answers}
    assert sorted(t.number for t in tickets) == list(range(1, 2 * EACH + 1))
    bookings = Counter(v.booking_id for v in visits)
    assert (bookings.pop(None), set(bookings.values()), len(bookings)) == (EACH, {1}, EACH)


def check_calls(city: City, served: list[int]) -> None:
    """The sequence of calls has no gaps, and each person was called once and served once."""
    read_session().rollback()
    calls = read_session().query(Call).filter(Call.office_id == city.here).order_by(Call.sequence).all()

    assert [call.sequence for call in calls] == list(range(1, EACH + 1))
    assert [call.number for call in calls] == served
    assert sequence_of(read_session(), city.here) == EACH
    ended = read_session().query(Visit).filter(Visit.office_id == city.here, Visit.live.is_(False)).all()
    assert {t.number for visit in ended for t in visit.tickets} == set(served)


def check_holds(city: City, people: list[Any], held: list[str]) -> None:
    """Everybody holds the one place that was acknowledged, and the counters know it."""
    for person, page in zip(people, held, strict=True):
        booking = city.live(person)
        assert booking is not None
        assert (booking.state, page) == (BookingState.HELD, f"/book/confirm/{booking.uid}")
        assert len(booking.uses) == 1
    assert city.has_right_counters()
