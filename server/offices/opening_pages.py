"""管理の画面、開庁: month and year with the rule that decided each day; rules written, looked at, saved; holidays."""

import codecs
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.auth.forms import line_of
from server.auth.guards import needs, staff
from server.auth.rules import Right
from server.booking.places import bookings_outside, days_to_make
from server.clock import business_date
from server.db import read_session
from server.edge import now
from server.errors import NotFound
from server.offices.holiday_service import (
    HolidayDay,
    HolidayName,
    UnknownHoliday,
    holidays_of,
    reported_differences,
    set_holiday,
    strike_holiday,
)
from server.offices.models import HolidaySource, Office
from server.offices.opening_changes import (
    FIRST_YEAR,
    LAST_YEAR,
    NOT_READ,
    PRESETS,
    RuleChange,
    changed_days,
    digest,
    is_over,
)
from server.offices.opening_forms import FAULTS, OURS, Asked, Form, asked_for, fields_of, table_of, typed
from server.offices.opening_rules import Calendar, DayPlan, Rule, RuleKind
from server.offices.opening_service import RulesChanged, RuleUnusable, change_rules
from server.offices.opening_words import (
    CAUTIONS,
    KINDS,
    WEEKDAYS,
    days_in_words,
    hours_in_words,
    on_closed_weekday_in_words,
    validity_in_words,
    why,
)
from server.offices.queries import all_offices, calendar_of, holidays_known, offers_of, office_by_code

blueprint = Blueprint("opening_pages", __name__, url_prefix="/admin")

LOOKED_AHEAD = timedelta(days=400)
SHOWN = 40
LARGEST_TABLE = 1 << 20


class UnknownRule(NotFound):
    """The office has no such opening rule."""

    code = "unknown_rule"


@blueprint.url_value_preprocessor
def _let_tables_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A table may be larger than other forms. It goes with the preview, and back again when that is saved."""
    if endpoint in ("opening_pages.preview", "opening_pages.save"):
        request.max_content_length = LARGEST_TABLE
        request.max_form_memory_size = LARGEST_TABLE


@blueprint.get("/opening")
@needs(Right.ADMIN)
def offices() -> ResponseReturnValue:
    """The first office's month; a word if there is no office yet."""
    first = next(iter(all_offices(read_session())), None)
    to = url_for("office_pages.overview") if first is None else url_for("opening_pages.month", code=first.code)
    return redirect(to, 303)


@blueprint.get("/opening/<code>")
@needs(Right.ADMIN)
def month(code: str) -> ResponseReturnValue:
    """One month, and the rules."""
    office, today = office_by_code(read_session(), code), business_date(now())
    first = _month_of(request.args.get("month", "")) or today.replace(day=1)
    calendar = calendar_of(read_session(), office.id)
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)
    start = first - timedelta(days=(first.weekday() + 1) % 7)
    weeks = [
        [calendar.plan(start + timedelta(days=7 * week + n)) for n in range(7)]
        for week in range(6)
        if start + timedelta(days=7 * week) < after
    ]
    return _page(
        "admin_opening.html",
        office,
        first=first,
        before=before,
        after=after,
        weeks=weeks,
        rules=_rules_by_kind(calendar, today),
        over=[rule for rule in calendar.rules if is_over(rule, today)],
        cautions=_cautions(calendar, today),
        making=days_to_make(read_session(), office.id),
    )


@blueprint.get("/opening/<code>/<int(max=9999):year>")
@needs(Right.ADMIN)
def year(code: str, year: int) -> ResponseReturnValue:
    """One year at a glance."""
    office = office_by_code(read_session(), code)
    year = min(max(year, FIRST_YEAR), LAST_YEAR)
    calendar = calendar_of(read_session(), office.id)
    months = []
    for number in range(1, 13):
        first = date(year, number, 1)
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        days = [calendar.plan(first.replace(day=n)) for n in range(1, last.day + 1)]
        padded: list[DayPlan | None] = [*[None] * ((first.weekday() + 1) % 7), *days]
        months.append((first, [padded[n : n + 7] for n in range(0, len(padded), 7)]))
    return _page("admin_opening_year.html", office, year=year, months=months)


@blueprint.get("/opening/<code>/rules/new")
@needs(Right.ADMIN)
def new_rule(code: str) -> ResponseReturnValue:
    """The form of a rule to be."""
    office = office_by_code(read_session(), code)
    kind = next((k for k in RuleKind if k.value == request.args.get("kind")), RuleKind.WEEKLY)
    preset = PRESETS.get(request.args.get("preset", ""))
    rule = preset or Rule(0, kind, closed=kind is RuleKind.HOLIDAY)
    lunch = {"break_from": "12:00", "break_to": "13:00"} if request.args.get("preset") == "lunch" else {}
    empty = {} if preset else {"opens": "", "closes": "", "last_booked": "", "last_walk_in": ""}
    return _rule_page(office, rule, {**fields_of(rule), **empty, **lunch})


@blueprint.get("/opening/<code>/rules/<int(max=9999999999):rule_id>")
@needs(Right.ADMIN)
def rule(code: str, rule_id: int) -> ResponseReturnValue:
    """The form of a rule. Raises UnknownRule."""
    office = office_by_code(read_session(), code)
    found = next((r for r in calendar_of(read_session(), office.id).rules if r.id == rule_id), None)
    if found is None:
        raise UnknownRule
    return _rule_page(office, found, fields_of(found))


@blueprint.post("/opening/<code>/preview")
@needs(Right.ADMIN)
def preview(code: str) -> ResponseReturnValue:
    """What a change does to which days and bookings, before it is saved."""
    office, moment = office_by_code(read_session(), code), now()
    today = business_date(moment)
    calendar = calendar_of(read_session(), office.id)
    form = _form()
    asked = asked_for(form, list(calendar.rules), _services(office), today)
    if asked.faults or asked.csv_faults:
        return _again(office, calendar, form, asked)
    after = _calendar_after(office, calendar, asked.change)
    days = changed_days(calendar, after, today, today + LOOKED_AHEAD)
    outside = bookings_outside(read_session(), office.id, after, moment)
    already = bookings_outside(read_session(), office.id, calendar, moment)
    new = {day: bookings - already.get(day, set()) for day, bookings in sorted(outside.items())}
    stranded = {day: len(bookings) for day, bookings in new.items() if bookings}
    return _page(
        "admin_opening_preview.html",
        office,
        change=asked.change,
        gone=[r for r in calendar.rules if r.id in asked.change.remove or r.id in asked.change.end],
        days=days[:SHOWN],
        more=max(len(days) - SHOWN, 0),
        stranded=stranded,
        seen=digest(calendar.rules),
        sent=[(name, value) for name, value in form.pairs() if name not in OURS],
        until=today + LOOKED_AHEAD,
    )


@blueprint.post("/opening/<code>/save")
@needs(Right.ADMIN)
def save(code: str) -> ResponseReturnValue:
    """Save what was looked at."""
    office, moment = office_by_code(read_session(), code), now()
    calendar = calendar_of(read_session(), office.id)
    form = _form()
    asked = asked_for(form, list(calendar.rules), _services(office), business_date(moment))
    if asked.faults or asked.csv_faults:
        return _again(office, calendar, form, asked)
    try:
        change_rules(office.id, asked.change, form.get("seen"), f"staff:{staff().id}", moment)
    except RulesChanged:
        flash("この間に、ほかの職員が開庁の規則を変えました。もう一度確かめてください。", "refused")
    except RuleUnusable:
        flash("この規則は保存できません。入力を確かめてください。", "refused")
    else:
        follow = not days_to_make(read_session(), office.id)
        flash(
            "開庁の規則を保存しました。予約枠も合わせて変わりました。"
            if follow
            else "開庁の規則を保存しました。閉じた時間には、もう新しい予約は入りません。",
            "good",
        )
    return redirect(url_for("opening_pages.month", code=office.code), 303)


@blueprint.get("/holidays")
@needs(Right.ADMIN)
def holidays() -> ResponseReturnValue:
    """A year of the table, and where it differs from the library."""
    asked = request.args.get("year", "")
    known = (str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1))
    year = int(asked) if asked in known else business_date(now()).year
    return render_template(
        "staff/admin_holidays.html",
        tab="opening",
        year=year,
        rows=holidays_of(read_session(), year),
        staffs=HolidaySource.STAFF,
        differences=reported_differences(read_session()),
    )


@blueprint.post("/holidays")
@needs(Right.ADMIN)
def decide_holiday() -> ResponseReturnValue:
    """Staff say that a day is a holiday, or none."""
    by, moment = f"staff:{staff().id}", now()
    try:
        day = date.fromisoformat(request.form.get("day", ""))
        if request.form.get("what") == "strike":
            strike_holiday(day, by, moment)
        else:
            set_holiday(day, line_of(request.form, "name"), by, moment)
    except (ValueError, HolidayDay):
        flash("2000〜2099年の日付を入れてください。", "refused")
        return redirect(url_for("opening_pages.holidays"), 303)
    except (HolidayName, UnknownHoliday):
        flash("祝日の名前を40文字以内で入れてください。", "refused")
    else:
        flash("祝日の表を変えました。予約枠も1分ほどで合わせて変わります。", "good")
    return redirect(url_for("opening_pages.holidays", year=day.year), 303)


def _form() -> Form:
    """What was sent; an uploaded table stands in the field of its text."""
    upload = request.files.get("file")
    more = {"text": _decoded(upload.read())} if upload is not None and upload.filename else {}
    return Form(request.form.lists(), **more)


def _decoded(data: bytes) -> str:
    """A table as spreadsheets of Japanese offices write it; NOT_READ if it is written otherwise."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        return NOT_READ
    for encoding in ("utf-8-sig", "euc_jp", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return NOT_READ if encoding == "euc_jp" else text  # EUC-JP would read as other letters in Shift_JIS
    return NOT_READ


def _again(office: Office, calendar: Calendar, form: Form, asked: Asked) -> ResponseReturnValue:
    """The form once more, with what stops it."""
    if asked.csv_faults:
        return _page(
            "admin_opening_csv.html",
            office,
            csv_faults=[(one.line, FAULTS[one.fault], one.text) for one in asked.csv_faults],
            text=table_of(form, asked.csv_faults),
        ), 422
    old = next((r for r in calendar.rules if str(r.id) == form.get("rule")), None)
    kind = next((k for k in RuleKind if k.value == form.get("kind")), RuleKind.WEEKLY)
    shown = typed(form)
    if form.get("what") == "end" and old is not None:
        shown = {**fields_of(old), "last_day": shown["last_day"]}
    return _rule_page(office, old or Rule(0, kind), shown, [FAULTS[fault] for fault in asked.faults]), 422


@blueprint.get("/opening/<code>/csv")
@needs(Right.ADMIN)
def csv(code: str) -> ResponseReturnValue:
    """Where dated openings are taken in from a table."""
    office = office_by_code(read_session(), code)
    return _page("admin_opening_csv.html", office, csv_faults=[], text="")


def _rule_page(office: Office, rule: Rule, shown: dict[str, Any], faults: list[str] | None = None) -> str:
    return _page("admin_opening_rule.html", office, rule=rule, shown=shown, faults=faults or [])


def _page(template: str, office: Office, **more: Any) -> str:
    services = _services(office)
    return render_template(
        f"staff/{template}",
        tab="opening",
        office=office,
        offices=all_offices(read_session()),
        today=business_date(now()),
        services=services,
        kinds=KINDS,
        weekdays=WEEKDAYS,
        days_in_words=days_in_words,
        hours_in_words=lambda rule: hours_in_words(rule, services),
        validity_in_words=validity_in_words,
        on_closed_weekday_in_words=on_closed_weekday_in_words,
        why=why,
        caution_words=CAUTIONS,
        mark=_mark,
        only=lambda session: "・".join(services.get(code, code) for code in sorted(session.services or ())),
        **more,
    )


def _mark(plan: DayPlan) -> str:
    """One letter for a day of the year: 休 closed, 祝 closed as a holiday, 変 other hours than the week's."""
    if not plan.sessions:
        return "祝" if plan.rule is not None and plan.rule.kind is RuleKind.HOLIDAY else "休"
    usual = plan.rule is not None and plan.rule.kind is RuleKind.WEEKLY and not plan.taken_by
    return "" if usual else "変"


def _services(office: Office) -> dict[str, str]:
    return {offer.service.code: offer.service.name_ja for offer in offers_of(read_session(), office.id)}


def _rules_by_kind(calendar: Calendar, today: date) -> list[tuple[RuleKind, list[Rule]]]:
    standing = [rule for rule in calendar.rules if not is_over(rule, today)]
    ordered = sorted(standing, key=lambda r: (r.on_date or date.min, r.weekdays & -r.weekdays, r.opens))
    return [(kind, [r for r in ordered if r.kind is kind]) for kind in RuleKind]


def _cautions(calendar: Calendar, today: date) -> list[tuple[str, list[date]]]:
    """What staff should look at in the days to come, with the days."""
    found: dict[str, list[date]] = {}
    for n in range(LOOKED_AHEAD.days):
        day = today + timedelta(days=n)
        for caution in calendar.plan(day).warnings:
            found.setdefault(CAUTIONS[caution], []).append(day)
    return list(found.items())


def _calendar_after(office: Office, calendar: Calendar, change: RuleChange) -> Calendar:
    return Calendar(change.applied(calendar.rules), holidays_known(read_session()), list(_services(office)))


def _month_of(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
