"""The same races through two serving processes on one database, over HTTP, as residents, kiosks and clerks ask them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import create_app
from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_staff
from server.booking.models import Channel
from server.booking.service import hold_slot
from server.db import db, read_session
from server.queueing.models import Call, Visit
from tests.conftest import Office, settings_for
from tests.fakes import MONDAY_NINE, StandingClock, asked_by
from tests.races.conftest import WINDOWS, load_hall
from tests.races.people import Clerk, KioskAtTheDoor, Resident, all_at_once, new_id, wires
from tests.server.city import City
from tests.serving import serving

pytestmark = pytest.mark.race
PASSWORD = "mihon-shi-no-mado"  # noqa: S105 - of a clerk who does not exist


@dataclass
class Hall:
    """The hall of fifty windows, served by two processes."""

    city: City
    servers: list[str]
    transport: httpx.BaseTransport
    clerk: Clerk
    kiosk: KioskAtTheDoor

    def residents(self, n: int) -> list[Resident]:
        """So many residents, signed in."""
        stickers = [person.sticker for person in self.city.people(n)]
        people = [Resident(self.transport) for _ in stickers]
        all_at_once(
            [
                partial(who.sign_in, server, sticker)
                for who, sticker, server in zip(people, stickers, cycle(self.servers), strict=False)
            ]
        )
        return people

    def leave_places(self, time: str, n: int) -> str:
        """Only so many places of a time are left; gives its slot."""
        self.city.set_row(self.city.place(time), bookable=self.city.taken(time) + n)
        return str(self.city.slot(time))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """The hall on each kind of database. All tests of this module use it, each with people and times of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    settings = settings_for(database(request, folder))
    app = create_app(settings, StandingClock(MONDAY_NINE))
    with app.app_context():
        load_hall()
        city = City(Office(app, StandingClock(MONDAY_NINE), [], settings), "hall")
        add_staff(Passwords(), "kaijo", Role.CLERK, PASSWORD, city.here, "kanri", MONDAY_NINE)
        with serving(settings, folder, 2) as servers, wires() as transport:
            urls = [server.url for server in servers]
            clerk = Clerk(transport)
            clerk.sign_in(urls[0], "kaijo", PASSWORD)
            for window, url in zip(range(1, WINDOWS + 1), cycle(urls), strict=False):
                clerk.open(url, window)
            yield Hall(city, urls, transport, clerk, KioskAtTheDoor(transport, city.kiosk_token))
        db.session.remove()
        db.engine.dispose()


def database(request: pytest.FixtureRequest, folder: Path) -> str:
    """A copy of the sample city."""
    if request.param == "sqlite":
        template, _ = request.getfixturevalue("sqlite_template")
        (folder / "city.db").write_bytes(template.read_bytes())
        return f"sqlite:///{folder}/city.db"
    name, _ = request.getfixturevalue("postgres_template")
    url: str = request.getfixturevalue("cluster").create(name)
    return url


def test_of_fifty_who_want_the_last_place_one_gets_it(hall: Hall) -> None:
    slot, people = hall.leave_places("10:15", 1), hall.residents(50)
    ways = all_at_once([partial(who.hold, url, slot) for who, url in zip(people, cycle(hall.servers), strict=False)])

    assert len([way for way in ways if way.startswith("/book/confirm/")]) == 1
    assert len([way for way in ways if way.endswith("said=full")]) == 49
    assert hall.city.taken("10:15") == 1
    assert hall.city.has_right_counters()


def test_fifty_people_at_once_get_fifty_numbers_that_follow_each_other(hall: Hall) -> None:
    before = hall.kiosk.walk_in(hall.servers[0])["ticket"]["number"]
    answers = all_at_once([partial(hall.kiosk.walk_in, url) for url in hall.servers * 25])

    assert sorted(a["ticket"]["number"] for a in answers) == list(range(before + 1, before + 51))


def test_fifty_windows_call_fifty_different_people_and_then_one_window_the_last(hall: Hall) -> None:
    waiting = set(numbers(hall)) - set(called(hall))
    while len(waiting) < WINDOWS + 1:
        waiting.add(hall.kiosk.walk_in(hall.servers[0])["ticket"]["number"])
    pictures = call_at_all_windows(hall)
    assert len({p["picture"]["number"] for p in pictures}) == WINDOWS
    assert {p["picture"]["number"] for p in pictures} < waiting

    empty_all_windows(hall, pictures)
    again = call_at_all_windows(hall)
    winners = [p["picture"]["number"] for p in again if p["refusal"] is None]
    assert winners == list(waiting - {p["picture"]["number"] for p in pictures})
    assert [p["refusal"]["code"] for p in again if p["refusal"]] == ["nobody_waiting"] * (WINDOWS - 1)
    empty_all_windows(hall, again)
    assert sequences(hall) == list(range(1, len(sequences(hall)) + 1))


def test_people_who_swap_their_times_neither_block_each_other_nor_lose_a_place(hall: Hall) -> None:
    times = ["11:00", "11:15", "11:30"]
    slots = [hall.leave_places(time, 2) for time in times]
    people = hall.residents(4)
    for n, who in enumerate(people):
        assert who.confirm(hall.servers[0], who.hold(hall.servers[1], slots[n % 3])).startswith("/book/done")

    def wander(who: Resident, n: int) -> list[str]:
        url = hall.servers[n % 2]
        return [who.move(url, slots[(n + step * (1 + n % 2)) % 3]) for step in range(1, 11)]

    ways = all_at_once([partial(wander, who, n) for n, who in enumerate(people)])
    assert {way.partition("said=")[2] for row in ways for way in row} <= {"moved", "full"}
    assert sum(hall.city.taken(time) for time in times) == 4
    assert hall.city.has_right_counters()


def test_the_same_booking_scanned_twenty_times_at_once_is_one_visit_with_one_number(hall: Hall) -> None:
    hall.leave_places("14:00", 1)
    _, booking = hall.city.booked("14:00")
    code = hall.city.code(booking)
    answers = all_at_once([partial(hall.kiosk.scan, url, code) for url in hall.servers * 10])

    assert len({(a["ticket"]["uid"], a["ticket"]["number"]) for a in answers}) == 1
    assert len([a for a in answers if a["ticket"]["reprint_of"] is None]) == 1
    read_session().rollback()
    assert read_session().query(Visit).filter(Visit.booking_id == hall.city.booking(booking).id).count() == 1


@pytest.mark.parametrize("what", ["walk-in", "hold", "call next"])
def test_the_same_request_twenty_times_at_once_is_one_deed_with_one_answer(hall: Hall, what: str) -> None:
    by, urls = new_id(), hall.servers * 10
    before = (len(numbers(hall)), hall.city.taken("15:00"), len(sequences(hall)))
    if what == "walk-in":
        answers: list[Any] = all_at_once([partial(hall.kiosk.walk_in, url, by) for url in urls])
    elif what == "hold":
        who, slot = hall.residents(1)[0], str(hall.city.slot("15:00"))
        answers = all_at_once([partial(who.hold, url, slot, by) for url in urls])
    else:
        hall.kiosk.walk_in(hall.servers[0])
        before = (len(numbers(hall)), *before[1:])
        answers = all_at_once([partial(hall.clerk.press, url, 7, "call-next", by) for url in urls])
        answers = [a["picture"]["number"] for a in answers]
        empty_all_windows(hall, [{"picture": {"window": 7, "number": answers[0]}}])

    after = (len(numbers(hall)), hall.city.taken("15:00"), len(sequences(hall)))
    assert all(answer == answers[0] for answer in answers)
    assert sorted(b - a for a, b in zip(before, after, strict=True)) == [0, 0, 1]


def test_places_of_lapsed_holds_are_won_once_each(hall: Hall) -> None:
    slot = hall.leave_places("16:00", 2)
    for person in hall.city.people(2):
        given = (hall.city.keyring, [person.notice], hall.city.slot("16:00"), Channel.WEB, "ja")
        hold_slot(asked_by(person.actor), *given, MONDAY_NINE.replace(hour=8, minute=45))
    people = hall.residents(20)
    ways = all_at_once([partial(who.hold, url, slot) for who, url in zip(people, cycle(hall.servers), strict=False)])

    assert len([way for way in ways if way.startswith("/book/confirm/")]) == 2
    assert hall.city.taken("16:00") == 2
    assert hall.city.has_right_counters()


def test_one_notice_in_many_tabs_at_once_ends_with_one_place(hall: Hall) -> None:
    times = ["13:00", "13:15", "13:30", "13:45"]
    slots = [str(hall.city.slot(time)) for time in times]
    (who,) = hall.residents(1)
    ways = all_at_once([partial(who.hold, url, slot) for slot in slots for url in hall.servers * 2])

    assert all(way.startswith("/book/confirm/") for way in ways)
    assert len(set(ways)) == 16
    assert sum(hall.city.taken(time) for time in times) == 1
    assert hall.city.has_right_counters()


def call_at_all_windows(hall: Hall) -> list[dict[str, Any]]:
    """All windows call at the same moment, at both processes."""
    windows = zip(range(1, WINDOWS + 1), cycle(hall.servers), strict=False)
    return all_at_once([partial(hall.clerk.press, url, window, "call-next") for window, url in windows])


def empty_all_windows(hall: Hall, pictures: list[dict[str, Any]]) -> None:
    """Everybody who was called is served."""
    for picture in (p["picture"] for p in pictures if p["picture"]["number"] is not None):
        form = {"outcome": "handed_over", "confirmed": "1", "number": str(picture["number"])}
        answer = hall.clerk.press(hall.servers[0], picture["window"], "finish", **form)
        assert answer["refusal"] is None, answer


def numbers(hall: Hall) -> list[int]:
    """All numbers given out in the hall."""
    read_session().rollback()
    visits = read_session().query(Visit).filter(Visit.office_id == hall.city.here)
    return [ticket.number for visit in visits for ticket in visit.tickets]


def called(hall: Hall) -> list[int]:
    """All numbers that were called in the hall."""
    read_session().rollback()
    return [call.number for call in read_session().query(Call).filter(Call.office_id == hall.city.here)]


def sequences(hall: Hall) -> list[int]:
    """The sequence of the hall's calls."""
    read_session().rollback()
    calls = read_session().query(Call).filter(Call.office_id == hall.city.here)
    return [call.sequence for call in calls.order_by(Call.sequence)]
