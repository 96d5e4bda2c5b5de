"""Papers that staff ask for: which print jobs a kiosk is to fetch."""

import sqlalchemy as sa
from alembic import op

revision: str = "0021_reprints_by_staff"
down_revision: str | None = "0020_emergency_lists"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Until now every paper was asked for by its visitor."""
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by_staff", sa.Boolean(), nullable=True))
    jobs = sa.table("print_jobs", sa.column("by_staff", sa.Boolean()))
    op.execute(jobs.update().values(by_staff=False))
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.alter_column("by_staff", existing_type=sa.Boolean(), nullable=False)
        batch_op.create_index(batch_op.f("ix_print_jobs_kiosk_id_at"), ["kiosk_id", "at"], unique=False)


def downgrade() -> None:
    """Staff write the number by hand again."""
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_print_jobs_kiosk_id_at"))
        batch_op.drop_column("by_staff")
