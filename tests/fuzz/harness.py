"""Feeds changed files to a target and keeps what should not have happened.

A finding is an exception that is no EarwitnessError, or a call that takes ``BOUND_S`` of processor time, or
``HANG_S``. A decoder that dies or hangs and is told so (DecoderError) is none, and is counted.
"""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target

from earwitness.errors import DecoderError, EarwitnessError

BOUND_S = 60.0
"""Of processor time for one file: far beyond what any needs, and the same on a machine with much else to do."""
HANG_S = 600.0
"""For one file, in which a call that waits for something uses no processor time."""


class OverTime(BaseException):
    """A call took longer than the bound."""


@dataclass
class Findings:
    """What came of many files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """How often a file was read, refused, or broke a decoder."""
    bad: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Place of an exception -> its traceback and the first file that showed it."""


def fuzz(name: str, target: Target, seed: int, *, n: int | None = None, ends_at: float | None = None) -> Findings:
    """Try ``n`` changed files, or as many as there is time for until ``ends_at`` on the monotonic clock."""
    found, done = Findings(), 0
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    before = {number: signal.signal(number, _over_time) for number in (signal.SIGALRM, signal.SIGPROF)}
    try:
        for beside, content in target.beside.items():
            (folder / beside).write_bytes(content)
        while (n is None or done < n) and (ends_at is None or time.monotonic() < ends_at):
            content = mutated(target.content, random.Random(f"{name} {seed} {done}"))
            (folder / target.name).write_bytes(content)
            _try(name, target, folder, content, found)
            done += 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        shutil.rmtree(folder)
    return found


def _try(name: str, target: Target, folder: Path, content: bytes, found: Findings) -> None:
    signal.setitimer(signal.ITIMER_PROF, BOUND_S)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(folder if target.whole_folder else folder / target.name)
        found.outcomes["read"] += 1
    except DecoderError as error:
        found.outcomes[f"decoder {error.kind}"] += 1
    except EarwitnessError as error:
        str(error).encode("utf-8", "backslashreplace")
        found.outcomes["refused"] += 1
    except (Exception, OverTime) as error:  # noqa: BLE001 - these are what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "earwitness" in frame.filename] or list(frames)
        where = f"{name}: {type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
        found.outcomes["finding"] += 1
        found.bad.setdefault(where, ("".join(traceback.format_exception(error)), content))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _over_time(_signal: int, _frame: FrameType | None) -> None:
    raise OverTime
