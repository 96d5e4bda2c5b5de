"""How the figures are written, alike on the page, in the Excel file and by the command."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.clock import office_time
from server.queueing.rules import Outcome
from server.reports.queries import WaitReport
from server.reports.rules import (
    WITHIN_MINUTES,
    Label,
    Line,
    by_all,
    by_day,
    by_hour,
    by_lane,
    by_service,
    lines,
    of_all,
)

KINDS = {True: "予約あり", False: "予約なし", None: "計"}
COLUMNS = (
    "区分",
    "組",
    "人数",
    "中央値（分）",
    "平均（分）",
    "95％（分）",
    "最長（分）",
    f"{WITHIN_MINUTES}分以内（％）",
)
OUTCOMES: dict[Outcome | None, str] = {
    Outcome.HANDED_OVER: "交付した",
    Outcome.DONE: "済",
    Outcome.PAPERS_MISSING: "書類不備",
    Outcome.LATER_BY_MAIL: "後日郵送",
    Outcome.STOPPED: "取止め",
    Outcome.LEFT: "帰った・締め",
    None: "対応中・待ち",
}


@dataclass(frozen=True)
class Sheet:
    """One table: its title, the heads of the columns that say of whom, and its lines."""

    title: str
    heads: tuple[str, ...]
    lines: Sequence[Line]


SHEETS: tuple[tuple[str, tuple[str, ...], Label], ...] = (
    ("全体", ("範囲",), of_all),
    ("日別", ("日",), by_day),
    ("時間帯別", ("時間帯",), by_hour),
    ("手続別", ("手続",), by_service),
    ("系統別", ("系統",), by_lane),
    ("明細", ("日", "時間帯", "手続", "系統"), by_all),
)


def sheets(report: WaitReport) -> list[Sheet]:
    """All tables of a report, the finest last."""
    return [Sheet(title, heads, lines(report.waits, label)) for title, heads, label in SHEETS]


def cells(line: Line) -> tuple[str | float, ...]:
    """A line as its cells after those that say of whom: kind, tickets, people, minutes to a tenth, percent."""
    f = line.figures
    minutes = (round(m, 1) for m in (f.median, f.mean, f.percentile_95, f.longest))
    return (KINDS[line.booked], f.tickets, f.people, *minutes, round(f.within * 100, 1))


def heading(report: WaitReport) -> str:
    """Of what and as of when."""
    return f"{report.office}　待ち時間　{report.first} ～ {report.last}　（{as_of(report)}）"


def as_of(report: WaitReport) -> str:
    """As of when the figures stand."""
    return f"{office_time(report.as_of):%Y-%m-%d %H:%M} 現在"


def within(report: WaitReport) -> str:
    """How many were called within 30 minutes, all and each kind; empty if nobody was called."""
    shares = {line.booked: f"{line.figures.within * 100:.0f}％" for line in lines(report.waits, of_all)}
    if len(shares) < 2:
        apart = "".join(KINDS[kind] for kind in shares)
        return "".join(f"{WITHIN_MINUTES}分以内の呼出 {share}（{apart}のみ）" for share in shares.values())
    return f"{WITHIN_MINUTES}分以内の呼出 {shares[None]}（予約あり {shares[True]}、予約なし {shares[False]}）"


def sentences(report: WaitReport) -> list[str]:
    """What the tables do not say: what was told, and who was not called."""
    told, said = report.told, []
    if told.error is not None:
        said.append(f"お知らせした待ち時間との差：平均 {told.error:.1f} 分（{told.tickets} 件）")
    if told.hits is not None:
        said.append(f"お知らせした幅に入った割合：{told.hits * 100:.1f}％（{told.ranges} 件）")
    if not said:
        said.append("お知らせした待ち時間の記録は、この期間にありません。")
    if report.further:
        said.append(f"同じ来庁で追加した手続：{report.further} 件（人数には入れません）")
    said.append(f"呼ばれずに終わった段階：{report.never_called} 件　まだ呼ばれていない段階：{report.still_waiting} 件")
    return said


def outcome_rows(report: WaitReport) -> list[tuple[str, int]]:
    """(how it ended, people), in the order in which staff know them."""
    return [(text, report.outcomes[word]) for word, text in OUTCOMES.items() if word in report.outcomes]


DEFINITION = (
    "待ち時間は、到着（予約の方で早く来た場合は予約の時刻）から最初の呼出までの分数です。段階が複数ある場合は、段階ごとに数えます。"
    "予約の時刻より早く呼ばれた方は0分です。95％は、95％の組がこの分数以内に呼ばれたことを表します。"
)
