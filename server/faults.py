"""How a fault is logged: its kind and its way through the code, never its words, which may hold what was typed."""

import traceback


def way_of(error: BaseException) -> str:
    """The kind of an exception and the lines it came through."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
