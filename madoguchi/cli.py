"""The one command. Each part is loaded only when it is asked for: a kiosk installs no server."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

Command = Callable[[argparse.Namespace], int]
# A part's own needs stand in its extra (pyproject.toml); one package of each tells whether it is there.
EXTRAS = {"server": "flask_sqlalchemy", "kiosk": "escpos"}
NEEDS = {
    "demo": ["server", "kiosk"],
    "kiosk": ["kiosk"],
    "scan": ["kiosk"],
    "virtual-printer": ["kiosk"],
    "board-screen": [],
}


class Parser(argparse.ArgumentParser):
    """Says in one sentence what cannot be meant."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` says more\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command named first. Errors are one sentence on standard error; exit code 1, or 2 for a wrong word."""
    arguments = _parser().parse_args(argv)
    if lacking := [extra for extra in arguments.needs if find_spec(EXTRAS[extra]) is None]:
        wheel = f"madoguchi-{version('madoguchi')}-py3-none-any.whl[{','.join(lacking)}]"
        print(f"packages for this command are not installed: pip install '{wheel}' brings them", file=sys.stderr)
        return 1
    command: Command = arguments.command
    return command(arguments)


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(
        prog="madoguchi",
        description="窓口: reservations, queue and board for the counters of a municipality.",
    )
    parser.add_argument("--version", action="version", version=f"madoguchi {version('madoguchi')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = _add(commands, "demo", _demo, "a small office on this machine, with simulated devices")
    demo.add_argument("--json", action="store_true", help="no story: one line of JSON when everything is up")
    demo.add_argument("--port", type=_two_ports, default=8000, help="first of two ports to use (default 8000 and 8001)")
    demo.add_argument(
        "--data",
        type=Path,
        help="folder for database, keys and tickets (default: a fresh one, removed at the end)",
    )
    demo.add_argument("--at", type=_moment, help="the office's clock starts here and runs, e.g. 2026-12-01T09:00+09:00")
    _server_commands(commands)
    kiosk = _add(commands, "kiosk", _kiosk, "the receiving terminal at the entrance")
    kiosk.add_argument(
        "action",
        nargs="?",
        choices=["run", "learn", "self-test-card", "print-test"],
        default="run",
        help="default: run",
    )
    kiosk.add_argument("--config", type=Path, required=True, help="its kiosk.toml")
    kiosk.add_argument("--width", type=int, help="print-test: the highest number in the steps whose end is whole")
    kiosk.add_argument("--bar-mm", type=float, help="print-test: the length of the thick bar")
    kiosk.add_argument("--cut", choices=["yes", "no"], help="print-test: whether the paper was cut")
    kiosk.add_argument("--codes", help="print-test: the letters of the codes that a scanner reads")
    kiosk.add_argument("--samples", type=int, default=3, help="learn: from so many postcards (default 3)")
    kiosk.add_argument("--out", type=Path, help="self-test-card: write a PNG for another printer")
    scan = _add(commands, "scan", _scan, "hold a code to a simulated scanner")
    scan.add_argument("socket", type=Path, help="the scanner's socket, as the demonstration prints it")
    scan.add_argument("code", help="what is scanned")
    printer = _add(commands, "virtual-printer", _virtual_printer, "a simulated ESC/POS printer on a TCP port")
    printer.add_argument("--port", type=int, default=9100)
    printer.add_argument("--folder", type=Path, required=True, help="where papers go, as bytes and as pictures")
    board = _add(
        commands,
        "board-screen",
        _board_screen,
        "a full-screen browser with the board, started again if it dies",
    )
    board.add_argument("--url", required=True)
    board.add_argument("--browser", help="the browser's command (default: the one found)")
    return parser


def _server_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = _add(commands, "serve", _server("serve"), "one server process")
    serve.add_argument("--listen", help="address:port instead of MADOGUCHI_LISTEN")
    secrets = _add(commands, "secrets", _server("secrets"), "make secret key and pepper for a new installation")
    secrets.add_argument("action", choices=["new"])
    db = _add(commands, "db", _server("db"), "bring the database to this version")
    db.add_argument("action", choices=["upgrade"])
    offices = _add(commands, "offices", _server("offices"), "load an office from its file, or bring it up to date")
    offices.add_argument("action", choices=["load"])
    offices.add_argument("file", type=Path)
    offices.add_argument("--dry-run", action="store_true", help="only say what would change")
    _holidays_commands(_add(commands, "holidays", _server("holidays"), "the table of holidays: show, set, strike"))
    _slots_commands(_add(commands, "slots", _server("slots"), "the stock of places: make, set, check, affected"))
    staff = _add(commands, "staff", _server("staff"), "add a staff account; the password is read from standard input")
    staff.add_argument("action", choices=["add"])
    staff.add_argument("name")
    staff.add_argument("--role", required=True, choices=["operator", "clerk", "supervisor", "admin"])
    staff.add_argument("--office", help="code of the office; without it the account belongs to no office")
    devices = _add(commands, "devices", _server("devices"), "add a kiosk or a board to an office")
    devices.add_argument("action", choices=["add-kiosk", "add-board"])
    devices.add_argument("name")
    devices.add_argument("--office", required=True, help="code of the office")
    _notice_commands(_add(commands, "notices", _server("notices"), "notices in, stickers out"))
    reports = _add(commands, "reports", _server("reports"), "figures: how long people waited")
    waits = reports.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser(
        "waits", help="median, mean, 95 percent and longest wait, called within 30 minutes, and what was told"
    )
    waits.add_argument("--office", required=True, help="code of the office")
    waits.add_argument("--from", dest="first", type=date.fromisoformat, help="first day (default: today)")
    waits.add_argument("--to", dest="last", type=date.fromisoformat, help="last day (default: the first)")
    waits.add_argument("--out", type=Path, help="write an Excel file with all details")


def _notice_commands(notices: argparse.ArgumentParser) -> None:
    actions = notices.add_subparsers(required=True, dest="action", metavar="ACTION")
    add = actions.add_parser("add", help="register one notice; prints what belongs on its sticker")
    add.add_argument("number", help="the number printed on the notice, e.g. A1B-000123")
    add.add_argument("--office", required=True)
    add.add_argument("--service", default="pickup")
    read = actions.add_parser("import", help="read notices from a CSV file (UTF-8 or Shift_JIS); twice is harmless")
    read.add_argument("file", type=Path)
    read.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    read.add_argument("--report", type=Path, help="write the refused rows, by line number, to this CSV file")
    stickers = actions.add_parser("credentials", help="make ID, password and scan code for notices that have none")
    stickers.add_argument("--out", type=Path, required=True, help="the CSV file for the printer; it holds secrets")
    stickers.add_argument("--office", help="code of the office; without it, notices of all offices")
    stickers.add_argument("--number", action="append", help="this notice only, anew: its old password stops working")
    marks = actions.add_parser("marks", help="the words that may be used as marks")
    marks.add_argument("change", nargs="?", choices=["add", "remove"])
    marks.add_argument("words", nargs="*", metavar="WORD")


def _holidays_commands(holidays: argparse.ArgumentParser) -> None:
    holidays.set_defaults(day=None)
    actions = holidays.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="fill and compare the table with the library, and print a year of it")
    show.add_argument("--year", type=int, help="default: this year")
    name = actions.add_parser("set", help="a day is a holiday, whatever the library says")
    name.add_argument("day", type=date.fromisoformat)
    name.add_argument("name")
    strike = actions.add_parser("strike", help="a day is no holiday, whatever the library says")
    strike.add_argument("day", type=date.fromisoformat)


def _slots_commands(slots: argparse.ArgumentParser) -> None:
    actions = slots.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="make the places of an office's days again, after a change of its hours")
    make.add_argument("--office", required=True, help="code of the office")
    make.add_argument("--from", dest="first", type=date.fromisoformat, help="first day (default: today)")
    make.add_argument("--to", dest="last", type=date.fromisoformat, help="last day (default: end of the period)")
    check = actions.add_parser("check", help="compare the counts of all slots with their bookings; 1 if any differ")
    check.add_argument("--office", help="code of the office (default: all)")
    check.add_argument("--mend", action="store_true", help="set the counts that differ to what the bookings use")
    affected = actions.add_parser("affected", help="the bookings that lost their place")
    affected.add_argument("--office", required=True, help="code of the office")
    affected.add_argument("--move", action="store_true", help="to the next free places; who finds none stays listed")
    size = actions.add_parser("set", help="set a value of docs/offices.md from a day on, and make the places again")
    size.add_argument("--office", required=True, help="code of the office")
    size.add_argument("--pool", help="for this pool only")
    size.add_argument("--from", dest="first", type=date.fromisoformat, help="first day it counts (default: today)")
    size.add_argument("key", help="e.g. walk_in_percent")
    size.add_argument("value", type=json.loads, help="""as JSON: 30, true, '{"sat": 50, "mon 10": 0}'""")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, command: Command, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command, needs=NEEDS.get(name, ["server"]))
    return parser


def _moment(text: str) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    raise argparse.ArgumentTypeError(f"{text!r} is no moment with an offset, such as 2026-12-01T09:00+09:00")


def _two_ports(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65534:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65534 (the next one is taken, too)")
    return int(text)


def _demo(arguments: argparse.Namespace) -> int:
    from madoguchi.demo import main as demo

    return demo(port=arguments.port, data=arguments.data, at=arguments.at, as_json=arguments.json)


def _server(name: str) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        if name == "serve":
            # Everything that follows must see gevent's sockets, threads and locks.
            from gevent import monkey

            monkey.patch_all()
        from server import commands

        return commands.run(name, arguments)

    return run


def _kiosk(arguments: argparse.Namespace) -> int:
    if arguments.action == "learn":
        from kiosk.learn import main as learn

        return learn(arguments.config, arguments.samples)
    if arguments.action == "self-test-card":
        from kiosk.print_card import main as print_card

        return print_card(arguments.config, arguments.out)
    if arguments.action == "print-test":
        from kiosk.print_test import Answers
        from kiosk.print_test import main as print_test

        cut = None if arguments.cut is None else arguments.cut == "yes"
        seen = Answers(arguments.width, arguments.bar_mm, cut, arguments.codes)
        return print_test(arguments.config, seen, input if sys.stdin.isatty() else None)
    from kiosk.run import main as kiosk

    return kiosk(arguments.config)


def _scan(arguments: argparse.Namespace) -> int:
    from madoguchi.demo_story import scan

    try:
        scan(str(arguments.socket), arguments.code)
    except OSError as error:
        print(f"no scanner listens at {arguments.socket}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _virtual_printer(arguments: argparse.Namespace) -> int:
    from kiosk.devices.virtual_printer import main as virtual_printer

    return virtual_printer(arguments.port, arguments.folder)


def _board_screen(arguments: argparse.Namespace) -> int:
    from display.launch import main as launch

    return launch(arguments.url, arguments.browser)


if __name__ == "__main__":
    sys.exit(main())
