"""Why somebody was called, as the desk says it to whoever asks "why that number before me?"."""

import pytest

from server.desk.queries import REASONS, reason_text
from server.queueing.rules import StepClass

TIMES = {"due": "2026-11-30T10:00:00+09:00", "arrived": "2026-11-30T09:52:00+09:00"}
CODES = [*(step_class.value for step_class in StepClass), "booked_early", "waited_long", "recall", "missed", "by_hand"]


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_sentence_of_its_own(code: str) -> None:
    sentence = reason_text({**TIMES, "code": code})

    assert sentence.endswith("。")
    assert {"10:00", "09:52"} & {sentence[n : n + 5] for n in range(len(sentence))}
    assert [other for other in CODES if reason_text({**TIMES, "code": other}) == sentence] == [code]


def test_there_is_no_sentence_without_a_code() -> None:
    assert set(REASONS) == set(CODES)


def test_a_code_nobody_knows_any_more_is_said_as_a_deed_of_staff() -> None:
    assert reason_text({**TIMES, "code": "of_long_ago"}) == reason_text({**TIMES, "code": "by_hand"})


def test_who_was_passed_over_for_not_being_ready_hears_so() -> None:
    said = reason_text({**TIMES, "code": "walk_in", "ready_first": True})

    assert said == "予約なし・到着 09:52。順番の時刻は 10:00 です（来た順）。準備のできた方を先にお呼びしています。"
