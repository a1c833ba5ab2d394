"""Made-up pools: clips, what was said in them, and what models with families of their own wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.comparison.study import MACHINE, WHEN
from tests.conftest import clip, heard

from earwitness.labels.pool import LabelPool, PoolTexts
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
from earwitness.records.select import RunWithClips
from earwitness.scoring import ScoringInfo, ScoringOptions, score_clip
from earwitness.types import Settings

VOCABULARY = [f"word{n}" for n in range(400)]


def references(n: int, seed: int = 0) -> list[list[str]]:
    """What was said: 1 to 20 words a clip, mostly few."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(20, 1 + rng.poisson(rng.gamma(1.5, 3.0, n)))
    return [[VOCABULARY[w] for w in rng.integers(0, len(VOCABULARY), size)] for size in sizes]


def misheard(
    said: list[list[str]], rate: float, seed: int, hard: np.ndarray | None = None
) -> tuple[tuple[str, ...], ...]:
    """What a model writes: words wrong, left out or put in, more in hard clips."""
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(0).beta(0.4, 2.0, len(said)) if hard is None else hard
    texts = []
    for words, chance in zip(said, np.clip(own / own.mean() * rate, 0, 0.95), strict=True):
        text: list[str] = []
        for word in words:
            luck = rng.random()
            if luck > chance / 3:
                text.append(word if luck > chance else VOCABULARY[rng.integers(0, len(VOCABULARY))])
            if rng.random() < chance / 5:
                text.append(VOCABULARY[rng.integers(0, len(VOCABULARY))])
        texts.append(tuple(text))
    return tuple(texts)


def made_pool(n: int, rates: tuple[float, ...] = (0.08, 0.12, 0.3), families: tuple[str, ...] = ()) -> LabelPool:
    """Clips without references, and one model for each rate, of a family of its own unless told otherwise."""
    said = references(n)
    models = tuple(
        PoolTexts(
            f"model{place}",
            families[place] if families else f"family{place}",
            misheard(said, rate, seed=place + 1),
            np.zeros(n, bool),
        )
        for place, rate in enumerate(rates)
    )
    return LabelPool(tuple(clip(f"c{place}", None) for place in range(n)), models, ScoringOptions("none"))


RUN = Run(
    schema_version=SCHEMA_VERSION,
    id="made/up",
    status="complete",
    created_at=WHEN,
    finished_at=WHEN,
    command=("run",),
    model=ModelInfo("model", "maker/weights", None, "MIT"),
    engine=EngineInfo("made-up"),
    device_asked="cpu",
    device_used="cpu",
    settings_asked=Settings(),
    settings_in_force={},
    dataset=DatasetInfo("made-up", "", 0, 0.0, "CC0", True, Selection("made-up")),
    limits=RunLimits(),
    environment=MACHINE,
    scoring=ScoringInfo("none"),
    clips_file=ClipsFile("clips.jsonl"),
)


def made_runs(n: int, rates: tuple[float, ...] = (0.08, 0.12, 0.3), *, hide: bool = True) -> list[RunWithClips]:
    """Runs of models over the clips of ``made_pool``, without references, or with them."""
    said = references(n)
    runs = []
    for place, rate in enumerate(rates):
        results = []
        for number, text in enumerate(misheard(said, rate, seed=place + 1)):
            one = clip(f"c{number}", None if hide else " ".join(said[number]))
            hypothesis = heard(" ".join(text), one.id)
            results.append(ClipResult(one, hypothesis, score_clip(one, hypothesis, ScoringOptions("none"))))
        info = replace(RUN, model=replace(RUN.model, id=f"model{place}", weights_id=f"maker/weights{place}"))
        runs.append(RunWithClips(Path(f"model{place}.json"), info, tuple(results), f"model{place}"))
    return runs
