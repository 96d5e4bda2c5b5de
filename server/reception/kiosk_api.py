"""What a kiosk asks (JSON; docs/api.md). Thin: parse, call one entry point, answer."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from madoguchi.wire import (
    CONTRACT,
    CheckInRequest,
    KioskState,
    PrintReport,
    ScannerTest,
    ServiceView,
    StaffCall,
    WalkInRequest,
)
from server.assistance.service import call_staff as call_staff_to
from server.auth.guards import device, kiosk
from server.auth.service import kiosk_seen, scanner_tested
from server.clock import business_date, office_time
from server.db import read_session
from server.edge import caller, keyring, now, parts
from server.errors import Invalid
from server.intake.queries import intake_of, may_be_asked_for
from server.offices.models import Office
from server.offices.queries import offers_to_walk_ins, open_now, policy_on
from server.reception import service
from server.reception.service import Kiosk

REASON = re.compile(r"[a-z_]{1,40}")
blueprint = Blueprint("kiosk_api", __name__, url_prefix="/api/kiosk")


class NotUnderstood(Invalid):
    """The message does not have the shape agreed on; the text names the field."""

    code = "not_understood"


def _read(kind: Any) -> Any:
    try:
        return kind.from_json(request.get_json(silent=True))
    except ValueError as error:
        raise NotUnderstood(fault=str(error)[:200]) from None
    except RecursionError:
        raise NotUnderstood(fault="nested too deeply") from None


def _here() -> Kiosk:
    return Kiosk(device().id, device().office_id)


def _actor() -> str:
    return f"device:{device().id}"


@blueprint.post("/check-ins")
@kiosk
def check_in() -> ResponseReturnValue:
    """A code was scanned."""
    asked: CheckInRequest = _read(CheckInRequest)
    settings = parts().settings
    answer = service.check_in(
        caller(_actor()), keyring(), _here(), asked.text, settings.hosts, now(), settings.public_url
    )
    return jsonify(answer.to_json())


@blueprint.post("/walk-ins")
@kiosk
def walk_in() -> ResponseReturnValue:
    """Somebody without a booking chose a service."""
    asked: WalkInRequest = _read(WalkInRequest)
    pages = parts().settings.public_url
    return jsonify(service.walk_in(caller(_actor()), _here(), asked.service, asked.party, now(), pages).to_json())


@blueprint.put("/print-jobs/<uuid:job>")
@kiosk
def report_print(job: UUID) -> ResponseReturnValue:
    """What became of a paper."""
    report: PrintReport = _read(PrintReport)
    service.report_print(_actor(), _here(), job, report.sha256, report.outcome, now())
    return "", 204


@blueprint.post("/staff-calls")
@kiosk
def call_staff() -> ResponseReturnValue:
    """Somebody at the kiosk needs help."""
    asked: StaffCall = _read(StaffCall)
    if not REASON.fullmatch(asked.reason):
        raise NotUnderstood(fault="reason: a word of small letters and underscores")
    call_staff_to(caller(_actor()), device().office_id, device().id, asked.reason, now())
    return "", 204


@blueprint.post("/scanner-tests")
@kiosk
def scanner_test() -> ResponseReturnValue:
    """Somebody held the self-test card to the scanner."""
    report: ScannerTest = _read(ScannerTest)
    scanner_tested(caller(_actor()), device().id, report.finding, now())
    return "", 204


@blueprint.get("/state")
@kiosk
def state() -> ResponseReturnValue:
    """What the kiosk shows while nobody stands before it."""
    moment = now()
    here = device()
    answer = _state(read_session(), here.office_id, moment)
    orders = service.reprints_for(read_session(), _here(), moment, parts().settings.public_url)
    kiosk_seen(here.id, CONTRACT, moment)
    return jsonify(replace(answer, reprints=orders).to_json())


def _state(session: Session, office_id: int, moment: datetime) -> KioskState:
    office = session.get_one(Office, office_id)
    opening, intake = open_now(session, office_id, moment), intake_of(session, office_id, moment)
    return KioskState(
        contract=CONTRACT,
        office=office.names,
        now=office_time(moment),
        open=opening.booked,
        walk_ins=intake.received,
        next_opening=None if opening.next_opening is None else office_time(opening.next_opening),
        tel=office.tel,
        services=tuple(
            ServiceView(o.service.code, o.service.short_names, o.service.picture)
            for o in offers_to_walk_ins(session, office_id, business_date(moment))
            if may_be_asked_for(o.service, intake)
        ),
        hosts=parts().settings.hosts,
        notice_numbers=policy_on(session, office_id, business_date(moment)).kiosk_reads_notice_numbers,
    )
