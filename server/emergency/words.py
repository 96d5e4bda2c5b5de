"""How the emergency list is written."""

from collections.abc import Sequence
from datetime import datetime

from madoguchi.texts import format_date
from server.clock import office_time
from server.daylist.words import LANGUAGES
from server.emergency.models import EmergencyList
from server.emergency.queries import EmergencyPicture, Party
from server.emergency.rules import Failure
from server.pdf import List, Row
from server.queueing.rules import StepState

STATES = {
    StepState.WAITING: "待ち",
    StepState.CALLED: "呼出中",
    StepState.SERVING: "対応中",
    StepState.MISSED: "不在",
    StepState.PARKED: "保留",
}
FAILURES = {
    Failure.MISSING: "保存先のフォルダーがありません（共有フォルダーの接続を確かめてください）",
    Failure.REFUSED: "保存先に書き込めません（アクセス権を確かめてください）",
    Failure.FULL: "保存先の容量が足りません",
    Failure.SLOW: "保存先が応答しません",
    Failure.OTHER: "書き込みに失敗しました",
}
COLUMNS = (
    ("時刻", 1.2),
    ("番号", 2.0),
    ("下3桁", 1.2),
    ("保管場所", 3.2),
    ("手続", 2.8),
    ("人数", 0.9),
    ("配慮・ことば", 2.2),
    ("手書きの番号", 1.8),
    ("結果", 1.8),
)


def lists(picture: EmergencyPicture, office: str, now: datetime) -> list[List]:
    """The lists of the paper: who is here, who is still to come today, who comes on the next open day."""
    notes = [
        f"{office_time(now):%Y-%m-%d %H:%M} 現在。システムが使えないときに、この順に呼びます。",
        "渡した手書きの番号（901から）と結果を書き込んでください。新しい一覧ができたら、前の一覧は裁断してください。",
    ]
    day = format_date(office_time(now).date(), "ja")
    made = [
        List(f"非常用一覧　{office}　本日 {day}　来庁中の方", notes, COLUMNS, _rows(picture.here)),
        List(f"非常用一覧　{office}　本日 {day}　これから来られる方", notes[:1], COLUMNS, _rows(picture.today)),
    ]
    if picture.next_day is not None:
        heading = f"非常用一覧　{office}　次の開庁日 {format_date(picture.next_day, 'ja')}"
        made.append(List(heading, notes[:1], COLUMNS, _rows(picture.next)))
    return made


def _rows(parties: Sequence[Party]) -> list[Row]:
    return [Row(_cells(party)) for party in parties] or [Row(["なし", *[""] * (len(COLUMNS) - 1)])]


def _cells(party: Party) -> list[str]:
    language = LANGUAGES.get(party.language, "")
    return [
        f"{party.time:%H:%M}",
        "" if party.number is None or party.state is None else f"{party.number}　{STATES[party.state]}",
        "\n".join(digits for digits, _ in party.notices),
        "\n".join(place or "なし" for _, place in party.notices),
        "・".join(party.services),
        str(party.people),
        "　".join(word for word in ("配慮" if party.first else "", language) if word),
        "",
        "",
    ]


def standing(state: EmergencyList | None) -> str:
    """What has become of the lists, in a sentence."""
    if state is None:
        return "まだ保存していません。"
    written = "まだ保存できていません" if state.written_at is None else f"{_at(state.written_at)} に保存しました"
    if state.failure is None:
        return f"{written}。"
    return f"{written}。{_at(state.tried_at)} は失敗しました：{FAILURES[state.failure]}。5分ごとに試します。"


def _at(moment: datetime) -> str:
    return f"{office_time(moment):%m-%d %H:%M}"
