"""Every condition does what its name says, and does the same every time."""

from __future__ import annotations

import hashlib
import io
import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.audio import codec, damage, decode
from earwitness.audio.alter import alter, alter_file
from earwitness.audio.conditions import EFFECTS, describe, parse, require
from earwitness.audio.level import active_level
from earwitness.audio.noise import pink, white
from earwitness.audio.track import BLOCK, Scene, in_memory
from earwitness.errors import AudioError, UsageError
from earwitness.types import Clip

HOLDS = ("alter.py", "codec.py", "damage.py", "level.py", "noise.py", "track.py")

Samples = npt.NDArray[np.float32]
HERE = [effect.example for effect in EFFECTS.values()]


def talk(seconds: float = 6.0, loudness: float = 0.2) -> Samples:
    """Bursts of a buzz with pauses between them: half of the time something is heard."""
    t = np.arange(round(seconds * 16_000)) / 16_000
    buzz = sum(np.sin(2 * np.pi * 120 * n * t) / n for n in range(1, 30))
    return (loudness * buzz * (t % 1.0 < 0.5)).astype(np.float32)


@pytest.fixture
def others(write_wav: Callable[..., Path]) -> list[Clip]:
    """Five clips to make babble of."""
    paths = [write_wav(f"other{n}.wav", 1 + n / 2) for n in range(5)]
    return [Clip(f"other{n}", str(path), "", 0.0, 1 + n / 2, "x") for n, path in enumerate(paths)]


def altered(samples: Samples, name: str, others: list[Clip] | None = None, **more: bool) -> Samples:
    return alter(samples, parse(name), Scene("a", others=others or (), **more))


def db(ratio: float) -> float:
    return 20 * math.log10(ratio)


def rms(samples: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


# --- names


def values(kind: str) -> st.SearchStrategy[str]:
    effect = EFFECTS[kind]
    low, high, clean = effect.low, effect.high, effect.clean
    if low is None or high is None:
        return st.just(kind)
    any_: st.SearchStrategy[float] = st.floats(low, high).map(lambda value: min(max(round(value, 2), low), high))
    chosen = st.sampled_from(effect.among) if effect.among else any_.filter(lambda value: value != clean)
    variant = st.sampled_from([f":{variant}" for variant in effect.variants] or [""])
    return st.builds(lambda sort, value: f"{kind}{sort}:{value}{effect.unit}", variant, chosen)


def steps() -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(EFFECTS)).flatmap(values)


@given(st.lists(steps(), min_size=1, max_size=3).map("+".join))
def test_a_canonical_name_means_the_condition_that_it_names(text: str) -> None:
    condition = parse(text)
    assert parse(condition.name) == condition
    assert describe(condition, "x").name == condition.name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nois:10dB", "There is no condition 'nois'. Did you mean 'noise'?"),
        ("xyzzy", "There is no condition 'xyzzy'. There are: noise, babble,"),
        ("noise", "Condition 'noise' needs a number from -20 to 60 dB, as in 'noise:pink:10dB'."),
        ("noise:ten", "has no variant 'ten'. Choose one of: white, pink."),
        ("noise:10s", "needs a number from -20 to 60 dB"),
        ("noise:nan", "has no variant 'nan'"),
        ("reverb:60s", "needs a number from 0.05 to 5 s"),
        ("level:0dB", "needs a number from -80 to 0, other than 0 dB"),
        ("amr:5k", "needs one of 4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2 k"),
        ("mulaw:8k", "Condition 'mulaw:8k' takes no value. Write 'mulaw'."),
        ("clean+mulaw", "combines 'clean' with other steps. Leave out 'clean'"),
        ("noise:10dB++mulaw", "There is no condition ''"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_speed_hurts_both_ways_and_each_way_is_a_family() -> None:
    fast, slow = describe(parse("speed:1.25"), ""), describe(parse("speed:0.8"), "")
    assert (fast.family, fast.worse) == ("speed:* (over 1)", "more")
    assert (slow.family, slow.worse) == ("speed:* (under 1)", "less")


# --- the same every time


@pytest.mark.parametrize("name", HERE)
def test_memory_and_file_give_the_same_bytes_twice(name: str, tmp_path: Path, others: list[Clip]) -> None:
    samples = talk(8.5)
    assert len(samples) > 2 * BLOCK
    path = tmp_path / "a.f32"
    samples.astype("<f4").tofile(path)
    n = alter_file(path, parse(name), Scene("a", others=others))
    assert path.stat().st_size == 4 * n
    for _ in range(2):
        assert altered(samples, name, others).tobytes() == path.read_bytes()
    assert list(tmp_path.glob("*.step")) == []


IN_ANOTHER_PROCESS = """
import hashlib, sys
import numpy as np
from earwitness.audio.alter import alter
from earwitness.audio.conditions import parse
from earwitness.audio.track import Scene
samples = np.fromfile(sys.argv[1], np.float32)
for name in sys.argv[2:]:
    print(hashlib.sha256(alter(samples, parse(name), Scene("a")).tobytes()).hexdigest())
"""


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    names = [name for name in HERE if not name.startswith("babble")] + ["noise:0dB+mulaw+loss:5%"]
    samples = talk(3.0)
    samples.tofile(tmp_path / "a.f32")
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path / "a.f32"), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    here = [hashlib.sha256(altered(samples, name).tobytes()).hexdigest() for name in names]
    assert done.stdout.split() == here


GOLDEN = {
    "noise:10dB": "8fadafde96f7dc4a",
    "noise:pink:0dB": "87dd15ebe3fed00c",
    "reverb:0.5s": "a9f0cdbe0f081945",
    "clip:6dB": "3139f9772700c526",
    "loss:20%": "bf19e8a713c87647",
    "loss:bursts:20%": "7e8e94b56e6ef100",
    "level:-30dB": "08d64efc58c50e6e",
    "pad:0.5s": "f9d69ea5700a2e5f",
    "noise:5dB+reverb:0.3s+clip:3dB": "a6bd6842d5a2e7a7",
}


def ramp() -> Samples:
    """A second of a triangle wave in steps of 1/1024: exact in every arithmetic."""
    up = np.arange(-400, 400, dtype=np.float32) / 1024
    return np.tile(np.concatenate([up, -up]), 10)


@pytest.mark.parametrize("name", GOLDEN)
def test_what_needs_numpy_alone_is_the_same_on_every_machine(name: str) -> None:
    assert hashlib.sha256(altered(ramp(), name).astype("<f4").tobytes()).hexdigest()[:16] == GOLDEN[name]


def test_another_clip_gets_other_noise_and_another_severity_the_same_louder() -> None:
    samples = talk()
    here, there = (alter(samples, parse("noise:20dB"), Scene(id_)) - samples for id_ in "ab")
    louder = altered(samples, "noise:14dB") - samples
    assert abs(np.corrcoef(here, there)[0, 1]) < 0.02
    assert np.corrcoef(here, louder)[0, 1] > 0.9999
    assert db(rms(louder) / rms(here)) == pytest.approx(6, abs=0.01)


def test_packets_lost_at_five_percent_are_lost_at_ten() -> None:
    ones = np.ones(160_000, np.float32)
    few, more = altered(ones, "loss:5%"), altered(ones, "loss:10%")
    assert np.all(more[few == 0] == 0)
    assert np.sum(more == 0) > np.sum(few == 0) > 0


# --- levels and noise


def literal_p56(samples: Samples) -> float:
    """ITU-T P.56, method B, word for word: sample by sample, thresholds 6 dB apart; dB."""
    g, hang = math.exp(-1 / (16_000 * 0.03)), math.ceil(0.2 * 16_000)
    c = [2.0**-j for j in range(15, 0, -1)]
    a, h = [0] * 15, [hang] * 15
    p = q = sq = 0.0
    for x in samples.astype(float):
        sq += x * x
        p = g * p + (1 - g) * abs(x)
        q = g * q + (1 - g) * p
        for j in range(15):
            if q >= c[j]:
                a[j], h[j] = a[j] + 1, 0
            elif h[j] < hang:
                a[j], h[j] = a[j] + 1, h[j] + 1
            else:
                break
    level = [10 * math.log10(sq / n) if n else -math.inf for n in a]
    over = [lv - 20 * math.log10(t) - 15.9 for lv, t in zip(level, c, strict=True)]
    j = next(j for j in range(15) if over[j] < 0)
    weight = over[j - 1] / (over[j - 1] - over[j])
    return level[j - 1] + weight * (level[j] - level[j - 1])


@pytest.mark.parametrize("loudness", [0.3, 0.02])
def test_the_active_level_is_that_of_the_recommendation_done_word_for_word(loudness: float) -> None:
    samples = talk(5.0, loudness)
    found = active_level(in_memory(samples))
    assert found is not None
    assert found.dbov == pytest.approx(literal_p56(samples), abs=0.1)


def test_pauses_do_not_lower_the_active_level() -> None:
    speech = talk(4.0)
    longer = np.concatenate([np.zeros(80_000, np.float32), speech, np.zeros(80_000, np.float32)])
    short, long = active_level(in_memory(speech)), active_level(in_memory(longer))
    assert short is not None
    assert long is not None
    assert long.dbov == pytest.approx(short.dbov, abs=0.15)
    assert db(rms(longer) / rms(speech)) < -5


@pytest.mark.parametrize("snr_db", [-10, 0, 10, 40])
@pytest.mark.parametrize("kind", ["noise", "noise:pink", "babble"])
def test_the_ratio_of_speech_to_noise_is_the_one_asked_for(kind: str, snr_db: int, others: list[Clip]) -> None:
    samples = talk(5.0, 0.02)
    noise = altered(samples, f"{kind}:{snr_db}dB", others) - samples
    level = active_level(in_memory(samples))
    assert level is not None
    assert db(level.rms / rms(noise)) == pytest.approx(snr_db, abs=0.1)


def test_where_nobody_speaks_noise_is_as_loud_as_beside_ordinary_speech() -> None:
    for silence in (np.zeros(32_000, np.float32), 1e-4 * talk(2.0)):
        noise = altered(silence, "noise:10dB", speech=False) - silence
        assert db(rms(noise)) == pytest.approx(-36, abs=0.01)


def power_in(noise: npt.NDArray[np.float64], low_hz: float, high_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / 16_000)
    return float(spectrum[(hz >= low_hz) & (hz < high_hz)].sum())


def test_white_has_equal_power_per_hertz_and_pink_per_octave() -> None:
    flat, falling = (np.concatenate(list(made("a", 480_000)())) for made in (white, pink))
    for low_hz in (50, 100, 500, 1000, 2000):
        octave = (low_hz, 2 * low_hz, 4 * low_hz)
        assert 10 * math.log10(power_in(flat, *octave[1:]) / power_in(flat, *octave[:2])) == pytest.approx(3, abs=0.2)
        assert 10 * math.log10(power_in(falling, *octave[1:]) / power_in(falling, *octave[:2])) == pytest.approx(
            0, abs=1
        )


def test_babble_leaves_the_clip_itself_out_and_refuses_without_others(others: list[Clip], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs more than 3 clips with speech"):
        require(parse("babble:0dB"), others[:3])
    require(parse("babble:0dB"), others)
    gone = [replace(clip, audio_path=str(tmp_path / "gone.wav")) for clip in others[1:]]
    with pytest.raises(AudioError, match="No clip other than 'other0' has speech for babble"):
        alter(talk(), parse("babble:0dB"), Scene("other0", others=[others[0], *gone]))


@pytest.mark.parametrize("name", ["noise:-15dB", "noise:-15dB+mulaw", "speed:1.3", "reverb:1s"])
def test_nothing_passes_full_scale_and_no_ratio_changes(name: str) -> None:
    loud = talk(3.0, 0.9)
    loud /= np.max(np.abs(loud))
    assert np.max(np.abs(altered(loud, name))) <= 1.0


# --- codecs


ALL_PCM = np.arange(-32_768, 32_768).astype(np.int16)
LAWS = [
    ("pcm_mulaw", "ulaw", codec.mulaw_encode, codec.mulaw_decode),
    ("pcm_alaw", "alaw", codec.alaw_encode, codec.alaw_decode),
]


@pytest.mark.parametrize(("ours", "theirs", "encode", "decode_"), LAWS, ids=["mulaw", "alaw"])
def test_g711_is_that_of_python_s_audioop_for_every_sample(
    ours: str, theirs: str, encode: Callable[..., Samples], decode_: Callable[..., Samples]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="there is no audioop here: run it with Python 3.12 or 3.11")
    codes = np.frombuffer(getattr(audioop, f"lin2{theirs}")(ALL_PCM.tobytes(), 2), np.uint8)
    assert np.array_equal(encode(ALL_PCM), codes)
    every = np.arange(256).astype(np.uint8)
    samples = np.frombuffer(getattr(audioop, f"{theirs}2lin")(every.tobytes(), 2), np.int16)
    assert np.array_equal(decode_(every), samples)


@pytest.mark.parametrize(("name", "theirs", "encode", "decode_"), LAWS, ids=["mulaw", "alaw"])
def test_g711_is_decoded_as_ffmpeg_does_and_encoded_within_one_code(
    name: str, theirs: str, encode: Callable[..., Samples], decode_: Callable[..., Samples]
) -> None:
    import av

    reader, writer = av.CodecContext.create(name, "r"), av.CodecContext.create(name, "w")
    for context in (reader, writer):
        context.sample_rate, context.layout = 8000, "mono"  # type: ignore[attr-defined]
    writer.format = "s16"  # type: ignore[attr-defined]
    every = np.arange(256).astype(np.uint8)
    frames = reader.decode(av.Packet(every.tobytes()))  # type: ignore[attr-defined]
    assert np.array_equal(np.concatenate([frame.to_ndarray().ravel() for frame in frames]), decode_(every))
    frame = av.AudioFrame.from_ndarray(ALL_PCM[None], format="s16", layout="mono")
    frame.sample_rate = 8000
    packets = writer.encode(frame)  # type: ignore[attr-defined]
    theirs_decoded = decode_(np.frombuffer(b"".join(map(bytes, packets)), np.uint8)).astype(int)
    ours = decode_(encode(ALL_PCM)).astype(int)
    differ = theirs_decoded != ours
    assert differ.mean() < 0.02  # FFmpeg rounds to the nearest value, G.711 has tabled decision values
    assert np.all(np.abs(ours - ALL_PCM) <= np.maximum(1024, np.abs(ALL_PCM) // 16))


def test_a_telephone_line_ends_at_four_kilohertz() -> None:
    noise = (0.05 * np.concatenate(list(white("a", 64_000)()))).astype(np.float32)
    heard = altered(noise, "mulaw").astype(np.float64)
    assert power_in(heard, 4200, 8000) < 1e-4 * power_in(heard, 300, 3400)


@pytest.mark.parametrize("name", ["mulaw", "alaw", "gsm", "amr:12.2k", "amr:4.75k", "opus:24k", "opus:6k"])
def test_a_codec_gives_back_as_much_sound_neither_early_nor_late(name: str) -> None:
    t = np.arange(48_000) / 16_000
    sweep = (0.3 * np.sin(2 * np.pi * (300 * t + 150 * t * t)) * (0.6 + 0.4 * np.sin(9 * t))).astype(np.float32)
    heard = altered(sweep, name)
    assert len(heard) == len(sweep)
    size = 1 << 18
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sweep, size)))
    lag = int(np.argmax(found))
    assert abs(lag if lag < size / 2 else lag - size) <= 16  # a millisecond
    assert db(rms(heard) / rms(sweep)) == pytest.approx(0, abs=4)


def test_an_encoder_that_is_not_here_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(codec.CODECS["amr"], encoder="no_such_encoder")
    monkeypatch.setitem(codec.CODECS, "amr", missing)
    with pytest.raises(UsageError, match=r"needs the encoder 'no_such_encoder', which PyAV .* Use one of: mulaw"):
        require(parse("amr:12.2k"), ())


def test_the_codec_libraries_are_named_in_the_version() -> None:
    assert "FFmpeg" in describe(parse("opus:12k"), "").version
    assert "libsndfile" in describe(parse("gsm"), "").version
    assert "FFmpeg" not in describe(parse("mulaw+gsm+noise:10dB"), "").version


def test_ffmpegs_decoder_hears_the_same_in_what_gsm_sends() -> None:
    import av
    import soundfile

    said = (talk(2.0)[::2] * 32_767).astype(np.int16)
    coded = io.BytesIO()
    how: Any = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": "GSM610"}
    with soundfile.SoundFile(coded, "w", **how) as file:
        file.write(said)
    frames = [coded.getvalue()[start : start + 33] for start in range(0, len(coded.getvalue()), 33)]
    decoder: Any = av.CodecContext.create("gsm", "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    decoder.open()
    theirs = np.concatenate([part.to_ndarray().ravel() for one in frames for part in decoder.decode(av.Packet(one))])
    coded.seek(0)
    with soundfile.SoundFile(coded, "r", **how) as file:
        ours = file.read(len(said), dtype="int16")
    assert len(frames) == 100
    assert np.array_equal(ours[: len(theirs)], theirs)


# --- rooms, microphones, networks, players


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0, 3.0])
def test_the_measured_reverberation_time_is_the_one_asked_for(rt60_s: float) -> None:
    """Schroeder 1965: the energy that is still to come, from -5 to -35 dB, taken twice (ISO 3382, T30)."""
    click = np.zeros(round((rt60_s + 1) * 16_000), np.float32)
    click[0] = 1.0
    heard = altered(click, f"reverb:{rt60_s}s").astype(np.float64)
    left_db = 10 * np.log10(np.maximum(np.cumsum(heard[::-1] ** 2)[::-1], 1e-12) / np.sum(heard**2))
    inside = np.flatnonzero((left_db <= -5) & (left_db >= -35))
    slope = np.polyfit(inside / 16_000, left_db[inside], 1)[0]
    assert -60 / slope == pytest.approx(rt60_s, rel=0.06)
    assert np.sum(heard**2) == pytest.approx(1, abs=1e-3)
    assert heard[0] ** 2 == pytest.approx(0.5, abs=1e-3)


def test_clipping_cuts_so_many_decibels_under_the_peak() -> None:
    samples = talk()
    heard = altered(samples, "clip:6dB")
    assert db(float(np.max(np.abs(samples)) / np.max(np.abs(heard)))) == pytest.approx(6, abs=1e-4)
    untouched = np.abs(samples) < np.max(np.abs(heard))
    assert np.array_equal(heard[untouched], samples[untouched])


@pytest.mark.parametrize("variant", ["random", "bursts"])
@pytest.mark.parametrize("percent", [2, 10, 40])
def test_as_many_packets_are_lost_as_asked_for(variant: str, percent: int) -> None:
    ones = np.ones(16_000 * 600, np.float32)
    lost = altered(ones, f"loss:{variant}:{percent}%").reshape(-1, damage.FRAME) == 0
    assert np.all(lost.all(axis=1) == lost.any(axis=1))
    packets = lost.all(axis=1)
    assert packets.mean() == pytest.approx(percent / 100, rel=0.15)
    starts = np.count_nonzero(packets[1:] & ~packets[:-1]) + packets[0]
    expected = damage.MEAN_BURST if variant == "bursts" else 1 / (1 - percent / 100)
    assert packets.sum() / starts == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.25, 2.0])
def test_speed_changes_length_and_pitch(factor: float) -> None:
    t = np.arange(32_000) / 16_000
    heard = altered((0.3 * np.sin(2 * np.pi * 500 * t)).astype(np.float32), f"speed:{factor}")
    assert len(heard) == round(32_000 / factor)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * 16_000 / len(heard) == pytest.approx(500 * factor, rel=0.01)


def test_a_level_that_is_turned_down_loses_its_finest_steps() -> None:
    heard = altered(talk(), "level:-60dB")
    assert db(rms(heard) / rms(talk())) == pytest.approx(-60, abs=0.1)
    assert np.array_equal(heard * 32_768, np.round(heard * 32_768))


def test_padding_is_silence_of_the_asked_length_on_both_sides() -> None:
    samples = talk(1.0)
    heard = altered(samples, "pad:1.5s")
    assert len(heard) == len(samples) + 48_000
    assert not heard[:24_000].any()
    assert not heard[-24_000:].any()
    assert np.array_equal(heard[24_000:-24_000], samples)


def test_a_chain_is_its_steps_one_after_the_other() -> None:
    samples = talk(2.0)
    assert np.array_equal(altered(samples, "clip:6dB+mulaw"), altered(altered(samples, "clip:6dB"), "mulaw"))
    assert not np.array_equal(altered(samples, "noise:0dB+mulaw"), altered(samples, "mulaw+noise:0dB"))
    assert np.array_equal(altered(samples, "clean"), samples)


@pytest.mark.parametrize("name", [name for name in HERE if not name.startswith("babble")])
@pytest.mark.parametrize("n", [0, 1, 100])
def test_hardly_any_sound_is_no_error(name: str, n: int) -> None:
    heard = altered(np.full(n, 0.1, np.float32), name)
    assert np.all(np.isfinite(heard))


MEMORY = """
import sys, resource
from pathlib import Path
from earwitness.audio.alter import alter_file
from earwitness.audio.conditions import parse
from earwitness.audio.track import Scene
import numpy as np, soxr, av
alter_file(Path(sys.argv[1]), parse(sys.argv[3]), Scene("a"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
alter_file(Path(sys.argv[2]), parse(sys.argv[3]), Scene("a"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.real
@pytest.mark.skipif(
    sys.platform != "linux", reason="there is no peak memory in the unit of Linux here: run it on Linux"
)
def test_memory_is_flat_for_ten_minutes_under_a_long_chain(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, seconds in (("short", 20), ("long", 600)):
        (0.1 * rng.standard_normal(seconds * 16_000)).astype("<f4").tofile(tmp_path / name)
    chain = "noise:pink:5dB+reverb:0.5s+mulaw+loss:bursts:5%+pad:1s"
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "short"), str(tmp_path / "long"), chain]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10_000, "KiB more for ten minutes (38,400 KiB of samples) than for twenty seconds"


@pytest.mark.real
def test_the_ratio_of_speech_to_noise_is_right_on_real_clips() -> None:
    from earwitness import data

    for clip in [clip for clip in data.load("telephony-en").clips if clip.reference][:20]:
        samples = decode(clip.audio_path).samples
        level = active_level(in_memory(samples))
        assert level is not None
        assert 0.3 < level.activity <= 1
        for kind in ("noise", "noise:pink"):
            noise = alter(samples, parse(f"{kind}:15dB"), Scene(clip.id)) - samples
            assert db(level.rms / rms(noise)) == pytest.approx(15, abs=0.1)
