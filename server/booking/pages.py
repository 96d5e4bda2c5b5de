"""要連絡の予約の画面: the work list of bookings that lost their place – who was told, who is moved where."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from madoguchi.texts import format_date, format_time
from server.auth.guards import needs, staff
from server.auth.rules import Right
from server.auth.service import all_staff
from server.booking import worklist
from server.booking.models import AffectedBooking, Booking, Reason, Told
from server.booking.rules import TooLateToCancel
from server.booking.worklist import NoFreePlace, UnknownEntry
from server.clock import office_time
from server.db import read_session
from server.edge import caller, keyring, now, parts
from server.issuance.models import Notice
from server.offices.models import Office, Service
from server.repeats import Caller

blueprint = Blueprint("worklist", __name__, url_prefix="/phone/affected")

# In one press no more than what is done in a few seconds; the page offers to go on.
PORTION = 25
DONE_SHOWN = 20
BY = {Told.PHONE: "worklist.by.phone", Told.SMS: "worklist.by.sms", Told.POST: "worklist.by.post"}
BUTTONS = {Told.PHONE: "worklist.btn.phone", Told.SMS: "worklist.btn.sms", Told.POST: "worklist.btn.post"}
REASONS = {Reason.CLOSED: "worklist.closed", Reason.SHRUNK: "worklist.shrunk"}


@dataclass(frozen=True)
class EntryView:
    """An entry as the page shows it."""

    uid: UUID
    booked: str
    reason: str
    office: str
    service: str
    code: str
    moved_to: str
    told: str
    notice: UUID | None


@blueprint.get("")
@needs(Right.PHONE)
def entries() -> ResponseReturnValue:
    """The list, by booked time; below it what was done last."""
    session, here = read_session(), staff().office_id
    names = {f"staff:{account.id}": account.name for account in all_staff(session)}
    todo = worklist.open_entries(session, here)
    return render_template(
        "staff/affected.html",
        entries=[_view(entry, names) for entry in todo],
        done=[_view(entry, names) for entry in worklist.done_entries(session, here, DONE_SHOWN)],
        to_move=sum(entry.booking.starts_at == entry.starts_at for entry in todo),
        after=request.args.get("after", None, UUID),
        ways=[(way.value, key) for way, key in BUTTONS.items()],
    )


@blueprint.post("/<uuid:uid>/told")
@needs(Right.PHONE)
def tell(uid: UUID) -> ResponseReturnValue:
    """Somebody was told, by telephone, SMS or post."""
    way = next((told for told in Told if told.value == request.form.get("how")), None)
    if way is None:
        return _back("worklist.gone", good=False)
    try:
        _must_be_ours(uid)
        worklist.tell(_caller(), uid, way, now())
    except UnknownEntry:
        return _back("worklist.gone", good=False)
    return _back("worklist.noted")


@blueprint.post("/<uuid:uid>/move")
@needs(Right.PHONE)
def move(uid: UUID) -> ResponseReturnValue:
    """One booking goes to the next free place."""
    try:
        _must_be_ours(uid)
        moved = worklist.move_to_next(_caller(), uid, now())
    except UnknownEntry:
        return _back("worklist.gone", good=False)
    except NoFreePlace:
        return _back("worklist.noplace", good=False)
    except TooLateToCancel:
        return _back("worklist.toolate", good=False)
    return _back("worklist.moved", when=office_time(moved.starts_at))


@blueprint.post("/<uuid:uid>/done")
@needs(Right.PHONE)
def strike(uid: UUID) -> ResponseReturnValue:
    """What there was to do is done in another way."""
    try:
        _must_be_ours(uid)
        worklist.strike(_caller(), uid, now())
    except UnknownEntry:
        return _back("worklist.gone", good=False)
    return _back("worklist.struck")


@blueprint.post("/move-all")
@needs(Right.PHONE)
def move_all() -> ResponseReturnValue:
    """A portion of the list goes to the next free places; the page says how far it is and goes on after the last."""
    after = request.form.get("after", None, UUID)
    result = worklist.move_all(_caller(), staff().office_id, now(), PORTION, after)
    flash(_say("worklist.movedall", n=result.moved, left=result.left, rest=result.untried), "good")
    return redirect(url_for("worklist.entries", after=result.last if result.untried else None), 303)


def _must_be_ours(uid: UUID) -> None:
    """An account with an office works on the list it sees; one without works for all. Raises UnknownEntry."""
    of_office = select(Booking.office_id).join(AffectedBooking).where(AffectedBooking.uid == uid)
    if staff().office_id not in (None, read_session().scalar(of_office)):
        raise UnknownEntry


def _view(entry: AffectedBooking, names: dict[str, str]) -> EntryView:
    session, booking = read_session(), entry.booking
    notice_id = next((person.notice_id for person in booking.people if person.notice_id), None)
    notice = None if notice_id is None else session.get_one(Notice, notice_id).uid
    moved_to = entry.moved_to if entry.done_at else booking.starts_at
    told = ""
    if entry.told_how is not None and entry.told_at is not None:
        by = names.get(entry.told_by or "", entry.told_by or "")
        told = _say("worklist.toldby", how=_say(BY[entry.told_how]), when=office_time(entry.told_at), name=by)
    return EntryView(
        entry.uid,
        _moment(entry.starts_at),
        _say(REASONS[entry.reason]),
        session.get_one(Office, booking.office_id).name_ja,
        session.get_one(Service, booking.service_id).name_ja,
        keyring().booking_code(booking.uid).grouped,
        "" if moved_to in (None, entry.starts_at) else _moment(moved_to),
        told,
        notice,
    )


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    start = office_time(moment)
    return f"{format_date(start, 'ja')} {format_time(start, 'ja')}"


def _back(key: str, *, good: bool = True, **facts: object) -> ResponseReturnValue:
    flash(_say(key, **facts), "good" if good else "refused")
    return redirect(url_for("worklist.entries"), 303)


def _say(key: str, **facts: object) -> str:
    """A text of a staff page: in Japanese, whatever the browser asks for."""
    return parts().texts.say(key, "ja", **facts)


def _caller() -> Caller:
    return caller(f"staff:{staff().id}")
