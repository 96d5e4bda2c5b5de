"""Who asks for staff; never writes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from server.assistance.models import StaffCall
from server.clock import at_minute, business_date

_OPEN = (
    select(StaffCall)
    .where(
        StaffCall.office_id == bindparam("office"),
        StaffCall.at >= bindparam("today"),
        StaffCall.taken_at.is_(None),
    )
    .options(joinedload(StaffCall.kiosk))
    .order_by(StaffCall.at, StaffCall.id)
)


def open_calls(session: Session, office_id: int, now: datetime) -> Sequence[StaffCall]:
    """Today's calls of an office that nobody has taken yet, the longest waiting first."""
    return session.scalars(_OPEN, {"office": office_id, "today": at_minute(business_date(now), 0)}).all()
