"""Tables of the notices."""

from datetime import date, datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId, enum_type


class NoticeState(Enum):
    """What has become of the card the notice speaks of."""

    PREPARING = "preparing"
    READY = "ready"
    STOPPED = "stopped"
    HANDED_OVER = "handed_over"


class Notice(Base):
    """交付通知書. Scan code and password are known only as keys; `number` itself stays in the office zone."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    number: Mapped[str | None] = mapped_column(String(20))
    number_key: Mapped[str] = mapped_column(String(64), unique=True)
    scan_key: Mapped[str] = mapped_column(String(64), unique=True)
    credential_id: Mapped[str] = mapped_column(String(12), unique=True)
    secret_key: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[int] = mapped_column(default=1)
    assigned_from: Mapped[date | None]
    assigned_to: Mapped[date | None]
    assigned_at: Mapped[datetime | None]
    state: Mapped[NoticeState] = mapped_column(enum_type(NoticeState))
