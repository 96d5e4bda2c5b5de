"""Runs migrations on the app's database.

On SQLite foreign keys are off meanwhile: a batch migration copies a table and drops the old one, and with foreign
keys on that deletes the rows that hang on it. They are checked as a whole afterwards.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection

from server.db import Base, UtcDateTime, db


def run() -> None:
    """Upgrade or downgrade over one connection."""
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            _outside_transaction(connection, "PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            # True on SQLite as well: our BEGIN encloses the whole migration, so a failing one leaves nothing behind.
            transactional_ddl=True,
            compare_server_default=True,
            render_item=_render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite:
                _check_foreign_keys(connection)
        if connection.in_transaction():
            connection.commit()
        if sqlite:
            _outside_transaction(connection, "PRAGMA foreign_keys=ON")


def _render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """A migration must outlive the program's own types: it names the column type below."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _outside_transaction(connection: Connection, statement: str) -> None:
    """SQLite ignores this pragma inside a transaction, and SQLAlchemy begins one with its first statement."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"the migration would leave {len(broken)} rows that hang on nothing, the first: {broken[0]}")


run()
