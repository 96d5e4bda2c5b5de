"""What every entry from outside needs: the clock, the keys, who asks, in which language.

Only views import this; rules and entry points are given plain values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast
from uuid import uuid4

from flask import current_app, request, session

from madoguchi.languages import LANGUAGES, best_language
from madoguchi.ruby import Said
from madoguchi.texts import Texts, format_date, format_time, name_in
from server.auth.passwords import Passwords, Run
from server.clock import Clock
from server.events import EventBus
from server.keys import Keyring
from server.repeats import Caller
from server.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The collaborators given to `create_app`."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    passwords: Passwords
    bus: EventBus
    texts: Texts
    run: Run  # carries what takes long to where it stops nobody


def parts() -> Parts:
    """The collaborators of this app."""
    return cast(Parts, current_app.extensions["madoguchi"])


def now() -> datetime:
    """The present moment: asked once for each request, by its view."""
    return parts().clock.now()


def keyring() -> Keyring:
    """The keys of this app."""
    return parts().keyring


def caller(actor: str) -> Caller:
    """Who asks, with the request id of the form or message. Raises BadRequestId."""
    body = request.get_json(silent=True) if request.is_json else None
    given = body.get("request_id") if isinstance(body, dict) else request.form.get("request_id")
    return Caller(actor, str(given or ""))


def new_request_id() -> str:
    """A request id for a form: sent twice, the form does its work once."""
    return str(uuid4())


def language() -> str:
    """The language the visitor chose, else that of the paper whose code led here (?lang=), else the browser's."""
    chosen = session.get("lang")
    if chosen not in LANGUAGES:
        chosen = request.args.get("lang")
    return str(chosen) if chosen in LANGUAGES else _language_of_browser()


def _language_of_browser() -> str:
    """Asked for with every sentence of a page, found out once for each request."""
    if "madoguchi.language" not in request.environ:
        request.environ["madoguchi.language"] = best_language(request.accept_languages.values())
    return str(request.environ["madoguchi.language"])


def say(key: str, **facts: Any) -> Said:
    """A sentence in the visitor's language."""
    return Said(parts().texts.say(key, language(), **facts))


def name_of(names: Mapping[str, str]) -> Said:
    """What an office calls something, in the visitor's language."""
    return Said(name_in(names, language()))


def day_in_words(day: date) -> Said:
    """A day in the visitor's language."""
    return Said(format_date(day, language()))


def time_in_words(moment: time | datetime) -> Said:
    """A time of day in the visitor's language."""
    return Said(format_time(moment, language()))
