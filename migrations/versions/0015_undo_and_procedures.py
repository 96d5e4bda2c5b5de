"""What can be undone at a window, and several procedures of one person in one visit."""

import sqlalchemy as sa
from alembic import op

revision: str = "0015_undo_and_procedures"
down_revision: str | None = "0014_walk_ins_today"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Until now every person of a visit came for one procedure."""
    op.create_table(
        "undoable",
        sa.Column("window_id", BIG, nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step_id", BIG, nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_undoable_window_id_windows")),
        sa.ForeignKeyConstraint(["step_id"], ["visit_steps.id"], name=op.f("fk_undoable_step_id_visit_steps")),
        sa.PrimaryKeyConstraint("window_id", name=op.f("pk_undoable")),
    )
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("further_of", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Back to one procedure for each person: a further one stands as one person more."""
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.drop_column("further_of")
    op.drop_table("undoable")
