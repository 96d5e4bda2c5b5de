"""People and staff who change the stock of places in seeded random order; light enough to be loaded by a process."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, select

from server import create_app
from server.booking.models import Channel, Slot
from server.booking.places import make_slots, make_waiting
from server.booking.rules import Overbook
from server.booking.service import book, cancel_booking, hold_slot, move_booking, sweep_lapsed_holds
from server.booking.worklist import move_all, settle
from server.db import db, read_session, transaction
from server.edge import Parts
from server.errors import Refusal
from server.offices.models import OpeningRule, Pool
from server.offices.opening_rules import RuleKind
from server.offices.service import set_policy
from server.settings import Settings
from tests.fakes import MONDAY_NINE, StandingClock, asked_by

MONDAY = MONDAY_NINE.date()
LATER = MONDAY_NINE + timedelta(minutes=11)


@dataclass
class Crowd:
    """Some people, and what they want, one after the other, by the seed."""

    seed: int
    office: int
    people: Sequence[int]
    slots: Sequence[UUID]
    booked: dict[int, UUID] = field(default_factory=dict)
    held: dict[int, UUID] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    confirmed: int = 0

    def live(self, app: Flask, deeds: int, staff: bool, lengths: bool = False) -> "Crowd":
        """So many deeds; a refusal is an answer, anything else a fault. With `staff` the office changes things, too;
        with `lengths` it changes the length of its slots."""
        rng, parts = Random(self.seed), app.extensions["madoguchi"]  # noqa: S311 - the same order each time
        for _ in range(deeds):
            of_people: list[Callable[[Random, Parts], None]] = [self.hold, self.hold, self.confirm, self.confirm]
            of_people += [self.move, self.cancel]
            of_staff = [self.resize, self.close_or_open, self.lapse, self.move_all, self.overbook]
            if lengths:
                of_people = [self.fill, self.fill, self.cancel]
                of_staff = [self.cut, self.cut, self.close_or_open, self.make]
            choice = rng.choice(of_staff if staff and rng.random() < 0.2 else of_people)
            try:
                choice(rng, parts)
            except Refusal as refusal:
                self.refused.append(refusal.code)
        return self

    def hold(self, rng: Random, parts: Parts, overbook: Overbook | None = None) -> None:
        """Keep a place."""
        who = rng.choice(self.people)
        channel = Channel.PHONE if overbook else rng.choice((Channel.WEB, Channel.PHONE))
        slot = rng.choice(self.slots)
        asked = hold_slot(asked_by("x"), parts.keyring, [who], slot, channel, "ja", MONDAY_NINE, overbook)
        self.held[who] = asked.booking

    def fill(self, _rng: Random, parts: Parts) -> None:
        """All who have nothing take what there is."""
        for who in self.people:
            for slot in self.slots if who not in self.booked else ():
                with suppress(Refusal):
                    held = hold_slot(asked_by("x"), parts.keyring, [who], slot, Channel.PHONE, "ja", MONDAY_NINE)
                    self.booked[who] = book(asked_by("x"), who, held.booking, MONDAY_NINE).booking
                    self.confirmed += 1
                    break
                self.refused.append("full")

    def overbook(self, rng: Random, parts: Parts) -> None:
        """Staff keep a place that is beyond the size."""
        self.hold(rng, parts, Overbook.WELFARE)

    def confirm(self, rng: Random, _parts: Parts) -> None:
        """Book what is held."""
        if self.held:
            who = rng.choice(sorted(self.held))
            self.booked[who] = book(asked_by("x"), who, self.held.pop(who), MONDAY_NINE).booking
            self.confirmed += 1

    def move(self, rng: Random, _parts: Parts) -> None:
        """Another time."""
        if self.booked:
            who = rng.choice(sorted(self.booked))
            move_booking(asked_by("x"), who, self.booked[who], rng.choice(self.slots), Channel.PHONE, MONDAY_NINE)

    def cancel(self, rng: Random, _parts: Parts) -> None:
        """Give it back."""
        if self.booked:
            who = rng.choice(sorted(self.booked))
            cancel_booking(asked_by("x"), who, self.booked[who], MONDAY_NINE)
            del self.booked[who]

    def lapse(self, _rng: Random, _parts: Parts) -> None:
        """All holds are over."""
        sweep_lapsed_holds(LATER)

    def resize(self, rng: Random, _parts: Parts) -> None:
        """Another share for people without a booking."""
        set_policy(self.office, None, "walk_in_percent", rng.choice((0, 25, 100)), MONDAY, "x", MONDAY_NINE)
        make_slots(self.office, MONDAY, MONDAY, MONDAY_NINE)

    def cut(self, rng: Random, _parts: Parts) -> None:
        """Slots become longer or shorter; all want the hour from ten on, as it is cut now."""
        set_policy(self.office, None, "slot_minutes", rng.choice((10, 15, 30)), MONDAY, "x", MONDAY_NINE)
        make_slots(self.office, MONDAY, MONDAY, MONDAY_NINE)
        ten = MONDAY_NINE + timedelta(hours=1)
        hour = select(Slot.uid).join(Pool, Pool.id == Slot.pool_id).where(Pool.office_id == self.office)
        hour = hour.where(Slot.starts_at >= ten, Slot.starts_at < ten + timedelta(hours=1), Slot.closed.is_(False))
        self.slots = read_session().scalars(hour.order_by(Slot.starts_at)).all() or self.slots

    def make(self, _rng: Random, _parts: Parts) -> None:
        """The sweep makes the places that were given back."""
        make_waiting(self.office, MONDAY_NINE)

    def close_or_open(self, rng: Random, _parts: Parts) -> None:
        """The office closes today, or opens again."""
        with transaction() as tx:
            tx.session.execute(delete(OpeningRule).where(OpeningRule.on_date == MONDAY))
            if rng.random() < 0.3:
                closed = {"kind": RuleKind.DATED, "on_date": MONDAY, "closed": True}
                tx.session.add(OpeningRule(office_id=self.office, **closed))
        make_slots(self.office, MONDAY, MONDAY, MONDAY_NINE)

    def move_all(self, _rng: Random, _parts: Parts) -> None:
        """Who lost a place is moved to the next free one."""
        move_all(asked_by("x"), self.office, MONDAY_NINE, most=2)
        settle(MONDAY_NINE)


def live_in_a_process(settings: Settings, crowd: Crowd, deeds: int) -> Crowd:
    """A process of its own on the same database."""
    app = create_app(settings, StandingClock(MONDAY_NINE))
    with app.app_context():
        try:
            return crowd.live(app, deeds, True)
        finally:
            db.session.remove()
            db.engine.dispose()
