"""The sample city's pages, served to a browser."""

import gc
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from tests.conftest import Office

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _whole(app: "WSGIApplication") -> "WSGIApplication":
    """The same pages, each read whole: Werkzeug's server leaves a file open whose reader went while it was sent."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        parts = app(environ, start)
        try:
            return list(parts)
        finally:
            getattr(parts, "close", lambda: None)()

    return answer


@pytest.fixture
def address(sqlite_office: Office) -> Iterator[str]:
    """Where the sample city's pages are served."""
    server = make_server("127.0.0.1", 0, _whole(sqlite_office.app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()
