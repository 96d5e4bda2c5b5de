"""How booked people come (pure): whether at all, and how long before or after their time."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

STAY_AWAY, COUNTS = 0.15, 30  # the share that stays away, as if seen in so many bookings
USUAL = (-25.0, -16.0, -13.0, -11.0, -10.0, -8.0, -6.0, -4.0, 0.0, 10.0)  # minutes after the booked time
ENOUGH = 50  # bookings, from which on only what was seen counts
MOMENTS = 10


class Comings:
    """Of an office's recent days: `late` are the minutes after the booked time (before it: negative) of those who
    came, `stayed_away` is how many did not."""

    def __init__(self, late: Iterable[float], stayed_away: int) -> None:
        """Of few bookings little is learned."""
        came = sorted(late)
        self._stay_away = (STAY_AWAY * COUNTS + stayed_away) / (COUNTS + stayed_away + len(came))
        self._late = came if len(came) >= ENOUGH else USUAL
        self.latest = max(0.0, self._late[int(len(self._late) * 0.98)])

    def after(self, minutes: float) -> tuple[float, Sequence[float]]:
        """Of those who are not there so many minutes after their time: the share that still comes, and when (minutes
        after their time, each as likely)."""
        still = self._late[bisect_right(self._late, minutes) :]
        if not still:
            return 0.0, ()
        to_come = (1 - self._stay_away) * len(still) / len(self._late)
        step = max(1.0, len(still) / MOMENTS)
        moments = [still[int((n + 0.5) * step)] for n in range(min(MOMENTS, len(still)))]
        return to_come / (self._stay_away + to_come), moments
