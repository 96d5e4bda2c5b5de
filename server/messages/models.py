"""Tables of what is to be sent."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId


class Contact(Base):
    """An optional way to reach somebody; deleted on the day named."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[str] = mapped_column(String(254))
    delete_on: Mapped[date] = mapped_column(index=True)


class OutboxMessage(Base):
    """A message written with the deed it tells of and sent after it."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime] = mapped_column(index=True)
    booking_uid: Mapped[UUID | None]
    facts: Mapped[Any] = mapped_column(JSON)
    sent_at: Mapped[datetime | None]
