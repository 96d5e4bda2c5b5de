"""見本市 本庁 as the measurements need it: with many windows, and with notices and bookings written in bulk.

What is measured goes through the program's own entry points; only what has to stand there before is written directly.
"""

import base64
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select, update

from madoguchi import codes
from server import MIGRATIONS, create_app
from server.audit import AuditEntry
from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_board, add_kiosk, add_staff, start_pairing
from server.booking.models import Booking, BookingPerson, Channel, Slot, SlotUse
from server.booking.places import check_places, extend_slots
from server.booking.rules import BookingState
from server.clock import OFFICE_ZONE, business_date
from server.db import Transaction, db, new_uid, read_session, transaction
from server.issuance.models import Notice, NoticeState
from server.issuance.service import ID_LENGTH, Sticker
from server.keys import STICKER_ALPHABET, Keyring, sticker_word
from server.offices.models import Service
from server.offices.office_file import read_office_file
from server.offices.queries import all_offices
from server.offices.service import load_office
from server.repeats import Request
from server.sample import FILES
from server.settings import Settings

MONDAY_NINE = datetime(2026, 11, 30, 9, tzinfo=OFFICE_ZONE)
PASSWORD = "ki-o-hakaru-mado"  # noqa: S105 - of an account that lives as long as a measurement
ACTOR = "bench"


class Databases(Protocol):
    """Makes databases of one kind."""

    def create(self, template: str | None = None) -> str:
        """A new database, or a copy of one in which nobody works; gives its address."""


class SqliteFolder:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made yet."""
        self._folder = folder

    def create(self, template: str | None = None) -> str:
        """A new file, or a copy of one."""
        path = self._folder / f"{uuid4().hex[:8]}.db"
        if template is not None:
            shutil.copy(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"


class Copies:
    """Databases of a PostgreSQL server whose copies are named by address, as those of SQLite are."""

    def __init__(self, create: Callable[[str | None], str]) -> None:
        """`create` takes the name of the template."""
        self._create = create

    def create(self, template: str | None = None) -> str:
        """A new database, or a copy of one."""
        return self._create(template and template.rpartition("/")[2])


@dataclass(frozen=True)
class Office:
    """An office in a database of its own, with everything its processes must know."""

    database_url: str
    environment: dict[str, str]
    clerk: str = "madoguchi3"
    kiosk_token: str = ""
    pairing: str = ""

    def copy(self, databases: Databases) -> "Office":
        """The same office in another database."""
        url = databases.create(self.database_url)
        return replace(self, database_url=url, environment={**self.environment, "MADOGUCHI_DATABASE_URL": url})

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """The server's app in this process, at the office's present moment."""
        app = create_app(Settings.from_env(self.environment))
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()

    @property
    def keyring(self) -> Keyring:
        """The keys of its processes."""
        settings = Settings.from_env(self.environment)
        return Keyring(settings.pepper, settings.pepper_key_id)

    def now(self) -> datetime:
        """Its clock, which began on a Monday at nine."""
        offset = timedelta(seconds=float(self.environment["MADOGUCHI_CLOCK_OFFSET_S"]))
        return datetime.now(UTC).astimezone(OFFICE_ZONE) + offset


def found_office(databases: Databases, windows: int) -> Office:
    """A new office with its places, a clerk, a kiosk and a board; its clock starts on a Monday at nine."""
    office = new_office(databases)
    with office.app():
        return _found(office, windows)


def new_office(databases: Databases) -> Office:
    """A database with the program's tables and nothing in them; its clock starts on a Monday at nine."""
    url = databases.create()
    environment = {
        "MADOGUCHI_DATABASE_URL": url,
        "MADOGUCHI_SECRET_KEY": secrets.token_urlsafe(48),
        "MADOGUCHI_PEPPER": base64.b64encode(secrets.token_bytes(32)).decode(),
        "MADOGUCHI_COOKIE_SECURE": "0",
        "MADOGUCHI_LOG_LEVEL": "WARNING",
        "MADOGUCHI_CLOCK_OFFSET_S": repr((MONDAY_NINE - datetime.now(UTC)).total_seconds()),
    }
    office = Office(url, environment)
    with office.app():
        upgrade(directory=str(MIGRATIONS))
    return office


def _found(office: Office, windows: int) -> Office:
    plan = read_office_file(FILES / "honcho.toml")
    numbers = range(1, windows + 1)
    # The sample's windows 2 and 3 call pick-ups; the slip has room for four digits.
    plan["windows"] = [{"number": n, **({"services": ["pickup"]} if n == 3 else {})} for n in numbers]
    plan["lanes"][0].update(first=1, last=4999)
    plan["lanes"][1].update(first=5000, last=9999)
    now, keys = office.now(), office.keyring
    office_id = load_office(plan, ACTOR, now).id
    extend_slots(office_id, now)
    add_staff(Passwords(), office.clerk, Role.CLERK, PASSWORD, office_id, ACTOR, now)
    _, token = add_kiosk(keys, office_id, "入口", ACTOR, now)
    board = add_board(office_id, "待合", ACTOR, now)
    pairing = start_pairing(keys, board, ACTOR, now, timedelta(days=1))
    return replace(office, kiosk_token=token, pairing=pairing)


def add_notices(office: Office, count: int) -> list[Sticker]:
    """Notices that may be booked for, with the words of their stickers."""
    keys, now = office.keyring, office.now()
    with transaction() as tx:
        return [sticker for sticker, _ in _write_notices(tx, keys, count, now)]


def add_bookings(office: Office, count: int, first: date, days: int = 1) -> list[Sticker]:
    """Booked notices, spread over the places of some days, with all rows that the pages would have left."""
    keys, now = office.keyring, office.now()
    with transaction() as tx:
        noted = _write_notices(tx, keys, count, now)
        slots = tx.session.scalars(
            select(Slot)
            .where(Slot.business_date.between(first, first + timedelta(days=days - 1)), Slot.starts_at > now)
            .order_by(Slot.id)
        ).all()
        chosen = [slot for slot, _ in zip(cycle(slots), noted, strict=False)]
        _write_bookings(tx, keys, [notice for _, notice in noted], chosen, now)
        return [sticker for sticker, _ in noted]


def check_counters(office: Office) -> int:
    """The number of confirmed bookings. Raises AssertionError if a slot's count is not that of its bookings."""
    with office.app():
        for each in all_offices(read_session()):
            assert check_places(read_session(), each.id) == ([], []), "a slot's count differs from its bookings"
        confirmed = select(func.count()).where(Booking.state == BookingState.CONFIRMED)
        return read_session().scalar(confirmed) or 0


def tomorrow(office: Office) -> date:
    """The office's next day."""
    return business_date(office.now()) + timedelta(days=1)


def _write_notices(tx: Transaction, keys: Keyring, count: int, now: datetime) -> list[tuple[Sticker, int]]:
    known = tx.session.scalar(select(func.count()).select_from(Notice)) or 0
    service = tx.session.scalars(select(Service).where(Service.code == "pickup")).one()
    idents = product(STICKER_ALPHABET, repeat=ID_LENGTH)  # drawn by chance, two in ten thousand would meet
    for _ in range(known):
        next(idents)
    stickers = [
        Sticker(
            f"M1H{known + n + 1:06d}",
            "".join(next(idents)),
            sticker_word(8),
            codes.new(codes.Kind.NOTICE, secrets.token_bytes).text,
        )
        for n in range(count)
    ]
    rows = [_notice_row(keys, sticker, service.id, now) for sticker in stickers]
    ids = tx.session.scalars(insert(Notice).returning(Notice.id, sort_by_parameter_order=True), rows)
    return list(zip(stickers, ids, strict=True))


def _notice_row(keys: Keyring, sticker: Sticker, service_id: int, now: datetime) -> dict[str, Any]:
    return {
        "uid": new_uid(now),
        "office_id": 1,
        "service_id": service_id,
        "number": sticker.number,
        "number_key": keys.key("notice-number", sticker.number),
        "scan_key": keys.key("scan", sticker.scan_code),
        "credential_id": sticker.credential_id,
        "secret_key": keys.key(f"notice-password/{sticker.credential_id}", sticker.password),
        "key_id": keys.key_id,
        "state": NoticeState.READY,
    }


def _write_bookings(tx: Transaction, keys: Keyring, notices: list[int], slots: list[Slot], now: datetime) -> None:
    uids = [new_uid(now) for _ in notices]
    service_id = tx.session.scalars(select(Notice.service_id).where(Notice.id == notices[0])).one()
    rows = [_booking_row(keys, uid, service_id, slot) for uid, slot in zip(uids, slots, strict=True)]
    ids = list(tx.session.scalars(insert(Booking).returning(Booking.id, sort_by_parameter_order=True), rows))
    people = [
        {"booking_id": booking, "position": 1, "notice_id": notice, "service_id": service_id}
        for booking, notice in zip(ids, notices, strict=True)
    ]
    tx.session.execute(insert(BookingPerson), people)
    uses = [
        {"slot_id": slot.id, "booking_id": booking, "units": 1, "channel": Channel.WEB, "until": slot.ends_at}
        for booking, slot in zip(ids, slots, strict=True)
    ]
    tx.session.execute(insert(SlotUse), uses)
    used = select(func.count()).where(SlotUse.slot_id == Slot.id).scalar_subquery()
    tx.session.execute(update(Slot).values(taken=used, web_taken=used).execution_options(synchronize_session=False))
    _write_traces(tx, list(zip(notices, uids, strict=True)), now)


def _booking_row(keys: Keyring, uid: UUID, service_id: int, slot: Slot) -> dict[str, Any]:
    return {
        "uid": uid,
        "code_key": keys.key("booking-code", keys.booking_code(uid).text),
        "key_id": keys.key_id,
        "office_id": 1,
        "service_id": service_id,
        "starts_at": slot.starts_at,
        "channel": Channel.WEB,
        "state": BookingState.CONFIRMED,
        "policy_at": slot.business_date,
    }


def _write_traces(tx: Transaction, booked: list[tuple[int, UUID]], now: datetime) -> None:
    """What a hold and a confirmation leave behind: these tables grow with the bookings, too."""
    verbs = ("booking.hold", "booking.book")
    audit = [
        {"at": now, "actor": f"notice:{notice}", "verb": verb, "subject_uid": uid, "facts": {}}
        for notice, uid in booked
        for verb in verbs
    ]
    tx.session.execute(insert(AuditEntry), audit)
    asked = [
        {
            "actor": f"notice:{notice}",
            "request_id": str(uuid4()),
            "entry_point": verb,
            "body_hash": secrets.token_hex(32),
            "answer": {"booking": str(uid)},
            "at": now,
        }
        for notice, uid in booked
        for verb in verbs
    ]
    tx.session.execute(insert(Request), asked)
