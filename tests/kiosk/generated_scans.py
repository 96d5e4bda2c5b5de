"""Scans by chance, as key events in bytes: what may be held to a scanner, and what may happen to it on the way.

`python -m tests.kiosk.generated_scans 1000000` tries so many on every processor (`make soak`).
"""

import os
import random
import string
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from kiosk.agent import Agent
from kiosk.devices.keymap import LAYOUTS, RELEASE, InputEvent, ScanAssembler, pack_event, parse_events
from kiosk.devices.ports import ScanLost
from kiosk.dialogue import Action, AskCheckIn, Note, Scanned, ScanWasLost, StateSeen, Unreachable
from madoguchi import codes
from madoguchi.mynumber import check_digit_ok
from tests.kiosk.fake_input import AUTOREPEAT, CAPS_LOCK, DROPPED, ENTER, KEYPAD_ENTER, TAB, key, typed
from tests.kiosk.fake_office import state

HOST: Final = "madoguchi.example"
ENDS: Final = (ENTER, KEYPAD_ENTER, TAB, None)
TYPABLE: Final = string.ascii_letters + string.digits + "-./:;?=&%#+*()[]{}<>@! \"'$,^_|~`\\"
PAUSE_S: Final = 0.5
PIECE: Final = 10_000


@dataclass(frozen=True)
class Held:
    """What somebody holds to the scanner, and the code of ours in it, if there is one."""

    text: str
    ours: str | None = None
    my_number: bool = False


class FalseAcceptance(Exception):
    """The kiosk took for a code of ours what is none, or another one than was held to it; or kept what it may not."""


# What is held


def one_of_ours(chance: random.Random) -> Held:
    """A code in any spelling."""
    code = codes.new(chance.choice(list(codes.Kind)), chance.randbytes)
    spelt = chance.choice((code.text, code.grouped, code.text.lower(), code.grouped.replace("-", " ")))
    pages = {codes.Kind.NOTICE: "b", codes.Kind.TICKET: "t"}
    if code.kind in pages and chance.random() < 0.5:
        spelt = f"https://{HOST}/{pages[code.kind]}/{code.text}"
    prefix = chance.choice(("", "", "]Q1", "]C0", "]d2"))
    return Held(prefix + spelt, code.text)


def twelve_digits(chance: random.Random) -> Held:
    """What may be a My Number: alone, in groups, or with a right check digit inside other text."""
    digits = _digits(chance, 12)
    spelt = chance.choice(("", "-", " ")).join((digits[:4], digits[4:8], digits[8:]))
    if chance.random() < 0.5:
        return Held(chance.choice(("", "]Q1", "  ")) + spelt, my_number=True)
    before, after = chance.choice((("ID:", ""), ("https://elsewhere.example/?n=", "&x=1"), ("", ",A")))
    return Held(before + spelt + after, my_number=check_digit_ok(digits.encode()))


def somebody_elses(chance: random.Random) -> Held:
    """Goods, forms, cards, links, garbage."""
    foreign = chance.choice(
        (
            _digits(chance, chance.choice((1, 6, 8, 9, 10, 11, 13, 14, 16, 20, 23, 48))),
            f"{_digits(chance, 3)}-{_digits(chance, 6)}",
            f"https://elsewhere.example/b/{codes.new(codes.Kind.NOTICE, chance.randbytes).text}",
            f"https://{HOST}/b/{codes.new(codes.Kind.BOOKING, chance.randbytes).text}",
            f"https://{HOST}.elsewhere.example/b/{codes.new(codes.Kind.NOTICE, chance.randbytes).text}",
            f"https://{HOST}/card/{codes.new(codes.Kind.NOTICE, chance.randbytes).text}",
            "".join(chance.choices(TYPABLE, k=chance.randint(1, 120))) + "!",
            "UU" + "".join(chance.choices(codes.ALPHABET, k=chance.randint(1, 30))),
            "9" * chance.randint(300, 5000) if chance.random() < 0.01 else "%",
        )
    )
    return Held(foreign)


# What happens to it


def key_lost(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """A key never arrives."""
    keys.pop(chance.randrange(len(keys)))
    return _flat(keys)


def key_doubled(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """A key bounces."""
    at = chance.randrange(len(keys))
    keys.insert(at, keys[at])
    return _flat(keys)


def neighbours_swapped(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """Two keys arrive the other way round."""
    at = chance.randrange(max(1, len(keys) - 1))
    keys[at : at + 2] = reversed(keys[at : at + 2])
    return _flat(keys)


def key_wrong(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """A key is read as another."""
    at = chance.randrange(len(keys))
    keys[at] = list(typed(chance.choice(TYPABLE), at=keys[at][0].at))
    return _flat(keys)


def events_dropped(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """The reader was late: the kernel threw away what it had and says so."""
    events = _flat(keys)
    first = chance.randrange(len(events))
    events[first : first + chance.randint(1, 200)] = [InputEvent(DROPPED.kind, DROPPED.code, 0, events[first].at)]
    return events


def cut_in_two(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """The scanner stops in the middle and goes on much later."""
    at = chance.randrange(len(keys))
    return _flat(keys[:at]) + _later(_flat(keys[at:]), PAUSE_S)


def releases_lost(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """Keys that are not let go before the next one."""
    return [event for event in _flat(keys) if event.value != RELEASE or chance.random() < 0.5]


def repeated(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """The kernel repeats a key that stays down."""
    events = _flat(keys)
    at = chance.randrange(len(events))
    events[at:at] = [InputEvent(1, 30, AUTOREPEAT, events[at].at)] * chance.randint(1, 50)
    return events


def caps_locked(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """Somebody presses Caps Lock."""
    at = chance.randrange(len(keys))
    return [*_flat(keys[:at]), *key(CAPS_LOCK, keys[at][0].at), *_flat(keys[at:])]


def any_events(chance: random.Random, keys: list[list[InputEvent]]) -> list[InputEvent]:
    """Events that no keyboard sends, in between."""
    events = _flat(keys)
    for _ in range(chance.randint(1, 20)):
        at = chance.randrange(len(events))
        strange = InputEvent(chance.randint(2, 31), chance.randrange(0x300), chance.randint(-9, 9), events[at].at)
        events.insert(at, strange)
    return events


Damage = Callable[[random.Random, list[list[InputEvent]]], list[InputEvent]]
DAMAGES: Final[tuple[Damage, ...]] = (
    key_lost,
    key_doubled,
    neighbours_swapped,
    key_wrong,
    events_dropped,
    cut_in_two,
    releases_lost,
    repeated,
    caps_locked,
    any_events,
)


# The kiosk


@dataclass
class Entrance:
    """The kiosk from the bytes of the input device to the question that it asks the server."""

    layout: str
    now: float = 1000.0
    _ids: Iterable[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """With an office that is open."""
        self._assembler = ScanAssembler(self.layout)
        self._agent = Agent(lambda: str(next(iter(self._ids))))
        self._agent.start()
        self._agent.handle(StateSeen(state(hosts=(HOST,))), self.now)

    def take(self, events: list[InputEvent]) -> list[Action]:
        """Everything that the kiosk does about these events, after which nothing is typed for a while."""
        scans: list[bytearray | ScanLost] = []
        for event in parse_events(b"".join(map(pack_event, events))):
            scans += self._assembler.feed(event)
        self.now = max((event.at for event in events), default=self.now) + PAUSE_S
        scans += self._assembler.silence(self.now)
        return [action for scan in scans for action in self._look(scan)]

    def _look(self, scan: bytearray | ScanLost) -> list[Action]:
        self.now += 1.0
        actions = self._agent.handle(ScanWasLost() if isinstance(scan, ScanLost) else Scanned(scan), self.now)
        if not isinstance(scan, ScanLost) and any(scan):
            raise FalseAcceptance(f"{len(scan)} bytes of a scan were not wiped")
        for action in actions:
            if isinstance(action, AskCheckIn):
                self._agent.handle(Unreachable(action.request_id), self.now)
        return actions


def try_out(seed: int, scans: int) -> int:
    """Hold so many codes to a kiosk; how many were taken for codes of ours. Raises FalseAcceptance."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    taken = 0
    for layout in LAYOUTS:
        entrance = Entrance(layout)
        for number in range(scans // len(LAYOUTS)):
            try:
                taken += _try_one(entrance, chance)
            except Exception as error:
                raise FalseAcceptance(f"seed {seed}, layout {layout}, scan {number}: {error}") from error
    return taken


def _try_one(entrance: Entrance, chance: random.Random) -> int:
    held = chance.choice((one_of_ours, one_of_ours, twelve_digits, somebody_elses))(chance)
    end = chance.choice(ENDS)
    keys = _keys(held.text, entrance.layout, entrance.now)
    damage = chance.choice(DAMAGES) if chance.random() < 0.5 else None
    whole = damage is None
    events = damage(chance, keys) if damage else _flat(keys)
    if end is not None:
        events += key(end, events[-1].at if events else entrance.now)
    actions = entrance.take(events)
    accepted = [action.text for action in actions if isinstance(action, AskCheckIn)]
    wrong = [text for text in accepted if text != held.ours]
    if wrong:
        raise FalseAcceptance(f"{held} became {wrong} ({damage})")
    if whole and held.ours is not None and accepted != [held.ours]:
        raise FalseAcceptance(f"{held} was not taken: {actions}")
    if whole and held.my_number:
        _check_nothing_is_kept(held.text, actions)
    return len(accepted)


def _check_nothing_is_kept(text: str, actions: list[Action]) -> None:
    noted = [action.kind for action in actions if isinstance(action, Note)]
    digits = "".join(filter(str.isdigit, text))
    if noted != ["my_number"] or digits[-12:] in repr(actions):
        raise FalseAcceptance(f"12 digits were taken for something else: {noted}")


def _keys(text: str, layout: str, at: float) -> list[list[InputEvent]]:
    return [typed(character, layout, at + 0.002 * n) for n, character in enumerate(text)]


def _flat(keys: Iterable[list[InputEvent]]) -> list[InputEvent]:
    return [event for events in keys for event in events]


def _later(events: list[InputEvent], seconds: float) -> list[InputEvent]:
    return [InputEvent(event.kind, event.code, event.value, event.at + seconds) for event in events]


def _digits(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(string.digits, k=length))


def main(scans: int) -> int:
    """So many scans on every processor; the seed is the day's second, and is told with what goes wrong."""
    began, first = time.monotonic(), int(time.time())
    pieces = [(first + n, min(PIECE, scans - n * PIECE)) for n in range(-(-scans // PIECE))]
    done = taken = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for (_, size), accepted in zip(pieces, pool.map(try_out, *zip(*pieces, strict=True)), strict=True):
            done, taken = done + size, taken + accepted
            sys.stdout.write(f"\r{done:,} scans, {taken:,} codes of ours, {time.monotonic() - began:.0f} s ")
            sys.stdout.flush()
    sys.stdout.write("\nno crash, none taken for another\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
