"""rush: a thousand residents want four hundred places at the same moment, through the pages."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from re import findall
from time import monotonic_ns
from typing import Any

from sqlalchemy import func, select, update

from bench.browser import Answer, Browser, Busy, Unexpected, form_to
from bench.figure_bookings import Direct
from bench.numbers import Milliseconds
from bench.office import MONDAY_NINE, Databases, Office, add_notices, found_office, tomorrow
from bench.report import Line, tell
from bench.residents import REQUESTS, Rush, ask_bare_route, rush_over
from bench.site import site
from server.booking.models import Booking, BookingPerson, Slot
from server.booking.places import check_places, nightly
from server.booking.rules import BookingState
from server.db import db, read_session, transaction
from server.issuance.models import Notice
from server.issuance.service import Sticker
from server.offices.queries import all_offices

CLIENTS, PLACES, TIMES = 1000, 400, 20
"""How many want how many places, and over how many times of tomorrow these are spread."""
WITHIN_S = 60.0
BARE = 1000
BARE_CLIENTS = 32
TRIES = 40
WINDOWS = 27
AIM = f"oversold 0, lost 0, no place left, all over within {WITHIN_S:.0f} s"


@dataclass
class Crowd:
    """What the residents say of it."""

    acknowledged: list[str] = field(default_factory=list)
    sent_away: int = 0
    turn: int = 0
    last_ns: int = 0
    busy: int = 0

    async def want(self, port: int, sticker: Sticker, rush: Rush) -> None:
        """One resident: again and again, until a place is booked or none is offered any more."""
        self.turn += 1
        turn = self.turn  # before others take theirs: not everybody may want the same time
        browser = await Browser.open(port)
        visitor = Patient(browser, rush, self)
        try:
            page = (await visitor.get("/")).text
            words = {"credential_id": sticker.credential_id, "password": sticker.password}
            await visitor.post("/sign-in", {**form_to(page, "/sign-in").values, **words})
            day: str | None = None
            for n in range(TRIES):
                way = await self._hold(visitor, turn + n, day)
                if way is None:
                    self.sent_away += 1
                    return
                if way.startswith("/book/confirm/"):
                    form = form_to((await visitor.get(way)).text, "/book/confirm/")
                    done = (await visitor.post(form.action, form.values)).headers["location"]
                    if 'class="picture"' not in (await visitor.get(done)).text:
                        raise Unexpected("the last page shows no booking code")
                    self.acknowledged.append(sticker.number)
                    self.last_ns = monotonic_ns()
                    return
                day = way
            raise Unexpected(f"places are offered still, but none was had in {TRIES} tries")
        finally:
            browser.close()

    @staticmethod
    async def _hold(visitor: "Patient", turn: int, day: str | None) -> str | None:
        """Where the server sends somebody who has chosen a time, after the times of `day` if that is where it has sent
        them before; None if no time is offered."""
        slots, page = [], ""
        if day is not None:
            page = (await visitor.get(day)).text
            slots = _times_on(page)
        if not slots:
            days = findall(r'href="(/book/[0-9-]{10})"', (await visitor.get("/book")).text)
            if not days:
                return None
            page = (await visitor.get(days[0])).text
            slots = _times_on(page)
            if not slots:
                return str(days[0])
        chosen = {**form_to(page, "/book/hold").values, "slot": slots[turn % len(slots)]}
        return (await visitor.post("/book/hold", chosen)).headers["location"]


def _times_on(page: str) -> list[str]:
    return findall(r'name="slot" value="([0-9a-f-]{36})" required>', page)


@dataclass(frozen=True)
class Patient:
    """Asks again when the server is too busy; what counts is when the answer was there."""

    browser: Browser
    rush: Rush
    crowd: Crowd

    async def get(self, path: str) -> Answer:
        """A page."""
        return await self._until_answered(lambda: self.browser.get(path))

    async def post(self, path: str, form: dict[str, str]) -> Answer:
        """A form; the same request id each time."""
        return await self._until_answered(lambda: self.browser.post(path, form))

    async def _until_answered(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        began = monotonic_ns()
        while True:
            try:
                answer = await ask()
            except Busy:
                self.crowd.busy += 1
            else:
                self.rush.step("request", began)
                return answer


def measure(kind: str, databases: Databases | None = None, processes: tuple[int, ...] = (1,)) -> Iterator[Line]:
    """One line for each number of server processes."""
    with site(databases) as here:
        template = found_office(here.databases, WINDOWS)
        direct_office = template.copy(here.databases)
        with direct_office.app():
            direct = Direct(direct_office)
            direct.round()
        for count in processes:
            tell(f"rush on {kind} with {count} server process(es)")
            office = template.copy(here.databases)
            with office.app():
                stickers = add_notices(office, CLIENTS)
                _leave_places(office)
            with ExitStack() as ending:
                bare = [here.serve_bare() for _ in range(count)]
                bare_rush = rush_over(ask_bare_route, bare, [None] * (BARE // REQUESTS), BARE_CLIENTS)
                for server in bare:
                    here.processes.stop(server.process)
                servers = [here.serve(office, f"server-{count}-{n}") for n in range(count)]
                for server in servers:
                    ending.callback(here.processes.stop, server.process)
                crowd, began = Crowd(), monotonic_ns()
                rush = rush_over(crowd.want, servers, stickers, CLIENTS)
            yield _line(kind, count, office, crowd, (crowd.last_ns - began) / 1e9, rush, direct, bare_rush)


def _leave_places(office: Office) -> None:
    """Close everything but some times of tomorrow, which have all the places."""
    nightly(MONDAY_NINE)  # or the server's first sweep would make all places again
    with transaction() as tx:
        day = select(Slot.id).where(Slot.business_date == tomorrow(office), Slot.bookable > 0)
        chosen = tx.session.scalars(day.order_by(Slot.starts_at).limit(TIMES)).all()
        assert len(chosen) == TIMES
        tx.session.execute(update(Slot).values(closed=True))
        tx.session.execute(update(Slot).where(Slot.id.in_(chosen)).values(closed=False, bookable=PLACES // TIMES))
    db.session.remove()


def _line(
    kind: str, processes: int, office: Office, crowd: Crowd, sold_out_s: float, rush: Rush, direct: Direct, bare: Rush
) -> Line:
    steps = list(chain.from_iterable(rush.steps_ns.values()))
    reached, slower = len(crowd.acknowledged) / sold_out_s, min(direct.per_second, bare.per_second)
    found = _found(office, crowd)
    facts = {
        "database": kind,
        "processes": processes,
        "clients": CLIENTS,
        "places": PLACES,
        **found,
        "sent_away": crowd.sent_away,
        "told_to_try_again": crowd.busy,
        "sold_out_s": round(sold_out_s, 1),
        "seconds": round(rush.seconds, 1),
        "per_s": round(reached, 1),
        "requests": len(steps),
        "request": Milliseconds.of(steps).to_json(),
        "whole_way": Milliseconds.of(rush.took_ns).to_json(),
        "server_cpu_s": round(rush.cpu_s, 1),
    }
    raw = {
        "what": "entry points called directly; bare route ÷ requests per booking, as many processes",
        "direct_per_s": round(direct.per_second, 1),
        "bare_per_s": round(bare.per_second, 1),
    }
    right = found["oversold"] == found["lost"] == found["counters_differ"] == 0 and found["booked"] == PLACES
    return Line("rush", facts, raw, reached / slower, AIM, right and rush.seconds <= WITHIN_S)


def _found(office: Office, crowd: Crowd) -> dict[str, Any]:
    """What the database says: bookings, places sold twice, bookings that a resident has and the office has not."""
    with office.app():
        session = read_session()
        confirmed = (
            select(Notice.number)
            .join(BookingPerson, BookingPerson.notice_id == Notice.id)
            .join(Booking, Booking.id == BookingPerson.booking_id)
            .where(Booking.state == BookingState.CONFIRMED, BookingPerson.live)
        )
        booked = session.scalars(confirmed).all()
        over = session.scalar(select(func.coalesce(func.sum(Slot.taken - Slot.bookable), 0)).where(_OVER))
        return {
            "booked": len(booked),
            "acknowledged": len(crowd.acknowledged),
            "oversold": int(over or 0) + max(len(booked) - PLACES, 0),
            "lost": len(set(crowd.acknowledged) - set(booked)),
            "counters_differ": sum(
                len(found) for here in all_offices(session) for found in check_places(session, here.id)
            ),
        }


_OVER = Slot.taken > Slot.bookable
