"""The residents' pages: sign in with the notice's sticker, choose a place, book, change, cancel."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.auth.guards import public

blueprint = Blueprint("booking_web", __name__)


@blueprint.get("/")
@public
def start() -> ResponseReturnValue:
    """What this is, and the form to sign in."""
    return render_template("booking/start.html")
