"""The slip line by line: what stands on it, in which size, and what never does."""

import json
import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.slip import (
    SIDE_MM,
    SMALL_MM,
    CodeBlock,
    NumberLine,
    Rule,
    Slip,
    TextLine,
    columns,
    compose,
    wrap,
)
from madoguchi.codes import of_ticket
from madoguchi.texts import Texts
from madoguchi.wire import CheckInAnswer, TicketView, WaitView
from tests.kiosk.fake_office import NOW, PICKUP, RENEWAL, ticket

SAY = Texts.load().say
JOB = UUID("0193796c-3b11-7d07-a4f5-7e2a9c1b4f86")
WIDTH_MM = 72.0
EXAMPLES = Path(__file__).parents[1] / "contracts" / "examples"


def lines(slip: Slip) -> list[str]:
    """What stands on the slip, from top to bottom."""
    shown: list[str] = []
    for element in slip:
        if isinstance(element, TextLine | NumberLine):
            shown.append(element.text)
        elif isinstance(element, Rule):
            shown.append("----")
        else:
            shown += [f"[{element.payload}]", *(line.text for line in element.beside)]
    return shown


def slip_of(view: TicketView, language: str = "ja") -> list[str]:
    return lines(compose(view, JOB, language, SAY, WIDTH_MM))


def test_the_slip_of_a_booked_visitor() -> None:
    assert slip_of(ticket()) == [
        "見本市役所 本庁",
        "受付番号 / No.",
        "62",
        "カードの受け取り",
        "ご予約 10時00分",
        "待ち人数 5人",
        "----",
        "番号でお呼びします。",
        "画面と放送にご注意ください。",
        "予約や手続きの種類により、",
        "番号の順にお呼びしないことがあります。",
        "お呼びした時にいらっしゃらない場合は、",
        "順番が変わることがあります。",
        "----",
        f"[{of_ticket(ticket().uid).text}]",
        "令和8年11月30日（月） 9時52分 発行",
        "job 9c1b-4f86",
    ]


def test_the_slip_in_english_bears_the_western_date_only_and_says_everything_else_in_japanese_too() -> None:
    shown = slip_of(ticket(party=4, tasks=("notice",)), "en")

    assert shown[:8] == [
        "Mihon City Hall",
        "No. / 受付番号",
        "62",
        "Card pick-up",
        "Booked 10:00",
        "Party of 4",
        "People waiting: 5",
        "カードの受け取り　ご予約 10時00分　4名様",
    ]
    assert shown[8:18] == [
        "待ち人数 5人",
        "----",
        "While you wait",
        "Write the date, your address and name",
        "on the issuance notice.",
        "交付通知書に、",
        "日付・住所・氏名をご記入ください。",
        "----",
        "You will be called by number.",
        "Please watch the screen.",
    ]
    assert "番号でお呼びします。画面と放送にご注意ください。" in shown
    assert "Issued Mon 30 Nov 2026 9:52" in shown
    assert not any("令和" in line for line in shown)


def test_the_slip_says_what_to_do_meanwhile_in_one_order_and_passes_over_what_it_does_not_know() -> None:
    slip = compose(ticket(tasks=("dance", "pin", "notice")), JOB, "ja", SAY, WIDTH_MM)
    boxes = [line.text for line in slip if isinstance(line, TextLine) and line.box]

    assert boxes == ["交付通知書に、", "暗証番号を決めて、"]
    assert "お待ちの間に" in lines(slip)
    assert "お待ちの間に" not in slip_of(ticket())


def test_the_number_has_no_zeros_before_it() -> None:
    assert slip_of(ticket(7))[2] == "7"


@pytest.mark.parametrize("width_mm", [48.0, WIDTH_MM])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_facts_stand_in_one_line_each_on_both_papers(language: str, width_mm: float) -> None:
    slip = compose(ticket(party=4, people_waiting=12, wait=WaitView(20, 15, 30)), JOB, language, SAY, width_mm)
    end = slip.index(Rule())
    facts = [line for line in slip[:end] if isinstance(line, TextLine) and line.mm != SMALL_MM]

    assert [line.text for line in facts][2:] == [
        *(
            [PICKUP["ja"], "ご予約 10時00分", "4名様", "待ち人数 12人", "目安 約20分（15〜30分）"]
            if language == "ja"
            else [PICKUP["en"], "Booked 10:00", "Party of 4", "People waiting: 12", "Wait: about 20 min (15–30)"]
        )
    ]


def test_a_walk_in_has_no_booked_time_and_one_person_is_no_party() -> None:
    shown = slip_of(ticket(301, booked_at=None, service=RENEWAL, people_waiting=0))

    assert shown[2:6] == ["301", "電子証明書の更新", "待ち人数 0人", "----"]


@pytest.mark.parametrize(
    ("wait", "ja", "en"),
    [
        ((20, 15, 30), "目安 約20分（15〜30分）", "Wait: about 20 min (15–30)"),
        ((10, 0, 20), "目安 約10分（20分以内）", "Wait: about 10 min (up to 20)"),
        ((0, 0, 5), "目安 まもなく（5分以内）", "Wait: soon (within 5 min)"),
    ],
)
def test_the_wait_is_told_as_well_as_it_is_known(wait: tuple[int, int, int], ja: str, en: str) -> None:
    view = ticket(wait=WaitView(*wait))

    assert slip_of(view)[6:8] == [ja, "----"]
    assert slip_of(view, "en")[6] == en


def test_the_code_leads_to_the_tickets_page_where_telephones_can_open_it() -> None:
    page = "https://yoyaku.city.mihon.example/t/T7K3F9QXM2P0"
    shown = slip_of(ticket(page=page))

    assert f"[{page}]" in shown
    assert "スマートフォンで" in "".join(shown)


def test_an_older_server_tells_no_wait_and_the_slip_none() -> None:
    said = ticket().to_json()
    older = {key: value for key, value in said.items() if key not in ("wait", "page")}

    assert slip_of(TicketView.from_json(older)) == slip_of(ticket())


def test_korean_words_stay_whole() -> None:
    assert "번호 순서대로 호출하지 않을 수" in slip_of(ticket(), "ko")


def test_a_party_is_counted() -> None:
    assert "4名様" in slip_of(ticket(party=4))


def test_a_reprint_bears_its_own_time_beside_that_of_the_first_paper() -> None:
    shown = slip_of(ticket(issued_at=NOW.replace(hour=10, minute=5), reprint_of=NOW))

    assert "再発行 10時05分" in shown
    assert "令和8年11月30日（月） 9時52分 発行" in shown


def test_a_name_that_the_office_has_not_translated_stands_in_japanese() -> None:
    assert "別館" in slip_of(ticket(office={"ja": "別館"}), "en")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", ["check_in_ticket", "check_in_reprint"])
def test_the_agreed_examples_make_a_slip(name: str, language: str) -> None:
    answer = CheckInAnswer.from_json(json.loads((EXAMPLES / f"{name}.json").read_text()))
    assert answer.job is not None

    slip = compose(answer.ticket, answer.job, language, SAY, WIDTH_MM)

    assert NumberLine("62", 21.0) in slip
    assert [element for element in slip if isinstance(element, CodeBlock)]


def test_the_number_is_at_least_twenty_millimetres_high() -> None:
    (number,) = [e for e in compose(ticket(), JOB, "ja", SAY, WIDTH_MM) if isinstance(e, NumberLine)]

    assert number.mm >= 20


def test_nothing_on_the_slip_leads_to_a_person() -> None:
    # The ticket's own uid would be enough to ask the server who it is.
    shown = "\n".join(slip_of(ticket()))

    assert str(ticket().uid) not in shown
    assert not re.search(r"[NBT]-?[0-9A-Z]{4,5}-", shown)


def test_the_code_is_that_of_the_ticket_on_each_of_its_papers() -> None:
    again = replace(ticket(), reprint_of=NOW)
    codes_on = {
        e.payload
        for view in (ticket(), again)
        for e in compose(view, JOB, "ja", SAY, WIDTH_MM)
        if isinstance(e, CodeBlock)
    }
    assert codes_on == {of_ticket(ticket().uid).text}


class TestLines:
    @pytest.mark.parametrize("mm", [2.8, 3.6, 5.0])
    @pytest.mark.parametrize("width", [40.0, 58.0, 72.0])
    @given(text=st.text("あいう、。「」（）kab .1ー", min_size=1, max_size=80))
    def test_no_line_is_wider_than_the_paper_and_no_character_is_lost(self, text: str, width: float, mm: float) -> None:
        broken = wrap(text, width, mm)

        assert "".join(broken).replace(" ", "") == text.replace(" ", "")
        assert all(columns(line) * mm / 2 <= width - 2 * SIDE_MM + mm for line in broken)

    @pytest.mark.parametrize(
        ("text", "broken"),
        [
            ("受付番号", ["受付番号"]),
            ("あいうえおかきく、けこ", ["あいうえおかきく、", "けこ"]),
            ("あいうえおかきくけこさ", ["あいうえおかきく", "けこさ"]),
            ("あいうえおかきくけこさしす", ["あいうえおかきくけこ", "さしす"]),
            ("あいうえおかきくけ「さし」", ["あいうえおかきくけ", "「さし」"]),
            ("あいうえおかきくけこ」さ", ["あいうえおかきくけ", "こ」さ"]),
            ("Please take your ticket", ["Please take your", "ticket"]),
            ("Wait here. Staff will come.", ["Wait here.", "Staff will come."]),
        ],
    )
    def test_lines_break_where_a_reader_would_breathe(self, text: str, broken: list[str]) -> None:
        assert list(wrap(text, 2 * SIDE_MM + 50.0, 5.0)) == broken
