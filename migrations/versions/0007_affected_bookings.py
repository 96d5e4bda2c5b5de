"""The work list of bookings whose places were closed or taken away."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007_affected_bookings"
down_revision: str | None = "0006_notices_from_files"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema to this number."""
    op.create_table(
        "affected_bookings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("booking_id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum("closed", "shrunk", name="reason", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "told_how",
            sa.Enum("phone", "sms", "post", name="told", native_enum=False, create_constraint=True, length=20),
            nullable=True,
        ),
        sa.Column("told_by", sa.String(length=80), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(told_at IS NULL) = (told_how IS NULL)", name=op.f("ck_affected_bookings_told_at_with_how")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_affected_bookings_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affected_bookings")),
        sa.UniqueConstraint("uid", name=op.f("uq_affected_bookings_uid")),
    )
    with op.batch_alter_table("affected_bookings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_affected_bookings_done_at"), ["done_at"], unique=False)
        batch_op.create_index(
            "uq_affected_bookings_open",
            ["booking_id"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )


def downgrade() -> None:
    """Go back by this number."""
    op.drop_table("affected_bookings")
