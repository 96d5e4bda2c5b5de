"""非常用一覧: who is on it, and how it comes into a folder of another machine."""

import os
import stat
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from server import create_app
from server.auth.passwords import run_here
from server.db import db, read_session
from server.emergency.papers import draw
from server.emergency.queries import emergency_picture, offices_without, state_of
from server.emergency.rules import Failure
from server.emergency.service import KEEP, NAME, write_emergency_lists, write_file
from server.issuance.models import NoticeState
from tests.conftest import Office
from tests.server.auth.colleague import colleague, plain
from tests.server.city import City

TUESDAY = date(2026, 12, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The other machine's share, with a folder for each office."""
    for code in ("honcho", "kita"):
        (tmp_path / code).mkdir()
    return tmp_path


def sweep(city: City, folder: Path) -> int:
    """The sweep runs now."""
    read_session().rollback()
    return write_emergency_lists(folder, draw, run_here, city.now)


def files(folder: Path) -> list[str]:
    """What lies there."""
    return sorted(path.name for path in folder.iterdir())


def text_of(path: Path) -> str:
    """What stands on all pages."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(path.read_bytes())).pages)


class TestWhoIsOnIt:
    """Only what is needed to go on by hand."""

    def test_who_is_here_with_number_who_is_to_come_and_who_comes_on_the_next_open_day(self, city: City) -> None:
        early, booking = city.booked("9:30")
        city.set_row(city.notice(early), storage_place="B-2")
        city.scan(city.code(booking))
        city.come_without_booking(party=2)
        later, _ = city.booked("11:00")
        tomorrow, _ = city.booked("10:00", TUESDAY)
        found = emergency_picture(read_session(), city.here, city.now)
        # A walk-in of nine is due at twenty past.
        assert [(p.number, f"{p.time:%H:%M}", p.notices, p.people) for p in found.here] == [
            (2, "09:00", (), 2),
            (1, "09:30", ((early.sticker.number[-3:], "B-2"),), 1),
        ]
        assert [(f"{p.time:%H:%M}", p.notices[0][0]) for p in found.today] == [("11:00", later.sticker.number[-3:])]
        assert found.next_day == TUESDAY
        assert [p.notices[0][0] for p in found.next] == [tomorrow.sticker.number[-3:]]

    def test_a_family_has_one_line_with_all_its_folders(self, city: City) -> None:
        first, *others = city.people(3)
        city.booked("11:00", person=first, family=others)
        (party,) = emergency_picture(read_session(), city.here, city.now).today
        assert (party.people, len(party.notices)) == (3, 3)

    def test_who_was_served_stopped_cancelled_or_is_restricted_is_not_on_it(self, city: City) -> None:
        stopped, hidden, served = (city.booked(time) for time in ("10:00", "10:15", "9:00"))
        city.cancel(*city.booked("10:30"))
        city.set_row(city.notice(stopped[0]), state=NoticeState.STOPPED)
        city.scan(city.code(served[1]))
        city.open(3)
        city.call_next(3), city.finish(3)
        city.set_row(city.notice(hidden[0]), restricted=True)
        found = emergency_picture(read_session(), city.here, city.now)
        assert (found.here, found.today, found.next) == ((), (), ())

    def test_who_waits_and_was_restricted_since_keeps_the_number_and_nothing_else(self, city: City) -> None:
        person, booking = city.booked("9:15")
        city.scan(city.code(booking))
        city.set_row(city.notice(person), restricted=True)
        (party,) = emergency_picture(read_session(), city.here, city.now).here
        assert (party.number, party.notices) == (1, ())

    def test_the_paper_holds_three_digits_of_a_notice_and_no_more(self, city: City, folder: Path) -> None:
        person, _ = city.booked("11:00")
        sweep(city, folder)
        told = text_of(folder / "honcho" / f"{NAME}20261130_0900.pdf")
        for words in ("11:00", person.sticker.number[-3:], "これから来られる方", "次の開庁日", "2026-11-30 09:00 現在"):
            assert words in told
        assert person.sticker.number not in told.replace("-", "")


class TestWriting:
    """Into the folder of each office, whole, and never in anybody's way."""

    def test_every_half_hour_and_only_the_newest_two_stay(self, city: City, folder: Path) -> None:
        (folder / "honcho" / "readme.pdf").write_text("not ours")
        for time in ("9:00", "9:10", "9:30", "10:00"):
            city.at(time)
            sweep(city, folder)
        names = [f"{NAME}20261130_{time}.pdf" for time in ("0930", "1000")]
        assert len(names) == KEEP
        assert files(folder / "honcho") == sorted([*names, "readme.pdf"])
        assert files(folder / "kita") == names

    def test_a_folder_that_is_not_there_is_not_made_and_staff_are_told_until_it_is(
        self, city: City, tmp_path: Path
    ) -> None:
        away = tmp_path / "share"
        assert sweep(city, away) == 0
        assert not away.exists()
        state = state_of(read_session(), city.here)
        assert state is not None
        assert (state.written_at, state.failure) == (None, Failure.MISSING)
        assert city.here in [office.id for office in offices_without(read_session(), city.now)]
        (away / "honcho").mkdir(parents=True)
        city.at("9:04")
        sweep(city, away)
        assert files(away / "honcho") == []
        city.at("9:05")
        sweep(city, away)
        assert files(away / "honcho") == [f"{NAME}20261130_0905.pdf"]
        assert city.here not in [office.id for office in offices_without(read_session(), city.now)]

    def test_one_office_without_a_folder_keeps_no_other_from_its_list(self, city: City, folder: Path) -> None:
        (folder / "honcho").rmdir()
        assert sweep(city, folder) == 1
        assert len(files(folder / "kita")) == 1

    def test_two_processes_write_one_list(self, city: City, folder: Path) -> None:
        assert [sweep(city, folder), sweep(city, folder)] == [2, 0]

    def test_outside_the_hours_nothing_is_written(self, city: City, folder: Path) -> None:
        city.at("18:00")
        assert sweep(city, folder) == 0


class TestFile:
    """The process that writes."""

    def test_what_an_earlier_one_left_half_is_taken_away(self, tmp_path: Path) -> None:
        (tmp_path / f".{NAME}1.pdf.part").write_text("half")
        assert write_file(tmp_path, f"{NAME}2.pdf", b"%PDF") is None
        assert files(tmp_path) == [f"{NAME}2.pdf"]
        assert (tmp_path / f"{NAME}2.pdf").read_bytes() == b"%PDF"

    def test_a_file_where_a_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "honcho").write_text("")
        assert write_file(tmp_path / "honcho", f"{NAME}1.pdf", b"") is Failure.MISSING

    def test_a_share_that_does_not_answer_is_left_after_its_time(self, tmp_path: Path) -> None:
        # A pipe that nobody reads holds whoever opens it, as a share does that hangs.
        os.mkfifo(tmp_path / f".{NAME}1.pdf.part")
        assert write_file(tmp_path, f"{NAME}1.pdf", b"x", longest_s=0.5) is Failure.SLOW
        assert stat.S_ISFIFO((tmp_path / f".{NAME}1.pdf.part").stat().st_mode)


class TestShown:
    """Staff see how it stands, and have the paper at once."""

    @pytest.fixture
    def small(self, sqlite_office: Office) -> City:
        """Monday at nine."""
        return City(sqlite_office)

    def test_the_page_says_how_it_stands_and_gives_the_paper(self, small: City, tmp_path: Path) -> None:
        small.booked("11:00")
        chief = colleague(small.office, "kakaricho")
        assert "自動の保存は設定されていません" in plain(chief.get("/lists/emergency"))
        answer = chief.get("/lists/emergency.pdf")
        assert "これから来られる方" in PdfReader(BytesIO(answer.data)).pages[1].extract_text()
        sweep(small, tmp_path)
        assert chief.get("/readyz").json == {"status": "ok", "warnings": []}  # no folder was set

    def test_numbers_to_cut_out_eight_to_a_sheet(self, small: City) -> None:
        chief = colleague(small.office, "kakaricho")
        answer = chief.get("/lists/numbers.pdf?lane=pickup&from=901&to=910")
        pages = [page.extract_text().split() for page in PdfReader(BytesIO(answer.data)).pages]
        assert [[word for word in page if word.isdecimal()] for page in pages] == [
            [str(n) for n in range(901, 909)],
            ["909", "910"],
        ]
        assert pages[0].count("受取") == 8

    @pytest.mark.parametrize("asked", ["from=1&to=5", "from=901", "from=x&to=y", "from=９０１&to=902", ""])
    def test_other_numbers_are_refused(self, small: City, asked: str) -> None:
        assert colleague(small.office, "kakaricho").get(f"/lists/numbers.pdf?{asked}").status_code == 422


def test_whoever_begins_work_is_told_that_there_is_no_list(sqlite_office: Office, tmp_path: Path) -> None:
    settings = replace(sqlite_office.settings, emergency_folder=str(tmp_path / "away"))
    app = create_app(settings, sqlite_office.clock)
    office = Office(app, sqlite_office.clock, sqlite_office.staff, settings)
    with app.app_context():
        assert "非常用一覧がありません：見本市 本庁" in plain(colleague(office, "kakaricho").get("/staff"))
        assert "非常用一覧がありません" not in plain(colleague(office, "denwa").get("/staff"))
        ready = office.client().get("/readyz")
        told = {"status": "ok", "warnings": ["emergency_list:honcho", "emergency_list:kita"]}
        assert (ready.status_code, ready.json) == (200, told)
        db.session.remove()
        db.engine.dispose()
