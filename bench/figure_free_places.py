"""free_places: what a search for free places costs when a city has a history, beside the same when it has little."""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from time import monotonic_ns
from typing import Any

from sqlalchemy import func, insert, select, text

from bench.numbers import Milliseconds
from bench.office import ACTOR, Databases, Office, new_office
from bench.report import Line, tell
from bench.site import site
from server.booking.models import Channel, Slot
from server.booking.places import extend_slots
from server.booking.queries import Wish, open_days, open_times
from server.clock import business_date
from server.db import db, new_uid, read_session, transaction
from server.offices.models import Office as OfficeRow
from server.offices.models import Pool, Service, ServiceUse
from server.offices.office_file import read_office_file
from server.offices.policy import OfficePolicy
from server.offices.queries import policy_on
from server.offices.service import load_office
from server.sample import FILES

OFFICES, DAYS = 23, 30
SMALL, BIG = (10_000, 5_000), (1_000_000, 500_000)
"""Notices and past bookings."""
PAST_WEEKS = 9
CHUNK = 100_000
ROUNDS = 15
AT_MOST = 1.2
AIM = f"≤ {AT_MOST} × the same with {SMALL[0]:,} notices and {SMALL[1]:,} past bookings"


@dataclass
class City:
    """Offices in one database, and how long each round of searching took."""

    office: Office
    asked: list[tuple[int, Wish, OfficePolicy]] = field(default_factory=list)
    took_ns: list[int] = field(default_factory=list)
    found: int = 0

    def search(self) -> None:
        """The days of the booking period and the times of the first free one, at every office."""
        now, session = self.office.now(), read_session()
        began = monotonic_ns()
        found = 0
        for _, wish, policy in self.asked:
            days = [day.day for day in open_days(session, wish, policy, now) if day.reason is None]
            found += len(days) + len(open_times(session, wish, days[0], policy, now))
        self.took_ns.append(monotonic_ns() - began)
        self.found = found
        db.session.remove()


def measure(kind: str, databases: Databases | None = None) -> Iterator[Line]:
    """One line."""
    with site(databases) as here:
        template = new_office(here.databases)
        with template.app():
            _found(template)
        small, big = City(template.copy(here.databases)), City(template.copy(here.databases))
        for city, (notices, bookings) in ((small, SMALL), (big, BIG)):
            tell(f"free_places on {kind}: {notices:,} notices, {bookings:,} past bookings …")
            with city.office.app():
                _fill(notices, bookings)
                _look_around(city)
        for n in range(ROUNDS + 1):
            for city in (small, big) if n % 2 else (big, small):
                with city.office.app():
                    city.search()
                    city.search()
        yield _line(kind, small, big)


def _line(kind: str, small: City, big: City) -> Line:
    assert small.found == big.found > OFFICES * 20, "both cities offer the same places"
    # The first search after opening a database reads its pages from the disk: every second one counts.
    little, much = (Milliseconds.of(city.took_ns[3::2]) for city in (small, big))
    ratio = median(big.took_ns[3::2]) / median(small.took_ns[3::2])
    facts = {"database": kind, "offices": OFFICES, "days": DAYS, "notices": BIG[0], "past_bookings": BIG[1]}
    raw = {"what": AIM.partition(" × ")[2], **little.to_json()}
    return Line("free_places", {**facts, **much.to_json()}, raw, ratio, AIM, ratio <= AT_MOST)


def _found(office: Office) -> None:
    """The offices with the places of the coming days, and with those of some weeks that are over."""
    plan, now = read_office_file(FILES / "honcho.toml"), office.now()
    for n in range(OFFICES):
        one = copy.deepcopy(plan)
        one["code"] = f"office{n + 1}"
        one["policy"]["open_days_before"] = DAYS
        extend_slots(load_office(one, ACTOR, now).id, now)
    with transaction() as tx:
        first = business_date(now) + timedelta(days=7)
        week = tx.session.scalars(
            select(Slot).where(Slot.business_date.between(first, first + timedelta(days=6))).order_by(Slot.id)
        ).all()
        rows = [
            {
                "uid": new_uid(now),
                "pool_id": slot.pool_id,
                "business_date": slot.business_date - timedelta(weeks=weeks),
                "starts_at": slot.starts_at - timedelta(weeks=weeks),
                "ends_at": slot.ends_at - timedelta(weeks=weeks),
                "bookable": 100,
            }
            for weeks in range(2, PAST_WEEKS + 2)
            for slot in week
        ]
        tx.session.execute(insert(Slot), rows)


def _look_around(city: City) -> None:
    session, now = read_session(), city.office.now()
    service = session.scalars(select(Service.id).where(Service.code == "pickup")).one()
    for office_id in session.scalars(select(OfficeRow.id).order_by(OfficeRow.id)):
        wish = Wish(office_id, (service,), Channel.WEB)
        city.asked.append((office_id, wish, policy_on(session, office_id, business_date(now))))


def _fill(notices: int, bookings: int) -> None:
    """Rows written by the database itself: a million through the program would take longer than all else."""
    dialect = db.engine.dialect.name
    uid = "printf('%032x', i)" if dialect == "sqlite" else "lpad(to_hex(i), 32, '0')::uuid"
    session = read_session()
    past = Slot.bookable == 100
    first, slots = session.execute(select(func.min(Slot.id), func.count()).where(past)).one()
    last = session.scalar(select(func.max(Slot.id)).where(past))
    assert last == first + slots - 1, "the past's places have no gaps in their ids"
    service = session.scalars(select(Service.id).where(Service.code == "pickup")).one()
    pools = session.scalar(select(func.count()).select_from(Pool))
    used = session.scalar(select(func.count()).select_from(ServiceUse).where(ServiceUse.service_id == service))
    assert pools == used, "each office has one pool, and its place is all that somebody takes"
    numbers = "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    given = {"service": service, "slot": first, "slots": slots, "offices": OFFICES}
    with ExitStack() as done:
        _in_chunks(f"{numbers} {_NOTICES.format(uid=uid)}", notices, given, "notices")
        _in_chunks(f"{numbers} {_BOOKINGS.format(uid=uid)}", bookings, given, "bookings")
        _in_chunks(f"{numbers} {_PEOPLE}", bookings, given, "people")
        _in_chunks(f"{numbers} {_USES}", bookings, given, "uses")
        done.callback(db.session.remove)
    with transaction() as tx:
        tx.session.execute(text(_COUNTS), {"slot": first})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _in_chunks(statement: str, rows: int, given: dict[str, Any], what: str) -> None:
    run: Callable[..., Any]
    for first in range(1, rows + 1, CHUNK):
        last = min(first + CHUNK - 1, rows)
        with transaction() as tx:
            run = tx.session.execute
            run(
                text(statement),
                {k: v for k, v in given.items() if f":{k}" in statement} | {"first": first, "last": last},
            )
        if rows > CHUNK:
            tell(f"  {what}: {last:,} of {rows:,}")


_NOTICES = """
INSERT INTO notices (uid, office_id, service_id, number, number_key, scan_key, credential_id, secret_key, key_id,
                     storage_place, restricted, state)
SELECT {uid}, 1 + i % :offices, :service, 'A' || i, 'n' || i, 's' || i, 'c' || i, 'k' || i, 1, '', false, 'ready' FROM n
"""
_BOOKINGS = """
INSERT INTO bookings (id, uid, code_key, key_id, office_id, service_id, starts_at, channel, state, language, policy_at)
SELECT i, {uid}, 'b' || i, 1, pools.office_id, :service, slots.starts_at, 'web', 'done', 'ja', slots.business_date
FROM n JOIN slots ON slots.id = :slot + i % :slots JOIN pools ON pools.id = slots.pool_id
"""
_PEOPLE = """
INSERT INTO booking_people (booking_id, position, notice_id, service_id, "case", recipient, live)
SELECT i, 1, i, :service, 'self', 'applicant', false FROM n
"""
_USES = """
INSERT INTO slot_uses (slot_id, booking_id, units, channel, until)
SELECT slots.id, i, 1, 'web', slots.ends_at FROM n JOIN slots ON slots.id = :slot + i % :slots
"""
_COUNTS = """
UPDATE slots SET taken = (SELECT count(*) FROM slot_uses WHERE slot_id = slots.id),
                 web_taken = (SELECT count(*) FROM slot_uses WHERE slot_id = slots.id)
WHERE id >= :slot AND bookable = 100
"""
