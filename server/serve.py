"""The one process shape: gunicorn's gevent worker with simple-websocket, patched before any other import."""

import gc
import sys
from importlib.metadata import version
from typing import Any

import gevent
from flask import Flask
from gevent import monkey
from gunicorn.app.base import BaseApplication

from server import create_app, start
from server.db import db
from server.settings import Settings

GRACE_S = 10
THREADS_FOR_PASSWORDS = 2
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def serve(settings: Settings, listen: str | None) -> int:
    """Serve until SIGTERM; what was begun is finished first, for ten seconds at most."""
    if not monkey.is_module_patched("socket"):
        raise RuntimeError("serve() in a process that was not patched for gevent before its imports")
    _let_it_stay()
    _Gunicorn(settings, listen or settings.listen).run()
    return 0


def _let_it_stay() -> None:
    """Leave out of every garbage collection to come what is loaded by now; it stays until the end.

    Searching it takes a tenth of a second, in which nobody is served; and a worker that looks at every object of the
    master's memory gets a copy of it all (20 MB less without).
    """
    gc.collect()
    gc.freeze()


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one worker, configured by us alone."""

    def __init__(self, settings: Settings, listen: str) -> None:
        self._settings, self._listen = settings, listen
        super().__init__()

    def load_config(self) -> None:
        """One gevent worker; no control socket in the home directory, no access log (addresses are personal)."""
        options: dict[str, Any] = {
            "bind": self._listen,
            "workers": 1,
            "worker_class": "gevent",
            "worker_connections": 2000,
            "graceful_timeout": GRACE_S,
            "timeout": 60,
            "keepalive": 30,
            "accesslog": None,
            "loglevel": "error",  # its warnings name addresses and quote what strangers sent
            "control_socket_disable": True,
            "post_worker_init": _worker_started,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app of the worker process."""
        gevent.get_hub().threadpool.maxsize = THREADS_FOR_PASSWORDS
        return create_app(self._settings, run=_in_thread_pool)


def _in_thread_pool(function: Any, *args: Any) -> Any:
    return gevent.get_hub().threadpool.apply(function, args)


def _worker_started(worker: Any) -> None:
    start(worker.wsgi)
    _let_it_stay()
    host, port = worker.sockets[0].getsockname()[:2]
    with worker.wsgi.app_context():
        kind = DATABASES[db.engine.dialect.name]
    sys.stdout.write(f"madoguchi {version('madoguchi')} answers at http://{host}:{port} ({kind})\n")
    sys.stdout.flush()
