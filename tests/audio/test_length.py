"""Who says how long a file is, and what is heard of files that say nothing, or something wrong."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.conftest import tone

from earwitness.audio import decode, decode_file, decode_to, probe
from earwitness.audio.source import SKIPPED
from earwitness.data.audio_remarks import explain
from earwitness.data.checks import check
from earwitness.data.dataset import load
from earwitness.errors import AudioError
from earwitness.runs import transcribe
from earwitness.server.pool.decoder import Decoders

from .generated import sound, with_size, without_xing, written

HOLDS = ("decoder.py", "header_length.py", "source.py")


def joined_ogg(muxer: str, codec: str) -> bytes:
    return written(muxer, codec, 48_000) * 2


def blank_xing() -> bytes:
    content = without_xing(written("mp3", "libmp3lame", 16_000))
    assert content is not None
    return content


def wav(size: int) -> bytes:
    content = with_size(written("wav", "pcm_s16le"), lambda _: size)
    assert content is not None
    return content


FILES: dict[str, tuple[Callable[[], bytes], float]] = {
    "chained.opus": (lambda: joined_ogg("ogg", "libopus"), 1.6),
    "chained.ogg": (lambda: joined_ogg("ogg", "flac"), 1.6),
    "joined.mp3": (lambda: written("mp3", "libmp3lame", 16_000) * 2, 1.6),
    "xing.mp3": (blank_xing, 0.8),
    "stream.aac": (lambda: written("adts", "aac"), 0.8),
    "transport-stream.mp4": (lambda: written("mpegts", "aac"), 0.8),
    "live.webm": (lambda: written("webm", "libopus", 48_000, pipe=True), 0.8),
    "piped.flac": (lambda: written("flac", "flac", pipe=True), 0.8),
    "zero.wav": (lambda: wav(0), 0.8),
    "ffff.wav": (lambda: wav(-1), 0.8),
    "sox.wav": (lambda: wav(0x7FFFF000), 0.8),
}


async def decode_as_the_server(path: Path, target: Path) -> int:
    decoders = Decoders(1)
    try:
        return (await decoders.decode(path, target, longest_s=60.0, budget_s=120.0)).n_samples
    finally:
        await decoders.close()


@pytest.mark.parametrize("name", FILES)
def test_a_run_the_check_and_the_server_hear_the_same_to_the_end(tmp_path: Path, name: str) -> None:
    make, expected_s = FILES[name]
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / name
    path.write_bytes(make())
    dataset = load(path)
    (clip,) = dataset.clips
    assert clip.duration_kind == "counted"
    assert clip.span_s is None
    assert clip.duration_s == pytest.approx(expected_s, abs=0.15)
    run = transcribe.decode(clip, dataset, tmp_path / "run.f32")
    assert asyncio.run(decode_as_the_server(path, tmp_path / "server.f32")) == run.n_samples
    assert (tmp_path / "server.f32").read_bytes() == (tmp_path / "run.f32").read_bytes()
    assert run.n_samples == pytest.approx(clip.duration_s * 16_000, abs=2)
    first, *rest = [finding.message for finding in check(path, deep=True)]
    assert first.startswith("There are no transcripts")
    assert rest == [*map(explain, run.remarks)]


@pytest.mark.parametrize("name", ["chained.opus", "joined.mp3", "xing.mp3", "stream.aac", "live.webm", "sox.wav"])
@pytest.mark.parametrize(("start_s", "length_s"), [(0.1, 0.3), (0.45, 0.2)])
def test_a_span_is_a_cut_of_the_whole(tmp_path: Path, name: str, start_s: float, length_s: float) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name][0]())
    rate_hz = probe(path).sample_rate_hz
    whole = decode(path, rate_hz=rate_hz).samples
    start, length = round(start_s * rate_hz), round(length_s * rate_hz)
    part = decode(path, start_s=start_s, duration_s=length_s, rate_hz=rate_hz).samples
    assert np.array_equal(part, whole[start : start + length])


def test_headers_state_and_libraries_guess(tmp_path: Path) -> None:
    cases = {
        "a.wav": (written("wav", "pcm_s16le"), "stated"),
        "a.flac": (written("flac", "flac"), "stated"),
        "a.m4a": (written("mp4", "aac"), "stated"),
        "a.mka": (written("matroska", "aac"), "stated"),
        "a.mp3": (written("mp3", "libmp3lame"), "guessed"),
        "a.ogg": (written("ogg", "libopus", 48_000), "guessed"),
        "a.webm": (written("webm", "libopus", 48_000, pipe=True), None),
    }
    for name, (content, kind) in cases.items():
        (tmp_path / name).write_bytes(content)
        assert probe(tmp_path / name).duration_kind == kind, name


def test_a_manifests_duration_is_held_against_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(blank_xing())
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio_filepath": "a.mp3", "duration": 3.0, "text": "one"}\n')
    dataset = load(manifest)
    assert dataset.clips[0].duration_kind == "manifest"
    with pytest.raises(AudioError, match=r"cut short: the manifest states 3.00 s, and 0.\d+ s can be decoded"):
        transcribe.decode(dataset.clips[0], dataset, tmp_path / "a.f32")


@pytest.mark.parametrize(
    ("format_", "subtype"),
    [
        ("WAV", "GSM610"),
        ("AU", "G721_32"),
        ("AU", "G723_24"),
        ("WAV", "NMS_ADPCM_32"),
        ("WAV", "G721_32"),
        ("AIFF", "GSM610"),
    ],
)
def test_what_cannot_be_sought_in_is_decoded_and_cut(tmp_path: Path, format_: str, subtype: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, sound(8000, 1), 8000, format=format_, subtype=subtype)
    whole = decode(path, rate_hz=8000).samples
    assert len(whole) / 8000 == pytest.approx(0.8, abs=0.05)
    part = decode(path, start_s=0.25, duration_s=0.25, rate_hz=8000).samples
    assert np.array_equal(part, whole[2000:4000])


def test_what_changes_its_rate_or_its_channels_midway_goes_on_as_it_began(tmp_path: Path) -> None:
    cases = {
        "rate.aac": written("adts", "aac", 16_000) + written("adts", "aac", 48_000),
        "channels.aac": written("adts", "aac", 16_000, 2) + written("adts", "aac", 16_000, 1),
        "channels.mp3": written("mp3", "libmp3lame", 16_000, 1) + written("mp3", "libmp3lame", 16_000, 2),
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        audio = decode(tmp_path / name, channel=0)
        assert probe(tmp_path / name).sample_rate_hz == 16_000
        assert audio.duration_s == pytest.approx(1.6, abs=0.3), name


def test_an_absurd_rate_is_refused(tmp_path: Path) -> None:
    content = bytearray(written("wav", "pcm_s16le"))
    for rate_hz in (2_147_483_647, 4_294_967_295, 800_000):
        content[24:28] = struct.pack("<I", rate_hz)
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(AudioError, match="Hz and 1 channels|is not audio that can be read"):
            decode_to(tmp_path / "a.wav", tmp_path / "a.f32")


def test_a_file_longer_than_its_container_states_is_heard_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.au", tone(2.0), 16_000, format="AU")
    content = bytearray((tmp_path / "a.au").read_bytes())
    content[8:12] = struct.pack(">I", 0xFFFFFFFF)
    (tmp_path / "a.au").write_bytes(content)
    assert probe(tmp_path / "a.au", count=True).duration_s == pytest.approx(2.0)


def test_damage_in_the_middle_is_a_remark_of_the_clips_after_whose_beginning_it_lies(tmp_path: Path) -> None:
    content = bytearray(written("adts", "aac"))
    whole, damaged = tmp_path / "whole.aac", tmp_path / "damaged.aac"
    whole.write_bytes(content)
    place = content.index(content[:2], len(content) // 3)
    content[place + 7 : place + 60] = b"\xff\x00" * 26 + b"\xff"
    damaged.write_bytes(content)
    assert SKIPPED not in decode_file(whole, tmp_path / "a.f32").remarks
    assert SKIPPED in decode_file(damaged, tmp_path / "a.f32").remarks
    assert SKIPPED in decode_file(damaged, tmp_path / "a.f32", rate_hz=8000).remarks
    assert SKIPPED not in decode_file(damaged, tmp_path / "a.f32", start_s=0.6).remarks


@pytest.mark.parametrize("tag", [b"", b"ID3\x04\0\0\0\0\x02\x00" + bytes(256)])
def test_an_mp3_shorter_than_its_xing_frame_counts_is_cut_short(tmp_path: Path, tag: bytes) -> None:
    content = tag + written("mp3", "libmp3lame", seconds=3.0)
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    assert decode(path).duration_s == pytest.approx(3.0, abs=0.1)
    path.write_bytes(content[: len(content) * 3 // 5])
    with pytest.raises(AudioError, match=r"cut short: its header states 2.9\d s, and 1.\d+ s"):
        decode(path)
    path.write_bytes(content * 2)
    assert decode(path).duration_s == pytest.approx(6.0, abs=0.2)
    assert probe(path, count=True).duration_kind == "counted"
    assert decode(path, start_s=3.5, duration_s=1.0).duration_s == 1.0
    path.write_bytes(without_xing(content) or b"")
    assert decode(path).duration_s == pytest.approx(3.0, abs=0.2)


def test_flac_files_of_any_length_are_joined_without_a_gap(tmp_path: Path) -> None:
    first, second = sound(16_000, 2, 1.3), sound(16_000, 2, 0.7)
    content = b""
    for samples in (first, second):
        soundfile.write(tmp_path / "a.flac", samples, 16_000)
        content += (tmp_path / "a.flac").read_bytes()
    path = tmp_path / "joined.flac"
    path.write_bytes(content)
    expected = np.concatenate([first, second])[:, 1]
    audio = decode(path, channel=1)
    assert np.allclose(audio.samples, expected, atol=1e-4)
    assert len(audio.samples) == len(expected)
    part = decode(path, channel=1, start_s=1.2, duration_s=0.5)
    assert np.array_equal(part.samples, audio.samples[19_200:27_200])
