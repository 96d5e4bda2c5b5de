"""What the forms about opening hours send, read into changes of the rules; and what stands in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from server.auth.forms import may_be_kept
from server.offices.opening_changes import (
    LONGEST_REASON,
    UNSAID,
    CsvFault,
    RuleChange,
    dated_instead,
    day_of,
    faults_of,
    minute_of,
    read_csv,
    without,
    written,
)
from server.offices.opening_rules import MIDNIGHT, TAKING, OnClosedWeekday, Rule, RuleKind, bits_of
from server.offices.opening_words import time_of

FAULTS = {
    "break": "昼休みは、開始と終了の間の時刻を 12:00 のように入れてください。",
    "columns": "列が多すぎます。",
    "dates": "日付を入れてください。終わりの日は始まりの日以後にしてください。",
    "day": "日付が読めません。2026-12-05 のように書いてください。",
    "days_after": "何日後（前）かを、−31〜31の0でない数で入れてください。",
    "empty": "行がありません。",
    "encoding": "文字コードがわかりません。UTF-8 か Shift_JIS で保存してください。",
    "gone": "この規則は、もうありません。",
    "hours": "開始と終了を 9:00 のように入れ、終了を開始より後にしてください（24:00まで）。",
    "last_day": "「最後の日」が読めません。2026-12-05 のように、2000〜2099年で書いてください。",
    "last_reception": "最終受付は、開始と終了の間の時刻にしてください。",
    "letters": "個人番号かもしれない12桁の数字や、見えない文字は入れられません。消してください。",
    "meets": "同じ日のほかの行と時間が重なっています。",
    "months": "月は1〜12から選んでください。",
    "nth": "第何かと曜日を、両方選んでください。",
    "on_date": "「日（始まり）」が読めません。2026-12-05 のように、2000〜2099年で書いてください。",
    "quotes": "引用符が閉じていません。",
    "reason": "理由は120文字までにしてください。",
    "rows": "行が多すぎます。1,000行までに分けて取り込んでください。",
    "services": "この庁舎にない手続があります。",
    "until_date": "「終わりの日」が読めません。2026-12-05 のように、2000〜2099年で書いてください。",
    "valid_from": "「有効期間の始まり」が読めません。2026-12-05 のように、2000〜2099年で書いてください。",
    "valid_to": "「有効期間の終わり」が読めません。2026-12-05 のように、2000〜2099年で書いてください。",
    "validity": "有効期間の終わりは、始まり以後の日にしてください。",
    "weekdays": "曜日を選んでください。",
    "yearly": "期間を 12/29 のように月日で入れてください。",
}
OURS = ("csrf_token", "request_id", "seen")
"""Fields that nobody types."""
DATES = ("on_date", "until_date", "valid_from", "valid_to", "last_day")
CHOICES = {"weekdays": range(7), "nth": range(1, 7), "months": range(1, 13)}


class Form:
    """A posted form: what is not sent is empty."""

    def __init__(self, sent: Iterable[tuple[str, Sequence[str]]], **more: str) -> None:
        """`sent` are the fields with all their values, `more` stands in their place."""
        self._values = {
            **{name: list(values) for name, values in sent},
            **{name: [text] for name, text in more.items()},
        }

    def get(self, name: str) -> str:
        """The first value of a field."""
        return next(iter(self._values.get(name, ())), "")

    def getlist(self, name: str) -> list[str]:
        """All its values."""
        return self._values.get(name, [])

    def pairs(self) -> list[tuple[str, str]]:
        """All fields, to be sent once more."""
        return [(name, value) for name, values in self._values.items() for value in values]


@dataclass(frozen=True)
class Asked:
    """What a form asks for: a change, or the fields that stop it."""

    change: RuleChange = field(default_factory=RuleChange)
    faults: Sequence[str] = ()
    csv_faults: Sequence[CsvFault] = ()


def asked_for(form: Form, rules: Sequence[Rule], offered: Mapping[str, str], today: date) -> Asked:
    """Read a form of the page, or the same again from its preview. What cannot be read is never taken for nothing."""
    what = form.get("what")
    if not all(may_be_kept(value) for name, value in form.pairs() if name not in ("text", *OURS)):
        return Asked(faults=["letters"])
    if what == "csv":
        new, faults = read_csv(form.get("text"), offered)
        return Asked(csv_faults=faults) if faults else Asked(dated_instead(rules, new))
    old = next((r for r in rules if str(r.id) == form.get("rule")), None)
    if form.get("rule") and old is None:
        return Asked(faults=["gone"])
    if unread := [name for name in DATES if form.get(name) and day_of(form.get(name)) is None]:
        return Asked(faults=unread)
    if what == "end":
        return Asked(without(old, day_of(form.get("last_day")), today)) if old else Asked(faults=["gone"])
    sessions, faults_found = _rules_of(form, offered, old)
    if faults_found:
        return Asked(faults=faults_found)
    first, *others = sessions
    change = written(old, first, today)
    since = change.add[0].valid_from
    return Asked(replace(change, add=(*change.add, *(replace(r, valid_from=since) for r in others))))


def _rules_of(form: Form, offered: Mapping[str, str], old: Rule | None) -> tuple[list[Rule], list[str]]:
    """The rule a form describes; two where it is divided by a lunch closing."""
    kind = _kind(form.get("kind")) if old is None else old.kind
    faults = [name for name, known in CHOICES.items() if not {*form.getlist(name)} <= {*map(str, known)}]
    closed = form.get("closed") == "1" or kind in TAKING
    opens, closes = minute_of(form.get("opens")), minute_of(form.get("closes"))
    if kind in TAKING:  # from midnight to midnight, unless somebody says otherwise
        opens = 0 if not form.get("opens") else opens
        closes = MIDNIGHT if not form.get("closes") else closes
    elif closed:
        opens = closes = 0
    if opens is None or closes is None:
        faults.append("hours")
        opens = closes = 0
    lasts = []
    for name in ("last_booked", "last_walk_in"):
        last = minute_of(form.get(name)) if form.get(name) and not closed else closes
        if last is None:
            faults.append("last_reception")
        lasts.append(closes if last is None else last)
    codes, reason = form.getlist("services"), form.get("reason").strip()
    if len(reason) > LONGEST_REASON:
        faults.append("reason")
    rule = Rule(
        0,
        kind,
        weekdays=_bits(form, "weekdays"),
        nth=_bits(form, "nth"),
        months=_bits(form, "months"),
        days_after=_number(form.get("days_after")),
        on_date=day_of(form.get("on_date")),
        until_date=day_of(form.get("until_date")),
        first_md=_month_day(form.get("first_md")),
        last_md=_month_day(form.get("last_md")),
        substitutes=form.get("substitutes") != "0",
        on_closed_weekday=_on_closed_weekday(form.get("on_closed_weekday")),
        adds=form.get("adds") == "1" and not closed,
        closed=closed,
        opens=opens,
        closes=closes,
        last_booked=0 if closed else lasts[0],
        last_walk_in=0 if closed else lasts[1],
        services=frozenset(codes) if codes else None,
        reason=reason,
        valid_from=day_of(form.get("valid_from")),
        valid_to=day_of(form.get("valid_to")),
    )
    if kind is RuleKind.RELATIVE and form.get("anchor") == "holiday":
        rule = replace(rule, weekdays=0, nth=0, months=0)
    faults += [fault for fault in faults_of(rule, offered) if fault not in faults]
    rules = [rule]
    if not closed and (form.get("break_from") or form.get("break_to")):
        start, end = minute_of(form.get("break_from")), minute_of(form.get("break_to"))
        if start is None or end is None or not rule.opens < start < end < rule.closes:
            faults.append("break")
        else:
            early = [min(last, start) for last in lasts]
            rules = [
                replace(rule, closes=start, last_booked=early[0], last_walk_in=early[1]),
                replace(rule, opens=end, last_booked=max(lasts[0], end), last_walk_in=max(lasts[1], end)),
            ]
    return rules, faults


def fields_of(rule: Rule) -> dict[str, object]:
    """A rule as its form shows it."""
    day = {name: getattr(rule, name) for name in ("on_date", "until_date", "valid_from", "valid_to")}
    shows_times = not rule.closed or rule.kind in TAKING
    times = {name: time_of(getattr(rule, name)) for name in ("opens", "closes", "last_booked", "last_walk_in")}
    return {
        **{name: value.isoformat() if value else "" for name, value in day.items()},
        **(times if shows_times else dict.fromkeys(times, "")),
        **{
            name: f"{md // 100}/{md % 100}" if md else ""
            for name, md in (("first_md", rule.first_md), ("last_md", rule.last_md))
        },
        "weekdays": [str(n) for n in range(7) if rule.weekdays >> n & 1],
        "nth": [str(n + 1) for n in range(6) if rule.nth >> n & 1],
        "months": [str(n + 1) for n in range(12) if rule.months >> n & 1],
        "services": sorted(rule.services or ()),
        "days_after": str(rule.days_after or 1),
        "anchor": "nth" if rule.weekdays else "holiday",
        "closed": "1" if rule.closed else "",
        "adds": "1" if rule.adds else "",
        "substitutes": "1" if rule.substitutes else "0",
        "on_closed_weekday": rule.on_closed_weekday.value if rule.on_closed_weekday else "",
        "reason": rule.reason,
    }


def typed(form: Form) -> dict[str, object]:
    """A form as it was sent, to be shown again; without what may be a My Number."""
    many = ("weekdays", "nth", "months", "services")
    single = (
        *("on_date", "until_date", "valid_from", "valid_to", "opens", "closes", "last_booked", "last_walk_in"),
        *("first_md", "last_md", "days_after", "anchor", "closed", "adds", "substitutes", "on_closed_weekday"),
        *("reason", "break_from", "break_to", "last_day"),
    )
    shown = {name: form.get(name) if may_be_kept(form.get(name)) else "" for name in single}
    return {**{name: text[:LONGEST_REASON] for name, text in shown.items()}, **{n: form.getlist(n) for n in many}}


def table_of(form: Form, faults: Sequence[CsvFault]) -> str:
    """A table as it was sent, to be shown again; without the rows that are not to be said again."""
    if any(one.fault in ("encoding", "rows") for one in faults):
        return ""
    unsaid = {one.line for one in faults if one.fault in UNSAID}
    lines = enumerate(form.get("text").splitlines(), start=1)
    return "\n".join("" if n in unsaid else line for n, line in lines)


def _kind(text: str) -> RuleKind:
    return next((kind for kind in RuleKind if kind.value == text), RuleKind.WEEKLY)


def _on_closed_weekday(text: str) -> OnClosedWeekday | None:
    return next((one for one in OnClosedWeekday if one.value == text), None)


def _bits(form: Form, name: str) -> int:
    known = {str(n): n for n in CHOICES[name]}
    return bits_of((known[text] for text in form.getlist(name) if text in known), CHOICES[name].start)


def _number(text: str) -> int:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    return sign * int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0


def _month_day(text: str) -> int | None:
    month, slash, day = text.replace("-", "/").partition("/")
    fits = slash and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in (month, day))
    return int(month) * 100 + int(day) if fits else None
