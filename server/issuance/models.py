"""Tables of the notices."""

from datetime import date, datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId, enum_type


class NoticeState(Enum):
    """What has become of the card the notice speaks of."""

    PREPARING = "preparing"
    READY = "ready"
    STOPPED = "stopped"
    HANDED_OVER = "handed_over"
    BY_MAIL = "by_mail"  # the applicant was at the window; the card is sent to them


class Notice(Base):
    """交付通知書. Scan code and password are known only as keys; `number` itself stays in the office zone.

    A notice without credentials has been read from a file and waits for its sticker. A `restricted` one (支援措置 and
    the like) answers everybody outside as if there were none. Assigned are the days from–to, or one moment.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint(
            "(credential_id IS NULL) = (secret_key IS NULL) AND (credential_id IS NULL) = (scan_key IS NULL)",
            name="credentials_whole",
        ),
        CheckConstraint("assigned_from <= assigned_to", name="assigned_days"),
        CheckConstraint(
            "assigned_at IS NULL OR (assigned_from IS NULL AND assigned_to IS NULL)", name="assigned_one_way"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    number: Mapped[str | None] = mapped_column(String(20))
    number_key: Mapped[str] = mapped_column(String(64), unique=True)
    scan_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    credential_id: Mapped[str | None] = mapped_column(String(12), unique=True)
    secret_key: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[int] = mapped_column(default=1)
    assigned_from: Mapped[date | None]
    assigned_to: Mapped[date | None]
    assigned_at: Mapped[datetime | None]
    storage_place: Mapped[str] = mapped_column(String(40), default="")
    restricted: Mapped[bool] = mapped_column(default=False)
    state: Mapped[NoticeState] = mapped_column(enum_type(NoticeState))


class Mark(Base):
    """付箋: a word that staff may put on a notice. Staff edit the set; only words of it can be used."""

    __tablename__ = "marks"
    __table_args__ = (CheckConstraint("word <> ''", name="word"),)

    word: Mapped[str] = mapped_column(String(20), primary_key=True)


class NoticeMark(Base):
    """A mark on a notice."""

    __tablename__ = "notice_marks"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    word: Mapped[str] = mapped_column(ForeignKey("marks.word"), primary_key=True, index=True)
