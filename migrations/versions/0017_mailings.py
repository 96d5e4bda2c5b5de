"""Cards that are sent by mail: a row for each, with whether the person agreed to it."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision: str = "0017_mailings"
down_revision: str | None = "0016_tasks_while_waiting"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = ("to_send", "sent", "returned")
PROMISED = sa.text(
    "SELECT v.office_id, p.visit_id, p.position, n.id AS notice_id, COALESCE(p.finished_at, v.arrived_at)"
    " AS promised_at FROM visit_people p JOIN visits v ON v.id = p.visit_id"
    " LEFT JOIN notices n ON n.id = p.notice_id AND n.state = 'by_mail'"
    " WHERE p.outcome = 'later_by_mail' AND (p.notice_id IS NULL OR n.id IS NOT NULL)"
).columns(promised_at=sa.DateTime(timezone=True))


def upgrade() -> None:
    """What was to be sent until now is to be sent, so that no card is forgotten; nobody wrote down who agreed."""
    state = sa.Enum(
        *STATES, name=op.f("ck_mailings_mailingstate"), native_enum=False, create_constraint=True, length=20
    )
    mailings = op.create_table(
        "mailings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("letter", sa.String(length=20), nullable=False),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name=op.f("ck_mailings_sent")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_mailings_office_id_offices")),
        sa.ForeignKeyConstraint(
            ["visit_id", "position"],
            ["visit_people.visit_id", "visit_people.position"],
            name=op.f("fk_mailings_visit_id_visit_people"),
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_mailings_notice_id_notices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailings")),
        sa.UniqueConstraint("uid", name=op.f("uq_mailings_uid")),
        sa.UniqueConstraint("visit_id", "position", name=op.f("uq_mailings_visit_id_position")),
    )
    with op.batch_alter_table("mailings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailings_office_id_state"), ["office_id", "state"], unique=False)
        batch_op.create_index(
            "uq_mailings_notice",
            ["notice_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'returned'"),
            postgresql_where=sa.text("state <> 'returned'"),
        )
    rows = op.get_bind().execute(PROMISED).mappings().all()
    op.bulk_insert(
        mailings, [{**row, "uid": uuid4(), "consented": False, "state": "to_send", "letter": ""} for row in rows]
    )


def downgrade() -> None:
    """Back to the outcome alone."""
    op.drop_table("mailings")
