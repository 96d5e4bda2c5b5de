"""What people can do while they wait, by service, for the slip."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016_tasks_while_waiting"
down_revision: str | None = "0015_undo_and_procedures"
branch_labels: None = None
depends_on: None = None

# Of the services that come with the program, as a new office gets them; the others ask for nothing.
TASKS = {"pickup": ["notice", "pin", "return"], "pin": ["pin"]}


def upgrade() -> None:
    """Until now no slip said any."""
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tasks", sa.JSON(), nullable=True))
    services = sa.table("services", sa.column("code", sa.String()), sa.column("tasks", sa.JSON()))
    op.execute(services.update().values(tasks=[]))
    for code, tasks in TASKS.items():
        op.execute(services.update().where(services.c.code == code).values(tasks=tasks))
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.alter_column("tasks", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    """Slips say no tasks again."""
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_column("tasks")
