"""Pages for signing in and out, the home of the staff pages, and how all of them write days and times."""

from datetime import date, datetime

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from madoguchi.texts import format_date, format_time
from server.auth import service
from server.auth.forms import SignInForm
from server.auth.guards import User, public, staff, staff_only
from server.auth.rules import RIGHTS, Locked, Right, SignInFailed
from server.auth.words import scanner_words
from server.clock import business_date, office_time
from server.db import read_session
from server.edge import now, parts
from server.limits import SIGN_IN, limiter

blueprint = Blueprint("auth", __name__)


@blueprint.get("/staff/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The form; whoever has signed in already goes on."""
    form = SignInForm.read(request.form, request.args)
    if current_user.is_authenticated:
        return redirect(form.next or url_for("auth.home"), 303)
    return render_template("staff/sign_in.html", form=form)


@blueprint.post("/staff/sign-in")
@limiter.limit(SIGN_IN)
@public
def begin_session() -> ResponseReturnValue:
    """A session begins, with nothing in it of what the browser had before."""
    form = SignInForm.read(request.form, request.args)
    try:
        if not form.may_be_meant:
            raise SignInFailed
        staff = service.sign_in(parts().passwords, parts().keyring, form.name, form.password, now())
    except SignInFailed:
        return render_template("staff/sign_in.html", form=form, failed=True), 403
    except Locked as refusal:
        until = office_time(datetime.fromisoformat(refusal.facts["until"]))
        return render_template("staff/sign_in.html", form=form, locked_until=until), 409
    session.clear()
    login_user(User(staff))
    return redirect(form.next or url_for("auth.home"), 303)


@blueprint.post("/staff/sign-out")
@staff_only
def sign_out() -> ResponseReturnValue:
    """The session ends; the next colleague signs in at the same screen."""
    logout_user()
    session.clear()
    return redirect(url_for("auth.sign_in", out=1), 303)


@blueprint.get("/staff")
@staff_only
def home() -> ResponseReturnValue:
    """The areas this role may enter."""
    here, moment = staff(), now()
    looks_after_kiosks = {Right.DESK, Right.ADMIN} & RIGHTS[here.role]
    kiosks = service.kiosks_of(read_session(), here.office_id) if looks_after_kiosks else ()
    tests = [(kiosk.name, *scanner_words(kiosk, business_date(moment))) for kiosk in kiosks]
    return render_template("staff/home.html", tests=tests)


@blueprint.app_template_filter("ja_day")
def ja_day(day: date) -> str:
    """令和8年11月30日（月）."""
    return format_date(office_time(day) if isinstance(day, datetime) else day, "ja")


@blueprint.app_template_filter("ja_time")
def ja_time(moment: datetime) -> str:
    """10時15分."""
    return format_time(office_time(moment), "ja")


@blueprint.app_template_filter("hm")
def hm(moment: datetime) -> str:
    """10:15, where many times stand beside each other."""
    return office_time(moment).strftime("%H:%M")
