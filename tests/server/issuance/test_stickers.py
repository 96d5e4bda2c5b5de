"""予約ID・パスワード: stickers for many notices, known to one file and to nobody else."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE
from typing import TypeVar

import pytest
from sqlalchemy import select, text

from madoguchi import codes
from server.audit import AuditEntry
from server.auth.rules import SignInFailed
from server.db import db, read_session
from server.errors import ChangedMeanwhile, Refusal
from server.issuance.models import Notice, NoticeState
from server.issuance.notice_codes import MyNumberRefused, NoticeNumberUnreadable
from server.issuance.service import NoticeNotFound, find_by_scan_code, sign_in
from server.issuance.stickers import (
    HEADER,
    FileStands,
    Printed,
    count_without_stickers,
    make_stickers,
    reissue_stickers,
)
from server.offices.queries import office_by_code
from server.reception.service import read_code
from tests.server.city import City
from tests.server.issuance.test_importing import Desk

BASE = "https://yoyaku.example.lg.jp"
T = TypeVar("T")


class Printshop:
    """Where stickers are made."""

    def __init__(self, city: City, folder: Path) -> None:
        """`folder` is where the files go."""
        self.city, self.path = city, folder / "stickers.csv"

    def make(self, office: str | None = None, drawn: Callable[[int], object] = lambda _: None) -> Printed:
        """Stickers for all that have none."""
        here = None if office is None else office_by_code(read_session(), office).id
        return make_stickers(self.city.keyring, BASE, self.path, here, "test", self.city.now, drawn=drawn)

    def again(self, *numbers: str) -> Printed:
        """New stickers for these."""
        return reissue_stickers(self.city.keyring, BASE, self.path, numbers, "test", self.city.now)

    def rows(self) -> list[list[str]]:
        """What the printer is given, without the header."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == HEADER
        return rows

    def take(self) -> list[list[str]]:
        """The same, and the file is gone."""
        rows = self.rows()
        self.path.unlink()
        return rows

    def files(self) -> list[str]:
        """What lies in the folder."""
        return sorted(path.name for path in self.path.parent.iterdir())

    def enter(self, row: list[str]) -> int:
        """Sign in with a sticker."""
        return sign_in(self.city.keyring, row[1], row[2], self.city.now)


@pytest.fixture
def shop(city: City, tmp_path: Path) -> Printshop:
    """A printshop with three notices that came from a file, the last of them restricted."""
    Desk(city).read(
        "A1B-000002,honcho,pickup,",
        "A1B-000001,kita,pickup,",
        "A1B-000003,honcho,pickup,1",
        header="number,office,service,restricted",
    )
    return Printshop(city, tmp_path)


def everything_kept() -> str:
    """All rows of the tables that could have kept a secret."""
    tables = ("notices", "audit", "requests")
    return str([read_session().execute(text(f"SELECT * FROM {name}")).all() for name in tables])  # noqa: S608 - ours


class TestMaking:
    """Stickers for what came from files."""

    def test_each_notice_gets_words_that_open_it(self, city: City, shop: Printshop) -> None:
        assert shop.make() == Printed(2)

        for row in shop.rows():
            number, ident, password, code, link, office, service, secret = row
            notice = read_session().get_one(Notice, shop.enter(row))
            assert notice.number == number.replace("-", "")
            assert re.fullmatch(r"[2-9A-Z]{6} [2-9A-Z]{4}-[2-9A-Z]{4}", f"{ident} {password}")
            for scanned in (code, link):
                found = find_by_scan_code(city.keyring, read_session(), read_code(scanned, ["yoyaku.example.lg.jp"]))
                assert found is notice
            assert link == f"{BASE}/b/{code.replace('-', '')}"
            assert (office[:3], service, secret) == ("見本市", "カードの受け取り", "秘")
        assert [row[0] for row in shop.rows()] == ["A1B-000002", "A1B-000001"]

    def test_the_file_is_its_owners_alone_and_says_what_it_is(self, shop: Printshop) -> None:
        shop.make()

        assert S_IMODE(shop.path.stat().st_mode) == 0o600
        assert shop.files() == ["stickers.csv"]
        assert "秘密" in shop.path.read_text(encoding="utf-8-sig").splitlines()[0]

    def test_neither_database_nor_log_keeps_the_words(
        self, shop: Printshop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level("DEBUG")
        shop.make()
        told = everything_kept() + caplog.text + "".join(capfd.readouterr())

        for row in shop.rows():
            for word in (row[2], row[3], row[4]):
                assert word not in told
                assert word.replace("-", "") not in told

    def test_a_second_run_has_nothing_to_do(self, shop: Printshop) -> None:
        shop.make()
        shop.take()

        assert shop.make() == Printed(0)
        assert shop.files() == []

    def test_one_office_alone(self, shop: Printshop) -> None:
        assert shop.make("kita") == Printed(1)
        assert [row[0] for row in shop.rows()] == ["A1B-000001"]
        assert count_without_stickers(read_session(), None) == 1

    @pytest.mark.parametrize("state", [NoticeState.STOPPED, NoticeState.HANDED_OVER])
    def test_none_for_what_has_ended(self, city: City, shop: Printshop, state: NoticeState) -> None:
        ended = read_session().scalars(select(Notice).where(Notice.number == "A1B000001")).one()
        city.set_row(ended, state=state)
        shop.make()

        assert [row[0] for row in shop.rows()] == ["A1B-000002"]

    def test_it_writes_over_nothing(self, shop: Printshop) -> None:
        shop.path.write_text("kept")
        with pytest.raises(FileStands):
            shop.make()

        assert shop.path.read_text() == "kept"
        assert count_without_stickers(read_session(), None) == 2

    def test_two_at_once_leave_one_file_that_counts(self, city: City, shop: Printshop, tmp_path: Path) -> None:
        other = Printshop(city, tmp_path / "other")
        other.path.parent.mkdir()

        def meanwhile(_drawn: int) -> None:
            if not other.files():
                other.make()

        with pytest.raises(ChangedMeanwhile):
            shop.make(drawn=meanwhile)
        assert shop.files() == ["other"]
        assert all(shop.enter(row) for row in other.rows())

    def test_a_run_to_the_same_file_waits_for_nobody_and_takes_nothing_away(self, shop: Printshop) -> None:
        def meanwhile(_drawn: int) -> None:
            with pytest.raises(FileStands):
                shop.make()

        assert shop.make(drawn=meanwhile) == Printed(2)
        assert all(shop.enter(row) for row in shop.rows())


class TestCutOff:
    """The power fails: what counts is on paper, what does not count is gone."""

    def test_before_the_database_knew_the_file_goes_and_all_is_done_again(self, shop: Printshop) -> None:
        rows = [HEADER, ["A1B-000001", "AAAAAA", "2222-2222", *[""] * 5]]
        part = shop.path.with_name("stickers.csv.part")
        part.write_text("\n".join(map(",".join, rows)), encoding="utf-8")

        assert shop.make() == Printed(2)
        assert shop.files() == ["stickers.csv"]

    def test_after_the_database_knew_the_file_gets_its_name(self, shop: Printshop) -> None:
        shop.make()
        shop.path.rename(shop.path.with_name("stickers.csv.part"))

        assert shop.make() == Printed(0, finished_former=True)
        assert all(shop.enter(row) for row in shop.rows())
        assert shop.files() == ["stickers.csv"]


class TestAgain:
    """再発行: a lost sticker is replaced."""

    def test_the_old_words_stop_working(self, city: City, shop: Printshop) -> None:
        shop.make()
        old = next(row for row in shop.take() if row[0] == "A1B-000001")
        assert shop.again("Ａ１Ｂ-000001") == Printed(1)
        [new] = shop.rows()

        assert shop.enter(new)
        for row in (old, [new[0], new[1], old[2]], [new[0], old[1], new[2]]):
            with pytest.raises(SignInFailed):
                shop.enter(row)
        former = codes.read(old[3], hosts=())
        assert isinstance(former, codes.Code)
        assert find_by_scan_code(city.keyring, read_session(), former) is None

    def test_the_others_stay_and_it_is_written_down(self, shop: Printshop) -> None:
        shop.make()
        other = next(row for row in shop.take() if row[0] == "A1B-000002")
        shop.again("A1B-000001")

        assert shop.enter(other)
        notice = read_session().scalars(select(Notice).where(Notice.number == "A1B000001")).one()
        verbs = read_session().scalars(select(AuditEntry.verb).where(AuditEntry.subject_uid == notice.uid)).all()
        assert verbs == ["notice.reissue"]

    @pytest.mark.parametrize(
        ("number", "refusal"),
        [
            ("A1B-000009", NoticeNotFound),
            ("A1B-000003", NoticeNotFound),  # restricted
            ("A1B", NoticeNumberUnreadable),
            ("123456789018", MyNumberRefused),
        ],
    )
    def test_what_cannot_be_replaced(self, shop: Printshop, number: str, refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            shop.again(number, "A1B-000001")
        db.session.rollback()
        assert count_without_stickers(read_session(), None) == 2
        assert shop.files() == []
