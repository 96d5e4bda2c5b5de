"""Over a line that drops, repeats and reorders: every call announced once, none lost."""

from random import Random

import pytest

from tests.display.feed_bench import FeedBench
from tests.display.office import Json, call, heartbeat, picture

pytestmark = [pytest.mark.browser, pytest.mark.alone]


def mistreated(messages: list[Json], chance: Random) -> list[Json]:
    """What a bad line makes of messages: some gone, some twice, some late."""
    kept = [message for message in messages if chance.random() > 0.3]
    doubled = kept + [message for message in kept if chance.random() < 0.3]
    return sorted(doubled, key=lambda message: message["sequence"] + chance.uniform(0, 3))


@pytest.mark.parametrize("seed", range(20))
def test_every_call_is_announced_exactly_once_whatever_the_line_does(bench: FeedBench, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 – a test's dice
    bench.live(0)
    made: list[Json] = []
    for _ in range(8):
        fresh = [call(len(made) + n, number=100 + len(made) + n) for n in range(1, chance.randint(2, 6))]
        made += fresh
        for message in mistreated(fresh, chance):
            bench.hear("call", message)
        bench.hear("heartbeat", heartbeat(len(made))).wait(0.6)
        while bench.under_way["picture"]:
            if chance.random() < 0.2:
                bench.fail().wait(1)
            else:
                bench.answer(picture(len(made), *made[:-7:-1]))
    assert sorted(bench.announced) == [message["sequence"] for message in made]
    assert bench.numbers == [message["number"] for message in made[:-7:-1]]
