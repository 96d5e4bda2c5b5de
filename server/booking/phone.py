"""電話予約の画面: the phone desk finds a notice, holds a place while speaking, reads back and books.

Everything can be done with the keyboard alone: the next thing to do has the focus, Enter moves on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from madoguchi.texts import format_date, format_time
from server.auth.guards import needs, staff
from server.auth.rules import Right
from server.booking import service
from server.booking.forms import read_assigned
from server.booking.models import Booking, Channel
from server.booking.queries import (
    DayPlaces,
    TimePlaces,
    booking_by_uid,
    live_booking_of,
    open_days,
    open_times,
    wish_of,
)
from server.booking.rules import (
    AlreadyBooked,
    BookingNotFound,
    BookingState,
    CardsElsewhere,
    HoldLapsed,
    NotPossible,
    Overbook,
    PartyTooBig,
    SlotFull,
    SlotNotBookable,
    TooLateToCancel,
    UnknownSlot,
    check_party,
    has_lapsed,
)
from server.clock import business_date, office_time
from server.db import read_session
from server.edge import caller, keyring, now, parts
from server.errors import Refusal, RepeatedWithOtherBody
from server.issuance import service as issuance
from server.issuance.models import Notice, NoticeState
from server.issuance.notice_codes import MyNumberRefused, NoticeNumberUnreadable, shown_number
from server.issuance.service import AssignedUnusable, NoticeNotFound, NoticeNotReady, find_by_number, find_by_uid
from server.offices.models import Office, Service
from server.offices.policy import OfficePolicy
from server.offices.queries import policy_on
from server.offices.service_rules import to_bring
from server.repeats import BadRequestId, Caller

blueprint = Blueprint("phone", __name__, url_prefix="/phone")

STATES = {
    NoticeState.PREPARING: "カードの準備中です。まだ予約できません。",
    NoticeState.READY: "カードは準備できています。",
    NoticeState.STOPPED: "交付取止めです。予約できません。",
    NoticeState.HANDED_OVER: "交付済です。予約は要りません。",
    NoticeState.BY_MAIL: "後日郵送します。予約は要りません。",
}
NO_NOTICE: dict[type[Refusal], str] = {
    MyNumberRefused: "12桁の番号（マイナンバー）は使いません。交付通知書の番号（3文字と6桁）をお尋ねください。",
    NoticeNumberUnreadable: "番号を読み取れません。交付通知書の番号は、3文字の英数字と6桁の数字です。",
    NoticeNotFound: "この番号の交付通知書はありません。番号をもう一度ご確認ください。",
}
FULL = "この時間はいま埋まりました。次に空いている時間をご案内ください。"
TOGETHER = "この時刻からは、人数分の枠を続けてとれません。次に空いている時間をご案内ください。"
NOT_TOGETHER: dict[type[Refusal], str] = {
    AlreadyBooked: "すでに予約がある方は、一緒に予約できません。先にその予約を取り消してください。",
    CardsElsewhere: "カードの保管場所（庁舎）が違う方は、一緒に予約できません。",
    NoticeNotReady: "カードの準備ができていない方、交付済・交付取止めの方は、一緒に予約できません。",
    PartyTooBig: "一度に予約できる人数を超えているか、すでに加えた番号です。",
}
# Why places beyond the bookable ones are given, in the order in which they are offered.
REASONS = {
    Overbook.FAR_AWAY: "overbook.far_away",
    Overbook.OFFICE_FAULT: "overbook.office_fault",
    Overbook.WELFARE: "overbook.welfare",
    Overbook.FAMILY_TOGETHER: "overbook.family_together",
}
GONE = "この時間は予約できなくなりました。次に空いている時間をご案内ください。"
MOVED = "日時を変更しました。予約番号は変わりません。"
LAPSED = "仮予約の時間が過ぎました。もう一度時間を選んでください。"
TOO_LATE = "予約の時刻を過ぎたか、受付が済んでいるため、変更・取消はできません。"
# As on the booking's own page (web.py).


@dataclass(frozen=True)
class Choice:
    """What can be offered to the caller: the days, the times of one of them, and the next free place."""

    weeks: Sequence[Sequence[DayPlaces | None]]
    day: date | None
    hours: Sequence[tuple[int, Sequence[TimePlaces]]]
    proposed: UUID | None


@blueprint.get("")
@needs(Right.PHONE)
def start() -> ResponseReturnValue:
    """The field for the notice number."""
    return render_template("staff/phone_find.html")


@blueprint.post("/find")
@needs(Right.PHONE)
def find() -> ResponseReturnValue:
    """The notice of a number. The number is posted and never in an address; a refused one is not shown again."""
    try:
        notice = find_by_number(keyring(), read_session(), request.form.get("number", ""))
    except (MyNumberRefused, NoticeNumberUnreadable, NoticeNotFound) as refusal:
        return render_template("staff/phone_find.html", refused=NO_NOTICE[type(refusal)]), 422
    return redirect(url_for("phone.notice", uid=notice.uid), 303)


@blueprint.get("/notices/<uuid:uid>")
@needs(Right.PHONE)
def notice(uid: UUID) -> ResponseReturnValue:
    """One notice: its booking, or the places that can be offered; with `move` the places for another time."""
    return _notice_page(find_by_uid(read_session(), uid), now())


@blueprint.post("/notices/<uuid:uid>/hold")
@needs(Right.PHONE)
def hold(uid: UUID) -> ResponseReturnValue:
    """Keep a place while speaking. If it went away meanwhile, the next one is proposed at once."""
    found, moment = find_by_uid(read_session(), uid), now()
    ids, slot = [n.id for n in _party(found)], _uuid("slot")
    try:
        held = service.hold_slot(_chooser(slot), keyring(), ids, slot, Channel.PHONE, "ja", moment)
    except SlotFull:
        return _notice_page(found, moment, refused=FULL, passed_over=slot)
    except (SlotNotBookable, UnknownSlot) as refusal:
        apart = refusal.facts.get("reason") == "together"
        return _notice_page(found, moment, refused=TOGETHER if apart else GONE, passed_over=slot)
    except (AlreadyBooked, NoticeNotReady, CardsElsewhere, PartyTooBig):
        flash("この交付通知書の状態が変わりました。内容を確認してください。", "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    return redirect(url_for("phone.read_back", uid=uid, booking=held.booking), 303)


@blueprint.post("/notices/<uuid:uid>/party")
@needs(Right.PHONE)
def add_to_party(uid: UUID) -> ResponseReturnValue:
    """Somebody else of the caller's family, by the number of the notice."""
    found, moment = find_by_uid(read_session(), uid), now()
    party = _party(found)
    try:
        party.append(find_by_number(keyring(), read_session(), request.form.get("number", "")))
        policy = policy_on(read_session(), found.office_id, business_date(moment))
        check_party(party, len({n.id for n in party}), policy.party_max)
        if party[-1].state is not NoticeState.READY:
            raise NoticeNotReady
        booking = live_booking_of(read_session(), party[-1].id, moment)
        if booking is not None and booking.state is not BookingState.HELD:
            raise AlreadyBooked
    except (MyNumberRefused, NoticeNumberUnreadable, NoticeNotFound) as refusal:
        return _notice_page(found, moment, refused=NO_NOTICE[type(refusal)])
    except tuple(NOT_TOGETHER) as refusal:
        return _notice_page(found, moment, refused=NOT_TOGETHER[type(refusal)])
    return redirect(f"{url_for('phone.notice', uid=uid)}?with={_with(party[1:])}", 303)


@blueprint.get("/notices/<uuid:uid>/overbook")
@needs(Right.OVERBOOK)
def ask_overbook(uid: UUID) -> ResponseReturnValue:
    """Second step, for officials: a time although it is full, and why."""
    return _overbook_page(find_by_uid(read_session(), uid), now())


@blueprint.post("/notices/<uuid:uid>/overbook")
@needs(Right.OVERBOOK)
def overbook(uid: UUID) -> ResponseReturnValue:
    """Keep a place beyond the bookable ones; who did it and why is written down."""
    found, moment = find_by_uid(read_session(), uid), now()
    reason = next((r for r in REASONS if r.value == request.form.get("reason")), None)
    if reason is None or not request.form.get("slot"):
        return _overbook_page(found, moment, "時刻と理由を選んでください。", 422)
    ids, slot, booked = [n.id for n in _party(found)], _uuid("slot"), _moving(found, moment)
    try:
        if booked is not None:
            service.move_booking(_chooser(slot), found.id, booked.uid, slot, Channel.PHONE, moment, reason)
            flash(MOVED, "good")
            return redirect(url_for("phone.done", uid=uid, booking=booked.uid), 303)
        held = service.hold_slot(_chooser(slot), keyring(), ids, slot, Channel.PHONE, "ja", moment, reason)
    except (SlotFull, SlotNotBookable, UnknownSlot, RepeatedWithOtherBody):
        return _overbook_page(found, moment, "この時間は予約できません。ほかの時間を選んでください。", 409)
    except TooLateToCancel:
        flash(TOO_LATE, "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    except (AlreadyBooked, NoticeNotReady, CardsElsewhere, PartyTooBig):
        flash("この交付通知書の状態が変わりました。内容を確認してください。", "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    return redirect(url_for("phone.read_back", uid=uid, booking=held.booking), 303)


def _overbook_page(found: Notice, moment: datetime, refused: str = "", status: int = 200) -> ResponseReturnValue:
    policy = policy_on(read_session(), found.office_id, business_date(moment))
    booked, day = _moving(found, moment), _day("day") or business_date(moment)
    party = _people_of(booked) if booked else _party(found)
    times = _times(party, day, policy, moment)
    texts = parts().texts
    page = render_template(
        "staff/phone_overbook.html",
        notice=found,
        number=shown_number(found.number) if found.number else "",
        day=day,
        people=len(party),
        party=None if booked else _with(party[1:]),
        old=office_time(booked.starts_at) if booked else None,
        hours=_by_hour(times),
        slot=request.values.get("slot", ""),
        reason=request.form.get("reason", ""),
        reasons=[(reason.value, texts.say(key, "ja")) for reason, key in REASONS.items()],
        refused=refused,
    )
    return page, status


@blueprint.get("/notices/<uuid:uid>/assigned")
@needs(Right.ASSIGN)
def ask_assigned(uid: UUID) -> ResponseReturnValue:
    """The days, or the time, at which the holder of a notice is asked to come."""
    found = find_by_uid(read_session(), uid)
    at = office_time(found.assigned_at).replace(tzinfo=None) if found.assigned_at else None
    shown = {"first": found.assigned_from, "last": found.assigned_to, "at": at and at.isoformat("T", "minutes")}
    return _assigned_page(found, {name: value or "" for name, value in shown.items()})


@blueprint.post("/notices/<uuid:uid>/assigned")
@needs(Right.ASSIGN)
def assign(uid: UUID) -> ResponseReturnValue:
    """Set or clear them. What cannot be read clears nothing."""
    found = find_by_uid(read_session(), uid)
    try:
        first, last, at = read_assigned(request.form)
        issuance.assign(_caller(), uid, first, last, at, now())
    except (ValueError, AssignedUnusable):
        refused = "期間（開始・終了）か日時の、どちらか一方を入れてください。終了は開始以後、年は2000〜2099年です。"
        return _assigned_page(found, request.form, refused), 422
    flash("来庁期間・日時を変えました。" if first or last or at else "来庁期間・日時の指定をなくしました。", "good")
    return redirect(url_for("phone.notice", uid=uid), 303)


def _assigned_page(found: Notice, shown: Mapping[str, object], refused: str = "") -> str:
    number = shown_number(found.number) if found.number else ""
    return render_template("staff/phone_assigned.html", notice=found, number=number, shown=shown, refused=refused)


def _assigned_in_words(found: Notice) -> str:
    if found.assigned_at is not None:
        at = office_time(found.assigned_at)
        return f"{format_date(at, 'ja')} {format_time(at, 'ja')}"
    days = ["" if day is None else format_date(day, "ja") for day in (found.assigned_from, found.assigned_to)]
    return "〜".join(days) if any(days) else "指定なし"


def _moving(found: Notice, moment: datetime) -> Booking | None:
    """The booking that is to be moved, if the page was asked to move one."""
    booking = live_booking_of(read_session(), found.id, moment) if "move" in request.values else None
    return booking if booking is not None and booking.state is BookingState.CONFIRMED else None


@blueprint.get("/notices/<uuid:uid>/holds/<uuid:booking>")
@needs(Right.PHONE)
def read_back(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The sentence to read aloud, and the button that books it."""
    found, moment = find_by_uid(read_session(), uid), now()
    row = _booking_of(found, booking)
    if row.state is BookingState.CONFIRMED:
        return redirect(url_for("phone.done", uid=uid, booking=booking), 303)
    if row.state is not BookingState.HELD or has_lapsed(row, moment) or row.hold_until is None:
        flash(LAPSED, "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    return render_template(
        "staff/phone_read_back.html",
        notice=found,
        booking=row,
        until=row.hold_until,
        seconds=int((row.hold_until - moment).total_seconds()),
        **_spoken(found, row.uid, row.starts_at),
    )


@blueprint.post("/notices/<uuid:uid>/holds/<uuid:booking>/book")
@needs(Right.PHONE)
def book(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The caller agrees."""
    try:
        service.book(_caller(), find_by_uid(read_session(), uid).id, booking, now())
    except HoldLapsed:
        flash(LAPSED, "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    except NotPossible:
        # Booked or given back meanwhile: the page of the hold leads to what it has become.
        return redirect(url_for("phone.read_back", uid=uid, booking=booking), 303)
    flash("予約しました。", "good")
    return redirect(url_for("phone.done", uid=uid, booking=booking), 303)


@blueprint.post("/notices/<uuid:uid>/holds/<uuid:booking>/release")
@needs(Right.PHONE)
def release(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The caller does not want the place: it is free again at once."""
    found = find_by_uid(read_session(), uid)
    if _booking_of(found, booking).state is BookingState.HELD:
        service.cancel_booking(_caller(), found.id, booking, now())
    return redirect(url_for("phone.notice", uid=uid), 303)


@blueprint.get("/notices/<uuid:uid>/bookings/<uuid:booking>")
@needs(Right.PHONE)
def done(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The booking with its code, to be told to the caller."""
    found = find_by_uid(read_session(), uid)
    row = _booking_of(found, booking)
    if row.state is not BookingState.CONFIRMED:
        return redirect(url_for("phone.notice", uid=uid), 303)
    return render_template("staff/phone_done.html", notice=found, booking=row, **_spoken(found, row.uid, row.starts_at))


@blueprint.get("/notices/<uuid:uid>/bookings/<uuid:booking>/move")
@needs(Right.PHONE)
def ask_move(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The sentence to read aloud for another time; the old place stays until the new one is won."""
    found, moment = find_by_uid(read_session(), uid), now()
    row, slot = _booking_of(found, booking), _uuid("slot")
    wanted = _place(_people_of(row), slot, moment)
    if wanted is None or wanted.free < 1:
        return _notice_page(found, moment, refused=GONE, passed_over=slot, moving=True)
    return render_template(
        "staff/phone_move.html",
        notice=found,
        booking=row,
        slot=slot,
        old=office_time(row.starts_at),
        **_spoken(found, row.uid, wanted.starts_at),
    )


@blueprint.post("/notices/<uuid:uid>/bookings/<uuid:booking>/move")
@needs(Right.PHONE)
def move(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """Another time for the booking; its code stays the same."""
    found, moment, slot = find_by_uid(read_session(), uid), now(), _uuid("slot")
    try:
        service.move_booking(_chooser(slot), found.id, booking, slot, Channel.PHONE, moment)
    except SlotFull:
        return _notice_page(found, moment, refused=FULL, passed_over=slot, moving=True)
    except (SlotNotBookable, UnknownSlot):
        return _notice_page(found, moment, refused=GONE, passed_over=slot, moving=True)
    except TooLateToCancel:
        flash(TOO_LATE, "refused")
        return redirect(url_for("phone.notice", uid=uid), 303)
    flash(MOVED, "good")
    return redirect(url_for("phone.done", uid=uid, booking=booking), 303)


@blueprint.get("/notices/<uuid:uid>/bookings/<uuid:booking>/cancel")
@needs(Right.PHONE)
def ask_cancel(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """Whether to give the place back; keeping it has the focus."""
    found = find_by_uid(read_session(), uid)
    row = _booking_of(found, booking)
    if row.state is not BookingState.CONFIRMED:
        return redirect(url_for("phone.notice", uid=uid), 303)
    people, spoken = len(_people_of(row)), _spoken(found, row.uid, row.starts_at)
    return render_template("staff/phone_cancel.html", notice=found, booking=row, people=people, **spoken)


@blueprint.post("/notices/<uuid:uid>/bookings/<uuid:booking>/leave")
@needs(Right.PHONE)
def leave(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """Only this person of a party does not come."""
    try:
        service.leave_booking(_caller(), find_by_uid(read_session(), uid).id, booking, now())
    except (TooLateToCancel, NotPossible):
        flash(TOO_LATE, "refused")
    else:
        flash("この方の分だけ予約を取り消しました。ほかの方の予約は残っています。", "good")
    return redirect(url_for("phone.notice", uid=uid), 303)


@blueprint.post("/notices/<uuid:uid>/bookings/<uuid:booking>/cancel")
@needs(Right.PHONE)
def cancel(uid: UUID, booking: UUID) -> ResponseReturnValue:
    """The place is given back."""
    try:
        service.cancel_booking(_caller(), find_by_uid(read_session(), uid).id, booking, now())
    except (TooLateToCancel, NotPossible):
        flash(TOO_LATE, "refused")
    else:
        flash("予約を取り消しました。", "good")
    return redirect(url_for("phone.notice", uid=uid), 303)


def _notice_page(
    found: Notice, moment: datetime, refused: str = "", passed_over: UUID | None = None, moving: bool = False
) -> ResponseReturnValue:
    session = read_session()
    booking = live_booking_of(session, found.id, moment)
    confirmed = booking is not None and booking.state is BookingState.CONFIRMED
    moving = confirmed and (moving or "move" in request.args)
    choosing = found.state is NoticeState.READY and (moving or booking is None or booking.state is BookingState.HELD)
    people = _people_of(booking) if booking is not None and confirmed else ()
    party = people if moving else _party(found)
    page = render_template(
        "staff/phone_notice.html",
        people=len(people),
        party=party,
        others=_with(party[1:]),
        shown_number=shown_number,
        notice=found,
        number=shown_number(found.number) if found.number else "",
        service=session.get_one(Service, found.service_id),
        office=session.get_one(Office, found.office_id),
        state=STATES[found.state],
        assigned=_assigned_in_words(found),
        booking=booking,
        starts_at=office_time(booking.starts_at) if booking else None,
        hold_until=office_time(booking.hold_until) if booking and booking.hold_until else None,
        code=keyring().booking_code(booking.uid).grouped if booking and confirmed else "",
        moving=moving,
        choice=_choice(party, moment, passed_over, booking.starts_at if booking and moving else None)
        if choosing
        else None,
        refused=refused,
        today=business_date(moment),
    )
    return (page, 409) if refused else page


def _party(found: Notice) -> list[Notice]:
    """Who is to be booked for together: the notice that was found, and those that were added. Raises NoticeNotFound."""
    added = [uid for uid in request.values.get("with", "").split(",") if uid]
    try:
        return [found, *(find_by_uid(read_session(), UUID(uid)) for uid in added[:20])]
    except ValueError:
        raise NoticeNotFound from None


def _with(others: Sequence[Notice]) -> str | None:
    """The others of a party, as forms and addresses name them."""
    return ",".join(str(notice.uid) for notice in others) or None


def _people_of(booking: Booking) -> Sequence[Notice]:
    """The notices that stand in a booking."""
    return [person.notice for person in booking.people if person.live and person.notice is not None]


def _choice(party: Sequence[Notice], moment: datetime, passed_over: UUID | None, booked: datetime | None) -> Choice:
    """Days and times to offer: of the day asked for, else of the first day with a free place after what was refused."""
    policy = policy_on(read_session(), party[0].office_id, business_date(moment))
    days = open_days(read_session(), wish_of(party, Channel.PHONE), policy, moment)
    wanted = _day_asked_for(days)
    candidates = [wanted] if wanted and passed_over is None else _days_from(days, wanted)
    for day in candidates:
        times = _times(party, day, policy, moment)
        proposed = _first_free(times, passed_over, booked)
        if proposed is not None or day is candidates[-1]:
            return Choice(_weeks(days), day, _by_hour(times), proposed)
    return Choice(_weeks(days), None, [], None)


def _first_free(times: Sequence[TimePlaces], passed_over: UUID | None, booked: datetime | None) -> UUID | None:
    """The first free place of a day that is not booked already; after the refused one, if that is of this day."""
    after = next((t.starts_at for t in times if t.slot == passed_over), None)
    free = (t for t in times if t.free > 0 and (booked is None or not t.holds(booked)))
    return next((t.slot for t in free if after is None or t.starts_at > after), None)


def _times(party: Sequence[Notice], day: date, policy: OfficePolicy, moment: datetime) -> list[TimePlaces]:
    times = open_times(read_session(), wish_of(party, Channel.PHONE), day, policy, moment)
    # Whoever phones cannot be there at a time that has begun.
    return [t for t in times if t.starts_at > moment]


def _place(party: Sequence[Notice], slot: UUID, moment: datetime) -> TimePlaces | None:
    """A place of the day that the form names."""
    policy = policy_on(read_session(), party[0].office_id, business_date(moment))
    day = _day("day")
    times = [] if day is None else _times(party, day, policy, moment)
    return next((t for t in times if t.slot == slot), None)


def _day_asked_for(days: Sequence[DayPlaces]) -> date | None:
    wanted = _day("day")
    return wanted if any(d.day == wanted for d in days) else None


def _days_from(days: Sequence[DayPlaces], first: date | None) -> list[date]:
    return [d.day for d in days if d.reason is None and (first is None or d.day >= first)]


def _day(field: str) -> date | None:
    try:
        return date.fromisoformat(request.values.get(field, ""))
    except ValueError:
        return None


def _weeks(days: Sequence[DayPlaces]) -> list[list[DayPlaces | None]]:
    """The days as rows from Sunday to Saturday, as on the web; None before the first and after the last."""
    cells: list[DayPlaces | None] = [None] * (days[0].day.isoweekday() % 7) + list(days)
    cells += [None] * (-len(cells) % 7)
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


def _by_hour(times: Sequence[TimePlaces]) -> list[tuple[int, list[TimePlaces]]]:
    """The times of a day on the office's clock, one row an hour."""
    shown = [replace(t, starts_at=office_time(t.starts_at), ends_at=office_time(t.ends_at)) for t in times]
    hours = sorted({t.starts_at.hour for t in shown})
    return [(hour, [t for t in shown if t.starts_at.hour == hour]) for hour in hours]


def _spoken(found: Notice, booking: UUID, starts_at: datetime) -> dict[str, object]:
    """What is read aloud: when, where, what to bring, the booking code in groups."""
    session, texts, start = read_session(), parts().texts, office_time(starts_at)
    wanted = session.get_one(Service, found.service_id)
    return {
        "service": wanted,
        "office": session.get_one(Office, found.office_id),
        "date": format_date(start, "ja"),
        "time": format_time(start, "ja"),
        "arrive": texts.say("web.arrive", "ja", time=start),
        "bring": to_bring(wanted.documents, "ja"),
        "code": keyring().booking_code(booking).grouped,
    }


def _booking_of(found: Notice, uid: UUID) -> Booking:
    """A booking of this notice. Raises BookingNotFound."""
    booking = booking_by_uid(read_session(), uid)
    if booking is None or all(person.notice_id != found.id for person in booking.people):
        raise BookingNotFound
    return booking


def _caller() -> Caller:
    return caller(f"staff:{staff().id}")


def _chooser(slot: UUID) -> Caller:
    """One page offers many places: each choice is an asking of its own. Raises BadRequestId."""
    asked = _caller()
    try:
        return Caller(asked.actor, str(uuid5(UUID(asked.request_id), str(slot))))
    except ValueError:
        raise BadRequestId from None


def _uuid(field: str) -> UUID:
    """The place that was chosen. Raises UnknownSlot."""
    try:
        return UUID(request.values.get(field, ""))
    except ValueError:
        raise UnknownSlot from None
