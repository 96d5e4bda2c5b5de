"""How a day list is written, alike on the page, on paper and in the Excel file."""

from server.clock import office_time
from server.daylist.queries import DayPicture
from server.daylist.rules import Change, Line, Order, Presence

ORDERS = {Order.TIME: "時間順", Order.PLACE: "保管場所順"}
LANGUAGES = {
    "ja-easy": "やさしい日本語",
    "en": "英語",
    "zh-Hans": "中国語",
    "ko": "韓国語",
    "vi": "ベトナム語",
    "pt-BR": "ポルトガル語",
}
CHANGES = {
    Change.ADDED: "追加",
    Change.CANCELLED: "取消",
    Change.OTHER_DAY: "別の日へ変更",
    Change.STOPPED: "交付取止め",
}
PRESENCES = {
    Presence.EXPECTED: "",
    Presence.TO_CONFIRM: "要確認",
    Presence.HERE: "来庁",
    Presence.DONE: "済",
    Presence.STAYED_AWAY: "来庁なし",
}
# Name, and share of a paper's width.
_TIME, _PLACE = ("時刻", 1.3), ("保管場所", 3.0)
_OTHERS = (("通知書の番号", 2.6), ("手続", 2.9), ("しるし", 2.3), ("ことば", 1.6), ("人数", 1.0), ("状況", 2.6))


def columns(order: Order) -> list[tuple[str, float]]:
    """The heads of a list's columns, each with its share of the width."""
    return [*((_TIME, _PLACE) if order is Order.TIME else (_PLACE, _TIME)), *_OTHERS]


def cells(line: Line, order: Order) -> list[str]:
    """A line's cells under these heads."""
    person = line.person
    time, place = f"{line.time:%H:%M}", person.storage_place or "なし"
    return [
        *((time, place) if order is Order.TIME else (place, time)),
        person.number or "なし",
        person.service,
        "・".join(person.marks),
        LANGUAGES.get(person.language, "" if person.language == "ja" else person.language),
        f"{person.party}人で" if person.party > 1 else "",
        "　".join(word for word in (_changed(line), "" if line.gone else PRESENCES[person.presence]) if word),
    ]


def _changed(line: Line) -> str:
    if line.change is Change.MOVED and line.before is not None:
        return f"{line.before.starts_at:%H:%M}から変更"
    if line.change is Change.STORED and line.before is not None:
        return f"保管場所変更（前は{line.before.storage_place or 'なし'}）"
    return "" if line.change is None else CHANGES[line.change]


def as_of(picture: DayPicture) -> str:
    """Since when the list stands."""
    if picture.made_at is not None:
        return f"{picture.made_at:%Y-%m-%d %H:%M} 作成。その後の変更は「状況」に示します。"
    if picture.due_at is None:
        return "まだ作成していません。"
    return f"まだ作成していません（{office_time(picture.due_at):%Y-%m-%d %H:%M} に作成）。いまの予約を示します。"


def totals(picture: DayPicture) -> str:
    """How many people are expected, and how many lines have changed."""
    people = sum(not line.gone for line in picture.lines)
    changed = sum(line.change is not None for line in picture.lines)
    return f"{people}人" + (f"（作成後の変更 {changed}件）" if picture.made_at is not None else "")
