"""Tables of the office: windows, pools, services, lanes, opening rules, policy."""

from collections.abc import Collection
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.db import Base, BigId, enum_type
from server.offices.opening_rules import HolidayKind, OnClosedWeekday, RuleKind
from server.offices.service_rules import Documents, Mode


class Office(Base):
    """庁舎・支所: a place with windows."""

    __tablename__ = "offices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_ja: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    tel: Mapped[str] = mapped_column(String(20))
    zone: Mapped[str] = mapped_column(String(40), default="Asia/Tokyo")

    @property
    def names(self) -> dict[str, str]:
        """The office's name by language."""
        return {"ja": self.name_ja, "en": self.name_en}


class Policy(Base):
    """One dated value of an office's policy; the newest one that is valid counts (`offices/policy.py`)."""

    __tablename__ = "policies"

    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(80))


class PoolPolicy(Base):
    """One dated value of a pool's own, before its office's (`offices/policy.py: POOL_KEYS`)."""

    __tablename__ = "pool_policies"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(80))


class OpeningRule(Base):
    """One session of opening hours, or a closure: a row of `opening_rules.Rule`, which says what the fields mean.

    Sets are bits (`opening_rules.bits_of`): weekdays with Monday lowest, n-ths (the sixth is the last one), months.
    """

    __tablename__ = "opening_rules"
    __table_args__ = (
        CheckConstraint("(kind IN ('dated', 'closure', 'outage')) = (on_date IS NOT NULL)", name="has_date"),
        CheckConstraint("until_date IS NULL OR until_date >= on_date", name="dates"),
        CheckConstraint("(kind = 'yearly') = (first_md IS NOT NULL)", name="yearly_has_days"),
        CheckConstraint("(first_md IS NULL) = (last_md IS NULL)", name="yearly_has_both_days"),
        CheckConstraint("first_md BETWEEN 101 AND 1231 AND last_md BETWEEN 101 AND 1231", name="yearly_days"),
        CheckConstraint("weekdays BETWEEN 0 AND 127", name="weekdays"),
        CheckConstraint("kind NOT IN ('weekly', 'nth') OR weekdays > 0", name="has_weekdays"),
        CheckConstraint("nth BETWEEN 0 AND 63 AND (kind <> 'nth' OR nth > 0)", name="nth"),
        CheckConstraint("months BETWEEN 0 AND 4095", name="months"),
        CheckConstraint("kind <> 'relative' OR (days_after <> 0 AND (weekdays = 0) = (nth = 0))", name="relative"),
        CheckConstraint("closed OR (opens >= 0 AND opens < closes AND closes <= 1440)", name="hours"),
        CheckConstraint(
            "closed OR (last_booked BETWEEN opens AND closes AND last_walk_in BETWEEN opens AND closes)",
            name="last_reception",
        ),
        CheckConstraint(
            "kind NOT IN ('closure', 'outage') OR (closed AND opens BETWEEN 0 AND 1439 AND closes BETWEEN 1 AND 1440"
            " AND (opens < closes OR until_date > on_date))",
            name="stretch",
        ),
        CheckConstraint("NOT (adds AND closed)", name="adds"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_from <= valid_to", name="validity"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    kind: Mapped[RuleKind] = mapped_column(enum_type(RuleKind))
    weekdays: Mapped[int] = mapped_column(default=0)
    nth: Mapped[int] = mapped_column(default=0)
    months: Mapped[int] = mapped_column(default=0)
    days_after: Mapped[int] = mapped_column(default=0)
    on_date: Mapped[date | None]
    until_date: Mapped[date | None]
    first_md: Mapped[int | None]
    last_md: Mapped[int | None]
    substitutes: Mapped[bool] = mapped_column(default=True)
    on_closed_weekday: Mapped[OnClosedWeekday | None] = mapped_column(enum_type(OnClosedWeekday))
    adds: Mapped[bool] = mapped_column(default=False)
    closed: Mapped[bool] = mapped_column(default=False)
    opens: Mapped[int] = mapped_column(default=0)
    closes: Mapped[int] = mapped_column(default=0)
    last_booked: Mapped[int] = mapped_column(default=0)
    last_walk_in: Mapped[int] = mapped_column(default=0)
    services: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(120), default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class HolidaySource(Enum):
    """Who says that a day is a holiday."""

    LIBRARY = "library"
    STAFF = "staff"


class PublicHoliday(Base):
    """国民の祝日・休日: one day; `counts` is false where staff struck out what the library says."""

    __tablename__ = "holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[HolidayKind] = mapped_column(enum_type(HolidayKind))
    source: Mapped[HolidaySource] = mapped_column(enum_type(HolidaySource))
    counts: Mapped[bool] = mapped_column(default=True)


class HolidayYear(Base):
    """Which version of the library a year of the table was last compared with, and where the two differed.

    `differences` holds [day, the library's name, the table's name]; an empty name is no holiday.
    """

    __tablename__ = "holiday_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    library: Mapped[str] = mapped_column(String(20))
    differences: Mapped[Any] = mapped_column(JSON)


class PoolKind(Enum):
    """What a pool's places stand for."""

    WINDOWS = "windows"
    STAFF = "staff"
    TERMINAL = "terminal"


class Pool(Base):
    """受入枠の単位: windows, staff or terminals that share their places."""

    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("office_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    kind: Mapped[PoolKind] = mapped_column(enum_type(PoolKind))
    name: Mapped[str] = mapped_column(String(40))


class Window(Base):
    """窓口: a numbered desk that calls people."""

    __tablename__ = "windows"
    __table_args__ = (UniqueConstraint("office_id", "number"), CheckConstraint("number > 0", name="number"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    number: Mapped[int]
    is_open: Mapped[bool] = mapped_column(default=False)
    opened_on: Mapped[date | None]
    clerk_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class PoolWindow(Base):
    """A window stands in exactly one capacity pool at a time."""

    __tablename__ = "pool_windows"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), primary_key=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]


class Service(Base):
    """手続: what a visit is for, alike at all offices."""

    __tablename__ = "services"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_ja: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    # For ticket, board and the kiosk's button.
    short_ja: Mapped[str] = mapped_column(String(40))
    short_en: Mapped[str] = mapped_column(String(40))
    picture: Mapped[str] = mapped_column(String(20))
    legal_deadline: Mapped[bool]
    # What to do while waiting: `madoguchi.wire.Task`, on the slip.
    tasks: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Only pages that say what to bring read it: a check-in need not carry it.
    documents: Mapped[Documents] = mapped_column(JSON, deferred=True)

    @property
    def names(self) -> dict[str, str]:
        """The service's name by language."""
        return {"ja": self.name_ja, "en": self.name_en}

    @property
    def short_names(self) -> dict[str, str]:
        """The service's short name by language."""
        return {"ja": self.short_ja, "en": self.short_en}


class OfficeService(Base):
    """取扱手続: a service as one office offers it – how people get to it, and from when to when."""

    __tablename__ = "office_services"
    __table_args__ = (
        CheckConstraint("by_notice OR by_anybody OR by_phone OR walk_in", name="some_way"),
        CheckConstraint("valid_from <= valid_to", name="validity"),
    )

    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True)
    position: Mapped[int]
    by_notice: Mapped[bool]
    by_anybody: Mapped[bool]
    by_phone: Mapped[bool]
    walk_in: Mapped[bool]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]

    service: Mapped[Service] = relationship()

    @property
    def modes(self) -> frozenset[Mode]:
        """How people get to it."""
        return frozenset(mode for mode in Mode if getattr(self, COLUMNS[mode]))

    @modes.setter
    def modes(self, modes: Collection[Mode]) -> None:
        for mode, column in COLUMNS.items():
            setattr(self, column, mode in modes)


COLUMNS = {Mode.NOTICE: "by_notice", Mode.OPEN: "by_anybody", Mode.PHONE: "by_phone", Mode.WALK_IN: "walk_in"}


class WindowService(Base):
    """Which services a window may call."""

    __tablename__ = "window_services"

    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True)


class WindowLane(Base):
    """Which lanes a window calls from; a window without any calls from all lanes of its services."""

    __tablename__ = "window_lanes"

    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), primary_key=True)
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"), primary_key=True)


class Terminal(Base):
    """統合端末: a shared terminal that limits a step, until it is taken away; one that `is_down` serves nobody now."""

    __tablename__ = "terminals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(40))
    valid_to: Mapped[date | None]
    is_down: Mapped[bool] = mapped_column(default=False)


class Lane(Base):
    """系統: a line with its own number range."""

    __tablename__ = "lanes"
    __table_args__ = (UniqueConstraint("office_id", "code"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    name_ja: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(40))

    @property
    def names(self) -> dict[str, str]:
        """The lane's name by language."""
        return {"ja": self.name_ja, "en": self.name_en}


class Series(Base):
    """番号の系列: the numbers a lane gives out online, or a kiosk's own when the server is away."""

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("first > 0 AND first <= last", name="range"),
        UniqueConstraint("lane_id", "device_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    first: Mapped[int]
    last: Mapped[int]


class ServiceStep(Base):
    """段階: one stop of a service in a lane; where `ready_first`, those who are ready (PIN chosen) are called first."""

    __tablename__ = "service_steps"
    __table_args__ = (
        UniqueConstraint("service_id", "office_id", "position"),
        CheckConstraint("minutes > 0", name="minutes"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    position: Mapped[int]
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"))
    terminal_kind: Mapped[str | None] = mapped_column(String(20))
    ready_first: Mapped[bool] = mapped_column(default=False)
    minutes: Mapped[int]

    lane: Mapped[Lane] = relationship()
    service: Mapped[Service] = relationship()


class ServiceUse(Base):
    """What one person of a service takes from a pool."""

    __tablename__ = "service_uses"
    __table_args__ = (CheckConstraint("units > 0", name="units"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"), primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), primary_key=True)
    units: Mapped[int]


class Feed(Base):
    """The office's board sequence: locked last, so that calls are committed in its order."""

    __tablename__ = "feeds"

    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
