"""Table of what has become of the emergency lists."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, enum_type
from server.emergency.rules import Failure


class EmergencyList(Base):
    """非常用一覧: when an office's newest one was written, when it was last tried, and why that failed, if it did."""

    __tablename__ = "emergency_lists"

    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    written_at: Mapped[datetime | None]
    tried_at: Mapped[datetime]
    failure: Mapped[Failure | None] = mapped_column(enum_type(Failure))
