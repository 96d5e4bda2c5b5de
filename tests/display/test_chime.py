"""The chime: made by a script, so that anybody may make it anew."""

import io
import wave

from display.make_chime import CHIME, chime


def test_the_chime_in_the_repository_is_what_the_script_makes() -> None:
    assert CHIME.read_bytes() == chime()


def test_the_chime_is_a_small_mono_wav_of_two_seconds_that_does_not_clip() -> None:
    with wave.open(io.BytesIO(chime())) as sound:
        frames = sound.readframes(sound.getnframes())
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getnframes() / sound.getframerate() == 2.0
    loudest = max(abs(int.from_bytes(frames[n : n + 2], "little", signed=True)) for n in range(0, len(frames), 2))
    assert loudest < 32_767
    assert len(chime()) < 100_000


def test_the_chime_begins_and_ends_in_silence_so_that_nothing_clicks() -> None:
    with wave.open(io.BytesIO(chime())) as sound:
        frames = sound.readframes(sound.getnframes())
    edges = [int.from_bytes(frames[at : at + 2], "little", signed=True) for at in (0, 2, len(frames) - 2)]
    assert max(abs(edge) for edge in edges) < 100
