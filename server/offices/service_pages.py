"""手続の画面: how an office offers its services, and what of it staff change themselves."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.auth.forms import may_be_kept
from server.auth.guards import needs, staff
from server.auth.rules import Right
from server.clock import business_date
from server.db import read_session
from server.edge import now
from server.offices import service
from server.offices.queries import offer_by_code, offers_of, office_by_code, steps_of, uses_of
from server.offices.service import OfferEdit, OfferUnusable
from server.offices.service_rules import CASES, Documents, Mode, offered_on

blueprint = Blueprint("service_pages", __name__, url_prefix="/admin/offices")

MODES = {
    Mode.NOTICE: "予約（通知書）",
    Mode.OPEN: "予約（どなたでも）",
    Mode.PHONE: "電話予約",
    Mode.WALK_IN: "予約なし",
}
WRONG = {
    "short": "略称は日本語と英語の両方を、40文字以内で入れてください。",
    "minutes": "所要時間は1〜480分で入れてください。",
    "modes": "受付方法を1つ以上選んでください。",
    "validity": "取り扱いの終わりの日は、始まりの日より後にしてください。",
    "day": "日付を読み取れません。",
    "documents": "持ち物は1行に1つ、200文字以内で入れてください。",
    "letters": "個人番号かもしれない12桁の数字や、見えない文字は入れられません。",
    "languages": "持ち物は、日本語と英語を同じ行数で入れてください。",
}


@blueprint.get("/<office>/services")
@needs(Right.ADMIN)
def overview(office: str) -> ResponseReturnValue:
    """All services of an office."""
    session, here = read_session(), office_by_code(read_session(), office)
    return render_template(
        "staff/admin_services.html",
        tab="offices",
        office=here,
        offers=offers_of(session, here.id),
        steps=steps_of(session, here.id),
        uses=uses_of(session, here.id),
        modes=MODES,
        today=business_date(now()),
        offered_on=offered_on,
    )


@blueprint.get("/<office>/services/<code>")
@needs(Right.ADMIN)
def edit(office: str, code: str) -> ResponseReturnValue:
    """One service, to be changed."""
    return _page(office, code)


@blueprint.post("/<office>/services/<code>")
@needs(Right.ADMIN)
def keep(office: str, code: str) -> ResponseReturnValue:
    """Keep what was changed."""
    here = office_by_code(read_session(), office)
    try:
        service.edit_offer(here.id, code, _typed(), f"staff:{staff().id}", now())
    except OfferUnusable as refused:
        return _page(office, code, refused.facts["field"])
    flash("変更しました。", "good")
    return redirect(url_for(".overview", office=office), 303)


def _page(office: str, code: str, wrong: str = "") -> ResponseReturnValue:
    session, here = read_session(), office_by_code(read_session(), office)
    offer = offer_by_code(session, here.id, code)
    page = render_template(
        "staff/admin_service.html",
        tab="offices",
        office=here,
        offer=offer,
        steps=steps_of(session, here.id)[offer.service_id],
        modes=MODES,
        cases=CASES,
        typed=request.form if wrong and _may_be_said(request.form.lists()) else None,
        refused=WRONG.get(wrong, ""),
    )
    return (page, 422) if wrong else page


def _typed() -> OfferEdit:
    """The form. Raises OfferUnusable."""
    form = request.form
    minutes = [int(n) if n.isdecimal() and len(n) < 5 else 0 for n in form.getlist("minutes")]
    return OfferEdit(
        short={lang: form.get(f"short_{lang}", "").strip() for lang in ("ja", "en")},
        minutes=tuple(minutes),
        modes=frozenset(mode for mode in Mode if mode in form.getlist("modes")),
        valid_from=_day("valid_from"),
        valid_to=_day("valid_to"),
        documents=_documents(form),
    )


def _day(field: str) -> date | None:
    text = request.form.get(field, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise OfferUnusable(field="day") from None


def _documents(form: Any) -> Documents:
    """One line is one thing; the same line in both languages is the same thing."""
    documents: Documents = {}
    for case in CASES:
        ja, en = (_lines(form.get(f"{case}_{lang}", "")) for lang in ("ja", "en"))
        if len(ja) != len(en):
            raise OfferUnusable(field="languages")
        if ja:
            documents[case] = [{"ja": one, "en": other} for one, other in zip_longest(ja, en)]
    return documents


def _may_be_said(sent: Iterable[tuple[str, Sequence[str]]]) -> bool:
    """Whether what was typed may be shown again: no line of it may be a My Number."""
    return all(may_be_kept(line) for _, values in sent for text in values for line in text.splitlines())


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
