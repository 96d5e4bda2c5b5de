"""見本市, the sample city: for demonstration, trials and tests. Made by the entry points that make a real one."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from server import edge
from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_board, add_kiosk, add_staff, start_pairing
from server.booking.models import Channel
from server.booking.places import extend_slots, make_slots
from server.booking.queries import live_booking_of, open_times, wish_of
from server.booking.service import book, cancel_booking, hold_slot
from server.clock import at_minute, business_date, office_time
from server.db import read_session, transaction
from server.issuance.models import Notice
from server.issuance.notice_codes import shown_number
from server.issuance.service import Sticker, find_by_number, register_notice
from server.keys import Keyring, sticker_word
from server.offices.holiday_service import keep_holidays
from server.offices.models import OpeningRule
from server.offices.office_file import read_office_file
from server.offices.opening_rules import OpenSession, RuleKind
from server.offices.queries import calendar_of, office_by_code, policy_on
from server.offices.service import load_office
from server.repeats import Caller

FILES = Path(__file__).parent / "samples"
OFFICES = ("honcho", "kita")
ACTOR = "sample"
NOT_BOOKED, CANCELLED = "not booked", "booked and cancelled"
LATER_DAYS = 15  # longer than any row of days off
STAFF = (
    ("denwa", Role.OPERATOR),
    ("madoguchi2", Role.CLERK),
    ("madoguchi3", Role.CLERK),
    ("kakaricho", Role.SUPERVISOR),
    ("kanri", Role.ADMIN),
)


@dataclass(frozen=True)
class SampleStaff:
    """An account of the sample city, with the password drawn for it."""

    name: str
    password: str
    role: str


@dataclass(frozen=True)
class SampleNotice:
    """A notice, with what is on its sticker and what it is booked for; `note` says what it shows."""

    sticker: Sticker
    booked_for: datetime | None
    note: str

    def to_json(self) -> dict[str, str | None]:
        """What the demonstration prints of it."""
        return {
            "number": shown_number(self.sticker.number),
            "id": self.sticker.credential_id,
            "password": self.sticker.password,
            "scan_code": self.sticker.scan_code,
            "booked_for": None if self.booked_for is None else office_time(self.booked_for).isoformat(),
            "note": self.note,
        }


def seed_demo(known: dict[str, Any] | None, *, around_the_clock: bool, pairing_lasts: timedelta) -> dict[str, Any]:
    """Make the sample city for a demonstration, or renew it: `known` is what a former call gave.

    Gives JSON values: staff, notices (twelve new ones), kiosk_token, board and its pairing code.
    """
    now, keys = edge.now(), edge.keyring()
    if known is None:
        staff = [asdict(person) for person in found_city(edge.parts().passwords, now)]
        honcho = office_by_code(read_session(), "honcho").id
        _, token = add_kiosk(keys, honcho, "入口", ACTOR, now)
        known = {"staff": staff, "kiosk_token": token, "board": str(add_board(honcho, "待合", ACTOR, now))}
    if around_the_clock:
        # Tomorrow, too: a demonstration may run past midnight.
        open_around_the_clock(business_date(now), 2, now)
    pairing = start_pairing(keys, UUID(known["board"]), ACTOR, now, pairing_lasts)
    return {
        **known,
        "pairing": pairing,
        "notices": [notice.to_json() for notice in dozen_notices(keys, now)],
    }


def found_city(passwords: Passwords, now: datetime) -> list[SampleStaff]:
    """Both offices with their places, and staff with passwords drawn at random."""
    keep_holidays(now)
    offices = {code: load_office(read_office_file(FILES / f"{code}.toml"), ACTOR, now).id for code in OFFICES}
    for office_id in offices.values():
        extend_slots(office_id, now)
    made = []
    for name, role in STAFF:
        password = "-".join(sticker_word(4).lower() for _ in range(4))
        add_staff(passwords, name, role, password, None if role is Role.ADMIN else offices["honcho"], ACTOR, now)
        made.append(SampleStaff(name, password, role.value))
    return made


def open_around_the_clock(first: date, days: int, now: datetime) -> None:
    """Open both offices from midnight to midnight on these days."""
    for code in OFFICES:
        with transaction() as tx:
            office_id = office_by_code(tx.session, code).id
            for n in range(days):
                day = first + timedelta(days=n)
                known = select(OpeningRule.id).where(OpeningRule.office_id == office_id, OpeningRule.on_date == day)
                if tx.session.scalar(known) is None:
                    tx.session.add(
                        OpeningRule(
                            office_id=office_id,
                            kind=RuleKind.DATED,
                            on_date=day,
                            opens=0,
                            closes=1440,
                            last_booked=1440,
                            last_walk_in=1440,
                            reason="実演",
                        )
                    )
        make_slots(office_id, first, first + timedelta(days=days - 1), now)


def dozen_notices(keyring: Keyring, now: datetime) -> list[SampleNotice]:
    """Twelve new notices; the first is booked so that it can be checked in now, the next few for trying refusals.

    Each note says what was really booked, or why nothing was.
    """
    today, soon = business_date(now), _coming(now)
    later = [at_minute(today + timedelta(days=ahead), 9 * 60) for ahead in range(1, LATER_DAYS)]
    cases: list[tuple[str, list[datetime], str]] = [
        ("honcho", [soon], ""),
        ("honcho", [soon + timedelta(minutes=30)], ""),
        ("honcho", later, ""),
        ("kita", [soon], "booked at another office"),
        ("honcho", later, CANCELLED),
    ]
    made = [_booked_notice(keyring, office, wanted, note, now) for office, wanted, note in cases]
    return made + [SampleNotice(new_notice(keyring, "honcho", now), None, NOT_BOOKED) for _ in range(12 - len(made))]


def new_notice(keyring: Keyring, office: str, now: datetime) -> Sticker:
    """A notice with the next free number of the sample city."""
    count = read_session().scalar(select(func.count()).select_from(Notice)) or 0
    return register_notice(keyring, office, "pickup", f"M1H{count + 1:06d}", ACTOR, now)


def book_for(
    keyring: Keyring, sticker: Sticker, wanted: datetime, now: datetime, channel: Channel = Channel.COUNTER
) -> datetime | None:
    """Book the first free place from a moment on, that day; None if the day has none left."""
    session = read_session()
    notice = find_by_number(keyring, session, sticker.number)
    policy = policy_on(session, notice.office_id, business_date(now))
    times = open_times(session, wish_of([notice], channel), business_date(wanted), policy, now)
    chosen = next((t for t in times if t.starts_at >= wanted and t.free > 0), None)
    if chosen is None:
        return None
    held = hold_slot(_caller(), keyring, [notice.id], chosen.slot, channel, "ja", now)
    return book(_caller(), notice.id, held.booking, now).starts_at


def _booked_notice(keyring: Keyring, office: str, days: list[datetime], note: str, now: datetime) -> SampleNotice:
    """A notice booked on the first of these days that has a place left from its moment on."""
    sticker = new_notice(keyring, office, now)
    booked = (book_for(keyring, sticker, wanted, now) for wanted in days)
    starts_at = next((start for start in booked if start is not None), None)
    if starts_at is None:
        return SampleNotice(sticker, None, f"{NOT_BOOKED}: {_why_no_place(office, now)}")
    if note == CANCELLED:
        _cancel(keyring, sticker, now)
        starts_at = None
    return SampleNotice(sticker, starts_at, note or _when_booked(office, starts_at or now, now))


def _when_booked(office: str, starts_at: datetime, now: datetime) -> str:
    if business_date(starts_at) != business_date(now):
        return "booked for another day"
    at_once = starts_at <= now + timedelta(minutes=30) and _session(office, now) is not None
    return "booked for now" if at_once else "booked for today"


def _why_no_place(office: str, now: datetime) -> str:
    if _session(office, now) is None:
        return "the office is closed at this time"
    return "the office has no place left today"


def _session(office: str, now: datetime) -> OpenSession | None:
    """The session in which an office receives people at a moment, if any."""
    office_id = office_by_code(read_session(), office).id
    return calendar_of(read_session(), office_id, business_date(now)).session_at(now)


def _cancel(keyring: Keyring, sticker: Sticker, now: datetime) -> None:
    notice = find_by_number(keyring, read_session(), sticker.number)
    if (booking := live_booking_of(read_session(), notice.id, now)) is not None:
        cancel_booking(_caller(), notice.id, booking.uid, now)


def _coming(now: datetime) -> datetime:
    """The next quarter of an hour, unless that is tomorrow: then the running one."""
    start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    following = start + timedelta(minutes=15)
    return following if business_date(following) == business_date(now) else start


def _caller() -> Caller:
    return Caller(ACTOR, str(uuid4()))
