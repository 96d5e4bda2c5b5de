"""Doing things at once, in threads of this process: each with a context of its own, all let go at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask

from server.db import db
from server.errors import Refusal

T = TypeVar("T")
Deed = Callable[[], object]
PATIENCE_S = 60


def at_once(app: Flask, deeds: Sequence[Callable[[], T]]) -> list[T | Refusal]:
    """What each deed answered, a refusal being an answer; any fault fails the test."""
    gate = threading.Barrier(len(deeds))

    def one(deed: Callable[[], T]) -> T | Refusal:
        with app.app_context():
            try:
                gate.wait(PATIENCE_S)
                return deed()
            except Refusal as refusal:
                return refusal
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(one, deeds, timeout=PATIENCE_S))


def codes(answers: Sequence[object]) -> list[str]:
    """The refusals among the answers, by code."""
    return sorted(answer.code for answer in answers if isinstance(answer, Refusal))


def done(answers: Sequence[T | Refusal]) -> list[T]:
    """What was not refused."""
    return [answer for answer in answers if not isinstance(answer, Refusal)]
