"""Write one file whole into a folder and take older ones away.

Run with a time limit as a process of its own: a share that hangs must not hold the server. Arguments: folder, name,
how many to keep, and what all such names begin with; the file comes on standard input. Ends with the system's number
of what went wrong.
"""

import os
import sys
from pathlib import Path


def write(folder: Path, name: str, keep: int, beginning: str, data: bytes) -> None:
    """The folder is never made: where it is missing, the other machine's share is not there."""
    part = folder / f".{name}.part"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    ours = sorted(path for path in folder.iterdir() if path.name.startswith(beginning) and path.suffix == ".pdf")
    for path in (*ours[:-keep], *folder.glob(f".{beginning}*.part")):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.stdin.buffer.read())
    except OSError as error:
        sys.exit(error.errno or 1)
