"""Visits of several stops: who is ready, what terminal a stop needs, why somebody rests, when a stop ended."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011_steps_of_a_visit"
down_revision: str | None = "0010_places_to_make"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CLASSES = ("booked", "late", "walk_in", "accommodation", "returned", "papers", "transferred")
BEFORE = ("booked", "walk_in")
REASONS = ("papers", "choosing", "other")
AT_WINDOW = "state IN ('called', 'serving')"
NOT_AT_WINDOW = "state NOT IN ('called', 'serving')"
LINE = ["lane_id", "state", "terminal_kind", "ready", "class", "due_at", "entered_at", "id"]


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Every stop until now was the only one of its visit, ready, without a terminal; when it ended says its person."""
    op.create_table(
        "window_lanes",
        sa.Column("window_id", BIG, nullable=False),
        sa.Column("lane_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_window_lanes_lane_id_lanes")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_window_lanes_window_id_windows")),
        sa.PrimaryKeyConstraint("window_id", "lane_id", name=op.f("pk_window_lanes")),
    )
    for table, column in (
        ("terminals", sa.Column("is_down", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("service_steps", sa.Column("ready_first", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("visit_people", sa.Column("stops_done", sa.Integer(), nullable=False, server_default="0")),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(column)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(column.name, server_default=None)
    _steps()
    op.execute(
        "UPDATE visit_steps SET first_called_at = called_at, ended_at = CASE WHEN state IN ('done', 'void') THEN"
        " (SELECT MAX(p.finished_at) FROM visit_people p WHERE p.visit_id = visit_steps.visit_id) END"
    )
    op.execute("UPDATE visit_people SET stops_done = 1 WHERE finished_at IS NOT NULL")


def _steps() -> None:
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.drop_index("ix_visit_steps_line")
        batch_op.drop_index("uq_visit_steps_busy_terminal")
        batch_op.add_column(sa.Column("terminal_kind", sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("ready", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("first_called_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("parked_for", sa.String(length=20), nullable=True))
        for name in ("told_minutes", "told_least", "told_most"):
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_visit_steps_stepclass"), type_="check")
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.alter_column("terminal_kind", server_default=None)
        batch_op.alter_column("ready", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_visit_steps_stepclass"), _one_of("class", CLASSES))
        batch_op.create_check_constraint(batch_op.f("ck_visit_steps_parkedfor"), _one_of("parked_for", REASONS))
        batch_op.create_check_constraint(
            batch_op.f("ck_visit_steps_terminal"), f"{NOT_AT_WINDOW} OR terminal_kind = '' OR terminal_id IS NOT NULL"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_visit_steps_parked_for"), "parked_for IS NULL OR state IN ('parked', 'void')"
        )
        batch_op.create_index("ix_visit_steps_line", LINE, unique=False)
        batch_op.create_index(
            "uq_visit_steps_busy_terminal",
            ["terminal_id"],
            unique=True,
            sqlite_where=sa.text(AT_WINDOW),
            postgresql_where=sa.text(AT_WINDOW),
        )


def downgrade() -> None:
    """Back to visits of one stop; classes that were unknown then become what they were nearest to."""
    op.execute("UPDATE visit_steps SET class = 'walk_in' WHERE class <> 'booked'")
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.drop_index("ix_visit_steps_line")
        batch_op.drop_index("uq_visit_steps_busy_terminal")
        for name in ("parked_for", "terminal", "parkedfor", "stepclass"):
            batch_op.drop_constraint(batch_op.f(f"ck_visit_steps_{name}"), type_="check")
        for name in ("told_most", "told_least", "told_minutes", "parked_for", "ended_at", "first_called_at"):
            batch_op.drop_column(name)
        batch_op.drop_column("ready")
        batch_op.drop_column("terminal_kind")
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_visit_steps_stepclass"), _one_of("class", BEFORE))
        batch_op.create_index("ix_visit_steps_line", ["lane_id", "state", "class", "due_at"], unique=False)
        batch_op.create_index(
            "uq_visit_steps_busy_terminal",
            ["terminal_id"],
            unique=True,
            sqlite_where=sa.text("state = 'serving'"),
            postgresql_where=sa.text("state = 'serving'"),
        )
    for table, column in (("visit_people", "stops_done"), ("service_steps", "ready_first"), ("terminals", "is_down")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
    op.drop_table("window_lanes")
