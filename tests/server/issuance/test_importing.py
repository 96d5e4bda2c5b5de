"""取込: notices come in from a CSV file; good rows are kept, bad ones told by line, and twice is harmless."""

import csv
import io
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import func, select, text

from server.audit import AuditEntry
from server.booking.queries import booked_among
from server.db import db, read_session, transaction
from server.errors import Invalid
from server.issuance.csv_lines import FileNotReadable, NoHeader
from server.issuance.importing import BATCH, Imported, import_notices
from server.issuance.models import Notice, NoticeMark, NoticeState
from server.issuance.notice_codes import MyNumberRefused
from server.issuance.notice_file import FAULTS, HEADERS, Fault
from server.issuance.service import MarkInUse, MarkUnusable, change_marks
from server.offices.models import Office as OfficeRow
from tests.conftest import Office, environment_for
from tests.databases import wait_until
from tests.server.city import City, moment
from tests.server.statements import statements_of

HEADER = "交付通知書の番号,庁舎,手続,保管場所,準備,来庁期間開始,来庁期間終了,来庁日時,付箋,支援措置"
FULL = "M1H-000001,見本市 本庁,カードの受け取り,棚B-03,済,令和8年12月1日,2026/12/28,,署名なし、代替文字,いいえ"
MY_NUMBER = "123456789018"


class Desk:
    """Somebody who imports files, and what was told about them."""

    def __init__(self, city: City) -> None:
        """Nothing was imported yet."""
        self._city = city
        self.faults: list[Fault] = []

    def read(self, *rows: str, header: str = HEADER, encoding: str = "utf-8", dry_run: bool = False) -> Imported:
        """Import a header and some rows."""
        return self.read_bytes("\n".join((header, *rows)).encode(encoding), dry_run=dry_run)

    def read_bytes(self, content: bytes, *, dry_run: bool = False) -> Imported:
        """Import a file as it stands."""
        self.faults = []
        told = self.faults.append
        city = self._city
        file = io.BytesIO(content)
        done = import_notices(city.keyring, file, booked_among, "test", city.now, dry_run=dry_run, refused=told)
        db.session.remove()
        return done

    def reasons(self, *rows: str, header: str = HEADER) -> list[tuple[int, str]]:
        """Line and reason of each refused row."""
        assert self.read(*rows, header=header).refused == len(self.faults)
        return [(fault.line, fault.reason) for fault in self.faults]

    def notice(self, number: str) -> Notice:
        """A notice, read afresh."""
        read_session().rollback()
        return read_session().scalars(select(Notice).where(Notice.number == number)).one()

    def marks(self, number: str) -> set[str]:
        """The words on it."""
        notice = self.notice(number).id
        return set(read_session().scalars(select(NoticeMark.word).where(NoticeMark.notice_id == notice)))

    def count(self) -> int:
        """How many notices there are."""
        read_session().rollback()
        return read_session().scalar(select(func.count()).select_from(Notice)) or 0


@pytest.fixture
def desk(city: City) -> Desk:
    """Somebody who imports files into the sample city."""
    return Desk(city)


def counts(done: Imported) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return done.new, done.changed, done.unchanged, done.refused


class TestReading:
    """What a file says is what is written down."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
    def test_in_each_of_the_three_encodings(self, desk: Desk, encoding: str) -> None:
        done = desk.read(FULL, encoding=encoding)

        notice = desk.notice("M1H000001")
        assert (counts(done), done.lettering.encoding) == ((1, 0, 0, 0), encoding)
        assert (notice.storage_place, notice.state, notice.restricted) == ("棚B-03", NoticeState.READY, False)
        assert (notice.assigned_from, notice.assigned_to) == (date(2026, 12, 1), date(2026, 12, 28))
        assert desk.marks("M1H000001") == {"署名なし", "代替文字"}
        assert notice.credential_id is None

    @pytest.mark.parametrize("row", [FULL, "M1H-000001,honcho,pickup,ﾀﾅ,,,,,,", "M1H-000001,honcho,pickup,棚,,,,,,"])
    def test_a_file_in_euc_jp_is_never_taken_for_another(self, desk: Desk, row: str) -> None:
        with pytest.raises(FileNotReadable) as refused:
            desk.read(row, encoding="euc_jp")
        assert refused.value.facts["found"] == "EUC-JP"
        assert desk.count() == 0

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_end_as_any_machine_ends_them(self, desk: Desk, end: str) -> None:
        content = end.join((HEADER, FULL, "", FULL.replace("000001", "000002"))) + end

        assert counts(desk.read_bytes(content.encode())) == (2, 0, 0, 0)

    def test_columns_in_english_and_in_any_order_with_others_between(self, desk: Desk) -> None:
        done = desk.read("pickup,x,honcho,Ａ１ｂ－０００１２３", header="Service, memo,OFFICE,Notice Number")

        assert (counts(done), done.passed_over) == ((1, 0, 0, 0), [" memo"])
        assert desk.notice("A1B000123").state is NoticeState.READY

    def test_every_documented_name_of_a_column_is_understood(self, desk: Desk) -> None:
        for column, names in HEADERS.items():
            for name in names:
                others = [c for c in ("number", "office", "service") if c != column]
                done = desk.read(header=",".join((name, *others)))
                assert done.passed_over == []

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("2026-12-01", date(2026, 12, 1)),
            ("2026/12/1", date(2026, 12, 1)),
            ("２０２６／１２／０１", date(2026, 12, 1)),
            ("2026年12月1日（火）", date(2026, 12, 1)),
            ("令和8年12月1日", date(2026, 12, 1)),
            ("令和元年5月1日", date(2019, 5, 1)),
            ("R8.12.1", date(2026, 12, 1)),
            ("㋿8年12月1日", date(2026, 12, 1)),
            ("", None),
        ],
    )
    def test_dates_however_they_are_written(self, desk: Desk, written: str, meant: date | None) -> None:
        desk.read(f"M1H000001,honcho,pickup,{written}", header="number,office,service,from")

        assert desk.notice("M1H000001").assigned_from == meant

    @pytest.mark.parametrize("written", ["2026-12-01 10:15", "2026-12-01T10:15:00", "令和8年12月1日 10時15分"])
    def test_an_exact_time_however_it_is_written(self, desk: Desk, written: str) -> None:
        desk.read(f"M1H000001,honcho,pickup,{written}", header="number,office,service,time")

        assert desk.notice("M1H000001").assigned_at == moment("10:15", date(2026, 12, 1))


class TestAgain:
    """Importing again writes only what differs."""

    def test_the_same_file_changes_nothing_and_writes_nothing(self, city: City, desk: Desk) -> None:
        rows = (FULL, "M1H-000002,honcho,pickup,,,,,2026-12-01 10:00,,")
        assert counts(desk.read(*rows)) == (2, 0, 0, 0)
        with statements_of(city.office.app) as statements:
            assert counts(desk.read(*rows)) == (0, 0, 2, 0)

        assert {statement.split()[0] for statement in statements} == {"SELECT"}

    def test_only_the_rows_that_differ_are_changed(self, desk: Desk) -> None:
        other = FULL.replace("000001", "000002")
        desk.read(FULL, other)

        assert counts(desk.read(FULL, other.replace("棚B-03", "棚C-01"))) == (0, 1, 1, 0)
        assert [desk.notice(f"M1H00000{n}").storage_place for n in (1, 2)] == ["棚B-03", "棚C-01"]

    def test_a_column_that_is_not_there_and_an_empty_ready_or_restricted_leave_what_was(self, desk: Desk) -> None:
        desk.read(FULL.replace("済", "未").replace("いいえ", "はい"))
        assert counts(desk.read(FULL.replace("済", "").replace("いいえ", ""))) == (0, 0, 1, 0)
        assert counts(desk.read("M1H-000001,honcho,pickup", header="number,office,service")) == (0, 0, 1, 0)

        notice = desk.notice("M1H000001")
        assert (notice.state, notice.restricted, notice.storage_place) == (NoticeState.PREPARING, True, "棚B-03")

    def test_an_empty_cell_takes_place_days_and_marks_away(self, desk: Desk) -> None:
        desk.read(FULL)
        assert counts(desk.read("M1H-000001,honcho,pickup,,,,,,,")) == (0, 1, 0, 0)

        notice = desk.notice("M1H000001")
        assert (notice.storage_place, notice.assigned_from, notice.assigned_to) == ("", None, None)
        assert desk.marks("M1H000001") == set()

    def test_changed_marks_alone_are_a_change(self, desk: Desk) -> None:
        desk.read(FULL)
        assert counts(desk.read(FULL.replace("署名なし、代替文字", "代替文字／顔認証"))) == (0, 1, 0, 0)
        assert desk.marks("M1H000001") == {"代替文字", "顔認証"}

    def test_an_exact_time_takes_the_place_of_days(self, desk: Desk) -> None:
        desk.read(FULL)
        desk.read("M1H000001,honcho,pickup,2026-12-01 10:00", header="number,office,service,time")

        notice = desk.notice("M1H000001")
        assert (notice.assigned_from, notice.assigned_at) == (None, moment("10:00", date(2026, 12, 1)))

    @pytest.mark.parametrize("ended", [NoticeState.HANDED_OVER, NoticeState.STOPPED, NoticeState.BY_MAIL])
    def test_what_was_handed_over_or_stopped_is_not_brought_back(
        self, city: City, desk: Desk, ended: NoticeState
    ) -> None:
        desk.read(FULL)
        city.set_row(desk.notice("M1H000001"), state=ended)
        done = desk.read(FULL.replace("棚B-03", "棚Z-99"))

        notice = desk.notice("M1H000001")
        assert (counts(done), done.ended) == ((0, 0, 1, 0), 1)
        assert (notice.state, notice.storage_place) == (ended, "棚B-03")

    def test_a_restriction_reaches_even_these_and_is_written_down(self, city: City, desk: Desk) -> None:
        desk.read(FULL)
        city.set_row(desk.notice("M1H000001"), state=NoticeState.STOPPED)
        assert counts(desk.read(FULL.replace("いいえ", "対象"))) == (0, 1, 0, 0)

        notice = desk.notice("M1H000001")
        verbs = read_session().scalars(select(AuditEntry.verb).where(AuditEntry.subject_uid == notice.uid)).all()
        assert (notice.restricted, notice.state, verbs) == (True, NoticeState.STOPPED, ["notice.restrict"])

    def test_a_sticker_that_was_made_stays(self, city: City, desk: Desk) -> None:
        person = city.person()
        done = desk.read(f"{person.sticker.number},honcho,pickup,棚A", header="number,office,service,storage")

        assert counts(done) == (0, 1, 0, 0)
        assert city.notice(person).credential_id == person.sticker.credential_id

    def test_a_booked_notice_does_not_go_to_another_office(self, city: City, desk: Desk) -> None:
        person, _ = city.booked("10:00")
        row = f"{person.sticker.number},kita,pickup"

        assert desk.reasons(row, header="number,office,service") == [(2, "booked")]
        city.cancel(person, next(iter(city_bookings(city, person))))
        assert desk.reasons(row, header="number,office,service") == []


def city_bookings(city: City, person: Any) -> list[Any]:
    """The uid of somebody's live booking."""
    booking = city.live(person)
    return [] if booking is None else [booking.uid]


class TestRefusing:
    """Bad rows are told by line, with the reason and never with what stood there; the good ones are kept."""

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (FULL.replace("M1H-000001", MY_NUMBER), "my_number"),
            (FULL.replace("棚B-03", "１２３４－５６７８－９０１８"), "my_number"),
            (FULL.replace("棚B-03", f"棚 {MY_NUMBER} です"), "my_number"),
            (f"{FULL},{MY_NUMBER}", "my_number"),
            (FULL.replace("M1H-000001", "M1H-00001"), "number"),
            (FULL.replace("M1H-000001", ""), "number"),
            (FULL.replace("見本市 本庁", "見本市 西支所"), "office"),
            (FULL.replace("カードの受け取り", "住民票の写し"), "service"),
            (FULL.replace("棚B-03", '棚"B"-03,"'), "quotes"),
            (FULL.replace("棚B-03", '"棚B-03'), "quotes"),
            (FULL.replace("棚B-03", '"棚"B'), "quotes"),
            (FULL.replace("棚B-03", "棚B,03"), "cells"),
            ("M1H-000001,honcho", "cells"),
            (FULL.replace("棚B-03", "長" * 10_000), "cell_long"),
            (FULL.replace("棚B-03", "長" * 41), "cell_long"),
            (FULL.replace("棚B-03", "あ" * 70_000), "long_line"),
            (FULL.replace("棚B-03", "棚\0B"), "control"),
            (FULL.replace("棚B-03", "棚\x1bB"), "control"),
            (FULL.replace("棚B-03", "=HYPERLINK(A1)"), "formula"),
            (FULL.replace("棚B-03", "＝1+1"), "formula"),
            (FULL.replace("棚B-03", "@SUM"), "formula"),
            (FULL.replace("令和8年12月1日", "2026-02-30"), "date"),
            (FULL.replace("令和8年12月1日", "12/1"), "date"),
            (FULL.replace("令和8年12月1日", "昭和65年1月1日"), "date"),
            (FULL.replace("令和8年12月1日", "令和0年12月1日"), "date"),
            (FULL.replace("令和8年12月1日", "2027-01-01"), "days"),
            (FULL.replace("2026/12/28,", "2026/12/28,2026-12-01 10:00"), "one_way"),
            ("M1H-000001,honcho,pickup,,,,,2026-12-01 25:00,,", "moment"),
            ("M1H-000001,honcho,pickup,,,,,2026-12-01,,", "moment"),
            (FULL.replace("済", "たぶん"), "yes_no"),
            (FULL.replace("署名なし", "署名ない"), "mark"),
        ],
    )
    def test_a_row_that_cannot_be_meant(self, desk: Desk, row: str, reason: str) -> None:
        good = FULL.replace("000001", "000009")

        assert desk.reasons(row, good) == [(2, reason)]
        assert desk.count() == 1
        assert MY_NUMBER not in str(desk.faults[0])
        assert FAULTS[reason][1] in str(desk.faults[0])

    def test_every_reason_is_tried(self) -> None:
        marks = next(m for m in TestRefusing.test_a_row_that_cannot_be_meant.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]  # pytest's own
        assert {reason for _, reason in marks.args[1]} | {"twice", "booked"} == set(FAULTS)

    def test_a_number_that_stands_twice_is_taken_once(self, desk: Desk) -> None:
        assert desk.reasons(FULL, FULL.replace("M1H-000001", "ｍ１ｈ０００００１"), FULL) == [
            (3, "twice"),
            (4, "twice"),
        ]
        assert desk.count() == 1

    def test_a_new_last_day_before_the_first_day_that_is_known(self, desk: Desk) -> None:
        desk.read(FULL)
        row = "M1H000001,honcho,pickup,2026-11-30"

        assert desk.reasons(row, header="number,office,service,to") == [(2, "days")]

    def test_nothing_of_a_my_number_reaches_the_database(self, desk: Desk) -> None:
        desk.read(f"{FULL},", FULL.replace("棚B-03", MY_NUMBER), FULL.replace("見本市 本庁", MY_NUMBER))
        kept = [
            str(row)
            for table in ("notices", "audit", "notice_marks")
            for row in read_session().execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - our own names
        ]

        assert not any(MY_NUMBER in row for row in kept)


class TestWholeFiles:
    """A file that cannot be read at all changes nothing."""

    @pytest.mark.parametrize(
        ("content", "refusal"),
        [
            (b"", NoHeader),
            (b"\n,,\n", NoHeader),
            ("番号,庁舎\n".encode(), NoHeader),
            ("番号,番号,庁舎,手続\n".encode(), NoHeader),
            ('番号,"庁舎,手続\n'.encode(), NoHeader),
            (f"{HEADER},{MY_NUMBER}\n".encode(), MyNumberRefused),
            (f"{HEADER}\n{FULL}".encode("utf-16"), FileNotReadable),
            (f"{HEADER}\n{FULL}".encode("utf-16-le"), Invalid),
            (f"{HEADER}\n{FULL}".encode("euc-jp"), FileNotReadable),
            (f"{HEADER}\n{FULL}".encode() + b"\xff\xfe\xfd", FileNotReadable),
            (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xff\xa0\x81", Invalid),
        ],
    )
    def test_is_refused(self, desk: Desk, content: bytes, refusal: type[Invalid]) -> None:
        with pytest.raises(refusal):
            desk.read_bytes(content)
        assert desk.count() == 0

    @pytest.mark.parametrize("content", [b"", b'"x\n', "棚\n".encode()])
    def test_of_the_columns_only_those_that_are_needed_are_missing(self, desk: Desk, content: bytes) -> None:
        with pytest.raises(NoHeader) as refused:
            desk.read_bytes(content)
        assert refused.value.facts == {"missing": "交付通知書の番号 (number), 庁舎 (office), 手続 (service)"}

    def test_a_header_alone_is_no_row(self, desk: Desk) -> None:
        assert counts(desk.read()) == (0, 0, 0, 0)

    def test_a_dry_run_counts_and_writes_nothing(self, city: City, desk: Desk) -> None:
        desk.read(FULL)
        rows = (FULL.replace("棚B-03", "棚C"), FULL.replace("000001", "000002"), "bad")
        with statements_of(city.office.app) as statements:
            done = desk.read(*rows, dry_run=True)

        assert counts(done) == (1, 1, 0, 1)
        assert {statement.split()[0] for statement in statements} == {"SELECT"}
        assert counts(desk.read(*rows)) == counts(done)


class TestMarks:
    """付箋: the set of words is the office's own."""

    def test_a_word_is_used_once_it_is_in_the_set_and_stays_there_while_it_is_used(
        self, city: City, desk: Desk
    ) -> None:
        row = FULL.replace("代替文字", "要確認")
        assert desk.reasons(row) == [(2, "mark")]
        assert "要確認" in change_marks("add", ["要確認", "要確認"], "test", city.now)
        assert desk.reasons(row) == []
        with pytest.raises(MarkInUse) as refused:
            change_marks("remove", ["要確認"], "test", city.now)
        assert refused.value.facts == {"words": "要確認"}
        assert "顔認証" not in change_marks("remove", ["顔認証"], "test", city.now)
        assert {"署名なし", "要確認"} < set(change_marks(None, [], "test", city.now))

    @pytest.mark.parametrize("word", ["", "二 つ", "あ、い", "=1", "長" * 21, "\0"])
    def test_what_can_be_no_mark(self, city: City, word: str) -> None:
        with pytest.raises(MarkUnusable):
            change_marks("add", [word], "test", city.now)

    def test_a_my_number_is_no_mark(self, city: City) -> None:
        with pytest.raises(MyNumberRefused):
            change_marks("add", [MY_NUMBER], "test", city.now)


def many(rows: int) -> str:
    """A file of so many good rows."""
    lines = (FULL.replace("M1H-000001", f"M{n // 10**6}H-{n % 10**6:06d}") for n in range(rows))
    return "\n".join((HEADER, *lines))


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(office: Office, tmp_path: Path) -> Run:
    """Run `madoguchi notices …` as a process of its own."""

    def carry_out(*words: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "madoguchi.cli", "notices", *words],
            env={**environment_for(office.settings), "PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        db.session.rollback()
        return done

    return carry_out


class TestTheCommand:
    """`madoguchi notices import`, as it is typed."""

    def test_it_says_what_came_of_it_and_writes_a_report(self, run: Run, tmp_path: Path) -> None:
        rows = (HEADER, FULL, FULL.replace("棚B-03", MY_NUMBER), FULL.replace("000001", "000002").replace("済", "?"))
        (tmp_path / "notices.csv").write_text("\n".join(rows), encoding="cp932")
        done = run("import", "notices.csv", "--report", "bad.csv")

        assert done.returncode == 3
        assert done.stdout.startswith("1 new, 0 changed, 0 unchanged, 2 refused (Shift_JIS, 4 lines)")
        assert "line 3: it may hold a My Number" in done.stderr
        with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
            report = list(csv.reader(file))
        assert [row[:3] for row in report[1:]] == [["3", "", "my_number"], ["4", "準備", "yes_no"]]
        assert MY_NUMBER not in done.stdout + done.stderr + str(report)

        (tmp_path / "notices.csv").write_text(f"{HEADER}\n{FULL}", encoding="utf-8")
        again = run("import", "notices.csv")
        assert (again.returncode, again.stdout[:30]) == (0, "0 new, 0 changed, 1 unchanged,")

    @pytest.mark.parametrize("report", ["notices.csv", "folder/../notices.csv", "hard.csv", "soft.csv"])
    def test_the_report_is_never_written_over_the_file(self, run: Run, tmp_path: Path, report: str) -> None:
        file = tmp_path / "notices.csv"
        file.write_text(f"{HEADER}\n{FULL}", encoding="utf-8")
        (tmp_path / "folder").mkdir()
        (tmp_path / "hard.csv").hardlink_to(file)
        (tmp_path / "soft.csv").symlink_to(file)
        done = run("import", "notices.csv", "--report", report)

        assert (done.returncode, done.stdout) == (1, "")
        assert f"{report} is the file of notices itself" in done.stderr
        assert file.read_text("utf-8") == f"{HEADER}\n{FULL}"

    def test_a_file_that_is_not_there_or_not_understood_is_one_sentence(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "empty.csv").touch()
        unnamed = "the first line of empty.csv does not name its columns"
        for name, said in (("nowhere.csv", "nowhere.csv: No such file"), ("empty.csv", unnamed)):
            done = run("import", name)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.splitlines()[-1].startswith(said)

    def test_cut_off_in_the_middle_it_leaves_whole_batches_and_is_completed_by_running_again(
        self, office: Office, run: Run, tmp_path: Path
    ) -> None:
        rows = 8 * BATCH
        (tmp_path / "notices.csv").write_text(many(rows), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "madoguchi.cli", "notices", "import", "notices.csv"],
            env={**environment_for(office.settings), "PYTHONPATH": str(Path(__file__).parents[3])},
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: _stored() > 0, 60, "a first batch")
        process.send_signal(signal.SIGKILL)
        process.wait(30)

        kept = _stored()
        assert 0 < kept < rows
        assert kept % BATCH == 0
        assert run("import", "notices.csv").stdout.startswith(f"{rows - kept} new, 0 changed, {kept} unchanged, 0 ref")
        assert _stored() == rows


def _stored() -> int:
    db.session.rollback()
    count = read_session().scalar(select(func.count()).select_from(Notice)) or 0
    db.session.rollback()
    return count


@pytest.mark.alone
def test_twenty_thousand_rows_take_no_more_than_some_times_reading_and_inserting_them_bare(
    city: City, desk: Desk
) -> None:
    """The bound is generous: it holds on a busy machine, and fails if a row asks the database by itself."""
    content = many(20_000).encode()
    began = perf_counter()
    rows = list(csv.reader(io.StringIO(content.decode())))
    office = read_session().scalars(select(OfficeRow.id)).first()
    statement = text(
        "INSERT INTO notices (uid, office_id, service_id, number, number_key, key_id, storage_place, restricted, state)"
        " VALUES (:uid, :office, 1, :number, :key, 1, :place, false, 'ready')"
    )
    values = [
        {"uid": f"{n:032x}", "office": office, "number": row[0], "key": f"{n:064x}", "place": row[3]}
        for n, row in enumerate(rows[1:])
    ]
    with transaction() as tx:
        tx.session.execute(statement, values)
        tx.session.execute(text("DELETE FROM notices"))
    bare = perf_counter() - began
    began = perf_counter()
    with statements_of(city.office.app) as statements:
        assert counts(desk.read_bytes(content)) == (20_000, 0, 0, 0)
    took = perf_counter() - began

    assert len(statements) < 20_000 / BATCH * 60
    assert took < 40 * bare, f"{took:.1f} s, bare {bare:.1f} s"
