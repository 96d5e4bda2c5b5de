"""The office's server. `create_app` is the only wiring; there is no logic in it."""

import logging
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from madoguchi.texts import Texts
from server import door, http_errors, limits, pages, realtime, timetable
from server.auth import guards
from server.auth.passwords import Passwords, run_here
from server.auth.passwords import Run as Run
from server.auth.views import blueprint as auth_pages
from server.booking.pages import blueprint as worklist_pages
from server.booking.phone import blueprint as phone_pages
from server.booking.places import follow_calendar, note_change
from server.booking.web import blueprint as web_pages
from server.clock import Clock, WallClock
from server.daylist.pages import blueprint as day_list_pages
from server.db import WAIT_FOR_DATABASE_S, db, prepare_sqlite
from server.desk.views import blueprint as desk_pages
from server.edge import Parts
from server.emergency.pages import blueprint as emergency_pages
from server.events import EventBus, OpeningChanged, PolicyChanged
from server.health import blueprint as health
from server.keys import Keyring
from server.mailing.pages import blueprint as mailing_pages
from server.messages import models as messages_models
from server.offices.opening_pages import blueprint as opening_pages
from server.offices.pages import blueprint as office_pages
from server.offices.service_pages import blueprint as service_pages
from server.outlook.pages import blueprint as ticket_page
from server.queueing.board_api import blueprint as board
from server.reception.kiosk_api import blueprint as kiosk_api
from server.reception.pages import blueprint as walk_in_pages
from server.reception.pages import reprints as reprint_pages
from server.reports.pages import blueprint as report_pages
from server.settings import Settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# Tables whose feature is still to come; they belong to the schema all the same.
TABLES_TO_COME = (messages_models.Contact, messages_models.OutboxMessage)


def create_app(settings: Settings, clock: Clock | None = None, run: Run = run_here) -> Flask:
    """One server process: `clock` tells the time, `run` carries what takes long to where it stops nobody.

    The timetable and the heartbeats start with `start`.
    """
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for talkative in ("apscheduler", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # What these would log names addresses, or quotes what strangers sent.
    for telltale in ("flask-limiter", "engineio", "socketio", "engineio.server", "socketio.server"):
        logging.getLogger(telltale).setLevel(logging.ERROR)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        MAX_CONTENT_LENGTH=64 * 1024,
        WTF_CSRF_TIME_LIMIT=4 * 3600,
        WTF_CSRF_SSL_STRICT=False,  # the Origin is compared by pages.check_origin, also behind a proxy
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
    )
    if settings.proxy_count:
        n = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]  # Flask's own way
    parts = Parts(
        settings,
        clock or WallClock(settings.clock_offset),
        Keyring(settings.pepper, settings.pepper_key_id),
        Passwords(run),
        EventBus(),
        Texts.load(),
        run,
    )
    app.extensions["madoguchi"], app.extensions["madoguchi.bus"] = parts, parts.bus
    for change in (OpeningChanged, PolicyChanged):
        parts.bus.inside(change, note_change)
    parts.bus.after(OpeningChanged, lambda changed: _let_places_follow(app, parts, changed))
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
    Migrate(app, db, directory=str(MIGRATIONS))
    door.install(app, web_pages.name)  # first of all that is done for a request
    csrf = CSRFProtect(app)
    csrf.exempt(kiosk_api)  # its callers carry a token, not a cookie
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(Path(__file__).parent / "templates"), FileSystemLoader(pages.BOARD / "templates")]
    )
    for blueprint in (
        auth_pages,
        web_pages,
        phone_pages,
        worklist_pages,
        desk_pages,
        walk_in_pages,
        reprint_pages,
        mailing_pages,
        report_pages,
        day_list_pages,
        emergency_pages,
        office_pages,
        opening_pages,
        service_pages,
        board,
        ticket_page,
        kiosk_api,
        health,
    ):
        app.register_blueprint(blueprint)
    guards.install(app)
    limits.install(app)
    pages.install(app)
    http_errors.register(app)
    app.extensions["madoguchi.boards"] = realtime.Boards(app, parts)
    guards.check_all_guarded(app)
    return app


def start(app: Flask) -> None:
    """Begin what runs by itself in a serving process: heartbeats and the timetable."""
    app.extensions["madoguchi.boards"].start()
    app.extensions["madoguchi.timetable"] = timetable.start(app, app.extensions["madoguchi"])


def _let_places_follow(app: Flask, parts: Parts, changed: OpeningChanged) -> None:
    """Who saved opening hours on a page waits for no places: the timetable makes them, at once. A command, which has
    no timetable, makes them itself."""
    running = app.extensions.get("madoguchi.timetable")
    if running is None:
        follow_calendar(changed, parts.clock.now())
    else:
        timetable.make_places_now(running)


def _engine_options(settings: Settings) -> dict[str, object]:
    # What was typed or scanned stands in a statement's values, and the text of a fault may reach a log.
    always = {"hide_parameters": True}
    if settings.database_url.startswith("sqlite"):
        return {**always}
    waiting = {"options": f"-c lock_timeout={int(WAIT_FOR_DATABASE_S * 1000)}"}
    return {**always, "pool_size": 10, "max_overflow": 20, "pool_pre_ping": True, "connect_args": waiting}
