"""Migrations: numbered, from empty to the program's own tables on both databases, back again, with rows in between."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import JSON, Boolean, Column, Connection, Date, Enum, String, Table, Uuid, inspect, select, text

from server import MIGRATIONS, create_app
from server.db import Base, UtcDateTime, db
from tests.conftest import settings_for
from tests.databases import Cluster

VERSIONS = sorted(MIGRATIONS.glob("versions/[0-9]*.py"))
FIRST = "base"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app on an empty database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.create()
    app = create_app(settings_for(url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def _upgrade() -> None:
    upgrade(directory=str(MIGRATIONS))


def _differences() -> list[Any]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def _partial_indexes(connection: Connection) -> dict[str, str]:
    """Name → condition of the indexes that hold for some rows only; comparing metadata passes over conditions."""
    if connection.dialect.name == "sqlite":
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
    else:
        found = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '% WHERE %' AND schemaname = 'public'"
    return {name: _words(sql.rpartition(" WHERE ")[2]) for name, sql in connection.execute(text(found))}


def _words(condition: str) -> str:
    """A condition without the database's own brackets and casts: its words, in order."""
    uncast = re.sub(r"::[a-z ]+", "", condition)
    return " ".join(word for word in re.findall(r"\w+", uncast) if word not in ("IN", "ANY", "ARRAY"))


def _row(table: Table) -> dict[str, Any]:
    """Some value that fits, for each column that needs one."""
    needed = (c for c in table.columns if not c.nullable or c.name == "on_date")
    row = {c.name: _value(c) for c in needed}
    if table.name == "bookings":
        row["hold_until"] = LATER  # its first state is a hold
    return row


def _value(column: "Column[Any]") -> Any:
    if column.foreign_keys:
        return "x" if isinstance(column.type, String) else 1
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    kind = column.type
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return next(iter(kind.enum_class))
    return next((value for shape, value in VALUES if isinstance(kind, shape)), 1)


MIDNIGHT, LATER = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
VALUES: tuple[tuple[type[Any], Any], ...] = (
    (Boolean, True),
    (Date, MIDNIGHT.date()),
    (UtcDateTime, MIDNIGHT),
    (Uuid, UUID(int=1)),
    (JSON, {}),
    (String, "x"),
)
SPECIAL: dict[str, Any] = {"adds": False, "ends_at": LATER, "closes": 2}


def _fill(connection: Connection) -> None:
    """One row in every table, from what stands alone to what hangs on it."""
    for table in Base.metadata.sorted_tables:
        connection.execute(table.insert().values(_row(table)))


def _counts(connection: Connection) -> dict[str, int]:
    return {t.name: len(connection.execute(select(t)).all()) for t in Base.metadata.sorted_tables}


def test_each_migration_is_a_number_and_a_phrase_and_follows_the_one_before() -> None:
    """0001_…, 0002_… without gaps; the revision's id is its file's name."""
    before = None
    for number, path in enumerate(VERSIONS, start=1):
        source = path.read_text(encoding="utf-8")
        assert re.fullmatch(rf"{number:04d}_[a-z0-9_]+", path.stem)
        assert f'revision: str = "{path.stem}"' in source
        assert f"down_revision: str | None = {f'{chr(34)}{before}{chr(34)}' if before else None}" in source
        before = path.stem
    assert before is not None


@pytest.mark.usefixtures("empty")
def test_from_empty_the_migrations_make_exactly_the_tables_of_the_program() -> None:
    """No table, column, type, index or constraint too many or too few."""
    _upgrade()
    assert _differences() == []


@pytest.mark.usefixtures("empty")
def test_indexes_for_some_rows_hold_for_the_rows_they_are_meant_for() -> None:
    """The last word on double bookings and double calls: conditions as the tables declare them."""
    _upgrade()
    kind = db.engine.dialect.name
    declared = {
        str(index.name): _words(str(index.dialect_options[kind]["where"]))
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options[kind].get("where") is not None
    }
    with db.engine.connect() as connection:
        assert _partial_indexes(connection) == declared
    assert "uq_booking_people_live_notice" in declared


@pytest.mark.usefixtures("empty")
def test_every_constraint_has_a_name() -> None:
    """What has no name cannot be changed by a later migration."""
    _upgrade()
    looked = inspect(db.engine)
    for table in Base.metadata.tables:
        named = [
            *looked.get_foreign_keys(table),
            *looked.get_check_constraints(table),
            *looked.get_unique_constraints(table),
        ]
        assert all(constraint["name"] for constraint in named), table


@pytest.mark.usefixtures("empty")
def test_a_database_at_the_newest_number_keeps_its_rows() -> None:
    """A row in every table, and what a migration has put there, stand after the migrations were asked for again."""
    _upgrade()
    with db.engine.begin() as connection:
        first = _counts(connection)
        _fill(connection)
    _upgrade()
    with db.engine.connect() as connection:
        assert _counts(connection) == {table: rows + 1 for table, rows in first.items()}


@pytest.mark.usefixtures("empty")
def test_back_to_empty_and_up_again() -> None:
    """Every migration knows its way back."""
    _upgrade()
    downgrade(directory=str(MIGRATIONS), revision=FIRST)
    assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
    _upgrade()
    assert _differences() == []


@pytest.mark.usefixtures("empty")
def test_foreign_keys_are_watched_again_after_a_migration() -> None:
    """On SQLite they are off while a table is copied, and only then."""
    _upgrade()
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


BEFORE_FILES = "0005_assigned_time"
A_NOTICE = (
    "INSERT INTO offices (id, uid, code, name_ja, name_en, tel, zone)"
    " VALUES (1, :uid, 'a', '庁舎', 'A', '0', 'Asia/Tokyo')",
    "INSERT INTO services (id, code, name_ja, name_en, minutes) VALUES (1, 'pickup', '受取', 'Pick-up', 15)",
    "INSERT INTO notices (uid, office_id, service_id, number_key, scan_key, credential_id, secret_key, key_id, state)"
    " VALUES (:uid, 1, 1, 'n', 's', 'c', 'k', 1, 'ready')",
)


@pytest.mark.usefixtures("empty")
def test_a_notice_from_before_files_were_read_keeps_its_sticker_and_is_not_restricted() -> None:
    """There and back; and on the way back a notice without a sticker stays, too."""
    upgrade(directory=str(MIGRATIONS), revision=BEFORE_FILES)
    with db.engine.begin() as connection:
        for statement in A_NOTICE:
            connection.execute(text(statement), {"uid": "0" * 32} if ":uid" in statement else {})
    upgrade(directory=str(MIGRATIONS), revision="0006_notices_from_files")
    asked = text("SELECT credential_id, restricted, storage_place FROM notices")
    with db.engine.begin() as connection:
        [(ident, restricted, place)] = connection.execute(asked)
        assert (ident, bool(restricted), place) == ("c", False, "")
        connection.execute(text("UPDATE notices SET scan_key = NULL, credential_id = NULL, secret_key = NULL"))
    downgrade(directory=str(MIGRATIONS), revision=BEFORE_FILES)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(credential_id) FROM notices")).scalar_one() == 1


OUTCOMES_BEFORE = (
    "INSERT INTO services (id, code, name_ja, name_en, short_ja, short_en, picture, legal_deadline, documents)"
    " VALUES (2, 'pin', '暗証番号', 'PIN', 'a', 'a', 'pin', :no, '{}')",
    "INSERT INTO office_services (office_id, service_id, position, by_notice, by_anybody, by_phone, walk_in)"
    " VALUES (1, 1, 1, :yes, :no, :no, :yes), (1, 2, 2, :no, :yes, :no, :yes)",
    "INSERT INTO visits (id, uid, office_id, business_date, priority, arrived_at, received_at, origin, live)"
    " VALUES (1, :uid, 1, '2026-11-30', 0, '2026-11-30', '2026-11-30', 'kiosk', :no)",
    'INSERT INTO visit_people (visit_id, position, service_id, "case", stops_done, outcome, live) VALUES'
    " (1, 1, 1, 'self', 1, 'not_handed_over', :no), (1, 2, 2, 'self', 1, 'not_handed_over', :no),"
    " (1, 3, 1, 'self', 1, 'handed_over', :no), (1, 4, 1, 'self', 0, NULL, :yes)",
)


@pytest.mark.usefixtures("empty")
def test_who_ended_without_a_card_left_or_was_done_by_what_they_came_for() -> None:
    """Two ways of ending became six; the way back knows two again."""
    upgrade(directory=str(MIGRATIONS), revision="0012_booked_until")
    office, service = A_NOTICE[0], OUTCOMES_BEFORE[0].replace("(2, 'pin'", "(1, 'pickup'")
    with db.engine.begin() as connection:
        for statement in (office, service, *OUTCOMES_BEFORE):
            words = {"uid": "0" * 32, "yes": True, "no": False}
            connection.execute(text(statement), {k: v for k, v in words.items() if f":{k}" in statement})
    upgrade(directory=str(MIGRATIONS), revision="0013_outcomes")
    asked = text("SELECT outcome FROM visit_people ORDER BY position")
    with db.engine.connect() as connection:
        assert list(connection.execute(asked).scalars()) == ["left", "done", "handed_over", None]
    downgrade(directory=str(MIGRATIONS), revision="0012_booked_until")
    with db.engine.connect() as connection:
        assert list(connection.execute(asked).scalars()) == ["left", "not_handed_over", "handed_over", None]


@pytest.mark.usefixtures("empty")
def test_cards_that_were_to_be_sent_are_not_forgotten_and_nobody_is_said_to_have_agreed() -> None:
    """Of those whose notice still waits to be sent, and those who had none."""
    upgrade(directory=str(MIGRATIONS), revision="0015_undo_and_procedures")
    by_mail = OUTCOMES_BEFORE[3].replace("not_handed_over", "later_by_mail")
    office, service = A_NOTICE[0], OUTCOMES_BEFORE[0].replace("(2, 'pin'", "(1, 'pickup'")
    sent = A_NOTICE[2].replace("state)", "state, storage_place, restricted)").replace("'ready')", "'by_mail', '', :no)")
    with db.engine.begin() as connection:
        for statement in (office, service, *OUTCOMES_BEFORE[:3], sent, by_mail):
            words = {"uid": "0" * 32, "yes": True, "no": False}
            connection.execute(text(statement), {k: v for k, v in words.items() if f":{k}" in statement})
        connection.execute(text("UPDATE visit_people SET notice_id = 1 WHERE position = 1"))
    upgrade(directory=str(MIGRATIONS), revision="0017_mailings")
    asked = text("SELECT office_id, position, notice_id, consented, state FROM mailings ORDER BY position")
    with db.engine.connect() as connection:
        rows = [(*row[:3], bool(row[3]), row[4]) for row in connection.execute(asked)]
    assert rows == [(1, 1, 1, False, "to_send"), (1, 2, None, False, "to_send")]
    downgrade(directory=str(MIGRATIONS), revision="0015_undo_and_procedures")
    assert "mailings" not in inspect(db.engine).get_table_names()
