"""Short words for what people do in the sample city, each one entry point of the server; times as people say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import count
from uuid import UUID

from sqlalchemy import select

from madoguchi.wire import CheckInAnswer, Outcome
from server.assistance.service import call_staff
from server.auth.models import Device, Staff
from server.auth.service import add_kiosk
from server.booking.models import Booking, Channel, Slot
from server.booking.places import check_places
from server.booking.queries import Wish, booking_by_uid, live_booking_of, wish_of
from server.booking.rules import BookingState, Overbook
from server.booking.service import Booked, Held, book, cancel_booking, hold_slot, leave_booking, move_booking
from server.clock import OFFICE_ZONE
from server.db import db, read_session, transaction
from server.desk.service import Finished, Undone, finish, undo
from server.issuance.models import Notice
from server.issuance.service import Sticker, find_by_number, register_notice
from server.offices.models import Office as OfficeRow
from server.offices.models import Pool, Window
from server.offices.office_file import read_office_file
from server.offices.queries import all_offices, office_by_code
from server.offices.service import load_office
from server.queueing.models import VisitStep
from server.queueing.rules import Outcome as Ending
from server.queueing.rules import ParkedFor
from server.queueing.service import (
    Called,
    Passed,
    Rested,
    add_procedure,
    call_next,
    call_ticket,
    close_window,
    come_back,
    make_ready,
    missed,
    open_window,
    park,
    pass_on,
    recall,
)
from server.reception.service import Kiosk, check_in, report_print, walk_in
from server.repeats import Caller
from server.sample import FILES
from tests.conftest import Office
from tests.fakes import asked_by

MONDAY = date(2026, 11, 30)


@dataclass(frozen=True)
class Person:
    """A resident with the sticker of a notice in hand."""

    sticker: Sticker
    notice: int

    @property
    def actor(self) -> str:
        """As the audit names this person."""
        return f"notice:{self.notice}"


class City:
    """The sample city of one test, seen from one of its offices, with one kiosk there."""

    def __init__(self, office: Office, site: str = "honcho") -> None:
        """`office` as the fixture gives it: Monday, nine o'clock."""
        self.office, self.clock, self.keyring = office, office.clock, office.keyring
        self.zone: tzinfo = OFFICE_ZONE
        self._numbers = count(1)
        self.site, self.here = site, office_by_code(read_session(), site).id
        uid, self.kiosk_token = add_kiosk(self.keyring, self.here, "入口", "test", self.now)
        self.kiosk = Kiosk(self._device(uid), self.here)

    def _device(self, uid: UUID) -> int:
        return read_session().scalars(select(Device.id).where(Device.uid == uid)).one()

    @property
    def now(self) -> datetime:
        """The office's clock, as this zone writes it."""
        return self.clock.now().astimezone(self.zone)

    def at(self, then: datetime | str) -> None:
        """It is this moment, or this time of the day."""
        wanted = moment(then) if isinstance(then, str) else then
        self.clock.forward(seconds=(wanted - self.now).total_seconds())

    # What there is

    def person(self, service: str = "pickup", site: str = "") -> Person:
        """Somebody whose notice has come by post."""
        number = f"{self.site[0].upper()}1H{next(self._numbers):06d}"
        sticker = register_notice(self.keyring, site or self.site, service, number, "test", self.now)
        return Person(sticker, find_by_number(self.keyring, read_session(), number).id)

    def people(self, n: int) -> list[Person]:
        """So many of them."""
        return [self.person() for _ in range(n)]

    def place(self, time: str, day: date = MONDAY, site: str = "") -> Slot:
        """The slot of a time, read afresh."""
        read_session().rollback()
        return (
            read_session()
            .scalars(
                select(Slot)
                .join(Pool, Pool.id == Slot.pool_id)
                .join(OfficeRow, OfficeRow.id == Pool.office_id)
                .where(OfficeRow.code == (site or self.site), Slot.starts_at == moment(time, day))
            )
            .one()
        )

    def slot(self, time: str, day: date = MONDAY, site: str = "") -> UUID:
        """The uid of a time's slot."""
        return self.place(time, day, site).uid

    def taken(self, time: str, day: date = MONDAY) -> int:
        """How many places of a time are taken."""
        return self.place(time, day).taken

    def booking(self, uid: UUID) -> Booking:
        """A booking, read afresh."""
        read_session().rollback()
        found = booking_by_uid(read_session(), uid)
        assert found is not None
        return found

    def state(self, uid: UUID) -> BookingState:
        """Where a booking stands."""
        return self.booking(uid).state

    def live(self, person: Person) -> Booking | None:
        """The booking that holds or claims a place for somebody now."""
        read_session().rollback()
        return live_booking_of(read_session(), person.notice, self.now)

    def notice(self, person: Person) -> Notice:
        """Somebody's notice, read afresh."""
        read_session().rollback()
        return read_session().get_one(Notice, person.notice)

    def code(self, booking: UUID) -> str:
        """The booking code as it is shown."""
        return self.keyring.booking_code(booking).text

    def has_right_counters(self) -> bool:
        """Whether every slot's counters equal its bookings."""
        read_session().rollback()
        return all(check_places(read_session(), office.id) == ([], []) for office in all_offices(read_session()))

    # What residents and the phone desk do

    def hold(
        self,
        person: Person,
        time: str | UUID,
        day: date = MONDAY,
        by: Caller | None = None,
        web: bool = True,
        family: Sequence[Person] = (),
        overbook: Overbook | None = None,
        language: str = "ja",
    ) -> Held:
        """Keep a place, on the web unless said otherwise; for a family places for all of them."""
        slot = self.slot(time, day) if isinstance(time, str) else time
        channel = Channel.WEB if web else Channel.PHONE
        asking, notices = by or asked_by(person.actor), [p.notice for p in (person, *family)]
        return hold_slot(asking, self.keyring, notices, slot, channel, language, self.now, overbook)

    def wish(self, *people: Person, web: bool = True) -> Wish:
        """What somebody, or a family, may be offered."""
        return wish_of([self.notice(person) for person in people], Channel.WEB if web else Channel.PHONE)

    def book(self, person: Person, held: UUID, by: Caller | None = None) -> Booked:
        """Make the hold a booking."""
        return book(by or asked_by(person.actor), person.notice, held, self.now)

    def booked(
        self, time: str, day: date = MONDAY, person: Person | None = None, family: Sequence[Person] = ()
    ) -> tuple[Person, UUID]:
        """Somebody, or somebody with a family, with a booking."""
        person = person or self.person()
        held = self.hold(person, time, day, web=False, family=family)
        return person, self.book(person, held.booking).booking

    def move(self, person: Person, booking: UUID, time: str, day: date = MONDAY, by: Caller | None = None) -> Booked:
        """Another time for a booking, by phone."""
        asking = by or asked_by(person.actor)
        return move_booking(asking, person.notice, booking, self.slot(time, day), Channel.PHONE, self.now)

    def leave(self, person: Person, booking: UUID, by: Caller | None = None) -> Booked:
        """One of a family does not come."""
        return leave_booking(by or asked_by(person.actor), person.notice, booking, self.now)

    def cancel(self, person: Person, booking: UUID, by: Caller | None = None) -> Booked:
        """Give a booking back."""
        return cancel_booking(by or asked_by(person.actor), person.notice, booking, self.now)

    # What happens at the kiosk

    def ask_for_staff(self, reason: str) -> None:
        """職員呼出."""
        call_staff(asked_by(f"device:{self.kiosk.id}"), self.here, self.kiosk.id, reason, self.now)

    def scan(self, text: str, by: Caller | None = None, kiosk: Kiosk | None = None) -> CheckInAnswer:
        """Hold a code to the scanner."""
        at = kiosk or self.kiosk
        asking = by or asked_by(f"device:{at.id}")
        return check_in(asking, self.keyring, at, text, self.office.settings.hosts, self.now)

    def come_without_booking(self, service: str = "pickup", party: int = 1, by: Caller | None = None) -> CheckInAnswer:
        """Press the button of a service."""
        return walk_in(by or asked_by(f"device:{self.kiosk.id}"), self.kiosk, service, party, self.now)

    def printed(self, answer: CheckInAnswer, outcome: Outcome = Outcome.PRINTED) -> None:
        """The kiosk reports what became of the paper."""
        assert answer.job is not None
        report_print(f"device:{self.kiosk.id}", self.kiosk, answer.job, "a" * 64, outcome, self.now)

    # What happens at the windows

    def clerk(self, name: str = "madoguchi2") -> int:
        """The id of a member of staff."""
        return read_session().scalars(select(Staff.id).where(Staff.name == name)).one()

    def window(self, number: int) -> Window:
        """A window of this office, read afresh."""
        read_session().rollback()
        wanted = select(Window).where(Window.office_id == self.here, Window.number == number)
        return read_session().scalars(wanted).one()

    def open(self, *numbers: int, by: str = "madoguchi2") -> None:
        """A clerk opens windows."""
        clerk = self.clerk(by)
        for number in numbers:
            open_window(asked_by(f"staff:{clerk}"), self.window(number).id, clerk, self.now)

    def close(self, number: int) -> None:
        """A clerk closes a window."""
        close_window(self._clerk(), self.window(number).id, self.now)

    def call_next(self, number: int, by: Caller | None = None) -> Called:
        """次を呼ぶ."""
        return call_next(by or self._clerk(), self.window(number).id, self.now)

    def call(self, number: int, ticket: UUID) -> Called:
        """Call one ticket by itself."""
        return call_ticket(self._clerk(), self.window(number).id, ticket, self.now)

    def recall(self, number: int) -> Called:
        """再呼出."""
        return recall(self._clerk(), self.window(number).id, self.now)

    def missed(self, number: int) -> Called:
        """不在."""
        return missed(self._clerk(), self.window(number).id, self.now)

    def finish(
        self,
        number: int,
        ending: Ending = Ending.HANDED_OVER,
        by: Caller | None = None,
        position: int | None = None,
    ) -> Finished:
        """終了: all of the party, or one of it."""
        asking, window, consent = by or self._clerk(), self.window(number).id, ending is Ending.LATER_BY_MAIL
        return finish(asking, window, ending, self.now, position=position, consent=consent)

    def pass_on(self, number: int, by: Caller | None = None) -> Passed:
        """次へ: the stop at a window is done."""
        return pass_on(by or self._clerk(), self.window(number).id, self.now)

    def park(self, number: int, why: ParkedFor = ParkedFor.OTHER) -> Rested:
        """保留."""
        return park(self._clerk(), self.window(number).id, why, self.now)

    def add(self, number: int, service: str, position: int = 1) -> Rested:
        """手続の追加, for somebody at a window."""
        return add_procedure(self._clerk(), self.window(number).id, position, service, self.now)

    def back(self, ticket: UUID) -> Rested:
        """戻った: staff see somebody who was away."""
        return come_back(self._clerk(), self.here, ticket, self.now)

    def ready(self, ticket: UUID) -> Rested:
        """暗証番号決定済."""
        return make_ready(self._clerk(), self.here, ticket, self.now)

    def undo(self, number: int, by: str = "madoguchi2") -> Undone:
        """元に戻す."""
        return undo(asked_by(f"staff:{self.clerk(by)}"), self.window(number).id, self.now)

    def _clerk(self) -> Caller:
        return asked_by(f"staff:{self.clerk()}")

    def check_papers_first(
        self, terminals: int = 2, windows: Sequence[Sequence[str]] = (("pickup",), ("issue",), ("issue",))
    ) -> None:
        """Pick-up in two stops: window 1 checks papers, 2 and 3 issue, each at one of some shared terminals; or
        `windows` with other lanes."""
        plan = read_office_file(FILES / f"{self.site}.toml")
        plan["lanes"].append({"code": "issue", "name": {"ja": "交付", "en": "Issue"}, "first": 701, "last": 800})
        plan["terminals"] = [{"kind": "J", "name": f"T{n + 1}"} for n in range(terminals)]
        stops = [{"lane": "pickup", "minutes": 5}, {"lane": "issue", "terminal": "J", "ready_first": True}]
        plan["services"][0] = {"preset": "pickup", "steps": stops}
        plan["windows"] = [{"number": n, "lanes": list(lanes)} for n, lanes in enumerate(windows, start=1)]
        load_office(plan, "test", self.now)

    def set_row(self, row: object, **values: object) -> None:
        """Write into a row that no entry point changes yet."""
        with transaction() as tx:
            mine = tx.session.merge(row)
            for name, value in values.items():
                setattr(mine, name, value)
        db.session.expire_all()


def steps() -> list[VisitStep]:
    """All steps of visits, in the order they were written."""
    read_session().rollback()
    return list(read_session().scalars(select(VisitStep).order_by(VisitStep.id)))


def moment(time: str, day: date = MONDAY) -> datetime:
    """A time of a day, e.g. "10:15" or "8:29:59", on the office's clock."""
    hour, minute, second = (*map(int, time.split(":")), 0, 0)[:3]
    midnight = datetime(day.year, day.month, day.day, tzinfo=OFFICE_ZONE)
    return midnight + timedelta(hours=hour, minutes=minute, seconds=second)
