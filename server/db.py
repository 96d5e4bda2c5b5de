"""The database: one base class, one column type for moments, one commit.

`transaction()` is the only commit of the program. On SQLite (WAL, synchronous=FULL: a printed number must survive
a power cut) it is BEGIN IMMEDIATE under one lock of the process; nothing between BEGIN and COMMIT may yield to
another greenlet. On PostgreSQL rows are locked instead, always in the order of docs/concurrency.md.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum as PyEnum
from functools import cache
from typing import Any, TypeVar, cast

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Enum, Integer, MetaData, Select, Table, Uuid, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeDecorator

from server.errors import Busy, ChangedMeanwhile
from server.events import Event, EventBus

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite numbers rows by itself only in a column declared INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment: stored in UTC, given back in UTC; a naive one is a fault of the program."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive moments, store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """SQLite gives back what it was given without the zone: it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UtcDateTime(), uuid.UUID: Uuid()},
    )


db = SQLAlchemy(model_class=Base)
Rows = TypeVar("Rows", bound=Select[Any])


def enum_type(kind: type[PyEnum]) -> Enum:
    """A column of words, guarded by a CHECK: readable in the database and changed by a plain migration."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=20,
        name=kind.__name__.lower(),
        values_callable=lambda e: [member.value for member in e],
    )


def new_uid(now: datetime) -> uuid.UUID:
    """A UUIDv7 (RFC 9562): rows born in another zone or on a kiosk keep their order of birth."""
    millis = int(now.timestamp() * 1000)
    noise = uuid.uuid4().int & ((1 << 74) - 1)
    rand_a, rand_b = noise >> 62, noise & ((1 << 62) - 1)
    return uuid.UUID(int=(millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


@dataclass
class Transaction:
    """An open transaction: its session, and the events that are told when it is committed."""

    session: Session
    bus: EventBus
    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Tell inside subscribers now and the world after the commit."""
        self.bus.tell_inside(self, event)
        self.events.append(event)

    def insert_or_ignore(self, table: type[Base], values: dict[str, Any]) -> bool:
        """Insert one row; False if a row with its key stands already (waiting for its writer to end)."""
        # Not by rowcount: psycopg says -1 of such a statement, which is as true as 1.
        return self.session.scalar(_insert_or_ignore(table, self.dialect), values) is not None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.session.get_bind().dialect.name


def insert_into(table: type[Base], dialect: str) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what happens where its row stands already: both databases can, each by its own words."""
    columns = cast(Table, table.__table__)
    return postgresql.insert(columns) if dialect == "postgresql" else sqlite.insert(columns)


@cache
def _insert_or_ignore(table: type[Base], dialect: str) -> ReturningInsert[tuple[int]]:
    """Built once: to put it together takes longer than to run it."""
    return insert_into(table, dialect).on_conflict_do_nothing().returning(literal(1))


def locked(rows: Rows, *, skip: bool = False) -> Rows:
    """The rows of a query, locked until the commit and read afresh; with `skip` without those somebody else has locked.

    On PostgreSQL FOR NO KEY UPDATE: a plain FOR UPDATE also stops everybody whose row refers to a locked one by a
    foreign key, and that is a lock out of order – a check-in, whose visit refers to the notice, and a cancellation,
    which has locked it, would wait for each other.
    """
    return rows.with_for_update(key_share=True, skip_locked=skip).execution_options(populate_existing=True)


def read_session() -> Session:
    """The session of this request for reading; it ends with the request."""
    return db.session()


# One writer at a time in a process on SQLite. A lock of the process and not of the app: tests run several apps.
_sqlite_writer = threading.Lock()

WAIT_FOR_DATABASE_S = 10.0
# PostgreSQL gave up waiting for a row: lock_timeout, or a deadlock, which our order of locks should never let happen.
WAITED_IN_VAIN = ("55P03", "40P01")


@contextmanager
def transaction() -> Iterator[Transaction]:
    """Begin, let the caller lock, check and write, commit once, then tell the world.

    Ends any open read first (rows read before are read again). Raises Busy if the database or a row in it does not
    become free in ten seconds, ChangedMeanwhile if a constraint says no; whatever is raised inside undoes everything.
    Nesting is a fault of the program.
    """
    session = db.session()
    if "transaction" in session.info:
        raise RuntimeError("transaction() inside transaction(): steps take tx and never open one")
    session.rollback()
    tx = Transaction(session, cast(EventBus, current_app.extensions["madoguchi.bus"]))
    session.info["transaction"] = tx
    try:
        with _turn_to_write(session):
            try:
                yield tx
                session.commit()
            except BaseException:
                session.rollback()
                raise
    except IntegrityError as error:
        raise ChangedMeanwhile(constraint=_constraint_name(error)) from error
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in WAITED_IN_VAIN:
            raise Busy from error
        raise
    finally:
        del session.info["transaction"]
    tx.bus.tell_after(tx.events)


@contextmanager
def _turn_to_write(session: Session) -> Iterator[None]:
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    if not _sqlite_writer.acquire(timeout=WAIT_FOR_DATABASE_S):
        raise Busy
    try:
        _begin_immediate(session, time.monotonic() + WAIT_FOR_DATABASE_S)
        yield
    finally:
        _sqlite_writer.release()


def _begin_immediate(session: Session, deadline: float) -> None:
    """Another process may hold SQLite's write lock; waiting happens here, outside the transaction, and may yield."""
    pause = 0.001
    while True:
        try:
            session.connection(execution_options={"begin_immediate": True})
            return
        except OperationalError as error:
            session.rollback()
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise Busy from error
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def _constraint_name(error: IntegrityError) -> str:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return str(name or str(error.orig).rpartition(":")[2].strip())


def prepare_sqlite(engine: Engine) -> None:
    """SQLite's driver in autocommit; BEGIN is ours; durable, with foreign keys, many readers beside one writer."""

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
