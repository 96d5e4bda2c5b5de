"""Pages for signing in and out, and the home of the staff pages."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from server.auth.guards import public, staff_only

blueprint = Blueprint("auth", __name__)


@blueprint.get("/staff/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The form."""
    return render_template("staff/sign_in.html")


@blueprint.post("/staff/sign-out")
@staff_only
def sign_out() -> ResponseReturnValue:
    """The session ends."""
    logout_user()
    return redirect(url_for("auth.sign_in"), 303)
