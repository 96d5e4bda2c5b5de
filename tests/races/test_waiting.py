"""Whoever has to wait for others waits, but not for ever: after ten seconds the office says that it is busy."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg import Connection
from sqlalchemy import event

from server import create_app
from server.booking.service import locked_booking
from server.db import WAIT_FOR_DATABASE_S, db, transaction
from server.errors import Busy
from tests.conftest import Office, settings_for
from tests.databases import Cluster
from tests.fakes import MONDAY_NINE, StandingClock
from tests.races.together import PATIENCE_S, Deed, at_once, codes
from tests.server.city import City

pytestmark = pytest.mark.race


@pytest.fixture
def one_box(sqlite_office: Office) -> City:
    """The sample city on SQLite."""
    return City(sqlite_office)


@pytest.fixture
def impatient(cluster: Cluster, postgres_template: tuple[str, object]) -> Iterator[City]:
    """The sample city on PostgreSQL, with connections that wait a tenth of a second and not ten."""
    settings = settings_for(cluster.create(postgres_template[0]))
    app = create_app(settings, StandingClock(MONDAY_NINE))
    with app.app_context():
        event.listen(db.engine, "connect", _wait_a_tenth)
        yield City(Office(app, StandingClock(MONDAY_NINE), [], settings))
        db.session.remove()
        db.engine.dispose()


def _wait_a_tenth(connection: Connection[object], _record: object) -> None:
    connection.execute("SET lock_timeout = 100")
    connection.commit()


def another_process(city: City) -> sqlite3.Connection:
    """Another process with the same file."""
    path = city.office.settings.database_url.removeprefix("sqlite:///")
    assert Path(path).exists()
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_while_another_process_writes_one_waits_and_then_writes(one_box: City) -> None:
    with closing(another_process(one_box)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.execute, ["ROLLBACK"]).start()
        began = time.monotonic()
        assert one_box.come_without_booking().ticket.number == 1

        assert 0.2 < time.monotonic() - began < WAIT_FOR_DATABASE_S


def test_while_another_process_writes_everybody_may_read(one_box: City) -> None:
    with closing(another_process(one_box)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE slots SET taken = 0")
        began = time.monotonic()

        assert one_box.place("10:15").taken == 0
        assert time.monotonic() - began < 1
        other.execute("ROLLBACK")


def test_after_ten_seconds_it_is_busy_and_nothing_was_done(one_box: City) -> None:
    with closing(another_process(one_box)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(Busy):
            one_box.come_without_booking()

        assert WAIT_FOR_DATABASE_S <= time.monotonic() - began < WAIT_FOR_DATABASE_S + 2
        other.execute("ROLLBACK")
    assert one_box.come_without_booking().ticket.number == 1


@pytest.mark.postgresql
def test_who_waits_in_vain_for_a_row_is_told_that_it_is_busy(impatient: City) -> None:
    person, booking = impatient.booked("10:00")
    row = impatient.booking(booking).id
    gate = threading.Barrier(2)

    def keep_the_booking() -> None:
        with transaction() as tx:
            locked_booking(tx, row)
            gate.wait(PATIENCE_S)
            gate.wait(PATIENCE_S)

    def cancel() -> object:
        gate.wait(PATIENCE_S)
        try:
            return impatient.cancel(person, booking)
        finally:
            gate.wait(PATIENCE_S)

    deeds: list[Deed] = [keep_the_booking, cancel]
    assert codes(at_once(impatient.office.app, deeds)) == ["busy"]
    impatient.cancel(person, booking)
    assert impatient.has_right_counters()


@pytest.mark.postgresql
def test_connections_wait_for_a_row_no_longer_than_for_a_whole_database(
    cluster: Cluster, postgres_template: tuple[str, object]
) -> None:
    app = create_app(settings_for(cluster.create(postgres_template[0])))
    with app.app_context():
        with db.engine.connect() as connection:
            waits = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
        db.engine.dispose()

    assert waits == f"{int(WAIT_FOR_DATABASE_S)}s"
