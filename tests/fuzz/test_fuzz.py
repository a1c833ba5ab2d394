"""No file, however broken, makes a reader or the decoder raise anything but a sentence, or run without end.

``make test`` tries a few changed files of each kind, always the same ones. ``pytest -m long tests/fuzz -s`` goes on for
ten minutes with others, or for ``EARWITNESS_FUZZ_S`` seconds; findings are kept in the folder ``EARWITNESS_FUZZ_OUT``.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.fuzz.harness import Findings, fuzz
from tests.fuzz.target import Target
from tests.fuzz.targets import readers, sounds

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no POSIX timer here: run it on Linux")
SECONDS = float(os.environ.get("EARWITNESS_FUZZ_S", "600"))
OUT = os.environ.get("EARWITNESS_FUZZ_OUT")
SLICE_S = 5.0


def keep(found: Findings, root: Path) -> None:
    """Write each finding's traceback and file."""
    root.mkdir(parents=True, exist_ok=True)
    for where, (trace, content) in found.bad.items():
        stem = hashlib.sha256(where.encode()).hexdigest()[:12]
        (root / f"{stem}.txt").write_text(f"{where}\n{trace}", encoding="utf-8", errors="backslashreplace")
        (root / f"{stem}.bin").write_bytes(content)


@pytest.mark.parametrize("name", readers())
def test_a_broken_file_gets_a_sentence(name: str) -> None:
    found = fuzz(name, readers()[name], 0, n=40)
    assert found.bad == {}, "\n".join(trace for trace, _ in found.bad.values())
    assert found.outcomes["refused"] + found.outcomes["read"] == 40


@pytest.mark.parametrize("name", sounds())
def test_a_broken_sound_gets_a_sentence(name: str) -> None:
    found = fuzz(name, sounds()[name], 0, n=10)
    assert found.bad == {}, "\n".join(trace for trace, _ in found.bad.values())
    assert sum(found.outcomes.values()) == 10


def test_the_harness_sees_what_it_looks_for() -> None:
    def fail(_: Path) -> None:
        raise KeyError("a bug")

    found = fuzz("bug", Target("a", b"abc", fail), 0, n=3)
    assert found.outcomes == Counter(finding=3)
    assert len(found.bad) == 1


@pytest.mark.long
def test_many_broken_files_get_sentences(tmp_path: Path) -> None:
    targets, total = readers() | sounds(), Findings()
    ends_at, seed = time.monotonic() + SECONDS, 1
    counts: dict[str, Counter[str]] = {name: Counter() for name in targets}
    while time.monotonic() < ends_at:
        for name, target in targets.items():
            found = fuzz(name, target, seed, ends_at=min(ends_at, time.monotonic() + SLICE_S))
            counts[name] += found.outcomes
            total.bad |= found.bad
            keep(found, Path(OUT or tmp_path))
        seed += 1
    for name, outcomes in counts.items():
        print(f"{name}: {dict(outcomes)}")
    print(f"{sum(sum(one.values()) for one in counts.values())} files, {len(total.bad)} findings")
    assert total.bad == {}, "\n".join(sorted(total.bad))
