"""Entry points of arriving: check in with a code, come without a booking, report what was printed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from madoguchi import codes
from madoguchi.wire import CheckInAnswer, Message, Outcome, ReprintOrder, Result, TicketView, WaitView
from server.audit import record
from server.auth.attempts import check_open, settle
from server.auth.rules import Locked
from server.auth.service import UnknownDevice
from server.booking.models import Booking
from server.booking.queries import booking_by_code_key, live_booking_of, newest_booking_of
from server.booking.rules import BookingState
from server.booking.service import check_in_booking, locked_booking
from server.clock import business_date, office_time
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Refusal
from server.intake.queries import intake_of
from server.issuance.models import Notice
from server.issuance.notice_codes import refuse_my_number
from server.issuance.service import NoticeNotFound, find_by_number, find_by_scan_code
from server.keys import Keyring
from server.offices.models import Office, Service
from server.offices.policy import OfficePolicy
from server.offices.queries import (
    OpenNow,
    UnknownService,
    offer_by_code,
    open_now,
    policy_on,
    service_for_walk_ins,
    stops_of,
)
from server.offices.service_rules import offered_on
from server.outlook.queries import waits
from server.queueing.models import Ticket, TicketState, Visit, VisitStep
from server.queueing.queries import ticket_by_code, waiting_before
from server.queueing.rules import AWAY, NotPossible, StepClass, StepState, due_without_booking, is_late
from server.queueing.service import bring_back, locked_step_of
from server.queueing.tickets import Arrival, Comer, Issued, issue
from server.queueing.waiting_time import told
from server.reception.models import PrintJob
from server.reception.queries import kiosks_of, live_ticket, reprints_asked
from server.reception.rules import (
    AskStaff,
    BookingIsCancelled,
    CodeUnknown,
    NotBooked,
    OfficeClosed,
    OtherCode,
    PartyTooLarge,
    ServiceNotNow,
    Unreadable,
    WalkInsClosed,
    WrongCode,
    WrongOffice,
    admit,
)
from server.repeats import Caller, repeat_of


@dataclass(frozen=True)
class Kiosk:
    """The device at which somebody stands."""

    id: int
    office_id: int


def check_in(
    caller: Caller, keyring: Keyring, kiosk: Kiosk, text: str, hosts: Collection[str], now: datetime, pages: str = ""
) -> CheckInAnswer:
    """A booked person has scanned a code: visit, number and ticket, once, however often it is scanned.

    `pages` is the address under which a telephone sees how the ticket stands; empty: none.

    Scanned again while the paper is not known to be printed, the same number comes with a new print job; afterwards
    the number is only said. Who was missed or has rested is brought back, by the code of the ticket, too.

    Raises MyNumberRefused, Unreadable, WrongCode, OtherCode, CodeUnknown, NotBooked, WrongOffice, WrongDay,
    BookingIsCancelled, OfficeClosed.
    """
    number = codes.notice_number(text)
    if number is not None:
        booking_id = _booking_of_number(caller, keyring, kiosk, number, now)
    else:
        code = read_code(text, hosts)
        if code.kind is codes.Kind.TICKET:
            return _come_back(caller, kiosk, code, now)
        booking_id, number = _booking_of_code(keyring, code, now), code.text
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "reception.check_in", {"code": keyring.key("repeat", number)}, now)
        if repeat.answer is not None:
            return CheckInAnswer.from_json(repeat.answer)
        booking = locked_booking(tx, booking_id)
        if booking.office_id != kiosk.office_id:
            raise WrongOffice(site=tx.session.get_one(Office, booking.office_id).names)
        visit = _visit_of(tx, booking.id)
        # Only today's number may be said again: on another day it is somebody else's.
        if visit is not None and visit.business_date == business_date(now):
            _bring_back(tx, caller, visit.id, now)
            return repeat.keep(_again(tx, visit, kiosk, now, pages))
        policy = policy_on(tx.session, kiosk.office_id, business_date(now))
        place = admit(booking, now, policy)
        people = [Comer(person.service_id, person.notice_id) for person in booking.people if person.live]
        stops = stops_of(tx.session, kiosk.office_id, [booking.service_id, *(p.service_id for p in people)])
        opening = open_now(tx.session, kiosk.office_id, now, stops[booking.service_id][0].service.code)
        if not opening.booked:
            raise _closed(opening)
        check_in_booking(booking)
        arrival = Arrival(
            kiosk.office_id,
            people,
            stops,
            place.step_class,
            place.due_at,
            origin="kiosk",
            kiosk_id=kiosk.id,
            booking_id=booking.id,
            booked_at=booking.starts_at,
        )
        issued = issue(tx, arrival, now)
        record(tx, now, caller.actor, "reception.check_in", booking.uid, number=issued.number, late=place.late)
        view = _view(tx, arrival, issued, now, pages)
        return repeat.keep(
            CheckInAnswer(Result.TICKET, place.early, place.late, _job(tx, issued.ticket_id, kiosk, now), view)
        )


def walk_in(caller: Caller, kiosk: Kiosk, service: str, party: int, now: datetime, pages: str = "") -> CheckInAnswer:
    """Somebody came without a booking.

    Raises WalkInsClosed, AskStaff (so late with a legal deadline), OfficeClosed, ServiceNotNow, UnknownService,
    PartyTooLarge.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "reception.walk_in", {"service": service, "party": party}, now)
        if repeat.answer is not None:
            return CheckInAnswer.from_json(repeat.answer)
        policy = _policy_for(tx, kiosk.office_id, party, now)
        chosen = service_for_walk_ins(tx.session, kiosk.office_id, service, business_date(now))
        _check_received(tx, kiosk.office_id, chosen, party, now)
        arrival = _without_booking(tx, kiosk.office_id, chosen, party, policy, now, kiosk)
        issued = issue(tx, arrival, now)
        record(tx, now, caller.actor, "reception.walk_in", issued.uid, number=issued.number)
        view = _view(tx, arrival, issued, now, pages)
        return repeat.keep(CheckInAnswer(Result.TICKET, False, False, _job(tx, issued.ticket_id, kiosk, now), view))


@dataclass(frozen=True)
class LetIn(Message):
    """A number that staff gave, to be written down or read out; `wait` is None where nobody can tell."""

    number: int
    service: dict[str, str]
    people_waiting: int
    wait: WaitView | None = None


def let_in(caller: Caller, office_id: int, service: str, party: int, now: datetime) -> LetIn:
    """Staff receive somebody without a booking, whether others are received or not.

    Raises UnknownService, PartyTooLarge.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "reception.let_in", {"service": service, "party": party}, now)
        if repeat.answer is not None:
            return LetIn.from_json(repeat.answer)
        policy = _policy_for(tx, office_id, party, now)
        offer = offer_by_code(tx.session, office_id, service)
        if not offered_on(offer, business_date(now)):
            raise UnknownService(service=service)
        issued = issue(tx, _without_booking(tx, office_id, offer.service, party, policy, now), now)
        record(tx, now, caller.actor, "reception.let_in", issued.uid, number=issued.number, service=service)
        wait = _tell(tx, office_id, issued.step, now)
        return repeat.keep(LetIn(issued.number, issued.stop.service.short_names, issued.people_waiting, wait))


def _policy_for(tx: Transaction, office_id: int, party: int, now: datetime) -> OfficePolicy:
    """Today's policy, which allows a party of so many people. Raises PartyTooLarge."""
    policy = policy_on(tx.session, office_id, business_date(now))
    if not 1 <= party <= policy.party_max:
        raise PartyTooLarge(most=policy.party_max)
    return policy


def _check_received(tx: Transaction, office_id: int, service: Service, party: int, now: datetime) -> None:
    """Whether a party is received without a booking now. Raises WalkInsClosed, AskStaff, OfficeClosed,
    ServiceNotNow."""
    intake = intake_of(tx.session, office_id, now, party)
    own = intake.of(service.code)
    if own is not None and own.received:
        return
    if intake.booked and service.legal_deadline:
        raise AskStaff
    if intake.booked and own is not None:
        raise WalkInsClosed(tel=tx.session.get_one(Office, office_id).tel)
    raise _closed(open_now(tx.session, office_id, now, service.code))


def _closed(opening: OpenNow) -> OfficeClosed | ServiceNotNow:
    kind = ServiceNotNow if opening.for_others else OfficeClosed
    return kind(next_opening=_iso(opening.next_opening))


def _without_booking(
    tx: Transaction,
    office_id: int,
    service: Service,
    party: int,
    policy: OfficePolicy,
    now: datetime,
    kiosk: Kiosk | None = None,
) -> Arrival:
    return Arrival(
        office_id,
        [Comer(service.id)] * party,
        stops_of(tx.session, office_id, [service.id]),
        StepClass.WALK_IN,
        due_without_booking(now, policy),
        origin="desk" if kiosk is None else "kiosk",
        kiosk_id=None if kiosk is None else kiosk.id,
    )


def report_print(actor: str, kiosk: Kiosk, job: UUID, sha256: str, outcome: Outcome, now: datetime) -> None:
    """What became of a paper. Saying the same twice is harmless; printed stays printed. Raises CodeUnknown."""
    with transaction() as tx:
        row = tx.session.scalar(locked(select(PrintJob).where(PrintJob.uid == job, PrintJob.kiosk_id == kiosk.id)))
        if row is None:
            raise CodeUnknown
        if row.outcome is not Outcome.PRINTED:
            row.sha256, row.outcome = sha256, outcome
            if outcome is not Outcome.PRINTED:
                record(tx, now, actor, "print.failed", job, outcome=outcome.value)


@dataclass(frozen=True)
class Reprinting(Message):
    """A paper that staff asked for."""

    number: int
    job: UUID


def reprint(caller: Caller, office_id: int, ticket: UUID, kiosk: UUID, now: datetime) -> Reprinting:
    """再発行 by staff: the same number once more on paper at a kiosk of the office, whatever became of the last one.

    Raises CodeUnknown (only a live ticket of today stands on paper), UnknownDevice.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "reception.reprint", {"ticket": str(ticket), "kiosk": str(kiosk)}, now)
        if repeat.answer is not None:
            return Reprinting.from_json(repeat.answer)
        printer = next((one for one in kiosks_of(tx.session, office_id) if one.uid == kiosk), None)
        if printer is None:
            raise UnknownDevice
        row = live_ticket(tx.session, office_id, ticket, now)
        if row is None:
            raise CodeUnknown
        job = _job(tx, row.id, Kiosk(printer.id, office_id), now, by_staff=True)
        record(tx, now, caller.actor, "print.reprint", job, number=row.number, kiosk=str(kiosk))
        return repeat.keep(Reprinting(row.number, job))


def reprints_for(session: Session, kiosk: Kiosk, now: datetime, pages: str = "") -> tuple[ReprintOrder, ...]:
    """What staff want this kiosk to print and it has not reported yet. What it did not fetch in time it never will."""
    return tuple(
        ReprintOrder(job, _view_again(session, ticket.visit, ticket, now, pages))
        for job, ticket in reprints_asked(session, kiosk.id, now)
    )


def read_code(text: str, hosts: Collection[str]) -> codes.Code:
    """Our code in a scanned text. A My Number is refused before anything else looks at the text.

    Raises MyNumberRefused, Unreadable, WrongCode.
    """
    refuse_my_number(text)
    reading = codes.read(text, hosts)
    if isinstance(reading, codes.Code):
        return reading
    raise Unreadable if reading is codes.Unread.UNREADABLE else WrongCode


def _booking_of_code(keyring: Keyring, code: codes.Code, now: datetime) -> int:
    session = read_session()
    if code.kind is codes.Kind.BOOKING:
        booking = booking_by_code_key(session, keyring.key("booking-code", code.text))
        if booking is None:
            raise CodeUnknown
        return booking.id
    notice = find_by_scan_code(keyring, session, code)
    if notice is None:
        raise CodeUnknown
    return _booking_of_notice(session, notice, now).id


def _booking_of_number(caller: Caller, keyring: Keyring, kiosk: Kiosk, number: str, now: datetime) -> int:
    """The booking of the notice with this printed number, where the office takes such numbers.

    They can be guessed. So of one kiosk five in a row that lead to no booking of today close this way for a quarter of
    an hour; a restricted notice answers and counts as one that nobody knows.
    Raises OtherCode, CodeUnknown, NotBooked, BookingIsCancelled.
    """
    session, day = read_session(), business_date(now)
    if not policy_on(session, kiosk.office_id, day).kiosk_reads_notice_numbers:
        raise OtherCode
    key = keyring.key("attempts/notice-number", str(kiosk.id))
    booking: Booking | None = None
    refusal: Refusal = CodeUnknown()
    try:
        failed_before = check_open(key, now)
        booking = _booking_of_notice(session, find_by_number(keyring, session, number), now)
    except Locked:
        raise OtherCode from None
    except NoticeNotFound:
        pass
    except (NotBooked, BookingIsCancelled) as known:
        refusal = known
    right = booking is not None and booking.office_id == kiosk.office_id and business_date(booking.starts_at) == day
    booking_id = None if booking is None else booking.id
    if not right or failed_before:
        _count_numbers(caller, key, now, right=right)
    if booking_id is None:
        raise refusal
    return booking_id


def _count_numbers(caller: Caller, key: str, now: datetime, *, right: bool) -> None:
    with transaction() as tx:
        try:
            closed = settle(tx, key, now, right=right)
        except Locked:
            raise OtherCode from None
        if closed:
            record(tx, now, caller.actor, "kiosk.numbers_closed", None)


def _booking_of_notice(session: Session, notice: Notice, now: datetime) -> Booking:
    """The booking a notice has, or had last. Raises NotBooked, BookingIsCancelled."""
    booking = live_booking_of(session, notice.id, now) or newest_booking_of(session, notice.id)
    if booking is None or booking.state in (BookingState.HELD, BookingState.LAPSED):
        raise NotBooked
    if booking.state is BookingState.CANCELLED:
        raise BookingIsCancelled
    return booking


def _come_back(caller: Caller, kiosk: Kiosk, code: codes.Code, now: datetime) -> CheckInAnswer:
    """Somebody holds a ticket of today to the scanner: who was away waits again, and everybody hears their number.

    Raises CodeUnknown, also when the visit has ended.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "reception.come_back", {"code": code.text}, now)
        if repeat.answer is not None:
            return CheckInAnswer.from_json(repeat.answer)
        ticket = ticket_by_code(tx.session, [kiosk.office_id], code, now)
        if ticket is None or ticket.state is not TicketState.LIVE:
            raise CodeUnknown
        if not _bring_back(tx, caller, ticket.visit_id, now):
            raise CodeUnknown
        view = _view_again(tx.session, ticket.visit, ticket, now)
        told = replace(view, issued_at=office_time(ticket.issued_at), reprint_of=None)
        return repeat.keep(CheckInAnswer(Result.ALREADY, False, False, None, told))


def _bring_back(tx: Transaction, caller: Caller, visit_id: int, now: datetime) -> bool:
    """Step: who was missed or rested, and is at the kiosk, waits again. Gives whether the visit has not ended."""
    try:
        step = locked_step_of(tx, visit_id)
    except NotPossible:
        return False
    if step.state in AWAY:
        bring_back(tx, caller, step, now)
    return True


def _visit_of(tx: Transaction, booking_id: int) -> Visit | None:
    return tx.session.scalar(select(Visit).where(Visit.booking_id == booking_id).order_by(Visit.id.desc()).limit(1))


def _again(tx: Transaction, visit: Visit, kiosk: Kiosk, now: datetime, pages: str) -> CheckInAnswer:
    """The booking was scanned before: the same number; a new paper only if the last is not known to be printed."""
    late = False
    if visit.booked_at is not None:
        policy = policy_on(tx.session, visit.office_id, visit.business_date)
        late = is_late(visit.booked_at, visit.received_at, policy.late_grace_minutes)
    ticket = next(t for t in visit.tickets if t.state is TicketState.LIVE)
    last = tx.session.scalars(
        select(PrintJob.outcome).where(PrintJob.ticket_id == ticket.id).order_by(PrintJob.id.desc()).limit(1)
    ).first()
    view = _view_again(tx.session, visit, ticket, now, pages)
    early = visit.booked_at is not None and now < visit.booked_at
    if last is Outcome.PRINTED or not visit.live:
        # No paper comes: what is told is the first one, and nothing is a reprint.
        first = replace(view, issued_at=office_time(ticket.issued_at), reprint_of=None)
        return CheckInAnswer(Result.ALREADY, early, late, None, first)
    return CheckInAnswer(Result.TICKET, early, late, _job(tx, ticket.id, kiosk, now), view)


def _job(tx: Transaction, ticket_id: int, kiosk: Kiosk, now: datetime, *, by_staff: bool = False) -> UUID:
    job = PrintJob(
        uid=new_uid(now), ticket_id=ticket_id, kiosk_id=kiosk.id, outcome=Outcome.UNKNOWN, at=now, by_staff=by_staff
    )
    tx.session.add(job)
    return job.uid


def _told(session: Session, office_id: int, step: VisitStep, now: datetime) -> WaitView | None:
    """How long a step's visitor will wait from now on, as they are told it; None if nobody can tell."""
    if step.state is not StepState.WAITING:
        return None
    estimate = waits(session, office_id, now, [step.id]).get(step.id)
    return None if estimate is None else told(estimate)


def _tell(tx: Transaction, office_id: int, step: VisitStep, now: datetime) -> WaitView | None:
    """What a newcomer is told is written down, to be compared with what comes true."""
    wait = _told(tx.session, office_id, step, now)
    if wait is not None:
        step.told_minutes, step.told_least, step.told_most = wait.minutes, wait.least, wait.most
    return wait


def _page(pages: str, ticket: UUID) -> str | None:
    return f"{pages}/t/{codes.of_ticket(ticket).text}" if pages else None


def _view(tx: Transaction, arrival: Arrival, issued: Issued, now: datetime, pages: str) -> TicketView:
    return TicketView(
        uid=issued.uid,
        number=issued.number,
        lane=issued.stop.lane.names,
        service=_short_names(arrival.stops[comer.service_id][0].service for comer in arrival.people),
        party=len(arrival.people),
        booked_at=None if arrival.booked_at is None else office_time(arrival.booked_at),
        issued_at=office_time(now),
        people_waiting=issued.people_waiting,
        office=tx.session.get_one(Office, arrival.office_id).names,
        reprint_of=None,
        wait=_tell(tx, arrival.office_id, issued.step, now),
        page=_page(pages, issued.uid),
        tasks=_tasks(arrival.stops[comer.service_id][0].service for comer in arrival.people),
        language=_language(tx.session, arrival.booking_id),
    )


def _language(session: Session, booking_id: int | None) -> str | None:
    """In which language the booking was made: kiosk and slip go on in it."""
    return None if booking_id is None else session.get_one(Booking, booking_id).language


def _short_names(services: Iterable[Service]) -> dict[str, str]:
    """The services of a party in each language, in the order of its people, each once."""
    names = [service.short_names for service in services]
    return {lang: between.join(dict.fromkeys(name[lang] for name in names)) for lang, between in _BETWEEN.items()}


_BETWEEN = {"ja": "・", "en": ", "}


def _tasks(services: Iterable[Service]) -> tuple[str, ...]:
    """What the people of a party can do while they wait, each once."""
    return tuple(dict.fromkeys(task for service in services for task in service.tasks))


def _view_again(session: Session, visit: Visit, ticket: Ticket, now: datetime, pages: str = "") -> TicketView:
    step = visit.steps[-1]
    return TicketView(
        uid=ticket.uid,
        number=ticket.number,
        lane=step.lane.names,
        service=_short_names(session.get_one(Service, person.service_id) for person in visit.people),
        party=sum(person.further_of is None for person in visit.people),
        booked_at=None if visit.booked_at is None else office_time(visit.booked_at),
        issued_at=office_time(now),
        people_waiting=waiting_before(session, step, now),
        office=session.get_one(Office, visit.office_id).names,
        reprint_of=office_time(ticket.issued_at),
        wait=_told(session, visit.office_id, step, now),
        page=_page(pages, ticket.uid),
        tasks=_tasks(session.get_one(Service, person.service_id) for person in visit.people),
        language=_language(session, visit.booking_id),
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else office_time(moment).isoformat()
