"""The project's own files: what is tracked or about to be, never what set-up brought in."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Module(NamedTuple):
    """A Python file, read."""

    name: str
    tree: ast.Module


@cache
def own_files() -> tuple[str, ...]:
    """Every file that belongs to the project, from its root; a new one counts before it is committed."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our words
    return tuple(sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


def text_of(name: str) -> str:
    """What is in a file, if it is text."""
    data = (ROOT / name).read_bytes()
    return "" if b"\0" in data else data.decode("utf-8")


def modules(*folders: str) -> Iterator[Module]:
    """The Python files under these folders."""
    for name in own_files():
        if name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in folders)):
            yield Module(name, ast.parse(text_of(name), name))


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is just that, calls left out: `session().commit` is `session.commit`."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call in a file or a part of it."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module or name that is imported, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
