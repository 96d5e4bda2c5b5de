"""Entry points for offices: load an office from its file."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.audit import record
from server.db import Transaction, new_uid, transaction
from server.errors import Conflict, Invalid, NotFound
from server.offices.models import (
    Feed,
    Lane,
    Office,
    OpeningRule,
    Policy,
    Pool,
    PoolKind,
    PoolPolicy,
    PoolWindow,
    Series,
    Service,
    ServiceStep,
    ServiceUse,
    Window,
    WindowService,
)
from server.offices.opening_rules import RuleKind, bits_of
from server.offices.policy import WEEKDAYS, check_pool_value, check_value


class OfficeFileUnusable(Invalid):
    """The office's file says something that cannot be meant."""

    code = "office_file"


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


def read_office_file(path: Path) -> dict[str, Any]:
    """The parsed TOML of an office's file. Raises OfficeFileUnusable naming file and fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OfficeFileUnusable(file=str(path), fault=str(error)) from error


def load_office(plan: dict[str, Any], by: str, now: datetime) -> OfficeLoaded:
    """Set up one office from a plan (format: docs/offices.md).

    Raises OfficeExists, OfficeFileUnusable (naming the key), ChangedMeanwhile (a constraint, e.g. crossed hours).
    """
    with transaction() as tx:
        if tx.session.scalar(select(Office.id).where(Office.code == plan.get("code"))):
            raise OfficeExists(office=plan["code"])
        try:
            loaded = _Loader(tx, plan, by, now).load()
        except (KeyError, TypeError, ValueError) as error:
            raise OfficeFileUnusable(fault=f"{type(error).__name__}: {error}") from error
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


class _Loader:
    """Writes the rows of one plan, from what stands alone to what hangs on it."""

    def __init__(self, tx: Transaction, plan: dict[str, Any], by: str, now: datetime) -> None:
        self.session, self.plan, self.by, self.now = tx.session, plan, by, now

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
        pool = Pool(office_id=self.office.id, kind=PoolKind.WINDOWS, name=plan.get("pool", "窓口"))
        self.session.add(pool)
        self.session.flush()
        lanes = self._lanes()
        services = self._services(lanes, pool)
        windows = self._windows(services, pool)
        return OfficeLoaded(self.office.id, self.office.code, windows, len(services))

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

    def _lanes(self) -> dict[str, Lane]:
        lanes = {}
        for row in self.plan["lanes"]:
            lane = Lane(
                office_id=self.office.id,
                code=row["code"],
                name_ja=row["name"]["ja"],
                name_en=row["name"]["en"],
            )
            self.session.add(lane)
            self.session.flush()
            self.session.add(Series(lane_id=lane.id, device_id=None, first=row["first"], last=row["last"]))
            lanes[lane.code] = lane
        return lanes

    def _services(self, lanes: dict[str, Lane], pool: Pool) -> dict[str, Service]:
        services = {}
        for row in self.plan["services"]:
            service = self.session.scalar(select(Service).where(Service.code == row["code"]))
            if service is None:
                service = Service(
                    code=row["code"],
                    name_ja=row["name"]["ja"],
                    name_en=row["name"]["en"],
                    minutes=row.get("minutes", 15),
                )
                self.session.add(service)
                self.session.flush()
            key = {"service_id": service.id, "office_id": self.office.id}
            self.session.add(ServiceUse(**key, pool_id=pool.id, units=row.get("units", 1)))
            self.session.add(
                ServiceStep(
                    **key,
                    position=1,
                    lane_id=lanes[row["lane"]].id,
                    terminal_kind=None,
                    minutes=service.minutes,
                )
            )
            self.session.flush()
            services[service.code] = service
        return services

    def _windows(self, services: dict[str, Service], pool: Pool) -> int:
        for row in self.plan["windows"]:
            window = Window(office_id=self.office.id, number=row["number"])
            self.session.add(window)
            self.session.flush()
            for code in row.get("services", list(services)):
                self.session.add(WindowService(window_id=window.id, service_id=services[code].id))
            self.session.add(
                PoolWindow(pool_id=pool.id, window_id=window.id, valid_from=date(2000, 1, 1), valid_to=None)
            )
        self.session.flush()
        return len(self.plan["windows"])


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
