"""Day lists: who was expected on a day when its list was made."""

import sqlalchemy as sa
from alembic import op

revision: str = "0018_day_lists"
down_revision: str | None = "0017_mailings"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """No list was made yet: the next sweep makes those whose hour has come."""
    op.create_table(
        "day_lists",
        sa.Column("id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_day_lists_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_lists")),
        sa.UniqueConstraint("office_id", "day", name=op.f("uq_day_lists_office_id_day")),
    )
    op.create_table(
        "day_list_entries",
        sa.Column("list_id", BIG, nullable=False),
        sa.Column("booking_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("storage_place", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["day_lists.id"], name=op.f("fk_day_list_entries_list_id_day_lists")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_day_list_entries_booking_id_bookings")),
        sa.PrimaryKeyConstraint("list_id", "booking_id", "position", name=op.f("pk_day_list_entries")),
    )


def downgrade() -> None:
    """Lists are made again from the bookings."""
    op.drop_table("day_list_entries")
    op.drop_table("day_lists")
