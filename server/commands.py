"""The server's commands. They call the same entry points as the pages and say in one sentence what they did."""

import base64
import csv
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TextIO
from uuid import uuid4

import click
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from server import MIGRATIONS, create_app
from server.auth import service as auth
from server.auth.forms import check_name
from server.auth.rules import Role
from server.booking.places import check_places, days_to_make, last_day, make_slots, mend_places
from server.booking.queries import booked_among
from server.booking.worklist import move_all, open_entries
from server.clock import business_date, office_time
from server.command_words import sentence
from server.db import read_session
from server.edge import keyring, now, parts
from server.errors import Conflict, Invalid, Refusal
from server.health import schema_revisions
from server.issuance.importing import import_notices
from server.issuance.notice_file import FAULTS, Fault
from server.issuance.service import change_marks, register_notice
from server.issuance.stickers import count_without_stickers, make_stickers, reissue_stickers
from server.offices.holiday_service import (
    check_year,
    fill_year,
    holidays_of,
    keep_holidays,
    reported_differences,
    set_holiday,
    strike_holiday,
)
from server.offices.office_file import read_office_file
from server.offices.queries import all_offices, office_by_code, undecided_days
from server.offices.service import load_office, set_policy
from server.repeats import Caller
from server.reports.queries import wait_report
from server.reports.words import COLUMNS, as_of, cells, outcome_rows, sentences, sheets, within
from server.serve import serve
from server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

ACTOR = "command"
SOME_REFUSED = 3


class Incomplete(str):
    """What a command says that has left something out: it ends with SOME_REFUSED."""

    __slots__ = ()


def run(name: str, arguments: Namespace) -> int:
    """Run one command; 0 if it did what it says, 1 with a sentence on standard error if not.

    3 if rows of a file were refused and all others kept.
    """
    try:
        if name == "secrets":
            return new_secrets()
        settings = Settings.from_env()
        if name == "serve":
            return serve(settings, arguments.listen)
        app = create_app(settings)
        with app.app_context():
            if (name, arguments.action) != ("db", "upgrade"):
                _check_schema()
            said = COMMANDS[name](app, arguments)
            print(said)
            return SOME_REFUSED if isinstance(said, Incomplete) else 0
    except (SettingsError, OldSchema) as error:
        print(error, file=sys.stderr)
        return 1
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        print(f"the database cannot be used: {reason}; see MADOGUCHI_DATABASE_URL", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except Refusal as refusal:
        print(sentence(refusal, vars(arguments)), file=sys.stderr)
        return 1


class OldSchema(RuntimeError):
    """The database was made by another version of the program; the text says what to do."""


def _check_schema() -> None:
    found, expected = schema_revisions()
    if found is None:
        raise OldSchema("the database is empty; run `madoguchi db upgrade` first")
    if found != expected:
        raise OldSchema(
            f"the database is at {found} and this version works with {expected}; run `madoguchi db upgrade` first"
        )


def new_secrets() -> int:
    """Print a settings file with fresh keys."""
    print(f"MADOGUCHI_SECRET_KEY={secrets.token_urlsafe(48)}")
    print(f"MADOGUCHI_PEPPER={base64.b64encode(secrets.token_bytes(32)).decode()}")
    return 0


def _db(app: Flask, arguments: Namespace) -> str:
    upgrade(directory=str(MIGRATIONS))
    return "database is at the newest version"


def _offices(app: Flask, arguments: Namespace) -> str:
    moment = now()
    plan, only_look = read_office_file(arguments.file), arguments.dry_run
    if not only_look:
        keep_holidays(moment)
    loaded = load_office(plan, ACTOR, moment, str(arguments.file), dry_run=only_look)
    for line in loaded.lines:
        print(line)
    changed = f"{len(loaded.lines)} lines differ" + (", nothing was changed" if only_look else "")
    if not only_look and (days := undecided_days(read_session(), loaded.id, moment)):
        print(f"undecided: holidays on closed weekdays, the first on {days[0]}; set on_closed_weekday", file=sys.stderr)
    return f"office {loaded.code}: {loaded.windows} windows, {loaded.services} services, {changed}"


def _holidays(app: Flask, arguments: Namespace) -> str:
    day = arguments.day
    if arguments.action == "set":
        set_holiday(day, arguments.name, ACTOR, now())
        return f"{day} is a holiday: {arguments.name}"
    if arguments.action == "strike":
        strike_holiday(day, ACTOR, now())
        return f"{day} is no holiday"
    year = now().year if arguments.year is None else arguments.year
    check_year(year)
    looked = keep_holidays(now())
    if arguments.year and not holidays_of(read_session(), year):
        looked += bool(fill_year(year, now()))
    for row in holidays_of(read_session(), year):
        print(f"{row.day} {row.name}" + ("" if row.counts else " (struck)") + f" [{row.source.value}]")
    for one in reported_differences(read_session()):
        print(f"differs on {one.day}: library {one.library or '-'}, table {one.table or '-'}", file=sys.stderr)
    return f"{looked} years compared with the library"


def _slots(app: Flask, arguments: Namespace) -> str:
    if arguments.action == "check":
        return _check(arguments.office, arguments.mend)
    office, moment = office_by_code(read_session(), arguments.office).id, now()
    if arguments.action == "affected":
        return _affected(office, arguments.move)
    first = arguments.first or business_date(moment)
    if arguments.action == "set":
        for word in (arguments.key, arguments.pool or arguments.key):
            check_name(word)
        set_policy(office, arguments.pool, arguments.key, arguments.value, first, ACTOR, moment)
        arguments.last = None
    last = arguments.last or last_day(read_session(), office, moment)
    made = make_slots(office, max(first, business_date(moment)), last, moment)
    return f"places of {arguments.office} made up to {last}: {made} new slots"


def _check(code: str | None, mend: bool) -> str:
    """What differs goes to standard error with what to do, and makes the exit code 1."""
    offices = [office_by_code(read_session(), code)] if code else all_offices(read_session())
    wrong = 0
    for office_id, name in [(office.id, office.code) for office in offices]:
        slots, bookings = check_places(read_session(), office_id)
        for slot in slots:
            counts = ", ".join(f"{c} for {u}" for c, u in zip(slot.counted, slot.used, strict=True))
            print(
                f"{name}: slot {slot.slot} of {office_time(slot.starts_at):%Y-%m-%d %H:%M} counts {counts} "
                "(all, web, phone): --mend sets what the bookings use",
                file=sys.stderr,
            )
        for booking in bookings:
            print(
                f"{name}: booking {booking} has no place or one too many: look at its audit entries, move or cancel "
                "it by telephone",
                file=sys.stderr,
            )
        waiting = {(days.first_day, days.last_day) for days in days_to_make(read_session(), office_id)}
        for first, last in sorted(waiting, key=str):
            print(
                f"{name}: places from {first} to {last or 'the last'} do not follow the rules yet: "
                "the next sweep makes them, or: madoguchi slots make",
                file=sys.stderr,
            )
        mended = mend_places(office_id, ACTOR, now()) if mend and slots else 0
        wrong += len(waiting) + len(slots) - mended + len(bookings)
    if wrong:
        raise PlacesDiffer(differ=wrong)
    return "all counts equal their bookings"


def _affected(office: int, move: bool) -> str:
    moved = ""
    if move:
        by, show = Caller(ACTOR, str(uuid4())), partial(print, sep=" of ", file=sys.stderr)
        result = move_all(by, office, now(), progress=show)
        moved = f"{result.moved} moved, {result.left} found no free place; "
    return f"{moved}{len(open_entries(read_session(), office))} bookings on the work list"


def _staff(app: Flask, arguments: Namespace) -> str:
    check_name(arguments.name)
    password = sys.stdin.readline().rstrip("\n")
    office = office_by_code(read_session(), arguments.office).id if arguments.office else None
    made = auth.add_staff(parts().passwords, arguments.name, Role(arguments.role), password, office, ACTOR, now())
    return f"account {made.name} ({made.role.value}) added"


def _devices(app: Flask, arguments: Namespace) -> str:
    check_name(arguments.name)
    office = office_by_code(read_session(), arguments.office).id
    if arguments.action == "add-kiosk":
        _, token = auth.add_kiosk(keyring(), office, arguments.name, ACTOR, now())
        return f"kiosk {arguments.name} added; its token, shown this once: {token}"
    board = auth.add_board(office, arguments.name, ACTOR, now())
    code = auth.start_pairing(keyring(), board, ACTOR, now(), timedelta(minutes=15))
    return f"board {arguments.name} added; open within 15 minutes: {parts().settings.base_url}/boards/pair/{code}"


def _notices(app: Flask, arguments: Namespace) -> str:
    return NOTICES[arguments.action](arguments)


def _add_notice(arguments: Namespace) -> str:
    sticker = register_notice(keyring(), arguments.office, arguments.service, arguments.number, ACTOR, now())
    link = f"{parts().settings.base_url}/b/{sticker.scan_code}"
    return f"notice registered; sticker: {link} ID {sticker.credential_id} password {sticker.password}"


def _import_notices(arguments: Namespace) -> str:
    report = arguments.report
    with ExitStack() as files:
        file = files.enter_context(arguments.file.open("rb"))
        if report and report.exists() and report.samefile(arguments.file):
            raise ReportIsFile
        written = files.enter_context(report.open("w", encoding="utf-8-sig", newline="")) if report else None
        bar = files.enter_context(_progress("reading", arguments.file.stat().st_size))
        done = import_notices(
            keyring(),
            file,
            booked_among,
            ACTOR,
            now(),
            dry_run=arguments.dry_run,
            bytes_read=bar.update,
            refused=Faults(written).tell,
        )
    told = (
        f"{done.new} new, {done.changed} changed, {done.unchanged} unchanged, {done.refused} refused"
        f" ({done.lettering.name}, {done.lettering.lines} lines)"
    )
    if done.ended:
        told += f"; {done.ended} of the unchanged were handed over or stopped and stay so"
    if done.passed_over:
        told += f"; columns passed over: {len(done.passed_over)}"
    if arguments.dry_run:
        told += "; dry run: nothing was written"
    return Incomplete(told) if done.refused else told


class Faults:
    """Tells of refused rows: the first ones on standard error, all of them in the report if one is wanted."""

    SHOWN = 20

    def __init__(self, report: TextIO | None) -> None:
        """`report` is open; the rows go into it as CSV."""
        self._count = 0
        self._rows = None if report is None else csv.writer(report)
        if self._rows is not None:
            self._rows.writerow(("line", "column", "code", "reason", "what to do"))

    def tell(self, fault: Fault) -> None:
        """One more row."""
        self._count += 1
        if self._rows is not None:
            self._rows.writerow((fault.line, fault.column, fault.reason, *FAULTS[fault.reason]))
        if self._count <= self.SHOWN:
            print(fault, file=sys.stderr)
        elif self._count == self.SHOWN + 1:
            print("… and more; --report FILE names them all", file=sys.stderr)


def _progress(label: str, length: int) -> "ProgressBar[int]":
    return click.progressbar(length=length, label=label, file=sys.stderr)


def _credentials(arguments: Namespace) -> str:
    given = (keyring(), parts().settings.base_url, arguments.out)
    if arguments.number:
        printed = reissue_stickers(*given, arguments.number, ACTOR, now())
    else:
        office = office_by_code(read_session(), arguments.office).id if arguments.office else None
        with _progress("drawing", count_without_stickers(read_session(), office)) as bar:
            printed = make_stickers(*given, office, ACTOR, now(), drawn=bar.update)
    if printed.finished_former:
        return f"{arguments.out}: brought to its end for a run that was cut off; run the command again for the rest"
    if not printed.stickers:
        return "no notice is without a sticker; no file was made"
    return f"{printed.stickers} stickers in {arguments.out}. It holds secrets: print it, then delete it"


def _marks(arguments: Namespace) -> str:
    marks = change_marks(arguments.change, arguments.words, ACTOR, now())
    return " ".join(marks) or "there are no marks"


class ReportIsFile(Invalid):
    """The report would be written over the file that is to be read."""

    code = "report_is_file"


NOTICES: dict[str, Callable[[Namespace], str]] = {
    "add": _add_notice,
    "import": _import_notices,
    "credentials": _credentials,
    "marks": _marks,
}


class PlacesDiffer(Conflict):
    """Counts of slots and bookings do not agree."""

    code = "places_differ"


def _reports(app: Flask, arguments: Namespace) -> str:
    moment = now()
    first = arguments.first or business_date(moment)
    office = office_by_code(read_session(), arguments.office)
    report = wait_report(read_session(), office, first, arguments.last or first, moment)
    for sheet in sheets(report)[:-1]:
        print("\t".join((*sheet.heads, *COLUMNS)))
        for line in sheet.lines:
            print("\t".join(str(cell) for cell in (*line.of, *cells(line))))
    for row in (within(report), *sentences(report), *(f"{text}：{people}人" for text, people in outcome_rows(report))):
        print(row)
    if arguments.out:
        from server.reports.excel import workbook  # heavy, and only here and on the page of figures

        arguments.out.write_bytes(workbook(report))
    return f"{len(report.waits)} waits from {report.first} to {report.last}, {as_of(report)}"


COMMANDS: dict[str, Callable[[Flask, Namespace], str]] = {
    "db": _db,
    "offices": _offices,
    "holidays": _holidays,
    "slots": _slots,
    "staff": _staff,
    "devices": _devices,
    "notices": _notices,
    "reports": _reports,
}
