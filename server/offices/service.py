"""Entry points for offices: load an office from its file."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from server.audit import record
from server.auth.forms import may_be_kept
from server.clock import business_date
from server.db import Transaction, locked, new_uid, transaction
from server.errors import Invalid, NotFound
from server.events import OpeningChanged, PolicyChanged
from server.offices.models import Feed, Office, Policy, Pool, PoolPolicy
from server.offices.office_file import OfficeFileUnusable, Row, refuse_unkept
from server.offices.opening_changes import RuleChange, is_over, reloaded
from server.offices.opening_file import line_of, rules_in
from server.offices.opening_service import apply_change
from server.offices.policy import OfficePolicy, UnknownPolicy, check_pool_value, check_value
from server.offices.queries import (
    calendar_of,
    offer_by_code,
    offers_of,
    own_lanes_of_window,
    policy_on,
    pool_values_on,
    pools_of,
    ranges_of,
    services_of_window,
    steps_of,
    windows_of,
)
from server.offices.service_plan import LONGEST_SENTENCE, PARTS, ServicePlan
from server.offices.service_rules import Documents, Mode


class UnknownPool(NotFound):
    """The office has no pool of this name."""

    code = "unknown_pool"


@dataclass(frozen=True)
class OfficeLoaded:
    """What was made of a file; `lines` say what is other than before, each beginning with + or -."""

    id: int
    code: str
    windows: int
    services: int
    lines: tuple[str, ...] = ()


class _OnlyLooked(Exception):
    """Ends a transaction without a trace."""

    def __init__(self, loaded: OfficeLoaded) -> None:
        super().__init__()
        self.loaded = loaded


def load_office(plan: dict[str, Any], by: str, now: datetime, file: str = "", *, dry_run: bool = False) -> OfficeLoaded:
    """Set up one office from a plan (format: docs/offices.md), or bring it up to the plan; with `dry_run` only say what
    would change. `file` is named where the plan cannot be meant. Places follow after the commit (OpeningChanged).

    Raises OfficeFileUnusable (naming the key).
    """
    try:
        with transaction() as tx:
            try:
                loaded = _Loader(tx, plan, by, now).load()
            except OfficeFileUnusable as refused:
                raise OfficeFileUnusable(file=file, **refused.facts) from refused
            except (KeyError, TypeError, ValueError) as error:
                raise OfficeFileUnusable(file=file, fault=f"{type(error).__name__}: {error}") from error
            if dry_run:
                raise _OnlyLooked(loaded)
            record(tx, now, by, "office.load", None, office=loaded.code)
            tx.publish(OpeningChanged(loaded.id, business_date(now), None))
            return loaded
    except _OnlyLooked as looked:
        return looked.loaded


def set_policy(
    office_id: int, pool: str | None, key: str, value: Any, valid_from: date, by: str, now: datetime
) -> None:
    """Another value from a day on, of the office or of one of its pools; the same day's older value is replaced.

    Raises UnknownPolicy, UnknownPool. Places follow with the next sweep, or when they are made before (PolicyChanged).
    """
    (check_value if pool is None else check_pool_value)(key, value)
    with transaction() as tx:
        row: Policy | PoolPolicy
        if pool is None:
            row = Policy(office_id=office_id, valid_from=valid_from, key=key, value=value, by=by)
        else:
            pool_id = tx.session.scalar(select(Pool.id).where(Pool.office_id == office_id, Pool.name == pool))
            if pool_id is None:
                raise UnknownPool(pool=pool[:40])
            row = PoolPolicy(pool_id=pool_id, valid_from=valid_from, key=key, value=value, by=by)
        tx.session.merge(row)
        facts = {"office": office_id, "pool": pool, "key": key, "value": value, "from": valid_from.isoformat()}
        record(tx, now, by, "policy.set", None, **facts)
        tx.publish(PolicyChanged(office_id, max(valid_from, business_date(now))))


@dataclass(frozen=True)
class OfferEdit:
    """What staff may change of a service at an office; short name and documents are alike at all offices."""

    short: dict[str, str]
    minutes: tuple[int, ...]  # of each step, in their order
    modes: frozenset[Mode]
    valid_from: date | None
    valid_to: date | None
    documents: Documents


class OfferUnusable(Invalid):
    """A service cannot be offered so; `field` names what is wrong."""

    code = "offer_unusable"


def edit_offer(office_id: int, service_code: str, edit: OfferEdit, by: str, now: datetime) -> None:
    """Change how an office offers a service. The work list follows its validity after the commit (OpeningChanged).

    Raises UnknownService, OfferUnusable.
    """
    with transaction() as tx:
        offer = offer_by_code(tx.session, office_id, service_code)
        steps = steps_of(tx.session, office_id)[offer.service_id]
        _check_edit(edit, len(steps))
        offer.service.short_ja, offer.service.short_en = edit.short["ja"], edit.short["en"]
        offer.service.documents = edit.documents
        if (offer.valid_from, offer.valid_to) != (edit.valid_from, edit.valid_to):
            tx.publish(OpeningChanged(office_id, business_date(now), None))
        offer.modes, offer.valid_from, offer.valid_to = edit.modes, edit.valid_from, edit.valid_to
        for step, minutes in zip(steps, edit.minutes, strict=True):
            step.minutes = minutes
        record(tx, now, by, "service.edit", None, service=service_code)


def _check_edit(edit: OfferEdit, steps: int) -> None:
    sentences = [text for case in edit.documents.values() for sentence in case for text in sentence.values()]
    wrong = {
        "letters": not all(may_be_kept(text) for text in (*edit.short.values(), *sentences)),
        "short": not all(1 <= len(text) <= 40 for text in edit.short.values()),
        "minutes": len(edit.minutes) != steps or not all(1 <= n <= 480 for n in edit.minutes),
        "modes": not edit.modes,
        "validity": bool(edit.valid_from and edit.valid_to and edit.valid_to < edit.valid_from),
        "documents": not all(1 <= len(text) <= LONGEST_SENTENCE for text in sentences),
    }
    if field := next((name for name, is_wrong in wrong.items() if is_wrong), None):
        raise OfferUnusable(field=field)


class _Loader:
    """Writes the rows of one plan, from what stands alone to what hangs on it."""

    def __init__(self, tx: Transaction, plan: dict[str, Any], by: str, now: datetime) -> None:
        self.tx, self.session, self.plan, self.by, self.now = tx, tx.session, plan, by, now
        self.today = business_date(now)

    def load(self) -> OfficeLoaded:
        refuse_unkept(self.plan)
        top = Row(self.plan, "", _TOP)
        code = top.code("code")
        office = self.session.scalar(locked(select(Office).where(Office.code == code)))
        new = office is None
        before = set() if office is None else self._said(office)
        if office is None:
            office = Office(uid=new_uid(self.now), code=code)
        names = top.names("name")
        office.name_ja, office.name_en, office.tel = names["ja"], names["en"], top.text("tel", longest=20)
        self.session.add(office)
        self.session.flush()
        if new:
            self.session.add(Feed(office_id=office.id, sequence=0))
        self._policy(office, new)
        windows, services = ServicePlan(self.tx, office.id, self.plan, self.by, self.now).apply()
        self._opening(office, new)
        after = self._said(office)
        lines = sorted(
            [f"- {line}" for line in before - after] + [f"+ {line}" for line in after - before], key=_by_text
        )
        return OfficeLoaded(office.id, office.code, windows, services, tuple(lines))

    def _policy(self, office: Office, new: bool) -> None:
        """What the file does not name stays as it is."""
        standing = policy_on(self.session, office.id, self.today)
        stated = Row(self.plan.get("policy", {}), "policy", OfficePolicy.__dataclass_fields__)
        for key, value in stated.values.items():
            try:
                check_value(key, value)
            except UnknownPolicy:
                fault = "docs/offices.md names the keys and what each may be"
                raise OfficeFileUnusable(key=f"policy.{key}", fault=fault) from None
            if new or getattr(standing, key) != value:
                since = date(2000, 1, 1) if new else self.today
                self.session.merge(Policy(office_id=office.id, valid_from=since, key=key, value=value, by=self.by))
        self.session.flush()

    def _opening(self, office: Office, new: bool) -> None:
        offered = [offer.service.code for offer in offers_of(self.session, office.id)]
        wanted = rules_in(self.plan.get("opening"), offered)
        standing = calendar_of(self.session, office.id).rules
        apply_change(self.tx, office, RuleChange(tuple(wanted)) if new else reloaded(standing, wanted, self.today))

    def _said(self, office: Office) -> set[str]:
        """All that a file says of an office as it stands, a line each."""
        session, today = self.session, self.today
        offers = [o for o in offers_of(session, office.id) if o.valid_to is None or o.valid_to >= today]
        steps = steps_of(session, office.id)
        lines = {f"name: {office.name_ja} / {office.name_en}", f"tel: {office.tel}"}
        lines |= {f"policy {key}: {value}" for key, value in asdict(policy_on(session, office.id, today)).items()}
        for lane, series in ranges_of(session, office.id):
            lines.add(f"lane {lane.code}: {lane.name_ja} / {lane.name_en}, {series.first}-{series.last}")
        for offer in offers:
            service = offer.service
            ways = ", ".join(sorted(mode.value for mode in offer.modes))
            lines.add(f"service {service.code}: {service.name_ja} / {service.name_en}, by {ways}")
            for step in steps[service.id]:
                terminal = f", terminal {step.terminal_kind}" if step.terminal_kind else ""
                ready = ", ready first" if step.ready_first else ""
                words = f"lane {step.lane.code}, {step.minutes} minutes{terminal}{ready}"
                lines.add(f"service {service.code} step {step.position}: {words}")
        for pool in pools_of(session, office.id):
            values = ", ".join(
                f"{key} {value}" for key, value in sorted(pool_values_on(session, pool.id, today).items())
            )
            lines.add(f"pool {pool.name}: {pool.kind.value}" + (f", {values}" if values else ""))
        for window in windows_of(session, office.id):
            codes = ", ".join(service.code for service in services_of_window(session, window.id)) or "nothing"
            own = ", ".join(lane.code for lane in own_lanes_of_window(session, window.id))
            lines.add(f"window {window.number}: {codes}" + (f"; lanes {own}" if own else ""))
        rules = calendar_of(session, office.id).rules
        return lines | {f"opening: {line_of(rule)}" for rule in rules if not is_over(rule, today)}


_TOP = ("code", "name", "tel", "policy", "opening", *PARTS)


def _by_text(line: str) -> tuple[str, bool]:
    """What goes stands before what comes instead."""
    return line[2:].partition(":")[0], line.startswith("+")
