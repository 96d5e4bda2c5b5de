"""予約なしの受付の画面: whether people without a booking are received; a number for somebody whom staff let in.

番号札の再発行の画面: which papers did not come out or may not have, and any ticket's once more.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from madoguchi.wire import Outcome as PaperOutcome
from server.auth.forms import line_of
from server.auth.guards import needs, office_of_staff, staff
from server.auth.rules import Right
from server.auth.service import all_staff
from server.clock import business_date, office_time
from server.db import read_session
from server.edge import caller, now
from server.errors import Invalid
from server.intake.models import IntakeDecision
from server.intake.queries import ServiceIntake, intake_of
from server.intake.rules import Choice
from server.intake.service import decide
from server.intake.words import CHOICES, WHY, state_line
from server.offices.models import Office
from server.offices.queries import offers_of, policy_on
from server.offices.service_rules import offered_on
from server.outlook.words import in_words
from server.queueing.rules import NumbersUsedUp
from server.reception.queries import kiosks_of, live_tickets_of_number, papers_in_doubt
from server.reception.rules import PartyTooLarge
from server.reception.service import LetIn, let_in, reprint
from server.repeats import Caller

blueprint = Blueprint("walk_ins", __name__, url_prefix="/desk/walk-ins")

reprints = Blueprint("reprints", __name__, url_prefix="/desk/reprints")

OUTCOMES = {PaperOutcome.NOT_PRINTED: "印字できず", PaperOutcome.UNKNOWN: "印字したか不明"}


class UnknownChoice(Invalid):
    """Staff open, close, or leave it to the line."""

    code = "unknown_choice"


@blueprint.get("")
@needs(Right.DESK)
def show() -> ResponseReturnValue:
    """How it stands, with the keys to change it, and the form for a number."""
    return _page()


@blueprint.post("")
@needs(Right.DESK)
def choose() -> ResponseReturnValue:
    """Open, close, or leave it to the line again, for all or one service."""
    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    try:
        choice = Choice(request.form.get("choice", ""))
    except ValueError:
        raise UnknownChoice from None
    decide(_caller(), office_id, line_of(request.form, "service"), choice, now())
    flash("決めました。受付端末と案内表示にも数秒で表示されます。", "good")
    return redirect(url_for("walk_ins.show"), 303)


@blueprint.post("/numbers")
@needs(Right.DESK)
def give_number() -> ResponseReturnValue:
    """番号を出す: shown at once, to be written down or read out; loading the page again gives no second number."""
    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    party = request.form.get("party", "")
    try:
        wanted = int(party) if party.isdecimal() and len(party) < 4 else 0
        return _page(let_in(_caller(), office_id, line_of(request.form, "service"), wanted, now()))
    except PartyTooLarge as refusal:
        flash(f"1枚の番号札で受けられるのは{refusal.facts['most']}人までです。", "refused")
    except NumbersUsedUp:
        flash("この系統の番号は、本日の分を使い切りました。手書きの番号札で受けてください。", "refused")
    return redirect(url_for("walk_ins.show"), 303)


def _page(given: LetIn | None = None) -> ResponseReturnValue:
    office_id, session, moment = office_of_staff(), read_session(), now()
    if office_id is None:
        return _choose_office()
    intake, day = intake_of(session, office_id, moment), business_date(moment)
    return render_template(
        "staff/walk_ins.html",
        office=session.get_one(Office, office_id),
        line=state_line(intake, moment),
        intake=intake,
        decision=_decided(intake.decision),
        rows=[_row(one) for one in intake.services],
        choices=[(choice.value, text) for choice, text in CHOICES.items()],
        offers=[o.service for o in offers_of(session, office_id) if offered_on(o, day)],
        party_max=policy_on(session, office_id, day).party_max,
        given=given,
        wait=in_words(given.wait) if given else "",
    )


@reprints.get("")
@needs(Right.DESK)
def show_reprints() -> ResponseReturnValue:
    """The papers in doubt, each with its key, and a form for any number."""
    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    session, moment = read_session(), now()
    return render_template(
        "staff/reprints.html",
        office=session.get_one(Office, office_id),
        rows=[
            {"doubt": doubt, "outcome": OUTCOMES[doubt.outcome], "at": office_time(doubt.at)}
            for doubt in papers_in_doubt(session, office_id, moment)
        ],
        kiosks=kiosks_of(session, office_id),
    )


@reprints.post("")
@needs(Right.DESK)
def ask_reprint() -> ResponseReturnValue:
    """再発行: the kiosk prints it within seconds, when nobody stands there."""
    office_id = office_of_staff()
    if office_id is None:
        return _choose_office()
    number, session = request.form.get("number", ""), read_session()
    wanted = int(number) if number.isdecimal() and len(number) < 6 else 0
    tickets = live_tickets_of_number(session, office_id, wanted, now())
    kiosk = request.form.get("kiosk", "")
    printer = next((one for one in kiosks_of(session, office_id) if str(one.uid) == kiosk), None)
    if not tickets:
        flash("この番号の有効な番号札は、本日ありません。", "refused")
    elif printer is None:
        flash("印刷する受付端末を選んでください。", "refused")
    else:
        for ticket in tickets:
            reprint(_caller(), office_id, ticket.uid, printer.uid, now())
        flash(f"{wanted}番を「{printer.name}」で印刷します。数秒で出ます。", "good")
    return redirect(url_for("reprints.show_reprints"), 303)


def _row(one: ServiceIntake) -> dict[str, Any]:
    return {
        "code": one.service.code,
        "name": one.service.name_ja,
        "received": one.received,
        "end": None if one.end is None else office_time(one.end),
        "decision": _decided(one.decision),
    }


def _decided(decision: IntakeDecision | None) -> dict[str, str]:
    """What was decided last, by whom and when; nothing decided leaves it to the line."""
    if decision is None:
        return {"choice": Choice.BY_ITSELF.value, "text": ""}
    names = {f"staff:{account.id}": account.name for account in all_staff(read_session())}
    who = names.get(decision.by, decision.by)
    return {
        "choice": decision.choice.value,
        "text": f"{WHY[decision.choice]}（{who} {office_time(decision.at):%H:%M}）",
    }


def _choose_office() -> ResponseReturnValue:
    """Who works for all offices chooses one first."""
    return redirect(url_for("desk.choose_window"), 303)


def _caller() -> Caller:
    return caller(f"staff:{staff().id}")
