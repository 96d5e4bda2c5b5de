"""Tables of the day: visits, tickets, steps, calls."""

from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from madoguchi.wire import CallKind
from server.db import Base, BigId, enum_type
from server.offices.models import Lane, Window
from server.queueing.rules import OPEN_STATES, Outcome, ParkedFor, StepClass, StepState


def _where(condition: str) -> dict[str, Any]:
    return {"unique": True, "sqlite_where": text(condition), "postgresql_where": text(condition)}


OPEN = ", ".join(f"'{state.value}'" for state in OPEN_STATES)


class Visit(Base):
    """来庁: one coming of one party."""

    __tablename__ = "visits"
    __table_args__ = (
        Index("uq_visits_live_booking", "booking_id", **_where("live")),
        Index(None, "office_id", "business_date"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    business_date: Mapped[date]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"), index=True)
    booked_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(default=0)
    arrived_at: Mapped[datetime]
    received_at: Mapped[datetime]
    origin: Mapped[str] = mapped_column(String(20))
    live: Mapped[bool] = mapped_column(default=True)

    people: Mapped[list["VisitPerson"]] = relationship(order_by="VisitPerson.position")
    tickets: Mapped[list["Ticket"]] = relationship(order_by="Ticket.id", back_populates="visit")
    steps: Mapped[list["VisitStep"]] = relationship(order_by="VisitStep.position", back_populates="visit")


class VisitPerson(Base):
    """One person of a visit; each ends alone."""

    __tablename__ = "visit_people"
    __table_args__ = (Index("uq_visit_people_live_notice", "notice_id", **_where("live")),)

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    booking_person: Mapped[int | None]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    case: Mapped[str] = mapped_column(String(20), default="self")
    # A further procedure of the person at that position: nobody more has come.
    further_of: Mapped[int | None]
    stops_done: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome))
    finished_at: Mapped[datetime | None]
    live: Mapped[bool] = mapped_column(default=True)


class TicketState(Enum):
    """Whether a ticket may be called."""

    LIVE = "live"
    VOID = "void"


class Ticket(Base):
    """番号札: the right to be called with a number. A number stands once a day in its series."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("series_id", "business_date", "number"),
        CheckConstraint("number > 0", name="number"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), index=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    business_date: Mapped[date]
    number: Mapped[int]
    issued_at: Mapped[datetime]
    kiosk_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    state: Mapped[TicketState] = mapped_column(enum_type(TicketState), default=TicketState.LIVE)

    visit: Mapped[Visit] = relationship(back_populates="tickets")


class NumberDay(Base):
    """当日の番号: where the next number of a series is kept."""

    __tablename__ = "number_days"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    next: Mapped[int]


class VisitStep(Base):
    """One stop of a visit in a lane; it carries the state of the ticket.

    `terminal_kind` is empty where no terminal is needed; `ready` is true where it does not matter. `told_*` are the
    minutes that were told when the step was entered: likely, and the range.
    """

    __tablename__ = "visit_steps"
    __table_args__ = (
        Index("uq_visit_steps_open_visit", "visit_id", **_where(f"state IN ({OPEN})")),
        Index("uq_visit_steps_busy_window", "window_id", **_where("state IN ('called', 'serving')")),
        Index("uq_visit_steps_busy_terminal", "terminal_id", **_where("state IN ('called', 'serving')")),
        Index(
            "ix_visit_steps_line",
            *("lane_id", "state", "terminal_kind", "ready", "class", "due_at", "entered_at", "id"),
        ),
        Index(None, "window_id", "state"),  # states are sent as parameters, which no partial index can serve
        CheckConstraint("state NOT IN ('called', 'serving') OR window_id IS NOT NULL", name="window"),
        CheckConstraint(
            "state NOT IN ('called', 'serving') OR terminal_kind = '' OR terminal_id IS NOT NULL", name="terminal"
        ),
        CheckConstraint("parked_for IS NULL OR state IN ('parked', 'void')", name="parked_for"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), index=True)
    position: Mapped[int]
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    state: Mapped[StepState] = mapped_column(enum_type(StepState), default=StepState.WAITING)
    step_class: Mapped[StepClass] = mapped_column("class", enum_type(StepClass))
    entered_at: Mapped[datetime]
    due_at: Mapped[datetime]
    terminal_kind: Mapped[str] = mapped_column(String(20), default="")
    ready: Mapped[bool] = mapped_column(default=True)
    ready_at: Mapped[datetime | None]
    first_called_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    calls: Mapped[int] = mapped_column(default=0)
    parked_for: Mapped[ParkedFor | None] = mapped_column(enum_type(ParkedFor))
    told_minutes: Mapped[int | None]
    told_least: Mapped[int | None]
    told_most: Mapped[int | None]
    window_id: Mapped[int | None] = mapped_column(ForeignKey("windows.id"))
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("terminals.id"))

    visit: Mapped[Visit] = relationship(back_populates="steps")
    lane: Mapped[Lane] = relationship()
    window: Mapped[Window | None] = relationship()


class Undoable(Base):
    """取り消せる操作: the newest act at a window that can be undone for a minute, and how everything stood before.

    `before` holds the step's `terminal` and `calls`; of a visit passed on `stops_done` by position and the `following`
    step; of an ending the positions that `ended`, their `notices` (id → state before, state after), and the
    `booking_people` (positions) that were live, if the booking was done with it.
    """

    __tablename__ = "undoable"

    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), primary_key=True)
    act: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    step_id: Mapped[int] = mapped_column(ForeignKey("visit_steps.id"))
    before: Mapped[Any] = mapped_column(JSON)


class Call(Base):
    """呼出: one calling of a ticket to a window, with its reason, in the office's sequence."""

    __tablename__ = "calls"

    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("visit_steps.id"), index=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"))
    number: Mapped[int]
    window_number: Mapped[int]
    kind: Mapped[CallKind] = mapped_column(enum_type(CallKind))
    reason: Mapped[Any] = mapped_column(JSON)
    at: Mapped[datetime]
