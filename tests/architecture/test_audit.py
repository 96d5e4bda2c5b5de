"""What the audit writes down can be read by those who look into it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import server
from server.offices.pages import VERBS


def verbs_written() -> Iterator[str]:
    """Every verb that the server's own code records; of one that is put together, its constant beginning."""
    for file in Path(str(server.__path__[0])).rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "record":
                words = [node.value for node in ast.walk(call.args[3]) if isinstance(node, ast.Constant)]
                yield from (word for word in words if isinstance(word, str))


def is_shown(verb: str) -> bool:
    """Whether the page of deeds has Japanese for it."""
    return any(known.startswith(verb) for known in VERBS) if verb.endswith(".") else verb in VERBS


def test_every_deed_that_is_written_down_is_shown_in_japanese() -> None:
    assert [verb for verb in sorted(set(verbs_written())) if not is_shown(verb)] == []
    assert "ticket.call_by_hand" in set(verbs_written())
