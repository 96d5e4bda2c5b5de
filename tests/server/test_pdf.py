"""Lists for paper, read back."""

from io import BytesIO

from pypdf import PdfReader

from server.pdf import List, Row, list_pdf


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, each cell a line."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def a_list(rows: int, heading: str = "一覧") -> List:
    """So many rows of two cells."""
    return List(
        heading, ["2026-11-27 15:00 作成"], [("時刻", 1), ("保管場所", 3)], [Row([str(n), "B-1"]) for n in range(rows)]
    )


def test_a_long_list_goes_on_with_its_heads_and_each_page_says_which_it_is() -> None:
    pages = pages_of(list_pdf([a_list(60)], "本庁"))
    assert len(pages) == 2
    for n, page in enumerate(pages, start=1):
        assert {"時刻", "保管場所", "本庁", f"{n} / 2"} <= set(page.splitlines())
    assert "一覧" in pages[0]
    assert "一覧" not in pages[1]


def test_each_list_begins_a_page() -> None:
    assert ["前" in page for page in pages_of(list_pdf([a_list(1, "前"), a_list(1, "後")], ""))] == [True, False]


def test_what_is_no_markup_is_no_markup_also_when_crossed_out() -> None:
    row = Row(["<b>&", "x"], struck=True)
    (page,) = pages_of(list_pdf([List("<i>", ["a & b"], [("1", 1), ("2", 1)], [row, Row(["</para>", "<br/>"])])], "<"))
    assert {"<i>", "a & b", "<b>&", "</para>", "<br/>", "<"} <= set(page.splitlines())


def test_a_text_too_long_for_its_column_goes_on_below() -> None:
    (page,) = pages_of(list_pdf([List("一", [], [("a", 1), ("b", 9)], [Row(["太子堂三丁目十二番地", "x"])])], ""))
    assert "太子堂三丁目十二番地" in page.replace("\n", "")
    assert "太子堂三丁目十二番地" not in page


def test_a_cell_may_have_lines_of_its_own() -> None:
    (page,) = pages_of(list_pdf([List("一", [], [("番号", 1)], [Row(["001\n002"])])], ""))
    assert {"001", "002"} <= set(page.splitlines())


def test_the_same_list_is_the_same_paper() -> None:
    assert list_pdf([a_list(3)], "本庁") == list_pdf([a_list(3)], "本庁")
