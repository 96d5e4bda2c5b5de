"""The residents' pages: sign in with the notice's sticker, choose a time, book it, change it, give it back.

GET /book is what everybody asks for when booking opens: nothing is done for each of its days that can be done once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

import segno
from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from madoguchi import codes
from madoguchi.languages import LANGUAGES, Language
from madoguchi.ruby import Said, plain
from server.auth.guards import goodbye_resident, notice_id, public, resident, welcome_resident
from server.auth.rules import Locked, SignInFailed
from server.booking.calendar_file import CalendarEntry, calendar_file
from server.booking.capacity import spreads
from server.booking.forms import booking_of, day_of, own_path, slot_of, sticker_words
from server.booking.models import Booking, Channel
from server.booking.queries import (
    DayPlaces,
    TimePlaces,
    booking_by_uid,
    live_booking_of,
    open_days,
    open_times,
    standing_of,
    wish_of,
)
from server.booking.rules import (
    AlreadyBooked,
    BookingNotFound,
    BookingState,
    CardsElsewhere,
    HoldLapsed,
    NotPossible,
    PartyTooBig,
    SlotFull,
    SlotNotBookable,
    check_party,
)
from server.booking.service import book, cancel_booking, hold_slot, leave_booking, move_booking
from server.clock import business_date, office_time
from server.db import read_session
from server.edge import caller, day_in_words, keyring, language, name_of, now, parts, say, time_in_words
from server.errors import NotFound, Refusal, RepeatedWithOtherBody
from server.issuance.models import Notice, NoticeState
from server.issuance.notice_codes import MyNumberRefused
from server.issuance.service import NoticeNotFound, NoticeNotReady, find_by_ids, find_by_scan_code
from server.issuance.service import sign_in as sign_in_with_sticker
from server.limits import HOLD, SIGN_IN, limiter
from server.offices.models import Office, OfficeService, Service
from server.offices.policy import OfficePolicy
from server.offices.queries import all_offices, calendar_of, minutes_of, policy_on
from server.offices.service_rules import ON_THE_WEB, Mode, to_bring

blueprint = Blueprint("booking_web", __name__)

# "Few left" is a hint: the last handful of a day, the last one of a time.
FEW_OF_DAY, FEW_OF_TIME = 5, 1
WORDS = {mark: f"slot.{mark}" for mark in ("free", "few", "full", "closed")} | {
    "over": "web.day.ended",
    "holiday": "web.day.holiday",
    "closure": "web.day.closure",
    "outage": "web.day.outage",
    "period": "web.day.period",
    "service": "web.day.service",
    "together": "web.day.together",
}
MARKS = dict.fromkeys(WORDS, "－") | {"free": "○", "few": "△", "full": "×", "together": "×"}
# How a day looks; what it says differs more.
LOOKS = dict.fromkeys(WORDS, "closed") | {mark: mark for mark in ("free", "few", "full", "over")} | {"together": "full"}
# Why a day offers no time, in a sentence.
WHY = {
    "over": "web.day.over",
    "holiday": "web.day.none.holiday",
    "closure": "web.day.none.closure",
    "outage": "web.day.none.outage",
    "period": "web.day.none.period",
    "service": "web.day.none.service",
    "together": "web.day.none.together",
}


@dataclass(frozen=True)
class Resident:
    """Who has signed in: a notice, what it is for and where, and its booking that holds or claims a place."""

    id: int
    notice: Notice
    office: Office
    offer: OfficeService
    booking: Booking | None
    moment: datetime
    family: Sequence[Notice] = ()

    @property
    def party(self) -> Sequence[Notice]:
        """For whom places are looked for: those who have been added; of a booking, those who stand in it."""
        if self.booked is None:
            return (self.notice, *self.family)
        return [person.notice for person in self.booked.people if person.live and person.notice is not None]

    @property
    def people(self) -> int:
        """How many come, or are to come."""
        return len(self.party)

    @property
    def service(self) -> Service:
        """What the notice is for."""
        return self.offer.service

    @property
    def actor(self) -> str:
        """As the audit names this person."""
        return f"notice:{self.id}"

    @property
    def booked(self) -> Booking | None:
        """The booking, unless it is only a hold."""
        return None if self.booking is None or self.booking.state is BookingState.HELD else self.booking

    @property
    def may_change(self) -> bool:
        """Whether change and cancel are offered; the entry points have the last word."""
        booked = self.booked
        return booked is not None and booked.state is BookingState.CONFIRMED and self.moment < booked.starts_at


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day as it is shown: `mark` names its state; one that cannot be chosen has no `way`."""

    mark: str
    look: str
    way: str
    label: tuple[Said, Said, Said]


@dataclass(frozen=True, slots=True)
class TimeCell:
    """One time as it is shown; `own` is the one that is booked."""

    mark: str
    slot: str
    label: Said
    own: bool


def _resident() -> Resident:
    """The notice of this session with all that its pages show. Raises NoticeNotFound."""
    moment = now()
    found = standing_of(read_session(), notice_id(), moment)
    if found is None:
        raise NoticeNotFound
    notice, office, offer, booking = found
    family = find_by_ids(read_session(), ids) if (ids := session.get("family")) else ()
    return Resident(notice.id, notice, office, offer, booking, moment, family)


def _page(template: str, who: Resident, status: int = 200, **facts: Any) -> ResponseReturnValue:
    names = {"office": name_of(who.office.names), "service": name_of(who.service.names), "tel": who.office.tel}
    return render_template(f"booking/{template}.html", who=who, **names, **facts), status


def _see(endpoint: str, **values: Any) -> ResponseReturnValue:
    """After a form: the page that shows what has become of it."""
    return redirect(url_for(f".{endpoint}", **values), 303)


# Signing in


@blueprint.get("/")
@public
def start() -> ResponseReturnValue:
    """What this is, and the form to sign in."""
    wanted = "web.signin.first" if request.args.get("wanted") else ""
    return _start(said="web.err.session" if request.args.get("expired") else wanted)


@blueprint.get("/b/<scan_code>")
@public
def scanned(scan_code: str) -> ResponseReturnValue:
    """Where the sticker's code leads: it fills in the booking id and tells nothing else, known or not."""
    found = codes.read(scan_code, hosts=())
    if not isinstance(found, codes.Code) or found.kind is not codes.Kind.NOTICE:
        found = codes.Code(codes.Kind.NOTICE, "")  # asked for all the same, so that the answer takes as long
    notice = find_by_scan_code(keyring(), read_session(), found)
    if notice is None:
        return _start(said="web.scan.unknown")
    return _start(credential_id=notice.credential_id or "", said="web.scan.filled")


@blueprint.post("/sign-in")
@public
@limiter.limit(SIGN_IN)
def sign_in() -> ResponseReturnValue:
    """Begin a session for one notice; whatever the browser knew of another is forgotten."""
    moment = now()
    try:
        words = sticker_words(request.form)
        notice = sign_in_with_sticker(keyring(), words.credential_id, words.password, moment)
    except SignInFailed:
        typed = request.form.get("credential_id", "")
        return _start(403, credential_id=typed[:40], wrong=say("web.err.login"))
    except Locked as locked:
        return _start(409, wrong=_locked(datetime.fromisoformat(locked.facts["until"]), moment))
    except MyNumberRefused:
        return _start(422, wrong=say("web.err.mynumber"))
    _forget_session()
    welcome_resident(notice)
    return _see("days")


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End the session."""
    goodbye_resident()
    session.pop("family", None)
    return _see("start")


@blueprint.post("/language")
@public
def choose_language() -> ResponseReturnValue:
    """Show the pages in another language from now on, beginning with the one it was chosen on."""
    chosen = request.form.get("lang", "")
    if chosen in LANGUAGES:
        session["lang"] = chosen
    return redirect(own_path(request.form.get("next", "")), 303)


def _forget_session() -> None:
    """Everything goes but the language, which stays from here on: also for what a calendar fetches by itself. The next
    notice on a shared phone must see nothing of the former.
    """
    chosen = language()
    session.clear()
    session["lang"] = chosen


def _start(status: int = 200, credential_id: str = "", said: str = "", wrong: str = "") -> ResponseReturnValue:
    offices = all_offices(read_session())
    signed_in = notice_id() is not None
    page = render_template(
        "booking/start.html",
        offices=offices,
        credential_id=credential_id,
        said=said,
        wrong=wrong,
        signed_in_already=signed_in,
    )
    return page, status


def _locked(until: datetime, moment: datetime) -> str:
    """Until when the notice is closed, and whom to phone. It may not say whose office: the first one answers."""
    offices = all_offices(read_session())
    return say(
        "web.err.locked",
        time=office_time(until),
        min=ceil((until - moment).total_seconds() / 60),
        tel=offices[0].tel if offices else "",
        telhours=_phone_hours(offices[0], moment) if offices else "",
    )


def _phone_hours(office: Office, moment: datetime) -> str:
    """The hours of the next open day, in words."""
    today = business_date(moment)
    calendar = calendar_of(read_session(), office.id, today)
    for ahead in range(14):
        if sessions := calendar.plan(today + timedelta(days=ahead)).sessions:
            opens, closes = sessions[0].opens, sessions[-1].closes
            if closes - opens == timedelta(days=1):
                return say("web.tel.allday")
            return say("web.tel.hours", opentime=opens, time=closes)
    return ""


# Choosing a day and a time


@blueprint.get("/book")
@resident
def days() -> ResponseReturnValue:
    """The coming days; or the booking, if there is one."""
    who = _resident()
    if who.booked:
        return _see("done")
    return _days_page(who, changing=False) if _may_book(who) else _not_ready(who)


@blueprint.get("/book/change")
@resident
def change() -> ResponseReturnValue:
    """The coming days, for another time than the one booked."""
    who = _resident()
    return _days_page(who, changing=True) if who.may_change else _see("done")


@blueprint.get("/book/<day>")
@resident
def times(day: str) -> ResponseReturnValue:
    """The times of one day."""
    who, wanted = _resident(), day_of(day)
    if who.booked:
        return _see("done")
    return _times_page(who, wanted, changing=False) if _may_book(who) else _not_ready(who)


@blueprint.get("/book/change/<day>")
@resident
def change_times(day: str) -> ResponseReturnValue:
    """The times of one day, for another time than the one booked."""
    who, wanted = _resident(), day_of(day)
    return _times_page(who, wanted, changing=True) if who.may_change else _see("done")


def _may_book(who: Resident) -> bool:
    return who.notice.state is NoticeState.READY and not ON_THE_WEB.isdisjoint(who.offer.modes)


def _not_ready(who: Resident) -> ResponseReturnValue:
    """Why nothing can be booked here: the card is not ready, or the office takes people in another way."""
    if who.notice.state is not NoticeState.READY:
        said = "web.notready" if who.notice.state is NoticeState.PREPARING else "web.notready.other"
    else:
        said = "web.mode.phone.only" if Mode.PHONE in who.offer.modes else "web.mode.walk_in.only"
    return _page("notready", who, said=said)


def _policy(who: Resident) -> OfficePolicy:
    return policy_on(read_session(), who.office.id, business_date(who.moment))


def _days_page(who: Resident, *, changing: bool) -> ResponseReturnValue:
    lang = LANGUAGES[language()]
    places = open_days(read_session(), wish_of(who.party, Channel.WEB), _policy(who), who.moment)
    return _page(
        "days",
        who,
        changing=changing,
        months=_months(places, url_for(".change" if changing else ".days"), lang),
        marks=MARKS,
        words={mark: say(key) for mark, key in WORDS.items()},
        any_over=any(d.reason == "over" for d in places),
        any_free=any(d.reason is None for d in places),
        weekdays=[Said(head) for head in (*lang.heads[6:], *lang.heads[:6])],
        **_standing(who),
    )


def _standing(who: Resident) -> dict[str, Any]:
    """When the booking, or the hold, of this notice is."""
    moment = office_time(who.booking.starts_at) if who.booking else None
    return {"booked_at": moment, "held_at": None if who.booked else moment}


def _months(places: Iterable[DayPlaces], root: str, lang: Language) -> Iterator[tuple[str, int, list[DayCell]]]:
    """For each month its name, the column of its first day (Sunday 0), and its days."""
    for _, group in groupby(places, lambda d: (d.day.year, d.day.month)):
        shown = list(group)
        yield (
            Said(lang.of_day(lang.month, shown[0].day)),
            shown[0].day.isoweekday() % 7,
            [_day_cell(d, root, lang) for d in shown],
        )


def _day_cell(places: DayPlaces, root: str, lang: Language) -> DayCell:
    mark = places.why or ("few" if places.free <= FEW_OF_DAY else "free")
    way = "" if places.reason else f"{root}/{places.day}"
    return DayCell(mark, LOOKS[mark], way, _day_label(places.day, lang))


def _day_label(day: date, lang: Language) -> tuple[Said, Said, Said]:
    """What stands before the day's number, the number, and what stands after it."""
    before, number, after = lang.of_day(lang.cell, day).split("|")
    return Said(before), Said(number), Said(after)


def _times_page(who: Resident, day: date, *, changing: bool) -> ResponseReturnValue:
    policy, wish = _policy(who), wish_of(who.party, Channel.WEB)
    calendar = calendar_of(read_session(), who.office.id, business_date(who.moment))
    places = open_days(read_session(), wish, policy, who.moment, calendar)
    here = next((d for d in places if d.day == day), None)
    shown: Sequence[TimePlaces] = ()
    if here is not None and here.reason in (None, "full", "together"):
        shown = open_times(read_session(), wish, day, policy, who.moment, calendar)
    offered = [d.day for d in places if d.reason is None]
    return _page(
        "times",
        who,
        changing=changing,
        day=day,
        date=day_in_words(day),
        halves=_halves(who, shown, policy),
        why=_why_none(who, day, here, policy),
        apart=here is not None and here.reason == "together",
        marks=MARKS,
        words={mark: say(key) for mark, key in WORDS.items()},
        root=url_for(".change" if changing else ".days"),
        before=max((d for d in offered if d < day), default=None),
        following=min((d for d in offered if d > day), default=None),
        said=SAID.get(request.args.get("said", ""), ""),
        **_standing(who),
    )


SAID = {
    "full": "web.err.full",
    "gone": "web.day.gone",
    "together": "web.err.together",
    "again": "web.err.again",
}


def _halves(who: Resident, places: Iterable[TimePlaces], policy: OfficePolicy) -> list[tuple[str, list[TimeCell]]]:
    """Morning and afternoon, each with its times."""
    own = who.booked.starts_at if who.booked else None
    halves = []
    for afternoon, group in groupby(places, lambda t: office_time(t.starts_at).hour >= 12):
        cells = [_time_cell(t, own is not None and t.holds(own), policy) for t in group]
        halves.append(("web.part.afternoon" if afternoon else "web.part.morning", cells))
    return halves


def _time_cell(places: TimePlaces, own: bool, policy: OfficePolicy) -> TimeCell:
    mark = "full" if places.free <= 0 else "few" if places.free <= FEW_OF_TIME else "free"
    label = time_in_words(office_time(places.starts_at))
    if spreads(places, policy):  # a frame: at which of its times one is asked to come is said when it is held
        label = Said(f"{label}〜{time_in_words(office_time(places.ends_at))}")
    return TimeCell(mark, str(places.slot), label, own)


def _why_none(who: Resident, day: date, here: DayPlaces | None, policy: OfficePolicy) -> str:
    """Why no time of this day is offered."""
    if here is None and day > business_date(who.moment):
        return say("web.day.notyet", date=day - timedelta(days=policy.open_days_before))
    reason = "over" if here is None else here.why or ""
    return say(WHY.get(reason, "web.day.none"), tel=who.office.tel, n=who.people)


# For whom


@blueprint.get("/book/family")
@resident
def family() -> ResponseReturnValue:
    """Who is booked for together, and the form to add somebody."""
    who = _resident()
    return _see("done") if who.booked else _family_page(who)


@blueprint.post("/book/family")
@resident
@limiter.limit(SIGN_IN)
def add_to_family() -> ResponseReturnValue:
    """Add the holder of another notice, by the words on its sticker."""
    who = _resident()
    try:
        words = sticker_words(request.form)
        added = sign_in_with_sticker(keyring(), words.credential_id, words.password, who.moment)
        _check_may_join(who, added)
    except SignInFailed:
        return _family_page(who, 422, say("web.err.login"), request.form.get("credential_id", "")[:40])
    except Locked as locked:
        return _family_page(who, 409, _locked(datetime.fromisoformat(locked.facts["until"]), who.moment))
    except MyNumberRefused:
        return _family_page(who, 422, say("web.err.mynumber"))
    except tuple(NOT_TOGETHER) as refusal:
        return _not_together(who, refusal)
    session["family"] = [*session.get("family", []), added]
    return _see("family")


@blueprint.post("/book/family/remove")
@resident
def remove_from_family() -> ResponseReturnValue:
    """Book without somebody who was added."""
    session["family"] = [n for n in session.get("family", []) if str(n) != request.form.get("person")]
    return _see("family")


def _check_may_join(who: Resident, notice: int) -> None:
    """Say at once what holding places would refuse: AlreadyBooked, CardsElsewhere, NoticeNotReady, PartyTooBig."""
    party = [*who.party, *find_by_ids(read_session(), [notice])]
    check_party(party, len({n.id for n in party}), _policy(who).party_max)
    if party[-1].state is not NoticeState.READY:
        raise NoticeNotReady
    booking = live_booking_of(read_session(), notice, who.moment)
    if booking is not None and booking.state is not BookingState.HELD:
        raise AlreadyBooked


NOT_TOGETHER: dict[type[Refusal], str] = {
    AlreadyBooked: "web.family.already_booked",
    CardsElsewhere: "web.family.cards_elsewhere",
    NoticeNotReady: "web.family.notice_not_ready",
    PartyTooBig: "web.family.party_too_big",
}


def _not_together(who: Resident, refusal: Refusal) -> ResponseReturnValue:
    return _family_page(who, 409, say(NOT_TOGETHER[type(refusal)], n=_policy(who).party_max))


def _family_page(who: Resident, status: int = 200, wrong: str = "", typed: str = "") -> ResponseReturnValue:
    room = who.people < _policy(who).party_max
    return _page("family", who, status, wrong=wrong, credential_id=typed, room=room)


# Holding, booking


@blueprint.post("/book/hold")
@resident
@limiter.limit(HOLD)
def hold() -> ResponseReturnValue:
    """Keep a time for some minutes."""
    who, slot = _resident(), slot_of(request.form)
    asked_by = caller(who.actor)
    try:
        held = hold_slot(asked_by, keyring(), [n.id for n in who.party], slot, Channel.WEB, language(), who.moment)
    except tuple(NOT_TOGETHER) as refusal:
        if who.family:
            return _not_together(who, refusal)
        if not isinstance(refusal, AlreadyBooked):
            raise
        return _see("done")
    except (SlotFull, SlotNotBookable, RepeatedWithOtherBody) as refusal:
        return _back_to_times("times", "days", refusal)
    welcome_resident(who.id)  # the session must not end before the hold does
    return _see("confirm", uid=held.booking)


def _back_to_times(times_of_day: str, all_days: str, refusal: Refusal) -> ResponseReturnValue:
    """The times as they are now, with a word about what was wrong; the page is fresh, and so is its request id."""
    said = {SlotFull: "full", SlotNotBookable: "gone"}.get(type(refusal), "again")
    if refusal.facts.get("reason") == "together":
        said = "together"
    try:
        return _see(times_of_day, day=day_of(request.form.get("day", "")), said=said)
    except NotFound:
        return _see(all_days)


@blueprint.get("/book/confirm/<uid>")
@resident
def confirm(uid: str) -> ResponseReturnValue:
    """What is about to be booked, and until when it is kept."""
    who, booking = _own_booking(uid)
    if booking.state is BookingState.LAPSED:
        return _lapsed(who, booking.starts_at)
    if booking.state is not BookingState.HELD or booking.hold_until is None:
        return _see("days")
    left = (booking.hold_until - who.moment).total_seconds()
    if left <= 0:
        return _lapsed(who, booking.starts_at)
    hold_until = office_time(booking.hold_until)
    minutes = ceil(left / 60)
    return _page(
        "confirm",
        who,
        uid=uid,
        hold_until=hold_until,
        minutes=minutes,
        seconds=int(left),
        day=office_time(booking.starts_at).date(),
        **_when(booking),
    )


@blueprint.post("/book/confirm/<uid>")
@resident
def confirm_now(uid: str) -> ResponseReturnValue:
    """Make the hold a booking."""
    who, booking = _own_booking(uid)
    held, starts_at = booking.uid, booking.starts_at
    try:
        book(caller(who.actor), who.id, held, who.moment)
    except HoldLapsed:
        return _lapsed(_resident(), starts_at)
    except NotPossible:  # booked already from another page of the same resident, or given back there
        return _see("days")
    return _see("done", said="booked")


def _own_booking(uid: str) -> tuple[Resident, Booking]:
    """The booking of an address, if it is this notice's own. Raises BookingNotFound, whosever it is."""
    who, booking = _resident(), booking_by_uid(read_session(), booking_of(uid))
    if booking is None or all(person.notice_id != who.id for person in booking.people):
        raise BookingNotFound
    return who, booking


def _lapsed(who: Resident, starts_at: datetime) -> ResponseReturnValue:
    return _page("lapsed", who, 409, starts_at=office_time(starts_at))


def _when(booking: Booking) -> dict[str, Any]:
    """Date and time of a booking, in words."""
    moment = office_time(booking.starts_at)
    return {"date": day_in_words(moment), "time": time_in_words(moment)}


# The booking


@blueprint.get("/book/done")
@resident
def done() -> ResponseReturnValue:
    """The booking: its code, when and where, what to bring, and what can be done about it."""
    who = _resident()
    if (booking := who.booked) is None:
        return _see("days")
    code = keyring().booking_code(booking.uid)
    return _page(
        "done",
        who,
        code=code.grouped,
        picture=_code_picture(code.text),
        starts_at=office_time(booking.starts_at),
        bring=to_bring(who.service.documents, language()),
        checked_in=booking.state is BookingState.CHECKED_IN,
        said={"booked": "web.done.title", "moved": "web.done.moved"}.get(request.args.get("said", ""), ""),
        **_when(booking),
    )


def _code_picture(code: str) -> Markup:
    """A code as a 2D code: black on white with its quiet zone, so that a telephone's screen can be read. It stands in
    the page itself, which is whole as soon as it has come."""
    return Markup(segno.make_qr(code, error="h").svg_inline(border=4, light="#fff", omitsize=True))  # noqa: S704 - drawn by us


@blueprint.get("/book/booking.ics")
@resident
def calendar_entry() -> ResponseReturnValue:
    """The booking for the resident's own calendar; without its code, for calendars are shared."""
    who = _resident()
    if (booking := who.booked) is None:
        raise BookingNotFound
    starts_at = office_time(booking.starts_at)
    entry = CalendarEntry(
        uid=f"{booking.uid}@{parts().settings.hosts[0]}",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes_of(read_session(), who.office.id, who.service.id) * who.people),
        written_at=who.moment,
        title=plain(say("web.calendar.title", service=who.service.names)),
        place=plain(name_of(who.office.names)),
        notes=plain(say("web.calendar.notes", time=starts_at, tel=who.office.tel)),
        language=LANGUAGES[language()].html_lang,
    )
    answer = Response(calendar_file(entry), mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="booking.ics"'
    return answer


@blueprint.post("/book/move")
@resident
@limiter.limit(HOLD)
def move() -> ResponseReturnValue:
    """Another time: the old one is given back only when the new one is won."""
    who, slot = _resident(), slot_of(request.form)
    if who.booked is None:
        return _see("days")
    try:
        move_booking(caller(who.actor), who.id, who.booked.uid, slot, Channel.WEB, who.moment)
    except (SlotFull, SlotNotBookable, RepeatedWithOtherBody) as refusal:
        return _back_to_times("change_times", "change", refusal)
    return _see("done", said="moved")


@blueprint.get("/book/cancel")
@resident
def cancel() -> ResponseReturnValue:
    """Ask before the booking is given back."""
    who = _resident()
    if who.booked is None or not who.may_change:
        return _see("done")
    starts_at = office_time(who.booked.starts_at)
    return _page("cancel", who, booking=who.booked.uid, starts_at=starts_at, **_when(who.booked))


@blueprint.post("/book/cancel")
@resident
def cancel_now() -> ResponseReturnValue:
    """Give the booking back. The form names it, so that sent twice it does not meet a newer one."""
    who = _resident()
    cancel_booking(caller(who.actor), who.id, booking_of(request.form.get("booking", "")), who.moment)
    return _see("cancelled")


@blueprint.post("/book/leave")
@resident
def leave() -> ResponseReturnValue:
    """Only who has signed in stays away; the others of the booking come."""
    who = _resident()
    leave_booking(caller(who.actor), who.id, booking_of(request.form.get("booking", "")), who.moment)
    return _see("cancelled")


@blueprint.get("/book/cancelled")
@resident
def cancelled() -> ResponseReturnValue:
    """The booking is given back."""
    who = _resident()
    return _see("done") if who.booked else _page("cancelled", who)
