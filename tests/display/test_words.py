"""Sentences and clock as the board writes them, and the messages that were agreed on."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from display import STATIC, TEMPLATES
from madoguchi.texts import Texts
from tests.display.feed_bench import FeedBench

EXAMPLES = Path(__file__).parents[1] / "contracts" / "examples"


def example(name: str) -> object:
    """A reviewed example of what the server sends."""
    read: object = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return read


@pytest.mark.browser
class TestAgreedMessages:
    def test_the_board_understands_the_agreed_picture(self, bench: FeedBench) -> None:
        bench.start(example("board_picture"))
        assert (bench.settled, bench.numbers, bench.absent, bench.waiting) == (17, [62, 301], [58], 8)

    def test_the_board_understands_the_agreed_heartbeat_and_people_waiting(self, bench: FeedBench) -> None:
        bench.start(example("board_picture")).hear("heartbeat", example("heartbeat"))
        assert bench.hear("waiting", example("waiting")).link == "live"

    def test_the_board_understands_the_agreed_call(self, bench: FeedBench) -> None:
        before = {**dict(example("board_picture")), "sequence": 16, "calls": []}  # type: ignore[call-overload]  # it is a dict
        assert bench.start(before).hear("call", example("call_message")).announced == [17]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("told", "face"),
    [
        ("2026-11-30T10:15:59+09:00", {"time": "10:15", "ja": "11月30日（月）", "en": "Mon 30 Nov"}),
        ("2027-01-01T00:05:00+09:00", {"time": "0:05", "ja": "1月1日（金）", "en": "Fri 1 Jan"}),
        ("2026-11-29T16:00:00Z", {"time": "16:00", "ja": "11月29日（日）", "en": "Sun 29 Nov"}),
    ],
)
def test_the_clock_shows_the_time_of_the_offices_own_zone(bench_page: Page, told: str, face: dict[str, str]) -> None:
    script = """async (told) => {
        const [{ clockFace }, { readTime }] = [await import("/display/words.js"), await import("/display/wire.js")];
        return clockFace(readTime(told));
    }"""
    assert bench_page.evaluate(script, told) == face


def test_the_catalogue_has_every_sentence_the_board_asks_for() -> None:
    sources = [TEMPLATES / "board.html", STATIC / "view.js"]
    asked = {key for file in sources for key in re.findall(r'"((?:board|call)\.\w+)"', file.read_text("utf-8"))}
    texts = Texts.load()
    assert len(asked) > 15
    assert [key for key in asked if {"ja", "en"} - texts.by_key.get(key, {}).keys()] == []
