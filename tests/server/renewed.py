"""An office for many tests: one app for each kind of database, put back to how it was before each test.

Making an app and a copy of the database takes longer than most tests. Only for tests that end what they begin and
change nothing of the app itself; others take `office`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from server import create_app
from server.db import db
from server.intake.words import forget as forget_walk_ins
from server.outlook.queries import forget
from server.sample import SampleStaff
from tests.conftest import Office, settings_for
from tests.databases import Cluster
from tests.fakes import MONDAY_NINE, StandingClock


class Standing:
    """An app whose database and clock can be put back."""

    def __init__(self, url: str, staff: list[SampleStaff], put_rows_back: Callable[[], None]) -> None:
        """`put_rows_back` is called while the app has no connection that writes."""
        self.clock, self.settings, self.staff = StandingClock(), settings_for(url), staff
        self.app, self._put_rows_back = create_app(self.settings, self.clock), put_rows_back

    def renewed(self) -> Office:
        """It is Monday, nine o'clock, and nothing has happened yet."""
        self.clock.forward(seconds=(MONDAY_NINE - self.clock.now()).total_seconds())
        self._put_rows_back()
        forget()
        forget_walk_ins()
        return Office(self.app, self.clock, self.staff, self.settings)


class FirstRows:
    """The rows of a PostgreSQL database as they are now, kept in a schema of their own."""

    def __init__(self, connection: psycopg.Connection[tuple[str, ...]]) -> None:
        """Remember them."""
        self._connection = connection
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._tables = [sql.Identifier(name) for (name,) in found]
        connection.execute("CREATE SCHEMA kept")
        for table in self._tables:
            connection.execute(sql.SQL("CREATE TABLE kept.{0} AS TABLE public.{0}").format(table))
        numbers = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
        self._numbers = connection.execute(numbers).fetchall()

    def put_back(self) -> None:
        """The rows, and the numbers of rows to come."""
        with self._connection.transaction():
            self._connection.execute("SET LOCAL lock_timeout = '20s'")
            self._connection.execute("SET LOCAL session_replication_role = replica")  # in any order of tables
            for table in self._tables:
                self._connection.execute(sql.SQL("DELETE FROM public.{0}").format(table))
                self._connection.execute(sql.SQL("INSERT INTO public.{0} SELECT * FROM kept.{0}").format(table))
            for name, last in self._numbers:
                self._connection.execute("SELECT setval(%s, %s, %s)", (name, last or 1, last is not None))


@pytest.fixture(scope="session")
def standing_on_sqlite(
    sqlite_template: tuple[Path, list[SampleStaff]], tmp_path_factory: pytest.TempPathFactory
) -> Standing:
    """The app on a file."""
    template, staff = sqlite_template
    path = tmp_path_factory.mktemp("standing") / "city.db"

    def copy() -> None:
        for log in (path.with_name("city.db-wal"), path.with_name("city.db-shm")):
            log.unlink(missing_ok=True)
        shutil.copy(template, path)

    copy()
    return Standing(f"sqlite:///{path}", staff, copy)


@pytest.fixture(scope="session")
def standing_on_postgresql(cluster: Cluster, postgres_template: tuple[str, list[SampleStaff]]) -> Iterator[Standing]:
    """The app on PostgreSQL; it keeps its connections from test to test."""
    template, staff = postgres_template
    url = cluster.create(template)
    with ExitStack() as ending:
        connection = ending.enter_context(closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)))
        standing = Standing(url, staff, FirstRows(connection).put_back)
        yield standing
        with standing.app.app_context():
            db.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def standing_office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """The sample city, Monday 2026-11-30 at nine, on each kind of database."""
    standing: Standing = request.getfixturevalue(f"standing_on_{request.param}")
    office = standing.renewed()
    with office.app.app_context():
        yield office
        db.session.remove()
        if request.param == "sqlite":
            db.engine.dispose()
