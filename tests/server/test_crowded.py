"""So many ask at once that the process has no connection to the database left: they are asked to try again."""

from flask import Flask
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from tests.conftest import Office


def answer(app: Flask, path: str) -> tuple[int, str]:
    """What somebody is told who waited for a connection in vain."""
    with app.test_request_context(path):
        said = app.make_response(app.handle_user_exception(NoConnectionLeft("QueuePool limit")))
        return said.status_code, said.get_data(as_text=True)


def test_a_device_gets_the_code_on_which_it_asks_again(sqlite_office: Office) -> None:
    assert answer(sqlite_office.app, "/api/kiosk/state") == (503, '{"code":"busy","facts":{}}\n')


def test_a_person_gets_a_page_that_says_so(sqlite_office: Office) -> None:
    status, page = answer(sqlite_office.app, "/book")
    assert status == 503
    assert 'data-code="busy"' in page
