"""The window's screen: one clerk opens it, calls, ends visits; with scripts by JSON, without by plain forms."""

import re
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from server.audit import AuditEntry
from server.auth.models import Staff
from server.db import read_session
from server.offices.queries import service_by_code
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague, plain
from tests.server.city import City

JSON = {"Accept": "application/json"}
AT = "/desk/windows/3"


class Clerk(Colleague):
    """Somebody at a window, the third unless said otherwise."""

    at = AT

    def press(self, action: str, **typed: str) -> TestResponse:
        """A button, in a browser without scripts."""
        return self.send(self.at, f"{self.at}/{action}", **typed)

    def ask(self, action: str, like: str = "", **typed: str) -> tuple[int, dict[str, Any]]:
        """A button, as the page's script presses it; one that is not there as one that is there (`like`)."""
        fields = {**self.form(self.at, f"{self.at}/{like or action}"), **typed}
        answer = self.client.post(f"{self.at}/{action}", data=fields, headers=JSON)
        return answer.status_code, answer.get_json()

    def picture(self) -> dict[str, Any]:
        """What the page asks for every few seconds."""
        found: dict[str, Any] = self.client.get(f"{self.at}/state", headers=JSON).get_json()["picture"]
        return found


def clerk_at_window(office: Office, name: str = "madoguchi3", window: int = 3) -> Clerk:
    """A clerk who has opened a window."""
    clerk = Clerk(office, next(s for s in office.staff if s.name == name))
    clerk.sign_in()
    clerk.at = f"/desk/windows/{window}"
    clerk.send("/desk", f"{clerk.at}/open")
    return clerk


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """Monday at nine."""
    return City(sqlite_office)


@pytest.fixture
def clerk(city: City) -> Clerk:
    """The clerk of window 3; three people wait."""
    for _ in range(3):
        city.come_without_booking()
    return clerk_at_window(city.office)


def test_the_windows_of_the_clerks_own_office_are_offered(city: City) -> None:
    page = plain(colleague(city.office, "madoguchi3").get("/desk"))
    assert "見本市 本庁" in page
    assert page.count("番窓口 開く") == 3


def test_whoever_works_for_all_offices_chooses_one_first(city: City) -> None:
    city.set_row(read_session().get_one(Staff, city.clerk("kakaricho")), office_id=None)
    chief = colleague(city.office, "kakaricho")
    assert "どの庁舎の窓口ですか" in plain(chief.get("/desk"))
    assert chief.get(AT).status_code == 404
    assert chief.send("/desk", "/desk/office", office="kita\0").status_code == 404
    chief.send("/desk", "/desk/office", office="kita")
    assert plain(chief.get("/desk")).count("番窓口 開く") == 1
    assert chief.get(AT).status_code == 404


def test_a_window_is_opened_by_one_clerk_only(clerk: Clerk, city: City) -> None:
    other = colleague(city.office, "madoguchi2")
    assert "3番窓口 ほかの職員が開いています" in plain(other.get("/desk"))
    fields = other.form("/desk", "/desk/windows/2/open")
    answer = other.client.post(f"{AT}/open", data=fields)
    assert "3番窓口は、ほかの職員が開いています" in plain(other.get(answer.location))
    assert clerk.picture()["mine"]


@pytest.mark.parametrize("action", ["call-next", "recall", "missed", "finish", "close"])
def test_only_the_clerk_who_opened_the_window_acts_at_it(clerk: Clerk, city: City, action: str) -> None:
    city.call_next(3)
    other = Clerk(city.office, next(s for s in city.office.staff if s.name == "madoguchi2"))
    other.sign_in()
    fields = {**other.form("/desk", "/desk/windows/2/open"), "outcome": "handed_over", "confirmed": "1"}
    answer = other.client.post(f"{AT}/{action}", data=fields, headers=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_your_window")
    assert other.client.get(f"{AT}/state", headers=JSON).status_code == 403
    assert other.get(AT).location == "/desk"
    assert clerk.picture()["number"] == 1


def test_a_window_that_is_closed_leads_back_to_the_windows(city: City) -> None:
    somebody = colleague(city.office, "madoguchi3")
    assert somebody.get(AT).location == "/desk"
    assert "窓口を開いてください" in plain(somebody.get("/desk"))


@pytest.mark.parametrize("number", [4, 9999, 10_000, 10**30])
def test_there_is_no_window_of_such_a_number(city: City, number: int) -> None:
    assert colleague(city.office, "madoguchi3").get(f"/desk/windows/{number}").status_code == 404


def test_the_screen_shows_who_is_called_and_why(city: City) -> None:
    _, booking = city.booked("10:00")
    city.clock.set(9, 52)
    city.scan(city.code(booking))
    clerk = clerk_at_window(city.office)
    clerk.press("call-next")
    page = plain(clerk.get(AT))
    assert "お呼びしている番号 1 番 手続 カードの受け取り 交付通知書の番号 H1H-000001" in page
    assert "予約 10:00 到着 09:52 人数 1人 呼出 09:52（1回目） 呼んだ理由 予約 10:00・到着 09:52" in page


def test_the_screen_shows_that_a_service_has_a_legal_deadline(city: City, clerk: Clerk) -> None:
    city.set_row(service_by_code(read_session(), city.here, "pickup"), legal_deadline=True)
    clerk.press("call-next")
    assert "法定の期限あり" in plain(clerk.get(AT))


def test_an_action_answers_with_the_new_picture_in_the_same_breath(clerk: Clerk) -> None:
    status, answer = clerk.ask("call-next")
    assert status == 200
    assert answer["refusal"] is None
    assert answer["picture"] == clerk.picture()
    assert answer["picture"]["number"] == 1
    assert (answer["picture"]["waiting"][0]["lane"], answer["picture"]["waiting"][0]["n"]) == ("受取", 2)


def test_the_screen_says_how_long_newcomers_would_wait_in_each_lane(clerk: Clerk, city: City) -> None:
    clerk.press("call-next")
    city.clock.forward(minutes=1)
    lane, other = clerk.picture()["waiting"]
    assert re.fullmatch(r"約\d+分（\d+〜\d+分）", lane["wait"])
    assert f"受取 2 組 いま来ると {lane['wait']}" in plain(clerk.get(AT))
    assert other["wait"] == ""


def test_without_scripts_a_button_leads_back_to_the_window(clerk: Clerk) -> None:
    answer = clerk.press("call-next")
    assert (answer.status_code, answer.location) == (303, AT)
    assert clerk.picture()["number"] == 1


def test_a_lost_answer_is_given_again_and_nobody_else_is_called(clerk: Clerk) -> None:
    fields = clerk.form(AT, f"{AT}/call-next")
    answers = [clerk.client.post(f"{AT}/call-next", data=fields, headers=JSON).get_json() for _ in range(2)]
    assert answers[0]["picture"] == answers[1]["picture"]
    assert answers[0]["picture"]["waiting"][0]["n"] == 2


def test_each_answer_brings_the_id_and_the_token_of_the_next_press(clerk: Clerk) -> None:
    _, called = clerk.ask("call-next")
    fields = {key: called[key] for key in ("request_id", "csrf_token")}
    answer = clerk.client.post(f"{AT}/missed", data={**fields, "number": 1}, headers=JSON)
    assert answer.status_code == 200
    assert answer.get_json()["picture"]["missed"][0]["number"] == 1


def test_one_id_does_not_do_for_two_buttons(clerk: Clerk) -> None:
    fields = clerk.form(AT, f"{AT}/call-next")
    clerk.client.post(f"{AT}/call-next", data=fields)
    answer = clerk.client.post(f"{AT}/missed", data=fields, headers=JSON)
    assert answer.status_code == 409
    assert "画面が古いため" in answer.get_json()["refusal"]["text"]


def test_who_did_not_come_is_called_from_the_list(clerk: Clerk) -> None:
    clerk.press("call-next")
    clerk.press("missed")
    (absent,) = clerk.picture()["missed"]
    status, answer = clerk.ask(f"call/{absent['ticket']}")
    assert (status, answer["picture"]["number"], answer["picture"]["missed"]) == (200, 1, [])


def test_recalling_counts_the_calls(clerk: Clerk) -> None:
    clerk.press("call-next")
    _, answer = clerk.ask("recall")
    assert {"label": "呼出", "value": "09:00（2回目）"} in answer["picture"]["rows"]


def test_refusals_are_said_in_place(clerk: Clerk) -> None:
    assert clerk.ask("recall")[1]["refusal"]["text"] == "この窓口に、呼び出した方はいません。"
    clerk.press("call-next")
    status, answer = clerk.ask("call-next")
    assert (status, answer["refusal"]["code"], answer["picture"]["number"]) == (409, "window_occupied", 1)
    clerk.press("close")
    assert "この窓口には、対応中の方がいます" in plain(clerk.get(AT))


def test_when_nobody_waits_the_screen_says_so(city: City) -> None:
    clerk = clerk_at_window(city.office)
    clerk.press("call-next")
    assert "いま、この窓口で呼べる方はいません" in plain(clerk.get(AT))


def test_ending_a_visit_takes_two_presses_also_without_scripts(clerk: Clerk) -> None:
    clerk.press("call-next")
    asked = clerk.press("finish", outcome="handed_over")
    assert "1番を「交付した」で終わりますか" in plain(clerk.get(asked.location))
    assert clerk.picture()["number"] == 1
    clerk.send(asked.location, f"{AT}/finish", confirmed="1")
    assert clerk.picture()["number"] is None


def test_cards_are_handed_over_or_not_as_the_clerk_says(city: City) -> None:
    people = [city.booked("09:15"), city.booked("09:30")]
    clerk = clerk_at_window(city.office)
    for (person, booking), outcome in zip(people, ("handed_over", "left"), strict=True):
        city.scan(city.code(booking))
        clerk.press("call-next")
        clerk.ask("finish", outcome=outcome, confirmed="1")
        assert (city.notice(person).state.value == "handed_over") == (outcome == "handed_over")


def test_only_the_number_on_the_screen_is_ended(clerk: Clerk) -> None:
    clerk.press("call-next")
    stale = {**clerk.form(AT, f"{AT}/finish"), "outcome": "handed_over", "confirmed": "1"}
    clerk.press("missed")
    clerk.press("call-next")
    answer = clerk.client.post(f"{AT}/finish", data=stale, headers=JSON)
    assert (answer.status_code, answer.get_json()["refusal"]["code"]) == (409, "other_visitor")
    assert clerk.picture()["number"] == 2


@pytest.mark.parametrize("action", ["missed", "recall"])
def test_only_the_number_on_the_screen_is_called_again_or_missed(clerk: Clerk, action: str) -> None:
    clerk.press("call-next")
    stale = clerk.form(AT, f"{AT}/{action}")
    clerk.press("missed")
    clerk.press("call-next")
    answer = clerk.client.post(f"{AT}/{action}", data=stale, headers=JSON)
    assert (answer.status_code, answer.get_json()["refusal"]["code"]) == (409, "other_visitor")
    assert clerk.picture()["number"] == 2


@pytest.mark.parametrize("action", ["missed", "recall", "pass-on", "park", "procedures", "papers", "finish"])
def test_a_tab_from_an_hour_ago_does_nothing_to_whoever_is_there_now(clerk: Clerk, city: City, action: str) -> None:
    clerk.press("call-next")
    stale = {**clerk.form(AT, f"{AT}/recall"), "service": "pin", "outcome": "left", "confirmed": "1", "position": "1"}
    clerk.press("missed")
    city.clock.forward(minutes=60)
    clerk.press("call-next")
    before = clerk.picture()
    answer = clerk.client.post(f"{AT}/{action}", data=stale, headers=JSON)
    assert (answer.status_code, answer.get_json()["refusal"]["code"]) == (409, "other_visitor")
    assert clerk.picture() == before


def test_a_tab_that_shows_another_act_undoes_nothing(clerk: Clerk, city: City) -> None:
    clerk.press("call-next")
    clerk.press("missed")
    stale = clerk.form(AT, f"{AT}/undo")
    city.clock.forward(seconds=5)
    clerk.press("call-next")
    clerk.ask("finish", outcome="left", confirmed="1")
    answer = clerk.client.post(f"{AT}/undo", data=stale, headers=JSON)
    assert (answer.status_code, answer.get_json()["refusal"]["code"]) == (409, "changed_since")
    assert clerk.ask("undo")[1]["picture"]["number"] == 2


def test_who_was_missed_is_called_only_where_the_window_does_it(city: City) -> None:
    city.open(2)
    city.come_without_booking("pin")
    city.come_without_booking()
    for _ in range(2):
        city.call_next(2)
        city.missed(2)
    clerk = clerk_at_window(city.office)
    pickup, pin = clerk.picture()["missed"]
    assert (pickup["here"], pin["here"]) == (False, True) if pickup["number"] == 301 else (True, False)
    other = pickup if pickup["number"] == 301 else pin
    assert f"/call/{other['ticket']}" not in clerk.get(AT).text
    status, answer = clerk.ask(f"call/{other['ticket']}", "call-next")
    assert (status, answer["refusal"]["code"]) == (409, "wrong_window")


def test_who_has_a_window_open_closes_it_before_going_to_another_office(city: City) -> None:
    city.set_row(read_session().get_one(Staff, city.clerk("kakaricho")), office_id=None)
    chief = colleague(city.office, "kakaricho")
    chief.send("/desk", "/desk/office", office="honcho")
    chief.send("/desk", f"{AT}/open")
    answer = chief.send("/desk?offices=1", "/desk/office", office="kita")
    assert "見本市 本庁の3番窓口を開いています。先に閉じてください" in plain(chief.get(answer.location))
    assert chief.get(AT).status_code == 200
    chief.send(AT, f"{AT}/close")
    chief.send("/desk?offices=1", "/desk/office", office="kita")
    assert chief.get(AT).status_code == 404


class TestKiosksThatAskForStaff:
    """職員呼出: at every window until somebody goes."""

    def test_every_window_shows_who_asks_and_for_what(self, city: City, clerk: Clerk) -> None:
        city.ask_for_staff("paper_out")
        (row,) = clerk.picture()["asking"]
        assert (row["kiosk"], row["reason"], row["at"]) == ("入口", "用紙がありません", "09:00")
        assert "職員呼出 入口 用紙がありません 09:00 対応する" in plain(clerk.get(AT))

    def test_whoever_goes_ends_it_for_all(self, city: City, clerk: Clerk) -> None:
        city.ask_for_staff("button")
        (row,) = clerk.picture()["asking"]
        colleague_too = clerk.form(AT, f"{AT}/calls/{row['call']}")
        status, answer = clerk.ask(f"calls/{row['call']}")
        assert (status, answer["picture"]["asking"]) == (200, [])
        assert clerk.client.post(f"{AT}/calls/{row['call']}", data=colleague_too, headers=JSON).status_code == 200

    def test_asking_again_is_one_call_with_the_newest_time(self, city: City, clerk: Clerk) -> None:
        city.ask_for_staff("button")
        city.clock.forward(minutes=2)
        city.ask_for_staff("button")
        city.ask_for_staff("scanner")
        assert [(row["reason"], row["at"]) for row in clerk.picture()["asking"]] == [
            ("お客様が呼んでいます", "09:02"),
            ("読み取り機がつながっていません", "09:02"),
        ]

    def test_a_reason_nobody_here_knows_is_a_reason_to_look(self, city: City, clerk: Clerk) -> None:
        city.ask_for_staff("earthquake")
        assert clerk.picture()["asking"][0]["reason"] == "受付端末を見てください"

    def test_yesterdays_call_is_over(self, city: City) -> None:
        city.ask_for_staff("button")
        city.clock.forward(minutes=24 * 60)
        assert clerk_at_window(city.office).picture()["asking"] == []

    def test_a_call_that_there_is_not_is_not_found(self, clerk: Clerk) -> None:
        fields = clerk.form(AT, f"{AT}/call-next")
        assert clerk.client.post(f"{AT}/calls/{uuid4()}", data=fields, headers=JSON).status_code == 404


@pytest.mark.parametrize("outcome", ["", "lost", "HANDED_OVER"])
def test_a_visit_ends_in_one_of_the_ways_there_are(clerk: Clerk, outcome: str) -> None:
    clerk.press("call-next")
    assert clerk.ask("finish", outcome=outcome, confirmed="1")[0] == 422
    assert clerk.get(f"{AT}/finish?outcome={outcome}").status_code == 422


@pytest.mark.parametrize("number", ["", "x", "9" * 40, "-1"])
def test_an_ending_without_the_number_on_the_screen_ends_nothing(clerk: Clerk, number: str) -> None:
    clerk.press("call-next")
    assert clerk.ask("finish", outcome="handed_over", confirmed="1", number=number)[0] == 409
    assert clerk.picture()["number"] == 1


def test_nobody_at_the_window_leaves_nothing_to_confirm(clerk: Clerk) -> None:
    assert clerk.get(f"{AT}/finish?outcome=handed_over").location == AT


def test_a_closed_window_is_free_for_the_next_clerk(clerk: Clerk, city: City) -> None:
    assert clerk.press("close").location == "/desk"
    assert "3番窓口を閉じました" in plain(clerk.get("/desk"))
    assert clerk_at_window(city.office, "madoguchi2").picture()["mine"]


def test_closing_answers_a_script_with_a_picture_that_is_not_the_clerks(clerk: Clerk) -> None:
    assert clerk.ask("close")[1]["picture"]["mine"] is False


def test_an_expired_form_is_refused_and_the_state_brings_a_fresh_token(clerk: Clerk, city: City) -> None:
    fields = clerk.form(AT, f"{AT}/call-next")
    city.office.app.config["WTF_CSRF_TIME_LIMIT"] = -1
    answer = clerk.client.post(f"{AT}/call-next", data=fields, headers=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "form_expired")
    city.office.app.config["WTF_CSRF_TIME_LIMIT"] = 3600
    fields["csrf_token"] = clerk.client.get(f"{AT}/state", headers=JSON).get_json()["csrf_token"]
    assert clerk.client.post(f"{AT}/call-next", data=fields, headers=JSON).status_code == 200


@pytest.mark.parametrize("request_id", ["", "short", "x" * 65, "new\nline-in-it"])
def test_a_press_without_a_usable_id_does_nothing(clerk: Clerk, request_id: str) -> None:
    assert clerk.ask("call-next", request_id=request_id)[0] == 422
    assert clerk.picture()["number"] is None


def test_the_whole_visit_on_each_kind_of_database(office: Office) -> None:
    city = City(office)
    city.come_without_booking(party=2)
    clerk = clerk_at_window(office)
    for action in ("call-next", "recall", "missed"):
        assert clerk.ask(action)[0] == 200
    clerk.ask(f"call/{clerk.picture()['missed'][0]['ticket']}")
    assert {"label": "人数", "value": "2人"} in clerk.picture()["rows"]
    assert clerk.ask("finish", outcome="left", confirmed="1")[0] == 200
    assert clerk.picture()["missed"] == []


def test_each_of_a_party_has_buttons_of_their_own(city: City) -> None:
    city.come_without_booking(party=2)
    clerk = clerk_at_window(city.office)
    clerk.press("call-next")
    assert "1番の2人全員を「帰った」で終わります" in clerk.get(AT).text
    assert "1番の2人全員を「帰った」で終わりますか" in plain(clerk.get(f"{AT}/finish?outcome=left"))
    asked = clerk.press("people/2/finish", outcome="later_by_mail")
    assert "1番の2人目（カードの受け取り）を「後日郵送」で終わりますか" in plain(clerk.get(asked.location))
    assert [p["ended"] for p in clerk.picture()["people"]] == ["", ""]
    assert "郵送することに本人が同意しました" in plain(clerk.get(asked.location))
    clerk.send(asked.location, f"{AT}/people/2/finish", confirmed="1")
    assert "郵送に同意したことを確かめ" in plain(clerk.get(AT))
    clerk.send(asked.location, f"{AT}/people/2/finish", confirmed="1", consent="1")
    assert [p["ended"] for p in clerk.picture()["people"]] == ["", "後日郵送"]
    assert clerk.ask("people/3/finish", "people/1/finish", confirmed="1")[1]["refusal"]["code"] == "step_state"
    assert clerk.ask("finish", confirmed="1")[1]["picture"]["number"] is None


def test_at_a_stop_before_the_last_the_first_key_passes_on(city: City) -> None:
    city.check_papers_first()
    city.come_without_booking()
    checker = clerk_at_window(city.office, window=1)
    checker.press("call-next")
    page = plain(checker.get("/desk/windows/1"))
    assert "次へ K" in page
    assert "交付した" not in page
    assert checker.ask("finish", confirmed="1", outcome="handed_over")[1]["refusal"]["code"] == "more_stops"
    assert checker.ask("pass-on")[1]["picture"]["number"] is None
    issuer = clerk_at_window(city.office, "madoguchi2", window=2)
    _, answer = issuer.ask("call-next")
    assert {"label": "段階", "value": "交付（T1）"} in answer["picture"]["rows"]
    assert "交付した K" in plain(issuer.get("/desk/windows/2"))


class TestAway:
    """Who rests, fetches papers or was missed; who is ready; what is undone."""

    def test_parked_and_back_by_one_key_each(self, clerk: Clerk) -> None:
        clerk.press("call-next")
        assert clerk.ask("park", why="choosing")[1]["picture"]["number"] is None
        (row,) = clerk.picture()["parked"]
        assert (row["number"], row["why"]) == (1, "考え中")
        _, answer = clerk.ask(f"back/{row['ticket']}")
        assert (answer["picture"]["parked"], answer["picture"]["waiting"][0]["n"]) == ([], 3)

    def test_who_fetches_papers_gets_a_slip_with_number_papers_and_hour_and_nothing_personal(self, city: City) -> None:
        _, booking = city.booked("09:15")
        city.scan(city.code(booking))
        clerk = clerk_at_window(city.office)
        clerk.press("call-next")
        page = clerk.get(f"{AT}/papers")
        assert "17:00" in page.text
        fields = {**clerk.form(f"{AT}/papers", f"{AT}/papers"), "until": "16:00"}
        ticked = {**fields, "missing": ["pickup.proxy.0", "pickup.everyone.1"]}
        answer = clerk.client.post(f"{AT}/papers", data=ticked)
        slip = plain(clerk.get(answer.location))
        assert "受付番号 1" in slip
        assert "委任状（交付通知書に記入）" in slip
        assert "A letter of proxy" in slip
        assert "これまでのマイナンバーカード" not in slip
        assert "16時00分" in slip
        read_session().rollback()
        (entry,) = read_session().query(AuditEntry).filter(AuditEntry.verb == "visit.park")
        assert entry.facts["until"] == "16:00"
        assert "H1H" not in slip
        assert [row["why"] for row in clerk.picture()["parked"]] == ["書類を取りに"]
        assert "交付通知書（はがき）" not in plain(clerk.get(answer.location.replace("pickup.everyone.1", "x")))

    def test_there_are_no_papers_to_ask_for_when_nobody_is_there(self, clerk: Clerk) -> None:
        assert clerk.get(f"{AT}/papers").location == AT
        assert clerk.get(f"{AT}/slips/{uuid4()}").status_code == 409

    def test_booking_again_ends_the_visit_and_leads_to_the_notice(self, city: City) -> None:
        person, booking = city.booked("09:15")
        city.scan(city.code(booking))
        clerk = clerk_at_window(city.office)
        clerk.press("call-next")
        asked = clerk.get(f"{AT}/people/1/rebook")
        assert "1番の1人目（カードの受け取り）を「書類不備」で終わり、予約を取り直しますか" in plain(asked)
        answer = clerk.send(f"{AT}/people/1/rebook", f"{AT}/people/1/rebook", confirmed="1")
        assert answer.location == f"/phone/notices/{city.notice(person).uid}"
        assert "予約の内容" not in plain(clerk.get(answer.location))
        assert clerk.get(answer.location).status_code == 200
        assert city.state(booking).value == "done"

    def test_the_newest_act_is_undone_by_one_key_for_a_minute(self, clerk: Clerk, city: City) -> None:
        clerk.press("call-next")
        clerk.press("missed")
        assert clerk.picture()["undo"] == "不在"
        assert clerk.ask("undo")[1]["picture"]["number"] == 1
        clerk.ask("finish", confirmed="1", outcome="left")
        city.clock.forward(seconds=61)
        assert clerk.picture()["undo"] == ""
        assert clerk.ask("undo", "call-next")[1]["refusal"]["code"] == "nothing_to_undo"

    def test_a_procedure_is_added_at_the_window(self, clerk: Clerk) -> None:
        clerk.press("call-next")
        picture = clerk.ask("procedures", service="pin", position="1")[1]["picture"]
        assert [(p["name"], p["service"]) for p in picture["people"]] == [
            ("1人目", "カードの受け取り"),
            ("1人目", "暗証番号の再設定"),
        ]
        asked = clerk.get(f"{AT}/people/2/finish?outcome=left")
        assert "1番の1人目（暗証番号の再設定）を「帰った」で終わりますか" in plain(asked)
        assert picture["passes_on"]
        assert {"label": "人数", "value": "1人"} in picture["rows"]
        assert clerk.ask("procedures", service="nothing", position="1")[1]["refusal"]["code"] == "unknown_service"

    def test_ready_and_a_terminal_that_is_down(self, city: City) -> None:
        city.check_papers_first(terminals=1)
        city.come_without_booking()
        checker = clerk_at_window(city.office, window=1)
        ticket = checker.ask("call-next")[1]["picture"]["ticket"]
        assert checker.picture()["to_be_ready"]
        checker.press("pass-on")
        (row,) = checker.picture()["unready"]
        assert row["ticket"] == ticket
        assert checker.ask(f"ready/{ticket}")[1]["picture"]["unready"] == []
        (one,) = checker.picture()["terminals"]
        asked = checker.press(f"terminals/{one['id']}")
        assert "T1を「故障中」にしますか" in plain(checker.get(asked.location))
        checker.send(asked.location, f"{checker.at}/terminals/{one['id']}", confirmed="1")
        assert [t["down"] for t in checker.picture()["terminals"]] == [True]
        assert checker.get(f"{checker.at}/terminals/99").status_code == 404
