"""queue_depth: what 次を呼ぶ costs when many wait, beside the same when few do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic_ns
from uuid import uuid4

from sqlalchemy import insert, select, text, update

from bench.numbers import Milliseconds
from bench.office import Databases, Office, found_office
from bench.report import Line, tell
from bench.site import site
from server.clock import business_date
from server.db import db, new_uid, read_session, transaction
from server.offices.models import Lane, Series, Service, Window
from server.queueing.models import Ticket, TicketState, Visit, VisitPerson, VisitStep
from server.queueing.rules import AT_WINDOW, StepClass, StepState
from server.queueing.service import call_next, open_window
from server.repeats import Caller

FEW, DEPTHS = 50, (500, 5000)
ROUNDS, SAMPLES = 3, 60
AT_MOST = 1.5
AIM = f"p50 and p99 ≤ {AT_MOST} × the same with {FEW} waiting"


@dataclass
class Queue:
    """An office in which so many wait, and how long each round of calls took."""

    office: Office
    waiting: int
    rounds: list[Milliseconds] = field(default_factory=list)

    def call(self) -> None:
        """One round; whoever was called stands in the line again before the next call."""
        now = self.office.now()
        window = read_session().scalars(select(Window.id).order_by(Window.number)).first() or 0
        open_window(_asking(), window, 1, now)
        took = []
        for _ in range(SAMPLES):
            asking, now = _asking(), self.office.now()
            began = monotonic_ns()
            call_next(asking, window, now)
            took.append(monotonic_ns() - began)
            db.session.remove()  # as at the end of a request
            with transaction() as tx:
                back = {"state": StepState.WAITING, "window_id": None}
                tx.session.execute(update(VisitStep).where(VisitStep.state.in_(AT_WINDOW)).values(back))
        self.rounds.append(Milliseconds.of(took))


def measure(kind: str, databases: Databases | None = None) -> Iterator[Line]:
    """One line for each depth."""
    with site(databases) as here:
        template = found_office(here.databases, 2)
        queues = [Queue(template.copy(here.databases), n) for n in (FEW, *DEPTHS)]
        for queue in queues:
            with queue.office.app():
                _fill(queue)
        for n in range(ROUNDS + 1):
            tell(f"queue_depth on {kind}: round {n} of {ROUNDS}")
            for queue in queues if n % 2 else reversed(queues):
                with queue.office.app():
                    queue.call()
    # The first round only warms up.
    few, *many = ((queue, Milliseconds.median_of(queue.rounds[1:])) for queue in queues)
    for queue, took in many:
        yield _line(kind, queue.waiting, took, few[1])


def _line(kind: str, waiting: int, took: Milliseconds, few: Milliseconds) -> Line:
    facts = {"database": kind, "waiting": waiting, **took.to_json()}
    raw = {"what": AIM.partition(" × ")[2], **few.to_json()}
    met = took.p50 <= AT_MOST * few.p50 and took.p99 <= AT_MOST * few.p99
    return Line("queue_depth", facts, raw, took.p50 / few.p50, AIM, met)


def _asking() -> Caller:
    return Caller("staff:1", str(uuid4()))


def _fill(queue: Queue) -> None:
    """People of all classes, due a few seconds after each other, as if they had come through the morning."""
    now, n = queue.office.now(), range(1, queue.waiting + 1)
    with transaction() as tx:
        session, day = tx.session, business_date(now)
        service = session.scalars(select(Service).where(Service.code == "pickup")).one()
        lane = session.scalars(select(Lane).where(Lane.code == "pickup")).one()
        series = session.scalars(select(Series).where(Series.lane_id == lane.id, Series.device_id.is_(None))).one()
        visit = {"office_id": lane.office_id, "business_date": day, "arrived_at": now, "received_at": now}
        visit |= {"priority": 0, "origin": "kiosk", "live": True}
        session.execute(insert(Visit), [{"id": i, "uid": new_uid(now), **visit} for i in n])
        person = {"position": 1, "service_id": service.id, "case": "self", "stops_done": 0, "live": True}
        session.execute(insert(VisitPerson), [{"visit_id": i, **person} for i in n])
        ticket = {"series_id": series.id, "business_date": day, "issued_at": now, "state": TicketState.LIVE}
        session.execute(insert(Ticket), [{"uid": new_uid(now), "visit_id": i, "number": i, **ticket} for i in n])
        step = {"position": 1, "lane_id": lane.id, "service_id": service.id, "state": StepState.WAITING, "calls": 0}
        step |= {"terminal_kind": "", "ready": True, "entered_at": now}
        classes = list(StepClass)
        session.execute(
            insert(VisitStep),
            [
                {
                    "visit_id": i,
                    "step_class": classes[i % len(classes)],
                    "due_at": now + timedelta(seconds=i - queue.waiting // 2),
                    **step,
                }
                for i in n
            ],
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
