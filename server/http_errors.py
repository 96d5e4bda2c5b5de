"""One table: kind of refusal → HTTP status. Devices get JSON, people a page that says what to do next."""

import logging
from typing import Any, cast

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import TimeoutError
from werkzeug.exceptions import HTTPException

from madoguchi.ruby import Said
from madoguchi.wire import RefusalView
from server.auth.forms import local_path
from server.auth.rules import NotPaired
from server.edge import language, parts
from server.errors import Busy, Conflict, Invalid, NotAllowed, NotFound, NotNow, Refusal
from server.faults import way_of

log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[Refusal], int], ...] = (
    (NotPaired, 401),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (NotNow, 409),
    (Invalid, 422),
    (Busy, 503),
    (Refusal, 400),
)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, by its kind."""
    return next(status for kind, status in STATUS if isinstance(refusal, kind))


def register(app: Flask) -> None:
    """Answer every refusal and every fault in one way."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(CSRFError, lambda _error: _answer("form_expired", {}, 400))
    app.register_error_handler(RateLimitExceeded, lambda _error: _answer("too_many_requests", {}, 429))
    # A request waited in vain for one of the process's connections: many ask at once, and nothing is broken.
    app.register_error_handler(TimeoutError, lambda _error: _answer(Busy.code, {}, 503))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)


def _refused(error: Exception) -> ResponseReturnValue:
    refusal = cast(Refusal, error)
    return _answer(refusal.code, refusal.facts, status_of(refusal))


def _http(error: Exception) -> ResponseReturnValue:
    raised = cast(HTTPException, error)
    if raised.code is None or raised.code < 400:
        return raised
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    return _answer(codes.get(raised.code, "bad_request"), {}, raised.code)


def _fault(error: Exception) -> ResponseReturnValue:
    log.error("fault in %s %s: %s", request.method, request.endpoint, way_of(error))
    return _answer("fault", {}, 500)


def _answer(code: str, facts: dict[str, Any], status: int) -> ResponseReturnValue:
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        return jsonify(RefusalView(code, facts).to_json()), status
    text = refusal_text(code, facts)
    return render_template("refusal.html", code=code, text=text, facts=facts, page_before=_page_before), status


def _page_before() -> str:
    """The page of ours from which somebody came, to go back to; nothing if there is none."""
    came_from = request.referrer or ""
    if not came_from.startswith(request.host_url) or came_from == request.url:
        return ""
    return local_path("/" + came_from[len(request.host_url) :])


def refusal_text(code: str, facts: dict[str, Any]) -> str:
    """What a person is told: the catalogue's `refusal.<code>`, or a general sentence."""
    texts, lang = parts().texts, language()
    for key in (f"refusal.{code}", "refusal.other"):
        try:
            return Said(texts.say(key, lang, **facts))
        except (KeyError, ValueError):
            continue
    return code
