"""Limits per address, so that one visitor cannot keep the others out."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

SIGN_IN = "10 per minute; 60 per hour"
HOLD = "20 per minute; 120 per hour"

limiter = Limiter(get_remote_address, headers_enabled=False)


def install(app: Flask) -> None:
    """Read storage and switch from the app's configuration."""
    limiter.init_app(app)
