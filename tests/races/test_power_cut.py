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
from server.audit import AuditEntry
from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_staff
from server.booking.rules import BookingState
from server.db import db, read_session
from server.queueing.models import Call, Ticket, Visit
from server.queueing.queries import sequence_of
from server.queueing.rules import StepState
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
CLERKS = ("kaijo", "kaijo2", "kaijo3")
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
    yield from served(city_database[0], tmp_path, hall)


@pytest.fixture
def counter(city_database: tuple[str, object], tmp_path: Path) -> Iterator[Day]:
    """Three windows for two stops, at the second of which two terminals are shared; on each kind of database."""
    yield from served(city_database[0], tmp_path, papers_and_cards)


def hall(office: Office) -> City:
    """Many windows, one stop."""
    load_hall()
    return City(office, "hall")


def papers_and_cards(office: Office) -> City:
    """Whoever is next at either stop can be called from everywhere."""
    city = City(office)
    city.check_papers_first(windows=[("pickup", "issue")] * 3)
    return city


def served(database_url: str, folder: Path, found: Callable[[Office], City]) -> Iterator[Day]:
    """An office with one server."""
    settings = settings_for(database_url)
    app = create_app(settings, StandingClock(MONDAY_NINE))
    with app.app_context():
        city = found(Office(app, StandingClock(MONDAY_NINE), [], settings))
        for name in CLERKS:
            add_staff(Passwords(), name, Role.CLERK, PASSWORD, city.here, "kanri", MONDAY_NINE)
        with serving(settings, folder) as servers, wires() as transport:
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


@dataclass
class AtWindow:
    """A clerk at a window who does all that can be done there, and notes what happened: verb of the audit, number."""

    day: Day
    clerk: Clerk
    window: int
    chance: Random
    told: list[tuple[str, int]] = field(default_factory=list)

    def work(self) -> list[tuple[str, int]]:
        """Until so many deeds are done."""
        self.picture = self.clerk.see(f"{self.day.server.url}/desk/windows/{self.window}/state").json()["picture"]
        while len(self.told) < 2 * EACH:
            self._do(*(self._with_somebody() if self.picture["number"] else self._alone()))
        return self.told

    def _alone(self) -> tuple[str, str, int | None]:
        away = [*self.picture["missed"], *self.picture["parked"]]
        back = [("visit.come_back", f"back/{one['ticket']}", one["number"]) for one in away[:1]]
        undo = [("visit.undo", "undo", None)] if self.picture["undo"] else []
        deed: tuple[str, str, int | None] = self.chance.choice([("ticket.call", "call-next", None)] * 5 + back + undo)
        return deed

    def _with_somebody(self) -> tuple[str, str, int | None]:
        number: int = self.picture["number"]
        goes_on = ("visit.pass_on", "pass-on") if self.picture["passes_on"] else ("visit.finish", "finish")
        others = [("visit.park", "park"), ("ticket.missed", "missed"), ("ticket.recall", "recall")]
        verb, action = self.chance.choice([goes_on] * 6 + others)
        return verb, action, number

    def _do(self, verb: str, action: str, number: int | None) -> None:
        what, form = f"window {self.window}", {"outcome": "handed_over", "confirmed": "1", "number": str(number)}
        press = partial(self.clerk.press, self.day.server.url, self.window, action, new_id(), **form)
        answer = self.day.until_answered(what, press)
        self.picture = answer["picture"]
        if answer["refusal"] is None:
            self.told.append((verb, number or self.picture["number"]))
        else:
            self.day.acknowledged[what] -= 1
            time.sleep(0.01)


def receive_people(day: Day, codes: list[str], kiosk: KioskAtTheDoor) -> list[dict[str, Any]]:
    """One after the other comes, with a booking and without."""
    return check_people_in(day, codes, kiosk) + let_people_walk_in(day, kiosk)


def test_two_hundred_deeds_of_the_line_are_done_once_each_and_nobody_is_lost(counter: Day) -> None:
    city, url, chance = counter.city, counter.server.url, Random(20261201)  # noqa: S311 - nothing secret
    codes = [city.code(city.booked(TIMES[n % 12])[1]) for n in range(EACH)]
    at_windows = [AtWindow(counter, Clerk(counter.transport), n, Random(n)) for n in (1, 2, 3)]  # noqa: S311 - as above
    for one, name in zip(at_windows, CLERKS, strict=True):
        one.clerk.sign_in(url, name, PASSWORD)
        one.clerk.open(url, one.window)
    before, kiosk = asked(city), KioskAtTheDoor(counter.transport, city.kiosk_token)

    moments = sorted(chance.sample(range(10, 180), 3))
    power = threading.Thread(target=counter.fail_at, args=(moments, chance))
    power.start()
    counter.transport.loses = True
    deeds: list[Callable[[], Any]] = [partial(receive_people, counter, codes, kiosk), *(one.work for one in at_windows)]
    received, *_ = all_at_once(deeds)
    power.join(PATIENCE_S)

    assert counter.asked_again > EACH
    assert sum(counter.acknowledged.values()) == 8 * EACH == asked(city) - before
    check_tickets(city, received)
    check_deeds(city, at_windows)


def check_deeds(city: City, at_windows: list[AtWindow]) -> None:
    """What each clerk was told is written, once and in that order; and everybody stands where it leaves them."""
    read_session().rollback()
    numbers = {visit.uid: visit.tickets[0].number for visit in read_session().query(Visit)}
    written = read_session().query(AuditEntry).order_by(AuditEntry.id).all()
    by = {f"staff:{city.clerk(name)}": one for name, one in zip(CLERKS, at_windows, strict=True)}
    deeds = [(e.actor, e.verb, numbers[e.subject_uid]) for e in written if e.actor in by and e.subject_uid in numbers]

    for actor, one in by.items():
        assert [(verb, number) for who, verb, number in deeds if who == actor] == one.told
    stands: dict[int, tuple[str, int | None]] = dict.fromkeys(numbers.values(), ("waiting", None))
    for actor, verb, number in deeds:
        state = LEFT[verb]
        stands[number] = (state, by[actor].window if state == "called" else None)
    for visit in read_session().query(Visit):
        (*_, last) = visit.steps
        here = last.window.number if last.window and last.state is StepState.CALLED else None
        assert (last.state.value, here) == stands[visit.tickets[0].number]
        assert {step.state for step in visit.steps[:-1]} <= {StepState.DONE}
        assert visit.live == (last.state is not StepState.DONE)
    calls = read_session().query(Call).filter(Call.office_id == city.here).order_by(Call.sequence).all()
    assert [call.sequence for call in calls] == list(range(1, len(calls) + 1))
    assert Counter(call.number for call in calls) == Counter(n for _, verb, n in deeds if verb.startswith("ticket."))


LEFT = {
    "ticket.call": "called",
    "ticket.recall": "called",
    "visit.undo": "called",
    "ticket.missed": "missed",
    "visit.park": "parked",
    "visit.come_back": "waiting",
    "visit.pass_on": "waiting",
    "visit.finish": "done",
}
"""How a deed leaves a visit."""


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
