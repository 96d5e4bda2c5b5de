"""Every refusal of the server, and which of them a device can be given."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import server
from server.errors import Refusal
from tests.architecture.project import dotted, modules


class Part(NamedTuple):
    """A function or class of the server, and what the names in its module mean."""

    tree: ast.AST
    meaning: dict[str, str]


@cache
def all_refusals() -> dict[str, type[Refusal]]:
    """Every class of refusal by its full name, after everything was imported."""
    for module in pkgutil.walk_packages(server.__path__, "server."):
        importlib.import_module(module.name)
    return {f"{kind.__module__}.{kind.__name__}": kind for kind in _below(Refusal)}


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("server"):
            yield child
        yield from _below(child)


@cache
def parts() -> dict[str, Part]:
    """Every function and class of the server by its full name."""
    found: dict[str, Part] = {}
    for module in modules("server"):
        name = module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        own = [node for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        meaning = {node.name: f"{name}.{node.name}" for node in own}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                meaning |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        found |= {f"{name}.{node.name}": Part(node, meaning) for node in own}
    return found


def _names(part: Part, tree: ast.AST) -> Iterator[str]:
    """The full names of what a tree speaks of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            first, dot, rest = dotted(node).partition(".")
            yield part.meaning.get(first, first) + dot + rest


def raised_by(start: str) -> set[str]:
    """Codes of all refusals that a function raises, or anything that it speaks of, however deep."""
    seen, to_see, codes = set[str](), {start}, set[str]()
    while to_see:
        name = to_see.pop()
        seen.add(name)
        part = parts()[name]
        raising = [node for node in ast.walk(part.tree) if isinstance(node, ast.Raise)]
        raised = {kind for node in raising for kind in _names(part, node)} & set(all_refusals())
        codes |= {all_refusals()[kind].code for kind in raised}
        to_see |= (set(_names(part, part.tree)) & set(parts())) - seen
    return codes


def views_of(module: str) -> list[str]:
    """The views of a module: its functions that have an address."""
    return [
        name
        for name, part in parts().items()
        if name.startswith(module + ".")
        and isinstance(part.tree, ast.FunctionDef)
        and any(dotted(mark).startswith("blueprint.") for mark in part.tree.decorator_list)
    ]
