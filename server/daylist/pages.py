"""事前準備一覧の画面: a day's list by time and by storage place, as a page, as a paper and as an Excel file."""

from datetime import date
from io import BytesIO

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from madoguchi.texts import format_date
from server.auth.guards import needs, office_of_staff, staff
from server.auth.rules import Right
from server.clock import business_date, office_time
from server.daylist.queries import DayPicture, next_day
from server.daylist.rules import DayUnusable, Order, in_order
from server.daylist.service import Look, look
from server.daylist.words import ORDERS, as_of, cells, columns, totals
from server.db import read_session
from server.edge import now, parts
from server.offices.models import Office
from server.spreadsheets import EXCEL

blueprint = Blueprint("day_lists", __name__, url_prefix="/lists")


@blueprint.get("/day")
@needs(Right.LISTS)
def show() -> ResponseReturnValue:
    """The list of a day; of the next open day without a choice. Raises DayUnusable."""
    return _page(restricted=False)


@blueprint.get("/restricted")
@needs(Right.RESTRICTED)
def show_restricted() -> ResponseReturnValue:
    """支援措置の方: those whom no other list names, and no file. Raises DayUnusable."""
    return _page(restricted=True)


@blueprint.get("/day.pdf")
@needs(Right.LISTS)
def paper() -> ResponseReturnValue:
    """The same on A4. Raises DayUnusable."""
    from server.daylist import papers  # heavy, and seldom asked for

    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    order, picture = _order(), _picture(office_id, Look.PAPER)
    foot = f"{_office(office_id).name_ja}　印刷 {office_time(now()):%Y-%m-%d %H:%M}　使い終わったら裁断"
    made = parts().run(papers.paper, picture, order, _heading(office_id, picture), foot)
    return _file(made, "application/pdf", _name(office_id, picture) + ".pdf")


@blueprint.get("/day.xlsx")
@needs(Right.LISTS)
def file() -> ResponseReturnValue:
    """Both orders as an Excel file. Raises DayUnusable."""
    from server.daylist import papers  # heavy, and seldom asked for

    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    picture = _picture(office_id, Look.FILE)
    made = parts().run(papers.file, picture, _heading(office_id, picture))
    return _file(made, EXCEL, _name(office_id, picture) + ".xlsx")


def _page(*, restricted: bool) -> ResponseReturnValue:
    office_id, moment = office_of_staff(), now()
    if office_id is None:
        return _choose_office()
    order, picture = _order(), _picture(office_id, Look.SCREEN, restricted=restricted)
    return render_template(
        "staff/day_list.html",
        office=_office(office_id),
        picture=picture,
        today=business_date(moment),
        next_day=next_day(read_session(), office_id, moment),
        order=order.value,
        orders=[(order.value, text) for order, text in ORDERS.items()],
        columns=[head for head, _ in columns(order)],
        rows=[(cells(line, order), line.gone) for line in in_order(picture.lines, order)],
        as_of=as_of(picture),
        totals=totals(picture),
    )


def _picture(office_id: int, how: Look, *, restricted: bool = False) -> DayPicture:
    """The list that was asked for, written down as looked at. Raises DayUnusable."""
    moment = now()
    asked = request.args.get("day")
    try:
        day = date.fromisoformat(asked) if asked else next_day(read_session(), office_id, moment)
    except ValueError:
        raise DayUnusable from None
    return look(f"staff:{staff().id}", office_id, day or business_date(moment), how, moment, restricted=restricted)


def _order() -> Order:
    return Order.PLACE if request.args.get("by") == Order.PLACE.value else Order.TIME


def _office(office_id: int) -> Office:
    return read_session().get_one(Office, office_id)


def _heading(office_id: int, picture: DayPicture) -> str:
    return f"事前準備一覧　{_office(office_id).name_ja}　{format_date(picture.day, 'ja')}"


def _name(office_id: int, picture: DayPicture) -> str:
    return f"day_list_{_office(office_id).code}_{picture.day}"


def _file(made: bytes, kind: str, name: str) -> ResponseReturnValue:
    answer = send_file(BytesIO(made), mimetype=kind, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _choose_office() -> ResponseReturnValue:
    """Who works for all offices chooses one first."""
    return redirect(url_for("desk.choose_window"), 303)
