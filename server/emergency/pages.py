"""非常用一覧の画面: what has become of the lists, the newest as a paper, and numbers to be cut out."""

from io import BytesIO

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from server.auth.guards import needs, office_of_staff, staff
from server.auth.rules import Right
from server.clock import office_time
from server.db import read_session
from server.edge import now, parts
from server.emergency.papers import draw
from server.emergency.queries import ranges_given_out, state_of
from server.emergency.rules import BY_HAND, NumbersUnusable, numbers_by_hand
from server.emergency.service import look_at_emergency_list
from server.emergency.words import standing
from server.offices.models import Office
from server.offices.queries import lanes_of
from server.pdf import cards_pdf

blueprint = Blueprint("emergency", __name__, url_prefix="/lists")


@blueprint.get("/emergency")
@needs(Right.LISTS)
def show() -> ResponseReturnValue:
    """When the newest list was written, and what can be had now."""
    office_id, session = office_of_staff(), read_session()
    if office_id is None:
        return _choose_office()
    return render_template(
        "staff/emergency.html",
        office=session.get_one(Office, office_id),
        writes=bool(parts().settings.emergency_folder),
        standing=standing(state_of(session, office_id)),
        lanes=lanes_of(session, office_id),
        first=BY_HAND[0],
        last=BY_HAND[-1],
    )


@blueprint.get("/emergency.pdf")
@needs(Right.LISTS)
def paper() -> ResponseReturnValue:
    """The list as it would be written now."""
    office_id, moment = office_of_staff(), now()
    if office_id is None:
        return _choose_office()
    picture, office = look_at_emergency_list(f"staff:{staff().id}", office_id, moment)
    return _pdf(parts().run(draw, picture, office, moment), f"emergency_{office_time(moment):%Y%m%d_%H%M}.pdf")


@blueprint.get("/numbers.pdf")
@needs(Right.LISTS)
def numbers() -> ResponseReturnValue:
    """手書きの番号札: eight to a sheet, for a lane. Raises NumbersUnusable."""
    office_id, session = office_of_staff(), read_session()
    if office_id is None:
        return _choose_office()
    first, last = (request.args.get(name, "") for name in ("from", "to"))
    if not all(text.isascii() and text.isdecimal() and len(text) < 5 for text in (first, last)):
        raise NumbersUnusable
    wanted = numbers_by_hand(int(first), int(last), ranges_given_out(session, office_id))
    lane = next((one.name_ja for one in lanes_of(session, office_id) if one.code == request.args.get("lane")), "")
    above = "　".join(word for word in (session.get_one(Office, office_id).name_ja, lane) if word)
    made = parts().run(cards_pdf, [str(number) for number in wanted], above, "番号をお呼びします")
    return _pdf(made, f"numbers_{first}_{last}.pdf")


def _pdf(made: bytes, name: str) -> ResponseReturnValue:
    answer = send_file(BytesIO(made), mimetype="application/pdf", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _choose_office() -> ResponseReturnValue:
    """Who works for all offices chooses one first."""
    return redirect(url_for("desk.choose_window"), 303)
