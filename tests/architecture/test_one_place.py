"""What must happen in one place only happens there: commits, locks, clock, environment, sockets to boards."""

import ast
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from server.db import read_session
from tests.architecture.project import calls, dotted, imports, modules

WALL_CLOCK = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
# What people and devices sent; none of it may be written into a log.
SENT = {"form", "args", "values", "payload", "body", "json", "get_json", "data", "get_data", "cookies", "headers"}
SENT |= {"text", "scanned", "typed", "credential_id", "password", "token", "code_text"}


def places(folder: str, is_it: Callable[[ast.AST], bool]) -> set[str]:
    """The modules of a folder that do something."""
    return {module.name for module in modules(folder) if any(map(is_it, ast.walk(module.tree)))}


def is_commit(node: ast.AST) -> bool:
    """Something is committed, whatever it is called on."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"


def locks_rows(node: ast.AST) -> bool:
    """Rows are locked by SQLAlchemy's own word for it, as a method or as an argument."""
    named = node.attr if isinstance(node, ast.Attribute) else node.arg if isinstance(node, ast.keyword) else None
    return named == "with_for_update"


def reads_wall_clock(node: ast.AST) -> bool:
    """The machine is asked what time it is; named without being called counts, too."""
    return isinstance(node, ast.Attribute) and dotted(node) in WALL_CLOCK


def reads_environment(node: ast.AST) -> bool:
    """The process's environment is read, under its own name or as imported."""
    imported = isinstance(node, ast.ImportFrom) and not ENVIRONMENT.isdisjoint(imports(node))
    return imported or (isinstance(node, ast.Attribute) and dotted(node) in ENVIRONMENT)


def imports_time_itself(node: ast.AST) -> bool:
    """`from time import time` would read the clock under a name that the scan does not know."""
    return isinstance(node, ast.ImportFrom) and not {"time.time", "time.time_ns"}.isdisjoint(imports(node))


def imports_socketio(node: ast.AST) -> bool:
    """The library that holds sockets to boards."""
    return isinstance(node, ast.Import | ast.ImportFrom) and any(n.startswith("flask_socketio") for n in imports(node))


def logged(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call that writes into a log."""
    for call in calls(tree):
        logger, _, level = dotted(call.func).rpartition(".")
        if level in LEVELS and logger.split(".")[-1] in ("log", "_log", "logger", "logging"):
            yield call


def sent_words(call: ast.Call) -> set[str]:
    """The names under which something that was sent is given to a log; the length of it is no secret."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    measured = {id(n) for arg in given for c in calls(arg) if dotted(c.func) == "len" for n in ast.walk(c)}
    nodes = [node for arg in given for node in ast.walk(arg) if id(node) not in measured]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return (names | {node.id for node in nodes if isinstance(node, ast.Name)}) & SENT


def test_only_the_transaction_commits() -> None:
    assert places("server", is_commit) == {"server/db.py"}


def test_rows_are_locked_in_one_way() -> None:
    # A plain FOR UPDATE elsewhere would stop whoever refers to the row, out of order: docs/concurrency.md.
    assert places("server", locks_rows) == {"server/db.py"}


def test_only_the_clock_reads_the_wall_clock() -> None:
    # limits.py counts requests by the machine's clock, as the library does with which it shares the counters.
    assert places("server", reads_wall_clock) == {"server/clock.py", "server/limits.py"}
    assert places("server", imports_time_itself) == set()


def test_only_the_settings_read_the_environment_of_the_server() -> None:
    assert places("server", reads_environment) == {"server/settings.py"}


def test_nothing_of_the_kiosk_reads_the_environment() -> None:
    # printing.py takes away what a library would read there.
    assert places("kiosk", reads_environment) <= {"kiosk/printing.py"}


def test_only_realtime_holds_sockets_to_boards() -> None:
    assert places("server", imports_socketio) == {"server/realtime.py"}


def test_no_log_is_given_what_was_sent_typed_or_scanned() -> None:
    found = {
        f"{module.name}:{call.lineno} {sorted(words)}"
        for module in modules("server", "kiosk", "display", "madoguchi")
        for call in logged(module.tree)
        if (words := sent_words(call))
    }
    assert found == set()


def test_the_scan_of_logs_sees_what_it_looks_for() -> None:
    tree = ast.parse(
        'log.info("%s", request.form["name"])\nself._log.warning(f"{payload!r}")\nlog.info("%d", len(text))'
    )
    assert [sent_words(call) for call in logged(tree)] == [{"form"}, {"payload"}, set()]
    assert any(list(logged(module.tree)) for module in modules("server"))


@pytest.mark.usefixtures("office")
def test_a_fault_of_the_database_does_not_tell_the_values_of_its_statement() -> None:
    with pytest.raises(SQLAlchemyError) as fault:
        read_session().execute(text("SELECT typed FROM nowhere WHERE typed = :typed"), {"typed": "M1H000001"})
    assert "M1H000001" not in str(fault.value)
