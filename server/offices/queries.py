"""What is known of an office; never writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from server.clock import at_minute, business_date
from server.errors import NotFound
from server.offices.models import (
    Lane,
    Office,
    OfficeService,
    OpeningRule,
    Policy,
    Pool,
    PoolPolicy,
    PoolWindow,
    PublicHoliday,
    Series,
    Service,
    ServiceStep,
    ServiceUse,
    Window,
    WindowLane,
    WindowService,
)
from server.offices.opening_rules import LOOK_BACK_DAYS, Calendar, Caution, Holiday, Rule, RuleKind
from server.offices.policy import DEFAULT, OfficePolicy, policy_of
from server.offices.service_rules import Mode, offered_on


class UnknownOffice(NotFound):
    """There is no such office."""

    code = "unknown_office"


class UnknownService(NotFound):
    """The office does not offer this service."""

    code = "unknown_service"


@dataclass(frozen=True)
class OpenNow:
    """Whether an office receives people at a moment."""

    booked: bool
    walk_ins: bool
    next_opening: datetime | None
    services: frozenset[str] | None  # of the running session; None is all
    for_others: bool = False  # the office is open, but not for the service that was asked for


def all_offices(session: Session) -> Sequence[Office]:
    """All offices in the order of their codes."""
    return session.scalars(select(Office).order_by(Office.code)).all()


def office_by_code(session: Session, code: str) -> Office:
    """The office with a code. Raises UnknownOffice."""
    office = session.scalar(select(Office).where(Office.code == code))
    if office is None:
        raise UnknownOffice(office=code)
    return office


_POLICY = (
    select(Policy.key, Policy.value)
    .where(Policy.office_id == bindparam("office"), Policy.valid_from <= bindparam("day"))
    .order_by(Policy.valid_from)
)


def policy_on(session: Session, office_id: int, day: date) -> OfficePolicy:
    """The office's policy as of a day."""
    return policy_of((key, value) for key, value in session.execute(_POLICY, {"office": office_id, "day": day}))


def value_on_days(session: Session, office_id: int, key: str, days: Sequence[date]) -> dict[date, Any]:
    """One value of the office's policy as of each of these days, which are in their order."""
    rows = session.execute(_POLICY.add_columns(Policy.valid_from), {"office": office_id, "day": days[-1]})
    dated = [(since, value) for name, value, since in rows if name == key]
    default = getattr(DEFAULT, key)
    return {day: next((value for since, value in reversed(dated) if since <= day), default) for day in days}


def pool_values_on(session: Session, pool_id: int, day: date) -> dict[str, Any]:
    """What a pool says for itself as of a day."""
    rows = session.execute(
        select(PoolPolicy.key, PoolPolicy.value)
        .where(PoolPolicy.pool_id == pool_id, PoolPolicy.valid_from <= day)
        .order_by(PoolPolicy.valid_from)
    )
    return {row.key: row.value for row in rows}


def pools_used_together(session: Session, office_id: int) -> list[set[int]]:
    """The office's pools in groups: pools that some service takes places of at the same time stand in one group."""
    uses: dict[int, set[int]] = {}
    for service, pool in session.execute(
        select(ServiceUse.service_id, ServiceUse.pool_id).where(ServiceUse.office_id == office_id)
    ):
        uses.setdefault(service, set()).add(pool)
    groups = [{pool.id} for pool in pools_of(session, office_id)]
    for together in uses.values():
        joined = set[int]().union(together, *(group for group in groups if group & together))
        groups = [group for group in groups if not group & joined] + [joined]
    return groups


# As plain columns and not as objects: the calendar is read at each check-in, and never written through.
_RULES = select(
    *(OpeningRule.__table__.columns[f.name] for f in fields(Rule)),
).where(
    OpeningRule.office_id == bindparam("office"),
    or_(OpeningRule.valid_to.is_(None), OpeningRule.valid_to >= bindparam("since")),
    or_(
        OpeningRule.on_date.is_(None),
        func.coalesce(OpeningRule.until_date, OpeningRule.on_date) >= bindparam("since"),
    ),
)
_SERVICES = [f.name for f in fields(Rule)].index("services")
_HOLIDAYS = select(PublicHoliday.day, PublicHoliday.name, PublicHoliday.kind).where(
    PublicHoliday.counts, PublicHoliday.day >= bindparam("since")
)


def calendar_of(session: Session, office_id: int, since: date = date.min) -> Calendar:
    """The office's calendar. Who asks only for the days from `since` on (and the open day before them) saves reading
    what is over.
    """
    asked = {"office": office_id, "since": _with_days_before(since)}
    rules = [_rule(row) for row in session.execute(_RULES, asked)]
    asks = any(rule.kind in (RuleKind.HOLIDAY, RuleKind.RELATIVE) for rule in rules)
    holidays = holidays_known(session, since) if asks else {}
    # Only to take some of all services away one has to know them all.
    some = any(rule.takes_away and rule.services is not None for rule in rules)
    return Calendar(rules, holidays, [offer.service.code for offer in offers_of(session, office_id)] if some else ())


def undecided_days(session: Session, office_id: int, now: datetime) -> list[date]:
    """Holidays of the coming two years on weekdays on which the office is closed, while nobody has said what then."""
    today = business_date(now)
    calendar = calendar_of(session, office_id, today)
    days = (today + timedelta(days=n) for n in range(730))
    return [day for day in days if Caution.HOLIDAY_UNDECIDED in calendar.plan(day).warnings]


def holidays_known(session: Session, since: date = date.min) -> dict[date, Holiday]:
    """What counts as a holiday, from two months before `since` on."""
    rows = session.execute(_HOLIDAYS, {"since": _with_days_before(since)})
    return {day: Holiday(name, kind) for day, name, kind in rows}


def _with_days_before(since: date) -> date:
    return max(since, date(1900, 1, 1)) - timedelta(days=LOOK_BACK_DAYS)


def _rule(row: Any) -> Rule:
    values = list(row)
    if values[_SERVICES] is not None:
        values[_SERVICES] = frozenset(values[_SERVICES])
    return Rule(*values)


def open_now(session: Session, office_id: int, now: datetime, service: str | None = None) -> OpenNow:
    """Whether booked people and walk-ins are received now, by the running session's two last receptions.

    With a `service` (code): whether for that.
    """
    calendar = calendar_of(session, office_id, business_date(now))
    session_now = calendar.session_at(now)
    running = None if session_now is None or (service and not session_now.offers(service)) else session_now
    return OpenNow(
        booked=running is not None and now <= running.last_booked,
        walk_ins=running is not None and now <= running.last_walk_in,
        next_opening=calendar.next_opening(now, service),
        services=None if running is None else running.services,
        for_others=session_now is not None and running is None and now <= session_now.last_walk_in,
    )


def list_made_at(
    session: Session, office_id: int, day: date, policy: OfficePolicy, calendar: Calendar | None = None
) -> datetime | None:
    """When the day list of a day is made: an hour of the open day before. None if there is none.

    Who asks for many days reads the office's `calendar` once.
    """
    before = (calendar or calendar_of(session, office_id, day)).open_day_before(day)
    return None if before is None else at_minute(before, policy.list_hour * 60)


_OFFERS = (
    select(OfficeService)
    .join(OfficeService.service)
    .where(OfficeService.office_id == bindparam("office"))
    .options(contains_eager(OfficeService.service))
    .order_by(OfficeService.position, OfficeService.service_id)
)


def offers_of(session: Session, office_id: int) -> Sequence[OfficeService]:
    """What an office offers, has offered and will offer, in its own order, each with its service."""
    return session.scalars(_OFFERS, {"office": office_id}).all()


def services_by_notice(session: Session, office_id: int) -> frozenset[int]:
    """Ids of the services to which people come with a notice: in these a card is handed over."""
    return frozenset(o.service_id for o in offers_of(session, office_id) if Mode.NOTICE in o.modes)


def offers_to_walk_ins(session: Session, office_id: int, day: date) -> list[OfficeService]:
    """What people without a booking may ask for on a day."""
    offers = offers_of(session, office_id)
    return [offer for offer in offers if Mode.WALK_IN in offer.modes and offered_on(offer, day)]


def service_by_code(session: Session, office_id: int, code: str) -> Service:
    """A service of the office. Raises UnknownService."""
    return offer_by_code(session, office_id, code).service


def offer_by_code(session: Session, office_id: int, code: str) -> OfficeService:
    """A service as the office offers it. Raises UnknownService."""
    return _named(offers_of(session, office_id), code)


def _named(offers: Iterable[OfficeService], code: str) -> OfficeService:
    # Looked for here and not in the database: a code from a kiosk may be what no database takes.
    for offer in offers:
        if offer.service.code == code:
            return offer
    raise UnknownService(service=code[:40])


def service_for_walk_ins(session: Session, office_id: int, code: str, day: date) -> Service:
    """A service that people without a booking may ask for on a day. Raises UnknownService."""
    return _named(offers_to_walk_ins(session, office_id, day), code).service


_STOPS = (
    select(ServiceStep)
    .where(
        ServiceStep.office_id == bindparam("office"),
        ServiceStep.service_id.in_(bindparam("services", expanding=True)),
    )
    .options(joinedload(ServiceStep.lane), joinedload(ServiceStep.service))  # both stand on the ticket
    .order_by(ServiceStep.service_id, ServiceStep.position)
)


def stops_of(session: Session, office_id: int, services: Iterable[int]) -> dict[int, list[ServiceStep]]:
    """Service id → its stops at an office, in order, with lane and service. Raises UnknownService if one has none."""
    wanted = set(services)
    stops: dict[int, list[ServiceStep]] = {}
    for step in session.scalars(_STOPS, {"office": office_id, "services": sorted(wanted)}):
        stops.setdefault(step.service_id, []).append(step)
    if stops.keys() != wanted:
        raise UnknownService
    return stops


def windows_of(session: Session, office_id: int) -> Sequence[Window]:
    """The office's windows by number."""
    return session.scalars(select(Window).where(Window.office_id == office_id).order_by(Window.number)).all()


def lanes_of(session: Session, office_id: int) -> Sequence[Lane]:
    """The office's lanes in the order they were set up."""
    return session.scalars(select(Lane).where(Lane.office_id == office_id).order_by(Lane.id)).all()


def ranges_of(session: Session, office_id: int) -> Sequence[tuple[Lane, Series]]:
    """The office's lanes with the numbers they give out themselves (not those of kiosks)."""
    rows = session.execute(
        select(Lane, Series)
        .join(Series, Series.lane_id == Lane.id)
        .where(Lane.office_id == office_id, Series.device_id.is_(None))
        .order_by(Lane.id)
    )
    return [(lane, series) for lane, series in rows]


def services_of_window(session: Session, window_id: int) -> Sequence[Service]:
    """What a window may call for."""
    return session.scalars(
        select(Service)
        .join(WindowService, WindowService.service_id == Service.id)
        .where(WindowService.window_id == window_id)
        .order_by(Service.id)
    ).all()


def own_lanes_of_window(session: Session, window_id: int) -> Sequence[Lane]:
    """The lanes that a window alone was given; none where it calls from all lanes of its services."""
    return session.scalars(
        select(Lane).join(WindowLane).where(WindowLane.window_id == window_id).order_by(Lane.id)
    ).all()


def lanes_of_window(session: Session, window_id: int, office_id: int) -> Sequence[int]:
    """Lanes from which a window calls: those that are its own, else all of its services."""
    return sorted(_lanes(session, office_id, Window.id == window_id).get(window_id, ()))


def lanes_by_window(session: Session, office_id: int) -> dict[int, frozenset[int]]:
    """Window id → the lanes from which it calls (`lanes_of_window`), of all windows at once."""
    return _lanes(session, office_id, Window.office_id == office_id)


def _lanes(session: Session, office_id: int, windows: ColumnElement[bool]) -> dict[int, frozenset[int]]:
    own = select(WindowLane.window_id, WindowLane.lane_id).join(Window, Window.id == WindowLane.window_id)
    of_services = (
        select(WindowService.window_id, ServiceStep.lane_id)
        .join(Window, Window.id == WindowService.window_id)
        .join(ServiceStep, ServiceStep.service_id == WindowService.service_id)
        .where(ServiceStep.office_id == office_id)
    )
    lanes: dict[int, frozenset[int]] = {}
    for rows in (of_services, own):  # what is a window's own stands for what its services would give
        found: dict[int, set[int]] = {}
        for window, lane in session.execute(rows.where(windows)):
            found.setdefault(window, set()).add(lane)
        lanes |= {window: frozenset(some) for window, some in found.items()}
    return lanes


def terminal_kinds(session: Session, office_id: int) -> dict[int, set[str]]:
    """Lane id → kinds of terminal that stops in it need."""
    rows = session.execute(
        select(ServiceStep.lane_id, ServiceStep.terminal_kind).where(ServiceStep.office_id == office_id).distinct()
    )
    kinds: dict[int, set[str]] = {}
    for lane_id, kind in rows:
        if kind is not None:
            kinds.setdefault(lane_id, set()).add(kind)
    return kinds


def pools_of(session: Session, office_id: int) -> Sequence[Pool]:
    """The pools whose places the office gives out."""
    return session.scalars(select(Pool).where(Pool.office_id == office_id).order_by(Pool.id)).all()


def windows_in_pool(session: Session, pool_id: int, day: date) -> int:
    """How many windows stand in a pool on a day."""
    rows = session.scalars(
        select(PoolWindow.window_id).where(
            PoolWindow.pool_id == pool_id,
            PoolWindow.valid_from <= day,
            or_(PoolWindow.valid_to.is_(None), PoolWindow.valid_to >= day),
        )
    )
    return len(rows.all())


def steps_of(session: Session, office_id: int) -> dict[int, list[ServiceStep]]:
    """Service id → its stops at an office, in order."""
    rows = session.scalars(
        select(ServiceStep)
        .where(ServiceStep.office_id == office_id)
        .options(joinedload(ServiceStep.lane))
        .order_by(ServiceStep.service_id, ServiceStep.position)
    )
    return {service_id: list(steps) for service_id, steps in groupby(rows, lambda step: step.service_id)}


def minutes_of(session: Session, office_id: int, service_id: int) -> int:
    """How long one person of a service takes at an office, all stops together."""
    asked = (ServiceStep.office_id == office_id, ServiceStep.service_id == service_id)
    return session.scalar(select(func.coalesce(func.sum(ServiceStep.minutes), 0)).where(*asked)) or 0


def uses_of(session: Session, office_id: int) -> dict[int, list[tuple[Pool, int]]]:
    """Service id → what one person takes: pools with units."""
    rows = session.execute(
        select(ServiceUse.service_id, Pool, ServiceUse.units)
        .join(Pool, Pool.id == ServiceUse.pool_id)
        .where(ServiceUse.office_id == office_id)
        .order_by(ServiceUse.service_id, Pool.id)
    )
    return {
        service_id: [(pool, units) for _, pool, units in uses] for service_id, uses in groupby(rows, lambda r: r[0])
    }
