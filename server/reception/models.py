"""Table of what was printed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from madoguchi.wire import Outcome
from server.db import Base, BigId, enum_type


class PrintJob(Base):
    """One paper. Until the kiosk has reported, its outcome is unknown, and that is a state of its own.

    `by_staff`: asked for at the desk; the kiosk learns of it when it asks how things stand.
    """

    __tablename__ = "print_jobs"
    __table_args__ = (Index(None, "kiosk_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    kiosk_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    sha256: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[Outcome] = mapped_column(enum_type(Outcome), default=Outcome.UNKNOWN)
    at: Mapped[datetime]
    by_staff: Mapped[bool] = mapped_column(default=False)
