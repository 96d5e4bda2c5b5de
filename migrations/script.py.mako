"""${message}."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${(imports + "\n") if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    """Bring the schema to this number."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Back to the number before."""
    ${downgrades if downgrades else "pass"}
