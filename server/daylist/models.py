"""Tables of the day lists."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, BigId


class DayList(Base):
    """事前準備一覧: who was expected on a day when its list was made."""

    __tablename__ = "day_lists"
    __table_args__ = (UniqueConstraint("office_id", "day"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    day: Mapped[date]
    made_at: Mapped[datetime]


class DayListEntry(Base):
    """One person of a booking, as the list was made."""

    __tablename__ = "day_list_entries"

    list_id: Mapped[int] = mapped_column(ForeignKey("day_lists.id"), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    storage_place: Mapped[str] = mapped_column(String(40))
