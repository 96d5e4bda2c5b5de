"""Table of what staff decided about people without a booking."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId, enum_type
from server.intake.rules import Choice


class IntakeDecision(Base):
    """予約なしの受付: one decision for one day, for the whole office or one service; the newest counts."""

    __tablename__ = "intake_decisions"
    __table_args__ = (Index(None, "office_id", "business_date"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    business_date: Mapped[date]
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id"))
    choice: Mapped[Choice] = mapped_column(enum_type(Choice))
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
