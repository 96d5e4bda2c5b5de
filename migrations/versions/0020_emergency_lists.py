"""Emergency lists: when an office's newest one was written, and why the last try failed."""

import sqlalchemy as sa
from alembic import op

revision: str = "0020_emergency_lists"
down_revision: str | None = "0019_scanner_tests"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FAILURES = ("missing", "refused", "full", "slow", "other")


def upgrade() -> None:
    """None was written yet."""
    name = op.f("ck_emergency_lists_failure")
    failure = sa.Enum(*FAILURES, name=name, native_enum=False, create_constraint=True, length=20)
    op.create_table(
        "emergency_lists",
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", failure, nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_emergency_lists_office_id_offices")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_emergency_lists")),
    )


def downgrade() -> None:
    """The next sweep writes them again."""
    op.drop_table("emergency_lists")
