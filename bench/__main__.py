"""`python -m bench [NAME …]`: one line of JSON for each figure; progress on standard error."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from bench import (
    figure_bookings,
    figure_calls,
    figure_check_in,
    figure_estimate,
    figure_free_places,
    figure_memory,
    figure_queue,
    figure_queue_depth,
    figure_rush,
    figure_scan,
)
from bench.office import Copies
from bench.report import Line, put, tell
from tests.databases import postgres_cluster


def _bookings(with_postgresql: bool) -> Iterator[Line]:
    yield from figure_bookings.measure("sqlite")
    if with_postgresql:
        with postgres_cluster() as cluster:
            yield from figure_bookings.measure("postgresql", Copies(cluster.create))


def _rush(with_postgresql: bool) -> Iterator[Line]:
    yield from figure_rush.measure("sqlite")
    if with_postgresql:
        with postgres_cluster() as cluster:
            yield from figure_rush.measure("postgresql", Copies(cluster.create), processes=(1, 4))


def _free_places(with_postgresql: bool) -> Iterator[Line]:
    yield from figure_free_places.measure("sqlite")
    if with_postgresql:
        with postgres_cluster() as cluster:
            yield from figure_free_places.measure("postgresql", Copies(cluster.create))


def _queue_depth(with_postgresql: bool) -> Iterator[Line]:
    yield from figure_queue_depth.measure("sqlite")
    if with_postgresql:
        with postgres_cluster() as cluster:
            yield from figure_queue_depth.measure("postgresql", Copies(cluster.create))


FIGURES: dict[str, Callable[[bool], Iterator[Line]]] = {
    "scan_to_paper": lambda _: figure_scan.measure(),
    "check_in_request": lambda _: figure_check_in.measure(),
    "call_to_board": lambda _: figure_calls.measure(),
    "bookings_per_second": _bookings,
    "estimate": lambda _: figure_estimate.measure(),
    "rush": _rush,
    "free_places": _free_places,
    "queue_depth": _queue_depth,
    "memory": lambda _: figure_memory.measure(),
    "queue": lambda _: figure_queue.measure(),
}


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--postgresql", action="store_true", help="also on PostgreSQL where it matters")
    arguments = parser.parse_args()
    for name in arguments.names or FIGURES:
        began = time.monotonic()
        tell(f"{name} …")
        for line in FIGURES[name](arguments.postgresql):
            put(line)
        tell(f"{name}: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
