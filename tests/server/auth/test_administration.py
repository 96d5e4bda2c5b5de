"""What the administrator sees and sets up: offices, kiosks, boards, accounts, the newest deeds."""

import re
import tomllib

import pytest

from madoguchi.wire import CONTRACT, CONTRACT_HEADER
from server.auth.guards import BOARD_COOKIE
from server.auth.service import all_devices, boards_seen
from server.db import read_session
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City

WORDS = {"office": "honcho", "name": "2階入口"}


@pytest.fixture
def admin(sqlite_office: Office) -> Colleague:
    """The administrator, signed in."""
    return colleague(sqlite_office, "kanri")


def token_on(page: str) -> str:
    """The token in the kiosk.toml that the page shows."""
    shown = page.partition('spellcheck="false" autofocus>')[2].partition("</textarea>")[0]
    return str(tomllib.loads(shown.replace("&#34;", '"'))["server"]["token"])


def opens(admin: Colleague, token: str) -> bool:
    """Whether the token opens the kiosk's interface."""
    headers = {"Authorization": f"Bearer {token}", CONTRACT_HEADER: str(CONTRACT)}
    return admin.office.client().get("/api/kiosk/state", headers=headers).status_code == 200


def form_ending(admin: Colleague, end: str) -> str:
    """The address of the first form on the devices' page that ends so."""
    return str(re.findall(rf'action="([^"]+/{end})"', admin.get("/admin/devices").text)[0])


def test_the_overview_shows_how_offices_are_set_up_and_how_full_they_are(office: Office) -> None:
    city = City(office)
    city.booked("10:00")
    city.booked("10:15")
    city.open(2)
    page = plain(colleague(office, "kanri").get("/admin"))
    assert "08:30〜17:15 最終受付 予約あり 17:00、予約なし 16:45" in page
    assert re.search(r"予約枠（窓口） \d+ 予約 2 空き \d+ これからの当日受付 [1-9]\d*", page)
    assert "受取 1〜300" in page
    assert "2番 カードの受け取り、電子証明書の更新、暗証番号の再設定 担当 madoguchi2" in page


def test_a_new_kiosks_token_is_shown_once_and_opens_its_interface(admin: Colleague) -> None:
    page = admin.send("/admin/devices", "/admin/kiosks", **WORDS)
    assert page.headers["Cache-Control"] == "no-store"
    token = token_on(page.text)
    assert opens(admin, token)
    assert token not in admin.get("/admin/devices").text + admin.get("/admin/audit").text


def test_adding_a_kiosk_twice_with_one_form_makes_one_kiosk(admin: Colleague) -> None:
    fields = {**admin.form("/admin/devices", "/admin/kiosks"), **WORDS}
    admin.client.post("/admin/kiosks", data=fields)
    again = admin.client.post("/admin/kiosks", data=fields)
    page = plain(admin.get(again.location))
    assert "トークンは一度しか表示しません" in page
    assert page.count("2階入口 受付端末") == 1


def test_a_new_token_ends_the_one_before(admin: Colleague) -> None:
    first = token_on(admin.send("/admin/devices", "/admin/kiosks", **WORDS).text)
    second = token_on(admin.send("/admin/devices", form_ending(admin, "token")).text)
    assert (opens(admin, first), opens(admin, second)) == (False, True)


def test_an_unpaired_kiosk_is_let_in_no_more(admin: Colleague) -> None:
    token = token_on(admin.send("/admin/devices", "/admin/kiosks", **WORDS).text)
    assert opens(admin, token)
    admin.send("/admin/devices", form_ending(admin, "unpair"))
    assert not opens(admin, token)
    assert "切断" in plain(admin.get("/admin/devices"))


def test_the_list_shows_when_a_kiosk_was_heard_and_what_it_speaks(admin: Colleague) -> None:
    token = token_on(admin.send("/admin/devices", "/admin/kiosks", **WORDS).text)
    assert opens(admin, token)
    assert "2階入口 受付端末 見本市 本庁 令和8年11月30日（月） 09:00 1 接続中" in plain(admin.get("/admin/devices"))
    admin.office.clock.forward(minutes=3)
    assert "09:00 1 接続できます" in plain(admin.get("/admin/devices"))


def test_a_browser_becomes_a_board_by_the_link_that_is_shown(admin: Colleague) -> None:
    admin.send("/admin/devices", "/admin/boards", office="honcho", name="待合")
    page = admin.send("/admin/devices", form_ending(admin, "pairing"))
    assert "9時15分 までに開いてください" in plain(page)
    (link,) = re.findall(r"/boards/pair/[^\"<]+", page.text.partition('class="link"')[2].partition(">")[0])
    assert "待合 案内表示 見本市 本庁 — — 接続待ち（令和8年11月30日（月） 9時15分まで）" in plain(
        admin.get("/admin/devices")
    )
    screen = admin.office.client()
    shown = screen.get(screen.get(link).location)
    assert shown.status_code == 200
    admin.send("/admin/devices", form_ending(admin, "unpair"))
    assert screen.get(shown.request.path).status_code == 401


def test_a_board_that_is_there_is_shown_as_connected(admin: Colleague) -> None:
    admin.send("/admin/devices", "/admin/boards", office="honcho", name="待合")
    (board,) = (d for d in all_devices(read_session()) if d.name == "待合")
    boards_seen({board.uid}, admin.office.clock.now())
    assert "待合 案内表示 見本市 本庁 令和8年11月30日（月） 09:00 — 接続中" in plain(admin.get("/admin/devices"))
    admin.office.clock.forward(seconds=59)
    boards_seen({board.uid}, admin.office.clock.now())
    admin.office.clock.forward(minutes=2)
    assert "09:00 — 接続していません" in plain(admin.get("/admin/devices"))


@pytest.mark.parametrize("cookie", ["", "WyJ4IiwxXQ.forged", "null", "[1]"])
def test_no_socket_is_opened_for_a_browser_that_was_never_paired(admin: Colleague, cookie: str) -> None:
    screen, address = admin.office.client(), "/socket.io/?EIO=4&transport=websocket"
    screen.set_cookie(BOARD_COOKIE, cookie)
    assert screen.get(address).status_code == 401
    admin.send("/admin/devices", "/admin/boards", office="honcho", name="待合")
    page = admin.send("/admin/devices", form_ending(admin, "pairing"))
    (link,) = re.findall(r"/boards/pair/[^\"<]+", page.text.partition('class="link"')[2].partition(">")[0])
    screen.get(link)
    assert screen.get(address).status_code == 400  # now it is only that this client speaks no WebSocket


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 41, "待\0合", "待\u202e合", "123456789018", "１２３４ ５６７８ ９０１８"]
)
def test_a_device_needs_a_name_that_can_be_read(admin: Colleague, name: str) -> None:
    answer = admin.send("/admin/devices", "/admin/boards", office="honcho", name=name)
    assert "40文字以内" in plain(admin.get(answer.location))


def test_a_device_stands_in_an_office_that_there_is(admin: Colleague) -> None:
    assert admin.send("/admin/devices", "/admin/kiosks", office="minami", name="入口").status_code == 404


def test_a_new_colleague_signs_in_with_the_first_password(admin: Colleague) -> None:
    words = {"name": "窓口　四", "role": "clerk", "office": "kita", "password": "しろくま　と　ゴマアザラシ"}
    typed = {"name": words["name"], "password": words["password"]}
    answer = admin.send("/admin/staff", "/admin/staff", **words)
    assert "窓口 四 窓口担当 見本市 北支所 使えます" in plain(admin.get(answer.location))
    newcomer = Colleague(admin.office, admin.account)
    assert newcomer.sign_in(**typed).location == "/staff"
    assert "見本市 北支所" in plain(newcomer.get("/desk"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"password": "shirokuma"}, "最初のパスワードは12文字以上"),
        ({"name": "madoguchi3"}, "「madoguchi3」は登録済みです"),
        ({"name": " "}, "名前を40文字以内"),
        ({"role": "mayor"}, "役割を選んでください"),
        ({"password": "s" * 201}, "200文字以内"),
    ],
)
def test_an_account_that_cannot_be_is_refused_in_place(
    admin: Colleague, changed: dict[str, str], sentence: str
) -> None:
    words = {"name": "madoguchi4", "role": "clerk", "office": "", "password": "shirokuma-2026", **changed}
    answer = admin.send("/admin/staff", "/admin/staff", **words)
    assert answer.status_code == 422
    assert sentence in plain(answer)
    assert words["password"] not in answer.text


def test_the_newest_deeds_say_who_did_what(office: Office) -> None:
    city, admin = City(office), colleague(office, "kanri")
    city.come_without_booking()
    city.open(3)
    city.call_next(3)
    page = plain(admin.get("/admin/audit"))
    assert "09:00 madoguchi2 次を呼んだ 番号 1、窓口 3" in page
    assert "09:00 入口 予約なしの受付をした 番号 1" in page
    assert "09:00 kanri サインインした" in page
