"""A LibriSpeech tree: ``SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`` beside the audio."""

from __future__ import annotations

from pathlib import Path

from earwitness.data.rows import Row, Rows, inside, text_lines


def read(path: Path) -> Rows:
    """Yield a row for every line of every ``SPEAKER-CHAPTER.trans.txt``; the audio lies beside, by its id.

    Speaker and chapter together are the recording; the language is English.
    """
    for transcript in sorted(path.rglob("*.trans.txt")):
        for number, line in text_lines(transcript):
            id_, _, text = line.strip().partition(" ")
            audio = next(transcript.parent.glob(f"{id_}.*"), transcript.parent / f"{id_}.flac")
            speaker, _, rest = id_.partition("-")
            chapter = rest.partition("-")[0]
            yield Row(
                where=f"{transcript}:{number}",
                audio=audio,
                name=inside(audio, path),
                id=id_,
                reference=text.strip(),
                language="en",
                speaker=speaker,
                recording=f"{speaker}-{chapter}",
            )
