"""Services as data: short name, picture, documents, ways to get to them, validity."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009_services_as_data"
down_revision: str | None = "0008_staff_calls"
branch_labels: None = None
depends_on: None = None

CARD = [{"ja": "マイナンバーカード", "en": "Your My Number Card"}]
IDENTITY = {"ja": "本人確認書類（運転免許証など）", "en": "Identity papers (such as a driving licence)"}
# What the program itself said until now.
BROUGHT = {
    "pickup": [
        {"ja": "交付通知書（はがき）", "en": "The issuance notice (postcard)"},
        IDENTITY,
        {
            "ja": "お持ちの方は、これまでのマイナンバーカード、住民基本台帳カード",
            "en": "Your old My Number Card or resident register card, if you have one",
        },
    ],
    "certificate": CARD,
    "pin": CARD,
}
PICTURES = {"pickup": "card", "certificate": "certificate", "pin": "pin"}


def upgrade() -> None:
    """Every service so far could be booked with a notice and by phone, and asked for without a booking."""
    op.create_table(
        "office_services",
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("by_notice", sa.Boolean(), nullable=False),
        sa.Column("by_anybody", sa.Boolean(), nullable=False),
        sa.Column("by_phone", sa.Boolean(), nullable=False),
        sa.Column("walk_in", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("by_notice OR by_anybody OR by_phone OR walk_in", name=op.f("ck_office_services_some_way")),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_office_services_validity")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_office_services_office_id_offices")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_office_services_service_id_services")),
        sa.PrimaryKeyConstraint("office_id", "service_id", name=op.f("pk_office_services")),
    )
    op.execute(
        "INSERT INTO office_services (office_id, service_id, position, by_notice, by_anybody, by_phone, walk_in)"
        " SELECT office_id, service_id, MIN(id), true, false, true, true FROM service_steps"
        " GROUP BY office_id, service_id"
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.add_column(sa.Column("short_ja", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("short_en", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("picture", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("legal_deadline", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("documents", sa.JSON(), nullable=True))
    _describe()
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.alter_column("short_ja", existing_type=sa.String(length=40), nullable=False)
        batch_op.alter_column("short_en", existing_type=sa.String(length=40), nullable=False)
        batch_op.alter_column("picture", existing_type=sa.String(length=20), nullable=False)
        batch_op.alter_column("legal_deadline", existing_type=sa.Boolean(), nullable=False)
        batch_op.alter_column("documents", existing_type=sa.JSON(), nullable=False)
        batch_op.drop_constraint(batch_op.f("ck_services_minutes"), type_="check")
        batch_op.drop_column("minutes")  # each step says its own
    with op.batch_alter_table("service_steps", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_service_steps_minutes"), "minutes > 0")
    with op.batch_alter_table("terminals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("valid_to", sa.Date(), nullable=True))


def _describe() -> None:
    services = sa.table(
        "services",
        *(sa.column(name) for name in ("code", "name_ja", "name_en", "short_ja", "short_en", "picture")),
        sa.column("legal_deadline", sa.Boolean()),
        sa.column("documents", sa.JSON()),
    )
    op.execute(
        services.update().values(
            short_ja=sa.func.substr(services.c.name_ja, 1, 40),
            short_en=sa.func.substr(services.c.name_en, 1, 40),
            picture="other",
            legal_deadline=False,
            documents={"everyone": [IDENTITY]},
        )
    )
    for code, sentences in BROUGHT.items():
        known = services.update().where(services.c.code == code)
        op.execute(known.values(picture=PICTURES[code], documents={"everyone": sentences}))


def downgrade() -> None:
    """Back to minutes of the whole service; what was added is lost."""
    with op.batch_alter_table("terminals", schema=None) as batch_op:
        batch_op.drop_column("valid_to")
    with op.batch_alter_table("service_steps", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_service_steps_minutes"), type_="check")
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE services SET minutes = COALESCE("
        "(SELECT MAX(minutes) FROM service_steps WHERE service_steps.service_id = services.id), 15)"
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.alter_column("minutes", existing_type=sa.Integer(), nullable=False)
        batch_op.create_check_constraint(batch_op.f("ck_services_minutes"), "minutes > 0")
        for name in ("documents", "legal_deadline", "picture", "short_en", "short_ja"):
            batch_op.drop_column(name)
    op.drop_table("office_services")
