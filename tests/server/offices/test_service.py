"""Setting up an office from its file."""

from pathlib import Path
from typing import Any

import pytest

from server.db import read_session
from server.errors import ChangedMeanwhile
from server.offices.models import Office, Window
from server.offices.office_file import OfficeFileUnusable, read_office_file
from server.offices.policy import UnknownPolicy
from server.offices.queries import UnknownOffice, lanes_of_window, office_by_code, service_by_code, windows_of
from server.offices.service import OfficeExists, load_office
from tests.fakes import MONDAY_NINE
from tests.server.city import City


def hours(day: str, opens: str, closes: str) -> dict[str, Any]:
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
    ("changes", "refusal"),
    [
        pytest.param({"code": "honcho"}, OfficeExists, id="known already"),
        pytest.param({"name": {"ja": "見本市 南支所"}}, OfficeFileUnusable, id="no English name"),
        pytest.param(hours("monday", "9:00", "12:00"), OfficeFileUnusable, id="day"),
        pytest.param(hours("mon", "nine", "12:00"), OfficeFileUnusable, id="time"),
        pytest.param(hours("mon", "12:00", "9:00"), ChangedMeanwhile, id="hours"),
        pytest.param({"windows": [{"number": 1, "services": ["pin"]}]}, OfficeFileUnusable, id="no such service"),
        pytest.param({"windows": [{"number": 1}, {"number": 1}]}, OfficeFileUnusable, id="two windows of one number"),
        pytest.param({"policy": {"slot_minutes": 25}}, UnknownPolicy, id="slots that do not divide the hour"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_and_leaves_nothing(
    changes: dict[str, Any], refusal: type[Exception]
) -> None:
    windows = read_session().query(Window).count()
    with pytest.raises(refusal):
        load(**changes)

    assert read_session().query(Window).count() == windows
    with pytest.raises(UnknownOffice):
        office_by_code(read_session(), "minami")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "minami.toml"
    path.write_text("code = minami", encoding="utf-8")

    for file in (path, tmp_path / "nowhere.toml"):
        with pytest.raises(OfficeFileUnusable) as refused:
            read_office_file(file)
        assert refused.value.facts["file"] == str(file)
