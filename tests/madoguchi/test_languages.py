"""How each language writes days, times and counted things, and which a browser gets."""

from datetime import date, datetime, time

import pytest

from madoguchi.languages import (
    COUNTERS,
    LANGUAGES,
    Language,
    best_language,
    counted,
    day_of_month,
    days,
    minutes,
    people,
)
from madoguchi.ruby import kana
from madoguchi.texts import format_date, format_short_date, format_time

MONDAY = datetime(2026, 11, 30, 10, 15)  # noqa: DTZ001 - the clock of its own zone
PUN, FUN, SPECIAL = {1, 3, 4, 6, 8, 0}, {2, 5, 7, 9}, {*range(1, 11), 14, 20, 24}


class TestCounting:
    def test_people_from_three_on_are_nin(self) -> None:
        assert [n for n in (0, *range(3, 1001)) if people(n) != f"{n}人《にん》"] == []

    def test_one_and_two_people_have_words_of_their_own(self) -> None:
        assert (people(1), people(2)) == ("｜1人《ひとり》", "｜2人《ふたり》")

    def test_minutes_are_read_by_their_last_digit(self) -> None:
        assert {n % 10 for n in range(1001) if minutes(n) == f"{n}分《ぷん》"} == PUN
        assert {n % 10 for n in range(1001) if minutes(n) == f"{n}分《ふん》"} == FUN

    def test_some_days_are_read_with_their_digits_and_all_others_are_nichi(self) -> None:
        assert {n for n in range(1001) if days(n).startswith("｜")} == SPECIAL
        assert {days(n) for n in range(1001) if n not in SPECIAL} == {
            f"{n}日《にち》" for n in set(range(1001)) - SPECIAL
        }

    @pytest.mark.parametrize(
        ("n", "reading"),
        [
            *[(1, "いちにち"), (2, "ふつか"), (3, "みっか"), (4, "よっか"), (5, "いつか"), (6, "むいか")],
            *[(7, "なのか"), (8, "ようか"), (9, "ここのか"), (10, "とおか"), (14, "じゅうよっか"), (20, "はつか")],
            (24, "にじゅうよっか"),
        ],
    )
    def test_a_length_of_days(self, n: int, reading: str) -> None:
        assert kana(days(n)) == reading
        assert kana(day_of_month(n)) == (reading if n > 1 else "ついたち")

    def test_nothing_is_counted_in_an_unknown_way(self) -> None:
        assert counted(None, "7") == "7"
        assert counted("days", "7") == "｜7日《なのか》"
        with pytest.raises(ValueError, match="sheep"):
            counted("sheep", "7")


class TestDaysAndTimes:
    @pytest.mark.parametrize(
        ("lang", "day", "short", "clock", "moment"),
        [
            ("ja", "令和8年11月30日（月）", "11月30日", "10時15分", "令和8年11月30日（月） 10時15分"),
            (
                "ja-easy",
                "2026年《ねん》11月《がつ》30日《にち》（月曜日《げつようび》）",
                "11月《がつ》30日《にち》",
                "10時《じ》15分《ふん》",
                "2026年《ねん》11月《がつ》30日《にち》（月曜日《げつようび》） 10時《じ》15分《ふん》",
            ),
            ("en", "Mon 30 Nov 2026", "30 Nov", "10:15", "Mon 30 Nov 2026 10:15"),
            ("zh-Hans", "2026年11月30日（星期一）", "11月30日", "10:15", "2026年11月30日（星期一） 10:15"),
            ("ko", "2026년 11월 30일(월)", "11월 30일", "10:15", "2026년 11월 30일(월) 10:15"),
            ("vi", "30/11/2026 (Thứ Hai)", "30/11", "10:15", "10:15, 30/11/2026 (Thứ Hai)"),
            ("pt-BR", "30/11/2026 (segunda-feira)", "30/11", "10:15", "30/11/2026 (segunda-feira), 10:15"),
        ],
    )
    def test_each_language_writes_them_in_its_way(
        self, lang: str, day: str, short: str, clock: str, moment: str
    ) -> None:
        assert format_date(MONDAY, lang) == day
        assert format_short_date(MONDAY, lang) == short
        assert format_time(MONDAY, lang) == clock
        assert LANGUAGES[lang].of_moment(MONDAY) == moment

    def test_easy_japanese_reads_the_first_of_a_month_and_leaves_out_minutes_of_full_hours(self) -> None:
        assert kana(format_date(date(2026, 12, 1), "ja-easy")) == "2026ねん12がつついたち（かようび）"
        assert format_time(time(10), "ja-easy") == "10時《じ》"
        assert format_time(time(10, 5), "ja-easy") == "10時《じ》5分《ふん》"

    @pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
    def test_a_day_of_the_calendar_has_a_part_before_and_after_its_number(self, language: Language) -> None:
        before, number, after = language.of_day(language.cell, date(2026, 12, 24)).split("|")
        assert "24" in number
        assert before or after
        assert "2026" in language.of_day(language.month, date(2026, 12, 24)) or language.code == "ja"

    def test_a_week_that_lacks_a_day_is_refused(self) -> None:
        with pytest.raises(ValueError, match="xx: weekdays must be 7"):
            Language("xx", 9, "X", "", "", "", "", "", "", ", ", weekdays=("Mon",), heads=("M",) * 7)


class TestBrowsers:
    @pytest.mark.parametrize(
        ("tags", "language"),
        [
            ("", "ja"),
            ("*", "ja"),
            ("ja-JP ja", "ja"),
            ("en-GB en", "en"),
            ("zh-CN zh en", "zh-Hans"),
            ("zh-Hans-SG", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("ko-KR", "ko"),
            ("vi", "vi"),
            ("pt-BR pt en", "pt-BR"),
            ("pt-PT", "pt-BR"),
            ("tl ja", "ja"),
        ],
    )
    def test_the_first_that_we_have_is_taken(self, tags: str, language: str) -> None:
        assert best_language(tags.split()) == language

    @pytest.mark.parametrize("tags", ["zh-TW zh en-US en", "zh-HK zh", "zh-Hant-MO zh en"])
    def test_who_reads_traditional_characters_is_not_given_simplified_ones(self, tags: str) -> None:
        assert best_language(tags.split()) == "en"

    def test_who_asks_for_none_of_ours_gets_what_more_can_read(self) -> None:
        assert best_language(["ne", "my"]) == "en"


def test_every_counter_gives_a_reading() -> None:
    assert all("《" in count(3) for count in COUNTERS.values())
