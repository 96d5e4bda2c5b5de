"""Readings above kanji: on pages, in plain text, on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from madoguchi.ruby import Said, html, kana, plain


@pytest.mark.parametrize(
    ("text", "page", "words", "paper"),
    [
        ("予約《よやく》する", "<span><ruby>予約<rt>よやく</rt></ruby>する</span>", "予約する", "よやくする"),
        ("お知《し》らせ", "<span>お<ruby>知<rt>し</rt></ruby>らせ</span>", "お知らせ", "おしらせ"),
        ("3人《にん》", "<span>3<ruby>人<rt>にん</rt></ruby></span>", "3人", "3にん"),
        ("｜1人《ひとり》", "<span><ruby>1人<rt>ひとり</rt></ruby></span>", "1人", "ひとり"),
        ("Counter 3", "Counter 3", "Counter 3", "Counter 3"),
        ("《臨時》窓口", "<span>《臨時》窓口</span>", "《臨時》窓口", "《臨時》窓口"),
    ],
)
def test_a_reading_stands_where_it_belongs(text: str, page: str, words: str, paper: str) -> None:
    assert html(text) == page
    assert plain(text) == words
    assert kana(text) == paper


def test_what_stands_in_a_text_is_no_markup() -> None:
    assert html("<b>予約《よやく》</b>&") == "<span>&lt;b&gt;<ruby>予約<rt>よやく</rt></ruby>&lt;/b&gt;&amp;</span>"


@given(st.text(alphabet="予約よ《》｜<>&\"'a"))
def test_whatever_a_text_is_the_page_gets_no_tags_but_ours(text: str) -> None:
    shown = str(html(text))
    for tag in ("<span>", "</span>", "<ruby>", "</ruby>", "<rt>", "</rt>"):
        shown = shown.replace(tag, "")
    assert not set("<>\"'") & set(shown)


def test_plain_words_are_had_from_what_a_page_shows_too() -> None:
    assert plain(html("予約《よやく》 & 受付《うけつけ》")) == "予約 & 受付"
    assert plain(Markup("a &amp; b")) == "a & b"


def test_a_sentence_shows_its_readings_in_a_template() -> None:
    assert Markup("<p>{}</p>").format(Said("予約《よやく》")) == "<p><span><ruby>予約<rt>よやく</rt></ruby></span></p>"
