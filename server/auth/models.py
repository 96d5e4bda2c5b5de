"""Tables of those who act: staff and devices."""

from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.auth.rules import Role
from server.db import Base, BigId, enum_type


class Staff(Base):
    """職員: one account is one person; there is no shared and no built-in one."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    office_id: Mapped[int | None] = mapped_column(ForeignKey("offices.id"))
    password_hash: Mapped[str] = mapped_column(String(160))
    active: Mapped[bool] = mapped_column(default=True)
    # Raised when the password changes or the account is closed: sessions signed in before it end.
    generation: Mapped[int] = mapped_column(default=1)


class Attempts(Base):
    """Wrong passwords in a row against one name or booking ID, known only as a key, whether or not it exists."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failed: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(index=True)


class DeviceKind(Enum):
    """What a device is."""

    KIOSK = "kiosk"
    BOARD = "board"


class Device(Base):
    """A paired kiosk or board. Its token is known only as a key; a board's cookie names its generation."""

    __tablename__ = "devices"
    __table_args__ = (CheckConstraint("range_from IS NULL OR range_from <= range_to", name="range"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    kind: Mapped[DeviceKind] = mapped_column(enum_type(DeviceKind))
    name: Mapped[str] = mapped_column(String(40))
    token_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    key_id: Mapped[int] = mapped_column(default=1)
    generation: Mapped[int] = mapped_column(default=1)
    pairing_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    pairing_until: Mapped[datetime | None]
    range_from: Mapped[int | None]
    range_to: Mapped[int | None]
    contract: Mapped[int | None]
    seen_at: Mapped[datetime | None]
    # Of a kiosk: the newest self-test of its scanner, a `madoguchi.wire.ScannerFinding`.
    scanner_tested_at: Mapped[datetime | None]
    scanner_finding: Mapped[str | None] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(default=True)
