"""What staff decided for a day about people without a booking."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014_walk_ins_today"
down_revision: str | None = "0013_outcomes"
branch_labels: None = None
depends_on: None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = ("open", "closed", "by_itself")


def upgrade() -> None:
    """Nobody has decided anything: walk-ins end by themselves."""
    name = op.f("ck_intake_decisions_choice")
    choice = sa.Enum(*WORDS, name=name, native_enum=False, create_constraint=True, length=20)
    op.create_table(
        "intake_decisions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("office_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("service_id", BIG, nullable=True),
        sa.Column("choice", choice, nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_intake_decisions_office_id_offices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_intake_decisions_service_id_services")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_decisions")),
    )
    op.create_index(
        op.f("ix_intake_decisions_office_id_business_date"), "intake_decisions", ["office_id", "business_date"]
    )


def downgrade() -> None:
    """Go back by this number."""
    op.drop_table("intake_decisions")
