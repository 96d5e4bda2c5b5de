"""Bookings against a model of a few lines: whatever people do in whatever order, both agree after each step."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server import create_app
from server.booking.service import sweep_lapsed_holds
from server.clock import office_time
from server.db import db
from server.errors import Refusal
from tests.conftest import Office, settings_for
from tests.fakes import MONDAY_NINE, StandingClock
from tests.server.city import City, Person, moment

PLACES = {"10:15": 1, "10:30": 1, "11:00": 2}
HOLD, GRACE = timedelta(minutes=10), timedelta(minutes=15)


@dataclass
class Claim:
    """What the model knows of one person's newest booking."""

    uid: UUID
    time: str
    state: str
    until: datetime | None = None


@dataclass
class Model:
    """Who claims which time."""

    now: datetime = MONDAY_NINE
    claims: dict[int, Claim] = field(default_factory=dict)

    def live(self, who: int) -> Claim | None:
        """Somebody's claim, if it counts now."""
        claim = self.claims.get(who)
        if claim is None or claim.state not in ("held", "confirmed", "checked_in"):
            return None
        return None if claim.state == "held" and claim.until is not None and claim.until <= self.now else claim

    def free(self, time: str, without: int | None = None) -> int:
        """Places of a time, not counting somebody's own claim."""
        taken = [w for w in self.claims if w != without and (c := self.live(w)) is not None and c.time == time]
        return PLACES[time] - len(taken)

    def hold(self, who: int, time: str) -> str:
        """What holding must answer."""
        claim = self.live(who)
        if claim is not None and claim.state != "held":
            return "already_booked"
        if moment(time) <= self.now:
            return "slot_not_bookable"
        return "ok" if self.free(time, without=who) > 0 else "slot_full"

    def book(self, who: int) -> str:
        """What booking must answer."""
        claim = self.claims[who]
        if claim.state in ("held", "lapsed"):
            return "ok" if self.live(who) else "hold_lapsed"
        return "booking_state"

    def move(self, who: int, time: str) -> str:
        """What moving (by phone) must answer."""
        claim = self.claims[who]
        if claim.state != "confirmed" or moment(claim.time) <= self.now:
            return "too_late_to_cancel"
        if claim.time == time:
            return "ok"
        if moment(time) + timedelta(minutes=15) <= self.now:
            return "slot_not_bookable"
        return "ok" if self.free(time) > 0 else "slot_full"

    def cancel(self, who: int) -> str:
        """What cancelling must answer."""
        claim = self.claims[who]
        if claim.state == "checked_in" or (claim.state == "confirmed" and moment(claim.time) <= self.now):
            return "too_late_to_cancel"
        return "ok" if claim.state in ("held", "confirmed") else "booking_state"

    def scan(self, who: int) -> str:
        """What checking in must answer."""
        state = self.claims[who].state
        return {"confirmed": "ok", "checked_in": "ok", "cancelled": "booking_cancelled"}.get(state, "not_booked")


class Bookings(RuleBasedStateMachine):
    """Four people, three times, and a clock that only goes forward."""

    template: Path
    people = st.integers(0, 3)
    times = st.sampled_from(sorted(PLACES))

    @initialize()
    def begin(self) -> None:
        """A fresh city."""
        self.folder = Path(tempfile.mkdtemp(prefix="madoguchi-model-"))
        shutil.copy(self.template, self.folder / "city.db")
        clock = StandingClock()
        given = settings_for(f"sqlite:///{self.folder}/city.db")
        app = create_app(given, clock)
        self.context = app.app_context()
        self.context.push()
        self.city = City(Office(app, clock, [], given))
        self.persons: list[Person] = self.city.people(4)
        self.model = Model()
        for time, places in PLACES.items():
            self.city.set_row(self.city.place(time), bookable=places)

    def teardown(self) -> None:
        """The city is gone."""
        if hasattr(self, "context"):
            db.session.remove()
            db.engine.dispose()
            self.context.pop()
            shutil.rmtree(self.folder)

    def _do(self, deed: Callable[[], object]) -> str:
        try:
            deed()
        except Refusal as refusal:
            return refusal.code
        return "ok"

    @rule(who=people, time=times)
    def hold(self, who: int, time: str) -> None:
        """Keep a place on the web."""
        expected = self.model.hold(who, time)
        assert self._do(lambda: self.city.hold(self.persons[who], time)) == expected
        if expected == "ok":
            held = self.city.live(self.persons[who])
            assert held is not None
            self.model.claims[who] = Claim(held.uid, time, "held", self.model.now + HOLD)

    @rule(who=people)
    def book(self, who: int) -> None:
        """Make the hold a booking."""
        if who in self.model.claims:
            claim, expected = self.model.claims[who], self.model.book(who)
            assert self._do(lambda: self.city.book(self.persons[who], claim.uid)) == expected
            if expected == "ok":
                claim.state, claim.until = "confirmed", None

    @rule(who=people, time=times)
    def move(self, who: int, time: str) -> None:
        """Another time, by phone."""
        if who in self.model.claims:
            claim, expected = self.model.claims[who], self.model.move(who, time)
            assert self._do(lambda: self.city.move(self.persons[who], claim.uid, time)) == expected
            if expected == "ok":
                claim.time = time

    @rule(who=people)
    def cancel(self, who: int) -> None:
        """Give it back."""
        if who in self.model.claims:
            claim, expected = self.model.claims[who], self.model.cancel(who)
            answer = self._do(lambda: self.city.cancel(self.persons[who], claim.uid))
            if claim.state == "held" and self.model.live(who) is None:
                # A lapsed hold may have been released by somebody else already.
                assert answer in ("ok", "booking_state")
                claim.state = "cancelled" if answer == "ok" else "lapsed"
                return
            assert answer == expected
            if expected == "ok":
                claim.state = "cancelled"

    @rule(who=people)
    def scan(self, who: int) -> None:
        """Come to the kiosk."""
        if who in self.model.claims:
            claim, expected = self.model.claims[who], self.model.scan(who)
            answer = self._do(lambda: self.city.scan(self.city.code(claim.uid)))
            assert answer == expected
            if expected == "ok":
                claim.state = "checked_in"

    @rule(minutes=st.integers(1, 25))
    def wait(self, minutes: int) -> None:
        """Time passes, until half past ten."""
        if self.model.now + timedelta(minutes=minutes) <= moment("10:35"):
            self.model.now += timedelta(minutes=minutes)
            self.city.clock.forward(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        """The tidying job runs."""
        sweep_lapsed_holds(self.city.now)

    @invariant()
    def places_are_as_the_model_says(self) -> None:
        """Counters equal their bookings; nothing is sold twice; every claim has its place."""
        if not hasattr(self, "city"):
            return
        assert self.city.has_right_counters()
        for time, places in PLACES.items():
            slot = self.city.place(time)
            assert slot.bookable == places
            assert places - self.model.free(time) <= slot.taken <= places

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        """Each person's live booking is the model's."""
        if not hasattr(self, "city"):
            return
        for who, person in enumerate(self.persons):
            booking, claim = self.city.live(person), self.model.live(who)
            found = booking and (booking.uid, booking.state.value, f"{office_time(booking.starts_at):%H:%M}")
            assert found == (claim and (claim.uid, claim.state, claim.time))


def test_whatever_people_do_the_places_are_those_of_the_model(sqlite_template: tuple[Path, list[object]]) -> None:
    machine = type("BookingsOfTheSampleCity", (Bookings,), {"template": sqlite_template[0]})
    quick = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))

    run_state_machine_as_test(machine, settings=quick)
