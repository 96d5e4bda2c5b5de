"""Which years of the table of holidays were compared with which version of the library."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004_holiday_years"
down_revision: str | None = "0003_opening_rules"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this number."""
    op.create_table(
        "holiday_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("library", sa.String(length=20), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_holiday_years")),
    )


def downgrade() -> None:
    """Take this number back."""
    op.drop_table("holiday_years")
