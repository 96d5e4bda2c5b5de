"""The scanner's driver on a real kernel, with a USB keyboard that types as scanners do."""

import pytest

from tests.rig.conftest import Counter

pytestmark = pytest.mark.rig

CODE = "https://madoguchi.example/c/B-7K3F-9QXM-C"


@pytest.mark.parametrize("gap_ms", [0, 1, 5])
def test_a_scan_arrives_whole_however_fast_it_is_typed(counter: Counter, gap_ms: float) -> None:
    for number in range(3):
        counter.scan(f"{CODE}{number}", gap_ms)

    assert [counter.read() for _ in range(3)] == [f"{CODE}{number}" for number in range(3)]


def test_a_reader_that_was_held_up_gives_no_half_scan_and_the_next_one_is_whole(counter: Counter) -> None:
    counter.world.ask("signal", pid=counter.drivers.pid, name="SIGSTOP")
    counter.scan(CODE)
    counter.world.ask("signal", pid=counter.drivers.pid, name="SIGCONT")
    lost = counter.read()
    counter.scan(CODE)

    assert (lost, counter.read()) == ("lost: overrun", CODE)
