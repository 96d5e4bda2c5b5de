"""窓口の画面: open a window, call, and end visits.

Every action is a plain form. Asked for JSON (desk.js), it answers with the new picture at once, so that nothing is
fetched twice to find out what just happened; otherwise it leads back to the window's page.
"""

from collections.abc import Callable
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from madoguchi.codes import of_ticket
from server.assistance.service import take_call as go_to_kiosk
from server.auth.forms import line_of
from server.auth.guards import needs, office_of_staff, staff
from server.auth.rules import RIGHTS, Right, Role
from server.clock import business_date
from server.db import read_session
from server.desk import service as desk
from server.desk.queries import AtWindow, PersonAt, desk_picture, open_elsewhere, papers_of
from server.edge import caller, new_request_id, now
from server.errors import Invalid, NotAllowed, Refusal
from server.intake.words import shown as walk_ins_shown
from server.issuance.notice_codes import shown_number
from server.offices.models import Office, Window
from server.offices.queries import all_offices, office_by_code, windows_of
from server.outlook.words import in_words
from server.queueing import service as queue
from server.queueing.queries import Aside
from server.queueing.rules import (
    NotPossible,
    Outcome,
    ParkedFor,
    StepState,
    UnknownTerminal,
    UnknownWindow,
    WindowOccupied,
)
from server.repeats import Caller

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

OUTCOMES = {
    Outcome.HANDED_OVER: "交付した",
    Outcome.DONE: "済",
    Outcome.PAPERS_MISSING: "書類不備で終了",
    Outcome.LATER_BY_MAIL: "後日郵送",
    Outcome.STOPPED: "取止め",
    Outcome.LEFT: "帰った",
}
# Endings that are possible at every stop, each with its key; of the second lot only for whom there is a card.
ANYWHERE = {Outcome.PAPERS_MISSING: "E", Outcome.LEFT: "G"}
OF_CARDS = {Outcome.LATER_BY_MAIL: "Y", Outcome.STOPPED: "T"}
# Sent by mail is asked for on a page of its own, where the visitor's consent is ticked.
AGREES = "本人確認をし、カードを後日郵送することに本人が同意しました"
PARKED_FOR = {ParkedFor.PAPERS: "書類を取りに", ParkedFor.CHOOSING: "考え中", ParkedFor.OTHER: "保留"}
ASIDE = {"missed": StepState.MISSED, "parked": StepState.PARKED, "unready": StepState.WAITING}
UNDO = {"finish": "終了", "pass_on": "次へ", "missed": "不在", "park": "保留"}
PARTS = ("primary", "more", "people", "waiting", "lists")
# What a kiosk calls for (docs/kiosk.md).
ASKED_FOR = {
    "button": "お客様が呼んでいます",
    "refused_twice": "コードを読めない方がいます",
    "legal_deadline": "予約なしで、期限のある手続の方です",
    "printer": "番号札が出なかった方がいます",
    "paper_out": "用紙がありません",
    "paper_near_end": "用紙が残りわずかです",
    "cover_open": "プリンターのカバーが開いています",
    "printer_offline": "プリンターがつながっていません",
    "printer_silent": "プリンターが応答しません",
    "scanner": "読み取り機がつながっていません",
    "input_device": "見慣れないキーボードかマウスがつながれました",
    "scanner_settings": "読み取り機の設定が変わったおそれがあります。点検カードをかざしてください",
}
SENTENCES = {
    "nobody_waiting": "いま、この窓口で呼べる方はいません。",
    "window_closed": "この窓口は閉じています。窓口を開いてください。",
    "window_occupied": "この窓口には、対応中の方がいます。先に終わり方を選ぶか「不在」にしてください。",
    "nobody_at_window": "この窓口に、呼び出した方はいません。",
    "last_stop": "次の段階はありません。終わり方を選んでください。",
    "nothing_to_undo": "元に戻せる操作はありません。戻せるのは、この窓口の最後の操作だけ、60秒以内です。",
    "changed_since": "その後に別の操作があったため、元に戻せません。何も変わっていません。",
    "unknown_service": "この手続は、いま窓口で受けられません。",
    "no_card": "この方に、郵送や取止めにするカードはありません。",
    "consent_missing": "郵送に同意したことを確かめ、印を付けてください。まだ終わっていません。",
    "more_stops": "まだ次の段階があります。「次へ」を押してください。",
    "no_terminal_free": "使える統合端末がありません。ほかの窓口が終わってから、もう一度押してください。",
    "step_state": "この番号は、ほかの窓口で呼ばれたか、もう終わっています。",
    "wrong_window": "この窓口では扱わない手続です。「戻った」を押すと、扱う窓口がお呼びします。",
    "other_day": "前日までの番号札です。この番号では、もうお呼びできません。番号を出し直してください。",
    "changed_meanwhile": "ほかの窓口と同時に操作されました。画面を確かめて、もう一度押してください。",
    "busy": "混み合っていて操作できませんでした。何も変わっていません。もう一度押してください。",
    "other_visitor": "画面と違う方が窓口にいます。画面を確かめて、もう一度押してください。",
    "repeated_with_other_body": "画面が古いため、操作しませんでした。画面を確かめて、もう一度押してください。",
}


class NotYourWindow(NotAllowed):
    """Only the clerk who opened a window acts at it."""

    code = "not_your_window"


class UnknownOutcome(Invalid):
    """A visit ends in one of the ways there are."""

    code = "unknown_outcome"


@blueprint.get("")
@needs(Right.DESK)
def choose_window() -> ResponseReturnValue:
    """The windows of the clerk's office; who works for all offices chooses one first."""
    office = _office()
    if office is None or ("offices" in request.args and staff().office_id is None):
        return render_template("staff/desk_offices.html", offices=all_offices(read_session()))
    windows = windows_of(read_session(), office.id)
    return render_template(
        "staff/desk_windows.html", office=office, windows=windows, me=staff().id, may_take_over=_may_take_over()
    )


@blueprint.post("/office")
@needs(Right.DESK)
def choose_office() -> ResponseReturnValue:
    """For whom no office is set: the one to work for until signing out. Raises UnknownOffice."""
    office = office_by_code(read_session(), line_of(request.form, "office"))
    window = open_elsewhere(read_session(), staff().id, office.id, now())
    if window is not None:  # its page would act at the window of the same number here
        there = read_session().get_one(Office, window.office_id)
        flash(f"{there.name_ja}の{window.number}番窓口を開いています。先に閉じてください。", "refused")
        return redirect(url_for("desk.choose_window"), 303)
    session["desk_office"] = office.id
    return redirect(url_for("desk.choose_window"), 303)


@blueprint.post("/windows/<int(max=9999):number>/open")
@needs(Right.DESK)
def open_window(number: int) -> ResponseReturnValue:
    """The clerk takes the window, if nobody else works there."""
    try:
        queue.open_window(_caller(), _window(number).id, staff().id, now(), may_take_over=_may_take_over())
    except WindowOccupied:
        flash(f"{number}番窓口は、ほかの職員が開いています。", "refused")
        return redirect(url_for("desk.choose_window"), 303)
    return redirect(url_for("desk.show", number=number), 303)


@blueprint.get("/windows/<int(max=9999):number>")
@needs(Right.DESK)
def show(number: int) -> ResponseReturnValue:
    """The big screen of a window that the clerk has opened."""
    window = _window(number)
    if not window.is_open or window.clerk_id != staff().id:
        flash(f"{number}番窓口を使うには、窓口を開いてください。", "refused")
        return redirect(url_for("desk.choose_window"), 303)
    picture = _picture(window, now(), at_once=False)
    return render_template("staff/desk.html", office=_office(), path=_path(window), picture=picture)


@blueprint.get("/windows/<int(max=9999):number>/state")
@needs(Right.DESK)
def state(number: int) -> ResponseReturnValue:
    """The picture, for a page that asks every few seconds."""
    return _as_json(_own_window(number), now(), at_once=False)


@blueprint.post("/windows/<int(max=9999):number>/call-next")
@needs(Right.DESK)
def call_next(number: int) -> ResponseReturnValue:
    """次を呼ぶ."""
    return _act(number, queue.call_next)


@blueprint.post("/windows/<int(max=9999):number>/recall")
@needs(Right.DESK)
def recall(number: int) -> ResponseReturnValue:
    """再呼出, of the very number that the screen showed."""
    return _act(number, partial(queue.recall, number=_shown()))


@blueprint.post("/windows/<int(max=9999):number>/missed")
@needs(Right.DESK)
def missed(number: int) -> ResponseReturnValue:
    """不在, of the very number that the screen showed."""
    return _act(number, partial(queue.missed, number=_shown()))


@blueprint.post("/windows/<int(max=9999):number>/call/<uuid:ticket>")
@needs(Right.DESK)
def call_ticket(number: int, ticket: UUID) -> ResponseReturnValue:
    """Somebody who was missed has come."""
    return _act(number, lambda asking, window, moment: queue.call_ticket(asking, window, ticket, moment))


@blueprint.post("/windows/<int(max=9999):number>/calls/<uuid:call>")
@needs(Right.DESK)
def take_call(number: int, call: UUID) -> ResponseReturnValue:
    """対応する: the clerk goes to the kiosk."""
    office_id = _own_window(number).office_id
    return _act(number, lambda asking, _window, moment: go_to_kiosk(asking, office_id, call, moment))


@blueprint.post("/windows/<int(max=9999):number>/pass-on")
@needs(Right.DESK)
def pass_on(number: int) -> ResponseReturnValue:
    """次へ: what the window does is done, of the very number that the screen showed."""
    return _act(number, partial(queue.pass_on, number=_shown()))


@blueprint.post("/windows/<int(max=9999):number>/park")
@needs(Right.DESK)
def park(number: int) -> ResponseReturnValue:
    """保留, of the very number that the screen showed: somebody thinks about a PIN, or something else."""
    shown, why = _shown(), ParkedFor.CHOOSING if request.form.get("why") == "choosing" else ParkedFor.OTHER
    return _act(number, lambda asking, window, moment: queue.park(asking, window, why, moment, shown))


@blueprint.post("/windows/<int(max=9999):number>/back/<uuid:ticket>")
@needs(Right.DESK)
def come_back(number: int, ticket: UUID) -> ResponseReturnValue:
    """戻った: who was missed or has rested waits again."""
    office_id = _own_window(number).office_id
    return _act(number, lambda asking, _window, moment: queue.come_back(asking, office_id, ticket, moment))


@blueprint.post("/windows/<int(max=9999):number>/ready/<uuid:ticket>")
@needs(Right.DESK)
def make_ready(number: int, ticket: UUID) -> ResponseReturnValue:
    """暗証番号決定済."""
    office_id = _own_window(number).office_id
    return _act(number, lambda asking, _window, moment: queue.make_ready(asking, office_id, ticket, moment))


@blueprint.post("/windows/<int(max=9999):number>/procedures")
@needs(Right.DESK)
def add_procedure(number: int) -> ResponseReturnValue:
    """手続の追加, for somebody of the very number that the screen showed."""
    shown, service, position = _shown(), line_of(request.form, "service"), _position()
    return _act(
        number, lambda asking, window, moment: queue.add_procedure(asking, window, position, service, moment, shown)
    )


@blueprint.post("/windows/<int(max=9999):number>/undo")
@needs(Right.DESK)
def undo(number: int) -> ResponseReturnValue:
    """元に戻す: the newest act at this window, if it is the one that the screen showed."""
    return _act(number, partial(desk.undo, of=request.form.get("of", "")[:40]))


@blueprint.get("/windows/<int(max=9999):number>/terminals/<int(max=9999999999):terminal>")
@needs(Right.DESK)
def ask_terminal(number: int, terminal: int) -> ResponseReturnValue:
    """The second press for browsers without scripts."""
    window, down = _own_window(number), request.args.get("down") == "1"
    name = next((t.name for t in desk_picture(read_session(), window, now()).terminals if t.id == terminal), None)
    if name is None:
        raise UnknownTerminal
    question = f"{name}を「故障中」にしますか" if down else f"{name}は、また使えますか"
    return _confirm(window, question, "故障中にする" if down else "使える", {"down": "1" if down else "0"})


@blueprint.post("/windows/<int(max=9999):number>/terminals/<int(max=9999999999):terminal>")
@needs(Right.DESK)
def set_terminal(number: int, terminal: int) -> ResponseReturnValue:
    """故障・復旧 of a shared terminal, once it is confirmed."""
    down, office_id = request.form.get("down") == "1", _own_window(number).office_id
    if "confirmed" not in request.form:
        return redirect(url_for("desk.ask_terminal", number=number, terminal=terminal, down=int(down)), 303)
    return _act(
        number, lambda asking, _window, moment: queue.set_terminal(asking, office_id, terminal, moment, is_down=down)
    )


@blueprint.get("/windows/<int(max=9999):number>/papers")
@needs(Right.DESK)
def ask_papers(number: int) -> ResponseReturnValue:
    """書類不備: which papers are missing, and until what hour somebody may bring them with the same number."""
    window, moment = _own_window(number), now()
    here = desk_picture(read_session(), window, moment).at_window
    papers = None if here is None else papers_of(read_session(), window.office_id, here.ticket, moment)
    if papers is None:
        return redirect(_path(window), 303)
    return render_template("staff/desk_papers.html", papers=papers, path=_path(window))


@blueprint.post("/windows/<int(max=9999):number>/papers")
@needs(Right.DESK)
def park_for_papers(number: int) -> ResponseReturnValue:
    """The visit rests until the papers come; leads to the slip that is given along."""
    window, shown, missing = _own_window(number), _shown(), request.form.getlist("missing")[:40]
    until, asked = line_of(request.form, "until"), [key[:60] for key in missing]
    try:
        rested = queue.park(_caller(), window.id, ParkedFor.PAPERS, now(), shown, asked, _time_of(until))
    except Refusal as refusal:
        if refusal.code not in SENTENCES:
            raise
        return _answer(window, now(), refusal.code)
    return redirect(url_for("desk.return_slip", number=number, ticket=rested.ticket, missing=missing, until=until), 303)


@blueprint.get("/windows/<int(max=9999):number>/slips/<uuid:ticket>")
@needs(Right.DESK)
def return_slip(number: int, ticket: UUID) -> ResponseReturnValue:
    """帰り票, to be printed by the browser: the same number, what is missing, until when. Nothing personal is on it;
    what was ticked stands in its address, and for staff in the audit."""
    window = _own_window(number)
    papers = papers_of(read_session(), window.office_id, ticket, now())
    if papers is None:
        raise NotPossible
    ticked, code = set(request.args.getlist("missing")), of_ticket(ticket)
    return render_template(
        "staff/desk_slip.html",
        office=_office(),
        papers=papers,
        missing=[sentence for key, _, sentence in papers.papers if key in ticked],
        until=_time_of(request.args.get("until", "")),
        day=business_date(now()),
        picture=segno.make_qr(code.text, error="h").svg_inline(border=4, omitsize=True, light="#fff"),
        code=code.grouped,
        back=_path(window),
    )


@blueprint.get("/windows/<int(max=9999):number>/people/<int(max=99):position>/rebook")
@needs(Right.DESK)
def ask_rebook(number: int, position: int) -> ResponseReturnValue:
    """The second press of 予約を取り直す, also with scripts: it leaves the page."""
    window = _own_window(number)
    here = desk_picture(read_session(), window, now()).at_window
    if here is None:
        return redirect(_path(window), 303)
    question = f"{_whom(here, position)}を「書類不備」で終わり、予約を取り直しますか"
    return _confirm(window, question, "予約を取り直す", {"number": here.number})


@blueprint.post("/windows/<int(max=9999):number>/people/<int(max=99):position>/rebook")
@needs(Right.DESK)
def rebook(number: int, position: int) -> ResponseReturnValue:
    """予約を取り直す: papers are missing, and the notice is booked for again, by whom may book."""
    if "confirmed" not in request.form:
        return redirect(url_for("desk.ask_rebook", number=number, position=position), 303)
    window, moment = _own_window(number), now()
    here = desk_picture(read_session(), window, moment).at_window
    notice = next((p.notice_uid for p in here.people if p.position == position), None) if here else None
    shown = _shown()
    answer = _act(
        number,
        lambda asking, at, when: desk.finish(asking, at, Outcome.PAPERS_MISSING, when, shown, position),
    )
    ended = desk_picture(read_session(), window, moment).at_window
    still = ended is not None and any(p.position == position and p.outcome is None for p in ended.people)
    if notice is None or still:
        return answer
    if Right.PHONE not in RIGHTS[staff().role]:
        flash("終わりました。予約を取る権限がないため、電話予約の担当者に頼んでください。", "good")
        return answer
    return redirect(url_for("phone.notice", uid=notice), 303)


@blueprint.get("/windows/<int(max=9999):number>/finish")
@blueprint.get("/windows/<int(max=9999):number>/people/<int(max=99):position>/finish")
@needs(Right.DESK)
def ask_finish(number: int, position: int | None = None) -> ResponseReturnValue:
    """The second press for browsers without scripts: one slip of the hand ends nobody's visit."""
    window, outcome = _own_window(number), _outcome()
    here = desk_picture(read_session(), window, now()).at_window
    if here is None:
        return redirect(_path(window), 303)
    label = OUTCOMES[outcome]
    fields = {"outcome": outcome.value, "number": here.number}
    agrees = AGREES if outcome is Outcome.LATER_BY_MAIL else ""
    return _confirm(window, f"{_whom(here, position)}を「{label}」で終わりますか", label, fields, agrees)


@blueprint.post("/windows/<int(max=9999):number>/finish")
@blueprint.post("/windows/<int(max=9999):number>/people/<int(max=99):position>/finish")
@needs(Right.DESK)
def finish(number: int, position: int | None = None) -> ResponseReturnValue:
    """終了, once it is confirmed, of the very number that the screen showed: all of the party, or one of it."""
    outcome, consent = _outcome(), "consent" in request.form
    if "confirmed" not in request.form:
        return redirect(url_for("desk.ask_finish", number=number, position=position, outcome=outcome.value), 303)
    shown = _shown()
    return _act(
        number,
        lambda asking, window, moment: desk.finish(asking, window, outcome, moment, shown, position, consent=consent),
    )


@blueprint.post("/windows/<int(max=9999):number>/close")
@needs(Right.DESK)
def close_window(number: int) -> ResponseReturnValue:
    """The window calls nobody any more."""
    return _act(number, queue.close_window)


def _act(number: int, action: Callable[[Caller, int, datetime], object]) -> ResponseReturnValue:
    """Do it, and show what has become of the window, also when the office says no."""
    window, moment = _own_window(number), now()
    try:
        action(_caller(), window.id, moment)
    except Refusal as refusal:
        if refusal.code not in SENTENCES:
            raise
        return _answer(window, moment, refusal.code)
    return _answer(window, moment)


def _confirm(
    window: Window, question: str, label: str, fields: dict[str, Any], agrees: str = ""
) -> ResponseReturnValue:
    """The page that asks again, and whether the visitor `agrees`; its form goes to its own address."""
    return render_template(
        "staff/desk_confirm.html",
        question=question,
        label=label,
        fields=fields,
        agrees=agrees,
        action=request.path,
        back=_path(window),
    )


def _path(window: Window) -> str:
    return url_for("desk.show", number=window.number)


def _whom(here: AtWindow, position: int | None) -> str:
    """All at the window, or the one at a position: the same person in each procedure, so the procedure is said, too."""
    one = next((person for person in here.people if person.position == position), None)
    return f"{here.number}番{_all_of(here)}" if one is None else f"{here.number}番の{one.person}人目（{one.service}）"


def _all_of(here: AtWindow) -> str:
    """That a key means all who are left of a party; nothing where one is."""
    left = len({person.person for person in here.people if person.outcome is None})
    return f"の{left}人全員" if left > 1 else ""


def _position() -> int:
    position = request.form.get("position", "")
    return int(position) if position.isdecimal() and len(position) < 3 else 0


def _time_of(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def _shown() -> int:
    """The number on the screen when the button was pressed; 0, which nobody has, if there was none."""
    shown = request.form.get("number", "")
    return int(shown) if shown.isdecimal() and len(shown) < 10 else 0


def _answer(window: Window, moment: datetime, refused: str = "") -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json":
        return _as_json(window, moment, refused)
    if refused:
        flash(SENTENCES[refused], "refused")
    elif not window.is_open:
        flash(f"{window.number}番窓口を閉じました。", "good")
        return redirect(url_for("desk.choose_window"), 303)
    return redirect(url_for("desk.show", number=window.number), 303)


def _as_json(window: Window, moment: datetime, refused: str = "", *, at_once: bool = True) -> ResponseReturnValue:
    """The whole picture, its buttons and lists as the page writes them; with the next request id and a fresh form
    token, for the page stays open all day."""
    picture = _picture(window, moment, at_once=at_once)
    facts = {"path": _path(window), "picture": picture, "bare": True}
    parts = {name: render_template("staff/_desk_part.html", name=name, **facts) for name in PARTS}
    body = {
        "picture": {**picture, "parts": parts},
        "refusal": {"code": refused, "text": SENTENCES[refused]} if refused else None,
        "request_id": new_request_id(),
        "csrf_token": generate_csrf(),
    }
    return jsonify(body), 409 if refused else 200


def _picture(window: Window, moment: datetime, *, at_once: bool) -> dict[str, Any]:
    """What the screen shows, ready to be shown: template and script only put it in its places. `at_once` for the answer
    to a press, which waits for no estimate."""
    picture = desk_picture(read_session(), window, moment, at_once=at_once)
    here = picture.at_window
    return {
        "window": picture.window,
        "mine": picture.is_open and picture.clerk_id == staff().id,
        "number": None if here is None else here.number,
        "rows": [] if here is None else _rows(here),
        "waiting": [{"lane": name, "n": n, "wait": in_words(wait)} for name, n, wait in picture.waiting],
        "asking": [
            {
                "call": str(a.call),
                "kiosk": a.kiosk,
                "reason": ASKED_FOR.get(a.reason, "受付端末を見てください"),
                "at": f"{a.at:%H:%M}",
            }
            for a in picture.asking
        ],
        "walk_ins": walk_ins_shown(read_session(), window.office_id, moment).line,
        **{
            name: [_aside(a, picture.lanes) for a in picture.aside if a.step.state is state]
            for name, state in ASIDE.items()
        },
        "terminals": [{"id": t.id, "name": t.name, "down": t.is_down} for t in picture.terminals],
        "undo": UNDO.get(picture.undo[0], ""),
        "undo_of": picture.undo[1],
        "procedures": [{"code": code, "name": name} for code, name in picture.procedures],
        "ticket": None if here is None else str(here.ticket),
        "to_be_ready": here is not None and here.to_be_ready,
        **_endings(here),
    }


def _aside(aside: Aside, lanes: frozenset[int]) -> dict[str, Any]:
    """`here`: this window does what the ticket waits for."""
    why, here = aside.step.parked_for, aside.step.lane_id in lanes
    return {
        "ticket": str(aside.ticket),
        "number": aside.number,
        "why": "" if why is None else PARKED_FOR[why],
        "here": here,
    }


def _endings(here: AtWindow | None) -> dict[str, Any]:
    """The people at the window, and how they, and the visit, go on from here."""
    people = [] if here is None else [person for person in here.people if person.outcome is None]
    ways = {**ANYWHERE, **(OF_CARDS if any(person.has_card for person in people) else {})}
    served = "・".join(dict.fromkeys(OUTCOMES[person.served_as] for person in people if person.served_as))
    return {
        "passes_on": here is not None and here.passes_on,
        "served": {"outcome": Outcome.HANDED_OVER.value, "label": served or OUTCOMES[Outcome.HANDED_OVER]},
        "all_of": "" if here is None else _all_of(here),
        "endings": [_ending(way, key) for way, key in ways.items()] if people else [],
        "people": [] if here is None or len(here.people) == 1 else [_person(person) for person in here.people],
        "persons": [{"position": p.position, "name": f"{p.person}人目"} for p in people if p.position == p.person],
        "rebook": people[0].position if len(people) == 1 and people[0].notice_uid else None,
    }


def _person(person: PersonAt) -> dict[str, Any]:
    ways = [*([person.served_as] if person.served_as else []), *ANYWHERE, *(OF_CARDS if person.has_card else ())]
    return {
        "position": person.position,
        "name": f"{person.person}人目",
        "rebook": person.notice_uid is not None,
        "service": person.service,
        "notice": shown_number(person.notice) if person.notice else "",
        "ended": OUTCOMES[person.outcome] if person.outcome else "",
        "endings": [_ending(way) for way in ways],
    }


def _ending(outcome: Outcome, key: str = "") -> dict[str, Any]:
    """One way of ending; `asks`: it leads to a page that asks first."""
    asks = outcome is Outcome.LATER_BY_MAIL
    return {"outcome": outcome.value, "label": OUTCOMES[outcome], "key": key, "asks": asks}


def _rows(here: AtWindow) -> list[dict[str, str]]:
    notices = "、".join(shown_number(person.notice) for person in here.people if person.notice)
    rows = {
        "手続": here.service,
        "交付通知書の番号": notices or "なし",
        "予約": f"{here.booked_at:%H:%M}" if here.booked_at else "なし",
        "到着": f"{here.arrived_at:%H:%M}",
        "人数": f"{len({person.person for person in here.people})}人",
        "呼出": f"{here.called_at:%H:%M}（{here.calls}回目）",
        "呼んだ理由": here.reason,
        "段階": f"{here.stop}（{here.terminal}）" if here.terminal else here.stop,
    }
    return [{"label": label, "value": value} for label, value in rows.items()]


def _office() -> Office | None:
    """The clerk's office, or the one chosen by somebody who works for all."""
    office_id = office_of_staff()
    return None if office_id is None else read_session().get(Office, office_id)


def _window(number: int) -> Window:
    """A window of the clerk's office: numbers are per office. Raises UnknownWindow."""
    office = _office()
    for window in windows_of(read_session(), office.id) if office is not None else ():
        if window.number == number:
            return window
    raise UnknownWindow


def _may_take_over() -> bool:
    """A supervisor may go on at a window whose clerk has left."""
    return staff().role is Role.SUPERVISOR


def _own_window(number: int) -> Window:
    """A window at which nobody else works. Raises NotYourWindow, UnknownWindow."""
    window = _window(number)
    if window.clerk_id not in (None, staff().id):
        raise NotYourWindow(window=number)
    return window


def _outcome() -> Outcome:
    try:
        return Outcome(request.values.get("outcome", ""))
    except ValueError:
        raise UnknownOutcome from None


def _caller() -> Caller:
    return caller(f"staff:{staff().id}")
