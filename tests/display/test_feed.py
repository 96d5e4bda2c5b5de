"""The board's rule, sentence by sentence: what is announced, what is shown, and when the board calls itself stale."""

from datetime import timedelta

import pytest

from tests.display.feed_bench import FeedBench
from tests.display.office import TEN_FIFTEEN, call, heartbeat, picture, waiting

pytestmark = [pytest.mark.browser, pytest.mark.alone]


class TestCallsInSequence:
    def test_the_next_call_is_shown_and_announced(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(17, number=62))
        assert (bench.announced, bench.numbers) == ([17], [62])

    def test_a_call_that_comes_twice_is_announced_once(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(17)).hear("call", call(17))
        assert bench.announced == [17]

    def test_an_older_call_is_ignored(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(12, number=50))
        assert (bench.announced, bench.numbers) == ([], [])

    def test_a_recall_is_announced_again_and_comes_to_the_top(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(17, number=62)).hear("call", call(18, number=301))
        bench.hear("call", call(19, number=62, kind="recall"))
        assert (bench.announced, bench.numbers) == ([17, 18, 19], [62, 301])

    def test_a_missed_number_moves_to_the_absent_ones_without_an_announcement(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(17, number=62)).hear("call", call(18, number=62, kind="missed"))
        assert (bench.announced, bench.numbers, bench.absent) == ([17], [], [62])

    def test_an_absent_number_that_is_called_again_is_no_longer_absent(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(17, number=62, kind="missed")).hear("call", call(18, number=62))
        assert (bench.numbers, bench.absent) == ([62], [])

    def test_six_calls_are_kept(self, bench: FeedBench) -> None:
        bench.live(0)
        for sequence in range(1, 9):
            bench.hear("call", call(sequence, number=100 + sequence))
        assert bench.numbers == [108, 107, 106, 105, 104, 103]


class TestGaps:
    def test_after_a_gap_the_picture_is_asked_for_before_anything_is_announced(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18))
        assert (bench.announced, bench.under_way["picture"]) == ([], 1)

    def test_calls_in_the_gap_are_announced_in_their_order(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18, number=63))
        bench.answer(picture(18, call(18, number=63), call(17, number=62)))
        assert (bench.announced, bench.numbers) == ([17, 18], [63, 62])

    def test_calls_in_the_gap_that_are_too_old_are_shown_and_not_announced(self, bench: FeedBench) -> None:
        half_a_minute = call(17, number=62, at=TEN_FIFTEEN - timedelta(seconds=30))
        older = call(18, number=63, at=TEN_FIFTEEN - timedelta(seconds=31))
        bench.live(16).hear("call", call(19, number=64))
        bench.answer(picture(19, call(19, number=64), older, half_a_minute))
        assert (bench.announced, bench.numbers) == ([17, 19], [64, 63, 62])

    def test_two_calls_that_change_places_are_announced_once_each(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18, number=63)).hear("call", call(17, number=62))
        bench.answer(picture(18, call(18, number=63), call(17, number=62)))
        assert bench.announced == [17, 18]

    def test_a_call_that_comes_while_the_picture_is_on_its_way_is_not_lost(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18)).hear("call", call(20, number=65))
        bench.answer(picture(18, call(18)))
        assert (bench.announced, bench.under_way["picture"]) == ([18], 1)
        bench.answer(picture(20, call(20, number=65), call(19, number=64), call(18)))
        assert bench.announced == [18, 19, 20]

    def test_not_even_when_the_next_picture_cannot_be_read(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18)).hear("call", call(20, number=65))
        bench.answer(picture(18, call(18))).fail()
        assert bench.announced == [18, 20]

    def test_a_picture_that_was_overtaken_by_a_call_does_not_take_it_back(self, bench: FeedBench) -> None:
        bench.live(16).hear("heartbeat", heartbeat(15)).hear("call", call(17, number=62))
        bench.answer(picture(16))
        assert (bench.announced, bench.numbers, bench.settled) == ([17], [62], 17)

    def test_a_call_read_a_moment_before_its_sequence_counts_is_announced_once(self, bench: FeedBench) -> None:
        bench.live(15).hear("call", call(17)).answer(picture(16, call(17)))
        bench.hear("call", call(17))
        assert (bench.announced, bench.settled) == ([17], 17)

    def test_a_sequence_that_never_was_is_forgotten_when_the_picture_denies_it(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(10**9)).answer(picture(16))
        assert (bench.announced, bench.under_way["picture"]) == ([], 0)
        assert bench.hear("call", call(17)).announced == [17]

    def test_where_the_picture_cannot_be_read_the_call_is_announced_all_the_same(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18, number=63)).fail()
        assert (bench.announced, bench.numbers) == ([18], [63])

    def test_and_the_picture_then_brings_only_what_was_missing(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18, number=63)).fail().wait(1.0)
        bench.answer(picture(18, call(18, number=63), call(17, number=62)))
        assert (bench.announced, bench.numbers) == ([18, 17], [63, 62])

    def test_a_call_announced_without_the_picture_is_not_announced_again_when_it_comes_twice(
        self, bench: FeedBench
    ) -> None:
        bench.live(16).hear("call", call(18)).fail().hear("call", call(18))
        assert (bench.announced, bench.under_way["picture"]) == ([18], 0)


class TestHeartbeats:
    def test_a_lost_last_call_is_fetched_after_half_a_second(self, bench: FeedBench) -> None:
        bench.live(16).hear("heartbeat", heartbeat(17)).wait(0.4)
        assert bench.under_way["picture"] == 0
        asked: int = bench.wait(0.1).asked["picture"]
        bench.wait(0.3).answer(picture(17, call(17)))
        assert (bench.announced, bench.asked["picture"]) == ([17], asked)

    def test_the_half_second_counts_from_the_first_heartbeat_that_knows_more(self, bench: FeedBench) -> None:
        bench.live(16).hear("heartbeat", heartbeat(17)).wait(0.3).hear("heartbeat", heartbeat(18)).wait(0.2)
        assert bench.under_way["picture"] == 1

    def test_a_call_that_comes_just_after_its_heartbeat_needs_no_picture(self, bench: FeedBench) -> None:
        bench.live(16).hear("heartbeat", heartbeat(17)).hear("call", call(17)).wait(0.6)
        assert (bench.announced, bench.under_way["picture"]) == ([17], 0)

    def test_people_waiting_come_with_it_and_by_themselves(self, bench: FeedBench) -> None:
        beat = {**heartbeat(16), "waiting": waiting(pickup=8, renewal=1)}
        assert bench.live(16).hear("heartbeat", beat).waiting == 9
        assert bench.hear("waiting", waiting(pickup=3, renewal=0)).waiting == 3

    def test_the_clock_is_the_servers_and_goes_on_between_heartbeats(self, bench: FeedBench) -> None:
        bench.live(16)
        told: float = bench.minutes
        assert bench.wait(3).minutes == pytest.approx(told + 3 / 60)

    def test_after_an_older_backup_was_restored_the_board_starts_counting_there(self, bench: FeedBench) -> None:
        bench.live(117, call(117, number=80)).hear("call", call(101, number=62))
        assert bench.announced == []
        bench.hear("heartbeat", heartbeat(101)).answer(picture(101, call(101, number=62)))
        assert (bench.announced, bench.numbers) == ([101], [62])
        assert bench.hear("call", call(102, number=63)).announced == [101, 102]

    def test_and_nothing_known_from_before_the_backup_keeps_a_call_from_being_announced(self, bench: FeedBench) -> None:
        bench.live(116).hear("call", call(118)).fail().hear("heartbeat", heartbeat(115)).answer(picture(115))
        for sequence in (116, 117, 118):
            bench.hear("call", call(sequence))
        assert bench.announced == [118, 116, 117, 118]


class TestSilence:
    def test_the_notice_stands_four_and_a_half_seconds_after_the_last_word(self, bench: FeedBench) -> None:
        assert bench.live(16).wait(4.4).stale is False
        assert bench.wait(0.1).stale is True

    @pytest.mark.parametrize(
        ("event", "message"), [("heartbeat", heartbeat(16)), ("call", call(17)), ("waiting", waiting())]
    )
    def test_every_readable_word_counts(self, bench: FeedBench, event: str, message: object) -> None:
        assert bench.live(16).wait(4).hear(event, message).wait(4).stale is False

    def test_a_slow_timer_delays_the_notice_by_one_tick_only(self, bench: FeedBench) -> None:
        bench.live(16).wait(60, tick_every=60)
        assert bench.stale is True

    def test_the_last_picture_stays(self, bench: FeedBench) -> None:
        bench.live(16, call(16, number=62)).wait(600)
        assert (bench.numbers, bench.stale) == ([62], True)

    def test_health_is_asked_at_once_and_then_every_second(self, bench: FeedBench) -> None:
        bench.live(16).wait(4.5)
        assert bench.asked["health"] == 1
        assert bench.dead().wait(1).asked["health"] == 2

    def test_a_server_that_hangs_is_asked_three_times_at_most_at_once(self, bench: FeedBench) -> None:
        assert bench.live(16).wait(30).under_way["health"] <= 3

    def test_the_old_socket_is_closed_and_what_still_comes_through_it_is_not_heard(self, bench: FeedBench) -> None:
        assert bench.live(16).wait(4.5).under_way["socket"] == 0
        bench.hear_late("call", call(17)).hear_late("heartbeat", heartbeat(17)).wait(2)
        assert (bench.announced, bench.stale, bench.link) == ([], True, "lost")


class TestHealing:
    def test_first_health_then_the_picture_then_the_socket(self, bench: FeedBench) -> None:
        bench.live(16).wait(10).live_again()
        assert (bench.under_way["picture"], bench.under_way["socket"]) == (1, 0)
        bench.answer(picture(16))
        assert (bench.stale, bench.under_way["socket"]) == (False, 1)

    def test_a_server_that_lives_without_a_picture_is_asked_again(self, bench: FeedBench) -> None:
        bench.live(16).wait(10).live_again().fail()
        assert bench.stale is True
        bench.wait(1).live_again().answer(picture(16))
        assert bench.stale is False

    def test_further_answers_to_health_are_not_acted_upon(self, bench: FeedBench) -> None:
        bench.live(16).wait(6).live_again().answer(picture(16)).live_again()
        assert bench.under_way["picture"] == 0

    def test_calls_made_meanwhile_are_announced_only_if_young(self, bench: FeedBench) -> None:
        young = call(18, number=63, at=TEN_FIFTEEN - timedelta(seconds=20))
        old = call(17, number=62, at=TEN_FIFTEEN - timedelta(minutes=5))
        bench.live(16).wait(400).live_again().answer(picture(18, young, old))
        assert (bench.announced, bench.numbers) == ([18], [63, 62])

    def test_what_is_called_while_the_socket_opens_is_not_lost(self, bench: FeedBench) -> None:
        bench.live(16).wait(10).live_again().answer(picture(16)).connect()
        bench.answer(picture(17, call(17)))
        assert bench.announced == [17]

    def test_a_broken_socket_is_looked_into_at_once_and_without_a_notice(self, bench: FeedBench) -> None:
        bench.live(16).break_socket()
        assert (bench.asked["health"], bench.stale) == (1, False)
        bench.live_again().answer(picture(16)).connect()
        assert (bench.under_way["socket"], bench.stale) == (1, False)

    def test_a_notice_stands_for_a_second_at_least(self, bench: FeedBench) -> None:
        bench.live(16).wait(4.5).live_again().answer(picture(16))
        assert bench.wait(0.9).stale is True
        assert bench.wait(0.1).stale is False


class TestWithoutWebSockets:
    def test_the_picture_is_read_every_two_seconds(self, bench: FeedBench) -> None:
        bench.start(picture(16)).break_socket().wait(2)
        assert (bench.under_way["picture"], bench.stale) == (1, False)
        bench.answer(picture(17, call(17))).wait(2)
        assert (bench.announced, bench.under_way["picture"]) == ([17], 1)

    def test_no_notice_comes_while_http_answers(self, bench: FeedBench) -> None:
        bench.start(picture(16)).break_socket()
        for _ in range(10):
            bench.wait(2).answer(picture(16))
            assert bench.stale is False

    def test_the_socket_is_tried_again_now_and_then(self, bench: FeedBench) -> None:
        bench.start(picture(16)).break_socket().wait(2).answer(picture(16)).wait(2).answer(picture(16)).wait(1)
        assert bench.asked["socket"] == 2

    def test_a_socket_that_opens_and_never_speaks_does_not_end_the_polling(self, bench: FeedBench) -> None:
        bench.start(picture(16)).connect().answer(picture(16))
        for _ in range(8):
            bench.wait(2).answer(picture(16))
        assert (bench.stale, bench.asked["socket"]) == (False, 2)

    def test_the_first_heartbeat_ends_the_polling(self, bench: FeedBench) -> None:
        bench.live(16)
        asked: int = bench.asked["picture"]
        assert bench.wait(4).asked["picture"] == asked

    def test_when_http_fails_too_the_board_calls_itself_stale(self, bench: FeedBench) -> None:
        bench.start(picture(16)).break_socket().wait(2).fail().wait(1).fail().wait(1.5)
        assert bench.stale is True

    def test_a_picture_that_hangs_is_given_up_and_asked_again(self, bench: FeedBench) -> None:
        bench.live(16).hear("call", call(18)).wait(1).hear("heartbeat", heartbeat(18)).wait(2)
        assert bench.announced == [18]
        assert bench.hear("heartbeat", heartbeat(18)).wait(1).under_way["picture"] == 1


class TestBadMessages:
    @pytest.mark.parametrize(
        "nonsense",
        [
            None,
            "62",
            [],
            {},
            {**call(17), "number": "62"},
            {**call(17), "window": None},
            {**call(17), "at": "10:15"},
            {**call(17), "kind": "sing"},
            {**call(17), "sequence": -1},
        ],
    )
    def test_a_call_that_cannot_be_read_changes_nothing_but_asks_for_the_picture(
        self, bench: FeedBench, nonsense: object
    ) -> None:
        bench.live(16, call(16, number=61)).hear("call", nonsense)
        assert (bench.numbers, bench.announced, bench.under_way["picture"]) == ([61], [], 1)
        assert bench.answer(picture(17, call(17, number=62))).announced == [17]

    @pytest.mark.parametrize(
        "nonsense", [None, "alive", {}, {**heartbeat(16), "now": 5}, {**heartbeat(16), "sequence": None}]
    )
    def test_a_heartbeat_that_cannot_be_read_is_no_word_from_the_server(
        self, bench: FeedBench, nonsense: object
    ) -> None:
        assert bench.live(16).wait(4).hear("heartbeat", nonsense).wait(0.5).stale is True

    def test_one_bad_entry_of_a_picture_does_not_cost_the_others(self, bench: FeedBench) -> None:
        bad = {"sequence": 17, "kind": "call", "number": None, "window": 3, "at": "soon"}
        bench.live(16).hear("call", call(18)).answer(picture(18, call(18, number=63), bad, call(16, number=61)))
        assert bench.numbers == [63, 61]

    @pytest.mark.parametrize("nonsense", [None, [], "picture", {"sequence": 20}, {**picture(20), "calls": None}])
    def test_a_picture_that_cannot_be_read_leaves_the_last_one(self, bench: FeedBench, nonsense: object) -> None:
        bench.live(16, call(16, number=61)).hear("heartbeat", heartbeat(17)).wait(0.5).answer(nonsense)
        assert (bench.numbers, bench.settled) == ([61], 16)

    def test_office_and_people_waiting_stay_where_a_picture_lacks_them(self, bench: FeedBench) -> None:
        bench.live(16).hear("heartbeat", heartbeat(17)).wait(0.5)
        bench.answer({**picture(17), "office": None, "waiting": "many"})
        assert (bench.office, bench.waiting) == ("見本市役所 本庁舎1階", 7)


class TestLoadingThePage:
    def test_calls_that_came_with_the_page_are_shown_and_not_announced(self, bench: FeedBench) -> None:
        bench.start(picture(17, call(17, number=62)))
        assert (bench.numbers, bench.announced) == ([62], [])

    def test_a_page_loaded_again_announces_what_it_missed_meanwhile(self, bench: FeedBench) -> None:
        bench.start(picture(18, call(18, number=63), call(17, number=62)), remembered=17)
        assert (bench.announced, bench.remembered) == ([18], 18)

    def test_what_is_remembered_from_before_a_restored_backup_counts_for_nothing(self, bench: FeedBench) -> None:
        assert bench.start(picture(18, call(18)), remembered=400).announced == []

    def test_a_page_without_a_readable_picture_asks_for_one(self, bench: FeedBench) -> None:
        bench.start(None)
        assert (bench.numbers, bench.under_way["picture"]) == (None, 1)
        assert bench.answer(picture(17, call(17, number=62))).numbers == [62]
