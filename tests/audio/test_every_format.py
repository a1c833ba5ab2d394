"""What is heard is what FFmpeg's own program decodes from beginning to end, in every format and however it is broken.

``comparison`` has the rules by which the two may differ, and ``docs/audio.md`` how often each is used.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from . import comparison
from .comparison import RULES, Answer, Sound, compare, product, verdict
from .generated import MUTATIONS, Format, content_of, formats, sound

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="there is no ffmpeg here: apt-get install ffmpeg"
)
_SEED = 14
_PAGE = Path(__file__).parents[2] / "docs" / "audio.md"


def one_of_each_container() -> Iterator[tuple[Format, bytes, list[str]]]:
    """A codec for each container, and three kinds of damage, drawn with a fixed seed."""
    draw = random.Random(_SEED)
    for _, group in itertools.groupby(formats(), key=lambda format_: (format_.is_of_sndfile, format_.container)):
        candidates = list(group)
        draw.shuffle(candidates)
        damage = draw.sample(list(MUTATIONS), 3)
        for format_ in candidates:
            content = content_of(format_, comparison.SECONDS)
            if content is not None:
                yield format_, content, damage
                break


@needs_ffmpeg
@pytest.mark.slow
def test_a_format_of_each_container_is_heard_to_its_end(tmp_path: Path) -> None:
    reports = [compare(*chosen, tmp_path) for chosen in one_of_each_container()]
    differences = [line for report in reports for line in report.differences]
    assert not differences, "\n".join(differences)
    assert sum(report.is_heard for report in reports) > 40


@needs_ffmpeg
@pytest.mark.long
def test_every_format_is_heard_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    n_written, n_heard, report = product(os.cpu_count() or 1)
    table = comparison.table(n_written, n_heard, report.counts)
    with capsys.disabled():
        print(f"\n{table}")
    assert not report.differences, "\n".join(report.differences)


def test_the_page_has_every_rule() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    assert [rule for rule, meaning in RULES.items() if f"| {rule} |" not in page or meaning not in page] == []


FRAME = 1024
WHOLE = Sound(sound(16_000, 1, 1.0), 16_000)


def part(start: int, stop: int) -> Sound:
    return Sound(WHOLE.samples[start:stop], WHOLE.rate_hz)


def with_a_hole(at: int, length: int) -> Sound:
    return Sound(np.concatenate([WHOLE.samples[:at], WHOLE.samples[at + length :]]), WHOLE.rate_hz)


def with_noise(length: int) -> Sound:
    noise = np.random.default_rng(1).uniform(-1, 1, (length, 1)).astype(np.float32)
    return Sound(np.concatenate([WHOLE.samples, noise]), WHOLE.rate_hz)


def test_a_difference_is_noticed() -> None:
    silence = Sound(np.zeros_like(WHOLE.samples), 16_000)
    cases: dict[str, tuple[Answer, Answer]] = {
        "a frame lost in the middle": (with_a_hole(5000, 160), WHOLE),
        "the last frame lost": (part(0, 15_000), WHOLE),
        "the first and the last frame lost": (part(500, 15_500), WHOLE),
        "a sample late": (part(1, 16_000), Sound(WHOLE.samples[:-1], 16_000)),
        "another rate": (Sound(WHOLE.samples, 8000), WHOLE),
        "two channels": (Sound(WHOLE.samples.repeat(2, axis=1), 16_000), WHOLE),
        "half as loud": (Sound((WHOLE.samples / 2).astype(np.float32), 16_000), WHOLE),
        "silence": (silence, WHOLE),
        "a refusal": ("is cut short: its header states 3.00 s", WHOLE),
        "noise where ffmpeg refuses": (Sound(WHOLE.samples[::-1].copy(), 16_000), "refused"),
        "a long delay": (part(3000, 16_000), WHOLE),
    }
    for name, (mine, theirs) in cases.items():
        assert verdict(mine, theirs, WHOLE, "whole", FRAME, 16_000) is None, name


def test_each_rule_is_used_for_what_it_says() -> None:
    twice = Sound(np.concatenate([WHOLE.samples, WHOLE.samples]), 16_000)
    cut_short = "'a' is cut short: its header states 1.00 s, and 0.60 s can be decoded."
    cases: list[tuple[Answer, Answer, str, str | None]] = [
        (WHOLE, WHOLE, "whole", "same"),
        (part(500, 16_000), WHOLE, "whole", "delay"),
        (part(500, 15_500), WHOLE, "whole", "delay"),
        ("'a' is not audio that can be read", "Invalid data", "junk-before", "both refuse"),
        (cut_short, part(0, 9600), "cut", "refused"),
        (cut_short, WHOLE, "text-after", None),
        ("'a' is odd", part(0, 9600), "cut", None),
        (twice, WHOLE, "joined", "more"),
        (with_noise(5000), WHOLE, "joined", "noise"),
        (WHOLE, with_noise(5000), "joined", "noise"),
        (part(500, 16_000), with_noise(5000), "joined", None),
        (WHOLE, twice, "joined", None),
        (WHOLE, "Invalid data", "id3-before", "more"),
        (part(0, 9600), "Invalid data", "cut", "more"),
        (with_a_hole(5000, 2048), "Invalid data", "cut", None),
    ]
    for mine, theirs, mutation, rule in cases:
        assert verdict(mine, theirs, WHOLE, mutation, FRAME, 15_000) == rule, (mutation, rule)
