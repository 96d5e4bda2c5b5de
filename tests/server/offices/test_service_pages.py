"""The page on which staff see an office's services and change what is theirs to change."""

import pytest

from server.db import read_session
from server.offices.queries import minutes_of, offer_by_code
from server.offices.service_rules import Mode
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City

LIST = "/admin/offices/honcho/services"
PIN = f"{LIST}/pin"
FORM = {
    "modes": "phone",
    "minutes": "25",
    "valid_from": "2026-12-01",
    "valid_to": "",
    "short_ja": "暗証番号",
    "short_en": "PIN",
    "everyone_ja": "マイナンバーカード\n\n印鑑",
    "everyone_en": "Card\nSeal",
}


@pytest.fixture
def admin(sqlite_office: Office) -> Colleague:
    """The administrator, signed in."""
    return colleague(sqlite_office, "kanri")


def test_the_list_shows_modes_minutes_units_and_validity(admin: Colleague) -> None:
    page = plain(admin.get(LIST))

    assert "カードの受け取り" in page
    assert "予約（通知書） 電話予約 予約なし" in page
    assert "更新・暗証番号 20分" in page
    assert "窓口 1" in page
    assert "期限なし" in page


def test_what_staff_change_is_kept_written_down_and_counts_at_once(admin: Colleague) -> None:
    city = City(admin.office)
    assert admin.send(PIN, PIN, **FORM).status_code == 303
    read_session().rollback()
    offer = offer_by_code(read_session(), city.here, "pin")

    assert (set(offer.modes), offer.service.short_names) == ({Mode.PHONE}, {"ja": "暗証番号", "en": "PIN"})
    assert (str(offer.valid_from), offer.valid_to) == ("2026-12-01", None)
    assert minutes_of(read_session(), city.here, offer.service_id) == 25
    assert offer.service.documents == {
        "everyone": [{"ja": "マイナンバーカード", "en": "Card"}, {"ja": "印鑑", "en": "Seal"}]
    }
    assert "手続を変えた" in plain(admin.get("/admin/audit"))
    assert "本日は取り扱いなし" in plain(admin.get(LIST))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"modes": "fax"}, "受付方法を1つ以上"),
        ({"minutes": "0"}, "1〜480分"),
        ({"minutes": "abc"}, "1〜480分"),
        ({"short_en": " "}, "略称は"),
        ({"valid_to": "2026-11-30"}, "始まりの日より後"),
        ({"valid_to": "soon"}, "日付を読み取れません"),
        ({"everyone_en": "Card"}, "同じ行数"),
        ({"everyone_ja": "あ" * 201, "everyone_en": "a"}, "200文字以内"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(admin: Colleague, wrong: dict[str, str], said: str) -> None:
    city = City(admin.office)
    page = admin.send(PIN, PIN, **{**FORM, **wrong})

    assert page.status_code == 422
    assert said in page.text
    assert 'value="暗証番号"' in page.text
    read_session().rollback()
    assert Mode.WALK_IN in offer_by_code(read_session(), city.here, "pin").modes


@pytest.mark.parametrize("field", ["short_ja", "everyone_ja", "minutes"])
def test_what_may_be_a_my_number_is_refused_and_not_said_again(admin: Colleague, field: str) -> None:
    page = admin.send(PIN, PIN, **{**FORM, field: "123456789018\n印鑑" if field == "everyone_ja" else "123456789018"})

    assert page.status_code == 422
    assert "123456789018" not in page.text


def test_an_unknown_service_or_office_is_not_found(admin: Colleague) -> None:
    assert admin.get(f"{LIST}/passport").status_code == 404
    assert admin.get("/admin/offices/nowhere/services").status_code == 404
