"""What an office's own rows say of waiting, on each kind of database."""

from datetime import timedelta

from sqlalchemy import select

from server.db import read_session
from server.offices.models import Service, Terminal
from server.outlook.queries import minutes_at_stops, newcomers, waits
from server.queueing.models import VisitStep
from server.queueing.rules import Outcome
from server.queueing.waiting_time import Estimate
from tests.server.city import City


def lane(city: City, number: int = 1) -> Estimate:
    """What somebody is told who comes now, in the sample office's lane for pick-up (1) or certificates (2)."""
    read_session().rollback()
    return newcomers(read_session(), city.here, city.now)[number]


def test_with_all_windows_free_nobody_waits(city: City) -> None:
    city.open(2, 3)

    assert newcomers(read_session(), city.here, city.now) == {1: Estimate(0, 0, 0), 2: Estimate(0, 0, 0)}


def test_everybody_who_waits_has_an_estimate_in_the_order_of_the_calls(city: City) -> None:
    city.open(2, 3)
    for _ in range(6):
        city.come_without_booking()
    city.call_next(2)
    city.call_next(3)

    found = waits(read_session(), city.here, city.now)
    assert len(found) == 4
    likely = [found[step].likely for step in sorted(found)]
    assert likely == sorted(likely)


def test_before_the_first_window_opens_all_are_expected_and_with_all_closed_nothing_is_told(city: City) -> None:
    for _ in range(4):
        city.come_without_booking()
    assert lane(city).likely < 60

    city.open(2)
    city.close(2)
    assert newcomers(read_session(), city.here, city.now) == {}


def test_who_is_booked_and_not_here_yet_is_reckoned_with(city: City) -> None:
    city.at("9:10")
    city.open(2)
    for _ in range(3):
        city.come_without_booking()
    without = lane(city)
    for _ in range(2):
        city.booked("9:15")

    assert lane(city).likely > without.likely + 10


def test_a_family_takes_longer(city: City) -> None:
    city.open(2)
    city.come_without_booking()
    alone = lane(city)
    city.call_next(2)
    city.finish(2)
    city.come_without_booking(party=4)

    assert lane(city).likely > 2 * alone.likely


def test_a_further_procedure_takes_its_own_time_where_it_is_done(city: City) -> None:
    """A PIN of fifteen minutes at window 1, after the card at window 3: nobody waits for it there."""
    city.open(1, 3)
    city.come_without_booking()
    city.call_next(3)
    alone = lane(city)
    city.add(3, "pin")
    assert abs(lane(city).likely - alone.likely) < 2
    assert lane(city, 2).likely == 0

    city.pass_on(3)
    assert 10 < lane(city, 2).likely < 25


def test_procedures_of_one_lane_are_done_one_after_the_other(city: City) -> None:
    city.open(1)
    city.come_without_booking("certificate")
    city.call_next(1)
    alone = lane(city, 2)
    city.add(1, "pin")
    assert alone.likely + 8 < lane(city, 2).likely < 2 * alone.likely + 10


def test_of_several_procedures_at_a_window_each_is_learned_with_its_share(city: City) -> None:
    city.open(1, 2)
    for service, further in (("pickup", "pin"), ("certificate", "pin")):
        window = 1 if service == "certificate" else 2
        for _ in range(30):
            city.come_without_booking(service)
            city.call_next(window)
            city.add(window, further)
            city.clock.forward(minutes=7)
            city.finish(window, Outcome.LEFT)
    city.at(city.now + timedelta(days=1))

    known = minutes_at_stops(read_session(), city.here, city.now)
    minutes = {service: round(mean) for (service, _), mean in known.items()}
    by_code = {row.code: minutes.get(row.id) for row in read_session().scalars(select(Service))}
    # With pick-up the PIN is done elsewhere; of certificate (20 minutes in the file) and PIN (15) together 7 minutes.
    assert (by_code["pickup"], by_code["certificate"]) == (9, 8)


def test_how_long_visits_take_is_learned_from_the_days_before(city: City) -> None:
    city.open(2)
    for _ in range(30):
        city.come_without_booking()
        city.call_next(2)
        city.clock.forward(minutes=4)
        city.finish(2)
    city.clock.forward(minutes=10)
    city.come_without_booking()
    city.come_without_booking()
    today = lane(city)
    city.call_next(2)  # and left open over night
    city.at(city.now + timedelta(days=1))

    city.open(2)
    city.come_without_booking()
    city.come_without_booking()
    assert today.likely < 25
    assert lane(city).likely < 15


def test_a_broken_terminal_makes_the_range_wider(city: City) -> None:
    city.check_papers_first(terminals=2)
    city.open(1, 2, 3)
    for _ in range(5):
        city.come_without_booking()
        city.call_next(1)
        city.pass_on(1)
    last = read_session().scalars(select(VisitStep.id).order_by(VisitStep.id.desc()).limit(1)).one()
    both = waits(read_session(), city.here, city.now)[last]
    terminal = read_session().scalars(select(Terminal).limit(1)).one()
    city.set_row(terminal, is_down=True)
    one = waits(read_session(), city.here, city.now)[last]

    assert one.likely > both.likely
    assert one.most - one.least > both.most - both.least


def test_those_who_will_come_without_a_booking_are_learned_from_the_days_before(city: City) -> None:
    """Who comes before their booked time is called while nobody else waits: how long, depends on who else comes."""
    city.open(2)
    for _ in range(10):
        city.clock.forward(minutes=5)
        city.come_without_booking()
    city.at(city.now.replace(hour=9, minute=0) + timedelta(days=1))
    city.open(2)
    city.come_without_booking()
    city.call_next(2)
    _, booking = city.booked("10:00", city.now.date())
    city.scan(city.code(booking))
    step = read_session().scalars(select(VisitStep.id).order_by(VisitStep.id.desc()).limit(1)).one()

    assert waits(read_session(), city.here, city.now)[step].likely > 20
