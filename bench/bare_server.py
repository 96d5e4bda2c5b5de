"""The raw limit of a request: a route that does nothing, served as the office's server is.

`python -m bench.bare_server PORT`: gunicorn and gevent set as in server/serve.py, an empty Flask app.
Nothing of the office's server is imported, which would also be held in memory and looked at by the garbage collector.
"""

from gevent import monkey

monkey.patch_all()  # before every other import, as in `madoguchi serve`

import sys  # noqa: E402 - see above
from typing import Any  # noqa: E402 - see above

from flask import Flask, jsonify, request  # noqa: E402 - see above
from flask.typing import ResponseReturnValue  # noqa: E402 - see above
from gunicorn.app.base import BaseApplication  # noqa: E402 - see above


class Bare(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one route."""

    def load_config(self) -> None:
        """As server/serve.py."""
        options: dict[str, Any] = {
            "bind": f"127.0.0.1:{sys.argv[1]}",
            "workers": 1,
            "worker_class": "gevent",
            "worker_connections": 2000,
            "timeout": 60,
            "keepalive": 30,
            "accesslog": None,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """One route."""
        app = Flask("bare")

        @app.route("/", methods=["GET", "POST"])
        def answer() -> ResponseReturnValue:
            return jsonify(asked=len(request.get_data()))

        return app


if __name__ == "__main__":
    Bare().run()
