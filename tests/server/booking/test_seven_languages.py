"""Every page of a booking in every language, as the server sends it."""

from html.parser import HTMLParser

import pytest

from madoguchi.languages import LANGUAGES, Language
from madoguchi.ruby import html
from madoguchi.texts import Texts
from server.issuance.service import Sticker
from tests.conftest import Office
from tests.server.booking.test_web import TUESDAY, Resident, sticker, visitor

__all__ = ("sticker", "visitor")
TEXTS = Texts.load()


class Attributes(HTMLParser):
    """What stands in the attributes and in the title of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.lang = ""
        self._title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes of any tag."""
        self.found += [value or "" for _, value in attrs]
        self.lang = self.lang or (dict(attrs).get("lang") or "" if tag == "html" else "")
        self._title = tag == "title"

    def handle_data(self, data: str) -> None:
        """The title's words."""
        if self._title:
            self.found.append(data)
        self._title = False


def check(page: str, language: Language) -> None:
    """The page is in that language, with its readings above the kanji and nowhere else."""
    seen = Attributes(page)
    assert seen.lang == language.html_lang
    assert [words for words in seen.found if "ruby>" in words or "《" in words] == []
    assert "《" not in page
    assert "&lt;ruby" not in page
    assert (page.count("<rt>") > 1) == (language.code == "ja-easy")  # one stands on the button for it
    assert (f'<p class="reference">{TEXTS.say("mark.reference", language.code)}' in page) == language.reference
    assert all(f'<button name="lang" value="{code}"' in page for code in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_every_page_of_a_booking_is_in_the_language_that_was_chosen(
    visitor: Resident, sticker: Sticker, language: Language
) -> None:
    visitor.send("/", "/language", lang=language.code)
    pages = [visitor.get("/").text, visitor.get("/b/N0").text, visitor.get("/nowhere").text]
    visitor.sign_in(sticker)
    pages += [visitor.get(path).text for path in ("/book", "/book/family", TUESDAY, "/book/2026-12-05")]
    confirm = visitor.hold()
    pages += [visitor.get(path).text for path in (confirm, "/book")]
    done = str(visitor.send(confirm, confirm).location)
    pages += [visitor.get(path).text for path in (done, "/book/change", "/book/cancel")]
    visitor.send("/book/cancel", "/book/cancel")
    pages.append(visitor.get("/book/cancelled").text)

    for page in pages:
        check(page, language)
    assert str(html(TEXTS.say("web.cancel.done.title", language.code))) in pages[-1]


def test_what_the_office_names_in_two_languages_is_translated_by_the_languages_file(
    visitor: Resident, sticker: Sticker
) -> None:
    visitor.send("/", "/language", lang="vi")
    visitor.sign_in(sticker)
    visitor.book()
    page = visitor.get("/book/done").text
    assert "Nhận thẻ" in page
    assert "Giấy báo nhận thẻ (bưu thiếp)" in page
    assert "Mihon City Hall" in page


def test_the_code_on_a_paper_opens_its_page_in_the_papers_language(sqlite_office: Office) -> None:
    unknown = sqlite_office.client().get("/t/T0?lang=ko", headers={"Accept-Language": "en"})
    assert Attributes(unknown.text).lang == "ko"


def test_a_language_that_was_chosen_stands_above_that_of_a_paper(visitor: Resident) -> None:
    visitor.send("/", "/language", lang="vi")
    assert Attributes(visitor.get("/t/T0?lang=ko").text).lang == "vi"


def test_the_calendar_entry_bears_no_readings(visitor: Resident, sticker: Sticker) -> None:
    visitor.send("/", "/language", lang="ja-easy")
    visitor.sign_in(sticker)
    visitor.book()
    entry = visitor.get("/book/booking.ics").text
    assert "窓口の 予約（カードを もらう）" in entry
    assert "《" not in entry
