"""The raw limit of a call: a WebSocket server that does nothing but send one text to all, in a process of its own.

`python -m bench.bare_boards PORT`: each line it reads is sent to everybody at once; it says when it began.
"""

import asyncio
import sys
import time

from websockets.asyncio.server import ServerConnection, broadcast, serve


async def run(port: int) -> None:
    """Until standard input ends."""
    boards: set[ServerConnection] = set()

    async def board(socket: ServerConnection) -> None:
        await socket.send('0{"sid":"bare"}')
        await socket.recv()
        await socket.send('40{"sid":"bare"}')
        boards.add(socket)
        try:
            await socket.wait_closed()
        finally:
            boards.discard(socket)

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serve(board, "127.0.0.1", port, compression=None, ping_interval=None):
        print("ready", flush=True)
        while line := await reader.readline():
            began = time.monotonic_ns()
            broadcast(boards, line.decode().rstrip("\n"))
            print(began, flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
