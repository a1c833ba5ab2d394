"""Limits that are held against each other at the start, and a memory limit that the kernel enforces."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tests.server.serving import RATE_HZ, Running, band, running, script_folder, until, write_decision

from earwitness import data, weights
from earwitness.audio import decode_to
from earwitness.engines.catalog import find
from earwitness.server.config import ServedModel, ServeError, ServerLimits
from earwitness.server.fit import SERVER_BYTES, conflicts, fit_limits, peak_bytes
from earwitness.types import Settings

MIB = 1 << 20
TINY = "faster-whisper:tiny.en"
MEMORY = Path("/sys/fs/cgroup/memory")


def served(**promise: float) -> ServedModel:
    settings = Settings(threads=1)
    return ServedModel(find("fake:echo"), None, None, 0, "cpu", settings, 1, promise=promise)


def said(limits: ServerLimits, one: ServedModel, memory_bytes: int | None = None, cores: int = 8) -> str:
    return "\n".join(conflicts(limits, one, memory_bytes, cores))


def test_nothing_is_said_of_what_fits_or_of_a_model_that_promises_nothing() -> None:
    assert said(ServerLimits(), served()) == ""
    assert said(ServerLimits(), served(), 1) == ""
    fits = served(rtf=0.05, latency_p95_s=1.0, peak_rss_bytes=100 * MIB)
    assert said(ServerLimits(), fits, 8192 * MIB) == ""


def test_audio_that_cannot_be_done_in_its_time_is_told_with_both_remedies() -> None:
    told = said(ServerLimits(max_audio_s=3600, timeout_s=300), served(rtf=0.238))
    assert told == (
        "Audio of 3600 s is accepted and takes 'fake:echo' 857 s at an RTF of 0.238, and a request gets 300 s: set "
        "--max-seconds 1260 or --timeout 857."
    )
    for mended in (ServerLimits(max_audio_s=1260), ServerLimits(timeout_s=857)):
        assert said(mended, served(rtf=0.238)) == "", "the remedy is one"


def test_a_queue_whose_last_is_bound_to_be_late_is_told() -> None:
    slow = served(latency_p95_s=60.0)
    assert "set --queue 4" in said(ServerLimits(queue=16), slow)
    assert said(ServerLimits(queue=4), slow) == ""
    assert said(ServerLimits(queue=16), replace(slow, n_workers=4)) == ""


def test_more_workers_than_cores_are_told() -> None:
    assert "set --workers 2" in said(ServerLimits(), replace(served(), n_workers=3), cores=2)
    assert said(ServerLimits(), replace(served(), n_workers=2), cores=2) == ""


def test_memory_that_long_audio_goes_over_is_told_and_too_little_for_what_was_measured_is_refused() -> None:
    one = served(peak_rss_bytes=100 * MIB)
    limit = SERVER_BYTES + 400 * MIB
    assert "--max-seconds 300" in said(ServerLimits(), one, limit)
    assert said(ServerLimits(max_audio_s=300), one, limit) == "", "the remedy is one"
    with pytest.raises(ServeError, match="2 workers of 'fake:echo' were measured to take 200 MiB"):
        conflicts(ServerLimits(), replace(one, n_workers=2), 150 * MIB, 8)


@given(st.floats(0.001, 3), st.integers(50, 800), st.integers(400, 9000), st.integers(10, 2000), st.integers(1, 4))
def test_what_is_fitted_fits(rtf: float, peak_mib: int, limit_mib: int, timeout_s: int, n_workers: int) -> None:
    one = replace(served(rtf=rtf, peak_rss_bytes=peak_mib * MIB), n_workers=n_workers)
    limits = fit_limits(ServerLimits(timeout_s=timeout_s, fits=True), [one], limit_mib * MIB)
    assert 1 <= limits.max_audio_s <= 3600
    # A minute of audio is let in whatever it takes: there is nothing to serve below.
    if limits.max_audio_s > 60:
        assert said(limits, one, limit_mib * MIB) == ""
    assert fit_limits(ServerLimits(timeout_s=timeout_s), [one], limit_mib * MIB).max_audio_s == 3600, "as it was typed"


def test_memory_grows_with_audio_and_never_shrinks() -> None:
    for engine in ("faster-whisper", "pocketsphinx", "whisper"):
        peaks = [peak_bytes(engine, 200 * MIB, 10.0, seconds) for seconds in (1, 10, 60, 600, 3600)]
        assert peaks == sorted(peaks)
        assert peaks[0] == peaks[1] == 200 * MIB
    # What benchmarks/serve_memory.py measured, reckoned from the measurement of the shortest clip.
    for seconds, mib in ((160, 287), (620, 635), (1800, 713), (3600, 716)):
        assert peak_bytes("faster-whisper", 230 * MIB, 3.0, seconds) >= mib * MIB, seconds
    assert peak_bytes("pocketsphinx", 131 * MIB, 3.0, 620.0) >= 173 * MIB


@pytest.mark.real
def test_a_server_lets_in_what_fits_and_says_so(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    decision = tmp_path / "decision.json"
    write_decision(decision, model, promise={"rtf": 30.0}, by_length=(band(0.1, 0.14, 1.4),))
    with running(tmp_path, "--decision", str(decision), "--workers", "1", "--timeout", "100") as server:
        (row,) = [row for row in server.log if row["event"] == "limits"]
        assert row["max_seconds"] == 10.0, "the RTF is that of the longest band"
        assert not [row for row in server.log if row["event"] == "limits do not fit together"]
        assert server.hear(11 * RATE_HZ).error["code"] == "audio_too_long"
    more = ("--timeout", "100", "--max-seconds", "60")
    with running(tmp_path, "--decision", str(decision), "--workers", "1", *more) as server:
        (row,) = [row for row in server.log if row["event"] == "limits do not fit together"]
        assert (row["level"], "--max-seconds 10 or --timeout 600" in row["reason"]) == ("warning", True)


@contextlib.contextmanager
def control_group(limit_bytes: int) -> Iterator[Path]:
    """A group whose processes together may hold so much memory; skipped where none can be made."""
    folder = MEMORY / f"earwitness-test-{uuid.uuid4().hex[:8]}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
    except OSError:
        pytest.skip("there is no control group of memory to be made here: run it as root on Linux with cgroup v1")
    try:
        yield folder
    finally:
        until(lambda: not (folder / "cgroup.procs").read_text().strip())
        folder.rmdir()


@contextlib.contextmanager
def running_within(group: Path, folder: Path, *arguments: str) -> Iterator[Running]:
    """A server whose every process is in a control group from its beginning: this one is in it while it starts it."""
    home = MEMORY / next(
        line.split(":")[2].strip("/")
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if ":memory:" in line
    )
    procs = group / "cgroup.procs"
    with contextlib.ExitStack() as back:
        procs.write_text(str(os.getpid()))
        back.callback((home / "cgroup.procs").write_text, str(os.getpid()))
        with running(folder, *arguments) as server:
            back.close()
            yield server


def speech(seconds: float, folder: Path) -> bytes:
    """Prompts joined to so many seconds, as a wav."""
    pieces, have = [], 0
    clips = data.load("telephony-en").clips
    for clip in clips:
        decode_to(clip.audio_path, folder / "piece.f32", rate_hz=RATE_HZ, longest_s=3600)
        pieces.append(np.fromfile(folder / "piece.f32", "<f4"))
        have += len(pieces[-1])
        if have >= seconds * RATE_HZ:
            break
    out = io.BytesIO()
    soundfile.write(out, np.concatenate(pieces)[: round(seconds * RATE_HZ)], RATE_HZ, format="FLAC")
    return out.getvalue()


def deployed_limit(folder: Path, max_seconds: float) -> int:
    """The memory limit that deploy writes for a decision about tiny.en whose longest clips had three seconds."""
    from earwitness.deployment.plan import plan_of

    path = folder / "decision.json"
    promise = {"rtf": 0.2, "peak_rss_bytes": 230.0 * MIB}
    write_decision(path, TINY, promise=promise, in_force={}, by_length=(band(2.2, 3.0, 0.6),))
    plan = plan_of(path, None, n_workers=1, max_seconds=max_seconds)
    assert plan.limit_bytes is not None
    return plan.limit_bytes


@pytest.mark.real
@pytest.mark.parametrize("seconds", [160, pytest.param(620, marks=pytest.mark.long)])
def test_the_longest_audio_let_in_is_answered_within_the_memory_that_deploy_writes(
    tmp_path: Path, seconds: int
) -> None:
    weights.pull(find(TINY))
    limit = deployed_limit(tmp_path, seconds)
    arguments = ("--model", TINY, "--workers", "1", "--threads", "1", "--timeout", "590", "--max-seconds", str(seconds))
    with control_group(limit) as group, running_within(group, tmp_path, *arguments) as server:
        reply = hear_for_long(server, speech(seconds, tmp_path))
        assert len(reply["text"].split()) > seconds / 4
        assert "oom_kill 0" in (group / "memory.oom_control").read_text()
        assert 0 < server.metrics["memory_bytes", TINY] < limit
        held = int((group / "memory.max_usage_in_bytes").read_text())
        print(f"{seconds} s: limit {limit // MIB} MiB, held at most {held // MIB} MiB")


def hear_for_long(server: Running, content: bytes) -> Any:
    from tests.server.serving import form

    body, kind = form({}, content)
    reply = server.ask("/v1/audio/transcriptions", "POST", body, {"Content-Type": kind}, timeout_s=600)
    assert reply.status == 200, reply.body
    return reply.data


@pytest.mark.real
def test_a_worker_that_the_kernel_kills_for_memory_has_run_out_of_it(tmp_path: Path) -> None:
    weights.pull(find(TINY))
    arguments = ("--model", TINY, "--workers", "1", "--threads", "1", "--timeout", "120")
    with control_group(4096 * MIB) as group, running_within(group, tmp_path, *arguments) as server:
        assert server.hear(content=speech(2, tmp_path)).status == 200
        quiet = server.metrics["memory_bytes", TINY]
        held = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # Enough for another worker in its place, and too little for ten minutes of audio, which take 400 MiB more.
        (group / "memory.limit_in_bytes").write_text(str(int(held["total_rss"]) + 150 * MIB))
        content = speech(620, tmp_path)
        reply = server.hear(content=content)
        assert (reply.status, reply.error["code"]) == (500, "worker_died")
        assert server.metrics["worker_restarts_total", TINY, "out_of_memory"] == 2
        assert server.metrics["memory_bytes", TINY] > quiet, "what the killed workers held was seen"
        ends = [row for row in server.log if row["event"] == "worker has ended"]
        assert [(row["reason"], "SIGKILL" in row["how"]) for row in ends] == [("out_of_memory", True)] * 2
        assert server.ask("/healthz").status == 200, "the server lives on"
        (group / "memory.limit_in_bytes").write_text(str(4096 * MIB))
        until(lambda: server.state["workers_ready"] == 1, 60)


def test_a_server_that_has_too_little_memory_for_what_was_measured_says_so_and_ends(tmp_path: Path) -> None:
    decision = tmp_path / "decision.json"
    write_decision(decision, f"fake:{script_folder(tmp_path / 'model')}", promise={"peak_rss_bytes": 4000.0 * MIB})
    with control_group(1000 * MIB) as group:
        command = [
            sys.executable,
            "-m",
            "earwitness",
            "serve",
            "--port",
            "0",
            "--decision",
            str(decision),
            "--workers",
            "1",
        ]
        enter = f'echo $$ > {group / "cgroup.procs"}; exec "$@"'
        done = subprocess.run(["sh", "-c", enter, "sh", *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "were measured to take 4000 MiB, and the memory limit here is 1000 MiB." in done.stderr.splitlines()[-1]
