"""bookings_per_second: through the residents' pages, with 1, 8 and 32 clients, in an empty and in a filled office."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from time import monotonic_ns, process_time
from typing import Any
from uuid import uuid4

from bench.numbers import Milliseconds
from bench.office import Databases, Office, add_bookings, add_notices, check_counters, found_office, tomorrow
from bench.report import Line, tell
from bench.residents import REQUESTS, Rush, ask_bare_route, book, rush_of
from bench.site import Server, Site, site
from server.booking import service
from server.booking.models import Channel
from server.booking.queries import open_days, open_times, wish_of
from server.clock import business_date
from server.db import db, read_session
from server.issuance.models import Notice
from server.issuance.service import Sticker, sign_in
from server.offices.queries import policy_on
from server.repeats import Caller

CLIENTS = {1: 60, 8: 120, 32: 160}
"""How many book at once, and how many bookings they make in a round."""
STORED = (0, 5000)
DIRECT = 60
ROUNDS = 3
WARM_UP = 16
WINDOWS = 200
NO_SLOWER = 0.9
AIM = f"≥ 0.5 of the slower; with {STORED[1]} stored no slower than empty (≥ {NO_SLOWER})"


@dataclass
class Tried:
    """One office: its server, its notices, and what came of each round, by number of clients."""

    office: Office
    server: Server
    notices: Iterator[Sticker]
    rounds: dict[int, list[Rush]] = field(default_factory=lambda: {clients: [] for clients in CLIENTS})

    def rush(self, clients: int, visits: int) -> Rush:
        """Let them book."""
        stickers = [next(self.notices) for _ in range(visits)]
        return rush_of(book, self.server, stickers, clients)


def measure(kind: str, databases: Databases | None = None) -> Iterator[Line]:
    """One line for each number of clients and each number of stored bookings."""
    with site(databases) as here, ExitStack() as stack:
        template = found_office(here.databases, WINDOWS)
        offices = {stored: _tried(here, template, stored) for stored in STORED}
        direct_office = template.copy(here.databases)
        bare, bare_rounds = here.serve_bare(), {clients: list[Rush]() for clients in CLIENTS}
        stack.enter_context(direct_office.app())
        direct = Direct(direct_office)
        for n in range(ROUNDS):
            tell(f"bookings on {kind}: round {n + 1} of {ROUNDS}")
            direct.round()
            for clients, visits in CLIENTS.items():
                bare_rounds[clients].append(rush_of(ask_bare_route, bare, [None] * visits, clients))
                for tried in offices.values():
                    tried.rounds[clients].append(tried.rush(clients, visits))
        for stored, tried in offices.items():
            _check(tried, stored)
        yield from _lines(kind, offices, bare_rounds, direct)


def _tried(here: Site, template: Office, stored: int) -> Tried:
    office = template.copy(here.databases)
    with office.app():
        if stored:
            add_bookings(office, stored, tomorrow(office), days=45)
        notices = iter(add_notices(office, WARM_UP + ROUNDS * sum(CLIENTS.values())))
    tried = Tried(office, here.serve(office, f"server-{stored}"), notices)
    tried.rush(4, WARM_UP)
    return tried


class Direct:
    """The entry points of a booking, and the two questions between them, called in this process."""

    def __init__(self, office: Office) -> None:
        self._office, self._keys = office, office.keyring
        self._stickers = iter(add_notices(office, ROUNDS * DIRECT))
        self._rounds: list[float] = []
        self._cpu_ms: list[float] = []
        self._turn = 0

    @property
    def per_second(self) -> float:
        """Bookings in a second, in the middle round."""
        return median(self._rounds)

    @property
    def cpu_ms(self) -> float:
        """What one booking computes, in the middle round."""
        return median(self._cpu_ms)

    def round(self) -> None:
        """One round."""
        began, computed = monotonic_ns(), process_time()
        for _ in range(DIRECT):
            self._book(next(self._stickers))
        self._rounds.append(DIRECT / ((monotonic_ns() - began) / 1e9))
        self._cpu_ms.append((process_time() - computed) / DIRECT * 1000)

    def _book(self, sticker: Sticker) -> None:
        now, self._turn = self._office.now(), self._turn + 1
        notice_id = sign_in(self._keys, sticker.credential_id, sticker.password, now)
        rows = read_session()
        notice = rows.get_one(Notice, notice_id)
        policy = policy_on(rows, notice.office_id, business_date(now))
        wish = wish_of([notice], Channel.WEB)
        days = [d.day for d in open_days(rows, wish, policy, now) if d.reason is None]
        times = open_times(rows, wish, days[self._turn % len(days)], policy, now)
        slot = times[self._turn // len(days) % len(times)].slot
        actor = f"notice:{notice_id}"
        held = service.hold_slot(Caller(actor, str(uuid4())), self._keys, [notice_id], slot, Channel.WEB, "ja", now)
        service.book(Caller(actor, str(uuid4())), notice_id, held.booking, now)
        db.session.remove()  # as at the end of a request


def _check(tried: Tried, stored: int) -> None:
    made = WARM_UP + sum(rush.visits for rounds in tried.rounds.values() for rush in rounds)
    found = check_counters(tried.office)
    assert found == stored + made, f"{found} bookings stand in the database, not {stored} + {made}"


def _lines(kind: str, offices: dict[int, Tried], bare_rounds: dict[int, list[Rush]], direct: Direct) -> Iterator[Line]:
    for clients, bare in bare_rounds.items():
        empty = _per_second(offices[STORED[0]].rounds[clients])
        slower = min(_per_second(bare), direct.per_second)
        raw = {
            "what": "entry points called directly; bare route ÷ requests per booking",
            "direct_per_s": round(direct.per_second, 1),
            "bare_per_s": round(_per_second(bare), 1),
            "direct_cpu_ms": round(direct.cpu_ms, 1),
            "bare_cpu_ms": _cpu_ms(bare),
            "requests_per_booking": REQUESTS,
        }
        for stored, tried in offices.items():
            rounds = tried.rounds[clients]
            reached = _per_second(rounds)
            facts = {"database": kind, "clients": clients, "stored": stored, **_facts(rounds)}
            facts["to_empty"] = round(reached / empty, 2)
            met = reached >= 0.5 * slower and reached >= NO_SLOWER * empty
            yield Line("bookings_per_second", facts, raw, reached / slower, AIM, met)


def _facts(rounds: list[Rush]) -> dict[str, Any]:
    steps = {
        name: round(median(median(rush.steps_ns[name]) for rush in rounds) / 1e6, 1) for name in rounds[0].steps_ns
    }
    return {
        "per_s": round(_per_second(rounds), 1),
        **Milliseconds.median_of([Milliseconds.of(rush.took_ns) for rush in rounds]).to_json(),
        "server_cpu_ms": _cpu_ms(rounds),
        "steps_p50_ms": steps,
    }


def _per_second(rounds: list[Rush]) -> float:
    return median(rush.per_second for rush in rounds)


def _cpu_ms(rounds: list[Rush]) -> float:
    return round(median(rush.cpu_ms for rush in rounds), 1)
