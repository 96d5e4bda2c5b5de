"""Rules of opening hours of all kinds, and the table of holidays.

Nothing refers to the rules, and on SQLite a changed constraint means copying the table anyway: it is made anew.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0003_opening_rules"
down_revision: str | None = "0002_pool_policies"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEPT = (
    "office_id",
    "kind",
    "on_date",
    "closed",
    "opens",
    "closes",
    "last_booked",
    "last_walk_in",
    "services",
    "reason",
    "valid_from",
    "valid_to",
)


def upgrade() -> None:
    """Bring the schema to this number."""
    rows = _rows(*KEPT, "weekday")
    op.drop_table("opening_rules")
    table = op.create_table(
        "opening_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "dated",
                "closure",
                "outage",
                "yearly",
                "holiday",
                "relative",
                "nth",
                "weekly",
                name="rulekind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("weekdays", sa.Integer(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("days_after", sa.Integer(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("first_md", sa.Integer(), nullable=True),
        sa.Column("last_md", sa.Integer(), nullable=True),
        sa.Column("substitutes", sa.Boolean(), nullable=False),
        sa.Column(
            "on_closed_weekday",
            sa.Enum("closed", "open", name="onclosedweekday", native_enum=False, create_constraint=True, length=20),
            nullable=True,
        ),
        sa.Column("adds", sa.Boolean(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.Column("last_booked", sa.Integer(), nullable=False),
        sa.Column("last_walk_in", sa.Integer(), nullable=False),
        sa.Column("services", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(kind IN ('dated', 'closure', 'outage')) = (on_date IS NOT NULL)", name=op.f("ck_opening_rules_has_date")
        ),
        sa.CheckConstraint("until_date IS NULL OR until_date >= on_date", name=op.f("ck_opening_rules_dates")),
        sa.CheckConstraint("(kind = 'yearly') = (first_md IS NOT NULL)", name=op.f("ck_opening_rules_yearly_has_days")),
        sa.CheckConstraint(
            "(first_md IS NULL) = (last_md IS NULL)", name=op.f("ck_opening_rules_yearly_has_both_days")
        ),
        sa.CheckConstraint(
            "first_md BETWEEN 101 AND 1231 AND last_md BETWEEN 101 AND 1231", name=op.f("ck_opening_rules_yearly_days")
        ),
        sa.CheckConstraint("weekdays BETWEEN 0 AND 127", name=op.f("ck_opening_rules_weekdays")),
        sa.CheckConstraint("kind NOT IN ('weekly', 'nth') OR weekdays > 0", name=op.f("ck_opening_rules_has_weekdays")),
        sa.CheckConstraint("nth BETWEEN 0 AND 63 AND (kind <> 'nth' OR nth > 0)", name=op.f("ck_opening_rules_nth")),
        sa.CheckConstraint("months BETWEEN 0 AND 4095", name=op.f("ck_opening_rules_months")),
        sa.CheckConstraint(
            "kind <> 'relative' OR (days_after <> 0 AND (weekdays = 0) = (nth = 0))",
            name=op.f("ck_opening_rules_relative"),
        ),
        sa.CheckConstraint(
            "closed OR (opens >= 0 AND opens < closes AND closes <= 1440)", name=op.f("ck_opening_rules_hours")
        ),
        sa.CheckConstraint(
            "closed OR (last_booked BETWEEN opens AND closes AND last_walk_in BETWEEN opens AND closes)",
            name=op.f("ck_opening_rules_last_reception"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('closure', 'outage') OR (closed AND opens BETWEEN 0 AND 1439 AND closes BETWEEN 1 AND 1440"
            " AND (opens < closes OR until_date > on_date))",
            name=op.f("ck_opening_rules_stretch"),
        ),
        sa.CheckConstraint("NOT (adds AND closed)", name=op.f("ck_opening_rules_adds")),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from IS NULL OR valid_from <= valid_to", name=op.f("ck_opening_rules_validity")
        ),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_opening_rules_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_rules")),
    )
    for row in rows:
        weekday = row.pop("weekday")
        row |= {"weekdays": 0 if weekday is None else 1 << weekday, "nth": 0, "months": 0, "days_after": 0}
        row |= {"substitutes": True, "adds": False}
    _fill(table, rows)

    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "national",
                "substitute",
                "between",
                name="holidaykind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum("library", "staff", name="holidaysource", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holidays")),
    )


def downgrade() -> None:
    """Take this number back. Rules of the kinds that came with it are left out: the old table cannot say them."""
    op.drop_table("holidays")
    rows = []
    for row in _rows(*KEPT, "weekdays", "adds", "until_date"):
        weekdays, adds, until = row.pop("weekdays"), row.pop("adds"), row.pop("until_date")
        if adds or until not in (None, row["on_date"]):
            continue
        if row["kind"] == "weekly":
            rows += [{**row, "weekday": n} for n in range(7) if weekdays >> n & 1]
        elif row["kind"] == "dated":
            rows.append({**row, "weekday": None})
    op.drop_table("opening_rules")
    table = op.create_table(
        "opening_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("office_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("weekly", "dated", name="rulekind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.Column("last_booked", sa.Integer(), nullable=False),
        sa.Column("last_walk_in", sa.Integer(), nullable=False),
        sa.Column("services", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("(kind = 'dated') = (on_date IS NOT NULL)", name=op.f("ck_opening_rules_dated_has_date")),
        sa.CheckConstraint(
            "(kind = 'weekly') = (weekday IS NOT NULL)", name=op.f("ck_opening_rules_weekly_has_weekday")
        ),
        sa.CheckConstraint(
            "closed OR (last_booked BETWEEN opens AND closes AND last_walk_in BETWEEN opens AND closes)",
            name=op.f("ck_opening_rules_last_reception"),
        ),
        sa.CheckConstraint(
            "closed OR (opens >= 0 AND opens < closes AND closes <= 1440)", name=op.f("ck_opening_rules_hours")
        ),
        sa.CheckConstraint("weekday IS NULL OR weekday BETWEEN 0 AND 6", name=op.f("ck_opening_rules_weekday")),
        sa.ForeignKeyConstraint(["office_id"], ["offices.id"], name=op.f("fk_opening_rules_office_id_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_rules")),
    )
    _fill(table, rows)


def _rows(*names: str) -> list[dict[str, Any]]:
    """The rules as they are, in the order in which they were made."""
    kinds: dict[str, Any] = {
        "on_date": sa.Date(),
        "valid_from": sa.Date(),
        "valid_to": sa.Date(),
        "until_date": sa.Date(),
    }
    kinds |= {"services": sa.JSON(none_as_null=True), "closed": sa.Boolean(), "adds": sa.Boolean()}
    columns = [sa.column(name, kinds.get(name)) for name in names]
    found = op.get_bind().execute(sa.select(*columns).select_from(sa.table("opening_rules")).order_by(sa.text("id")))
    return [dict(row) for row in found.mappings()]


def _fill(table: sa.Table, rows: list[dict[str, Any]]) -> None:
    with op.batch_alter_table("opening_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opening_rules_office_id"), ["office_id"], unique=False)
    if rows:
        op.get_bind().execute(sa.insert(table), rows)
