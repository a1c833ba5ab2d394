"""A LibriSpeech tree: ``SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`` beside the audio."""

from __future__ import annotations

from pathlib import Path

from earwitness.data.lines import text_lines
from earwitness.data.rows import AUDIO_SUFFIXES, DataRow, Remark, Rows, first_few, inside, is_data
from earwitness.errors import ManifestError

TRANSCRIPTS = "*.trans.txt"


def read(path: Path) -> Rows:
    """Yield a row for every line of every ``SPEAKER-CHAPTER.trans.txt``; the audio lies beside, by its id.

    Speaker and chapter together are the recording; the language is English. Other files of an utterance's name, such
    as ``.lab`` and ``.TextGrid``, are no audio.
    """
    unused: list[str] = []
    for transcript in sorted(file for file in path.rglob(TRANSCRIPTS) if is_data(file, path)):
        audio = _audio_of(transcript.parent)
        try:
            lines = list(text_lines(transcript))
        except ManifestError as error:
            yield error
            continue
        for number, line in lines:
            id_, _, text = line.strip().partition(" ")
            speaker, _, rest = id_.partition("-")
            file = audio.get(id_, transcript.parent / f"{id_}.flac")
            yield DataRow(
                where=f"{transcript}:{number}",
                audio=file,
                name=inside(file, path),
                id=id_,
                reference=text.strip(),
                language="en",
                speaker=speaker,
                recording=f"{speaker}-{rest.partition('-')[0]}",
            )
        named = {line.split()[0] for _, line in lines}
        unused += [inside(file, path) for id_, file in sorted(audio.items()) if id_ not in named]
    if unused:
        yield Remark(str(path), f"audio files without a line in a .trans.txt are not read: {first_few(unused)}.")


def _audio_of(folder: Path) -> dict[str, Path]:
    files = [file for file in folder.iterdir() if is_data(file, folder) and file.suffix.lower() in AUDIO_SUFFIXES]
    # Where an utterance is there twice, LibriSpeech's own flac is taken.
    files.sort(key=lambda file: (file.suffix.lower() == ".flac", file.name))
    return {file.stem: file for file in files}
