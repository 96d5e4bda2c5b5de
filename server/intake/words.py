"""How staff read the state of receiving people without a booking."""

from datetime import datetime

from server.clock import office_time
from server.intake.queries import Intake
from server.intake.rules import Choice, in_force

CHOICES = {Choice.OPEN: "受け付ける", Choice.CLOSED: "終了する", Choice.BY_ITSELF: "自動にする"}
WHY = {Choice.OPEN: "職員が再開", Choice.CLOSED: "職員が終了", Choice.BY_ITSELF: "自動"}


def state_line(intake: Intake, now: datetime) -> str:
    """One line for the desk: received or not, why, and when somebody who comes now would be served."""
    if intake.closing is None:
        return "受付時間外"
    state = "受付中" if intake.received else "終了"
    if intake.last_walk_in is not None and now > intake.last_walk_in:
        return f"{state}（最終受付 {_hm(intake.last_walk_in)}）"
    why = WHY[in_force(intake.decision, None)]
    end = "" if intake.end is None else f"　いま来た方が終わる見込み {_hm(intake.end)}"
    return f"{state}（{why}）{end}"


def _hm(moment: datetime) -> str:
    return f"{office_time(moment):%H:%M}"
