"""Until when a place was booked: its slot may become shorter afterwards."""

import sqlalchemy as sa
from alembic import op

revision: str = "0012_booked_until"
down_revision: str | None = "0011_steps_of_a_visit"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """What was booked until now counts until its slot ends."""
    with op.batch_alter_table("slot_uses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE slot_uses SET until = (SELECT ends_at FROM slots WHERE slots.id = slot_uses.slot_id)")
    with op.batch_alter_table("slot_uses", schema=None) as batch_op:
        batch_op.alter_column("until", nullable=False)


def downgrade() -> None:
    """Go back by this number."""
    with op.batch_alter_table("slot_uses", schema=None) as batch_op:
        batch_op.drop_column("until")
