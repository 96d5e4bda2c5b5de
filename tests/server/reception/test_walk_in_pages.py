"""予約なしの受付: the page on which staff open, close and give numbers."""

import pytest

from server.auth.models import Staff
from server.db import read_session
from server.intake.queries import intake_of
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City
from tests.server.desk.test_pages import clerk_at_window

PAGE = "/desk/walk-ins"


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Monday at nine."""
    return City(sqlite_office)


@pytest.fixture
def chief(city: City) -> Colleague:
    """The supervisor."""
    return colleague(city.office, "kakaricho")


def choose(chief: Colleague, choice: str, service: str = "") -> None:
    """Press one of the three keys."""
    fields = chief.form(PAGE, PAGE) | {"choice": choice, "service": service}
    assert chief.client.post(PAGE, data=fields).status_code == 303


def test_the_page_says_how_it_stands_and_the_keys_change_it(city: City, chief: Colleague) -> None:
    assert "受付中（自動）" in plain(chief.get(PAGE))
    choose(chief, "closed")
    page = plain(chief.get(PAGE))
    assert "終了（職員が終了）" in page
    assert "（kakaricho 09:00）" in page
    choose(chief, "open", "pin")
    read_session().rollback()
    assert [one.received for one in intake_of(read_session(), city.here, city.now).services] == [False, False, True]
    choose(chief, "by_itself")
    assert "受付中（自動）" in plain(chief.get(PAGE))


def test_the_desk_shows_the_same_line(city: City, chief: Colleague) -> None:
    clerk = clerk_at_window(city.office)
    assert clerk.picture()["walk_ins"].startswith("受付中（自動）　いま来た方が終わる見込み 09:")
    choose(chief, "closed")
    city.clock.forward(seconds=3)
    assert clerk.picture()["walk_ins"].startswith("終了（職員が終了）")
    assert "終了（職員が終了）" in plain(clerk.get("/desk/windows/3"))
    city.at("16:50")
    assert clerk.picture()["walk_ins"] == "終了（最終受付 16:45）"
    city.at("18:00")
    assert clerk.picture()["walk_ins"] == "受付時間外"


def test_a_number_is_shown_large_and_loading_the_page_again_gives_no_second_one(chief: Colleague) -> None:
    choose(chief, "closed")
    fields = chief.form(PAGE, f"{PAGE}/numbers") | {"service": "pickup", "party": "2"}
    pages = [chief.client.post(f"{PAGE}/numbers", data=fields) for _ in range(2)]
    for page in pages:
        assert "番号を出しました 受付番号 1 番" in plain(page)


@pytest.mark.parametrize("party", ["0", "7", "x", "9999", ""])
def test_a_party_of_another_size_is_refused_in_words(chief: Colleague, party: str) -> None:
    chief.send(PAGE, f"{PAGE}/numbers", service="pickup", party=party)
    assert "受けられるのは6人までです" in plain(chief.get(PAGE))


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        (PAGE, {"choice": "perhaps"}, 422),
        (PAGE, {"choice": "open", "service": "passport"}, 404),
        (f"{PAGE}/numbers", {"service": "passport", "party": "1"}, 404),
    ],
)
def test_what_no_form_of_ours_sends(chief: Colleague, path: str, fields: dict[str, str], status: int) -> None:
    assert chief.send(PAGE, path, **fields).status_code == status


def test_who_works_for_all_offices_chooses_one_first(city: City) -> None:
    chief = colleague(city.office, "kakaricho")
    form = chief.form(PAGE, PAGE)
    city.set_row(read_session().get_one(Staff, city.clerk("kakaricho")), office_id=None)
    for answer in (chief.get(PAGE), *(chief.client.post(path, data=form) for path in (PAGE, f"{PAGE}/numbers"))):
        assert (answer.status_code, answer.location) == (303, "/desk")
