"""How fast manifests are read: rows per second by format, and how much longer that takes than parsing the file alone.

    python benchmarks/manifest_reading.py [--rows 200000] [--files 4]

A manifest of so many rows over a few files of silence is written as CSV, JSONL and a Kaldi folder. Each is parsed by
Python's own ``csv`` or ``json`` (Kaldi: ``str.split``) and, in the same process right after it, read by
``read_rows``, loaded by ``load`` and looked over by ``check``. Seconds are of the processor, which suffer less from
other work on the machine; the ratio is to the plain parsing of the same file.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import soundfile

from earwitness.data import check, load
from earwitness.data.dataset import read_rows

_STEPS = 5000
_TEXT = "the words that somebody said"


def write_manifests(folder: Path, n_rows: int, n_files: int) -> dict[str, Path]:
    """Write the same rows in each format, and return what to load by format."""
    for number in range(n_files):
        soundfile.write(folder / f"{number}.wav", np.zeros(16_000 * (_STEPS // 100 + 2)), 16_000)
    rows = [(f"{n % n_files}.wav", f"c{n:07d}", n // n_files % _STEPS / 100, f"s{n % 50}") for n in range(n_rows)]
    paths = {"csv": folder / "m.csv", "jsonl": folder / "m.jsonl", "kaldi": folder / "kaldi"}
    with paths["csv"].open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "id", "start", "duration", "sentence", "locale", "speaker", "room"])
        writer.writerows([audio, id_, start, 1.0, _TEXT, "en", speaker, "hall"] for audio, id_, start, speaker in rows)
    with paths["jsonl"].open("w") as file:
        for audio, id_, start, speaker in rows:
            row = {"audio_filepath": audio, "id": id_, "offset": start, "duration": 1.0, "text": _TEXT}
            file.write(json.dumps(row | {"lang": "en", "speaker": speaker, "room": "hall"}) + "\n")
    kaldi = paths["kaldi"]
    kaldi.mkdir()
    (kaldi / "wav.scp").write_text("".join(f"{number} ../{number}.wav\n" for number in range(n_files)))
    spans = (f"{id_} {audio[:-4]} {start} {start + 1}\n" for audio, id_, start, _ in rows)
    (kaldi / "segments").write_text("".join(spans))
    (kaldi / "text").write_text("".join(f"{id_} {_TEXT}\n" for _, id_, _, _ in rows))
    (kaldi / "utt2spk").write_text("".join(f"{id_} {speaker}\n" for _, id_, _, speaker in rows))
    return paths


def parse_alone(kind: str, path: Path) -> None:
    """Parse a manifest and do nothing with it."""
    if kind == "csv":
        with path.open(newline="") as file:
            consume(csv.reader(file))
    elif kind == "jsonl":
        with path.open() as file:
            consume(json.loads(line) for line in file)
    else:
        for name in ("segments", "text", "utt2spk"):
            with (path / name).open() as file:
                consume(line.split() for line in file)


def consume(items: Iterable[object]) -> None:
    """Take all items and keep none."""
    deque(items, maxlen=0)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the processor's seconds for some work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Print a row for each format and step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_manifests(Path(folder), asked.rows, asked.files)
        load(paths["csv"], limit=1)  # starts the decoder, imports what there is to import
        print(f"{'format':8}{'step':10}{'rows/s':>10}{'s':>8}{'times plain parsing':>22}")
        for kind, path in paths.items():
            plain_s = seconds_of(lambda kind=kind, path=path: parse_alone(kind, path))  # type: ignore[misc]
            steps: dict[str, Callable[[], object]] = {
                "read_rows": lambda path=path: consume(read_rows(path)),  # type: ignore[misc]
                "load": lambda path=path: load(path),  # type: ignore[misc]
                "check": lambda path=path: check(path),  # type: ignore[misc]
            }
            print(f"{kind:8}{'plain':10}{asked.rows / plain_s:10.0f}{plain_s:8.2f}{1.0:22.1f}")
            for name, step in steps.items():
                taken_s = seconds_of(step)
                print(f"{kind:8}{name:10}{asked.rows / taken_s:10.0f}{taken_s:8.2f}{taken_s / plain_s:22.1f}")


if __name__ == "__main__":
    main()
