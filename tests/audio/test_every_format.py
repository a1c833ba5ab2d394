"""What is heard is what FFmpeg's own program decodes from beginning to end, in every format and however it is broken.

The rules by which the answers may differ, and no others (``docs/audio.md`` has them for users):

- ``refused``: a file that begins with junk, or one that breaks off, is refused in a sentence where the program decodes
  what it can. Nobody takes a part for the whole then.
- ``more``: the program refuses or stops early, and we hear the same and go on.
- ``delay``: the libraries in PyAV are newer than Debian's program and leave out the encoder's delay, which is at most a
  frame of silence before the sound, where a container states it.

Samples agree to 0.002, or have a correlation above 0.99 where libsndfile and FFmpeg round an ADPCM differently.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from earwitness.audio.open import open_source
from earwitness.errors import AudioError

from . import generated
from .generated import MUTATIONS, Samples, Subject

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="compares with Debian's ffmpeg")
FRAME = 4608
"""The longest frame of the codecs here, in samples."""
_MAY_BE_REFUSED = {
    "junk-before",
    "id3-before",
    "cut",
    "tail",
    "size-small",
    "size-big",
    "size-0",
    "size-ff",
    "size-sox",
}
# Few of a kind that many formats share: an index, a bit rate that varies, pages, sizes, frames without a container.
QUICK = {
    *("pcm_s16le.wav", "adpcm_ms.wav", "pcm_mulaw.au", "pcm_s16be.aiff", "alac.caf", "pcm_s24le.w64", "flac.flac"),
    *("flac.flac-piped", "flac.ogg", "libopus.ogg", "libopus.webm-piped", "libmp3lame.mp3"),
    *("libmp3lame.mp3-stereo-piped", "aac.adts", "aac.mp4", "aac.mpegts", "wavpack.wv"),
    *(
        "GSM610.sndfile-WAV",
        "PCM_16.sndfile-RF64",
    ),
}


def ours(path: Path) -> tuple[Samples, int] | None:
    """All that is heard of a file, shape (n, channels), and its rate; ``None`` when it is refused."""
    try:
        with open_source(path) as source:
            blocks = list(source.blocks)
    except AudioError:
        return None
    return (np.concatenate(blocks), source.rate_hz) if blocks else None


def close(a: Samples, b: Samples) -> bool:
    n = min(len(a), len(b))
    return bool(n and np.allclose(a[:n], b[:n], atol=2e-3))


def verdict(mine: tuple[Samples, int] | None, theirs: Samples | None, mutation: str) -> str:
    """How the two answers go together; ``different`` when they do not."""
    if mine is None:
        may = theirs is None or mutation in _MAY_BE_REFUSED
        return ("refused" if theirs is not None else "same") if may else "different"
    return _beside(mine[0], theirs) if theirs is not None else "more"


def _beside(samples: Samples, theirs: Samples) -> str:
    extra = len(samples) - len(theirs)
    if close(samples, theirs) and abs(extra) <= FRAME:
        return "same"
    if not extra and np.corrcoef(samples.ravel(), theirs.ravel())[0, 1] > 0.99:
        return "same"
    if close(samples, theirs) and extra > 0:
        return "more"
    return "delay" if -FRAME <= extra < 0 and close(samples, theirs[-extra:]) else "different"


def compare(subjects: list[Subject], folder: Path) -> tuple[Counter[str], list[str]]:
    """Return how often each verdict was reached, and where the answers differ."""
    counts: Counter[str] = Counter()
    differences = []
    path = folder / "a"
    for subject in subjects:
        whole = np.zeros((0, 1), np.float32)
        for name, mutate in MUTATIONS.items():
            content = mutate(subject.content)
            if content is None:
                continue
            path.write_bytes(content)
            mine = ours(path)
            shape = (None, None) if mine is None else (mine[1], mine[0].shape[1])
            theirs = generated.by_ffmpeg(path, *shape)
            result = verdict(mine, theirs, name)
            if name == "whole" and mine is not None:
                whole = mine[0]
            if name == "joined" and result == "different" and mine is not None:
                # The program loses a frame at the seam of two FLAC files; ours must be both, to the sample.
                result = "more" if np.array_equal(mine[0], np.concatenate([whole, whole])) else result
            counts[result] += 1
            if result == "different":
                lengths = [0 if x is None else len(x) for x in (mine and mine[0], theirs)]
                differences.append(f"{subject.name} {name}: {lengths[0]} samples, and ffmpeg {lengths[1]}")
    return counts, differences


@needs_ffmpeg
@pytest.mark.slow
def test_a_format_of_each_kind_is_heard_to_its_end(tmp_path: Path) -> None:
    counts, differences = compare(list(generated.subjects(frozenset(QUICK))), tmp_path)
    assert not differences, "\n".join(differences)
    assert counts["same"] > 100, counts


@needs_ffmpeg
@pytest.mark.long
@pytest.mark.xfail(
    reason="known to differ: G.721 where FFmpeg refuses and libsndfile decodes, the seam of Vorbis joined in one stream"
)
def test_every_format_is_heard_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subjects = list(generated.subjects())
    counts, differences = compare(subjects, tmp_path)
    with capsys.disabled():
        print(f"\n{len(subjects)} formats, {sum(counts.values())} files: {dict(counts)}")
    assert not differences, "\n".join(differences)
