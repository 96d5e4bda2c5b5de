"""Whether people without a booking are received now, and why; never writes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.booking.models import Booking, BookingPerson
from server.booking.queries import STILL_TO_COME
from server.clock import at_minute, business_date
from server.intake.models import IntakeDecision
from server.intake.rules import Staffing, expected_end, in_force, receives, shares, staffing
from server.offices.models import Service, ServiceStep
from server.offices.opening_rules import Calendar, OpenSession
from server.offices.policy import OfficePolicy
from server.offices.queries import (
    calendar_of,
    lanes_by_window,
    offers_to_walk_ins,
    policy_on,
    steps_of,
    windows_of,
)
from server.outlook.queries import minutes_at_stops
from server.queueing.models import Visit, VisitPerson, VisitStep
from server.queueing.rules import AT_WINDOW, StepState

# Who is in the line and has not reached a window; those who did not come to their call are not waited for.
IN_LINE = (StepState.WAITING, StepState.PARKED)


@dataclass(frozen=True)
class ServiceIntake:
    """One service that people may ask for without a booking. `end`: when one more would be served."""

    service: Service
    received: bool
    end: datetime | None
    decision: IntakeDecision | None


@dataclass(frozen=True)
class Intake:
    """How it stands with people without a booking: `closing` is when the running session ends (None: closed).

    `end` is when the last of those who may still come for any service would be served, `decision` the office's own.
    """

    closing: datetime | None
    last_walk_in: datetime | None
    booked: bool
    services: tuple[ServiceIntake, ...]
    decision: IntakeDecision | None

    @property
    def received(self) -> bool:
        """Whether anybody without a booking is received for anything."""
        return any(one.received for one in self.services)

    @property
    def ended(self) -> bool:
        """Whether people must be told so: the office is open, and without a booking nobody is received any more."""
        return self.booked and not self.received

    @property
    def end(self) -> datetime | None:
        """When the last would be served, of those that could be told."""
        return max((one.end for one in self.services if one.end is not None), default=None)

    def of(self, code: str) -> ServiceIntake | None:
        """How it stands with one service; None if nobody may come for it without a booking today."""
        return next((one for one in self.services if one.service.code == code), None)


def intake_of(session: Session, office_id: int, now: datetime, party: int = 1) -> Intake:
    """Whether people without a booking are received now: hours, what staff decided, when a party would end."""
    day = business_date(now)
    calendar = calendar_of(session, office_id, day)
    running = calendar.session_at(now)
    decisions = _decisions(session, office_id, now)
    if running is None:
        return Intake(None, None, False, (), decisions.get(None))
    closing, load = _closing(calendar, running, now), _Load(session, office_id, running, now)
    services = tuple(
        _of_service(load, running, closing, decisions, offer.service, now, party)
        for offer in offers_to_walk_ins(session, office_id, day)
        if running.offers(offer.service.code)
    )
    return Intake(closing, running.last_walk_in, now <= running.last_booked, services, decisions.get(None))


def may_be_asked_for(service: Service, intake: Intake) -> bool:
    """Whether a kiosk offers a service: people are received for it, or the law sets them a day and staff see to it."""
    own = intake.of(service.code)
    return (own is not None and own.received) or (intake.booked and service.legal_deadline)


def _closing(calendar: Calendar, running: OpenSession, now: datetime) -> datetime:
    """When the line must be at its end: a session that begins at once goes on with it, if need be over midnight."""
    closing = running.closes
    while closing < now + timedelta(days=1) and (following := calendar.session_at(closing)) is not None:
        closing = following.closes
    return closing


def _of_service(
    load: "_Load",
    running: OpenSession,
    closing: datetime,
    decisions: Mapping[int | None, IntakeDecision],
    service: Service,
    now: datetime,
    party: int,
) -> ServiceIntake:
    own = decisions.get(service.id)
    choice = in_force(decisions.get(None), own)
    end = load.end_with(service.id, party)
    counted = end if load.policy.walk_ins_end_by_themselves else None
    received = now <= running.last_walk_in and receives(choice, counted, closing)
    return ServiceIntake(service, received, end, own)


_DECISIONS = (
    select(IntakeDecision)
    .where(IntakeDecision.office_id == bindparam("office"), IntakeDecision.business_date == bindparam("day"))
    .order_by(IntakeDecision.id)
)


def _decisions(session: Session, office_id: int, now: datetime) -> dict[int | None, IntakeDecision]:
    """Service id (None: the whole office) → today's newest decision."""
    rows = session.scalars(_DECISIONS, {"office": office_id, "day": business_date(now)})
    return {row.service_id: row for row in rows}


class _Load:
    """The work in an office's lines and the windows that do it: read once for all services."""

    def __init__(self, session: Session, office_id: int, running: OpenSession, now: datetime) -> None:
        self._now, self._opens = now, running.opens
        self.policy: OfficePolicy = policy_on(session, office_id, business_date(now))
        self._stops = steps_of(session, office_id)
        self._known = minutes_at_stops(session, office_id, now)
        lanes = lanes_by_window(session, office_id)
        self._windows = [
            (lanes.get(window.id, frozenset()), window.is_open, window.opened_on)
            for window in windows_of(session, office_id)
        ]
        self._waiting: defaultdict[int, float] = defaultdict(float)
        for service, done, people in session.execute(_IN_LINE, {"office": office_id, "day": business_date(now)}):
            self._add(self._stops.get(service, ())[done:], people)
        begun: set[int] = set()
        for visit, service, done, called in session.execute(_SERVED, {"office": office_id, "day": business_date(now)}):
            ahead = self._stops.get(service, ())[done:]
            self._add(ahead, 1)
            if ahead and visit not in begun:  # of a party one after the other is served
                begun.add(visit)
                passed = (now - (called or now)) / timedelta(minutes=1)
                self._waiting[ahead[0].lane_id] -= min(passed, self._minutes(ahead[0]))
        expected = {
            "office": office_id,
            "since": now - timedelta(minutes=self.policy.late_grace_minutes),
            "until": at_minute(business_date(now), 1440),
        }
        self._to_come = session.execute(_TO_COME, expected).all()

    def _add(self, stops: Sequence[ServiceStep], people: int) -> None:
        for stop in stops:
            self._waiting[stop.lane_id] += self._minutes(stop) * people

    def _minutes(self, stop: ServiceStep) -> float:
        """What one person takes at a stop; of one that was set up just now what the file says."""
        return self._known.get((stop.service_id, stop.lane_id), stop.minutes)

    def end_with(self, service_id: int, party: int) -> datetime | None:
        """When a party that comes now for a service would be served; None if no window serves its lanes."""
        stops = self._stops.get(service_id, [])
        newcomer = sum(self._minutes(stop) for stop in stops) * party
        ends = [self._end_in(lane, newcomer) for lane in {stop.lane_id for stop in stops}]
        return max((end for end in ends if end is not None), default=None)

    def _end_in(self, lane: int, newcomer: float) -> datetime | None:
        count, lanes = shares(lane, [lanes for lanes, _, _ in self._windows])
        if not count:
            return None
        waiting = sum(self._waiting[lane] for lane in lanes)
        to_come = [
            (at, sum(self._minutes(stop) for stop in self._stops.get(service, ()) if stop.lane_id in lanes) * people)
            for service, at, people in self._to_come
        ]
        return expected_end(self._now, waiting, to_come, self._staffing(lane, count), newcomer)

    def _staffing(self, lane: int, count: int) -> Staffing:
        today = business_date(self._now)
        # Closed windows keep the day on which they were opened: one that was open this morning comes back.
        opened = [(lanes, is_open) for lanes, is_open, opened_on in self._windows if opened_on == today]
        open_now = sum(is_open for lanes, is_open in opened if lane in lanes)
        opened_today = sum(lane in lanes for lanes, _ in opened)
        return staffing(self._now, self._opens, open_now, opened_today, count)


_TODAY = (Visit.office_id == bindparam("office"), Visit.business_date == bindparam("day"), VisitPerson.live)
_IN_LINE = (
    select(VisitPerson.service_id, VisitPerson.stops_done, func.count())
    .join(Visit, Visit.id == VisitPerson.visit_id)
    .join(VisitStep, VisitStep.visit_id == Visit.id)
    .where(*_TODAY, VisitStep.state.in_(IN_LINE))
    .group_by(VisitPerson.service_id, VisitPerson.stops_done)
)
_SERVED = (
    select(Visit.id, VisitPerson.service_id, VisitPerson.stops_done, VisitStep.called_at)
    .join(Visit, Visit.id == VisitPerson.visit_id)
    .join(VisitStep, VisitStep.visit_id == Visit.id)
    .where(*_TODAY, VisitStep.state.in_(AT_WINDOW))
    .order_by(Visit.id, VisitPerson.position)
)
_TO_COME = (
    select(BookingPerson.service_id, Booking.starts_at, func.count())
    .join(Booking, Booking.id == BookingPerson.booking_id)
    .where(*STILL_TO_COME)
    .group_by(BookingPerson.service_id, Booking.starts_at)
)
