"""Make the built-in sample: texts of our own, spoken by free synthesisers, in the conditions that separate models.

    python tools/make_sample.py [--out FOLDER]

Needs the Debian packages in ``PACKAGES`` and this project's environment. Everything is seeded: the same versions, which
are written to ``corpus.json``, give the same files. At the end it says how many files are other than those it found.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("flite", "libflite1", "festival", "festlex-cmu", "festvox-us-slt-hts")
SYNTHESISERS = {"rms": "flite", "awb": "flite", "kal16": "flite", "slt": "festival"}
SEED = 20240607
RATE_HZ, TELEPHONE_HZ = 16_000, 8_000
LEVEL_DBFS = -26.0  # usual in tests of telephony, with room for the peaks
SILENCE_DBFS = -60.0
SNR_DB = 10.0
FAST = 1.5
MARGIN_S = 0.15
BITS = 12  # FLAC drops the zero bits below: 40 % fewer bytes, and a floor 51 dB under the speech


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound and its line in the manifest."""

    id: str
    """Also the file's name."""
    text: str
    """The reference; ``""`` where nobody speaks."""
    condition: str
    """What makes it hard."""
    recording: str
    """Clips of one sentence share it, since their errors are not independent."""
    samples: Samples
    """In [-1, 1]."""
    voice: str | None = None
    """Who speaks; ``None`` where nobody does."""
    kind: str = "speech"
    """``speech``, ``silence`` or ``tone``."""
    rate_hz: int = RATE_HZ
    """Samples per second."""

    def line(self) -> dict[str, str | float]:
        """The manifest line, in NeMo's style."""
        spoken = (
            {"speaker": self.voice, "voice": self.voice, "synthesiser": SYNTHESISERS[self.voice]} if self.voice else {}
        )
        return {
            "audio_filepath": f"{self.id}.flac",
            "text": self.text,
            "duration": len(self.samples) / self.rate_hz,
            "lang": "en",
            "id": self.id,
            "recording": self.recording,
            "condition": self.condition,
            "kind": self.kind,
            **spoken,
        }

    def flac(self) -> bytes:
        """The sound as FLAC; speech and tones at 12 bits, and as they are where that would be heard."""
        import soundfile

        keep_all = self.kind == "silence" or self.rate_hz == TELEPHONE_HZ
        scale = 2 ** (16 - BITS)
        pcm = np.round(self.samples * 2**15) if keep_all else np.round(self.samples * 2 ** (BITS - 1)) * scale
        buffer = io.BytesIO()
        soundfile.write(buffer, pcm.astype(np.int16), self.rate_hz, format="FLAC", compression_level=1.0)
        return buffer.getvalue()


def package_versions() -> dict[str, str]:
    """The installed version of each Debian package.

    Raises:
        SystemExit: If one is missing, with what to type.
    """
    found = {}
    for name in PACKAGES:
        ask = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name]
        answer = subprocess.run(ask, capture_output=True, text=True, check=False).stdout if shutil.which(ask[0]) else ""
        status, _, installed = answer.partition(" ")
        if status != "installed":
            print(f"Debian package {name!r} is missing. Run: apt-get install {' '.join(PACKAGES)}", file=sys.stderr)
            raise SystemExit(2)
        found[name] = installed
    return found


def speak(voice: str, text: str, speed: float = 1.0) -> Samples:
    """Say ``text``: 16 kHz, level set, trimmed to a short margin around the speech."""
    import soundfile
    import soxr

    with tempfile.TemporaryDirectory() as folder:
        wav = f"{folder}/speech.wav"
        if SYNTHESISERS[voice] == "flite":
            stretch = f"duration_stretch={1 / speed:.4f}"
            subprocess.run(["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", wav], check=True)
        else:
            choose = f"(voice_cmu_us_{voice}_arctic_hts)"
            rate = f'(set! hts_engine_params (cons (list "-r" {speed:.4f}) hts_engine_params))'
            subprocess.run(["text2wave", "-eval", choose, "-eval", rate, "-o", wav], input=text, text=True, check=True)
        raw, rate_hz = soundfile.read(wav, dtype="float64")
    samples: Samples = soxr.resample(raw, rate_hz, RATE_HZ)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    margin = round(MARGIN_S * RATE_HZ)
    return level(samples[max(0, loud[0] - margin) : loud[-1] + margin], LEVEL_DBFS)


def level(samples: Samples, dbfs: float) -> Samples:
    """Scale to an RMS level in decibels below full scale."""
    return samples * float(10 ** (dbfs / 20) / np.sqrt(np.mean(samples**2)))


def generator(name: str) -> np.random.Generator:
    """A generator of its own for each clip, so that changing one leaves the others alone."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def noisy(speech: Samples, name: str) -> Samples:
    """Add stationary noise with the speech's own spectrum: its magnitudes with random phases, hence its power."""
    spectrum = np.fft.rfft(speech)
    phases = np.exp(2j * np.pi * generator(name).random(len(spectrum)))
    noise = np.fft.irfft(np.abs(spectrum) * phases, len(speech))
    return level(speech + level(noise, LEVEL_DBFS - SNR_DB), LEVEL_DBFS)


def telephone(speech: Samples) -> Samples:
    """300 to 3400 Hz at 8 kHz, through G.711 mu-law and back."""
    import soundfile
    import soxr

    narrow = soxr.resample(speech, RATE_HZ, TELEPHONE_HZ)
    spectrum = np.fft.rfft(narrow)
    hz = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_HZ)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    wire = io.BytesIO()
    banded = level(np.fft.irfft(spectrum, len(narrow)), LEVEL_DBFS)
    soundfile.write(wire, banded, TELEPHONE_HZ, format="WAV", subtype="ULAW")
    wire.seek(0)
    received: Samples = soundfile.read(wire, dtype="float64")[0]
    return received


def room(seconds: float) -> Samples:
    """Very quiet pink noise."""
    n = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(generator("silence").standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    return level(np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 50.0)), n), SILENCE_DBFS)


def beeps(count: int) -> Samples:
    """Beeps of 0.4 s with 0.6 s between, a little higher each time, with soft edges."""
    t = np.arange(RATE_HZ) / RATE_HZ
    edge = np.clip(np.minimum(t, 0.4 - t) / 0.01, 0, 1)
    return level(np.concatenate([np.sin(2 * np.pi * (600 + 100 * i) * t) * edge for i in range(count)]), LEVEL_DBFS)


def with_pauses(pieces: list[Samples]) -> Samples:
    """Join sentences, with 0.2 to 0.8 s between them."""
    pauses = generator("long").uniform(0.2, 0.8, len(pieces) - 1)
    gaps = [np.zeros(round(seconds * RATE_HZ)) for seconds in pauses]
    joined = [part for piece, gap in zip(pieces, gaps, strict=False) for part in (piece, gap)]
    return np.concatenate([*joined, pieces[-1]])


def sentence_clips(number: int, voice: str, text: str) -> Iterator[Clip]:
    """One sentence in four conditions."""
    recording = f"sentence-{number}"
    clean = speak(voice, text)
    noise_id = f"noise-10dB-{number}"
    yield Clip(f"clean-{number}", text, "clean", recording, clean, voice)
    yield Clip(noise_id, text, "noise-10dB", recording, noisy(clean, noise_id), voice)
    yield Clip(f"telephone-{number}", text, "telephone", recording, telephone(clean), voice, rate_hz=TELEPHONE_HZ)
    yield Clip(f"fast-{number}", text, "fast", recording, speak(voice, text, FAST), voice)


def all_clips(texts: Mapping[str, Any]) -> Iterator[Clip]:
    """Every clip of the sample."""
    for number, item in enumerate(texts["sentences"], 1):
        yield from sentence_clips(number, item["voice"], item["text"])
    for number, item in enumerate(texts["names_numbers"], 1):
        name, voice = f"names-numbers-{number}", item["voice"]
        yield Clip(name, item["text"], "names-numbers", name, speak(voice, item.get("say", item["text"])), voice)
    voice, sentences = texts["long"]["voice"], texts["long"]["sentences"]
    talk = with_pauses([speak(voice, sentence) for sentence in sentences])
    yield Clip("long", " ".join(sentences), "long", "long", level(talk, LEVEL_DBFS), voice)
    yield Clip("silence", "", "silence", "silence", room(5.0), kind="silence")
    yield Clip("tone", "", "tone", "tone", beeps(4), kind="tone")


def corpus(packages: Mapping[str, str]) -> dict[str, Any]:
    """What the sample is, under which terms, and what made it."""
    import soundfile

    return {
        "name": "sample",
        "title": "Built-in sample: synthetic English speech in eight conditions",
        "language": "en",
        "synthetic": True,
        "license": "CC0-1.0",
        "license_note": "Texts and recordings are this project's own. The licences of the synthesisers and voices "
        "allow any use and put no terms on what they say; README.md names them.",
        "attribution": "Voices: Carnegie Mellon University (flite rms, awb, kal16; CMU ARCTIC slt with the HTS working "
        "group's engine). Festival: Centre for Speech Technology Research, University of Edinburgh.",
        "generator": {
            "script": "tools/make_sample.py",
            "seed": SEED,
            "packages": dict(packages),
            "python_packages": {name: version(name) for name in ("numpy", "soundfile", "soxr")},
            "libsndfile": soundfile.__libsndfile_version__,
            "machine": platform.machine(),
        },
    }


def write(path: Path, content: bytes) -> bool:
    """Move ``content`` into place whole; true if the file was other before."""
    changed = not path.exists() or path.read_bytes() != content
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
    return changed


def main() -> None:
    """Make every file, then drop audio of earlier versions that is no longer part of the sample."""
    parser = argparse.ArgumentParser(description="Make the built-in sample of synthetic speech.")
    parser.add_argument("--out", type=Path, default=ROOT / "src/earwitness/data/sample", help="folder to write to")
    out: Path = parser.parse_args().out
    about = corpus(package_versions())
    texts = tomllib.loads((ROOT / "tools/sample_texts.toml").read_text(encoding="utf-8"))
    order = ("clean", "noise-10dB", "telephone", "fast", "names-numbers", "long", "silence", "tone")
    clips = sorted(all_clips(texts), key=lambda clip: order.index(clip.condition))

    manifest = "".join(json.dumps(clip.line(), ensure_ascii=False) + "\n" for clip in clips)
    files = {f"{clip.id}.flac": clip.flac() for clip in clips}
    files["manifest.jsonl"] = manifest.encode()
    files["corpus.json"] = (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode()
    out.mkdir(parents=True, exist_ok=True)
    changed = [name for name, content in files.items() if write(out / name, content)]
    for stale in {path.name for path in out.glob("*.flac")} - files.keys():
        (out / stale).unlink()
    seconds = sum(len(clip.samples) / clip.rate_hz for clip in clips)
    size = sum(len(content) for content in files.values())
    print(f"{len(clips)} clips, {seconds:.1f} s, {size:,} bytes. {len(files)} files, {len(changed)} other than found.")


if __name__ == "__main__":
    main()
