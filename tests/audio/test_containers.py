"""What stands in a container beside one stream of sound: edit lists, fragments, more streams, pictures, huge sizes."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from earwitness.audio import decode, probe
from earwitness.errors import AudioError

from .generated import sound, written

HOLDS = ("ffmpeg.py",)

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="there is no ffmpeg here: apt-get install ffmpeg"
)
RATE_HZ = 16_000
PICTURE = ("-f", "lavfi", "-i", "color=red:size=64x64:duration=0.04")
"""A frame of a video, as an input of ffmpeg."""


def ffmpeg(folder: Path, *arguments: str) -> bytes:
    """What ffmpeg prints."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120).stdout


def by_ffmpeg(path: Path) -> npt.NDArray[np.float32]:
    """The samples of a file's first audio stream, of one channel, in the file's own rate."""
    return np.frombuffer(ffmpeg(path.parent, "-i", path.name, "-map", "0:a:0", "-f", "f32le", "-"), "<f4")


def length_as_by_ffmpeg(path: Path, *, delay: int = 0) -> float:
    """What is heard is what ffmpeg decodes, which may begin with so many samples more; how long it is, in seconds."""
    heard = decode(path, rate_hz=RATE_HZ).samples
    expected = by_ffmpeg(path)
    assert 0 <= len(expected) - len(heard) <= delay
    assert np.abs(heard - expected[len(expected) - len(heard) :]).max() < 2e-3
    return len(heard) / RATE_HZ


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Three seconds of sound of one channel."""
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(RATE_HZ, 1, 3.0), RATE_HZ)
    return path


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["m4a", "mov", "mp4"])
def test_what_an_edit_list_cuts_off_is_not_heard(wav: Path, suffix: str) -> None:
    ffmpeg(wav.parent, "-i", wav.name, "-c:a", "aac", f"whole.{suffix}")
    ffmpeg(wav.parent, "-ss", "1.01", "-i", f"whole.{suffix}", "-t", "1.5", "-c", "copy", f"cut.{suffix}")
    path = wav.with_name(f"cut.{suffix}")
    assert b"elst" in path.read_bytes()
    assert length_as_by_ffmpeg(path) == pytest.approx(1.5, abs=0.07)
    assert probe(path).duration_kind == "stated"


@needs_ffmpeg
@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "empty_moov+default_base_moof", "dash+delay_moov"])
def test_a_fragmented_mp4_is_heard_to_its_last_fragment(wav: Path, flags: str) -> None:
    fragments = ("-c:a", "aac", "-movflags", flags, "-frag_duration", "300000")
    ffmpeg(wav.parent, "-i", wav.name, *fragments, "fragments.mp4")
    path = wav.with_name("fragments.mp4")
    content = path.read_bytes()
    assert content.count(b"moof") > 5
    assert length_as_by_ffmpeg(path, delay=1024) == pytest.approx(3.0, abs=0.1)
    path.write_bytes(content[: content.rindex(b"moof") - 4])
    if b"sidx" in content:
        with pytest.raises(AudioError, match=r"cut short: its header states 2.9\d s, and 2.\d+ s"):
            decode(path)
    else:
        assert length_as_by_ffmpeg(path, delay=1024) == pytest.approx(2.7, abs=0.2)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mka", "mp4", "ogg"])
def test_of_two_streams_the_first_is_heard(wav: Path, suffix: str) -> None:
    soundfile.write(wav.with_name("b.wav"), np.zeros((RATE_HZ, 1), np.float32), RATE_HZ)
    codec = {"mka": "pcm_s16le", "mp4": "aac", "ogg": "flac"}[suffix]
    inputs = ("-i", "a.wav", "-i", "b.wav", "-map", "0", "-map", "1")
    ffmpeg(wav.parent, *inputs, "-c:a", codec, f"two.{suffix}")
    path = wav.with_name(f"two.{suffix}")
    assert length_as_by_ffmpeg(path) == pytest.approx(3.0, abs=0.07)
    assert np.abs(decode(path).samples).max() > 0.1


@needs_ffmpeg
@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("flac", "flac"), ("m4a", "aac")])
def test_a_picture_of_the_cover_is_passed_over(wav: Path, suffix: str, codec: str) -> None:
    picture = ("-map", "0", "-map", "1", "-c:v", "png", "-disposition:v", "attached_pic")
    ffmpeg(wav.parent, "-i", wav.name, *PICTURE, *picture, "-c:a", codec, f"cover.{suffix}")
    path = wav.with_name(f"cover.{suffix}")
    assert b"PNG" in path.read_bytes()
    assert length_as_by_ffmpeg(path) == pytest.approx(3.0, abs=0.07)


@needs_ffmpeg
def test_a_film_is_heard_and_not_seen(wav: Path) -> None:
    ffmpeg(wav.parent, *PICTURE, "-i", wav.name, "-c:v", "mpeg4", "-c:a", "aac", "film.mp4")
    assert length_as_by_ffmpeg(wav.with_name("film.mp4")) == pytest.approx(3.0, abs=0.07)


@needs_ffmpeg
def test_a_picture_alone_is_refused(tmp_path: Path) -> None:
    ffmpeg(tmp_path, *PICTURE, "-c:v", "mpeg4", "silent.mp4")
    with pytest.raises(AudioError, match="has no audio stream"):
        decode(tmp_path / "silent.mp4")


def huge(path: Path, n_bytes: int) -> None:
    """Write an RF64 file of one channel whose data are a hole in the file, with half a second of sound at the end."""
    end = (sound(RATE_HZ, 1, 0.5)[:, 0] * 32767).astype("<i2").tobytes()
    sizes = struct.pack("<QQQI", n_bytes + 72, n_bytes, n_bytes // 2, 0)
    header = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", len(sizes)) + sizes
    header += b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16) + b"data\xff\xff\xff\xff"
    with path.open("wb") as file:
        file.write(header)
        file.seek(len(header) + n_bytes - len(end))
        file.write(end)


def test_the_end_of_a_file_of_five_gigabytes_is_found(tmp_path: Path) -> None:
    path, n_bytes = tmp_path / "huge.wav", 5 << 30
    huge(path, n_bytes)
    length_s = n_bytes / 2 / RATE_HZ
    assert probe(path).duration_s == pytest.approx(length_s)
    assert probe(path).duration_kind == "stated"
    end = decode(path, start_s=length_s - 0.5, duration_s=0.5).samples
    assert np.allclose(end, sound(RATE_HZ, 1, 0.5)[:, 0], atol=1e-4)


def vbri() -> bytes:
    """An MP3 of three seconds whose first frame is an index of Fraunhofer's kind in place of LAME's."""
    content = bytearray(written("mp3", "libmp3lame", seconds=3.0))
    at = max(content.find(b"Xing"), content.find(b"Info"))
    n_frames = content[at + 8 : at + 12]
    content[at : at + 120] = bytes(120)
    # LAME's stands behind 13 bytes of an MPEG-2 frame of one channel, Fraunhofer's behind 36 of any.
    mark = at - 13 + 36
    content[mark : mark + 18] = b"VBRI" + struct.pack(">HHHI", 1, 0, 50, len(content)) + n_frames
    return bytes(content)


def test_an_mp3_with_an_index_of_fraunhofers_kind_is_held_against_it(tmp_path: Path) -> None:
    path, content = tmp_path / "a.mp3", vbri()
    path.write_bytes(content)
    assert decode(path).duration_s == pytest.approx(3.0, abs=0.2)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"cut short: its header states 2.9\d s"):
        decode(path)


def test_a_wav_whose_codec_has_a_number_that_is_no_letters_is_read_or_refused(tmp_path: Path) -> None:
    content = bytearray(written("wav", "adpcm_ima_wav"))
    for number in (0xFFFF, 0xFF11, 0x80FF):
        content[20:22] = struct.pack("<H", number)
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(AudioError, match="is not audio that can be read|holds no audio"):
            decode(tmp_path / "a.wav")
