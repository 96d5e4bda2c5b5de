"""The page that says no leads back to where somebody came from, and nowhere else."""

import pytest

from tests.conftest import Office

HOME = "http://localhost"


@pytest.mark.parametrize(
    ("came_from", "way"),
    [
        (f"{HOME}/book?lang=en", "/book?lang=en"),
        (f"{HOME}//evil.example/", None),
        (f"{HOME}/\\evil.example", None),
        ("http://evil.example/book", None),
        (f"{HOME}.evil.example/book", None),
        (f"{HOME}/nowhere", None),
        ("", None),
    ],
)
def test_a_refusal_leads_back_to_the_page_before_if_it_is_one_of_ours(
    sqlite_office: Office, came_from: str, way: str | None
) -> None:
    page = sqlite_office.client().get("/nowhere", headers={"Referer": came_from, "Accept-Language": "en"}).text
    assert "evil" not in page
    assert (f'href="{way}"' in page) == (way is not None)
    assert ("Back to the page before" in page) == (way is not None)
