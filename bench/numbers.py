"""From samples to figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Milliseconds:
    """How long something took."""

    p50: float
    p99: float

    @classmethod
    def of(cls, samples_ns: Sequence[int]) -> "Milliseconds":
        """Of one round's samples, in nanoseconds."""
        cuts = quantiles(samples_ns, n=100, method="inclusive")
        return cls(cuts[49] / 1e6, cuts[98] / 1e6)

    @classmethod
    def median_of(cls, rounds: Sequence["Milliseconds"]) -> "Milliseconds":
        """The middle one of several rounds: one of them may have met a busy machine."""
        return cls(median(r.p50 for r in rounds), median(r.p99 for r in rounds))

    def to_json(self) -> dict[str, float]:
        """To two places: the rest is noise."""
        return {"p50_ms": round(self.p50, 2), "p99_ms": round(self.p99, 2)}

    def __add__(self, other: "Milliseconds") -> "Milliseconds":
        """One after the other."""
        return Milliseconds(self.p50 + other.p50, self.p99 + other.p99)
