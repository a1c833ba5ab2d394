"""Compares what is heard of generated files with what Debian's ffmpeg decodes, by stated rules.

``python -m tests.audio.comparison`` compares every format and prints the counts of ``docs/audio.md``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.audio.in_process import decode_to, probe
from earwitness.errors import AudioError

from .generated import MUTATIONS, NOT_WRITTEN, Format, Samples, files, formats, sound

SECONDS = 3.0
SAMPLE_TOLERANCE = 2e-3
"""Of full scale: the two decode some codecs in fixed point, and some in floating point."""
RULES: Mapping[str, str] = {
    "same": "the same length, and the same samples to 0.002 of full scale",
    "both refuse": "neither decodes anything: the file is too damaged",
    "refused": "Earwitness refuses a damaged file in a sentence that names the damage, and ffmpeg decodes what it "
    "can: Earwitness never takes a part for the whole",
    "delay": "ffmpeg 5 has up to one frame more at the beginning, the end or a seam: the encoder's delay, which "
    "the container says to leave out",
    "seam": "two files under one stream number: within one frame of the seam, the samples differ",
    "more": "ffmpeg refuses, stops early or loses its position, and Earwitness reads the sound of the undamaged "
    "file, sample for sample",
    "noise": "junk in front of the file, or the header of a joined file, is taken for sound: both agree on the "
    "sound itself, but produce different noise from the rest",
    "unknown": "ffmpeg 5 does not know the format, and produces noise or nothing: Earwitness's samples are compared "
    "with the original sound",
}
"""How two answers may go together; all else is a difference."""
_DAMAGE = {
    "is cut short: its header states": {"cut", "tail", "size-big", "size-sox", "size-ff", "size-0", "size-small"},
    "cannot be decoded to its end": {"cut", "tail", "size-small"},
    "is damaged at byte": {"cut", "tail", "joined", "size-small", "size-0", "junk-after", "text-after"},
    "is not audio that can be read": {"junk-before", "cut", "tail", "joined"},
    "has samples that are NaN or infinite": {"junk-after", "text-after", "joined"},
    "holds no audio": {"cut", "junk-before", "size-0"},
}
"""The sentences of refusals, and the damage that each may be about."""
_AROUND = {"id3-before", "junk-before", "junk-after", "text-after"}
"""Damage that leaves the sound as it is."""
# One bit a sample, for both channels in turn.
_LIKE_OF = {("dfpwm", 2): 0.5}
_LIKE = 0.8
"""The least correlation with the sound that was encoded. Codecs for speech have about 0.9 on it; noise has 0.02."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is heard of a file."""

    samples: Samples
    """Shape (n, channels)."""
    rate_hz: int
    """Frames per second."""


Answer = Sound | str
"""A sound, or the sentence of a refusal."""


@dataclass(frozen=True, slots=True)
class Report:
    """How often each rule was used, and where answers differ."""

    counts: Counter[str] = field(default_factory=Counter)
    """Files by rule."""
    differences: list[str] = field(default_factory=list)
    """A line for each file to which no rule applies."""
    is_heard: bool = True
    """Whether the undamaged file is heard by either."""


def by_earwitness(path: Path) -> Answer:
    """All that is heard of a file by what a run calls, before it is mixed down."""
    blocks: list[Samples] = []
    try:
        rate_hz = probe(path).sample_rate_hz
        decode_to(path, Path(os.devnull), rate_hz=rate_hz, watch=lambda block, _: blocks.append(block.copy()))
    except AudioError as error:
        return str(error)
    return Sound(np.concatenate(blocks), rate_hz)


def by_ffmpeg(paths: Iterable[Path]) -> list[Answer]:
    """What Debian's ffmpeg decodes of files, in one process where it opens all of them."""
    paths = list(paths)
    command = ["ffmpeg", "-nostdin", "-y", "-v", "error"]
    for path in paths:
        command += ["-i", str(path)]
    for n, path in enumerate(paths):
        command += ["-map", f"{n}:a:0", "-c:a", "pcm_f32be", "-f", "au", f"{path}.au"]
    done = subprocess.run(command, capture_output=True, timeout=600)
    if done.returncode and len(paths) > 1:
        return [by_ffmpeg([path])[0] for path in paths]
    answers = [_sound_of(Path(f"{path}.au")) or done.stderr.decode(errors="replace") for path in paths]
    for path in paths:
        Path(f"{path}.au").unlink(missing_ok=True)
    return answers


def _sound_of(path: Path) -> Sound | None:
    if not path.exists():
        return None
    content = path.read_bytes()
    if len(content) < 24:
        return None
    start, _, _, rate_hz, channels = struct.unpack_from(">5I", content, 4)
    n = max(0, len(content) - start) // (4 * channels)
    samples = np.frombuffer(content, ">f4", n * channels, start) if n else np.zeros(0, np.float32)
    return Sound(samples.astype(np.float32).reshape(-1, channels), rate_hz) if n else None


def verdict(mine: Answer, theirs: Answer, whole: Answer, mutation: str, frame: int, n_encoded: int) -> str | None:
    """Return the rule that applies to two answers; ``None`` when they differ.

    Args:
        mine: Earwitness's.
        theirs: ffmpeg's.
        whole: Earwitness's for the undamaged file.
        mutation: The damage.
        frame: Samples in a frame of the codec.
        n_encoded: Samples that were encoded.
    """
    if isinstance(mine, str):
        if isinstance(theirs, str):
            return "both refuse"
        named = any(words in mine and mutation in damage for words, damage in _DAMAGE.items())
        return "refused" if named else None
    if isinstance(theirs, str):
        return "more" if _is_of(mine, whole, mutation, frame) else None
    return _beside(mine, theirs, whole, mutation, frame, n_encoded)


def _beside(mine: Sound, theirs: Sound, whole: Answer, mutation: str, frame: int, n_encoded: int) -> str | None:
    """Return the rule that applies to two sounds."""
    if (mine.rate_hz, mine.samples.shape[1]) != (theirs.rate_hz, theirs.samples.shape[1]):
        return None
    more = len(mine.samples) - len(theirs.samples)
    front = _alike(mine.samples, theirs.samples)
    back = _alike(mine.samples[::-1], theirs.samples[::-1])
    is_at_seam = mutation == "joined" and not isinstance(whole, str) and abs(front - len(whole.samples)) <= frame
    applies = {
        "same": not more and front == len(mine.samples),
        "seam": not more and is_at_seam and front + back >= len(mine.samples) - frame,
        "noise": _is_noise(mine, theirs, whole, mutation, frame),
        "more": (more >= 0 or mutation in _AROUND) and _goes_on(mine, theirs, whole, mutation, frame),
        "delay": more < 0
        and (
            (more >= -frame and is_at_seam and front + back >= len(mine.samples))
            or _is_inside(mine.samples, theirs.samples, frame, n_encoded)
        ),
    }
    return next((rule for rule, is_so in applies.items() if is_so), None)


def _is_noise(mine: Sound, theirs: Sound, whole: Answer, mutation: str, frame: int) -> bool:
    """Whether the two agree on what is heard of the sound, and differ in what they make of other bytes."""
    if isinstance(whole, str):
        return False
    n = len(whole.samples)
    if mutation == "junk-before" and len(mine.samples) == len(theirs.samples):
        all_at_the_end = _alike(mine.samples[::-1], theirs.samples[::-1]) >= n - 2 * frame
        return all_at_the_end or not _lag(mine.samples, whole.samples)[1] >= _LIKE
    if mutation == "joined":
        have_the_first = min(_alike(mine.samples, whole.samples), _alike(theirs.samples, whole.samples)) >= n - frame
        have_of_the_second = max(_alike(x.samples[n:][::-1], whole.samples[::-1]) for x in (mine, theirs))
        return have_the_first and have_of_the_second < frame
    return False


def _goes_on(mine: Sound, theirs: Sound, whole: Answer, mutation: str, frame: int) -> bool:
    """Whether ours is the undamaged file's sound to the sample, or theirs and more of it."""
    if mutation != "whole" and not isinstance(whole, str) and np.array_equal(mine.samples, whole.samples):
        return True
    front = _alike(mine.samples, theirs.samples)
    back = _alike(mine.samples[::-1], theirs.samples[::-1])
    is_longer = len(mine.samples) > len(theirs.samples)
    return is_longer and front + back >= len(theirs.samples) and _is_of(mine, whole, mutation, frame)


def _is_inside(a: Samples, b: Samples, frame: int, n_encoded: int) -> bool:
    """Whether ``a`` is ``b`` without up to a frame at its beginning, and none or, of a whole sound, one at its end."""
    lead, _ = _lag(b, a)
    tail = len(b) - len(a) - lead
    return (
        0 <= lead <= frame and _alike(a, b[lead:]) == len(a) and (not tail or (len(a) >= n_encoded and tail <= frame))
    )


def _alike(a: Samples, b: Samples) -> int:
    """Return how many samples at the beginning are the same."""
    n = min(len(a), len(b))
    with np.errstate(invalid="ignore"):  # damage may become infinite in both
        same = (a[:n] == b[:n]) | (np.abs(a[:n] - b[:n]) <= SAMPLE_TOLERANCE)
    differs = np.flatnonzero(~same.all(axis=1))
    return int(differs[0]) if len(differs) else n


def _lag(a: Samples, b: Samples) -> tuple[int, float]:
    """Return by how many samples ``a`` is later than ``b``, and their correlation there."""
    size = 1 << (len(a) + len(b)).bit_length()
    spectra = [np.fft.rfft(x[:, 0].astype(np.float64), size) for x in (a, b)]
    products = np.fft.irfft(spectra[0] * spectra[1].conj(), size)
    at = int(np.argmax(products))
    scale = float(np.linalg.norm(a[:, 0].astype(np.float64)) * np.linalg.norm(b[:, 0].astype(np.float64)))
    return (at if at < size // 2 else at - size), float(products[at]) / (scale or 1.0)


def _is_of(mine: Sound, whole: Answer, mutation: str, frame: int) -> bool:
    """Whether a sound is the undamaged file's from its beginning on: all of it, or a part where the file is cut.

    Of two files that were joined, the second is at the end. What comes of junk is behind the sound.
    """
    if isinstance(whole, str):
        return False
    a, b = mine.samples, whole.samples
    front = _alike(a, b)
    if mutation == "joined":
        # The second may be missing, as in formats whose index is at the end, where no program looks twice.
        return front >= len(b) - frame and (len(a) <= len(b) + frame or _alike(a[::-1], b[::-1]) >= len(b) - 2 * frame)
    if mutation in {"cut", "tail", "size-small"}:
        return front >= len(a) - 2 * frame
    return front >= len(b) - frame


def _is_half(answer: Answer) -> bool:
    """Whether half of what was encoded is heard."""
    return isinstance(answer, Sound) and len(answer.samples) > 0.5 * SECONDS * answer.rate_hz


def _is_the_encoded(mine: Answer, format_: Format, frame: int) -> bool:
    """Whether all of the sound that was encoded is there, less than two frames late."""
    if isinstance(mine, str):
        return False
    encoded = sound(mine.rate_hz, format_.channels, SECONDS)
    lag, likeness = _lag(mine.samples, encoded)
    return (
        abs(lag) <= 2 * frame
        and likeness >= _LIKE_OF.get((format_.codec, format_.channels), _LIKE)
        and len(mine.samples) + 2 * frame >= len(encoded)
    )


def _frame(format_: Format) -> int:
    """Return the samples in a frame of a codec; those that FFmpeg cannot tell have blocks of up to 1,024 bytes."""
    from av.codec import CodecContext
    from av.error import FFmpegError

    longest = {"VORBIS": 2048, "vorbis": 2048, "OPUS": 960, "MPEG_LAYER_III": 1152}
    if format_.is_of_sndfile or format_.codec in longest:
        return longest.get(format_.codec, 4096)
    context: Any = CodecContext.create(format_.codec, "w")
    try:
        context.sample_rate, context.layout = 16_000, "mono"
        context.format = context.codec.audio_formats[0].name
        rates = context.codec.audio_rates
        context.sample_rate = 16_000 if not rates or 16_000 in rates else rates[0]
        context.open()
    except (FFmpegError, ValueError):
        return 4096
    return max(int(context.frame_size), 1024)


def compare(format_: Format, content: bytes, mutations: Iterable[str], folder: Path) -> Report:
    """Compare the two on a file and its variants."""
    report, frame = Report(), _frame(format_)
    variants = {name: MUTATIONS[name](content) for name in dict.fromkeys(["whole", *mutations])}
    paths = {name: folder / name for name, variant in variants.items() if variant is not None}
    for name, path in paths.items():
        path.write_bytes(variants[name] or b"")
    mine = {name: by_earwitness(path) for name, path in paths.items()}
    theirs = _answers(paths, mine)
    whole = mine["whole"]
    if isinstance(whole, str) and isinstance(theirs["whole"], str):
        return Report(is_heard=False)
    if not _is_half(whole) and not _is_half(theirs["whole"]):
        return Report(is_heard=False)  # such as AAC in Wave64, which FFmpeg's libraries write and cannot read back
    truth = _is_the_encoded(whole, format_, frame)
    n_encoded = 0 if isinstance(whole, str) else round(SECONDS * whole.rate_hz)
    known = truth and verdict(whole, theirs["whole"], whole, "whole", frame, n_encoded) in {"same", "delay"}
    for name in paths:
        rule = verdict(mine[name], theirs[name], whole, name, frame, n_encoded) if truth else None
        answer = mine[name]
        if truth and not known and not isinstance(answer, str):
            is_noise = name == "junk-before" and rule in {"noise", "same"}
            rule = "unknown" if _is_of(answer, whole, name, frame) else "noise" if is_noise else None
        report.counts[rule or "different"] += 1
        if rule is None:
            report.differences.append(f"{format_} {name}: {_text(mine[name])}, and ffmpeg {_text(theirs[name])}")
    return report


def _answers(paths: Mapping[str, Path], mine: Mapping[str, Answer]) -> dict[str, Answer]:
    heard = [name for name in paths if not isinstance(mine[name], str)]
    rest = [name for name in paths if name not in heard]
    answers: dict[str, Answer] = {}
    if heard:
        answers.update(zip(heard, by_ffmpeg([paths[name] for name in heard]), strict=True))
    return answers | {name: by_ffmpeg([paths[name]])[0] for name in rest}


def _text(answer: Answer) -> str:
    if isinstance(answer, str):
        return f"refuses ({re.sub(r'/[^ ]*/', '', answer)[:100]!r})"
    return f"{answer.samples.shape} at {answer.rate_hz} Hz"


def _compare_in_folder(task: tuple[Format, bytes, tuple[str, ...]]) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        return compare(*task, Path(folder))


def _files(format_: Format) -> list[tuple[Format, bytes]]:
    return list(files(format_, SECONDS))


def product(n_processes: int) -> tuple[int, int, Report]:
    """Compare every format with every mutation; those in stereo, whose containers are the same, only undamaged.

    Returns:
        How many files could be written, in how many of them either hears something, and the report.
    """
    total, n_written, n_heard = Report(), 0, 0
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        seen: set[bytes] = set()
        tasks: list[tuple[Format, bytes, tuple[str, ...]]] = []
        for format_, content in itertools.chain.from_iterable(pool.imap(_files, formats(), chunksize=20)):
            digest = hashlib.sha256(content).digest()
            if digest not in seen:
                seen.add(digest)
                tasks.append((format_, content, tuple(MUTATIONS) if format_.channels == 1 else ()))
        n_written = len(tasks)
        for report in pool.imap_unordered(_compare_in_folder, tasks):
            n_heard += report.is_heard
            total.counts.update(report.counts)
            total.differences.extend(report.differences)
            for line in report.differences:
                print(line, file=sys.stderr, flush=True)
    return n_written, n_heard, total


def table(n_written: int, n_heard: int, counts: Mapping[str, int]) -> str:
    """Return the counts as a table of Markdown."""
    rows = [f"| {name} | {counts.get(name, 0):,} | {meaning} |" for name, meaning in RULES.items()]
    rows.append(f"| different | {counts.get('different', 0):,} | none of the above |")
    head = f"{n_written:,} formats written, {n_heard:,} that can be heard, {sum(counts.values()):,} files:\n\n"
    return head + "| rule | files | what it allows |\n|---|--:|---|\n" + "\n".join(rows) + "\n"


def main() -> int:
    """Compare all and print the counts."""
    import av
    import soundfile

    n_written, n_heard, report = product(int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1)
    program = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split()[2]
    print(f"ffmpeg {program}, PyAV {av.__version__} (FFmpeg {av.ffmpeg_version_info}), ", end="")
    print(f"libsndfile {soundfile.__libsndfile_version__}\n")
    print(table(n_written, n_heard, report.counts))
    print(json.dumps({reason: len(names) for reason, names in NOT_WRITTEN.items()}))
    return len(report.differences) > 0


if __name__ == "__main__":
    sys.exit(main())
