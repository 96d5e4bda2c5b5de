"""Setting up an office from its file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.db import read_session
from server.offices.holiday_service import keep_holidays
from server.offices.models import Office, Window
from server.offices.office_file import OfficeFileUnusable, read_office_file
from server.offices.queries import (
    UnknownOffice,
    calendar_of,
    lanes_of_window,
    office_by_code,
    service_by_code,
    undecided_days,
    windows_of,
)
from server.offices.service import load_office
from server.sample import FILES
from tests.fakes import MONDAY_NINE
from tests.server.city import MONDAY, City


def hours(day: object, opens: str, closes: str) -> dict[str, Any]:
    """One session of opening."""
    return {"opening": [{"days": [day], "opens": opens, "closes": closes}]}


PLAN: dict[str, Any] = {
    "code": "minami",
    "name": {"ja": "見本市 南支所", "en": "Mihon City South Branch"},
    "tel": "0120-000-003",
    **hours("mon", "9:00", "12:00"),
    "lanes": [{"code": "pickup", "name": {"ja": "受取", "en": "Pick-up"}, "first": 1, "last": 99}],
    "services": [{"code": "pickup", "name": {"ja": "カードの受け取り", "en": "Pick up a card"}, "lane": "pickup"}],
    "windows": [{"number": 1}, {"number": 2, "services": []}],
}


def load(**changes: object) -> Office:
    """Load the plan of the southern branch with changes."""
    load_office({**PLAN, **changes}, "kanri", MONDAY_NINE)
    return office_by_code(read_session(), "minami")


@pytest.mark.usefixtures("city")
def test_an_office_is_set_up_with_what_its_file_says() -> None:
    office = load()
    one, two = windows_of(read_session(), office.id)

    assert office.names == {"ja": "見本市 南支所", "en": "Mihon City South Branch"}
    assert len(lanes_of_window(read_session(), one.id, office.id)) == 1
    assert lanes_of_window(read_session(), two.id, office.id) == []


def test_a_service_that_another_office_has_is_the_same_service(city: City) -> None:
    office = load()

    assert (
        service_by_code(read_session(), office.id, "pickup").id
        == service_by_code(read_session(), city.here, "pickup").id
    )


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"code": ""}, "code", id="no code"),
        pytest.param({"name": {"ja": "見本市 南支所"}}, "name", id="no English name"),
        pytest.param({"telephone": "0120"}, "telephone", id="a key nobody knows"),
        pytest.param(hours("monday", "9:00", "12:00"), "opening[1].days", id="day"),
        pytest.param(hours("mon", "nine", "12:00"), "opening[1].opens", id="time"),
        pytest.param(hours("mon", "12:00", "9:00"), "opening[1].closes", id="hours"),
        pytest.param({"windows": [{"number": 1, "services": ["pin"]}]}, "windows[1].services", id="no such service"),
        pytest.param({"windows": [{"number": 1}, {"number": 1}]}, "windows[2].number", id="two windows of one number"),
        pytest.param({"code": "../hon/cho"}, "code", id="a code that leads elsewhere"),
        pytest.param({"code": "本庁 ?#"}, "code", id="a code that is no address"),
        pytest.param({"tel": "123456789018"}, "tel", id="a My Number as telephone number"),
        pytest.param({"name": {"ja": "1234-5678-9018", "en": "M"}}, "name.ja", id="a My Number as name"),
        pytest.param({"name": {"ja": "見\u202e本", "en": "M"}}, "name.ja", id="letters turned round"),
        pytest.param({"tel": "0120\0"}, "tel", id="NUL"),
        pytest.param({"123456789018": 1}, "(the name of a key)", id="a My Number as key"),
        pytest.param(hours("123456789018", "9:00", "12:00"), "opening[1].days[1]", id="a My Number as day"),
        pytest.param({"policy": "x"}, "policy", id="policy is no table"),
        pytest.param({"policy": []}, "policy", id="policy is a list"),
        pytest.param({"policy": {"colour": 1}}, "policy.colour", id="no such policy"),
        pytest.param(hours(MONDAY_NINE, "9:00", "12:00"), "opening[1].days", id="a moment for a day"),
        pytest.param({"policy": {"slot_minutes": 25}}, "policy.slot_minutes", id="slots that do not divide the hour"),
    ],
)
def test_a_file_that_cannot_be_meant_names_its_key_and_leaves_nothing(changes: dict[str, Any], key: str) -> None:
    windows = read_session().query(Window).count()
    with pytest.raises(OfficeFileUnusable) as refused:
        load(**changes)

    assert refused.value.facts["key"] == key
    assert "123456789018" not in str(refused.value.facts)
    assert read_session().query(Window).count() == windows
    with pytest.raises(UnknownOffice):
        office_by_code(read_session(), "minami")


class TestLoadingAgain:
    """The same file or another one, for an office that is there."""

    def test_the_same_file_changes_nothing(self, city: City) -> None:
        first = load_office(PLAN, "kanri", city.now)
        again = load_office(PLAN, "kanri", city.clock.forward(days=1))

        assert "+ opening: mon 9:00-12:00 (last 12:00, 12:00)" in first.lines
        assert (again.id, again.lines) == (first.id, ())

    def test_what_differs_is_said_and_counts_from_today(self, city: City) -> None:
        load_office(PLAN, "kanri", city.now)
        other = {**PLAN, **hours("mon", "9:00", "16:00"), "tel": "0120-000-004", "policy": {"party_max": 3}}
        changed = load_office(other, "kanri", city.now)

        assert changed.lines == (
            "- opening: mon 9:00-12:00 (last 12:00, 12:00)",
            "+ opening: mon 9:00-16:00 (last 16:00, 16:00) from 2026-11-30",
            "- policy party_max: 6",
            "+ policy party_max: 3",
            "- tel: 0120-000-003",
            "+ tel: 0120-000-004",
        )
        calendar = calendar_of(read_session(), changed.id)
        closes = [calendar.plan(MONDAY - timedelta(days=n)).sessions[0].closes.hour for n in (0, 7)]
        assert closes == [16, 12]
        assert not City(city.office, "minami").place("15:00").closed

    def test_looking_only_changes_nothing(self, city: City) -> None:
        load_office(PLAN, "kanri", city.now)
        other = {**PLAN, "tel": "0120-000-004"}
        looked = load_office(other, "kanri", city.now, dry_run=True)

        assert looked.lines == ("- tel: 0120-000-003", "+ tel: 0120-000-004")
        assert office_by_code(read_session(), "minami").tel == "0120-000-003"
        assert load_office(other, "kanri", city.now).lines == looked.lines

    @pytest.mark.parametrize("sample", ["center", "ekimae", "higashi"])
    def test_the_examples_can_be_loaded(self, city: City, sample: str) -> None:
        keep_holidays(city.now)
        plan = read_office_file(FILES / f"{sample}.toml")
        office = load_office(plan, "kanri", city.now)

        assert load_office(plan, "kanri", city.now).lines == ()
        assert bool(undecided_days(read_session(), office.id, city.now)) is (sample == "ekimae")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "minami.toml"
    path.write_text("code = minami", encoding="utf-8")

    for file in (path, tmp_path / "nowhere.toml"):
        with pytest.raises(OfficeFileUnusable) as refused:
            read_office_file(file)
        assert refused.value.facts["file"] == str(file)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("name = '見本市'".encode("cp932"), "save it as UTF-8"),
        (b"a = " + b"9" * 5000, "a number in it is too long"),
        (b"a = " + b"[" * 5000, "too deep"),
    ],
)
def test_a_file_that_python_cannot_read_is_said_in_a_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "minami.toml"
    path.write_bytes(data)
    with pytest.raises(OfficeFileUnusable) as refused:
        read_office_file(path)
    assert said in refused.value.facts["fault"]


def test_a_mark_of_the_byte_order_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "minami.toml"
    path.write_text("code = 'minami'", encoding="utf-8-sig")
    assert read_office_file(path) == {"code": "minami"}
