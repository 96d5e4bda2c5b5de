"""窓口の画面 - the staff screen at a window."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__)
