"""The tables of the first line."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001_first_line"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this number."""
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_at"), ["at"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("subject_uid", sa.Uuid(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_subject_uid"), ["subject_uid"], unique=False)

    op.create_table(
        "contacts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("delete_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("uid", name=op.f("uq_contacts_uid")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contacts_delete_on"), ["delete_on"], unique=False)

    op.create_table(
        "offices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ja", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("tel", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
        sa.UniqueConstraint("code", name=op.f("uq_offices_code")),
        sa.UniqueConstraint("uid", name=op.f("uq_offices_uid")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking_uid", sa.Uuid(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_due_at"), ["due_at"], unique=False)

    op.create_table(
        "requests",
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("entry_point", sa.String(length=60), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "request_id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_requests_at"), ["at"], unique=False)

    op.create_table(
        "services",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ja", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_services_minutes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("code", name=op.f("uq_services_code")),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("code_key", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("web", "phone", "counter", name="channel", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "to_confirm",
                "confirmed",
                "checked_in",
                "done",
                "cancelled",
                "no_show",
                "lapsed",
                name="bookingstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("policy_at", sa.Date(), nullable=False),
        sa.CheckConstraint("(state = 'held') = (hold_until IS NOT NULL)", name=op.f("ck_bookings_hold")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_bookings_contact_id_contacts"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_bookings_office_id_offices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_bookings_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("code_key", name=op.f("uq_bookings_code_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_bookings_uid")),
    )
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bookings_office_id_starts_at"), ["office_id", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_bookings_state_hold_until"), ["state", "hold_until"], unique=False)

    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("kiosk", "board", name="devicekind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token_key", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("pairing_key", sa.String(length=64), nullable=True),
        sa.Column("pairing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("range_from", sa.Integer(), nullable=True),
        sa.Column("range_to", sa.Integer(), nullable=True),
        sa.Column("contract", sa.Integer(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("range_from IS NULL OR range_from <= range_to", name=op.f("ck_devices_range")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_devices_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("pairing_key", name=op.f("uq_devices_pairing_key")),
        sa.UniqueConstraint("token_key", name=op.f("uq_devices_token_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_devices_uid")),
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_devices_office_id"), ["office_id"], unique=False)

    op.create_table(
        "feeds",
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_feeds_office_id_offices")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_feeds")),
    )
    op.create_table(
        "lanes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ja", sa.String(length=40), nullable=False),
        sa.Column("name_en", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_lanes_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("office_id", "code", name=op.f("uq_lanes_office_id_code")),
    )
    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lanes_office_id"), ["office_id"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("number_key", sa.String(length=64), nullable=False),
        sa.Column("scan_key", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.String(length=12), nullable=False),
        sa.Column("secret_key", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("assigned_from", sa.Date(), nullable=True),
        sa.Column("assigned_to", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "preparing",
                "ready",
                "stopped",
                "handed_over",
                name="noticestate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_notices_office_id_offices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_notices_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_notices_credential_id")),
        sa.UniqueConstraint("number_key", name=op.f("uq_notices_number_key")),
        sa.UniqueConstraint("scan_key", name=op.f("uq_notices_scan_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_notices_uid")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_office_id"), ["office_id"], unique=False)

    op.create_table(
        "opening_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("weekly", "dated", name="rulekind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.Column("last_booked", sa.Integer(), nullable=False),
        sa.Column("last_walk_in", sa.Integer(), nullable=False),
        sa.Column("services", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("(kind = 'dated') = (on_date IS NOT NULL)", name=op.f("ck_opening_rules_dated_has_date")),
        sa.CheckConstraint(
            "(kind = 'weekly') = (weekday IS NOT NULL)", name=op.f("ck_opening_rules_weekly_has_weekday")
        ),
        sa.CheckConstraint(
            "closed OR (last_booked BETWEEN opens AND closes AND last_walk_in BETWEEN opens AND closes)",
            name=op.f("ck_opening_rules_last_reception"),
        ),
        sa.CheckConstraint(
            "closed OR (opens >= 0 AND opens < closes AND closes <= 1440)", name=op.f("ck_opening_rules_hours")
        ),
        sa.CheckConstraint("weekday IS NULL OR weekday BETWEEN 0 AND 6", name=op.f("ck_opening_rules_weekday")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_opening_rules_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_rules")),
    )
    with op.batch_alter_table("opening_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opening_rules_office_id"), ["office_id"], unique=False)

    op.create_table(
        "policies",
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_policies_office_id_offices")),
        sa.PrimaryKeyConstraint("office_id", "valid_from", "key", name=op.f("pk_policies")),
    )
    op.create_table(
        "pools",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "windows", "staff", "terminal", name="poolkind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_pools_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
        sa.UniqueConstraint("office_id", "name", name=op.f("uq_pools_office_id_name")),
    )
    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pools_office_id"), ["office_id"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "operator",
                "clerk",
                "supervisor",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("password_hash", sa.String(length=160), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_staff_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_staff_uid")),
    )
    op.create_table(
        "terminals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_terminals_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminals")),
    )
    with op.batch_alter_table("terminals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_terminals_office_id"), ["office_id"], unique=False)

    op.create_table(
        "booking_people",
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_people_booking_id_bookings")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_booking_people_notice_id_notices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_booking_people_service_id_services")),
        sa.PrimaryKeyConstraint("booking_id", "position", name=op.f("pk_booking_people")),
    )
    with op.batch_alter_table("booking_people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_booking_people_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index(
            "uq_booking_people_live_notice",
            ["notice_id"],
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )

    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("first > 0 AND first <= last", name=op.f("ck_series_range")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_series_device_id_devices")),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_series_lane_id_lanes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("lane_id", "device_id", name=op.f("uq_series_lane_id_device_id")),
    )
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_lane_id"), ["lane_id"], unique=False)

    op.create_table(
        "service_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("terminal_kind", sa.String(length=20), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_service_steps_lane_id_lanes")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_service_steps_office_id_offices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_steps_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_steps")),
        sa.UniqueConstraint(
            "service_id", "office_id", "position", name=op.f("uq_service_steps_service_id_office_id_position")
        ),
    )
    with op.batch_alter_table("service_steps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_steps_office_id"), ["office_id"], unique=False)

    op.create_table(
        "service_uses",
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_service_uses_units")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_service_uses_office_id_offices")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_service_uses_pool_id_pools")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_uses_service_id_services")),
        sa.PrimaryKeyConstraint("service_id", "office_id", "pool_id", name=op.f("pk_service_uses")),
    )
    op.create_table(
        "slots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bookable", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("web_max", sa.Integer(), nullable=True),
        sa.Column("web_taken", sa.Integer(), nullable=False),
        sa.Column("phone_max", sa.Integer(), nullable=True),
        sa.Column("phone_taken", sa.Integer(), nullable=False),
        sa.Column("walk_in", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("bookable >= 0 AND extra >= 0 AND walk_in >= 0", name=op.f("ck_slots_counts")),
        sa.CheckConstraint(
            "phone_taken >= 0 AND (phone_max IS NULL OR phone_taken <= phone_max)", name=op.f("ck_slots_phone")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slots_span")),
        sa.CheckConstraint("taken >= 0 AND taken <= bookable + extra", name=op.f("ck_slots_taken")),
        sa.CheckConstraint("web_taken >= 0 AND (web_max IS NULL OR web_taken <= web_max)", name=op.f("ck_slots_web")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_slots_pool_id_pools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
        sa.UniqueConstraint("pool_id", "starts_at", name=op.f("uq_slots_pool_id_starts_at")),
        sa.UniqueConstraint("uid", name=op.f("uq_slots_uid")),
    )
    with op.batch_alter_table("slots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slots_pool_id_business_date"), ["pool_id", "business_date"], unique=False)

    op.create_table(
        "visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_visits_booking_id_bookings")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_visits_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("uid", name=op.f("uq_visits_uid")),
    )
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visits_booking_id"), ["booking_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_visits_office_id_business_date"), ["office_id", "business_date"], unique=False
        )
        batch_op.create_index(
            "uq_visits_live_booking",
            ["booking_id"],
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )

    op.create_table(
        "windows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("clerk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_windows_number")),
        sa.ForeignKeyConstraint(["clerk_id"], ["staff.id"], name=op.f("fk_windows_clerk_id_staff")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_windows_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_windows")),
        sa.UniqueConstraint("office_id", "number", name=op.f("uq_windows_office_id_number")),
    )
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_windows_office_id"), ["office_id"], unique=False)

    op.create_table(
        "number_days",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_number_days_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", "business_date", name=op.f("pk_number_days")),
    )
    op.create_table(
        "pool_windows",
        sa.Column("pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("window_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_pool_windows_pool_id_pools")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_pool_windows_window_id_windows")),
        sa.PrimaryKeyConstraint("pool_id", "window_id", "valid_from", name=op.f("pk_pool_windows")),
    )
    op.create_table(
        "slot_uses",
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("web", "phone", "counter", name="channel", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.CheckConstraint("units > 0", name=op.f("ck_slot_uses_units")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_slot_uses_booking_id_bookings")),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name=op.f("fk_slot_uses_slot_id_slots")),
        sa.PrimaryKeyConstraint("slot_id", "booking_id", name=op.f("pk_slot_uses")),
    )
    with op.batch_alter_table("slot_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slot_uses_booking_id"), ["booking_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "state",
            sa.Enum("live", "void", name="ticketstate", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_tickets_number")),
        sa.ForeignKeyConstraint(["kiosk_id"], ["devices.id"], name=op.f("fk_tickets_kiosk_id_devices")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_tickets_series_id_series")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_tickets_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint(
            "series_id", "business_date", "number", name=op.f("uq_tickets_series_id_business_date_number")
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_tickets_uid")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_visit_id"), ["visit_id"], unique=False)

    op.create_table(
        "visit_people",
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("booking_person", sa.Integer(), nullable=True),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_visit_people_notice_id_notices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_visit_people_service_id_services")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_people_visit_id_visits")),
        sa.PrimaryKeyConstraint("visit_id", "position", name=op.f("pk_visit_people")),
    )
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.create_index(
            "uq_visit_people_live_notice",
            ["notice_id"],
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )

    op.create_table(
        "visit_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "called",
                "serving",
                "done",
                "missed",
                "parked",
                "void",
                name="stepstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "class",
            sa.Enum("booked", "walk_in", name="stepclass", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("window_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("terminal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('called', 'serving') OR window_id IS NOT NULL", name=op.f("ck_visit_steps_window")
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_visit_steps_lane_id_lanes")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_visit_steps_service_id_services")),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminals.id"], name=op.f("fk_visit_steps_terminal_id_terminals")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_steps_visit_id_visits")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_visit_steps_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_steps")),
    )
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.create_index("ix_visit_steps_line", ["lane_id", "state", "class", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_steps_visit_id"), ["visit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_steps_window_id_state"), ["window_id", "state"], unique=False)
        batch_op.create_index(
            "uq_visit_steps_busy_terminal",
            ["terminal_id"],
            unique=True,
            sqlite_where=sa.text("state = 'serving'"),
            postgresql_where=sa.text("state = 'serving'"),
        )
        batch_op.create_index(
            "uq_visit_steps_busy_window",
            ["window_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('called', 'serving')"),
            postgresql_where=sa.text("state IN ('called', 'serving')"),
        )
        batch_op.create_index(
            "uq_visit_steps_open_visit",
            ["visit_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'called', 'serving', 'missed', 'parked')"),
            postgresql_where=sa.text("state IN ('waiting', 'called', 'serving', 'missed', 'parked')"),
        )

    op.create_table(
        "window_services",
        sa.Column("window_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_window_services_service_id_services")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_window_services_window_id_windows")),
        sa.PrimaryKeyConstraint("window_id", "service_id", name=op.f("pk_window_services")),
    )
    op.create_table(
        "calls",
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("window_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("window_number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("call", "recall", "missed", name="callkind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_calls_office_id_offices")),
        sa.ForeignKeyConstraint(["step_id"], ["visit_steps.id"], name=op.f("fk_calls_step_id_visit_steps")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_calls_window_id_windows")),
        sa.PrimaryKeyConstraint("office_id", "sequence", name=op.f("pk_calls")),
    )
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calls_step_id"), ["step_id"], unique=False)

    op.create_table(
        "print_jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "printed",
                "not_printed",
                "unknown",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["kiosk_id"], ["devices.id"], name=op.f("fk_print_jobs_kiosk_id_devices")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_print_jobs_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_jobs")),
        sa.UniqueConstraint("uid", name=op.f("uq_print_jobs_uid")),
    )
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_print_jobs_ticket_id"), ["ticket_id"], unique=False)


def downgrade() -> None:
    """Back to the number before."""
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_print_jobs_ticket_id"))

    op.drop_table("print_jobs")
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calls_step_id"))

    op.drop_table("calls")
    op.drop_table("window_services")
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_visit_steps_open_visit",
            sqlite_where=sa.text("state IN ('waiting', 'called', 'serving', 'missed', 'parked')"),
            postgresql_where=sa.text("state IN ('waiting', 'called', 'serving', 'missed', 'parked')"),
        )
        batch_op.drop_index(
            "uq_visit_steps_busy_window",
            sqlite_where=sa.text("state IN ('called', 'serving')"),
            postgresql_where=sa.text("state IN ('called', 'serving')"),
        )
        batch_op.drop_index(
            "uq_visit_steps_busy_terminal",
            sqlite_where=sa.text("state = 'serving'"),
            postgresql_where=sa.text("state = 'serving'"),
        )
        batch_op.drop_index(batch_op.f("ix_visit_steps_window_id_state"))
        batch_op.drop_index(batch_op.f("ix_visit_steps_visit_id"))
        batch_op.drop_index("ix_visit_steps_line")

    op.drop_table("visit_steps")
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_visit_people_live_notice", sqlite_where=sa.text("live"), postgresql_where=sa.text("live")
        )

    op.drop_table("visit_people")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tickets_visit_id"))

    op.drop_table("tickets")
    with op.batch_alter_table("slot_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slot_uses_booking_id"))

    op.drop_table("slot_uses")
    op.drop_table("pool_windows")
    op.drop_table("number_days")
    with op.batch_alter_table("windows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_windows_office_id"))

    op.drop_table("windows")
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.drop_index("uq_visits_live_booking", sqlite_where=sa.text("live"), postgresql_where=sa.text("live"))
        batch_op.drop_index(batch_op.f("ix_visits_office_id_business_date"))
        batch_op.drop_index(batch_op.f("ix_visits_booking_id"))

    op.drop_table("visits")
    with op.batch_alter_table("slots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slots_pool_id_business_date"))

    op.drop_table("slots")
    op.drop_table("service_uses")
    with op.batch_alter_table("service_steps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_steps_office_id"))

    op.drop_table("service_steps")
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_series_lane_id"))

    op.drop_table("series")
    with op.batch_alter_table("booking_people", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_booking_people_live_notice", sqlite_where=sa.text("live"), postgresql_where=sa.text("live")
        )
        batch_op.drop_index(batch_op.f("ix_booking_people_notice_id"))

    op.drop_table("booking_people")
    with op.batch_alter_table("terminals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_terminals_office_id"))

    op.drop_table("terminals")
    op.drop_table("staff")
    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pools_office_id"))

    op.drop_table("pools")
    op.drop_table("policies")
    with op.batch_alter_table("opening_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opening_rules_office_id"))

    op.drop_table("opening_rules")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_office_id"))

    op.drop_table("notices")
    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lanes_office_id"))

    op.drop_table("lanes")
    op.drop_table("feeds")
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_devices_office_id"))

    op.drop_table("devices")
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bookings_state_hold_until"))
        batch_op.drop_index(batch_op.f("ix_bookings_office_id_starts_at"))

    op.drop_table("bookings")
    op.drop_table("services")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requests_at"))

    op.drop_table("requests")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_due_at"))

    op.drop_table("outbox")
    op.drop_table("offices")
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contacts_delete_on"))

    op.drop_table("contacts")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_subject_uid"))
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_at"))

    op.drop_table("attempts")
