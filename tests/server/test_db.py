"""One commit, then the world; and moments that stay the same moment."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from server.audit import AuditEntry, record
from server.clock import OFFICE_ZONE, WallClock, at_minute, business_date
from server.db import Transaction, new_uid, read_session, transaction
from server.errors import ChangedMeanwhile
from server.events import EventBus, QueueChanged
from server.offices.models import Feed, Window
from server.queueing.service import WindowState
from server.repeats import KEPT, BadRequestId, Caller, Request, forget_old, repeat_of
from tests.conftest import Office
from tests.fakes import MONDAY_NINE
from tests.server.city import MONDAY, City


def note(tx: Transaction, verb: str = "test") -> None:
    """Write something."""
    record(tx, MONDAY_NINE, "kanri", verb, None)


def write_tell_and_fail() -> None:
    """A transaction that comes to nothing."""
    with transaction() as tx:
        note(tx)
        tx.publish(QueueChanged(1))
        tx.session.flush()
        raise ZeroDivisionError


def write_one_inside_another() -> None:
    """A step that opens a transaction of its own."""
    with transaction() as tx:
        note(tx)
        with transaction():
            pass


def notes() -> list[str]:
    """What was written and committed."""
    read_session().rollback()
    return [e.verb for e in read_session().query(AuditEntry).filter(AuditEntry.actor == "kanri")]


@pytest.fixture
def city(office: Office) -> City:
    """The sample city in an app of its own: tests here listen to it."""
    return City(office)


@pytest.fixture
def bus(city: City) -> EventBus:
    """The app's bus."""
    found = city.office.app.extensions["madoguchi.bus"]
    assert isinstance(found, EventBus)
    return found


def fail_to_listen(_event: object) -> None:
    """A listener whose board has just been switched off."""
    raise ConnectionError


class TestTransactions:
    """`transaction()` is the only commit."""

    def test_what_is_written_is_there_when_it_ends(self, city: City) -> None:
        with transaction() as tx:
            note(tx)

        assert notes() == ["test"]
        assert city.has_right_counters()

    @pytest.mark.usefixtures("city")
    def test_whatever_is_raised_inside_undoes_everything(self) -> None:
        with pytest.raises(ZeroDivisionError):
            write_tell_and_fail()

        assert notes() == []

    @pytest.mark.usefixtures("city")
    def test_one_inside_another_is_a_fault_and_the_outer_one_is_undone(self) -> None:
        with pytest.raises(RuntimeError, match="steps take tx"):
            write_one_inside_another()

        assert notes() == []

    def test_the_last_word_of_a_constraint_is_a_refusal_that_names_it(self, city: City) -> None:
        with pytest.raises(ChangedMeanwhile) as refused, transaction() as tx:
            tx.session.add(Window(office_id=city.here, number=2))

        assert "number" in refused.value.facts["constraint"]
        with transaction() as tx:
            note(tx)
        assert notes() == ["test"]

    def test_rows_read_before_are_read_again(self, city: City) -> None:
        row = read_session().get_one(Feed, city.here)
        assert row.sequence == 0
        with city.office.app.app_context(), transaction() as tx:
            tx.session.get_one(Feed, city.here).sequence = 7

        with transaction() as tx:
            assert tx.session.get_one(Feed, city.here).sequence == 7

    @pytest.mark.usefixtures("city")
    def test_writing_a_row_that_stands_already_is_seen_on_each_database(self) -> None:
        values = {"actor": "kanri", "request_id": "a" * 8, "entry_point": "x", "body_hash": "", "at": MONDAY_NINE}
        with transaction() as tx:
            assert tx.insert_or_ignore(Request, {**values, "answer": 1})
            assert not tx.insert_or_ignore(Request, {**values, "answer": 2})

        assert read_session().query(Request).one().answer == 1


class TestEvents:
    """What has happened is told when it is certain."""

    def test_after_the_commit_and_not_before(self, bus: EventBus) -> None:
        heard: list[object] = []
        bus.after(QueueChanged, lambda event: heard.append((event.office_id, notes())))
        with transaction() as tx:
            tx.publish(QueueChanged(1))
            note(tx)
            assert heard == []

        assert heard == [(1, ["test"])]

    def test_not_at_all_when_it_is_undone(self, bus: EventBus) -> None:
        heard: list[object] = []
        bus.after(QueueChanged, heard.append)
        with pytest.raises(ZeroDivisionError):
            write_tell_and_fail()

        assert heard == []

    def test_who_writes_inside_writes_in_the_same_transaction(self, bus: EventBus) -> None:
        bus.inside(QueueChanged, lambda tx, _event: note(tx, "inside"))
        with pytest.raises(ZeroDivisionError):
            write_tell_and_fail()
        assert notes() == []

        with transaction() as tx:
            tx.publish(QueueChanged(1))
        assert notes() == ["inside"]

    def test_a_listener_that_fails_harms_nobody(self, bus: EventBus, caplog: pytest.LogCaptureFixture) -> None:
        heard: list[object] = []
        bus.after(QueueChanged, fail_to_listen)
        bus.after(QueueChanged, heard.append)
        with caplog.at_level(logging.ERROR), transaction() as tx:
            note(tx)
            tx.publish(QueueChanged(1))

        assert (notes(), heard) == (["test"], [QueueChanged(1)])
        assert "telling QueueChanged failed" in caplog.text


class TestMoments:
    """Moments are aware, stored in UTC, and the same on each database."""

    def test_a_moment_comes_back_as_the_same_moment(self, city: City) -> None:
        with transaction() as tx:
            note(tx)
        read_session().rollback()
        (entry,) = read_session().query(AuditEntry).filter(AuditEntry.actor == "kanri")

        assert (entry.at, entry.at.tzinfo) == (MONDAY_NINE, UTC)
        assert entry.at == city.now

    @pytest.mark.usefixtures("city")
    def test_a_moment_without_a_zone_is_a_fault(self) -> None:
        with pytest.raises(StatementError, match="without a zone"), transaction() as tx:
            record(tx, MONDAY_NINE.replace(tzinfo=None), "kanri", "test", None)

    @pytest.mark.usefixtures("city")
    def test_the_database_compares_them_as_moments(self) -> None:
        with transaction() as tx:
            note(tx)
        same = MONDAY_NINE.astimezone(UTC)
        assert read_session().query(AuditEntry).filter(AuditEntry.actor == "kanri", AuditEntry.at == same).count() == 1


def test_uids_keep_the_order_of_birth_and_are_of_version_seven() -> None:
    uids = [new_uid(MONDAY_NINE + timedelta(milliseconds=n)) for n in range(50)]

    assert sorted(uids) == uids
    assert {(u.version, u.variant) for u in uids} == {(7, uuid4().variant)}
    assert len({new_uid(MONDAY_NINE) for _ in range(1000)}) == 1000


def test_the_offices_day_begins_at_three_in_the_afternoon_utc() -> None:
    midnight = datetime(2026, 11, 29, 15, tzinfo=UTC)

    assert business_date(midnight) == MONDAY
    assert business_date(midnight - timedelta(microseconds=1)) == MONDAY - timedelta(days=1)
    assert at_minute(MONDAY, 0) == midnight
    assert at_minute(MONDAY, 1440) == midnight + timedelta(days=1)


def test_the_wall_clock_can_be_set_off_and_tells_the_offices_time() -> None:
    off = WallClock(timedelta(hours=5)).now() - WallClock().now()

    assert timedelta(hours=4, minutes=59) < off <= timedelta(hours=5)
    assert WallClock().now().tzinfo is OFFICE_ZONE


@pytest.mark.parametrize(
    "text_", ["", "a" * 7, "a" * 65, "abcd efgh", "--------", "日本語日本語日本", "a\n" * 6, "123456789018"]
)
def test_a_request_id_that_cannot_be_one_is_refused(text_: str) -> None:
    with pytest.raises(BadRequestId):
        Caller("staff:1", text_)


def test_answers_are_kept_for_a_week(city: City) -> None:
    by = Caller("staff:1", "a" * 8)
    with transaction() as tx:
        repeat_of(tx, by, "test", {}, city.now).keep(WindowState(1, 1, True))
    for later, known in ((KEPT, True), (KEPT + timedelta(microseconds=1), False)):
        with transaction() as tx:
            forget_old(tx, city.now + later)
        read_session().rollback()
        assert (read_session().execute(text("SELECT count(*) FROM requests")).scalar_one() == 1) is known
