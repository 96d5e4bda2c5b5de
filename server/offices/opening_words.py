"""Opening rules and plans in the words of staff (pure)."""

from collections.abc import Mapping

from server.offices.opening_rules import LAST, Caution, DayPlan, OnClosedWeekday, Rule, RuleKind, numbers_of

WEEKDAYS = "月火水木金土日"
KINDS = {
    RuleKind.DATED: "日を決めた開庁・閉庁",
    RuleKind.CLOSURE: "臨時の閉庁（時刻から時刻まで）",
    RuleKind.OUTAGE: "システム停止（J-LISなど）",
    RuleKind.YEARLY: "毎年の期間（年末年始など）",
    RuleKind.HOLIDAY: "祝日",
    RuleKind.RELATIVE: "祝日の翌日・第3土曜の翌日など",
    RuleKind.NTH: "第n曜日",
    RuleKind.WEEKLY: "毎週の曜日",
}
CAUTIONS = {
    Caution.HOLIDAY_UNDECIDED: "閉庁の曜日に当たる祝日の扱いが未定です（決めるまで閉庁）。祝日の規則で決めてください。",
    Caution.OUTAGE_OVERRULED: "システム停止の時間に、日を決めた開庁があります。",
    Caution.OVERLAP: "受付時間帯が重なっています。後の時間帯は前の終わりから始まります。",
    Caution.HOLIDAYS_UNKNOWN: "この年の祝日が表にありません。",
}


def time_of(minute: int) -> str:
    """A minute of the day as people write it."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def days_in_words(rule: Rule) -> str:
    """Of which days a rule speaks."""
    match rule.kind:
        case RuleKind.WEEKLY:
            return "毎週 " + _weekdays(rule)
        case RuleKind.NTH:
            return _months(rule) + _nth(rule)
        case RuleKind.HOLIDAY:
            return "祝日" if rule.substitutes else "祝日（振替休日・国民の休日を除く）"
        case RuleKind.YEARLY:
            return f"毎年 {_md(rule.first_md)}〜{_md(rule.last_md)}"
        case RuleKind.RELATIVE:
            anchor = _months(rule) + _nth(rule) if rule.weekdays else "祝日"
            far = {1: "の翌日", -1: "の前日"}.get(
                rule.days_after, f"の{abs(rule.days_after)}日{'後' if rule.days_after > 0 else '前'}"
            )
            return anchor + far
        case RuleKind.DATED:
            return _dates(rule)
        case _:
            until = rule.until_date or rule.on_date
            if until == rule.on_date and (rule.opens, rule.closes) == (0, 1440):
                return f"{rule.on_date:%Y/%-m/%-d} 終日"
            return f"{rule.on_date:%Y/%-m/%-d} {time_of(rule.opens)}〜{until:%Y/%-m/%-d} {time_of(rule.closes)}"


def hours_in_words(rule: Rule, services: Mapping[str, str]) -> str:
    """What a rule says of its days; `services` gives names for codes."""
    only = (
        "" if rule.services is None else "（" + "・".join(services.get(s, s) for s in sorted(rule.services)) + "のみ）"
    )
    if rule.closed:
        return "閉庁" + only
    last = f"最終受付 予約 {time_of(rule.last_booked)}・当日 {time_of(rule.last_walk_in)}"
    if rule.last_booked == rule.last_walk_in == rule.closes:
        last = ""
    added = "　追加の時間帯" if rule.adds else ""
    return f"{time_of(rule.opens)}〜{time_of(rule.closes)}{only}{'　' + last if last else ''}{added}"


def validity_in_words(rule: Rule) -> str:
    """From when to when a rule counts; empty if always."""
    if rule.valid_from is None and rule.valid_to is None:
        return ""
    start = f"{rule.valid_from:%Y/%-m/%-d}" if rule.valid_from else ""
    end = f"{rule.valid_to:%Y/%-m/%-d}" if rule.valid_to else ""
    return f"{start}〜{end}"


def rule_in_words(rule: Rule) -> str:
    """The rule that decided a day, in as few words as will do."""
    if rule.reason:
        return rule.reason
    match rule.kind:
        case RuleKind.DATED:
            return "日を決めた閉庁" if rule.closed else "日を決めた開庁"
        case RuleKind.CLOSURE:
            return "臨時の閉庁"
        case RuleKind.OUTAGE:
            return "システム停止"
        case _:
            return days_in_words(rule)


def why(plan: DayPlan) -> str:
    """Why a day is as it is."""
    return "、".join(rule_in_words(rule) for rule in (plan.rule, *plan.taken_by) if rule is not None) or "規則なし"


def on_closed_weekday_in_words(rule: Rule) -> str:
    """What holiday hours mean on closed weekdays."""
    if rule.kind is not RuleKind.HOLIDAY or rule.closed:
        return ""
    words = {
        OnClosedWeekday.OPEN: "閉庁の曜日でも開庁",
        OnClosedWeekday.CLOSED: "閉庁の曜日なら閉庁",
        None: "閉庁の曜日の扱いは未定",
    }
    return words[rule.on_closed_weekday]


def _weekdays(rule: Rule) -> str:
    numbers = numbers_of(rule.weekdays, 0)
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{WEEKDAYS[numbers[0]]}〜{WEEKDAYS[numbers[-1]]}"
    return "・".join(WEEKDAYS[n] for n in numbers)


def _nth(rule: Rule) -> str:
    numbers = "・".join("最終" if n == LAST else f"第{n}" for n in numbers_of(rule.nth))
    return f"{numbers}{_weekdays(rule)}曜日"


def _months(rule: Rule) -> str:
    return "・".join(str(n) for n in numbers_of(rule.months)) + "月の" if rule.months else ""


def _md(md: int | None) -> str:
    month, day = divmod(md or 0, 100)
    return f"{month}/{day}"


def _dates(rule: Rule) -> str:
    first = f"{rule.on_date:%Y/%-m/%-d}"
    return first if rule.until_date in (None, rule.on_date) else f"{first}〜{rule.until_date:%Y/%-m/%-d}"
