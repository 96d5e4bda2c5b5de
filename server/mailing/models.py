"""Table of the cards that are sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId, enum_type
from server.mailing.rules import MailingState


class Mailing(Base):
    """郵送: one person's card that is sent. No address stands here: that is in the ledger.

    `consented`: the person agreed to it at the window; false for what is older than this table. Without a notice the
    card is known by the number of that day's ticket. `letter` is the number of the registered letter.
    """

    __tablename__ = "mailings"
    __table_args__ = (
        ForeignKeyConstraint(["visit_id", "position"], ["visit_people.visit_id", "visit_people.position"]),
        UniqueConstraint("visit_id", "position"),
        Index(
            "uq_mailings_notice",
            "notice_id",
            unique=True,
            sqlite_where=text("state <> 'returned'"),
            postgresql_where=text("state <> 'returned'"),
        ),
        Index(None, "office_id", "state"),
        CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    visit_id: Mapped[int] = mapped_column(BigId)
    position: Mapped[int]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    promised_at: Mapped[datetime]
    consented: Mapped[bool]
    state: Mapped[MailingState] = mapped_column(enum_type(MailingState), default=MailingState.TO_SEND)
    sent_at: Mapped[datetime | None]
    letter: Mapped[str] = mapped_column(String(20), default="")
