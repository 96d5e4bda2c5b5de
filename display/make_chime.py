"""Makes the board's chime (ピンポーン), a bell tone and another a major third below, with the standard library alone.

`python -m display.make_chime` writes `static/sounds/chime.wav` again; the same bytes come out every time.
"""

import io
import math
import struct
import wave
from pathlib import Path
from typing import Final

from display import STATIC

CHIME: Final[Path] = STATIC / "sounds" / "chime.wav"
RATE: Final = 22_050  # enough for a bell of 660 Hz and its partials, and half the bytes of a CD's rate
SECONDS: Final = 2.0
TONES: Final = ((0.0, 659.255), (0.55, 523.251))  # when it is struck, s; pitch, Hz: E5, C5
PARTIALS: Final = ((1.0, 1.0, 2.6), (2.0, 0.32, 4.5), (3.0, 0.10, 8.0))  # multiple, strength, decay per second
ATTACK: Final = 0.012  # s; a tone that starts at once clicks in the loudspeaker
RELEASE: Final = 0.15  # s; and so does one that is cut off
LOUDNESS: Final = 0.75  # of full scale, so that cheap television loudspeakers do not rattle


def _tone(since_struck: float, pitch: float) -> float:
    """One bell tone: partials that die away, the high ones sooner, as in a struck bar."""
    if since_struck < 0:
        return 0.0
    body = sum(
        strength * math.exp(-decay * since_struck) * math.sin(2 * math.pi * pitch * multiple * since_struck)
        for multiple, strength, decay in PARTIALS
    )
    return body * min(1.0, since_struck / ATTACK)


def samples() -> list[int]:
    """The whole chime as 16-bit samples."""
    count = int(RATE * SECONDS)
    wave_form = []
    for n in range(count):
        at = n / RATE
        ending = min(1.0, (SECONDS - at) / RELEASE)
        wave_form.append(ending * sum(_tone(at - struck, pitch) for struck, pitch in TONES))
    loudest = max(abs(value) for value in wave_form)
    return [round(value / loudest * LOUDNESS * 32_767) for value in wave_form]


def chime() -> bytes:
    """The chime as a WAV file: mono, 16 bits."""
    sound = samples()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(sound)}h", *sound))
    return file.getvalue()


def main() -> None:
    """Write the chime to its place."""
    CHIME.parent.mkdir(parents=True, exist_ok=True)
    CHIME.write_bytes(chime())


if __name__ == "__main__":
    main()
