"""The lines of an office as they stand, what is known of its visits, and what follows from both; never writes.

What changes slowly is kept in memory, in each process by itself: what recent days have taught for the day, all else for
a minute. Who waits, who is served, which windows are open and which terminals work is read each time.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from madoguchi.codes import Code
from madoguchi.wire import WaitView
from server.booking.models import Booking, BookingPerson
from server.booking.queries import STILL_TO_COME
from server.booking.rules import BookingState
from server.clock import at_minute, business_date, minute_of_day, office_time
from server.offices.models import Office, ServiceStep, Window
from server.offices.policy import OfficePolicy
from server.offices.queries import all_offices, lanes_by_window, lanes_of, policy_on, steps_of
from server.outlook.rules import Comings
from server.queueing.durations import Done, Durations
from server.queueing.models import TicketState, Visit, VisitPerson, VisitStep
from server.queueing.queries import terminals_of, ticket_by_code, waiting_before
from server.queueing.rules import AT_WINDOW, Stand, StepClass, StepState, due_without_booking, next_stand
from server.queueing.waiting_time import (
    CameIn,
    Estimate,
    InLine,
    Place,
    Scene,
    Stop,
    Takes,
    ToCome,
    estimates,
    newcomer,
    told,
)

MINUTE = timedelta(minutes=1)
KEPT = timedelta(minutes=1)
"""So long what staff change (windows' lanes, services, policy) and the visits done today may be unknown here."""


CALM = timedelta(seconds=20)
"""So long the estimate for newcomers stands still."""
AFTER_ALL = 10**15
"""Higher than the id of any step: of two who come at the same moment the newcomer is the second."""


@dataclass(frozen=True)
class _Recent:
    """What the recent days have taught: stops that were done, how booked people came, and of each day who came without
    a booking, in turn."""

    done: Sequence[Done]
    comings: Comings
    walk_ins: Sequence[Sequence["_CameIn"]]


@dataclass(frozen=True)
class _CameIn:
    """A party that came without a booking: at which minute of the day, for which service, so many people."""

    minute: float
    service_id: int
    people: int


@dataclass(frozen=True)
class _Planned:
    """A stop of a service, of the office's file."""

    position: int
    service_id: int
    lane_id: int
    terminal_kind: str
    ready_first: bool
    minutes: float


@dataclass
class _Wish:
    """What one person of a party still wants, played through: a service, and how many of its stops are done."""

    service_id: int
    stops_done: int
    live: bool = True


@dataclass(frozen=True)
class _Known:
    """What changes slowly: how the office is set up, and how long its visits take."""

    at: datetime
    recent: _Recent
    policy: OfficePolicy
    lanes: Sequence[int]
    window_lanes: Mapping[int, frozenset[int]]
    stops: Mapping[int, Sequence[_Planned]]
    durations: Durations
    walk_ins: Sequence[Sequence[CameIn]]


# By the address of the database: tests run several in one process.
_memory: "WeakKeyDictionary[object, dict[int, _Known]]" = WeakKeyDictionary()


_told_last: "WeakKeyDictionary[object, dict[int, tuple[datetime, dict[int, WaitView]]]]" = WeakKeyDictionary()


def forget() -> None:
    """Nothing is known any more: for whoever puts another database under a running program."""
    _memory.clear()
    _told_last.clear()


def waits(session: Session, office_id: int, now: datetime, steps: Collection[int] | None = None) -> dict[int, Estimate]:
    """Step id → minutes until its call, of these steps, or of all who wait; without those whom nobody can call now."""
    return estimates(_scene(session, office_id, now), _chance(now), steps)


def newcomers(session: Session, office_id: int, now: datetime) -> dict[int, Estimate]:
    """Lane id → minutes that somebody without a booking would wait who came now. Lanes in which no visit begins are
    left out, and those from which nobody is called now."""
    scene, known = _scene(session, office_id, now), _known(session, office_id, now)
    first = {stops[0].lane_id: stops[0] for stops in known.stops.values()}
    coming = {
        AFTER_ALL + lane: newcomer(
            AFTER_ALL + lane,
            _stop(known.durations, stop, office_time(now).hour),
            due_without_booking(now, known.policy),
            now,
        )
        for lane, stop in first.items()
    }
    asked = replace(scene, waiting=[*scene.waiting, *coming.values()])
    return {who - AFTER_ALL: found for who, found in estimates(asked, _chance(now), coming.keys()).items()}


def newcomers_are_told(
    session: Session, office_id: int, now: datetime, *, at_once: bool = False
) -> dict[int, WaitView]:
    """Lane id → what a newcomer is told, for board and desk: reckoned again after a while, so that it stands still to
    be read. `at_once`: as it was reckoned last, however long ago that is."""
    memory = _told_last.setdefault(session.get_bind(), {})
    last = memory.get(office_id)
    if last is None or not (last[0] <= now < last[0] + CALM or at_once):
        found = newcomers(session, office_id, now)
        last = memory[office_id] = (now, {lane: told(estimate) for lane, estimate in found.items()})
    return last[1]


@dataclass(frozen=True)
class Standing:
    """How a ticket stands: nothing in it says whose it is. `window`: to which it is called; `wait`: None if it does not
    wait, or nobody can tell."""

    number: int
    office: dict[str, str]
    lane: dict[str, str]
    state: StepState
    before: int
    window: int | None
    wait: WaitView | None


def standing(session: Session, code: Code, now: datetime) -> Standing | None:
    """The ticket of today with this code, at whichever office."""
    found = ticket_by_code(session, [office.id for office in all_offices(session)], code, now)
    if found is None:
        return None
    step, office = session.scalars(_NEWEST_STEP, {"visit": found.visit_id}).one(), found.visit.office_id
    live = found.state is TicketState.LIVE
    estimate = waits(session, office, now, [step.id]).get(step.id) if live else None
    return Standing(
        found.number,
        session.get_one(Office, office).names,
        step.lane.names,
        step.state if live else StepState.VOID,
        waiting_before(session, step, now),
        step.window.number if step.state in AT_WINDOW and step.window is not None else None,
        None if estimate is None else told(estimate),
    )


_NEWEST_STEP = (
    select(VisitStep).where(VisitStep.visit_id == bindparam("visit")).order_by(VisitStep.position.desc()).limit(1)
)


def minutes_at_stops(session: Session, office_id: int, now: datetime) -> dict[tuple[int, int], float]:
    """(service id, lane id) → minutes that one person takes there at this hour, by what is known of visits."""
    known = _known(session, office_id, now)
    stops = [(stop.service_id, stop.lane_id) for own in known.stops.values() for stop in own]
    return {stop: known.durations.takes(*stop, office_time(now).hour).mean for stop in stops}


def _chance(now: datetime) -> Random:
    """The same question at the same moment has the same answer."""
    return Random(now.timestamp())  # noqa: S311 - luck, not secrets


# The scene


_IN_LINE = (
    select(
        VisitStep.id,
        VisitStep.lane_id,
        VisitStep.service_id,
        VisitStep.state,
        VisitStep.step_class,
        VisitStep.due_at,
        VisitStep.entered_at,
        VisitStep.terminal_kind,
        VisitStep.ready,
        VisitStep.window_id,
        VisitStep.called_at,
        VisitPerson.service_id.label("wants"),
        VisitPerson.stops_done,
    )
    .join(VisitPerson, (VisitPerson.visit_id == VisitStep.visit_id) & VisitPerson.live)
    .where(
        VisitStep.lane_id.in_(bindparam("lanes", expanding=True)),
        VisitStep.state.in_((StepState.WAITING, *AT_WINDOW)),
        VisitStep.due_at >= bindparam("today"),
    )
    .order_by(VisitStep.id, VisitPerson.position)
)
_WINDOWS = select(Window.id, Window.is_open, Window.opened_on).where(Window.office_id == bindparam("office"))
_TO_COME = (
    select(Booking.id, Booking.service_id, Booking.starts_at, func.count())
    .join(BookingPerson, BookingPerson.booking_id == Booking.id)
    .where(*STILL_TO_COME)
    .group_by(Booking.id, Booking.service_id, Booking.starts_at)
    .order_by(Booking.id)
)


def _scene(session: Session, office_id: int, now: datetime) -> Scene:
    known = _known(session, office_id, now)
    waiting, served = _in_line(session, known, now)
    terminals = terminals_of(session, office_id, now)
    return Scene(
        now,
        waiting,
        _places(session, known, office_id, now, served),
        _to_come(session, known, office_id, now),
        known.walk_ins,
        Counter(terminal.kind for terminal in terminals if not terminal.is_down),
        known.durations.doubt,
        known.policy,
    )


def _in_line(session: Session, known: _Known, now: datetime) -> tuple[list[InLine], dict[int, tuple[InLine, float]]]:
    """Who waits; and window → who is at it since how many minutes."""
    waiting: list[InLine] = []
    served: dict[int, tuple[InLine, float]] = {}
    alike: dict[tuple[Stand, tuple[tuple[int, int], ...]], tuple[Stop, ...]] = {}
    asked = {"lanes": known.lanes, "today": at_minute(business_date(now), 0)}
    for _, rows in groupby(session.execute(_IN_LINE, asked), lambda row: row.id):
        row, *others = rows
        stand = Stand(row.lane_id, row.service_id, row.terminal_kind, not row.ready)
        wishes = tuple((one.wants, one.stops_done) for one in (row, *others))
        if (stand, wishes) not in alike:
            alike[stand, wishes] = _stops_ahead(known, stand, wishes, now)
        stops = alike[stand, wishes]
        party = InLine(row.id, row.step_class, row.due_at, row.entered_at, stops, row.ready)
        if row.state is StepState.WAITING:
            waiting.append(party)
        else:
            served[row.window_id] = (party, (now - row.called_at) / MINUTE)
    return waiting, served


def _stops_ahead(known: _Known, stand: Stand, wishes: Sequence[tuple[int, int]], now: datetime) -> tuple[Stop, ...]:
    """Where a party goes from where it stands: whoever has a stop in a lane does it there at the same time, and each
    procedure takes its own time, however many of them one person has."""
    people = [_Wish(service, done) for service, done in wishes if service in known.stops]
    found = []
    there: Stand | None = stand
    while there is not None:
        here = []
        for person in people:
            own = known.stops[person.service_id]
            if person.stops_done < len(own) and own[person.stops_done].lane_id == there.lane_id:
                here.append(person.service_id)
                person.stops_done += 1
        found.append(
            Stop(there.lane_id, _take_together(known, there, here, now), there.terminal_kind, not there.ready_first)
        )
        there = next_stand(people, known.stops)
    return tuple(found)


def _take_together(known: _Known, stand: Stand, services: Sequence[int], now: datetime) -> Takes:
    """How long these services take in one lane, one after the other: as so many times the first of them."""
    takes, hour = known.durations.takes, office_time(now).hour
    first = takes(stand.service_id, stand.lane_id, hour).mean
    together = sum(takes(service, stand.lane_id, hour).mean for service in services)
    return takes(stand.service_id, stand.lane_id, hour, together / first if services else 1)


def _stop(durations: Durations, stop: _Planned, hour: int, people: int = 1) -> Stop:
    takes = durations.takes(stop.service_id, stop.lane_id, hour, people)
    return Stop(stop.lane_id, takes, stop.terminal_kind, not stop.ready_first)


def _places(
    session: Session, known: _Known, office_id: int, now: datetime, served: Mapping[int, tuple[InLine, float]]
) -> list[Place]:
    """The open windows. Before the first is opened in the morning all are expected."""
    rows = session.execute(_WINDOWS, {"office": office_id}).all()
    today = business_date(now)
    opened = any(row.opened_on == today for row in rows)
    return [
        Place(known.window_lanes.get(row.id, frozenset()), *served.get(row.id, (None, 0.0)))
        for row in rows
        if row.id in served or not opened or (row.is_open and row.opened_on == today)
    ]


def _to_come(session: Session, known: _Known, office_id: int, now: datetime) -> list[ToCome]:
    comings, midnight = known.recent.comings, at_minute(business_date(now), 1440)
    asked = {"office": office_id, "since": now - timedelta(minutes=comings.latest), "until": midnight}
    found = []
    for number, (_, service_id, starts_at, people) in enumerate(session.execute(_TO_COME, asked)):
        hour = office_time(starts_at).hour
        stops = tuple(_stop(known.durations, stop, hour, people) for stop in known.stops.get(service_id, ()))
        before = (starts_at - now) / MINUTE
        share, moments = comings.after(-before)
        if stops and moments:
            party = InLine(-1 - number, StepClass.BOOKED, starts_at, starts_at, stops, stops[0].ready)
            found.append(ToCome(party, share, [before + late for late in moments]))
    return found


# What is known


def _known(session: Session, office_id: int, now: datetime) -> _Known:
    memory = _memory.setdefault(session.get_bind(), {})
    known = memory.get(office_id)
    if known is not None and known.at <= now < known.at + KEPT:
        return known
    policy = policy_on(session, office_id, business_date(now))
    same_day = known is not None and business_date(known.at) == business_date(now)
    recent = known.recent if known is not None and same_day else _learn(session, office_id, now, policy.learning_days)
    stops = {
        service: [
            _Planned(s.position, service, s.lane_id, s.terminal_kind or "", s.ready_first, s.minutes) for s in steps
        ]
        for service, steps in steps_of(session, office_id).items()
    }
    planned = {(stop.service_id, stop.lane_id): stop.minutes for own in stops.values() for stop in own}
    durations = Durations(planned, recent.done, _done(session, office_id, [business_date(now)]))
    memory[office_id] = _Known(
        now,
        recent,
        policy,
        [lane.id for lane in lanes_of(session, office_id)],
        lanes_by_window(session, office_id),
        stops,
        durations,
        [list(_still(day, minute_of_day(now), stops, durations)) for day in recent.walk_ins],
    )
    return memory[office_id]


def _still(
    day: Sequence[_CameIn], minute: float, stops: Mapping[int, Sequence[_Planned]], durations: Durations
) -> Iterator[CameIn]:
    """Who came without a booking on a recent day after a minute of the day, as they would come today."""
    for one in day:
        if one.minute >= minute and (ahead := stops.get(one.service_id)):
            yield CameIn(one.minute, tuple(_stop(durations, stop, int(one.minute / 60), one.people) for stop in ahead))


def _learn(session: Session, office_id: int, now: datetime, days: int) -> _Recent:
    """From the last so many days on which anybody came."""
    recent = session.scalars(_DAYS, {"office": office_id, "today": business_date(now), "days": days}).all()
    if not recent:
        return _Recent((), Comings((), 0), ())
    late: list[float] = []
    walk_ins: dict[date, list[_CameIn]] = {day: [] for day in recent}
    for day, arrived, booked, service, people in session.execute(_CAME, {"office": office_id, "days": recent}):
        if booked is None:
            walk_ins[day].append(_CameIn(minute_of_day(arrived), service, people))
        else:
            late.append((arrived - booked) / MINUTE)
    since = {"office": office_id, "since": at_minute(min(recent), 0), "until": at_minute(business_date(now), 0)}
    comings = Comings(late, session.scalar(_STAYED_AWAY, since) or 0)
    return _Recent(_done(session, office_id, recent), comings, list(walk_ins.values()))


def _done(session: Session, office_id: int, days: Sequence[date]) -> list[Done]:
    """Stops that were done on these days. From the last call on: who had to be called again after a while took nobody's
    time meanwhile. What the end of the day has ended is not done. Of the time at a window each procedure that is done
    there has its share."""
    rows = session.execute(_DONE, {"office": office_id, "days": days})
    return [
        Done(service, lane, office_time(called).hour, (ended - called) / MINUTE * own / together)
        for service, lane, called, ended, own, together in rows
        if called is not None and ended is not None
    ]


_DAYS = (
    select(Visit.business_date)
    .where(Visit.office_id == bindparam("office"), Visit.business_date < bindparam("today"))
    .distinct()
    .order_by(Visit.business_date.desc())
    .limit(bindparam("days"))
)
_ON_DAYS = (Visit.office_id == bindparam("office"), Visit.business_date.in_(bindparam("days", expanding=True)))
_OWN, _OF_ALL = aliased(ServiceStep), aliased(ServiceStep)
_DONE = (
    select(
        VisitStep.service_id,
        VisitStep.lane_id,
        VisitStep.called_at,
        VisitStep.ended_at,
        _OWN.minutes,
        func.sum(_OF_ALL.minutes),
    )
    .join(Visit, Visit.id == VisitStep.visit_id)
    .join(VisitPerson, VisitPerson.visit_id == Visit.id)
    .join(
        _OWN,
        (_OWN.office_id == Visit.office_id)
        & (_OWN.service_id == VisitStep.service_id)
        & (_OWN.lane_id == VisitStep.lane_id),
    )
    .join(
        _OF_ALL,
        (_OF_ALL.office_id == Visit.office_id)
        & (_OF_ALL.service_id == VisitPerson.service_id)
        & (_OF_ALL.lane_id == VisitStep.lane_id),
    )
    .where(*_ON_DAYS, VisitStep.state == StepState.DONE)
    .group_by(
        VisitStep.id, VisitStep.service_id, VisitStep.lane_id, VisitStep.called_at, VisitStep.ended_at, _OWN.minutes
    )
)
_CAME = (
    select(Visit.business_date, Visit.arrived_at, Visit.booked_at, func.min(VisitPerson.service_id), func.count())
    .join(VisitPerson, VisitPerson.visit_id == Visit.id)
    .where(*_ON_DAYS, VisitPerson.further_of.is_(None))
    .group_by(Visit.id, Visit.business_date, Visit.arrived_at, Visit.booked_at)
    .order_by(Visit.arrived_at, Visit.id)
)
_STAYED_AWAY = select(func.count()).where(
    Booking.office_id == bindparam("office"),
    Booking.state == BookingState.NO_SHOW,
    Booking.starts_at >= bindparam("since"),
    Booking.starts_at < bindparam("until"),
)
