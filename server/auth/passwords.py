"""argon2id for passwords that people choose."""

from collections.abc import Callable
from typing import Any, Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12


class Run(Protocol):
    """Runs a function elsewhere and gives its result: a thread pool, so that it stops nobody else."""

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        """The result of `function(*args)`."""
        ...


def run_here(function: Callable[..., Any], *args: Any) -> Any:
    """Runs it in this thread."""
    return function(*args)


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, run: Run = run_here) -> None:
        """19 MiB, two passes, one lane (OWASP's recommendation): ten sign-ins at once fit a small box."""
        self._run = run
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
        # Checked when there is no such account, so that the answer takes the same time.
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The hash to store."""
        return str(self._run(self._hasher.hash, password))

    def check(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; as slow for an account that does not exist."""
        return bool(self._run(self._verify, stored or self._nobody, password)) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        # A wrong password is no fault of the pool, which would log it as one.
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
