"""Which entry point runs when. Jobs only tidy: nothing is wrong while they are late.

Interval sweeps only, which ask the clock themselves; with several processes each run takes the database's own locks.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from server.auth.attempts import forget_old_attempts
from server.booking.places import extend_slots, make_waiting, nightly
from server.booking.service import sweep_lapsed_holds, sweep_past_bookings
from server.booking.worklist import settle
from server.daylist.service import make_day_lists
from server.db import db, read_session, transaction
from server.edge import Parts
from server.emergency.papers import draw
from server.emergency.service import write_emergency_lists
from server.errors import Refusal
from server.offices.holiday_service import keep_holidays
from server.offices.queries import all_offices
from server.queueing.service import close_past_days
from server.repeats import forget_old

log = logging.getLogger(__name__)


def sweeps(app: Flask, parts: Parts) -> list[Callable[[], None]]:
    """The jobs, each in its own app context."""

    def job(run: Callable[[datetime], object]) -> Callable[[], None]:
        def in_context() -> None:
            with app.app_context():
                try:
                    run(parts.clock.now())
                except Refusal as refusal:
                    # Another process was at it, or the database is busy: the next run will do it.
                    log.info("%s put off: %s", run.__name__, refusal.code)
                finally:
                    db.session.remove()

        in_context.__name__ = run.__name__
        return in_context

    def emergency_lists(now: datetime) -> None:
        if folder := parts.settings.emergency_folder:
            write_emergency_lists(Path(folder), draw, parts.run, now)

    jobs = (
        keep_holidays,
        sweep_lapsed_holds,
        _extend_all,
        close_past_days,
        sweep_past_bookings,
        settle,
        nightly,
        make_day_lists,
        emergency_lists,
        _forget,
    )
    return [job(run) for run in jobs]


def start(app: Flask, parts: Parts) -> BackgroundScheduler:
    """Start the timetable of this process."""
    scheduler = BackgroundScheduler(
        timezone="Asia/Tokyo", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    for sweep in sweeps(app, parts):
        scheduler.add_job(sweep, "interval", seconds=parts.settings.sweep_s, id=sweep.__name__)
    scheduler.start()
    return scheduler


def make_places_now(scheduler: BackgroundScheduler) -> None:
    """Do not wait for the next sweep: the opening hours were changed."""
    scheduler.add_job(scheduler.get_job(_extend_all.__name__).func, id="places_now", replace_existing=True)


def _extend_all(now: datetime) -> None:
    for office_id in [office.id for office in all_offices(read_session())]:
        make_waiting(office_id, now)
        extend_slots(office_id, now)


def _forget(now: datetime) -> None:
    with transaction() as tx:
        forget_old(tx, now)
        forget_old_attempts(tx, now)
