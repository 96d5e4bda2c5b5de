"""郵送の画面: cards that are still to be sent, as a page and as a file; what was sent, and what came back."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from server.auth.guards import needs, office_of_staff, staff
from server.auth.rules import Right
from server.clock import business_date
from server.db import read_session
from server.edge import caller, now
from server.errors import Invalid
from server.issuance.notice_codes import MyNumberRefused
from server.mailing.queries import Letter, sent, to_send
from server.mailing.rules import LetterUnreadable, MailingMoved, MailingState, UnknownMailing
from server.mailing.service import move
from server.offices.models import Office
from server.spreadsheets import csv_file

blueprint = Blueprint("mailings", __name__, url_prefix="/mailings")

HEADER = ("受付日", "番号札", "何人目", "交付通知書の番号", "手続", "保管場所", "本人の同意")
SAID = {
    MailingState.SENT: "発送済みにしました。",
    MailingState.TO_SEND: "未発送に戻しました。",
    MailingState.RETURNED: "窓口での交付に戻しました。この方は、また予約できます。",
}


class UnknownState(Invalid):
    """A mailing is to be sent, sent or returned."""

    code = "unknown_state"


@blueprint.get("")
@needs(Right.DESK)
def show() -> ResponseReturnValue:
    """What is to be sent, the longest promised first; below it what was sent in the last month."""
    office_id, session = office_of_staff(), read_session()
    if office_id is None:
        return _choose_office()
    return render_template(
        "staff/mailings.html",
        office=session.get_one(Office, office_id),
        waiting=to_send(session, office_id),
        gone=sent(session, office_id, now()),
    )


@blueprint.get("/to-send.csv")
@needs(Right.DESK)
def to_send_file() -> ResponseReturnValue:
    """What is to be sent, for a spreadsheet; restricted notices are in no file."""
    office_id, session = office_of_staff(), read_session()
    if office_id is None:
        return _choose_office()
    table = csv_file(_rows(to_send(session, office_id)))
    name = f"mailings_{session.get_one(Office, office_id).code}_{business_date(now())}.csv"
    answer = send_file(BytesIO(table), mimetype="text/csv; charset=utf-8", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/<uuid:uid>")
@needs(Right.DESK)
def change(uid: UUID) -> ResponseReturnValue:
    """One card was sent, was not after all, or came back. Raises UnknownState, UnknownMailing."""
    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    wanted = next((state for state in MailingState if state.value == request.form.get("state")), None)
    if wanted is None:
        raise UnknownState
    try:
        move(caller(f"staff:{staff().id}"), office_id, uid, wanted, now(), request.form.get("letter", "")[:40])
        flash(SAID[wanted], "good")
    except (LetterUnreadable, MyNumberRefused):
        flash("書留の番号は、ラベルの11桁の数字です（例 123-45-67890-1）。発送済みにしていません。", "refused")
    except (MailingMoved, UnknownMailing):
        flash("ほかの職員が先に操作したか、窓口で取り消されました。一覧を確かめてください。", "refused")
    return redirect(url_for("mailings.show"), 303)


def _rows(letters: Sequence[Letter]) -> Iterator[Sequence[str]]:
    yield HEADER
    for one in letters:
        if not one.restricted:
            day, agreed = one.promised_at.date().isoformat(), "あり" if one.consented else "記録なし"
            yield (day, str(one.ticket), str(one.person), one.notice, one.service, one.storage_place, agreed)


def _choose_office() -> ResponseReturnValue:
    """Who works for all offices chooses one first."""
    return redirect(url_for("desk.choose_window"), 303)
