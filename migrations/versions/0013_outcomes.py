"""How people of a visit end: each with one of six outcomes; and cards that are sent by mail."""

from alembic import op

revision: str = "0013_outcomes"
down_revision: str | None = "0012_booked_until"
branch_labels: None = None
depends_on: None = None

OUTCOMES = ("handed_over", "done", "papers_missing", "later_by_mail", "stopped", "left")
BEFORE = ("preparing", "ready", "stopped", "handed_over")
STATES = (*BEFORE, "by_mail")
ENDED = (
    "UPDATE visit_people SET outcome = CASE WHEN notice_id IS NOT NULL OR EXISTS ("
    "SELECT 1 FROM office_services o JOIN visits v ON v.office_id = o.office_id"
    " WHERE v.id = visit_people.visit_id AND o.service_id = visit_people.service_id AND o.by_notice"
    ") THEN 'left' ELSE 'done' END WHERE outcome = 'not_handed_over'"
)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Who was not handed anything left without it, or came for something in which nothing is handed over."""
    op.execute(ENDED)
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_visit_people_outcome"), _one_of("outcome", OUTCOMES))
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_notices_noticestate"), type_="check")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_notices_noticestate"), _one_of("state", STATES))


def downgrade() -> None:
    """Back to two outcomes; a card that is sent was handed over, as far as booking goes."""
    op.execute("UPDATE notices SET state = 'handed_over' WHERE state = 'by_mail'")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_notices_noticestate"), type_="check")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_notices_noticestate"), _one_of("state", BEFORE))
    with op.batch_alter_table("visit_people", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_visit_people_outcome"), type_="check")
    op.execute("UPDATE visit_people SET outcome = 'not_handed_over' WHERE outcome NOT IN ('handed_over', 'left')")
