"""A Kaldi data folder: ``wav.scp``, and ``segments``, ``text`` and ``utt2spk`` where there are any."""

from __future__ import annotations

from pathlib import Path

from earwitness.data.rows import Row, Rows, seconds, text_lines
from earwitness.errors import ManifestError


def read(path: Path) -> Rows:
    """Yield a row for every utterance of a Kaldi data folder.

    ``wav.scp`` gives a path for each recording, relative to the folder or to where the command runs; an entry that is
    a command (ending in ``|``) is refused, since it would have to be run. ``segments``, ``text`` and ``utt2spk`` may
    be absent.
    """
    audio: dict[str, Path] = {}
    for where, recording, place in _table(path / "wav.scp"):
        if place.endswith("|"):
            yield ManifestError(
                f"{where} is a command, not a file; Earwitness does not run it. Write the audio to a file."
            )
            continue
        audio[recording] = path / place if (path / place).exists() or not Path(place).exists() else Path(place)
    texts = {utterance: text for _, utterance, text in _table(path / "text")}
    speakers = {utterance: speaker for _, utterance, speaker in _table(path / "utt2spk")}
    spans = list(_table(path / "segments")) or [(str(path / "wav.scp"), name, name) for name in audio]
    for where, utterance, span in spans:
        recording, *times = span.split()
        if recording not in audio:
            yield ManifestError(f"{where}: recording {recording!r} is not in wav.scp. Add it, or remove the line.")
            continue
        try:
            start_s, end_s = (seconds(times[n], "a time", where) if len(times) > n else None for n in (0, 1))
            if end_s is not None and end_s <= (start_s or 0):
                raise ManifestError(f"{where} ends at {end_s} s, not after its start. Correct the line.")
        except ManifestError as error:
            yield error
            continue
        yield Row(
            where=where,
            audio=audio[recording],
            name=recording,
            id=utterance,
            start_s=start_s or 0.0,
            duration_s=None if end_s is None else end_s - (start_s or 0.0),
            reference=texts.get(utterance),
            speaker=speakers.get(utterance),
            recording=recording,
        )


def _table(path: Path) -> list[tuple[str, str, str]]:
    if not path.exists():
        return []
    return [
        (f"{path}:{number}", *(part.strip() for part in ([*line.split(maxsplit=1), ""])[:2]))  # type: ignore[misc]
        for number, line in text_lines(path)
    ]
