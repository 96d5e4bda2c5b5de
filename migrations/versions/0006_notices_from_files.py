"""Notices that come from a file: no sticker yet, where the card lies, its marks, whether it may be spoken of."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006_notices_from_files"
down_revision: str | None = "0005_assigned_time"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MARKS = (
    "署名なし",
    "利用者証明なし",
    "住基カードあり",
    "記載事項変更",
    "代替文字",
    "代理人は電話",
    "15歳未満",
    "顔認証",
)
CREDENTIALS = (("scan_key", 64), ("credential_id", 12), ("secret_key", 64))


def upgrade() -> None:
    """Bring the schema to this number."""
    words = op.create_table(
        "marks",
        sa.Column("word", sa.String(length=20), nullable=False),
        sa.CheckConstraint("word <> ''", name=op.f("ck_marks_word")),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_marks")),
    )
    op.bulk_insert(words, [{"word": word} for word in MARKS])
    op.create_table(
        "notice_marks",
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("word", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_notice_marks_notice_id_notices")),
        sa.ForeignKeyConstraint(["word"], ["marks.word"], name=op.f("fk_notice_marks_word_marks")),
        sa.PrimaryKeyConstraint("notice_id", "word", name=op.f("pk_notice_marks")),
    )
    with op.batch_alter_table("notice_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_marks_word"), ["word"], unique=False)
    with op.batch_alter_table("notices", schema=None) as batch_op:
        # The defaults are for the rows that stand already; the program names its values itself.
        batch_op.add_column(sa.Column("storage_place", sa.String(length=40), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name, length in CREDENTIALS:
            batch_op.alter_column(name, existing_type=sa.String(length=length), nullable=True)
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.alter_column("storage_place", existing_type=sa.String(length=40), server_default=None)
        batch_op.alter_column("restricted", existing_type=sa.Boolean(), server_default=None)
        batch_op.create_check_constraint(
            batch_op.f("ck_notices_credentials_whole"),
            "(credential_id IS NULL) = (secret_key IS NULL) AND (credential_id IS NULL) = (scan_key IS NULL)",
        )
        batch_op.create_check_constraint(batch_op.f("ck_notices_assigned_days"), "assigned_from <= assigned_to")
        batch_op.create_check_constraint(
            batch_op.f("ck_notices_assigned_one_way"),
            "assigned_at IS NULL OR (assigned_from IS NULL AND assigned_to IS NULL)",
        )


def downgrade() -> None:
    """Bring it back to the number before. A notice without a sticker gets one that nobody can type."""
    op.drop_table("notice_marks")
    op.drop_table("marks")
    op.execute(
        "UPDATE notices SET scan_key = '-' || id, credential_id = '-' || id, secret_key = '-' "
        "WHERE credential_id IS NULL"
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        for constraint in ("assigned_one_way", "assigned_days", "credentials_whole"):
            batch_op.drop_constraint(batch_op.f(f"ck_notices_{constraint}"), type_="check")
        for name, length in CREDENTIALS:
            batch_op.alter_column(name, existing_type=sa.String(length=length), nullable=False)
        for column in ("restricted", "storage_place"):
            batch_op.drop_column(column)
