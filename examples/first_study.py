"""LFM2.5-Audio, Whisper base and faster-whisper base on a recording of 163 s and one of 944 s, in one command.

    python examples/first_study.py [--device auto] [--out runs] [--lfm2 FOLDER] [--all-engines]

Every step is an ordinary command and is printed before it runs. Whisper's weights come from a package registry and are
converted, so that two engines run the same ones. LFM2.5-Audio's come from the Hugging Face hub, or from FOLDER; where
its weights cannot be reached, the study says so, does not install its engine of 6 GB, and goes on with the others. It
ends with ranks and intervals on both recordings, and a verdict on the longer one, of which the shorter one is the
beginning. With --all-engines, the same weights also run in transformers, whisper.cpp, MLX and ONNX Runtime; away from
an Apple computer, MLX takes longer than all others together. Where LFM2.5-Audio cannot be reached, a tiny LFM2-Audio
with random weights then runs in torch and in MLX: its rows, called random, show that both engines work, and no more.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

WHISPERS = ("faster-whisper:base", "whisper:base")
OTHER_ENGINES = ("transformers:whisper-base", "whisper-cpp:base", "onnx-asr:whisper-base", "mlx-whisper:base")
LFM2 = "lfm2.5-audio:1.5b"
RANDOM_LFM2 = {"lfm2.5-audio": "make_tiny_lfm2.py", "mlx-audio": "make_tiny_lfm2_mlx.py"}
SECONDS = (163, 944)


def earwitness(*arguments: str) -> bool:
    """Print a command, run it, and say whether it did what it should."""
    print(f"\n$ earwitness {shlex.join(arguments)}", flush=True)
    return subprocess.run([sys.executable, "-m", "earwitness", *arguments], check=False).returncode == 0


def why_not(model: str) -> str | None:
    """Get a model's weights and its engine; return why it cannot be measured, or nothing."""
    has_weights = Path(model.partition(":")[2]).is_dir() or earwitness("models", "pull", model)
    if not has_weights:
        return "its weights cannot be reached from here"
    if not earwitness("engines", "install", model.partition(":")[0]):
        return "its engine cannot be installed here"
    return None


def random_lfm2(out: Path) -> list[str]:
    """Make a tiny LFM2-Audio with random weights, for torch and with the same ones for MLX; return the models."""
    folders: list[Path] = []
    for engine, script in RANDOM_LFM2.items():
        if not earwitness("engines", "install", engine):
            break
        listed = [sys.executable, "-m", "earwitness", "engines", "list", "--json"]
        rows = json.loads(subprocess.run(listed, check=True, capture_output=True).stdout)
        (environment,) = (row["folder"] for row in rows if row["engine"] == engine)
        program = Path(__file__).parents[1] / "tests" / "engines" / script
        folder = out / f"random-{engine}"
        command = [Path(environment, "bin", "python"), program, folder, *folders]
        if subprocess.run(command, check=False).returncode != 0:
            break
        folders.append(folder)
    return [f"{engine}:{folder}" for engine, folder in zip(RANDOM_LFM2, folders, strict=False)]


def main() -> int:
    """Do the study; exit 1 when it has no comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="runs")
    parser.add_argument("--lfm2", metavar="FOLDER", help="a checkpoint of LFM2.5-Audio on this machine")
    parser.add_argument("--all-engines", action="store_true", help="Whisper base in six engines")
    given = parser.parse_args()
    whispers = (*WHISPERS, *OTHER_ENGINES) if given.all_engines else WHISPERS
    lfm2 = f"lfm2.5-audio:{Path(given.lfm2).resolve()}" if given.lfm2 else LFM2
    reasons = {model: why_not(model) for model in (*whispers, lfm2)}
    if given.all_engines and reasons[lfm2] is not None:
        reasons |= dict.fromkeys(random_lfm2(Path(given.out)))
    wanted = [word for model, reason in reasons.items() if reason is None for word in ("--model", model)]
    if not earwitness("data", "pull", "telephony-en"):
        return 1
    with tempfile.TemporaryDirectory() as fresh:
        # A study is compared by itself: older records in --out are left where they are.
        parts = [str(Path(fresh) / f"{seconds}s") for seconds in SECONDS]
        for seconds, part in zip(SECONDS, parts, strict=True):
            earwitness("data", "join", "telephony-en", "--seconds", str(seconds))
            earwitness("run", f"telephony-en-{seconds}s", *wanted, "--device", given.device, "--out", part)
        done = earwitness("compare", *parts, "--matrix", "--out", str(Path(given.out) / "first-study.md"))
        earwitness("import", fresh, "--out", given.out)
        earwitness("decide", parts[-1], "--out", str(Path(fresh) / "decision.json"))
    for model, reason in reasons.items():
        if reason is not None:
            print(f"Not measured: {model}, because {reason}.")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
