"""Joins clips into one long recording, with the exact reference and the places of the clips."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from earwitness.errors import DataError
from earwitness.files.fetch import cache_dir, stage
from earwitness.types import RATE_HZ, Clip, Dataset

_PCM = 32767


def join(dataset: Dataset, seconds: float, *, seed: int = 0, gap_s: float = 0.5, out: Path | None = None) -> Path:
    """Join clips into one recording of about so many seconds, and return the folder that holds it.

    Clips with words in their reference are drawn in an order that the seed decides, none twice, with a pause of silence
    between, until the next one would go past ``seconds``. The folder has the recording (``joined.wav``, 16 kHz,
    16 bit), a ``manifest.jsonl`` of its one clip, and ``boundaries.jsonl``: id, start, end and reference of every
    clip inside. The same clips, seconds, seed and gap give the same bytes.

    Args:
        dataset: Where the clips come from.
        seconds: How long the recording may be.
        seed: Of the order.
        gap_s: Silence between two clips.
        out: The folder to make; ``None`` for one in the cache, named after dataset, seconds and seed.

    Raises:
        DataError: When no clip fits, or the clips do not fill half of it.
        AudioError: For a clip that cannot be decoded.
    """
    chosen = _chosen(dataset.clips, seconds, seed, gap_s)
    total_s = sum(clip.duration_s + gap_s for clip in chosen) - gap_s
    if not chosen or total_s < seconds / 2:
        raise DataError(
            f"The clips of {dataset.name!r} last {max(total_s, 0):.0f} s, less than {seconds:.0f} s. "
            "Ask for less, or join more data."
        )
    name = f"{dataset.name}-{seconds:g}s" + (f"-seed{seed}" if seed else "")
    target = out or cache_dir() / "joined" / name
    with stage(target) as fresh:
        boundaries = _write_audio(fresh / "joined.wav", chosen, gap_s)
        languages = {clip.language for clip in chosen}
        row = {
            "audio_filepath": "joined.wav",
            "text": " ".join(" ".join((clip.reference or "").split()) for clip in chosen),
            "duration": boundaries[-1]["end_s"],
            "id": name,
            # Joined recordings all have one file name, and are different recordings.
            "recording": name,
            "lang": languages.pop() if len(languages) == 1 else None,
            "kind": "joined",
        }
        about = {
            "name": name,
            "license": dataset.license,
            "synthetic": dataset.synthetic,
            "joined_from": dataset.source,
            "joined_from_sha256": dataset.sha256,
            "seconds": seconds,
            "seed": seed,
            "gap_s": gap_s,
        }
        _write_lines(fresh / "manifest.jsonl", [row])
        _write_lines(fresh / "boundaries.jsonl", boundaries)
        (fresh / "corpus.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return target


def _chosen(clips: Sequence[Clip], seconds: float, seed: int, gap_s: float) -> list[Clip]:
    usable = [clip for clip in clips if clip.reference and clip.reference.strip() and clip.duration_s > 0]
    random.Random(seed).shuffle(usable)  # noqa: S311 - reproducible, not secret
    chosen: list[Clip] = []
    total_s = 0.0
    for clip in usable:
        longer_s = total_s + clip.duration_s + (gap_s if chosen else 0.0)
        if longer_s <= seconds:
            chosen.append(clip)
            total_s = longer_s
    return chosen


def _write_audio(path: Path, clips: Sequence[Clip], gap_s: float) -> list[dict[str, object]]:
    import soundfile

    from earwitness.audio import decode

    gap = np.zeros(round(gap_s * RATE_HZ), np.int16)
    boundaries: list[dict[str, object]] = []
    with soundfile.SoundFile(path, "w", RATE_HZ, 1, subtype="PCM_16") as file:
        for number, clip in enumerate(clips):
            if number:
                file.write(gap)
            start = file.tell()
            audio = decode(clip.audio_path, start_s=clip.start_s, duration_s=clip.span_s, channel=clip.channel)
            file.write(np.round(np.clip(audio.samples, -1, 1) * _PCM).astype(np.int16))
            place = {"start_s": start / RATE_HZ, "end_s": file.tell() / RATE_HZ}
            boundaries.append({"id": clip.id, **place, "reference": clip.reference})
    return boundaries


def _write_lines(path: Path, rows: Sequence[object]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
