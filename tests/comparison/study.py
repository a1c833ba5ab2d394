"""Writes run records whose texts are made up and whose numbers are counted: a study of three models with known rates.

The shape is that of a study that was really made: one recording of 163 s and one of 944 s, a WER of 24.1 % and one of
28.5 %, and a chat model at 137.8 % that answers what it hears. Texts, clocks and memory here are invented; every count
and score is made from them by the scorer that scores real runs.

    python -m tests.comparison.study FOLDER [--golden]

``--golden`` also writes the decision that the tests expect, after a change that is meant to change it.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from earwitness.decision.decide import decide
from earwitness.decision.decision import Decision
from earwitness.decision.decision_file import plain_decision
from earwitness.decision.policy import load
from earwitness.records import store
from earwitness.records.record import (
    SCHEMA_VERSION,
    ClipResult,
    ClipsFile,
    DatasetInfo,
    EngineInfo,
    Environment,
    ModelInfo,
    Run,
    RunLimits,
    Selection,
    WorkersInfo,
)
from earwitness.records.rescore import score_result, score_run
from earwitness.records.speed import Cold, ColdStart, Measurements, Throughput
from earwitness.records.spread import spread
from earwitness.scoring import ScoringInfo
from earwitness.scoring.metrics.timing import speed
from earwitness.types import Clip, DatasetCondition, Failure, Hypothesis, Segment, Settings, Transcript

GOLDEN = Path(__file__).parent / "golden" / "decision.json"
WHEN = "2026-03-01T09:00:00.000+00:00"
MACHINE = Environment(
    earwitness="0.0.0", revision=None, dirty=None, python="3.12.0", platform="Linux", cpu="a processor", cores=4,
    memory_bytes=16_000_000_000, packages={},
)  # fmt: skip


def _words(text: str) -> list[str]:
    return text.split()


_SAID = _words(
    "river stone garden window letter morning winter summer bridge table paper market silver yellow "
    "doctor engine forest island kitchen ladder mirror needle orange pencil quarter rabbit school ticket "
    "uncle valley wagon basket candle dinner father finger ground hammer jacket kettle lemon mother "
    "number office people record season travel"
)
_WRONG = _words(
    "purple violin circus desert planet rocket shadow thunder velvet walnut zebra copper dragon ember falcon"
)
_TALK = _words(
    "weather recipes poems stories travel plans music books history science movies games letters lists "
    "ideas jokes football painting gardens cooking names numbers cities oceans planets languages animals "
    "trains bicycles mountains"
)
OPENING = "I'm sorry, I can't listen to audio."


def said(n: int, seed: int) -> list[str]:
    """Return so many words that somebody said."""
    return random.Random(seed).choices(_SAID, k=n)


def misheard(words: Sequence[str], n: int) -> str:
    """Return a text in which so many words, evenly spread, are others: its errors are exactly ``n``."""
    wrong = {len(words) * i // n for i in range(n)} if n else set()
    return " ".join(_WRONG[i % len(_WRONG)] if i in wrong else word for i, word in enumerate(words))


def answer(n: int, seed: int) -> str:
    """Return a chat model's answer of so many normalized words, none of which was said."""
    # The opening is nine words once it is normalized: i am sorry i can not listen to audio.
    words = random.Random(seed).choices([word for word in _TALK if word not in _SAID], k=n - 9)
    return " ".join([OPENING, *words])


def clip(id_: str, words: Sequence[str], seconds: float, recording: str = "") -> Clip:
    """Return a clip in which these words are said, or nothing."""
    sha256 = hashlib.sha256(id_.encode()).hexdigest()
    return Clip(id_, f"/nowhere/{id_}.wav", sha256, 0.0, seconds, " ".join(words), "en", None, recording or id_)


def heard(clip: Clip, text: str | None, wall_s: float, first_text_s: float | None = None) -> Hypothesis:
    """Return what a model made of a clip; ``None`` for a failure."""
    if text is None:
        failure = Failure("transcribe", "error", "it failed")
        return Hypothesis(clip.id, None, failure, clip.duration_s)
    segments = (Segment(0.0, clip.duration_s, text),) if text else ()
    return Hypothesis(
        clip.id, Transcript(text, segments, language="en"), None, clip.duration_s, 0.01, wall_s, first_text_s
    )


def record(
    root: Path,
    model: str,
    dataset: str,
    hypotheses: Sequence[tuple[Clip, Hypothesis]],
    *,
    license_: str = "MIT",
    device: str = "cpu",
    settings: Settings | None = None,
    machine: Environment = MACHINE,
    scoring: ScoringInfo | None = None,
    peak_rss_bytes: int = 500_000_000,
    cold: Sequence[float] = (),
    rtfx: float | None = None,
    condition: str | None = None,
    number: int = 0,
) -> Path:
    """Write a complete record as a run would, and return its path."""
    asked, how = settings or Settings(), scoring or ScoringInfo("whisper-english")
    results = [score_result(clip, hypothesis, how) for clip, hypothesis in hypotheses]
    name = f"{dataset}[{condition}]" if condition else dataset
    path = store.record_folder(root, model) / f"2026-03-01_09-00-{number:02d}-{store.model_folder(name)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.clips_path(path).open("wb") as lines:
        for result in results:
            store.append(lines, result)
    run = Run(
        schema_version=SCHEMA_VERSION,
        id=f"{store.model_folder(model)}/{WHEN}/{device}/{name}/{number}",
        status="complete",
        created_at=WHEN,
        finished_at=WHEN,
        command=("run", dataset, "--model", model),
        model=ModelInfo(model, model.partition(":")[2], hashlib.sha256(model.encode()).hexdigest(), license_),
        engine=EngineInfo(model.partition(":")[0], {"made-up": "1.0"}, "3.12.0"),
        device_asked=device,
        device_used=device,
        settings_asked=asked,
        settings_in_force={"beam_size": asked.beam_size, "vad": asked.vad},
        dataset=_dataset(dataset, [one for one, _ in hypotheses], condition),
        limits=RunLimits(),
        environment=machine,
        scoring=how,
        clips_file=ClipsFile(store.clips_path(path).name),
        speed=speed(hypothesis for _, hypothesis in hypotheses),
        workers=WorkersInfo(0.2, 1.0, 1, 1, peak_rss_bytes),
        scores=score_run(results, how),
        measurements=_measured(results, cold, rtfx),
    )
    store.write_run(path, store.seal_record(path, run))
    return path


def _dataset(name: str, clips: Sequence[Clip], condition: str | None) -> DatasetInfo:
    clean = hashlib.sha256(repr([(one.id, one.reference) for one in clips]).encode()).hexdigest()
    seconds = sum(one.duration_s for one in clips)
    how = None
    sha256 = clean
    if condition is not None:
        how = DatasetCondition(condition, clean, "1", "noise:*dB", 10.0, "dB", "less")
        sha256 = hashlib.sha256(f"{clean}{condition}".encode()).hexdigest()
        name = f"{name}[{condition}]"
    source = name.partition("[")[0]
    return DatasetInfo(name, sha256, len(clips), seconds, "CC0", False, Selection(source, condition=condition), how)


def _measured(results: Sequence[ClipResult], cold: Sequence[float], rtfx: float | None) -> Measurements | None:
    if not cold and rtfx is None:
        return None
    starts = tuple(ColdStart(0.2, seconds - 0.5, 0.3) for seconds in cold)
    totals = spread(list(cold))
    of_cold = Cold(starts, 0, results[0].clip.id, totals, totals, totals, totals) if cold else None
    fast = None
    if rtfx is not None:
        fast = Throughput(4, 1, 10 * rtfx, 10.0, rtfx, rtfx / 2, len(results), 0, len(results), 0, (), 900_000_000)
    return Measurements(of_cold, None, fast)


def write_study(root: Path) -> None:
    """Write the study: three models over two recordings of 295 and 1,705 words."""
    recordings = [("call-163s", said(295, 1), 163.0), ("call-944s", said(1705, 2), 944.0)]
    errors = {"steady:base": (71, 411), "quick:base": (84, 486)}
    wall = {"steady:base": 0.25, "quick:base": 0.125, "talker:chat": 0.5}
    for model, share in wall.items():
        for n, (name, words, seconds) in enumerate(recordings):
            one = clip(name, words, seconds)
            text = answer((406, 2350)[n], n) if model not in errors else misheard(words, errors[model][n])
            size = {"steady:base": 700, "quick:base": 400, "talker:chat": 6000}[model] * 1_000_000
            record(root, model, name, [(one, heard(one, text, share * seconds))], peak_rss_bytes=size)


def steadied(value: Any) -> Any:
    """Return plain values without what changes from day to day, and floats with nine digits."""
    if isinstance(value, dict):
        return {k: "" if k in ("created_at", "earwitness") else steadied(v) for k, v in value.items()}
    if isinstance(value, list):
        return [steadied(each) for each in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def decided(root: Path) -> Decision:
    """Return what is decided of the study by the default policy."""
    return decide(store.find_records([root]), load(), out=root / "decision.json", command=("decide", "runs"))


if __name__ == "__main__":
    write_study(Path(sys.argv[1]))
    if "--golden" in sys.argv:
        GOLDEN.parent.mkdir(exist_ok=True)
        plain = steadied(plain_decision(decided(Path(sys.argv[1]))))
        GOLDEN.write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
