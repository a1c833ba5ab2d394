"""A folder of audio files with text files beside them, or one audio file."""

from __future__ import annotations

from pathlib import Path

from earwitness.data.rows import AUDIO_SUFFIXES, Row, Rows, inside, text_lines
from earwitness.errors import ManifestError


def read(path: Path) -> Rows:
    """Yield a row for every audio file in and below a folder; ``name.txt`` beside ``name.wav`` is its reference.

    Without a text file the clip is unlabelled. A single audio file is a folder of one.
    """
    root = path if path.is_dir() else path.parent
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    for audio in found:
        if audio.suffix.lower() in AUDIO_SUFFIXES and audio.is_file():
            text = audio.with_suffix(".txt")
            try:
                reference = " ".join(line.strip() for _, line in text_lines(text)) if text.exists() else None
            except ManifestError as error:
                yield error
                continue
            yield Row(where=str(audio), audio=audio, name=inside(audio, root), reference=reference)
