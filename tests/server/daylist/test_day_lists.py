"""事前準備一覧: made at its hour, kept as it was, compared with what stands now; on each kind of database."""

from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import func, select

from server.audit import AuditEntry, newest_entries
from server.daylist.models import DayList, DayListEntry
from server.daylist.queries import DayPicture, next_day
from server.daylist.rules import DayUnusable, Order, in_order
from server.daylist.service import Look, look, make_day_lists
from server.daylist.words import cells
from server.db import read_session
from server.issuance.models import NoticeState
from server.offices.service import set_policy
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City, Person, moment

THURSDAY, FRIDAY, SATURDAY, MONDAY, TUESDAY = (date(2026, 11, 26) + timedelta(days=n) for n in (0, 1, 2, 4, 5))
PAGE = "/lists/day"


@pytest.fixture
def friday(city: City) -> City:
    """Friday morning; the list for Monday is made at three."""
    city.at(moment("9:00", FRIDAY))
    return city


def seen(city: City, day: date = MONDAY, *, restricted: bool = False) -> DayPicture:
    """What the back room sees."""
    return look("staff:1", city.here, day, Look.SCREEN, city.now, restricted=restricted)


def told(city: City, order: Order = Order.TIME, *, restricted: bool = False) -> list[tuple[str, str, str]]:
    """Monday's list: time, number's last digits, what has become of it."""
    lines = in_order(seen(city, restricted=restricted).lines, order)
    rows = [cells(line, Order.TIME) for line in lines]
    return [(row[0], row[2][-1], row[-1]) for row in rows]


def store(city: City, *people: tuple[Person, str]) -> None:
    """Folders are put away."""
    for person, place in people:
        city.set_row(city.notice(person), storage_place=place)


def made_lists() -> Sequence[tuple[date, str]]:
    """Day, and as of when, of all lists there are."""
    read_session().rollback()
    rows = read_session().scalars(select(DayList).order_by(DayList.day))
    return [(row.day, f"{row.made_at:%a %H:%M}") for row in rows]


class TestMaking:
    """At its hour, for the next open day, once."""

    def test_on_friday_at_three_the_list_for_monday_is_made_and_not_before(self, friday: City) -> None:
        friday.booked("10:00", MONDAY)
        friday.at(moment("14:59:59", FRIDAY))
        make_day_lists(friday.now)
        assert MONDAY not in dict(made_lists())
        friday.at(moment("15:00", FRIDAY))
        make_day_lists(friday.now)
        make_day_lists(friday.now)
        assert dict(made_lists())[MONDAY] == "Fri 06:00"  # in UTC
        assert SATURDAY not in dict(made_lists())
        assert next_day(read_session(), friday.here, friday.now) == MONDAY

    def test_each_office_has_its_own(self, friday: City) -> None:
        friday.at(moment("15:00", FRIDAY))
        assert make_day_lists(friday.now) == 4  # of today, nobody having been there yesterday, and of Monday

    def test_the_hour_is_the_offices_own(self, friday: City) -> None:
        set_policy(friday.here, None, "list_hour", 10, FRIDAY, "test", friday.now)
        friday.at(moment("10:00", FRIDAY))
        assert seen(friday).made_at == friday.now

    def test_who_looks_after_the_hour_while_no_sweep_has_run_makes_it(self, friday: City) -> None:
        assert seen(friday).made_at is None
        friday.at(moment("15:10", FRIDAY))
        assert seen(friday).made_at == friday.now
        friday.at(moment("16:00", FRIDAY))
        assert seen(friday).made_at == moment("15:10", FRIDAY)

    def test_after_a_week_a_list_is_forgotten(self, friday: City) -> None:
        friday.booked("10:00", MONDAY)
        friday.at(moment("15:00", FRIDAY))
        make_day_lists(friday.now)
        assert read_session().scalar(select(func.count()).select_from(DayListEntry)) == 1
        friday.at(moment("9:00", MONDAY + timedelta(days=8)))
        make_day_lists(friday.now)
        assert MONDAY not in dict(made_lists())
        assert read_session().scalar(select(func.count()).select_from(DayListEntry)) == 0

    def test_only_today_and_days_in_the_booking_period_have_one(self, friday: City) -> None:
        for day in (THURSDAY, FRIDAY + timedelta(days=46), date.max):
            with pytest.raises(DayUnusable):
                seen(friday, day)


class TestWhoIsOnIt:
    """Exactly those who are expected, each with what their folder needs."""

    def test_exactly_the_confirmed_bookings_in_their_order(self, friday: City) -> None:
        later, early = friday.booked("10:15")[0], friday.booked("9:00")[0]
        friday.hold(friday.person(), "11:00")
        friday.booked("10:00", TUESDAY)
        friday.cancel(*friday.booked("13:00"))
        assert [row[:2] for row in told(friday)] == [
            ("09:00", early.sticker.number[-1]),
            ("10:15", later.sticker.number[-1]),
        ]

    def test_a_family_has_a_line_for_each_of_its_folders(self, friday: City) -> None:
        first, *others = friday.people(3)
        friday.booked("10:00", person=first, family=others)
        lines = seen(friday).lines
        assert [cells(line, Order.TIME)[6] for line in lines] == ["3人で"] * 3
        assert len({line.person.number for line in lines}) == 3

    def test_folders_lie_in_the_order_of_the_shelf(self, friday: City) -> None:
        people = [friday.booked(time)[0] for time in ("9:00", "9:15", "9:30", "9:45")]
        store(friday, *zip(people, ("B-12", "", "B-2", "A-3"), strict=True))
        lines = in_order(seen(friday).lines, Order.PLACE)
        assert [cells(line, Order.PLACE)[:2] for line in lines] == [
            ["A-3", "09:45"],
            ["B-2", "09:30"],
            ["B-12", "09:00"],
            ["なし", "09:15"],
        ]

    def test_who_is_stopped_is_not_on_it(self, friday: City) -> None:
        person, _ = friday.booked("10:00")
        friday.set_row(friday.notice(person), state=NoticeState.STOPPED)
        assert told(friday) == []
        friday.at(moment("15:00", FRIDAY))
        assert told(friday) == []

    def test_restricted_people_and_who_comes_with_them_are_only_on_their_own_list(self, friday: City) -> None:
        person, relative = friday.people(2)
        friday.booked("10:00", person=person, family=[relative])
        other, _ = friday.booked("11:00")
        friday.set_row(friday.notice(person), restricted=True)
        for _ in ("before it is made", "after"):
            assert [row[1] for row in told(friday)] == [other.sticker.number[-1]]
            assert [row[0] for row in told(friday, restricted=True)] == ["10:00", "10:00"]
            friday.at(moment("15:00", FRIDAY))
        assert [row[2] for row in told(friday, restricted=True)] == ["", ""]

    def test_who_is_here_served_or_stayed_away_is_said_on_the_day(self, friday: City) -> None:
        (one, first), (_, second) = friday.booked("9:00"), friday.booked("9:15")
        friday.booked("9:30")
        friday.at(moment("15:00", FRIDAY))
        seen(friday)
        friday.at("9:00")
        friday.scan(friday.code(first)), friday.scan(friday.code(second))
        friday.open(3)
        friday.call_next(3), friday.finish(3)
        assert [row[2] for row in told(friday)] == ["済", "来庁", ""]
        assert friday.notice(one).state is NoticeState.HANDED_OVER


class TestChanges:
    """What came after the list was made is marked."""

    @pytest.fixture
    def made(self, friday: City) -> City:
        """Friday at three: the list for Monday is made, with nobody on it yet."""
        friday.at(moment("15:00", FRIDAY))
        return friday

    def test_added_moved_and_cancelled_since(self, friday: City) -> None:
        stays, _ = friday.booked("9:00")
        moves, moved = friday.booked("9:15")
        leaves, left = friday.booked("9:30")
        elsewhere, other_day = friday.booked("9:45")
        friday.at(moment("15:00", FRIDAY))
        make_day_lists(friday.now)
        friday.at(moment("15:20", FRIDAY))
        friday.move(moves, moved, "11:00")
        friday.cancel(leaves, left)
        friday.move(elsewhere, other_day, "10:00", TUESDAY)
        added, _ = friday.booked("13:00")
        people = (stays, leaves, elsewhere, moves, added)
        assert told(friday) == [
            (time, person.sticker.number[-1], what)
            for time, person, what in zip(
                ("09:00", "09:30", "09:45", "11:00", "13:00"),
                people,
                ("", "取消", "別の日へ変更", "09:15から変更", "追加"),
                strict=True,
            )
        ]
        assert [line.gone for line in in_order(seen(friday).lines, Order.TIME)] == [False, True, True, False, False]

    def test_one_of_a_family_stays_away(self, friday: City) -> None:
        first, other = friday.people(2)
        _, booking = friday.booked("10:00", person=first, family=[other])
        friday.at(moment("15:00", FRIDAY))
        make_day_lists(friday.now)
        friday.leave(other, booking)
        assert sorted(row[2] for row in told(friday)) == ["", "取消"]

    def test_a_folder_that_was_moved_and_a_card_that_was_stopped(self, friday: City) -> None:
        people = [friday.booked(time)[0] for time in ("9:00", "9:15")]
        store(friday, (people[0], "A-1"))
        friday.at(moment("15:00", FRIDAY))
        make_day_lists(friday.now)
        store(friday, (people[0], "C-9"))
        friday.set_row(friday.notice(people[1]), state=NoticeState.STOPPED)
        assert [row[2] for row in told(friday)] == ["保管場所変更（前はA-1）", "交付取止め"]

    def test_before_the_list_is_made_nothing_counts_as_a_change(self, friday: City) -> None:
        person, booking = friday.booked("9:00")
        friday.move(person, booking, "10:00")
        assert [row[2] for row in told(friday)] == [""]

    def test_who_came_and_went_after_it_leaves_no_trace(self, made: City) -> None:
        make_day_lists(made.now)
        made.cancel(*made.booked("9:00"))
        assert told(made) == []


class TestAudit:
    """Each look is written down, with what was looked at and how."""

    def test_who_looked_at_which_list_and_how(self, friday: City) -> None:
        friday.booked("9:00")
        look("staff:7", friday.here, MONDAY, Look.FILE, friday.now)
        (entry,) = newest_entries(read_session(), 1)
        assert (entry.actor, entry.verb) == ("staff:7", "daylist.look")
        assert entry.facts == {
            "office": friday.here,
            "day": "2026-11-30",
            "how": "file",
            "count": 1,
            "restricted": False,
        }


@pytest.fixture
def small(sqlite_office: Office) -> City:
    """Friday at three, two people on Monday's list, one of them restricted, one place with a formula in it."""
    city = City(sqlite_office)
    city.at(moment("9:00", FRIDAY))
    (shown, _), (hidden, _) = city.booked("9:00"), city.booked("10:30")
    store(city, (shown, "=B-2"), (hidden, "Z-99"))
    city.set_row(city.notice(hidden), restricted=True)
    city.at(moment("15:00", FRIDAY))
    make_day_lists(city.now)
    return city


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


class TestShown:
    """Page, paper and file say the same, and nothing of restricted people."""

    def clerk(self, city: City) -> Colleague:
        """Somebody in the back room."""
        return colleague(city.office, "madoguchi2")

    def test_the_page_is_of_the_next_open_day(self, small: City) -> None:
        page = plain(self.clerk(small).get(PAGE))
        assert "令和8年11月30日（月）" in page
        assert "2026-11-27 15:00 作成" in page
        assert "09:00 =B-2 H1H-000001 カードの受け取り" in page
        assert "Z-99" not in page

    def test_by_storage_place(self, small: City) -> None:
        assert "=B-2 09:00 H1H-000001" in plain(self.clerk(small).get(f"{PAGE}?by=place"))

    def test_the_supervisor_alone_sees_restricted_people_and_in_no_file(self, small: City) -> None:
        chief, clerk = colleague(small.office, "kakaricho"), self.clerk(small)
        page = plain(chief.get("/lists/restricted"))
        assert "10:30 Z-99 H1H-000002" in page
        assert "=B-2" not in page
        assert clerk.get("/lists/restricted").status_code == 403
        for file in ("/lists/day.pdf", "/lists/day.xlsx"):
            found = chief.get(f"{file}?restricted=1").data
            told = "".join(pages_of(found)) if file.endswith("pdf") else _cells(found)
            assert "H1H-000001" in told
            assert "H1H-000002" not in told

    def test_the_paper_says_what_it_is_and_as_of_when(self, small: City) -> None:
        answer = self.clerk(small).get("/lists/day.pdf?by=place")
        assert answer.headers["Content-Disposition"].endswith("day_list_honcho_2026-11-30.pdf")
        (page,) = pages_of(answer.data)
        for words in ("令和8年11月30日（月）", "保管場所順", "2026-11-27 15:00 作成", "H1H-000001", "=B-2", "1 / 1"):
            assert words in page

    def test_the_file_has_both_orders_and_values_only(self, small: City) -> None:
        answer = self.clerk(small).get("/lists/day.xlsx")
        book = load_workbook(BytesIO(answer.data))
        assert book.sheetnames == ["概要", "時間順", "保管場所順"]
        assert [cell.value for cell in book["保管場所順"][2]][:3] == ["'=B-2", "09:00", "H1H-000001"]
        assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}

    def test_a_day_that_cannot_be_meant_is_refused(self, small: City) -> None:
        clerk = self.clerk(small)
        for day in ("2026-11-26", "yesterday", "9999-12-31"):
            assert clerk.get(f"{PAGE}?day={day}").status_code == 422

    def test_each_export_has_its_row_in_the_audit(self, small: City) -> None:
        clerk = self.clerk(small)
        for path in (PAGE, "/lists/day.pdf", "/lists/day.xlsx"):
            clerk.get(path)
        read_session().rollback()
        looks = read_session().scalars(select(AuditEntry).where(AuditEntry.verb == "daylist.look"))
        assert [entry.facts["how"] for entry in looks] == ["screen", "paper", "file"]


def _cells(file: bytes) -> str:
    return " ".join(str(cell.value) for sheet in load_workbook(BytesIO(file)) for row in sheet for cell in row)
