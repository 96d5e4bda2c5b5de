"""統計の画面: how long people waited, as a page and as an Excel file."""

from datetime import date
from io import BytesIO

from flask import Blueprint, flash, render_template, request, send_file
from flask.typing import ResponseReturnValue

from server.auth.guards import needs, staff
from server.auth.rules import Right
from server.clock import business_date
from server.db import read_session
from server.edge import now
from server.offices.models import Office
from server.offices.queries import UnknownOffice, all_offices
from server.reports.queries import WaitReport, wait_report
from server.reports.rules import ON_A_PAGE, PeriodUnusable, check_period
from server.reports.words import COLUMNS, DEFINITION, as_of, cells, outcome_rows, sentences, sheets, within

blueprint = Blueprint("reports", __name__, url_prefix="/reports")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/waits")
@needs(Right.REPORTS)
def waits() -> ResponseReturnValue:
    """The tables of some days; today without a choice."""
    report = None
    try:
        report = _report()
    except PeriodUnusable:
        flash(f"日付を確かめてください。1日から{ON_A_PAGE}日までの期間を、はじめの日から順に指定します。", "refused")
    today = business_date(now()).isoformat()
    return render_template(
        "staff/report_waits.html",
        offices=_offices(),
        office=_office(),
        first=request.args.get("from", today),
        last=request.args.get("to", today),
        report=report,
        within="" if report is None else within(report),
        as_of=None if report is None else as_of(report),
        sheets=[] if report is None else sheets(report)[:-1],
        columns=COLUMNS,
        cells=cells,
        definition=DEFINITION,
        sentences=[] if report is None else sentences(report),
        outcomes=[] if report is None else outcome_rows(report),
    )


@blueprint.get("/waits.xlsx")
@needs(Right.REPORTS)
def waits_file() -> ResponseReturnValue:
    """The same with all details as an Excel file. Raises PeriodUnusable."""
    from server.reports.excel import workbook  # heavy, and seldom asked for

    report = _report()
    name = f"waits_{_office().code}_{report.first}_{report.last}.xlsx"
    answer = send_file(BytesIO(workbook(report)), mimetype=XLSX, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _report() -> WaitReport:
    moment, first, last = now(), _day("from"), _day("to")
    check_period(first, last, ON_A_PAGE)
    return wait_report(read_session(), _office(), first, last, moment)


def _day(name: str) -> date:
    """A day of the form; today without one. Raises PeriodUnusable."""
    typed = request.args.get(name)
    try:
        return business_date(now()) if typed is None else date.fromisoformat(typed)
    except ValueError:
        raise PeriodUnusable(most=ON_A_PAGE) from None


def _offices() -> list[Office]:
    """Those whose figures may be seen: one's own, of who belongs to none all."""
    own = staff().office_id
    return [office for office in all_offices(read_session()) if own in (None, office.id)]


def _office() -> Office:
    """The office chosen, else the first. Raises UnknownOffice."""
    offices, code = _offices(), request.args.get("office")
    for office in offices:
        if code in (None, office.code):
            return office
    raise UnknownOffice
