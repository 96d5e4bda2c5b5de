"""One line of JSON for each figure, with the raw limit that was measured beside it."""

import json
import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    """A figure: what was measured, the raw limit of the same run, and whether the aim is met."""

    figure: str
    facts: dict[str, Any]
    raw: dict[str, Any]
    ratio: float | None
    aim: str
    met: bool

    def to_json(self) -> dict[str, Any]:
        """In the order in which it is read."""
        return {
            "figure": self.figure,
            **self.facts,
            "raw": self.raw,
            "ratio": None if self.ratio is None else round(self.ratio, 2),
            "aim": self.aim,
            "met": self.met,
            "machine": {**machine(), "load": round(os.getloadavg()[0], 1)},
        }


@cache
def machine() -> dict[str, Any]:
    """What it ran on: no figure means anything without it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    cores = len(os.sched_getaffinity(0))
    return {"cpu": model, "cores": cores, "python": platform.python_version(), "kernel": platform.release()}


def put(line: Line) -> None:
    """Print a figure at once: a run takes minutes."""
    print(json.dumps(line.to_json(), ensure_ascii=False), flush=True)


def tell(text: str) -> None:
    """Progress, beside the figures."""
    print(text, file=sys.stderr, flush=True)
