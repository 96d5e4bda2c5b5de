"""Requests and answers between the test and the guest: one JSON object a line, one answer to each request."""

import json
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Deeds = Mapping[str, Callable[..., Any]]


def open_port(name: str) -> int:
    """The guest's end of a line, by its name. Raises TimeoutError when the machine has none."""
    for _ in range(500):
        for port in Path("/sys/class/virtio-ports").glob("*"):
            if (port / "name").read_text().strip() == name:
                return os.open(f"/dev/{port.name}", os.O_RDWR | os.O_CLOEXEC)
        time.sleep(0.02)
    raise TimeoutError(f"no line {name!r}")


def serve(line: int, deeds: Deeds) -> None:
    """Say that we are here, then do what is asked until the other side is gone for good."""
    _send(line, {"here": os.getpid()})
    for said in _lines(line):
        try:
            answer = {"result": deeds[said["do"]](**said["with"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        _send(line, answer)


def _lines(line: int) -> Iterator[dict[str, Any]]:
    rest = b""
    while True:
        data = os.read(line, 65536)
        if not data:
            time.sleep(0.02)  # the other side is not there yet
            continue
        *whole, rest = (rest + data).split(b"\n")
        for text in whole:
            yield json.loads(text)


def _send(line: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(line, data) :]
