"""Rules that say who is next, to be played on the same days."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.offices.policy import OfficePolicy
from server.queueing.rules import NobodyWaiting, StepClass, StepLike, choose_next


def own(heads: Sequence[StepLike], now: datetime, policy: OfficePolicy) -> StepLike:
    """The office's own rule, as it is."""
    return choose_next(heads, now, policy)[0]


def first_come(heads: Sequence[StepLike], _now: datetime, _: OfficePolicy) -> StepLike:
    """Everybody in the order of coming, booked or not."""
    return min(heads, key=lambda step: (step.entered_at, step.id))


def zms(heads: Sequence[StepLike], now: datetime, _: OfficePolicy) -> StepLike:
    """The rule of Berlin's and Munich's program (it-at-m/eappointment, `QueueList`, `WorkstationProcessNext`), with ten
    minutes a person and one workstation as there, and everybody at the priority they get by themselves.

    It plays the line through and calls the first in it who may be called: a booked person never before the booked time.
    There booked people stand in the line whether they have come or not; here they are given to it when they have.
    """
    booked = sorted((s for s in heads if s.step_class is not StepClass.WALK_IN), key=lambda s: (s.due_at, s.id))
    walk_ins = sorted((s for s in heads if s.step_class is StepClass.WALK_IN), key=lambda s: (s.entered_at, s.id))
    current = now + timedelta(seconds=120)
    while booked or walk_ins:
        first = booked if booked and (current >= booked[0].due_at or not walk_ins) else walk_ins
        step = first.pop(0)
        if step.step_class is StepClass.WALK_IN or step.due_at <= now:
            return step
        current += timedelta(minutes=10)
    raise NobodyWaiting
