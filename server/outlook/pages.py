"""The page of a ticket: how many are before it, how long it will take, to which window it is called.

Public: whoever holds the paper has the code. It says nothing of a person, and the same for every code it does not know.
"""

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from madoguchi import codes
from server.auth.guards import public
from server.clock import office_time
from server.db import read_session
from server.edge import name_of, now
from server.errors import NotFound
from server.limits import TICKET, limiter
from server.outlook.queries import standing
from server.queueing.rules import StepState

blueprint = Blueprint("ticket", __name__)

EVERY_S = 30
"""So often an open page is read again: by the browser itself, without a script."""
OVER = (StepState.DONE, StepState.VOID)


class TicketNotFound(NotFound):
    """No ticket of today has this code."""

    code = "ticket_not_found"


@blueprint.get("/t/<code>")
@public
@limiter.limit(TICKET)
def show(code: str) -> ResponseReturnValue:
    """How a ticket stands, as of now."""
    read = codes.read(code, hosts=())
    if not isinstance(read, codes.Code) or read.kind is not codes.Kind.TICKET:
        read = codes.Code(codes.Kind.TICKET, "")  # looked for all the same, so that the answer takes as long
    moment = now()
    found = standing(read_session(), read, moment)
    if found is None:
        raise TicketNotFound
    over = found.state in OVER
    page = render_template(
        "ticket.html",
        ticket=found,
        office=name_of(found.office),
        lane=name_of(found.lane),
        moment=office_time(moment),
        state=StepState.DONE if over else StepState.CALLED if found.window is not None else found.state,
    )
    answer = make_response(page)
    if not over:
        answer.headers["Refresh"] = str(EVERY_S)
    return answer
