"""What the board shows (pure): the message of a call, and the picture."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from madoguchi.wire import BoardPicture, CallKind, CallMessage, LaneWaiting, Waiting, WaitView
from server.clock import office_time
from server.events import TicketCalled

CALLS_SHOWN = 6


class CallLike(Protocol):
    """What is needed of a call."""

    sequence: int
    number: int
    window_number: int
    at: datetime


def announcement(event: TicketCalled) -> CallMessage:
    """The message of one call: a nudge that holds its content."""
    return CallMessage(event.sequence, CallKind(event.kind), event.number, event.window, office_time(event.at))


def newest_of_each(calls: Sequence[CallLike], kinds: Sequence[str], away: Iterable[int]) -> list[CallMessage]:
    """The newest calling of each number, newest first; numbers that were missed stand in the absent list instead."""
    seen = set(away)
    shown = []
    for call, kind in zip(calls, kinds, strict=True):
        if call.number not in seen:
            seen.add(call.number)
            shown.append(
                CallMessage(call.sequence, CallKind(kind), call.number, call.window_number, office_time(call.at))
            )
    return shown[:CALLS_SHOWN]


def waiting_of(lanes: Iterable[tuple[dict[str, str], int, WaitView | None]]) -> Waiting:
    """People waiting, by lane and in all, and how long somebody would who came now."""
    rows = tuple(LaneWaiting(names, n, wait) for names, n, wait in lanes)
    return Waiting(sum(row.n for row in rows), rows)


def picture(
    sequence: int,
    now: datetime,
    office: dict[str, str],
    calls: list[CallMessage],
    absent: list[int],
    waiting: Waiting,
    walk_ins_ended: bool,
) -> BoardPicture:
    """The board's whole truth at one sequence."""
    return BoardPicture(sequence, office_time(now), office, tuple(calls), tuple(absent), waiting, walk_ins_ended)
