"""How long it takes to plan the labels of 100,000 clips.

    python benchmarks/label_planning.py [--clips 100000] [--labels 500] [--normalizer auto]

A manifest without references and the records of three models over it are made up and written. Then comes what
``earwitness label DATA --runs RUNS --plan --out FILE`` does, step by step: "data" reads the manifest, "records" reads
the records, "words" normalizes the texts, "signals" are distances between the models' words and the consensus, "plan"
is strata, shares and order, and "file" writes the plan. Seconds are of processor time of one process, which suffer less
from other work on the machine. Target: all together under 20 s.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path

import numpy as np
import soundfile

from earwitness.data import load
from earwitness.labels.plan import LabelGoal, plan_labels
from earwitness.labels.plan_file import write_plan
from earwitness.labels.pool import pool_of
from earwitness.labels.signals import signals_of
from earwitness.records.environment import environment
from earwitness.records.record import (
    SCHEMA_VERSION,
    ClipResult,
    ClipsFile,
    DatasetInfo,
    EngineInfo,
    ModelInfo,
    Run,
    RunLimits,
    Selection,
)
from earwitness.records.select import newest_with_clips
from earwitness.records.store import find_records, now, seal_record, write_clips, write_run
from earwitness.scoring import ScoringInfo
from earwitness.types import ClipScore, Dataset, Hypothesis, Settings, Transcript

_SYLLABLES = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
VOCABULARY = [one + two + end for one in _SYLLABLES for two in _SYLLABLES for end in ("n", "")][:5000]
"""Of letters alone: a word with a digit in it takes the normalizer ten times as long."""
RATES = (0.05, 0.1, 0.3)


def write_manifest(folder: Path, n: int) -> Path:
    """Write clips of three seconds that begin somewhere in one file of silence."""
    soundfile.write(folder / "silence.wav", np.zeros(8_000 * 600, np.int16), 8_000)
    rows = (
        {"audio_filepath": "silence.wav", "id": f"clip{place:06}", "offset": place % 59_000 / 100, "duration": 3.0}
        for place in range(n)
    )
    path = folder / "pool.jsonl"
    path.write_text("".join(dumps(row | {"lang": "en"}) + "\n" for row in rows), encoding="utf-8")
    return path


def write_records(folder: Path, dataset: Dataset, normalizer: str) -> None:
    """Write a record for each rate of wrong words."""
    rng = np.random.default_rng(0)
    sizes = 1 + rng.poisson(8, len(dataset.clips))
    said = [[VOCABULARY[w] for w in rng.integers(0, len(VOCABULARY), size)] for size in sizes]
    for place, rate in enumerate(RATES):
        texts = (" ".join(w if rng.random() > rate else "wrong" for w in words).capitalize() + "." for words in said)
        results = [
            ClipResult(
                clip,
                Hypothesis(clip.id, Transcript(text), None, audio_s=clip.duration_s),
                ClipScore(clip.id, None, None, failed=False, hypothesis_words=text.count(" ") + 1),
            )
            for clip, text in zip(dataset.clips, texts, strict=True)
        ]
        path = folder / f"model{place}.json"
        write_clips(path, results)
        write_run(path, seal_record(path, made_run(place, dataset, normalizer)))


def made_run(place: int, dataset: Dataset, normalizer: str) -> Run:
    when = now()
    return Run(
        schema_version=SCHEMA_VERSION,
        id=f"model{place}/{when}/0",
        status="complete",
        created_at=when,
        finished_at=when,
        command=("run",),
        model=ModelInfo(f"model{place}", f"maker/weights{place}", None, "MIT"),
        engine=EngineInfo("made-up"),
        device_asked="cpu",
        device_used="cpu",
        settings_asked=Settings(),
        settings_in_force={},
        dataset=DatasetInfo("pool", dataset.sha256, len(dataset.clips), 0.0, "CC0", True, Selection("pool.jsonl")),
        limits=RunLimits(),
        environment=environment(),
        scoring=ScoringInfo(normalizer),
        clips_file=ClipsFile("clips.jsonl"),
    )


@contextmanager
def step(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Keep the processor time of a step by its name."""
    started = time.process_time()
    yield
    seconds[name] = time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--normalizer", default="auto")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifest = write_manifest(folder, args.clips)
        (folder / "runs").mkdir()
        write_records(folder / "runs", load(manifest), args.normalizer)
        goals: tuple[tuple[LabelGoal, int], ...] = (("wer", 3), ("difference", 2))
        for goal, n_models in goals:
            seconds: dict[str, float] = {}
            with step("data", seconds):
                dataset = load(manifest)
            with step("records", seconds):
                runs = newest_with_clips(find_records([folder / "runs"]))
            with step("words", seconds):
                pool = pool_of(dataset.clips, runs)
            models = pool.labels[:n_models]
            with step("signals", seconds):
                signals = signals_of(pool, models, goal)
            with step("plan", seconds):
                plan = plan_labels(pool, args.labels, goal=goal, models=models, signals=signals)
            with step("file", seconds):
                write_plan(folder / "plan.json", plan)
            steps = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
            total = sum(seconds.values())
            print(f"{goal}: {args.clips:,} clips, {len(plan.strata)} strata: {steps}; all {total:.1f} s", flush=True)


if __name__ == "__main__":
    main()
