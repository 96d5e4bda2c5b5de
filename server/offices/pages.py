"""管理の画面 - offices, devices, staff accounts, audit."""

from flask import Blueprint

blueprint = Blueprint("office_pages", __name__)
