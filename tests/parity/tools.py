"""Other people's scorers, and pairs of texts to ask them about."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from earwitness.types import Edits

TOKENS = ["the", "a", "cat", "dog", "sat", "on", "mat", "white", "board", "whiteboard"]
_SCORES = re.compile(r"^id: \((\S+)\)$.*?^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE | re.DOTALL)


def require_sclite() -> None:
    """Install Debian's sctk where that is possible; skip the test, with the reason, where it is not."""
    reason = _missing()
    if reason:
        pytest.skip(f"there is no sclite here: {reason}")


@cache
def _missing() -> str | None:
    """Return why sclite is not here, after trying to install it; one process of the tests at a time."""
    if os.name == "nt":
        return "it is not made for Windows; run it on Linux"
    import fcntl

    with (Path(tempfile.gettempdir()) / "earwitness-sctk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("sctk"):
            return None
        if not shutil.which("apt-get") or os.geteuid() != 0:
            return "apt-get install sctk, as root"
        apt = ["apt-get", "--yes", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1"]
        for command in ([*apt, "update"], [*apt, "install", "--no-install-recommends", "sctk"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode != 0:
                return f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}"
    return None


def sclite(reference: Path, hypothesis: Path, *, kinds: tuple[str, str] = ("trn", "trn")) -> list[Edits]:
    """Return sclite's counts of every utterance, in its own order: by speaker, then as they stand in the reference."""
    command = ["sctk", "sclite", "-s", "-e", "utf-8", "-i", "rm", "-o", "pralign", "stdout"]
    command += ["-r", str(reference), kinds[0], "-h", str(hypothesis), kinds[1]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return [Edits(*map(int, counts)) for _, *counts in _SCORES.findall(done.stdout)]


def sclite_of(pairs: Sequence[tuple[str, str]], folder: Path) -> list[Edits]:
    """Return sclite's counts of pairs of normalized texts, in their order."""
    for name, column in zip(("ref", "hyp"), zip(*pairs, strict=True), strict=True):
        lines = (f"{text} (one_{number:06d})\n" for number, text in enumerate(column))
        (folder / f"{name}.trn").write_text("".join(lines), encoding="utf-8")
    found = sclite(folder / "ref.trn", folder / "hyp.trn")
    assert len(found) == len(pairs)
    return found


def misheard(rng: random.Random, words: Sequence[str]) -> list[str]:
    """Return words with deletions, substitutions and insertions, about one in two."""
    heard = []
    for word in words:
        luck = rng.random()
        if luck > 0.2:
            heard.append(word if luck > 0.4 else rng.choice(TOKENS))
        if luck > 0.88:
            heard.append(rng.choice(TOKENS))
    return heard


def pairs(n: int, seed: int = 0, longest: int = 12) -> Iterator[tuple[list[str], list[str]]]:
    """Yield references and hypotheses of few different words, so that many alignments are as good as each other."""
    rng = random.Random(seed)
    for _ in range(n):
        said = [rng.choice(TOKENS) for _ in range(rng.randrange(1, longest))]
        yield said, misheard(rng, said)


def choice(rng: random.Random) -> str:
    """Return a place with two or three wordings, some of them empty."""
    texts = (" ".join(rng.choices(TOKENS, k=rng.randrange(4))) for _ in range(rng.randrange(2, 4)))
    return "{ " + " / ".join(text or "@" for text in texts) + " }"


def pairs_with_choices(n: int, seed: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield references in sclite's notation, and what was heard of one of their wordings."""
    rng = random.Random(seed)
    for _ in range(n):
        parts = [choice(rng) if rng.random() < 0.25 else rng.choice(TOKENS) for _ in range(rng.randrange(1, 10))]
        said = [rng.choice(part.strip("{ }").split(" / ")).replace("@", "") for part in parts]
        yield " ".join(parts), misheard(rng, " ".join(said).split())
