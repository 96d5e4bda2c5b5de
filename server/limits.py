"""Limits per address, so that one visitor cannot keep the others out."""

import threading
import time

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage import MemoryStorage

SIGN_IN = "10 per minute; 60 per hour"
HOLD = "20 per minute; 120 per hour"
TICKET = "300 per minute"  # everybody in the waiting room may come from one address
TIDY_EVERY_S = 60.0


class Counters(MemoryStorage):
    """`memory://`: counts in this process, and forgets what has run out once a minute.

    The library's own looks at every address it knows after each counted request; when ten thousand residents book in
    an hour, that is a quarter of all the server does.
    """

    STORAGE_SCHEME = ["memory"]  # noqa: RUF012 - the library takes the schemes from here

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **more: str) -> None:
        """As the library makes it."""
        super().__init__(uri, wrap_exceptions, **more)
        self._counting = threading.Lock()
        self._tidy_at = 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count on; a count that has run out begins anew."""
        now = time.time()  # of the machine, as the library reads it: the office's clock has no part in this
        with self._counting:
            if now >= self._tidy_at:
                self._tidy_at = now + TIDY_EVERY_S
                for old in [known for known, until in self.expirations.items() if until <= now]:
                    del self.expirations[old], self.storage[old]
            if self.expirations.get(key, 0.0) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            return self.storage[key]


limiter = Limiter(get_remote_address, headers_enabled=False)


def install(app: Flask) -> None:
    """Read storage and switch from the app's configuration."""
    limiter.init_app(app)
