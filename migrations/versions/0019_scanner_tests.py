"""What the self-test card last said of a kiosk's scanner."""

import sqlalchemy as sa
from alembic import op

revision: str = "0019_scanner_tests"
down_revision: str | None = "0018_day_lists"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Until now no scanner was tested."""
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scanner_tested_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("scanner_finding", sa.String(length=20), nullable=True))


def downgrade() -> None:
    """Nobody asks when a scanner was tested."""
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("scanner_finding")
        batch_op.drop_column("scanner_tested_at")
