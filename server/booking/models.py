"""Tables of places and bookings."""

from datetime import date, datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.booking.rules import BookingState
from server.db import Base, BigId, enum_type
from server.issuance.models import Notice


class Channel(Enum):
    """How a booking came."""

    WEB = "web"
    PHONE = "phone"
    COUNTER = "counter"


class Reason(Enum):
    """Why a booking is on the work list."""

    CLOSED = "closed"
    SHRUNK = "shrunk"


class Told(Enum):
    """How somebody was told."""

    PHONE = "phone"
    SMS = "sms"
    POST = "post"


class Slot(Base):
    """予約枠: the places of one pool in one stretch of time. The CHECKs are the last word on overselling."""

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("pool_id", "starts_at"),
        Index(None, "pool_id", "business_date"),
        CheckConstraint("taken >= 0 AND taken <= bookable + extra", name="taken"),
        CheckConstraint("bookable >= 0 AND extra >= 0 AND walk_in >= 0", name="counts"),
        CheckConstraint("web_taken >= 0 AND (web_max IS NULL OR web_taken <= web_max)", name="web"),
        CheckConstraint("phone_taken >= 0 AND (phone_max IS NULL OR phone_taken <= phone_max)", name="phone"),
        CheckConstraint("starts_at < ends_at", name="span"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    business_date: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    bookable: Mapped[int]
    extra: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    web_max: Mapped[int | None]
    web_taken: Mapped[int] = mapped_column(default=0)
    phone_max: Mapped[int | None]
    phone_taken: Mapped[int] = mapped_column(default=0)
    walk_in: Mapped[int] = mapped_column(default=0)
    closed: Mapped[bool] = mapped_column(default=False)


class PlacesToMake(Base):
    """Days of an office whose rules were changed and whose places do not follow yet; `last_day` None: all to come."""

    __tablename__ = "places_to_make"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]


class Booking(Base):
    """予約: a claim on places. Its code is known only as a key."""

    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint("(state = 'held') = (hold_until IS NOT NULL)", name="hold"),
        Index(None, "state", "hold_until"),
        Index(None, "office_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    code_key: Mapped[str] = mapped_column(String(64), unique=True)
    key_id: Mapped[int] = mapped_column(default=1)
    office_id: Mapped[int] = mapped_column(ForeignKey("offices.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    starts_at: Mapped[datetime]
    channel: Mapped[Channel] = mapped_column(enum_type(Channel))
    state: Mapped[BookingState] = mapped_column(enum_type(BookingState))
    hold_until: Mapped[datetime | None]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    language: Mapped[str] = mapped_column(String(8), default="ja")
    policy_at: Mapped[date]

    people: Mapped[list["BookingPerson"]] = relationship(order_by="BookingPerson.position")
    uses: Mapped[list["SlotUse"]] = relationship()


class SlotUse(Base):
    """How many places of a slot a booking takes, and until when: the slot may have become shorter since."""

    __tablename__ = "slot_uses"
    __table_args__ = (CheckConstraint("units > 0", name="units"),)

    slot_id: Mapped[int] = mapped_column(ForeignKey("slots.id"), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True, index=True)
    units: Mapped[int]
    channel: Mapped[Channel] = mapped_column(enum_type(Channel))
    until: Mapped[datetime]

    slot: Mapped[Slot] = relationship()


class AffectedBooking(Base):
    """要連絡の予約: a booking whose place was closed or taken away, until its people know and have another time.

    `starts_at` is the time they booked; `moved_to` the time to which the office is moving it; when done,
    where it stands. Telling is of the newest state: who is moved afterwards is told again. `struck`: staff
    have done it in another way, so it does not come back as long as its reason stands.
    """

    __tablename__ = "affected_bookings"
    __table_args__ = (
        Index(
            "uq_affected_bookings_open",
            "booking_id",
            unique=True,
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        CheckConstraint("(told_at IS NULL) = (told_how IS NULL)", name="told_at_with_how"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uid: Mapped[UUID] = mapped_column(unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    starts_at: Mapped[datetime]
    reason: Mapped[Reason] = mapped_column(enum_type(Reason))
    added_at: Mapped[datetime]
    told_how: Mapped[Told | None] = mapped_column(enum_type(Told))
    told_by: Mapped[str | None] = mapped_column(String(80))
    told_at: Mapped[datetime | None]
    moved_to: Mapped[datetime | None]
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    struck: Mapped[bool] = mapped_column(default=False)

    booking: Mapped[Booking] = relationship()


class BookingPerson(Base):
    """One person of a booking. A notice stands in one live booking at the most."""

    __tablename__ = "booking_people"
    __table_args__ = (
        Index(
            "uq_booking_people_live_notice",
            "notice_id",
            unique=True,
            sqlite_where=text("live"),
            postgresql_where=text("live"),
        ),
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    # The unique index serves only the live ones, and on SQLite not even those: it writes "live = 1".
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    case: Mapped[str] = mapped_column(String(20), default="self")
    recipient: Mapped[str] = mapped_column(String(20), default="applicant")
    live: Mapped[bool] = mapped_column(default=True)

    notice: Mapped[Notice | None] = relationship()
