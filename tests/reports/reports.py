"""A study of scripted models over clips whose texts, names and tags are as bad as they come."""

from __future__ import annotations

import json
from pathlib import Path

import soundfile
from tests.conftest import tone
from tests.runs.jobs import job, quiet

from earwitness.decision.decision import (
    SCHEMA_VERSION,
    Decision,
    Evidence,
    GradePart,
    PolicyInfo,
    RuleResult,
    Verdict,
    Winner,
)
from earwitness.records import store
from earwitness.runs.drive import start

SCRIPT = "<script>window.hacked = 1</script>"
IMAGE = '"><img src=x onerror="window.hacked = 2">'
CLOSING = "</script></textarea><script>window.hacked = 3</script>"
ARABIC, CHINESE = "مرحبا بالعالم العربي", "今天天气很好"
LONG_S = 75
LONG = [f"{first}{second}o" for first in "bdfgklmnprstvwz" for second in "abcdefghij"]
"""A hundred and fifty words that normalizing leaves alone."""
CLIPS = (
    {"seconds": 1, "id": f"one{IMAGE}", "text": f"{SCRIPT} hello there", "lang": "en", "kind": IMAGE},
    {"seconds": 2, "id": "two", "text": ARABIC, "lang": "ar", "kind": SCRIPT},
    {"seconds": 3, "id": "three", "text": CHINESE, "lang": "zh", "kind": "plain"},
    {"seconds": 4, "id": "four", "text": "the cat sat on the mat", "lang": "en", "kind": "plain"},
    {"seconds": 5, "id": "five", "text": "", "lang": "en", "kind": "plain"},
    {"seconds": 6, "id": "six", "text": f"{CLOSING} and so on", "lang": "en", "kind": "plain"},
    {"seconds": LONG_S, "id": "long", "text": " ".join(LONG), "lang": "en", "kind": "plain"},
)
ANSWERS = {
    "good": {
        "1": {"text": f"{SCRIPT} hello there"},
        "2": {"text": ARABIC},
        "3": {"text": CHINESE},
        "4": {"text": "the cat sat on a mat"},
        "5": {"text": ""},
        "6": {"text": f"{CLOSING} and so forth"},
        str(LONG_S): {"text": " ".join(LONG[:75] + LONG[76:])},
    },
    "poor": {
        "1": {"text": f"{IMAGE} yellow hair"},
        "2": {"text": "مرحبا"},
        "3": {"text": "今天下雨"},
        "4": {"text": "a cat sad on mat now"},
        "5": {"text": "thank you for watching"},
        "6": {"model": "error"},
        str(LONG_S): {"text": " ".join(LONG[:60]) + " and then" * 60},
    },
}


def records(root: Path) -> list[Path]:
    """Run two scripted models over the clips and return their records."""
    rows = []
    for number, clip in enumerate(CLIPS):
        path = root / "audio" / ("<b>bold.wav" if number == 0 else f"{number}.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(float(str(clip["seconds"]))), 16_000)
        rows.append({"audio_filepath": str(path), **{name: value for name, value in clip.items() if name != "seconds"}})
    manifest = root / "data.jsonl"
    manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return [start(job(root / name, manifest, answers), root / "runs", quiet) for name, answers in ANSWERS.items()]


def decision(paths: list[Path]) -> Decision:
    """Judge two records by hand: the first is served, the second rejected, for reasons that hold markup."""
    runs = [store.read_run(path) for path in paths]
    rules = (
        RuleResult(
            "gate", "WER at most 20 %", "wer", 0.2, "error rate", 0.031, (0.0, 0.2), "passed", evidence=(runs[0].id,)
        ),
        RuleResult("target", f"licence {SCRIPT}", "licence", "MIT", "", None, None, "not measured", reason=IMAGE),
    )
    parts = (GradePart("accuracy", 0.5, 96.0, "100 less 4"), GradePart("latency", 0.5, None, "no clock"))
    verdicts = tuple(
        Verdict(
            candidate=run.model.id,
            status="production" if place == 0 else "rejected",
            reasons=(f"because of {SCRIPT}",),
            conditions=(),
            grade="A" if place == 0 else "F",
            grade_points=96.0 if place == 0 else 12.0,
            grade_parts=parts,
            rules=rules,
            missing=("no second device: earwitness run --device cuda",),
            model=run.model,
            engine=run.engine,
            device_asked=run.device_asked,
            device_used=run.device_used or "",
            preset=run.preset,
            settings_asked=run.settings_asked,
            settings_in_force=run.settings_in_force,
            environment=run.environment,
            promise={"wer": 0.03},
        )
        for place, run in enumerate(runs)
    )
    return Decision(
        schema_version=SCHEMA_VERSION,
        created_at=runs[0].created_at,
        earwitness=runs[0].environment.earwitness,
        command=("decide", "runs/"),
        policy=PolicyInfo("hostile", SCRIPT, "0" * 64, ""),
        datasets=(runs[0].dataset,),
        verdicts=verdicts,
        chosen=runs[0].model.id,
        why="It passes every gate.",
        winners=(Winner("accuracy", "wer", (runs[0].model.id,), {}), Winner("memory", "peak", (), {})),
        guidance=(f"For captions: {runs[0].model.id}.",),
        evidence=tuple(_evidence(path) for path in paths),
    )


def _evidence(path: Path) -> Evidence:
    from hashlib import sha256

    run = store.read_run(path)
    seal = run.clips_file.sha256
    record = sha256(path.read_bytes()).hexdigest()
    return Evidence(run.id, str(path), record, seal, run.model.id, run.dataset.sha256)
