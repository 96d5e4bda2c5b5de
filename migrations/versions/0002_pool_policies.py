"""A pool may have capacity values of its own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002_pool_policies"
down_revision: str | None = "0001_first_line"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this number."""
    op.create_table(
        "pool_policies",
        sa.Column("pool_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_pool_policies_pool_id_pools")),
        sa.PrimaryKeyConstraint("pool_id", "valid_from", "key", name=op.f("pk_pool_policies")),
    )


def downgrade() -> None:
    """Go back by this number."""
    op.drop_table("pool_policies")
