"""Entry points for offices: load an office from its file."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from server.audit import record
from server.db import Transaction, new_uid, transaction
from server.errors import Conflict, Invalid, NotFound
from server.offices.models import Feed, Office, OpeningRule, Policy, Pool, PoolPolicy
from server.offices.office_file import OfficeFileUnusable
from server.offices.opening_rules import RuleKind, bits_of
from server.offices.policy import WEEKDAYS, check_pool_value, check_value
from server.offices.queries import offer_by_code, steps_of
from server.offices.service_plan import LONGEST_SENTENCE, ServicePlan
from server.offices.service_rules import Documents, Mode


class OfficeExists(Conflict):
    """An office with this code is there already."""

    code = "office_exists"


class UnknownPool(NotFound):
    """The office has no pool of this name."""

    code = "unknown_pool"


@dataclass(frozen=True)
class OfficeLoaded:
    """What was made of a file."""

    id: int
    code: str
    windows: int
    services: int


def load_office(plan: dict[str, Any], by: str, now: datetime, file: str = "") -> OfficeLoaded:
    """Set up one office from a plan (format: docs/offices.md); `file` is named where the plan cannot be meant.

    Raises OfficeExists, OfficeFileUnusable (naming the key), ChangedMeanwhile (a constraint, e.g. crossed hours).
    """
    with transaction() as tx:
        if tx.session.scalar(select(Office.id).where(Office.code == plan.get("code"))):
            raise OfficeExists(office=plan["code"])
        try:
            loaded = _Loader(tx, plan, by, now).load()
        except OfficeFileUnusable as refused:
            raise OfficeFileUnusable(file=file, **refused.facts) from refused
        except (KeyError, TypeError, ValueError) as error:
            raise OfficeFileUnusable(file=file, fault=f"{type(error).__name__}: {error}") from error
        record(tx, now, by, "office.load", None, office=loaded.code)
        return loaded


def set_policy(
    office_id: int, pool: str | None, key: str, value: Any, valid_from: date, by: str, now: datetime
) -> None:
    """Another value from a day on, of the office or of one of its pools; the same day's older value is replaced.

    Raises UnknownPolicy, UnknownPool. Places follow when they are made again (`booking/places.py: make_slots`).
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
    """Change how an office offers a service. Raises UnknownService, OfferUnusable."""
    with transaction() as tx:
        offer = offer_by_code(tx.session, office_id, service_code)
        steps = steps_of(tx.session, office_id)[offer.service_id]
        _check_edit(edit, len(steps))
        offer.service.short_ja, offer.service.short_en = edit.short["ja"], edit.short["en"]
        offer.service.documents = edit.documents
        offer.modes, offer.valid_from, offer.valid_to = edit.modes, edit.valid_from, edit.valid_to
        for step, minutes in zip(steps, edit.minutes, strict=True):
            step.minutes = minutes
        record(tx, now, by, "service.edit", None, service=service_code)


def _check_edit(edit: OfferEdit, steps: int) -> None:
    sentences = [text for case in edit.documents.values() for sentence in case for text in sentence.values()]
    wrong = {
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

    def load(self) -> OfficeLoaded:
        plan = self.plan
        self.office = Office(
            uid=new_uid(self.now),
            code=plan["code"],
            name_ja=plan["name"]["ja"],
            name_en=plan["name"]["en"],
            tel=plan["tel"],
        )
        self.session.add(self.office)
        self.session.flush()
        self.session.add(Feed(office_id=self.office.id, sequence=0))
        self._policy()
        self._opening()
        windows, services = ServicePlan(self.tx, self.office.id, plan, self.by, self.now).apply()
        return OfficeLoaded(self.office.id, self.office.code, windows, services)

    def _policy(self) -> None:
        for key, value in self.plan.get("policy", {}).items():
            check_value(key, value)
            self.session.add(
                Policy(office_id=self.office.id, valid_from=date(2000, 1, 1), key=key, value=value, by=self.by)
            )

    def _opening(self) -> None:
        for row in self.plan["opening"]:
            for when in row["days"]:
                self.session.add(OpeningRule(office_id=self.office.id, **_when(when), **_hours(row)))


def _when(text: str) -> dict[str, Any]:
    if text in WEEKDAYS:
        return {"kind": RuleKind.WEEKLY, "weekdays": bits_of([WEEKDAYS.index(text)], first=0)}
    return {"kind": RuleKind.DATED, "on_date": date.fromisoformat(text)}


def _hours(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("closed"):
        return {"closed": True, "reason": row.get("reason", "")}
    closes = _minute(row["closes"])
    return {
        "opens": _minute(row["opens"]),
        "closes": closes,
        "last_booked": _minute(row["last_booked"]) if "last_booked" in row else closes,
        "last_walk_in": _minute(row["last_walk_in"]) if "last_walk_in" in row else closes,
        "reason": row.get("reason", ""),
    }


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
