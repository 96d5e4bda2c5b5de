"""What became of the tickets of some days; never writes, and reads nothing that points to a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.clock import office_time
from server.offices.models import Lane, Office, Service
from server.queueing.models import Visit, VisitPerson, VisitStep
from server.queueing.rules import AT_WINDOW, Outcome, StepState
from server.reports.rules import Told, Wait, check_period, minutes_between, told, waited_from


@dataclass(frozen=True)
class WaitReport:
    """The waits of an office from a day to a day, as of a moment. `outcomes`: how → people (None: not ended yet), by
    what they came for; `further`: procedures that were added to visits."""

    office: str
    first: date
    last: date
    as_of: datetime
    waits: tuple[Wait, ...]
    told: Told
    outcomes: Mapping[Outcome | None, int]
    further: int
    never_called: int
    still_waiting: int


def wait_report(session: Session, office: Office, first: date, last: date, now: datetime) -> WaitReport:
    """Count the tickets of an office from a day to a day. Raises PeriodUnusable."""
    check_period(first, last)
    asked = {"office": office.id, "first": first, "last": last}
    names = {row.id: row.name_ja for row in session.execute(select(Service.id, Service.name_ja))}
    lanes = {row.id: row.name_ja for row in session.execute(select(Lane.id, Lane.name_ja))}
    people = {row[0]: row[1] for row in session.execute(_PEOPLE, asked)}
    waits: list[Wait] = []
    for visit, day, booked_at, entered, called, service, lane, likely, least, most in session.execute(_WAITS, asked):
        start = waited_from(entered, booked_at)
        waits.append(
            Wait(
                day,
                office_time(start).hour,
                names[service],
                lanes[lane],
                booked_at is not None,
                people.get(visit, 0),
                minutes_between(start, called or start),
                minutes_between(entered, called or entered),
                likely,
                least,
                most,
            )
        )
    outcomes = {row[0]: row[1] for row in session.execute(_OUTCOMES, asked)}
    not_called = {row[0]: row[1] for row in session.execute(_NOT_CALLED, asked)}
    waiting = sum(n for state, n in not_called.items() if state in WAITING)
    return WaitReport(
        office.name_ja,
        first,
        last,
        now,
        tuple(waits),
        told(waits),
        outcomes,
        session.scalar(_FURTHER, asked) or 0,
        never_called=sum(not_called.values()) - waiting,
        still_waiting=waiting,
    )


WAITING = (StepState.WAITING, StepState.PARKED, StepState.MISSED, *AT_WINDOW)
_DAYS = (
    Visit.office_id == bindparam("office"),
    Visit.business_date >= bindparam("first"),
    Visit.business_date <= bindparam("last"),
)
_WAITS = (
    select(
        Visit.id,
        Visit.business_date,
        Visit.booked_at,
        VisitStep.entered_at,
        VisitStep.first_called_at,
        VisitStep.service_id,
        VisitStep.lane_id,
        VisitStep.told_minutes,
        VisitStep.told_least,
        VisitStep.told_most,
    )
    .join(VisitStep, VisitStep.visit_id == Visit.id)
    .where(*_DAYS, VisitStep.first_called_at.is_not(None))
)
# A further procedure is nobody more.
_PEOPLE = (
    select(VisitPerson.visit_id, func.count())
    .join(Visit, Visit.id == VisitPerson.visit_id)
    .where(*_DAYS, VisitPerson.further_of.is_(None))
    .group_by(VisitPerson.visit_id)
)
_OUTCOMES = (
    select(VisitPerson.outcome, func.count())
    .join(Visit, Visit.id == VisitPerson.visit_id)
    .where(*_DAYS, VisitPerson.further_of.is_(None))
    .group_by(VisitPerson.outcome)
)
_FURTHER = (
    select(func.count())
    .select_from(VisitPerson)
    .join(Visit, Visit.id == VisitPerson.visit_id)
    .where(*_DAYS, VisitPerson.further_of.is_not(None))
)
_NOT_CALLED = (
    select(VisitStep.state, func.count())
    .join(Visit, Visit.id == VisitStep.visit_id)
    .where(*_DAYS, VisitStep.first_called_at.is_(None))
    .group_by(VisitStep.state)
)
