"""The parts that need no server: forms in any pieces, subtitles, measures, keys."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.serving import band, form, wav

from earwitness.engines.catalog import find
from earwitness.scoring.metrics.lengths import length_bands
from earwitness.server.api_errors import ApiError
from earwitness.server.config import ServedModel
from earwitness.server.http import middleware
from earwitness.server.http.access import Door
from earwitness.server.http.formats import cues, srt, vtt
from earwitness.server.http.service import no_answer
from earwitness.server.http.uploads import UploadForm, receive
from earwitness.server.keys import Keyring, Rates, add_key, read_keys, remove_key
from earwitness.server.pool.decoder import DecoderEndedError, Decoders, DiskFullError, TooSlowError
from earwitness.server.request_context import KEY
from earwitness.server.watch.drift import LEAST, QUIET_S, JobSample, Live
from earwitness.server.watch.metrics import Metrics
from earwitness.types import Hypothesis, Segment, Settings, Transcript

HOLDS = (
    "api_errors.py", "keys.py", "request_context.py", "scoring/metrics/lengths.py", "server/http/access.py",
    "server/http/formats.py", "server/http/middleware.py", "server/http/uploads.py", "server/pool/decoder.py",
)  # fmt: skip

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
TIMES = st.floats(0, 360_000, allow_nan=False)
SEGMENTS = st.lists(st.builds(Segment, TIMES, TIMES, WORDS), max_size=6)


def received(body: bytes, kind: str, cuts: list[int], most: int = 1 << 20) -> tuple[UploadForm, bytes]:
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in itertools.pairwise(edges):
            yield body[start:end]

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "upload"
        found = asyncio.run(receive(chunks(), kind, None, target, most))
        return found, target.read_bytes() if found.file else b""


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.from_regex("[a-z_]{1,9}", fullmatch=True), WORDS), st.binary(max_size=999),
       st.lists(st.integers(0, 9999), max_size=9))  # fmt: skip
def test_a_form_is_the_same_in_whatever_pieces_it_comes(
    fields: dict[str, str], content: bytes, cuts: list[int]
) -> None:
    fields.pop("file", None)
    body, kind = form(fields, content)
    found, kept = received(body, kind, cuts)
    assert dict(found.fields) == fields
    assert kept == content
    assert found.size_bytes == len(content)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=400), st.lists(st.integers(0, 9999), max_size=5))
def test_rubbish_in_a_form_is_refused_and_never_an_accident(rubbish: bytes, cuts: list[int]) -> None:
    body, kind = form({"model": "x"}, b"audio")
    place = len(body) // 2
    for broken in (body[:place] + rubbish + body[place:], rubbish):
        with contextlib.suppress(ApiError):
            found, kept = received(broken, kind, cuts)
            assert len(kept) == found.size_bytes


def test_a_file_is_counted_as_it_comes() -> None:
    body, kind = form({}, bytes(300_000))
    with pytest.raises(ApiError, match="larger than the limit of 0.125 MiB") as caught:
        received(body, kind, [], most=1 << 17)
    assert caught.value.status == 413


@settings(deadline=None, max_examples=50)
@given(SEGMENTS)
def test_subtitles_have_a_cue_for_every_segment_whatever_its_text(segments: list[Segment]) -> None:
    clock = r"\d{2,}:[0-5]\d:[0-5]\d[,.]\d{3}"
    assert len(re.findall(f"^{clock} --> {clock}$", srt(segments), re.MULTILINE)) == len(segments)
    blocks = vtt(segments).removeprefix("WEBVTT\n\n").split("\n\n")
    assert len(blocks) == len(segments) + 1
    assert all("<" not in block for block in blocks)


def test_words_become_cues_that_can_be_read() -> None:
    words = tuple(Segment(n / 2, n / 2 + 0.4, f" w{n}") for n in range(40))
    whole = Segment(0.0, 20.0, "".join(word.text for word in words))
    found = cues(Transcript(whole.text, (whole,), words))
    assert all(cue.end_s - cue.start_s <= 7.0 for cue in found)
    assert " ".join(cue.text for cue in found).split() == whole.text.split()
    assert cues(Transcript("a", (Segment(0.0, 1.0, " a "),))) == [Segment(0.0, 1.0, "a")]


def test_drift_needs_enough_answers_of_a_length_that_was_measured() -> None:
    live = Live({"rtf": 1.0, "empty_share": 0.5, "wer": 0.1}, [band(1.0, 1.4, 1.0)])
    for _ in range(LEAST - 1):
        live.add(JobSample(1.0, 9.0))
    live.add(JobSample(2.0, 9.0))
    assert live.drift() == {"empty_share": False}
    live.add(JobSample(1.0, None))
    assert live.slowdown() == {}, "an answer without a text has no speed"
    live.add(JobSample(1.4, 9.0))
    assert live.drift() == {
        "rtf": True, "latency_p50_s": True, "latency_p95_s": True, "latency_p99_s": True, "empty_share": False,
    }  # fmt: skip


@pytest.fixture
def wave(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(1600))
    return path


@pytest.mark.slow
def test_a_file_whose_decoder_is_killed_under_it_is_decoded_by_another(wave: Path) -> None:
    async def killed_at_work() -> int:
        decoders = Decoders(1)
        try:
            await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
            (first,) = decoders.processes
            first.send_signal(signal.SIGSTOP)
            at_work = asyncio.create_task(decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0))
            await asyncio.sleep(0.1)
            first.kill()
            audio = await at_work
            (second,) = decoders.processes
            assert second.pid != first.pid
            second.kill()
            await second.wait()
            await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
            assert len(decoders.processes) == 1, "one that died idle is forgotten"
            return audio.n_samples
        finally:
            await decoders.close()
            assert decoders.processes == set()

    assert asyncio.run(killed_at_work()) == 1600


@pytest.mark.slow
def test_a_file_that_kills_two_decoders_is_refused_and_the_next_is_decoded(wave: Path) -> None:
    async def killed_twice() -> int:
        decoders = Decoders(1)
        at_work = asyncio.create_task(decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0))
        killed: set[asyncio.subprocess.Process] = set()
        while len(killed) < 2:
            for process in decoders.processes - killed:
                process.kill()
                killed.add(process)
            await asyncio.sleep(0.001)
        with pytest.raises(DecoderEndedError, match="it died"):
            await at_work
        audio = await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
        await decoders.close()
        return audio.n_samples

    assert asyncio.run(killed_twice()) == 1600


@pytest.mark.slow
def test_a_file_whose_decoder_hangs_is_decoded_by_another(wave: Path) -> None:
    async def stopped_at_work() -> tuple[int, list[str]]:
        reasons: list[str] = []
        decoders = Decoders(1, reasons.append)
        await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
        (first,) = decoders.processes
        first.send_signal(signal.SIGSTOP)
        audio = await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
        assert first not in decoders.processes
        assert first.returncode == -signal.SIGKILL
        await decoders.close()
        return audio.n_samples, reasons

    assert asyncio.run(stopped_at_work()) == (1600, ["hung"])


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="there are no named pipes here, at which a decoder hangs: run it on Linux"
)
def test_a_file_at_which_two_decoders_hang_is_given_up_and_the_next_is_decoded(wave: Path, tmp_path: Path) -> None:
    async def hang_twice() -> tuple[int, list[str]]:
        reasons: list[str] = []
        decoders = Decoders(1, reasons.append)
        os.mkfifo(tmp_path / "nobody reads")
        with pytest.raises(DecoderEndedError, match="no sign of life"):
            await decoders.decode(wave, tmp_path / "nobody reads", 9.0, 60.0)
        assert decoders.processes == set()
        audio = await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 60.0)
        await decoders.close()
        return audio.n_samples, reasons

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("earwitness.server.pool.decoder"), "MOST_PATIENCE_S", 1.0)
        assert asyncio.run(hang_twice()) == (1600, ["hung", "hung"])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DecoderEndedError("died"), 500, "decoder_died"),
        (DecoderEndedError("hung"), 504, "decoder_timeout"),
        (TooSlowError(), 504, "decoder_timeout"),
    ],
)
def test_a_decoder_without_an_answer_is_never_the_clients_fault(error: Exception, status: int, code: str) -> None:
    refused = no_answer(error)  # type: ignore[arg-type]
    assert (refused.status, refused.code) == (status, code)


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="there is no /dev/full here, which is a disk without room: run it on Linux"
)
def test_a_full_disk_is_no_fault_of_the_file(wave: Path) -> None:
    async def without_room() -> None:
        decoders = Decoders(1)
        with pytest.raises(DiskFullError, match="No space left"):
            await decoders.decode(wave, Path("/dev/full"), 9.0, 30.0)
        assert len(decoders.processes) == 1, "the process goes on"
        await decoders.close()

    asyncio.run(without_room())


@pytest.mark.slow
def test_who_waits_for_a_decoder_waits_no_longer_than_its_time(wave: Path) -> None:
    async def waits() -> None:
        decoders = Decoders(1)
        await decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 30.0)
        (process,) = decoders.processes
        process.send_signal(signal.SIGSTOP)
        at_work = asyncio.create_task(decoders.decode(wave, wave.with_suffix(".f32"), 9.0, 0.3))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await decoders.decode(wave, wave.with_suffix(".second"), 9.0, 0.1)
        with pytest.raises(TooSlowError):
            await at_work
        assert decoders.processes == set(), "it is ended: its answer would be taken for that of the next"
        await decoders.close()

    asyncio.run(waits())


LENGTHS = st.lists(st.floats(0.2, 600.0), min_size=5, max_size=60)


def answers(lengths: list[float], cost: Callable[[float], float]) -> list[Hypothesis]:
    return [Hypothesis(str(n), Transcript(""), None, s, 0.0, cost(s), cost(s) / 2) for n, s in enumerate(lengths)]


@settings(deadline=None)
@given(LENGTHS, LENGTHS, st.floats(0, 9), st.floats(0, 9), st.sampled_from([1.0, 2.2]))
def test_length_alone_is_no_drift_and_a_slowdown_is_one_at_any_length(
    measured: list[float], came: list[float], per_clip: float, per_second: float, slower: float
) -> None:
    def cost(seconds: float) -> float:
        return 0.001 + per_clip + per_second * seconds

    bands = length_bands(answers(measured, cost))
    live = Live({}, bands, window=10_000)
    for one in answers(came * LEAST, cost):
        live.add(JobSample(one.audio_s, slower * (one.wall_s or 0.0), slower * (one.first_text_s or 0.0)))
    measures = ("rtf", "latency_p50_s", "latency_p95_s", "latency_p99_s", "first_text_s")
    assert live.drift() == (dict.fromkeys(measures, slower > 1.0) if live.alike() else {})


def test_traffic_of_short_clips_is_compared_with_short_clips() -> None:
    measured = [3.0] * 10 + [30.0] * 90
    whole = answers(measured, lambda seconds: 1.0 + 0.02 * seconds)
    rtf = sum(one.wall_s or 0.0 for one in whole) / sum(measured)
    live = Live({"rtf": rtf}, length_bands(whole))
    for _ in range(LEAST):
        live.add(JobSample(3.5, 1.07))
    assert live.measures()["rtf"] > 4 * rtf, "which is no news"
    assert not any(live.drift().values())


def test_a_drift_ends_with_its_traffic() -> None:
    now_s = [0.0]
    live = Live({"empty_share": 0.0}, clock=lambda: now_s[0])
    for _ in range(LEAST):
        live.add(JobSample(1.0, 0.1, empty=True))
    now_s[0] = QUIET_S
    live.forget()
    assert live.drift() == {"empty_share": True}, "it is still of now"
    now_s[0] = QUIET_S + 1
    live.forget()
    assert (live.drift(), len(live)) == ({}, 0)
    live.add(JobSample(1.0, 0.1, empty=True))
    now_s[0] += QUIET_S
    live.add(JobSample(1.0, 0.1, empty=True))
    assert len(live) == 2, "one answer in ten minutes is traffic"
    now_s[0] += QUIET_S + 1
    live.add(JobSample(1.0, 0.1))
    assert len(live) == 1, "what comes after the pause is not mixed with what came before"


def test_what_was_seen_of_a_model_is_forgotten_when_it_is_served_with_another_promise() -> None:
    metrics = Metrics()
    old = ServedModel(find("fake:echo"), None, None, 0, "cpu", Settings(), 1, promise={"empty_share": 0.0})
    new = replace(old, promise={"empty_share": 1.0})
    metrics.watch({old.id: old}, {})
    for _ in range(LEAST):
        metrics.add(old, JobSample(1.0, 0.1, empty=True))
    assert metrics.live(old).drift() == {"empty_share": True}
    metrics.watch({new.id: new}, {})
    metrics.add(old, JobSample(1.0, 0.1, empty=True))
    assert len(metrics.live(new)) == 0, "nor does the last work of the old count for the new"


def test_a_key_is_kept_as_a_hash_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret = add_key(path, "a", 5)
    ring = Keyring(path)
    assert secret not in path.read_text()
    found = ring.find(f"Bearer {secret}")
    assert found is not None
    assert (found.name, found.rate_per_minute) == ("a", 5)
    for wrong in (secret, f"Basic {secret}", f"Bearer {secret}x", "Bearer ", ""):
        assert ring.find(wrong) is None
    with pytest.raises(ValueError, match="There is a key 'a' already"):
        add_key(path, "a")
    remove_key(path, "a")
    assert read_keys(path) == ()
    path.write_text("half a fil")
    assert ring.find(f"Bearer {secret}") is not None, "those that were read last are in force"


def test_a_key_has_a_name_and_a_file_that_is_none_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    for name in ("", "  ", "a\nb", "x" * 101):
        with pytest.raises(ValueError, match="A key has a name"):
            add_key(path, name)
    assert not path.exists()
    for text in ("{}", "[]", "half a fil", '{"keys": [{"name": "a"}]}', '{"keys": 7}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="is not a file of keys as earwitness serve keys add writes it"):
            read_keys(path)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 1000), st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_nobody_asks_more_often_than_a_rate_allows(per_minute: float, gaps: list[float]) -> None:
    rates, now, taken = Rates(), 0.0, 0
    for gap in gaps:
        now += gap
        taken += rates.wait_s("a", per_minute, now) == 0
    assert taken <= max(1.0, per_minute) + now * per_minute / 60 + 1e-6


def test_a_client_that_takes_nothing_counts_as_gone_and_its_work_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "SEND_S", 0.05)
    undone: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope[KEY].ends.callback(undone.append, "work")
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"more", "more_body": True})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    metrics = Metrics()
    around = middleware.Outside(app, metrics, None, None, Door())
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(asyncio.wait_for(around(scope, quiet(receive), send), 5))
    assert undone == ["work"]
    assert b'requests_total{route="none",status="499"} 1.0' in metrics.text()


def quiet(receive: Callable[[], Awaitable[dict[str, Any]]]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Says the first message, and then nothing, as a client does that stays."""
    said: list[bool] = []

    async def once() -> dict[str, Any]:
        if said:
            await asyncio.Event().wait()
        said.append(True)
        return await receive()

    return once


def test_keys_of_a_secret_are_read_again_when_the_folder_of_the_secret_is_swapped(tmp_path: Path) -> None:
    """Kubernetes puts a secret into a hidden folder, and changes it by pointing a link at another folder."""

    def put(name: str) -> str:
        (tmp_path / name).mkdir()
        secret = add_key(tmp_path / name / "keys.json", name)
        (tmp_path / "..fresh").symlink_to(name)
        (tmp_path / "..fresh").replace(tmp_path / "..data")
        return f"Bearer {secret}"

    (tmp_path / "keys.json").symlink_to("..data/keys.json")
    first = put("..2026_01_01")
    keyring = Keyring(tmp_path / "keys.json")
    assert keyring.find(first) is not None
    second = put("..2026_01_02")
    assert keyring.find(second) is not None
    assert keyring.find(first) is None, "a key that is no longer in the secret opens nothing"


def test_who_may_read_the_keys_stays_as_it_was_set_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    add_key(path, "first")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    before = os.umask(0o077)
    try:
        add_key(path, "second")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
