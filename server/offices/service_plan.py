"""Makes lanes, pools, terminals, services and windows of an office what its file says (format: docs/offices.md).

Rows are found again by code, number or name and brought up to date. Nothing that people, places or numbers hang on is
deleted: what the file no longer names ends with yesterday. What the file does not state about a service that is there
already, and what staff may have written on its page, stays as it is.
"""

import tomllib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, or_, select

from madoguchi.pictures import PICTURES
from madoguchi.wire import Task
from server.clock import business_date
from server.db import Transaction
from server.offices.models import (
    Lane,
    OfficeService,
    Pool,
    PoolKind,
    PoolPolicy,
    PoolWindow,
    Series,
    Service,
    ServiceStep,
    ServiceUse,
    Terminal,
    Window,
    WindowLane,
    WindowService,
)
from server.offices.office_file import OfficeFileUnusable, Row, names_in
from server.offices.policy import POOL_KEYS, UnknownPolicy, check_pool_value
from server.offices.queries import pool_values_on
from server.offices.service_rules import CASES, Documents, Mode

PRESETS: Final = Path(__file__).parent / "presets.toml"
PARTS: Final = ("pools", "terminals", "lanes", "services", "windows")
"""The parts of an office's file that are read here."""

WINDOWS_POOL: Final = "窓口"
ALWAYS: Final = date(2000, 1, 1)
MINUTES: Final = 15
LONGEST_SENTENCE: Final = 200

_POOL = ("name", "kind", *sorted(POOL_KEYS))
_TERMINAL = ("kind", "name")
_LANE = ("code", "name", "first", "last")
_STEP = ("lane", "terminal", "ready_first", "minutes")
_SERVICE = (
    *("preset", "code", "name", "short", "picture", "lane", "minutes", "steps", "units", "pools"),
    *("booking", "legal_deadline", "tasks", "valid_from", "valid_to", "documents"),
)
_WINDOW = ("number", "services", "lanes", "pool", "valid_from", "valid_to")


@cache
def presets() -> dict[str, dict[str, Any]]:
    """The services of a Japanese counter, by code, as an office's file would write them."""
    return tomllib.loads(PRESETS.read_text(encoding="utf-8"))


class ServicePlan:
    """The services of one office and what they need, within one transaction."""

    def __init__(self, tx: Transaction, office_id: int, plan: dict[str, Any], by: str, now: datetime) -> None:
        self.session, self.office_id, self.plan, self.by = tx.session, office_id, plan, by
        self.today = business_date(now)
        self.yesterday = self.today - timedelta(days=1)

    def apply(self) -> tuple[int, int]:
        """Write everything; gives the numbers of windows and services. Raises OfficeFileUnusable."""
        pools = self._pools()
        terminals = self._terminals()
        lanes = self._lanes()
        services = self._services(pools, terminals, lanes)
        windows = self._windows(services, pools, lanes)
        self.session.flush()
        return windows, len(services)

    def _rows(self, part: str, known: tuple[str, ...], key: str, *, needed: bool = True) -> list[Row]:
        """The tables of a part; no two may have the same key."""
        rows = Row.all_of(self.plan.get(part, [] if not needed else None), part, known)
        if needed and not rows:
            raise OfficeFileUnusable(key=part, fault=f"write at least one [[{part}]]")
        keys = [row.values.get(key) for row in rows]
        for n, row in enumerate(rows):
            if keys[n] is not None and keys[n] in keys[:n]:
                raise row.fault(key, "stands here twice; write each once")
        return rows

    # Pools, terminals, lanes

    def _pools(self) -> dict[str, Pool]:
        rows = self._rows("pools", _POOL, "name", needed=False)
        rows = rows or [Row({"name": WINDOWS_POOL, "kind": "windows"}, "pools", _POOL)]
        standing = {pool.name: pool for pool in self.session.scalars(self._mine(Pool))}
        pools = {}
        for row in rows:
            kind = PoolKind(row.one_of("kind", [kind.value for kind in PoolKind]))
            if kind is PoolKind.WINDOWS and "size" in row:
                raise row.fault("size", "leave it out: windows are counted by themselves")
            if kind is not PoolKind.WINDOWS:
                row.number("size", most=1000)
            pool = standing.get(row.text("name"))
            if pool is None:
                pool = Pool(office_id=self.office_id, name=row.text("name"), kind=kind)
                self.session.add(pool)
                self.session.flush()
            elif pool.kind is not kind:
                raise row.fault("kind", f"is {pool.kind.value} already; give a pool of another kind another name")
            self._pool_values(row, pool)
            pools[pool.name] = pool
        return pools

    def _pool_values(self, row: Row, pool: Pool) -> None:
        """What the pool says for itself, dated from today where it says otherwise than until now."""
        known = pool_values_on(self.session, pool.id, self.today)
        for key in POOL_KEYS & set(row.values):
            value = row.values[key]
            try:
                check_pool_value(key, value)
            except UnknownPolicy:
                raise row.fault(key, "write a value that docs/offices.md allows") from None
            if known.get(key) != value:
                since = self.today if known else ALWAYS
                self.session.merge(PoolPolicy(pool_id=pool.id, valid_from=since, key=key, value=value, by=self.by))

    def _terminals(self) -> set[str]:
        rows = self._rows("terminals", _TERMINAL, "name", needed=False)
        standing = {(t.kind, t.name): t for t in self.session.scalars(self._mine(Terminal))}
        wanted = {(row.text("kind", longest=20), row.text("name")) for row in rows}
        for kind, name in sorted(wanted - set(standing)):
            self.session.add(Terminal(office_id=self.office_id, kind=kind, name=name))
        for key, terminal in standing.items():
            terminal.valid_to = None if key in wanted else terminal.valid_to or self.yesterday
        return {kind for kind, _ in wanted}

    def _lanes(self) -> dict[str, Lane]:
        rows = self._rows("lanes", _LANE, "code")
        self._refuse_shared_numbers(rows)
        standing = {lane.code: lane for lane in self.session.scalars(self._mine(Lane))}
        lanes = {}
        for row in rows:
            code, names = row.text("code"), row.names("name", longest=40)
            lane = standing.get(code) or Lane(office_id=self.office_id, code=code)
            lane.name_ja, lane.name_en = names["ja"], names["en"]
            self.session.add(lane)
            self.session.flush()
            own = select(Series).where(Series.lane_id == lane.id, Series.device_id.is_(None))
            series = self.session.scalar(own) or Series(lane_id=lane.id, device_id=None)
            series.first, series.last = row.number("first", most=99999), row.number("last", most=99999)
            self.session.add(series)
            lanes[code] = lane
        return lanes

    def _refuse_shared_numbers(self, rows: Iterable[Row]) -> None:
        """One number on the board must not call two people."""
        ranges = [(row, row.number("first", most=99999), row.number("last", most=99999)) for row in rows]
        for row, first, last in ranges:
            if first > last:
                raise row.fault("last", "write a number that is not below `first`")
        for (one, first, last), (other, begins, ends) in combinations(ranges, 2):
            if begins <= last and first <= ends:
                raise other.fault("first", f"its numbers are also those of {one.where}; write other numbers")

    # Services

    def _services(self, pools: dict[str, Pool], terminals: set[str], lanes: dict[str, Lane]) -> dict[str, Service]:
        offers = {
            offer.service.code: offer for offer in self.session.scalars(self._mine(OfficeService)) if offer.service
        }
        services = {}
        for position, row in enumerate(self._rows("services", _SERVICE, "code"), start=1):
            preset = presets()[row.one_of("preset", presets())] if "preset" in row else {}
            code = row.text("code", row.values.get("preset"))
            if code in services:
                raise row.fault("code", f"{code} stands here twice; write each service once")
            service = self._service(row, code, preset)
            self._offer(row, preset, service, offers.get(code), position)
            self._steps(row, preset, service, lanes, terminals)
            self._uses(row, service, pools)
            services[code] = service
        for code, offer in offers.items():
            if code not in services:
                self._end(offer)
        return services

    def _service(self, row: Row, code: str, preset: dict[str, Any]) -> Service:
        """The service itself, which all offices share: the file changes only what it states."""
        service = self.session.scalar(select(Service).where(Service.code == code))
        new = service is None
        if service is None:
            service = Service(code=code)
            self.session.add(service)
        if new or "name" in row:
            names = row.names("name", preset.get("name"))
            service.name_ja, service.name_en = names["ja"], names["en"]
        if new or "short" in row:
            short = row.names("short", preset.get("short", preset.get("name") or row.values.get("name")), longest=40)
            service.short_ja, service.short_en = short["ja"], short["en"]
        if new or "picture" in row:
            service.picture = row.one_of("picture", PICTURES, preset.get("picture", "other"))
        if new or "legal_deadline" in row:
            service.legal_deadline = row.truth("legal_deadline", preset.get("legal_deadline", False))
        if new or "tasks" in row:
            service.tasks = row.some_of("tasks", list(Task), preset.get("tasks", ()))
        if new or "documents" in row:
            wanted = row.values.get("documents", preset.get("documents", {}))
            service.documents = documents_in(wanted, f"{row.where}.documents")
        self.session.flush()
        return service

    def _offer(
        self, row: Row, preset: dict[str, Any], service: Service, offer: OfficeService | None, position: int
    ) -> None:
        new = offer is None
        if offer is None:
            offer = OfficeService(office_id=self.office_id, service_id=service.id)
            self.session.add(offer)
        offer.position = position
        if new or "booking" in row:
            default = preset.get("booking", [Mode.NOTICE, Mode.PHONE, Mode.WALK_IN])
            modes = row.some_of("booking", list(Mode), default)
            if not modes:
                raise row.fault("booking", f"write at least one of {', '.join(Mode)}")
            offer.modes = [Mode(mode) for mode in modes]
        if new or "valid_from" in row:
            offer.valid_from = row.day("valid_from")
        if new or "valid_to" in row:
            offer.valid_to = row.day("valid_to")
        if offer.valid_from and offer.valid_to and offer.valid_to < offer.valid_from:
            raise row.fault("valid_to", "write a day that is not before valid_from")

    def _end(self, offer: OfficeService) -> None:
        """The file names this service no more."""
        offer.valid_to = min(offer.valid_to or self.yesterday, self.yesterday)
        if offer.valid_from and offer.valid_from > offer.valid_to:
            offer.valid_from = offer.valid_to

    def _steps(
        self, row: Row, preset: dict[str, Any], service: Service, lanes: dict[str, Lane], terminals: set[str]
    ) -> None:
        if "steps" in row and ("lane" in row or "minutes" in row):
            raise row.fault("steps", "write either steps or lane and minutes")
        only = {key: row.values[key] for key in ("lane", "minutes") if key in row}
        stated = row.values["steps"] if "steps" in row else [only]
        mine = (ServiceStep.service_id == service.id, ServiceStep.office_id == self.office_id)
        standing = {step.position: step for step in self.session.scalars(select(ServiceStep).where(*mine))}
        rows = Row.all_of(stated, f"{row.where}.steps", _STEP) if "steps" in row else [Row(only, row.where, _STEP)]
        if not rows:
            raise row.fault("steps", "write at least one step")
        for position, one in enumerate(rows, start=1):
            step = standing.pop(position, None)
            before = step.minutes if step is not None else preset.get("minutes", MINUTES)
            step = step or ServiceStep(service_id=service.id, office_id=self.office_id, position=position)
            step.lane_id = lanes[one.one_of("lane", lanes)].id
            step.terminal_kind = one.one_of("terminal", sorted(terminals)) if "terminal" in one else None
            step.ready_first = one.truth("ready_first", False)
            step.minutes = one.number("minutes", before, most=480)
            self.session.add(step)
        for step in standing.values():
            self.session.delete(step)
        self.session.flush()

    def _uses(self, row: Row, service: Service, pools: dict[str, Pool]) -> None:
        """What one person takes: of the first pool, or of each that the file names."""
        if "pools" in row and "units" in row:
            raise row.fault("units", "write either units or pools")
        if "pools" in row:
            taken = Row(row.values["pools"], f"{row.where}.pools", list(pools))
            units = {pools[name].id: taken.number(name, most=99) for name in taken.values}
            if not units:
                raise row.fault("pools", 'write at least one pool with its units, as { "窓口" = 1 }')
        else:
            units = {next(iter(pools.values())).id: row.number("units", 1, most=99)}
        mine = (ServiceUse.service_id == service.id, ServiceUse.office_id == self.office_id)
        standing = {use.pool_id: use for use in self.session.scalars(select(ServiceUse).where(*mine))}
        for pool_id, n in units.items():
            use = standing.pop(pool_id, None)
            if use is None:
                use = ServiceUse(service_id=service.id, office_id=self.office_id, pool_id=pool_id)
                self.session.add(use)
            use.units = n
        for use in standing.values():
            self.session.delete(use)

    # Windows

    def _windows(self, services: dict[str, Service], pools: dict[str, Pool], lanes: dict[str, Lane]) -> int:
        rows = self._rows("windows", _WINDOW, "number")
        of_windows = {name: pool for name, pool in pools.items() if pool.kind is PoolKind.WINDOWS}
        standing = {window.number: window for window in self.session.scalars(self._mine(Window))}
        first_time = not standing
        for row in rows:
            number = row.number("number")
            window = standing.pop(number, None) or Window(office_id=self.office_id, number=number)
            self.session.add(window)
            self.session.flush()
            codes = row.some_of("services", services, services)
            self._calls_for(window, {services[code].id for code in codes}, {s.id for s in services.values()})
            self._calls_from(window, {lanes[code].id for code in row.some_of("lanes", lanes, ())})
            pool = of_windows[row.one_of("pool", of_windows, next(iter(of_windows), None))]
            self._stands_in(window, pool, row, ALWAYS if first_time else self.today)
        for number, window in standing.items():
            if window.is_open:
                raise OfficeFileUnusable(
                    key="windows", fault=f"window {number} is left out but open now; close it first, or keep it"
                )
            self.session.execute(delete(WindowService).where(WindowService.window_id == window.id))
            self._leaves_pools(window)
        return len(rows)

    def _calls_for(self, window: Window, wanted: set[int], named: set[int]) -> None:
        """A service that has ended stays with its windows: people may still wait for it."""
        mine = WindowService.window_id == window.id
        standing = set(self.session.scalars(select(WindowService.service_id).where(mine)))
        gone = (standing - wanted) & named
        self.session.execute(delete(WindowService).where(mine, WindowService.service_id.in_(gone)))
        for service_id in sorted(wanted - standing):
            self.session.add(WindowService(window_id=window.id, service_id=service_id))

    def _calls_from(self, window: Window, wanted: set[int]) -> None:
        """The lanes that are its own; none for all of its services."""
        mine = WindowLane.window_id == window.id
        self.session.execute(delete(WindowLane).where(mine))
        self.session.add_all([WindowLane(window_id=window.id, lane_id=lane) for lane in sorted(wanted)])

    def _stands_in(self, window: Window, pool: Pool, row: Row, since: date) -> None:
        current = self._current_pool(window)
        if current is not None and current.pool_id == pool.id:
            current.valid_to = row.day("valid_to") if "valid_to" in row else current.valid_to
            return
        self._leaves_pools(window)
        valid_from = row.day("valid_from") or since
        self.session.merge(
            PoolWindow(pool_id=pool.id, window_id=window.id, valid_from=valid_from, valid_to=row.day("valid_to"))
        )

    def _leaves_pools(self, window: Window) -> None:
        current = self._current_pool(window)
        if current is not None:
            current.valid_to = self.yesterday
            self.session.flush()

    def _current_pool(self, window: Window) -> PoolWindow | None:
        """Where the window stands today or will stand."""
        open_end = or_(PoolWindow.valid_to.is_(None), PoolWindow.valid_to >= self.today)
        return self.session.scalar(select(PoolWindow).where(PoolWindow.window_id == window.id, open_end))

    def _mine(self, kind: Any) -> Any:
        return select(kind).where(kind.office_id == self.office_id)


def documents_in(value: object, where: str) -> Documents:
    """Lists of documents by case, as the file writes them. Raises OfficeFileUnusable."""
    cases = Row(value, where, CASES)
    documents: Documents = {}
    for case, sentences in cases.values.items():
        if not isinstance(sentences, list):
            raise cases.fault(case, 'write a list of { ja = "…", en = "…" }')
        documents[case] = [
            names_in(sentence, f"{where}.{case}[{n}]", LONGEST_SENTENCE) for n, sentence in enumerate(sentences, 1)
        ]
    return {case: documents[case] for case in CASES if documents.get(case)}
