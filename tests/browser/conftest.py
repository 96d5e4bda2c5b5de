"""The sample city's pages, served to a browser."""

import gc
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from tests.conftest import Office


@pytest.fixture
def address(sqlite_office: Office) -> Iterator[str]:
    """Where the sample city's pages are served."""
    server = make_server("127.0.0.1", 0, sqlite_office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()
