"""The board: its page, its pairing, its picture."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from madoguchi.wire import BoardPicture, Waiting
from server.auth.guards import BOARD_COOKIE, board, board_cookie, device, public
from server.auth.rules import NotPaired
from server.auth.service import board_by_pairing
from server.db import read_session
from server.edge import keyring, now, parts
from server.intake.queries import intake_of
from server.offices.models import Office
from server.offices.queries import lanes_of
from server.outlook.queries import newcomers_are_told
from server.queueing.board import newest_of_each, picture, waiting_of
from server.queueing.queries import calls_of_today, missed_tickets, sequence_of, waiting_in_lane

blueprint = Blueprint("board", __name__)

BOARD_LANGUAGES = ("ja", "en")
"""What a board shows one above the other."""
COOKIE_LASTS = timedelta(days=400)


@blueprint.get("/boards/pair/<code>")
@public
def pair(code: str) -> BaseResponse:
    """This browser becomes the board whose pairing code it shows, while the code is valid."""
    paired = board_by_pairing(read_session(), keyring(), code, now())
    answer = redirect(url_for("board.show", uid=paired.uid), 303)
    answer.set_cookie(
        BOARD_COOKIE,
        board_cookie(paired),
        max_age=COOKIE_LASTS,
        httponly=True,
        secure=parts().settings.cookie_secure,
        samesite="Lax",
    )
    return answer


@blueprint.get("/boards/<uuid:uid>")
@board
def show(uid: UUID) -> ResponseReturnValue:
    """The board's page, with the picture in it."""
    _check_own(uid)
    session, moment, texts = read_session(), now(), parts().texts
    office = session.get_one(Office, device().office_id)
    keys = [key for key in texts.by_key if key.startswith(("board.", "call."))]
    sentences = {key: {lang: texts.template(key, lang) for lang in BOARD_LANGUAGES} for key in keys}
    return render_template(
        "board.html",
        board_uid=str(uid),
        office=office.names,
        texts=sentences,
        picture=picture_of(session, office, moment).to_json(),
    )


@blueprint.get("/api/boards/<uuid:uid>")
@board
def read(uid: UUID) -> ResponseReturnValue:
    """The picture: the board's whole truth."""
    _check_own(uid)
    session = read_session()
    office = session.get_one(Office, device().office_id)
    answer = jsonify(picture_of(session, office, now()).to_json())
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _check_own(uid: UUID) -> None:
    if device().uid != uid:
        raise NotPaired


def picture_of(session: Session, office: Office, moment: datetime) -> BoardPicture:
    """What the board of an office shows now."""
    # The sequence is read first: a call that comes between is shown twice at worst, never lost.
    sequence = sequence_of(session, office.id)
    away = [number for number, _ in missed_tickets(session, office.id, moment)]
    calls = calls_of_today(session, office.id, moment, limit=50)
    shown = newest_of_each(calls, [call.kind.value for call in calls], away)
    waiting, ended = waiting_of_office(session, office.id, moment), intake_of(session, office.id, moment).ended
    return picture(sequence, moment, office.names, shown, away, waiting, ended)


def waiting_of_office(session: Session, office_id: int, moment: datetime, *, at_once: bool = False) -> Waiting:
    """People waiting in an office, by lane, and how long newcomers would; `at_once` with the wait as it was reckoned
    last, some seconds ago."""
    waits = newcomers_are_told(session, office_id, moment, at_once=at_once)
    lanes = lanes_of(session, office_id)
    return waiting_of((lane.names, waiting_in_lane(session, lane.id, moment), waits.get(lane.id)) for lane in lanes)
