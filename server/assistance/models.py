"""Table of the calls for staff."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.auth.models import Device
from server.db import Base, BigId


class StaffCall(Base):
    """職員呼出: open until somebody takes it. A kiosk has one open call of a kind; asking again renews its time."""

    __tablename__ = "staff_calls"
    __table_args__ = (
        CheckConstraint("(taken_at IS NULL) = (taken_by IS NULL)", name="taken"),
        Index(
            "uq_staff_calls_open",
            "kiosk_id",
            "reason",
            unique=True,
            sqlite_where=text("taken_at IS NULL"),
            postgresql_where=text("taken_at IS NULL"),
        ),
        Index(None, "office_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    kiosk_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    reason: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str | None] = mapped_column(String(80))

    kiosk: Mapped[Device] = relationship()
