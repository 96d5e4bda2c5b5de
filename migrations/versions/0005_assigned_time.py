"""The very time at which the holder of a notice is asked to come."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005_assigned_time"
down_revision: str | None = "0004_holiday_years"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this number."""
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the number before."""
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_column("assigned_at")
