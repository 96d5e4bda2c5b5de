"""電話予約の画面 - the phone desk books for people who call."""

from flask import Blueprint

blueprint = Blueprint("phone", __name__)
