"""The chart of what the policy of the queue gives to whom, as SVG without a library."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 460
LEFT, TOP, RIGHT, BOTTOM = 70, 48, 150, 62
X_END, Y_END, STEP = 4.0, 1.0, 0.25
COLOURS = ("#1b6ca8", "#b5541c", "#3d7a3d")
DASHES = ("", "8 4", "2 4")
X_AIM, Y_AIM = 1.0, 0.65


@dataclass(frozen=True)
class Point:
    """A policy, and waits in times of the other rule's: booked people's, and those without a booking."""

    booked_first: int
    walk_in_due: int
    booked_mean: float
    booked_p95: float
    walk_ins_mean: float
    longest: float
    of_a_day: float


@dataclass(frozen=True)
class Curve:
    """All policies at one load."""

    load: float
    points: tuple[Point, ...]


def chart(curves: Sequence[Curve], default: tuple[int, int], windows: int) -> str:
    """Booked people's 95th percentile to the right, the longest wait of a day without a booking upwards."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            'font-family="sans-serif" font-size="13">',
            f"<title>What each policy gives to whom, {windows} windows</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *_axes(windows),
            *(line for nth, curve in enumerate(curves) for line in _curve(curve, nth, default)),
            "</svg>\n",
        ]
    )


def _x(value: float) -> str:
    return f"{LEFT + min(value, X_END) / X_END * (WIDTH - LEFT - RIGHT):.1f}"


def _y(value: float) -> str:
    return f"{HEIGHT - BOTTOM - value / Y_END * (HEIGHT - TOP - BOTTOM):.1f}"


def _text(x: str | float, y: str | float, words: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" {more}>{words}</text>'


def _line(x1: str, y1: str, x2: str, y2: str, style: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>'


def _axes(windows: int) -> Iterator[str]:
    grey, aim = 'stroke="#ddd"', 'stroke="#444" stroke-dasharray="4 3"'
    for n in range(int(X_END / STEP) + 1):
        yield _line(_x(n * STEP), _y(0), _x(n * STEP), _y(Y_END), grey)
        if n % 2 == 0:
            yield _text(_x(n * STEP), HEIGHT - BOTTOM + 18, f"{n * STEP:.1f} ×", 'text-anchor="middle"')
    for n in range(int(Y_END / STEP) + 1):
        yield _line(_x(0), _y(n * STEP), _x(X_END), _y(n * STEP), grey)
        yield _text(LEFT - 8, _y(n * STEP), f"{n * STEP:.2f} ×", 'text-anchor="end" dominant-baseline="middle"')
    yield _line(_x(X_AIM), _y(0), _x(X_AIM), _y(Y_END), aim)
    yield _line(_x(0), _y(Y_AIM), _x(X_END), _y(Y_AIM), aim)
    yield _text(LEFT, 20, f"Waits in times of the ZMS rule's on the same days, {windows} windows", 'font-weight="bold"')
    yield _text(LEFT, 38, "longest wait of a day without a booking (mean of the days); dashed: the aims")
    yield _text(_x(X_END / 2), HEIGHT - 16, "booked people, 95th percentile", 'text-anchor="middle"')


def _curve(curve: Curve, nth: int, default: tuple[int, int]) -> Iterator[str]:
    colour = COLOURS[nth]
    points = " ".join(f"{_x(p.booked_p95)},{_y(p.of_a_day)}" for p in curve.points)
    stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{DASHES[nth]}"'
    yield f'<polyline points="{points}" fill="none" {stroke}/>'
    for p in curve.points:
        chosen = (p.booked_first, p.walk_in_due) == default
        size, fill = (6, colour) if chosen else (3.5, "#fff")
        yield (
            f'<circle cx="{_x(p.booked_p95)}" cy="{_y(p.of_a_day)}" r="{size}" fill="{fill}" stroke="{colour}" '
            f'stroke-width="2"><title>booked first after {p.booked_first} min, walk-in due after {p.walk_in_due} min'
            "</title></circle>"
        )
    x, y = WIDTH - RIGHT + 12, TOP + 20 + 22 * nth
    yield _line(str(x), str(y - 4), str(x + 28), str(y - 4), stroke)
    yield _text(x + 34, y, f"load {curve.load:.2f}")
    if nth == len(COLOURS) - 1:
        yield f'<circle cx="{x + 14}" cy="{y + 18}" r="6" fill="#444"/>'
        yield _text(x + 34, y + 22, "default")
