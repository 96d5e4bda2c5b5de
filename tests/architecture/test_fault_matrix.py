"""Each row of the fault matrix in docs/operations.md is a test of the rig, and each of those tests is a row."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows() -> list[str]:
    """The faults of the table, in its order."""
    manual = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = manual.partition("| fault |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def tried() -> list[str]:
    """The faults that are tried, in words."""
    source = (ROOT / "tests/rig/test_faults.py").read_text(encoding="utf-8")
    return [name.replace("_", " ") for name in re.findall(r"^def test_(\w+)", source, re.MULTILINE)]


def test_each_fault_in_the_manual_is_tried_and_each_that_is_tried_is_in_the_manual() -> None:
    assert rows() == tried()
    assert len(rows()) > 10
