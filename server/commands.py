"""The server's commands. They call the same entry points as the pages and say in one sentence what they did."""

import base64
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask_migrate import upgrade

from server import MIGRATIONS, create_app
from server.auth import service as auth
from server.auth.rules import Role
from server.booking.places import extend_slots, last_day, make_slots
from server.booking.queries import counters_that_differ
from server.clock import business_date
from server.db import read_session
from server.edge import keyring, now, parts
from server.errors import Refusal
from server.issuance.service import register_notice
from server.offices.holiday_service import (
    fill_year,
    holidays_of,
    keep_holidays,
    reported_differences,
    set_holiday,
    strike_holiday,
)
from server.offices.queries import office_by_code
from server.offices.service import load_office, read_office_file, set_policy
from server.serve import serve
from server.settings import Settings, SettingsError

ACTOR = "command"


def run(name: str, arguments: Namespace) -> int:
    """Run one command; 0 if it did what it says, 1 with a sentence on standard error if not."""
    try:
        if name == "secrets":
            return new_secrets()
        settings = Settings.from_env()
        if name == "serve":
            return serve(settings, arguments.listen)
        app = create_app(settings)
        with app.app_context():
            print(COMMANDS[name](app, arguments))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except Refusal as refusal:
        facts = ", ".join(f"{key}: {value}" for key, value in refusal.facts.items())
        print(f"refused: {refusal.code}" + (f" ({facts})" if facts else ""), file=sys.stderr)
        return 1
    return 0


def new_secrets() -> int:
    """Print a settings file with fresh keys."""
    print(f"MADOGUCHI_SECRET_KEY={secrets.token_urlsafe(48)}")
    print(f"MADOGUCHI_PEPPER={base64.b64encode(secrets.token_bytes(32)).decode()}")
    return 0


def _db(app: Flask, arguments: Namespace) -> str:
    if arguments.action == "upgrade":
        upgrade(directory=str(MIGRATIONS))
        return "database is at the newest version"
    differing = counters_that_differ(read_session())
    for slot, taken, used in differing:
        print(f"slot {slot}: {taken} taken, but {used} used by bookings", file=sys.stderr)
    if differing:
        raise Refusal(slots=len(differing))
    return "every slot's count equals its bookings"


def _offices(app: Flask, arguments: Namespace) -> str:
    loaded = load_office(read_office_file(arguments.file), ACTOR, now())
    made = extend_slots(loaded.id, now())
    return f"office {loaded.code}: {loaded.windows} windows, {loaded.services} services, {made} slots made"


def _holidays(app: Flask, arguments: Namespace) -> str:
    day = arguments.day
    if arguments.action == "set":
        set_holiday(day, arguments.name, ACTOR, now())
        return f"{day} is a holiday: {arguments.name}"
    if arguments.action == "strike":
        strike_holiday(day, ACTOR, now())
        return f"{day} is no holiday"
    looked = keep_holidays(now())
    year = arguments.year or now().year
    if arguments.year and not holidays_of(read_session(), year):
        looked += bool(fill_year(year, now()))
    for row in holidays_of(read_session(), year):
        print(f"{row.day} {row.name}" + ("" if row.counts else " (struck)") + f" [{row.source.value}]")
    for one in reported_differences(read_session()):
        print(f"differs on {one.day}: library {one.library or '-'}, table {one.table or '-'}", file=sys.stderr)
    return f"{looked} years compared with the library"


def _slots(app: Flask, arguments: Namespace) -> str:
    office, moment = office_by_code(read_session(), arguments.office).id, now()
    first = arguments.first or business_date(moment)
    if arguments.action == "set":
        set_policy(office, arguments.pool, arguments.key, arguments.value, first, ACTOR, moment)
        arguments.last = None
    last = arguments.last or last_day(read_session(), office, moment)
    made = make_slots(office, max(first, business_date(moment)), last, moment)
    return f"places of {arguments.office} made up to {last}: {made} new slots"


def _staff(app: Flask, arguments: Namespace) -> str:
    password = sys.stdin.readline().rstrip("\n")
    office = office_by_code(read_session(), arguments.office).id if arguments.office else None
    made = auth.add_staff(parts().passwords, arguments.name, Role(arguments.role), password, office, ACTOR, now())
    return f"account {made.name} ({made.role.value}) added"


def _devices(app: Flask, arguments: Namespace) -> str:
    office = office_by_code(read_session(), arguments.office).id
    if arguments.action == "add-kiosk":
        _, token = auth.add_kiosk(keyring(), office, arguments.name, ACTOR, now())
        return f"kiosk {arguments.name} added; its token, shown this once: {token}"
    board = auth.add_board(office, arguments.name, ACTOR, now())
    code = auth.start_pairing(keyring(), board, ACTOR, now(), timedelta(minutes=15))
    return f"board {arguments.name} added; open within 15 minutes: {parts().settings.base_url}/boards/pair/{code}"


def _notices(app: Flask, arguments: Namespace) -> str:
    sticker = register_notice(keyring(), arguments.office, arguments.service, arguments.number, ACTOR, now())
    link = f"{parts().settings.base_url}/b/{sticker.scan_code}"
    return f"notice registered; sticker: {link} ID {sticker.credential_id} password {sticker.password}"


COMMANDS: dict[str, Callable[[Flask, Namespace], str]] = {
    "db": _db,
    "offices": _offices,
    "holidays": _holidays,
    "slots": _slots,
    "staff": _staff,
    "devices": _devices,
    "notices": _notices,
}
