"""The browsers of many boards, in one process of its own: `python -m bench.boards PORT COOKIE COUNT`.

They speak Engine.IO and Socket.IO by hand, WebSocket only, so that they cost as little as they can. It says `ready`
when all have joined, and then for each call one line of JSON: its sequence, and when the first and the last board
had it, on the clock that all processes of a machine share (CLOCK_MONOTONIC).
"""

import asyncio
import json
import re
import sys
import time
from itertools import count

from websockets.asyncio.client import ClientConnection, connect

CALL = '42["call"'
AT_ONCE = 20
_SEQUENCE = re.compile(r'"sequence":(\d+)')


class Heard:
    """Which board has which call."""

    def __init__(self, boards: int) -> None:
        """Of so many boards."""
        self._boards = boards
        self._times: dict[int, list[int]] = {}

    def call(self, text: str, at_ns: int) -> None:
        """A board has a call; when it was the last one, say so."""
        found = _SEQUENCE.search(text)
        assert found is not None, text
        times = self._times.setdefault(int(found[1]), [])
        times.append(at_ns)
        if len(times) == self._boards:
            del self._times[int(found[1])]
            said = {"sequence": int(found[1]), "first_ns": times[0], "last_ns": times[-1], "bytes": len(text)}
            print(json.dumps(said), flush=True)


async def run(port: int, cookie: str, boards: int) -> None:
    """All boards, until the process is ended."""
    heard, gate, joined = Heard(boards), asyncio.Semaphore(AT_ONCE), count(1)

    async def board() -> None:
        async with gate:
            socket = await _joined(port, cookie)
        if next(joined) == boards:
            print("ready", flush=True)
        await _listen(socket, heard)

    await asyncio.gather(*(board() for _ in range(boards)))


async def _joined(port: int, cookie: str) -> ClientConnection:
    address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    headers = {"Cookie": cookie} if cookie else {}
    socket = await connect(address, additional_headers=headers, compression=None, ping_interval=None, proxy=None)
    opened = await socket.recv()
    assert str(opened).startswith("0{"), opened
    await socket.send("40")
    accepted = await socket.recv()
    assert str(accepted).startswith("40"), accepted
    return socket


async def _listen(socket: ClientConnection, heard: Heard) -> None:
    async for message in socket:
        at, text = time.monotonic_ns(), str(message)
        if text == "2":
            await socket.send("3")
        elif text.startswith(CALL):
            heard.call(text, at)
    raise ConnectionError("the server closed the socket of a board")


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
