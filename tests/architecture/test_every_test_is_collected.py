"""No test lies dead in its file, none is put off, none changes the program under its feet."""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from tests.architecture.project import Module, dotted, imports, modules

# Changing the program from outside is a last resort; a module that does it stands here with its reason.
MAY_PATCH: dict[str, str] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef
PATCHING = ("unittest.mock", "mock", "pytest_mock")
# Functions so marked are called by pytest or hypothesis.
CALLED = {"fixture", "invariant", "rule", "initialize"}
PUT_OFF = {"skip", "skipif", "xfail", "importorskip", "skipTest", "expectedFailure"}


class Dead(NamedTuple):
    """A function that looks like a test and is none."""

    module: str
    name: str


@cache
def modules_of_tests() -> list[Module]:
    """Every module of the tests, benchmarks included."""
    return list(modules("tests", "bench"))


def decorators(function: Function | ast.ClassDef) -> set[str]:
    """The last words of how a function or class is marked."""
    return {dotted(decorator).rpartition(".")[2] for decorator in function.decorator_list}


def names_in(tree: ast.AST) -> set[str]:
    """Every name that is used in a tree: called, passed on, or as an attribute."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def asserts(function: Function) -> bool:
    """Whether it claims anything."""
    return any(isinstance(node, ast.Assert) or "raises" in names_in(node) for node in ast.walk(function))


def candidates(tree: ast.Module) -> Iterator[Function]:
    """Functions that pytest would look at: of the module, and of its classes whatever they are called."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, Function))
        elif isinstance(node, Function):
            yield node


def unused(module: Module, elsewhere: set[str]) -> list[Dead]:
    """Functions that take something, claim something, and that neither pytest nor anybody else calls."""
    functions = [f for f in candidates(module.tree) if not f.name.startswith(("test_", "__"))]
    used = names_in(module.tree) | elsewhere
    return [
        Dead(module.name, f.name)
        for f in functions
        if f.args.args and asserts(f) and not decorators(f) & CALLED and f.name not in used
    ]


def collected_nowhere(module: Module) -> list[Dead]:
    """Tests in a file or a class of which pytest does not know that it holds tests."""
    file = module.name.rpartition("/")[2]
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    hidden = [c for c in classes if not c.name.startswith("Test") and "RuleBasedStateMachine" not in bases(c)]
    parts = [part for c in hidden for part in c.body]
    parts += [] if file.startswith("test_") else module.tree.body
    return [Dead(module.name, f.name) for f in parts if isinstance(f, Function) and f.name.startswith("test_")]


def bases(kind: ast.ClassDef) -> set[str]:
    """Names of the classes it is made from."""
    return {dotted(base).rpartition(".")[2] for base in kind.bases}


def named_twice(module: Module) -> list[Dead]:
    """Tests that a later one of the same name hides."""
    scopes = [module.tree.body, *(n.body for n in module.tree.body if isinstance(n, ast.ClassDef))]
    names = [[part.name for part in scope if isinstance(part, Function)] for scope in scopes]
    return [Dead(module.name, n) for scope in names for n in set(scope) if scope.count(n) > 1 and n.startswith("test_")]


def test_what_claims_something_is_a_test_a_fixture_or_called_by_one() -> None:
    nodes = [node for module in modules_of_tests() for node in ast.walk(module.tree)]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {name.rpartition(".")[2] for module in modules_of_tests() for name in imports(module.tree)}
    assert [found for module in modules_of_tests() for found in unused(module, used)] == []


def test_every_test_stands_where_pytest_finds_it() -> None:
    assert [found for module in modules_of_tests() for found in collected_nowhere(module)] == []


def test_no_test_hides_another_of_the_same_name() -> None:
    assert [found for module in modules_of_tests() for found in named_twice(module)] == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    put_off = {
        f"{module.name}:{node.lineno}"
        for module in modules_of_tests()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in PUT_OFF and dotted(node).startswith(("pytest", "unittest"))
    }
    assert put_off == set()


def test_no_test_uses_mocks() -> None:
    mocking = {m.name for m in modules_of_tests() for name in imports(m.tree) if name.startswith(PATCHING)}
    assert mocking == set()


def test_only_the_modules_listed_change_the_program_from_outside() -> None:
    arguments = {m.name: {a.arg for a in ast.walk(m.tree) if isinstance(a, ast.arg)} for m in modules_of_tests()}
    patching = {name for name, taken in arguments.items() if "monkeypatch" in taken}
    named = {m.name for m in modules_of_tests() if "MonkeyPatch" in names_in(m.tree)} - {OWN}
    assert patching | named == set(MAY_PATCH)


OWN = "tests/architecture/test_every_test_is_collected.py"

DEAD = """
def a_lost_scan_is_told(office: Office) -> None:
    assert office.told
"""
HELPER = DEAD + "def test_it(office: Office) -> None:\n    a_lost_scan_is_told(office)\n"
FIXTURE = "@pytest.fixture" + DEAD
HIDDEN = "class Scanning:\n    def test_it(self) -> None:\n        assert True\n"
TWICE = "def test_it() -> None:\n    assert True\n" * 2


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param(DEAD, 1, id="a test without its prefix"),
        pytest.param(HELPER, 0, id="a helper that a test calls"),
        pytest.param(FIXTURE, 0, id="a fixture that claims something"),
        pytest.param(HIDDEN, 1, id="a test in a class of another name"),
        pytest.param(TWICE, 1, id="two tests of one name"),
    ],
)
def test_the_scan_sees_what_it_looks_for(source: str, found: int) -> None:
    module = Module("tests/test_scanning.py", ast.parse(source))
    assert len([*unused(module, set()), *collected_nowhere(module), *named_twice(module)]) == found
