"""A Kaldi data folder: ``wav.scp``, and ``segments``, ``text`` and others where there are any.

Segments are read as Kaldi's own ``extract-segments`` reads them: an end of -1 is the end of the recording, an end less
than half a second past it is cut there, and a fifth field is the channel, from 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from earwitness.data.lines import text_lines
from earwitness.data.rows import DataRow, Remark, Rows, channel, first_few, seconds, show, there
from earwitness.errors import ManifestError

OVERSHOOT_S = 0.5
"""``--max-overshoot`` of ``extract-segments``, as it comes."""
_BLANK = re.compile(r"[ \t]+")
_IN_ARCHIVE = re.compile(r"\.ark(:\d+)?(\[.*\])?$")
_SIDES = {"A": 0, "B": 1, "1": 0, "2": 1}


@dataclass(frozen=True, slots=True)
class _Recording:
    audio: Path
    call: str
    """What its clips are clustered by."""
    side: int | None = None
    """The channel, where two recordings are sides of one file."""


@dataclass(frozen=True, slots=True)
class _Span:
    where: str
    utterance: str
    recording: str
    fields: tuple[str, ...] = ()
    """Start, end and perhaps channel, as written; empty for a whole recording."""


def read(path: Path) -> Rows:
    """Yield a row for every utterance of a Kaldi data folder.

    ``wav.scp`` gives a path for each recording, relative to the folder or to where the command runs; an entry that is
    a command (ending in ``|``) is refused, since it would have to be run, as is a place in an archive. ``segments``,
    ``text``, ``utt2spk``, ``utt2lang`` and ``reco2file_and_channel`` may be absent.
    """
    problems: list[ManifestError] = []
    recordings = _recordings(path, problems)
    texts, speakers, languages = (_by_id(path / name, problems) for name in ("text", "utt2spk", "utt2lang"))
    spans = _spans(path, recordings, problems)
    yield from problems
    for span in spans:
        try:
            yield _row(span, recordings, texts, speakers, languages)
        except ManifestError as error:
            yield error
    spoken = {span.utterance for span in spans}
    without = [utterance for utterance in texts if utterance not in spoken]
    if without:
        yield Remark(str(path / "text"), f"texts of utterances that have no audio: {first_few(without)}.")
    used = {span.recording for span in spans}
    unused = [name for name in recordings if name not in used]
    if unused:
        yield Remark(
            str(path / "wav.scp"), f"recordings that no segment is cut from are not read: {first_few(unused)}."
        )


def _row(
    span: _Span,
    recordings: Mapping[str, _Recording],
    texts: Mapping[str, str],
    speakers: Mapping[str, str],
    languages: Mapping[str, str],
) -> DataRow:
    recording = recordings.get(span.recording)
    if recording is None:
        raise ManifestError(
            f"{span.where}: recording {span.recording!r} is not in wav.scp. Add it, or remove the line."
        )
    start_s, duration_s, side = _place(span)
    return DataRow(
        where=span.where,
        audio=recording.audio,
        name=span.recording,
        id=span.utterance,
        start_s=start_s,
        duration_s=duration_s,
        reference=texts.get(span.utterance),
        language=languages.get(span.utterance) or None,
        speaker=speakers.get(span.utterance) or None,
        recording=recording.call,
        channel=recording.side if side is None else side,
        grace_s=OVERSHOOT_S,
    )


def _place(span: _Span) -> tuple[float, float | None, int | None]:
    if not span.fields:
        return 0.0, None, None
    start_s = seconds(span.fields[0], "a start", span.where) or 0.0
    side = channel(span.fields[2], "a channel", span.where) if len(span.fields) > 2 else None
    if re.fullmatch(r"-1(\.0*)?", span.fields[1]):
        return start_s, None, side
    end_s = seconds(span.fields[1], "an end", span.where) or 0.0
    if end_s <= start_s:
        raise ManifestError(f"{span.where} ends at {end_s} s, not after its start. Correct the line.")
    return start_s, end_s - start_s, side


def _spans(path: Path, recordings: Mapping[str, _Recording], problems: list[ManifestError]) -> list[_Span]:
    if not (path / "segments").exists():
        return [_Span(str(path / "wav.scp"), name, name) for name in recordings]
    spans = []
    for where, utterance, rest in _lines(path / "segments", problems):
        fields = tuple(_BLANK.split(rest))
        if len(fields) not in (3, 4):
            problems.append(
                ManifestError(f"{where} must be: utterance recording start end, and perhaps a channel. Correct it.")
            )
            continue
        spans.append(_Span(where, utterance, fields[0], fields[1:]))
    return spans


def _recordings(path: Path, problems: list[ManifestError]) -> dict[str, _Recording]:
    places: dict[str, Path] = {}
    for where, name, place in _lines(path / "wav.scp", problems):
        wrong = None
        if name in places:
            wrong = f"recording {show(name)} is already used. Rename one."
        elif not place or "\0" in place:
            wrong = f"recording {show(name)} has no path. Add it."
        elif place.endswith("|"):
            wrong = "is a command, not a file; Earwitness does not run it. Write the audio to a file."
        elif _IN_ARCHIVE.search(place):
            wrong = f"{place!r} is a place in a Kaldi archive, which is not read. Write the audio to a file: wav-copy"
        if wrong:
            problems.append(ManifestError(f"{where} {wrong}"))
            continue
        # As Kaldi has it, relative to where the command runs; or to the folder, which may have been moved.
        places[name] = path / place if there(path / place) or not there(Path(place)) else Path(place)
    sides = _by_id(path / "reco2file_and_channel", problems)
    times = Counter(places.values())
    found = {}
    for name, audio in places.items():
        call, _, side = sides.get(name, "").rpartition(" ")
        # The page names channels for scoring; they are the file's own only where recordings share the file.
        shares = times[audio] > 1 and side in _SIDES
        found[name] = _Recording(audio, call.strip() or name, _SIDES[side]) if shares else _Recording(audio, name)
    return found


def _by_id(path: Path, problems: list[ManifestError]) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, key, value in _lines(path, problems) if path.exists() else ():
        if key in found:
            problems.append(ManifestError(f"{where}: {show(key)} occurs twice. Remove one."))
        found.setdefault(key, value)
    return found


def _lines(path: Path, problems: list[ManifestError]) -> Iterator[tuple[str, str, str]]:
    try:
        lines = list(text_lines(path))
    except ManifestError as error:
        problems.append(error)
        return
    for number, line in lines:
        key, _, rest = _BLANK.sub(" ", line.strip(" \t"), count=1).partition(" ")
        yield f"{path}:{number}", key, rest
