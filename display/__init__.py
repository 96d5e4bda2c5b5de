"""The waiting-room board: its page, its sound, and the program that keeps it on the screen.

The page is served by the office's server, which is told where these files lie; nothing here knows the server.
"""

from pathlib import Path
from typing import Final

TEMPLATES: Final[Path] = Path(__file__).parent / "templates"
STATIC: Final[Path] = Path(__file__).parent / "static"
