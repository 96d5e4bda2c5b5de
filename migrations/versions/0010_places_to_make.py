"""Days whose places do not follow the rules yet; entries of the work list that staff have struck."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010_places_to_make"
down_revision: str | None = "0009_services_as_data"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nobody knows which entries were struck until now: none counts as struck."""
    op.create_table(
        "places_to_make",
        sa.Column("id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_places_to_make_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places_to_make")),
    )
    with op.batch_alter_table("affected_bookings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("struck", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("affected_bookings", schema=None) as batch_op:
        batch_op.alter_column("struck", server_default=None)


def downgrade() -> None:
    """Go back by this number."""
    with op.batch_alter_table("affected_bookings", schema=None) as batch_op:
        batch_op.drop_column("struck")
    op.drop_table("places_to_make")
