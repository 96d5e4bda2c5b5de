"""`reports waits` on each kind of database, as a page, a file and a command; counts worked out by hand."""

import re
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, insert

from server.clock import at_minute
from server.commands import COMMANDS
from server.db import db, read_session, transaction
from server.offices.models import Lane, Office, Service
from server.queueing.models import Visit, VisitPerson, VisitStep
from server.queueing.rules import Outcome, StepClass, StepState
from server.reports.queries import WaitReport, wait_report
from server.reports.rules import Wait
from server.reports.words import cells, outcome_rows, sentences, sheets, within
from tests.conftest import Office as Sample
from tests.server.auth.colleague import colleague, plain
from tests.server.city import MONDAY, City

PAGE = "/reports/waits"


def report(city: City) -> WaitReport:
    """Monday, as of now."""
    read_session().rollback()
    office = read_session().get_one(Office, city.here)
    return wait_report(read_session(), office, MONDAY, MONDAY, city.now)


class TestCounting:
    """Each number of a small day."""

    def test_waits_of_booked_people_and_walk_ins(self, city: City) -> None:
        _, booking = city.booked("10:00")
        city.at("9:52")
        city.scan(city.code(booking))
        city.open(2, 3)
        city.at("10:04")
        city.call_next(2)
        city.at("10:10")
        city.come_without_booking(party=2)
        city.at("10:45")
        city.call_next(3), city.finish(3)
        city.come_without_booking()

        found = report(city)
        assert within(found) == "30分以内の呼出 50％（予約あり 100％、予約なし 0％）"
        assert [(w.booked, w.hour, w.minutes, w.since_told, w.people) for w in sorted(found.waits, key=_booked)] == [
            (False, 10, 35.0, 35.0, 2),
            (True, 10, 4.0, 12.0, 1),
        ]
        assert (found.still_waiting, found.never_called, found.as_of) == (1, 0, city.now)
        assert outcome_rows(found) == [("交付した", 2), ("対応中・待ち", 2)]

    def test_a_further_procedure_is_nobody_more(self, city: City) -> None:
        city.open(3)
        city.come_without_booking(party=2)
        city.call_next(3)
        for service in ("pin", "certificate"):
            city.add(3, service)
        city.finish(3, Outcome.LEFT)

        found = report(city)
        assert [wait.people for wait in found.waits] == [2]
        assert outcome_rows(found) == [("帰った・締め", 2)]
        assert "同じ来庁で追加した手続：2 件（人数には入れません）" in sentences(found)

    def test_what_was_told_is_compared_with_the_time_from_being_told(self, city: City) -> None:
        city.come_without_booking()
        city.set_row(read_session().query(VisitStep).one(), told_minutes=10, told_least=5, told_most=15)
        city.open(3)
        city.at("9:16")
        city.call_next(3)

        assert (report(city).told.error, report(city).told.hits) == (6.0, 0.0)

    def test_who_left_without_being_called_is_counted_apart(self, city: City) -> None:
        city.come_without_booking()
        step = read_session().query(VisitStep).one()
        city.set_row(step, state=StepState.VOID)

        assert (report(city).waits, report(city).never_called) == ((), 1)

    def test_a_second_call_does_not_change_the_wait(self, city: City) -> None:
        city.come_without_booking()
        city.open(3)
        city.at("9:05")
        city.call_next(3)
        city.at("9:20")
        city.recall(3)

        assert [w.minutes for w in report(city).waits] == [5.0]

    def test_of_each_stop_by_itself(self, city: City) -> None:
        city.check_papers_first()
        city.come_without_booking()
        city.open(1, 2)
        city.at("9:03")
        city.call_next(1), city.pass_on(1)
        city.at("9:10")
        city.call_next(2)

        assert [(w.lane, w.minutes) for w in sorted(report(city).waits, key=_minutes)] == [("受取", 3.0), ("交付", 7.0)]

    def test_other_days_and_offices_are_left_out(self, city: City) -> None:
        city.come_without_booking()
        city.open(3)
        city.call_next(3)
        other = read_session().query(Office).filter_by(code="kita").one()
        tomorrow = MONDAY + timedelta(days=1)

        assert wait_report(read_session(), other, MONDAY, MONDAY, city.now).waits == ()
        office = read_session().get_one(Office, city.here)
        assert wait_report(read_session(), office, tomorrow, tomorrow, city.now).waits == ()
        assert len(wait_report(read_session(), office, MONDAY, tomorrow, city.now).waits) == 1


def _booked(wait: Wait) -> bool:
    return wait.booked


def _minutes(wait: Wait) -> float:
    return wait.minutes


def _insert_days(city: City, days: int, visits: int) -> None:
    """So many days with so many visits each, every one called after ten minutes."""
    service = read_session().query(Service).order_by(Service.id).limit(1).one().id
    lane = read_session().query(Lane).order_by(Lane.id).limit(1).one().id
    with transaction() as tx:
        for day in (MONDAY - timedelta(days=n) for n in range(days)):
            came = [at_minute(day, 510 + n % 480) for n in range(visits)]
            rows = [
                {
                    "uid": uuid4(),
                    "office_id": city.here,
                    "business_date": day,
                    "arrived_at": at,
                    "received_at": at,
                    "origin": "kiosk",
                    "live": False,
                    "priority": 0,
                }
                for at in came
            ]
            ids: Sequence[int] = tx.session.scalars(insert(Visit).returning(Visit.id), rows).all()
            tx.session.execute(
                insert(VisitPerson),
                [
                    {"visit_id": n, "position": 1, "service_id": service, "live": False, "outcome": Outcome.DONE}
                    for n in ids
                ],
            )
            tx.session.execute(
                insert(VisitStep),
                [
                    {
                        "visit_id": n,
                        "position": 1,
                        "lane_id": lane,
                        "service_id": service,
                        "state": StepState.DONE,
                        "step_class": StepClass.WALK_IN,
                        "entered_at": at,
                        "due_at": at,
                        "first_called_at": at + timedelta(minutes=10),
                    }
                    for n, at in zip(ids, came, strict=True)
                ],
            )


def test_a_day_is_found_by_index_however_many_days_there_are(city: City) -> None:
    _insert_days(city, 40, 50)
    heard: list[tuple[str, Any]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *asked: heard.append((asked[2], asked[3])))
    report(city)
    (asked,) = [one for one in heard if "first_called_at IS NOT NULL" in one[0]]
    how = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        if how == "EXPLAIN":  # so few rows are read as quickly without an index: it shall show that one would serve
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = str(connection.exec_driver_sql(f"{how} {asked[0]}", asked[1]).all())
    assert "ix_visits_office_id_business_date" in plan
    assert "ix_visit_steps_visit_id" in plan


@pytest.fixture
def small(sqlite_office: Sample) -> City:
    """Monday: one has waited for five minutes."""
    city = City(sqlite_office)
    city.come_without_booking()
    city.open(3)
    city.at("9:05")
    city.call_next(3)
    return city


class TestShown:
    """Page, file and command say the same."""

    def test_the_page_shows_the_tables_and_as_of_when(self, small: City) -> None:
        page = plain(colleague(small.office, "kakaricho").get(PAGE))
        assert "2026-11-30 09:05 現在" in page
        assert "全体 予約なし 1 1 5.0 5.0 5.0 5.0 100.0" in page
        assert "カードの受け取り 予約なし 1 1 5.0" in page
        assert "30分以内の呼出 100％（予約なしのみ）" in page
        assert "対応中・待ち 1人" in page

    def test_other_days_are_asked_for_and_nonsense_is_refused_in_words(self, small: City) -> None:
        chief = colleague(small.office, "kakaricho")
        assert "この期間に呼ばれた番号はありません" in plain(chief.get(f"{PAGE}?from=2026-11-01&to=2026-11-29"))
        for asked in ("from=2026-11-30&to=2026-11-29", "from=yesterday", "from=2026-10-30&to=2026-11-30"):
            assert "日付を確かめてください" in plain(chief.get(f"{PAGE}?{asked}"))
            assert chief.get(f"{PAGE}.xlsx?{asked}").status_code == 422

    def test_who_belongs_to_an_office_sees_no_other(self, small: City) -> None:
        assert colleague(small.office, "kakaricho").get(f"{PAGE}?office=kita").status_code == 404

    def test_the_file_holds_values_only_and_the_same_figures(self, small: City) -> None:
        service = read_session().query(Service).filter_by(code="pickup").one()
        small.set_row(service, name_ja="=1+1")
        answer = colleague(small.office, "kakaricho").get(f"{PAGE}.xlsx")
        assert answer.headers["Content-Disposition"].endswith("waits_honcho_2026-11-30_2026-11-30.xlsx")
        book = load_workbook(BytesIO(answer.data))
        assert book.sheetnames == ["概要", "全体", "日別", "時間帯別", "手続別", "系統別", "明細"]
        assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
        assert [c.value for c in book["明細"][2]] == [
            "2026-11-30",
            "09時",
            "'=1+1",
            "受取",
            "予約なし",
            1,
            1,
            *[5] * 4,
            100,
        ]

    def test_the_command_prints_them_and_writes_the_file(
        self, small: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "waits.xlsx"
        asked = Namespace(action="waits", office="honcho", first=MONDAY, last=None, out=out)
        said = COMMANDS["reports"](small.office.app, asked)
        assert said == "1 waits from 2026-11-30 to 2026-11-30, 2026-11-30 09:05 現在"
        assert "全体\t予約なし\t1\t1\t5.0\t5.0\t5.0\t5.0\t100.0" in capsys.readouterr().out
        assert load_workbook(out).sheetnames[0] == "概要"

    def test_nothing_in_it_points_to_a_person(self, small: City) -> None:
        fields = {name for sheet in sheets(report(small)) for line in sheet.lines for name in (*line.of, *cells(line))}
        assert not any(isinstance(f, str) and re.search(r"[A-Z]\d[A-Z]|[0-9a-f]{8}-", f) for f in fields)
