"""The emergency list as a paper."""

from datetime import datetime

from server.clock import office_time
from server.emergency.queries import EmergencyPicture
from server.emergency.words import lists
from server.pdf import list_pdf


def draw(picture: EmergencyPicture, office: str, now: datetime) -> bytes:
    """The list as a PDF."""
    return list_pdf(lists(picture, office, now), f"{office}　非常用一覧　{office_time(now):%Y-%m-%d %H:%M}")
