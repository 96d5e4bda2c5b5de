"""Waiting times as staff pages say them."""

from madoguchi.wire import WaitView


def in_words(wait: WaitView | None) -> str:
    """How long somebody will wait, likely and the range; empty if nobody can tell."""
    if wait is None:
        return ""
    if not wait.minutes:
        return "すぐ"
    limits = f"{wait.least}〜{wait.most}分" if wait.least else f"{wait.most}分以内"
    return f"約{wait.minutes}分（{limits}）"
