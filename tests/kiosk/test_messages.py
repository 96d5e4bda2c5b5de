"""What visitors are told: every no has a text in every language, and the screen is never blank."""

from datetime import date, datetime

import pytest

from kiosk.messages import REFUSALS, Say, say_closed, say_refusal, told
from madoguchi.texts import Texts
from madoguchi.wire import RefusalView
from tests.kiosk.fake_office import NOW, state

TEXTS = Texts.load()

FACTS: dict[str, dict[str, object]] = {
    "wrong_day": {"date": "2026-12-01"},
    "wrong_office": {"site": {"ja": "北支所", "en": "North Branch"}},
    "wrong_period": {"from": "2026-12-01", "to": "2026-12-11"},
    "too_early": {"time": "2026-11-30T10:00:00+09:00", "opentime": "2026-11-30T09:45:00+09:00"},
    "office_closed": {"next_opening": "2026-12-01T08:30:00+09:00"},
    "service_not_now": {"next_opening": "2026-12-07T08:30:00+09:00"},
    "walk_ins_closed": {"tel": "050-0000-0062"},
}


@pytest.mark.parametrize("language", TEXTS.languages)
@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_has_a_text_that_its_facts_fill(code: str, language: str) -> None:
    say = say_refusal(RefusalView(code, dict(FACTS.get(code, {}))), state())

    text = TEXTS.say(say.key, language, **say.facts)

    assert text
    assert "{" not in text


@pytest.mark.parametrize(
    ("code", "language", "part"),
    [
        ("wrong_day", "ja", "ご予約の日は令和8年12月1日（火）です。"),
        ("wrong_day", "en", "Your booking is for Tue 1 Dec 2026."),
        ("wrong_office", "ja", "「北支所」"),
        ("wrong_office", "en", "“North Branch”"),
        ("too_early", "ja", "受付は9時45分から"),
        ("office_closed", "ja", "次の受付は令和8年12月1日（火） 8時30分からです。"),
        ("walk_ins_closed", "en", "050-0000-0062"),
        ("service_not_now", "ja", "この手続は、いまの時間は受け付けていません。次の受付は令和8年12月7日（月） 8時30分"),
    ],
)
def test_facts_are_said_as_the_office_says_them(code: str, language: str, part: str) -> None:
    say = say_refusal(RefusalView(code, dict(FACTS[code])), state())

    assert part in told(TEXTS, say, language)


@pytest.mark.parametrize(
    ("opening", "text"),
    [
        (NOW.replace(hour=13, minute=0), "本日の受付は13時00分からです。"),
        (
            NOW.replace(month=12, day=1, hour=8, minute=30),
            "本日の受付は終了しました。次の受付は令和8年12月1日（火） 8時30分からです。",
        ),
        (None, "ただいま受付時間外です。"),
    ],
)
def test_closed_says_until_when(opening: datetime | None, text: str) -> None:
    assert told(TEXTS, say_closed(opening, state()), "ja") == text


@pytest.mark.parametrize("code", ["full_moon", "", "wrong_day ", "not_found"])
def test_a_code_that_nobody_told_us_of_sends_to_staff(code: str) -> None:
    assert "職員" in told(TEXTS, say_refusal(RefusalView(code, {}), None), "ja")


@pytest.mark.parametrize("facts", [{}, {"date": None}, {"date": [1]}, {"date": True}, {"site": {}}])
def test_facts_that_do_not_fit_send_to_staff_and_never_to_a_blank_screen(facts: dict[str, object]) -> None:
    say = say_refusal(RefusalView("wrong_day", facts), state())

    assert told(TEXTS, say, "en") == TEXTS.say("kiosk.outoforder", "en")


def test_an_unknown_text_sends_to_staff() -> None:
    assert told(TEXTS, Say("kiosk.nothing", {"date": date(2026, 11, 30)}), "ja") == TEXTS.say("kiosk.outoforder", "ja")


def test_labels_that_a_text_quotes_are_the_buttons_own() -> None:
    staff, walk_in = (TEXTS.say(f"kiosk.btn.{name}", "ja") for name in ("staff", "walkin"))

    assert f"「{staff}」" in TEXTS.say("kiosk.notbooked", "ja")
    assert f"「{walk_in}」" in TEXTS.say("kiosk.notbooked", "ja")
