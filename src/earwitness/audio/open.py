"""Opens a file with the library that decodes it to its end.

What decides is the content, not the file's name:

- Uncompressed WAV, AIFF, Wave64, CAF and AU whose header agrees with the file, and FLAC that states its length, are
  read by libsndfile, which is fast and seeks to the sample.
- All else that FFmpeg knows is decoded by FFmpeg's libraries, of which the first audio stream is taken.
- What FFmpeg does not know, such as NIST SPHERE or Matlab files, is tried with libsndfile again.

``docs/decisions/0009-which-library-decodes.md`` has the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from earwitness.audio import ffmpeg, sndfile
from earwitness.audio.content import Content, content_of
from earwitness.audio.source import AudioSource, NotReadableError
from earwitness.errors import AudioError, AudioNotFoundError

_HIGHEST_RATE_HZ = 768_000


def open_source(
    path: str | Path, start_s: float = 0.0, *, is_probe: bool = False
) -> AbstractContextManager[AudioSource]:
    """Open a file at a place in time. For a probe, FLAC is not read through in search of a second stream.

    Raises:
        AudioNotFoundError: When there is no such file.
        AudioError: When it is a folder, empty, or not audio.
    """
    path = Path(path)
    if not path.exists():
        raise AudioNotFoundError.at(path)
    if path.is_dir():
        raise AudioError(f"{str(path)!r} is a folder, not an audio file. Name a file in it.")
    if path.stat().st_size == 0:
        raise AudioError(f"{str(path)!r} is empty (0 bytes). Copy it again from where it came from.")
    return _open(path, start_s, is_probe)


@contextmanager
def _open(path: Path, start_s: float, is_probe: bool) -> Iterator[AudioSource]:
    try:
        content = content_of(path, is_probe=is_probe)
    except OSError as error:
        raise AudioError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    with ExitStack() as stack:
        source = _first(content, start_s, stack)
        if not 0 < source.rate_hz <= _HIGHEST_RATE_HZ or source.channels <= 0:
            raise AudioError(
                f"{str(path)!r} states {source.rate_hz} Hz and {source.channels} channels. "
                "Repair the file or leave it out."
            )
        yield source


def _first(content: Content, start_s: float, stack: ExitStack) -> AudioSource:
    """Open the file with the first library that can read it."""
    refusals = []
    for read in (sndfile.read_exact, ffmpeg.read, sndfile.read):
        try:
            return read(content, start_s, stack)
        except NotReadableError as error:
            refusals.append(str(error))
    why = "; ".join(dict.fromkeys(refusal.rstrip(".") for refusal in refusals if refusal))
    raise AudioError(f"{str(content.path)!r} is not audio that can be read ({why}). Leave it out or convert it.")
