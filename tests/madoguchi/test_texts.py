"""What people read: every text in every offered language, days and times as people write them."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from itertools import chain

import pytest
import yaml

from madoguchi.languages import LANGUAGES, japanese_year
from madoguchi.ruby import plain
from madoguchi.texts import OFFERED, Texts, format_date, format_time
from server.offices.service_plan import presets

TEXTS = Texts.load()
EXTRA = files("madoguchi").joinpath("texts_extra.yaml").read_text("utf-8")
SEVEN = ("ja", "ja-easy", "en", "zh-Hans", "ko", "vi", "pt-BR")
READ = re.compile(r"(?:｜[^｜《》]+|[々〇㐀-鿿豈-﫿]+)《[ぁ-ゖァ-ヺー]+》")
KANJI = re.compile(r"[々〇㐀-鿿豈-﫿]")

# What only staff read is in Japanese; English stands beside it where it began so.
STAFF = (
    "kiosk.selftest.",
    "overbook.",
    "refusal.day_unusable",
    "refusal.no_right",
    "refusal.not_paired",
    "refusal.numbers_unusable",
    "refusal.not_your_window",
    "refusal.unknown_device",
    "refusal.unknown_window",
    "worklist.",
)
JST = timezone(timedelta(hours=9))
MONDAY = date(2026, 11, 30)


def top_level_keys(source: str) -> list[str]:
    return re.findall(r"^([a-z][\w.]*):$", source, flags=re.M)


class TestCatalogue:
    def test_what_residents_read_there_is_in_every_language(self) -> None:
        lacking = {
            key: [lang for lang in OFFERED if not texts.get(lang, "").strip()]
            for key, texts in TEXTS.by_key.items()
            if not key.startswith(STAFF)
        }
        assert {key: langs for key, langs in lacking.items() if langs} == {}, "add them to madoguchi/languages/*.yaml"

    def test_what_staff_read_there_is_in_japanese(self) -> None:
        assert [key for key, texts in TEXTS.by_key.items() if not texts.get("ja", "").strip()] == []

    def test_a_text_stands_in_one_place_only(self) -> None:
        catalogue = {
            (key, lang)
            for name in ("texts.yaml", "texts_extra.yaml")
            for key, texts in yaml.safe_load(files("madoguchi").joinpath(name).read_text("utf-8")).items()
            for lang in texts
        }
        own = {(key, language.code) for language in LANGUAGES.values() for key in language.texts}
        assert own & catalogue == set()
        assert {key for key, _ in own} - {key for key, _ in catalogue} == set()

    def test_every_kanji_of_easy_japanese_bears_its_reading(self) -> None:
        easy = LANGUAGES["ja-easy"]
        said = {key: texts["ja-easy"] for key, texts in TEXTS.by_key.items() if "ja-easy" in texts}
        without_sms = {key: text for key, text in said.items() if not key.startswith("sms.")}
        for key, text in {**without_sms, **dict(easy.names), "days": " ".join((*easy.weekdays, *easy.heads))}.items():
            assert KANJI.findall(READ.sub("", text)) == [], key

    def test_an_sms_bears_no_readings(self) -> None:
        assert [key for key, texts in TEXTS.by_key.items() if key.startswith("sms.") and "《" in texts["ja-easy"]] == []

    def test_every_language_translates_the_same_names(self) -> None:
        names = {code: set(one.names) for code, one in LANGUAGES.items() if code not in ("ja", "en")}
        assert {code: found ^ names["vi"] for code, found in names.items()} == {code: set() for code in names}

    def test_the_presets_services_and_papers_are_named_in_every_language(self) -> None:
        sentences = {
            sentence["ja"]
            for row in presets().values()
            for sentence in (row["name"], row.get("short", row["name"]), *chain(*row["documents"].values()))
        }
        assert sentences - set(LANGUAGES["vi"].names) == set()

    def test_the_same_facts_are_shown_in_every_language(self) -> None:
        for key, texts in TEXTS.by_key.items():
            assert {TEXTS.placeholders(key, lang) for lang in texts} == {TEXTS.placeholders(key)}, key

    @pytest.mark.parametrize("name", ["texts.yaml", "texts_extra.yaml"])
    def test_no_key_stands_twice_in_a_file(self, name: str) -> None:
        keys = top_level_keys(files("madoguchi").joinpath(name).read_text("utf-8"))
        assert sorted(keys) == sorted(set(keys))

    def test_our_own_keys_replace_none_of_the_offices(self) -> None:
        office = files("madoguchi").joinpath("texts.yaml").read_text("utf-8")
        assert set(top_level_keys(office)) & set(top_level_keys(EXTRA)) == set()
        assert len(TEXTS.by_key) == len(top_level_keys(office)) + len(top_level_keys(EXTRA))

    def test_our_own_keys_stand_in_order_of_their_parts(self) -> None:
        parts = [key.split(".")[0] for key in top_level_keys(EXTRA)]
        assert parts == sorted(parts)

    def test_every_language_of_a_text_is_one_we_know(self) -> None:
        assert {lang for texts in TEXTS.by_key.values() for lang in texts} == set(SEVEN)

    def test_no_offered_text_calls_the_2d_code_by_the_trademark(self) -> None:
        said = [text for texts in TEXTS.by_key.values() for text in texts.values()]
        assert [text for text in said if re.search(r"QR", text)] == []


class TestSaying:
    @pytest.mark.parametrize(
        ("key", "facts", "ja", "en"),
        [
            (
                "kiosk.take",
                {"number": 62},
                "受付番号は62です。番号札をお取りになって、お席でお待ちください。",
                None,
            ),
            ("ticket.booked", {"time": time(10)}, "ご予約 10時00分", None),
            (
                "ticket.issued",
                {"date": MONDAY, "time": time(9, 52)},
                "令和8年11月30日（月） 9時52分 発行",
                "Issued Mon 30 Nov 2026 9:52",
            ),
            ("board.windowno", {"counter": 3}, "3番窓口", "Counter 3"),
            ("wait.range", {"min": 15, "max": 25}, "約15〜25分", None),
        ],
    )
    def test_facts_are_shown_as_people_write_them(
        self, key: str, facts: dict[str, object], ja: str, en: str | None
    ) -> None:
        assert TEXTS.say(key, "ja", **facts) == ja
        assert TEXTS.say(key, "en", **facts) == en or en is None

    def test_a_name_is_said_in_the_language_or_in_japanese(self) -> None:
        site = {"ja": "北支所", "en": "North Branch"}
        assert "“North Branch”" in TEXTS.say("kiosk.wrongsite", "en", site=site)
        assert "「北支所」" in TEXTS.say("kiosk.wrongsite", "ja", site=site)
        assert "北支所" in TEXTS.say("kiosk.wrongsite", "en", site={"ja": "北支所"})

    def test_a_moment_shows_the_part_that_the_placeholder_names(self) -> None:
        opening = datetime(2026, 12, 1, 8, 30, tzinfo=JST)
        said = TEXTS.say("kiosk.closed", "ja", date=opening, time=opening)
        assert said == "本日の受付は終了しました。次の受付は令和8年12月1日（火） 8時30分からです。"
        assert "令和8年12月1日（火） 8時30分" in TEXTS.say("jlis.down", "ja", when=opening)

    def test_a_name_is_translated_by_the_languages_file_and_else_said_as_its_readers_know_best(self) -> None:
        assert "“Nhận thẻ”" in TEXTS.say("kiosk.wrongsite", "vi", site={"ja": "カードの受け取り", "en": "Pick up"})
        assert "“North Branch”" in TEXTS.say("kiosk.wrongsite", "vi", site={"ja": "北支所", "en": "North Branch"})
        assert "“北支所”" in TEXTS.say("kiosk.wrongsite", "zh-Hans", site={"ja": "北支所", "en": "North Branch"})

    def test_what_is_counted_is_read_as_people_say_it(self) -> None:
        said = TEXTS.say("kiosk.walkin.wait", "ja-easy", n=1, min=10)
        assert said == "いま ｜1人《ひとり》 待《ま》っています。だいたい 10分《ぷん》 待《ま》ちます。"
        assert plain(said) == "いま 1人 待っています。だいたい 10分 待ちます。"
        assert TEXTS.say("wait.range", "ja-easy", min=15, max=25) == "だいたい 15から 25分《ふん》"

    def test_an_sms_writes_day_and_time_short(self) -> None:
        facts: dict[str, object] = {
            "city": "見本市",
            "tel": "050-0000-0062",
            "shortdate": MONDAY,
            "t": time(10, 30),
        }
        assert TEXTS.say("sms.changed", "ja", **facts).startswith("【見本市】ご予約を11月30日10:30に変更しました。")
        assert "30 Nov 10:30" in TEXTS.say("sms.changed", "en", **facts)

    def test_a_list_is_joined_as_the_language_does(self) -> None:
        assert "41、802" in TEXTS.say("call.absent", "ja", numbers=[41, 802])
        assert "41, 802" in TEXTS.say("call.absent", "en", numbers=[41, 802])

    @pytest.mark.parametrize("lang", ["zh-Hant", "tlh", ""])
    def test_a_language_that_is_not_offered_gets_japanese_as_a_whole(self, lang: str) -> None:
        assert TEXTS.say("kiosk.wrongday", lang, date=MONDAY) == TEXTS.say("kiosk.wrongday", "ja", date=MONDAY)

    def test_an_unknown_key_is_a_fault_of_ours(self) -> None:
        with pytest.raises(KeyError, match=r"kiosk\.dance"):
            TEXTS.say("kiosk.dance", "ja")

    def test_a_lacking_fact_is_named(self) -> None:
        with pytest.raises(ValueError, match=r"kiosk\.tooearly: lacks opentime"):
            TEXTS.say("kiosk.tooearly", "ja", time=time(10))

    def test_facts_that_the_text_does_not_show_are_left_out(self) -> None:
        assert TEXTS.say("slot.free", "en", date=MONDAY) == TEXTS.say("slot.free", "en")

    @pytest.mark.parametrize("fact", [None, True, 1.5, object(), {"en": "North Branch"}])
    def test_a_fact_that_nobody_can_read_is_refused(self, fact: object) -> None:
        with pytest.raises(ValueError, match=r"site: .* cannot be shown"):
            TEXTS.say("kiosk.wrongsite", "ja", site=fact)

    def test_a_page_that_fills_in_itself_gets_the_text_as_it_stands(self) -> None:
        assert TEXTS.template("board.windowno", "en") == "Counter {counter}"
        assert TEXTS.template("board.windowno", "tlh") == "{counter}番窓口"

    def test_braces_inside_a_fact_are_only_braces(self) -> None:
        assert TEXTS.say("web.tel", "ja", tel="{number}") == "お電話 {number}"

    def test_the_offered_languages_begin_with_the_one_that_prevails(self) -> None:
        assert TEXTS.languages == SEVEN


class TestDates:
    @pytest.mark.parametrize(
        ("day", "year"),
        [
            (date(2026, 11, 30), "令和8年"),
            (date(2019, 12, 31), "令和元年"),
            (date(2019, 5, 1), "令和元年"),
            (date(2019, 4, 30), "平成31年"),
            (date(1989, 1, 8), "平成元年"),
            (date(1989, 1, 7), "昭和64年"),
            (date(1926, 12, 25), "昭和元年"),
            (date(1926, 12, 24), "大正15年"),
            (date(1912, 7, 30), "大正元年"),
            (date(1912, 7, 29), "明治45年"),
            (date(1873, 1, 1), "明治6年"),
            (date(1872, 12, 31), "1872年"),
        ],
    )
    def test_the_year_is_counted_by_era(self, day: date, year: str) -> None:
        assert japanese_year(day) == year

    def test_a_day_is_written_by_era_in_japanese_and_western_in_english(self) -> None:
        assert format_date(MONDAY, "ja") == "令和8年11月30日（月）"
        assert format_date(MONDAY, "en") == "Mon 30 Nov 2026"

    def test_every_weekday_has_its_name(self) -> None:
        week = [MONDAY + timedelta(days) for days in range(7)]
        assert "".join(format_date(day, "ja")[-2] for day in week) == "月火水木金土日"
        assert [format_date(day, "en")[:3] for day in week] == [
            "Mon",
            "Tue",
            "Wed",
            "Thu",
            "Fri",
            "Sat",
            "Sun",
        ]

    @pytest.mark.parametrize(
        ("moment", "ja", "en"),
        [
            (time(10, 15), "10時15分", "10:15"),
            (time(9, 5), "9時05分", "9:05"),
            (time(0, 0), "0時00分", "0:00"),
            (datetime(2026, 11, 30, 17, 15, tzinfo=JST), "17時15分", "17:15"),
            (datetime(2026, 11, 30, 8, 15, tzinfo=UTC), "8時15分", "8:15"),
        ],
    )
    def test_a_time_is_written_with_24_hours(self, moment: time | datetime, ja: str, en: str) -> None:
        assert (format_time(moment, "ja"), format_time(moment, "en")) == (ja, en)
