"""Who signs in, who does not, and where it leads."""

import re

import pytest

from server import create_app
from server.auth.models import Staff
from server.db import read_session
from tests.conftest import Browser, Office, settings_for
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City

LISTS = ("/mailings", "/lists/day", "/lists/emergency")
AREAS = {
    "denwa": {"/phone", "/phone/affected"},
    "madoguchi3": {"/phone", "/phone/affected", "/desk", *LISTS},
    "kakaricho": {"/phone", "/phone/affected", "/desk", *LISTS, "/reports/waits"},
    "kanri": {"/admin", "/reports/waits"},
}
WRONG = "not the right password"


@pytest.fixture
def clerk(sqlite_office: Office) -> Colleague:
    """The clerk of window 3, not signed in."""
    return Colleague(sqlite_office, next(s for s in sqlite_office.staff if s.name == "madoguchi3"))


@pytest.mark.parametrize("name", AREAS)
def test_whoever_signs_in_sees_the_areas_of_the_role_and_no_others(sqlite_office: Office, name: str) -> None:
    page = colleague(sqlite_office, name).get("/staff").text
    assert set(re.findall(r'class="card" href="([^"]+)"', page)) == AREAS[name]


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(clerk: Colleague) -> None:
    wrong = clerk.sign_in(password=WRONG)
    unknown = clerk.sign_in(name="madoguchi9", password=WRONG)
    assert wrong.status_code == unknown.status_code == 403
    assert "名前またはパスワードが違います" in plain(wrong)
    assert plain(wrong) == plain(unknown)


@pytest.mark.parametrize("name", ["madoguchi3", "madoguchi9"], ids=["a colleague", "nobody"])
def test_five_wrong_passwords_close_a_name_and_the_page_says_until_when(clerk: Colleague, name: str) -> None:
    for _ in range(5):
        clerk.sign_in(name=name, password=WRONG)
    answer = clerk.sign_in(name=name)
    assert answer.status_code == 409
    assert "9時15分 までサインインできません" in plain(answer)


def test_the_account_opens_again_by_itself(clerk: Colleague) -> None:
    for _ in range(5):
        clerk.sign_in(password=WRONG)
    clerk.office.clock.forward(minutes=15)
    assert clerk.sign_in().location == "/staff"


def test_the_page_that_was_asked_for_comes_after_signing_in(clerk: Colleague) -> None:
    asked = clerk.get("/phone?day=1")
    assert asked.location == "/staff/sign-in?next=/phone?day%3D1"
    assert clerk.sign_in(clerk.form(asked.location, "/staff/sign-in")["next"]).location == "/phone?day=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com/",
        "//example.com",
        "/\\example.com",
        "\\\\example.com",
        "/\t/example.com",
        "desk",
        "/" * 600,
    ],
)
def test_signing_in_leads_to_no_page_of_somebody_else(clerk: Colleague, elsewhere: str) -> None:
    assert clerk.sign_in(elsewhere).location == "/staff"
    assert clerk.client.get("/staff/sign-in", query_string={"next": elsewhere}).location == "/staff"


def test_the_session_keeps_nothing_of_what_the_browser_had_before(clerk: Colleague) -> None:
    with clerk.client.session_transaction() as session:
        session["notice"] = {"id": 1, "until": 9e9}
    clerk.sign_in()
    with clerk.client.session_transaction() as session:
        assert "notice" not in session


def test_signing_out_ends_the_session(sqlite_office: Office) -> None:
    clerk = colleague(sqlite_office, "madoguchi3")
    out = clerk.send("/staff", "/staff/sign-out")
    assert "サインアウトしました" in plain(clerk.get(out.location))
    assert clerk.get("/desk").location.startswith("/staff/sign-in")


def test_a_session_ends_when_the_account_is_closed(sqlite_office: Office) -> None:
    clerk, city = colleague(sqlite_office, "madoguchi3"), City(sqlite_office)
    city.set_row(read_session().get_one(Staff, city.clerk("madoguchi3")), active=False)
    assert clerk.get("/desk").location.startswith("/staff/sign-in")


@pytest.mark.parametrize("name", ["madoguchi3\0", "mado\nguchi", "m" * 10_000, ""], ids=["NUL", "line", "long", "none"])
def test_a_name_that_nobody_can_have_is_no_fault(clerk: Colleague, name: str) -> None:
    answer = clerk.sign_in(name=name)
    assert answer.status_code == 403
    assert "m" * 41 not in answer.text


def test_the_eleventh_try_in_a_minute_waits(clerk: Colleague) -> None:
    app = create_app(settings_for(clerk.office.settings.database_url, rate_limits=True), clerk.office.clock)
    clerk.client = Browser(app, app.response_class)
    tries = [clerk.sign_in(name="madoguchi9", password=WRONG).status_code for _ in range(11)]
    # A name that nobody has is closed like any other: the answer does not tell which names there are.
    assert tries == [403] * 5 + [409] * 5 + [429]


def test_a_form_without_its_token_is_refused_with_a_sentence(clerk: Colleague) -> None:
    answer = clerk.sign_in(csrf_token="")
    assert answer.status_code == 400
    assert "ページを開き直して" in plain(answer)


def test_a_form_that_lay_open_too_long_is_refused_with_a_sentence(sqlite_office: Office) -> None:
    clerk = colleague(sqlite_office, "madoguchi3")
    sqlite_office.app.config["WTF_CSRF_TIME_LIMIT"] = -1
    answer = clerk.send("/staff", "/staff/sign-out")
    assert answer.status_code == 400
    assert clerk.get("/staff").status_code == 200


def test_a_form_of_another_site_is_refused(clerk: Colleague) -> None:
    fields = clerk.form("/staff/sign-in", "/staff/sign-in")
    answer = clerk.client.post("/staff/sign-in", data=fields, headers={"Origin": "https://example.com"})
    assert answer.status_code == 403


def test_staff_pages_are_japanese_whatever_the_browser_prefers(clerk: Colleague) -> None:
    page = clerk.client.get("/staff/sign-in", headers={"Accept-Language": "en"}).text
    assert '<html lang="ja" ' in page
    assert "職員サインイン｜窓口" in page
