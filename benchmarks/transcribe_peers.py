"""An archive transcribed by ``earwitness transcribe`` and by its peers: the same samples, weights and settings.

    python benchmarks/transcribe_peers.py [--model faster-whisper:base] [--limit 24] [--turns 3]
    python benchmarks/transcribe_peers.py --long telephony-en-163s --chunks 600,60,30

Every side gets the clips as 16-bit WAV files at 16 kHz, made by our decoder beforehand, so that nobody resamples and
all get the same numbers; what resampling changes is said apart: the plain loop over the original files, decoded with
FFmpeg. Likewise the loops compute Whisper's features with one thread of numpy's BLAS, as our workers do: another number
of threads rounds otherwise, and what that changes is said apart, too. Settings: greedy, no fall-back, no context, no
VAD, int8, English. Loading is left out: our workers are loaded before the clock starts, the loops load before it, and
of ``whisper-ctranslate2``, which is a command, a run over a second of silence is taken away. Ours is the whole of
``transcribe``: journal, text files and findings included.

A turn is every side once, with the plain loop before and after the others; a ratio is taken to the mean of these two,
which against each other show what the machine's mood does. ``BatchedInferencePipeline`` and whisperx need windows: they
get those of their own VAD, and are the sides with other settings. Errors are counted against the references.

``--ctranslate2 PYTHON`` and ``--whisperx PYTHON`` name the Python of an environment with whisper-ctranslate2, or with
whisperx and soundfile; without them, these are not run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from earwitness import data, weights
from earwitness.api.score import score
from earwitness.audio import decode
from earwitness.engines.catalog import find
from earwitness.records.environment import environment, usable_cores

Outcome = tuple[float, list[str]]
"""Seconds, and the texts in the order of the clips."""
LOOP = """
import json, sys, time
import soundfile
from faster_whisper import BatchedInferencePipeline, WhisperModel, decode_audio

how, folder, threads, files = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.load(sys.stdin)
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
side = BatchedInferencePipeline(model) if how == "batched" else model
more = {"batch_size": 8} if how == "batched" else {}
read = decode_audio if how == "ffmpeg" else lambda path: soundfile.read(path, dtype="float32")[0]

def text(samples):
    pieces, _ = side.transcribe(samples, language="en", beam_size=1, temperature=0.0,
                                condition_on_previous_text=False, **more)
    return "".join(piece.text for piece in pieces).strip()

text(read(files[-1])[:480_000])
began = time.perf_counter()
texts = [text(read(path)) for path in files]
json.dump([time.perf_counter() - began, texts], sys.stdout)
"""
WHISPERX = """
import json, sys, time
import soundfile, whisperx

folder, threads, files = sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)
side = whisperx.load_model(folder, "cpu", compute_type="int8", language="en", threads=threads,
                           asr_options={"beam_size": 1, "temperatures": [0.0]})

def read(path):
    return soundfile.read(path, dtype="float32")[0]

def text(samples):
    return " ".join(piece["text"].strip() for piece in side.transcribe(samples, batch_size=8)["segments"])

text(read(files[-1])[:480_000])
began = time.perf_counter()
texts = [text(read(path)) for path in files]
json.dump([time.perf_counter() - began, texts], open(sys.argv[3], "w"))
"""
CTRANSLATE2 = (
    "--compute_type int8 --beam_size 1 --best_of 1 --temperature 0 --temperature_increment_on_fallback None "
    "--condition_on_previous_text False --language en --output_format txt --verbose False --local_files_only True"
)


def loop(how: str, folder: Path, files: Sequence[Path], blas_threads: int = 1) -> Outcome:
    """A loop over faster-whisper: ``plain``, ``ffmpeg`` or ``batched``."""
    command = [sys.executable, "-c", LOOP, how, str(folder), str(usable_cores())]
    done = subprocess.run(
        command,
        input=json.dumps(list(map(str, files))),
        env=os.environ | {"OPENBLAS_NUM_THREADS": str(blas_threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, texts = json.loads(done.stdout)
    return seconds, texts


def ours(model: str, files: Sequence[Path], chunk_s: int, batch: int) -> Outcome:
    """``transcribe`` into text files, its workers loaded before."""
    from earwitness.archive.drive import transcribe_archive
    from earwitness.archive.recipe import of_model, with_enough
    from earwitness.archive.spec import ArchiveSpec
    from earwitness.runs.local_pool import LocalPool

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scratch = folder / "scratch"
        (scratch / "pool").mkdir(parents=True)
        spec = ArchiveSpec(
            paths=tuple(map(str, files)), model=model, language="en", out=folder / "out", batch=batch, speech=False
        )
        recipe = of_model(model, "cpu", "matched", [f"chunk_s={chunk_s}"], None, None)
        recipe = with_enough(recipe, sum(1 + int(soundfile.info(file).duration / chunk_s) for file in files))
        pool = LocalPool(replace(recipe.pool, batch=batch), scratch / "pool", workers=recipe.workers)
        with pool:
            pool.load()
            began_s = time.perf_counter()
            keep: Callable[..., AbstractContextManager[LocalPool]] = lambda *_: nullcontext(pool)  # noqa: E731
            transcribe_archive(spec, recipe, keep, scratch, lambda _: None)
            seconds = time.perf_counter() - began_s
        texts = [" ".join((folder / "out" / f"{file.stem}.txt").read_text().split()) for file in files]
    return seconds, texts


def whisperx(python: Path, folder: Path, files: Sequence[Path]) -> Outcome:
    """A loop over whisperx without alignment, its model and its VAD loaded before."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "outcome.json"
        command = [str(python), "-c", WHISPERX, str(folder), str(usable_cores()), str(out)]
        given = json.dumps(list(map(str, files)))
        subprocess.run(command, input=given, capture_output=True, text=True, check=True)
        seconds, texts = json.loads(out.read_text())
    return seconds, texts


def whisper_ctranslate2(python: Path, folder: Path, files: Sequence[Path]) -> Outcome:
    """The command over all files, less the command over one second of silence, which loads and decodes a window."""

    def run(some: Sequence[Path]) -> float:
        began_s = time.perf_counter()
        program = python.parent / "whisper-ctranslate2"
        options = [*CTRANSLATE2.split(), "--threads", str(usable_cores()), "--model_directory", str(folder)]
        subprocess.run([str(program), *map(str, some), *options, "--output_dir", out], check=True, capture_output=True)
        return time.perf_counter() - began_s

    with tempfile.TemporaryDirectory() as out:
        silence = Path(out) / "silence.wav"
        soundfile.write(silence, np.zeros(16_000, np.float32), 16_000, subtype="PCM_16")
        one_s = run([silence])
        all_s = run(files)
        texts = [" ".join((Path(out) / f"{file.stem}.txt").read_text().split()) for file in files]
    return all_s - one_s, texts


def main() -> None:
    """Print a line a turn and side, and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="faster-whisper:base")
    parser.add_argument("--data", default="telephony-en")
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--long", default="", help="a recording in place of clips")
    parser.add_argument("--chunks", default="30")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ctranslate2", type=Path)
    parser.add_argument("--whisperx", type=Path)
    given = parser.parse_args()
    tags = {} if given.long else {"kind": "speech"}
    clips = data.load(given.long or given.data, limit=None if given.long else given.limit, tags=tags).clips
    folder = weights.require(find(given.model))
    if folder is None:
        raise SystemExit(f"{given.model} has no weights to load")
    with tempfile.TemporaryDirectory() as name:
        files = []
        for n, clip in enumerate(clips):
            files.append(Path(name) / f"c{n:04}.wav")
            soundfile.write(files[-1], decode(clip.audio_path).samples, 16_000, subtype="PCM_16")
        sides: dict[str, Callable[[], Outcome]] = {
            f"ours, blocks of {chunk} s": lambda chunk=chunk: ours(given.model, files, int(chunk), given.batch)  # type: ignore[misc]
            for chunk in given.chunks.split(",")
        }
        sides["BatchedInferencePipeline"] = lambda: loop("batched", folder, files)
        if given.ctranslate2 is not None:
            sides["whisper-ctranslate2"] = lambda: whisper_ctranslate2(given.ctranslate2, folder, files)
        if given.whisperx is not None:
            sides["whisperx"] = lambda: whisperx(given.whisperx, folder, files)
        turns(given.turns, sides, lambda: loop("plain", folder, files), [clip.reference or "" for clip in clips])
        _, resampled = loop("ffmpeg", folder, [Path(clip.audio_path) for clip in clips])
        _, same = loop("plain", folder, files)
        _, rounded = loop("plain", folder, files, usable_cores())
        print(
            f"BLAS on {usable_cores()} threads in place of 1 changes {differing(rounded, same)} of {len(clips)} texts"
        )
        print(f"FFmpeg's resampling in place of soxr's changes {differing(resampled, same)} of {len(clips)} texts")
    audio_s = sum(clip.duration_s for clip in clips)
    print(f"{len(clips)} clips, {audio_s:.0f} s, {given.model}, {environment().cpu}, {usable_cores()} cores")


def differing(one: Sequence[str], other: Sequence[str]) -> int:
    """How many texts differ."""
    return sum(" ".join(a.split()) != " ".join(b.split()) for a, b in zip(one, other, strict=True))


def error_rate(said: Sequence[str], found: Sequence[str]) -> float:
    """WER of texts."""
    wer = score(list(said), list(found)).score("wer")
    return wer.value if wer is not None and wer.value is not None else float("nan")


def turns(n: int, sides: dict[str, Callable[[], Outcome]], plain: Callable[[], Outcome], said: list[str]) -> None:
    """Run and print."""
    ratios: dict[str, list[float]] = {name: [] for name in sides}
    control = []
    for _ in range(n):
        first_s, texts = plain()
        results = {name: side() for name, side in sides.items()}
        second_s, _ = plain()
        control.append(first_s / second_s)
        for name, (seconds, found) in results.items():
            ratios[name].append((first_s + second_s) / 2 / seconds)
            wer = error_rate(said, found)
            print(
                f"{name}: {seconds:.1f} s, ratio {ratios[name][-1]:.2f}, {differing(texts, found)} texts differ, "
                f"WER {wer:.4f}",
                flush=True,
            )
        print(f"plain loop: {first_s:.1f} and {second_s:.1f} s, WER {error_rate(said, texts):.4f}")
    for name, found_ratios in (*ratios.items(), ("plain loop to itself", control)):
        low, high = min(found_ratios), max(found_ratios)
        print(f"{name}: throughput {statistics.median(found_ratios):.2f} times the plain loop's ({low:.2f}-{high:.2f})")


if __name__ == "__main__":
    main()
