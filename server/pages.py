"""What all pages share: headers, the origin check, and the words templates use."""

from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory
from flask_login import current_user

from madoguchi import ruby
from madoguchi.languages import LANGUAGES
from server.auth.rules import RIGHTS
from server.db import read_session
from server.edge import language, name_of, new_request_id, now, parts, say
from server.emergency.queries import offices_without
from server.errors import NotAllowed

# The board's page and files lie in a part of their own, which the server serves and does not import.
BOARD = Path(__file__).parent.parent / "display"

CSP = (
    "default-src 'self'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class ForeignOrigin(NotAllowed):
    """A form that another site's page sent."""

    code = "foreign_origin"


def install(app: Flask) -> None:
    """Headers on every answer, helpers in every template, board files under /display/."""
    app.before_request(check_origin)
    app.after_request(_headers)
    app.context_processor(_words)
    app.add_template_filter(ruby.plain, "plain")
    app.add_template_filter(ruby.html, "ruby")
    app.add_url_rule("/display/<path:filename>", endpoint="display.static", view_func=_display_file)


def check_origin() -> None:
    """A writing request that names its origin must come from a page of ours."""
    origin = request.headers.get("Origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or origin is None:
        return
    if origin.partition("://")[2] != request.host:
        raise ForeignOrigin


def _headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if not (request.endpoint or "").endswith("static"):
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _words() -> dict[str, Any]:
    signed_in = getattr(current_user, "staff", None)
    return {
        "say": say,
        "lang": language(),
        "languages": LANGUAGES,
        "name_of": name_of,
        "new_request_id": new_request_id,
        "signed_in": signed_in,
        "rights": {right.value for right in RIGHTS[signed_in.role]} if signed_in else set(),
        "texts": parts().texts,
        "without_emergency_list": _without_emergency_list,
    }


def _without_emergency_list() -> list[str]:
    """Names of the offices that have no list to go on with; asked for by the pages where staff begin."""
    return (
        [office.name_ja for office in offices_without(read_session(), now())]
        if parts().settings.emergency_folder
        else []
    )


def _display_file(filename: str) -> Response:
    return send_from_directory(BOARD / "static", filename)
