"""``earwitness doctor`` as a function."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One check and its result."""

    what: str
    """What was looked at."""
    works: bool
    """Whether it works."""
    needed: bool
    """Whether Earwitness can do nothing without it."""
    found: str
    """What is there."""
    remedy: str = ""
    """What to type where it does not work."""


def doctor() -> list[DoctorCheck]:
    """Check engines, weights, data, decoders, disk and devices; the needed checks come first.

    >>> [check.what for check in doctor() if check.needed and not check.works]
    []
    """
    return [
        *_machine(), *_decoders(), *_engines(), *_weights(), *_speech(), *_corpora(), *_devices(), *_advice(),
    ]  # fmt: skip


def _machine() -> Iterator[DoctorCheck]:
    import os

    from earwitness.files.fetch import cache_dir
    from earwitness.records.environment import environment

    here = environment()
    memory = f"{here.memory_bytes / 2**30:.0f} GiB"
    yield DoctorCheck("machine", True, True, f"{here.cpu}, {here.cores} cores, {memory}, Python {here.python}")
    cache = cache_dir()
    root = next(folder for folder in (cache, *cache.parents) if folder.exists())
    writable = os.access(root, os.W_OK)
    free = shutil.disk_usage(root).free / 1e9
    remedy = "" if writable else "set EARWITNESS_CACHE to a writable folder"
    yield DoctorCheck("cache", writable, True, f"{cache}, {free:.0f} GB free", remedy)


def _decoders() -> Iterator[DoctorCheck]:
    from importlib.metadata import PackageNotFoundError, version

    for package, reads in (
        ("soundfile", "wav, flac, ogg, opus, mp3"),
        ("av", "m4a, mp4, webm"),
        ("soxr", "resampling"),
    ):
        try:
            yield DoctorCheck(f"decoder {package}", True, True, f"{version(package)}: {reads}")
        except PackageNotFoundError:
            yield DoctorCheck(f"decoder {package}", False, True, f"for {reads}", f"pip install {package}")


def _engines() -> Iterator[DoctorCheck]:
    from earwitness.engines.registry import engine_names, get_engine
    from earwitness.workers.environments import packages_of, place_of, why_not_here

    for name in engine_names():
        spec = get_engine(name).spec
        place = place_of(spec)
        versions = ", ".join(f"{package} {version}" for package, version in packages_of(spec).items())
        own = " in an environment of its own" if place == "own" else ""
        found = f"{versions or 'built in'}{own}" if place else why_not_here(spec) or ""
        yield DoctorCheck(
            f"engine {name}", place is not None, False, found, "" if place else f"earwitness engines install {name}"
        )


def _weights() -> Iterator[DoctorCheck]:
    from earwitness import weights
    from earwitness.engines.catalog import models

    for model in models():
        if not model.sources:
            continue
        folder = weights.locate(model)
        # Rows that only a hub has are for `models list`; here they would drown the rest.
        if folder is None and all(source.startswith("hf:") for source in model.sources):
            continue
        remedy = "" if folder else f"earwitness models pull {model.id}"
        yield DoctorCheck(f"model {model.id}", folder is not None, False, str(folder or "not pulled"), remedy)


def _speech() -> Iterator[DoctorCheck]:
    from earwitness.audio.speech import unavailable
    from earwitness.weights import speech

    why_not = unavailable()
    if why_not:
        said, _, remedy = why_not.partition(" Run: ")
        yield DoctorCheck("speech activity", False, False, said, remedy)
        return
    path = speech.locate()
    remedy = "" if path else "earwitness run DATA --model M --speech"
    yield DoctorCheck("speech activity", path is not None, False, f"{speech.NAME}: {path or 'not pulled'}", remedy)


def _corpora() -> Iterator[DoctorCheck]:
    from earwitness.data import corpora
    from earwitness.errors import DataNotFoundError

    for name in corpora.CORPORA:
        try:
            yield DoctorCheck(f"corpus {name}", True, False, str(corpora.folder(name)))
        except DataNotFoundError:
            yield DoctorCheck(f"corpus {name}", False, False, "not pulled", f"earwitness data pull {name}")


def _devices() -> Iterator[DoctorCheck]:
    from earwitness.engines.devices import here

    machine = here()
    for kind, absent in (
        ("cuda", "the NVIDIA driver sees no GPU"),
        ("mps", "not an Apple computer with its own chip"),
        ("tpu", "no TPU chip is seen"),
    ):
        count = machine.get(kind, 0)
        yield DoctorCheck(f"device {kind}", bool(count), False, f"{count} here" if count else absent)


_ADVICE = {
    "cuda": (("faster-whisper", "Whisper in float16 on the GPU"), ("transformers", "other models of the hub")),
    "mps": (
        ("mlx-whisper", "Whisper in float16 on the GPU, without torch"),
        ("mlx-audio", "LFM2.5-Audio, Parakeet and others on the GPU, without torch"),
    ),
    "cpu": (("faster-whisper", "Whisper in int8"), ("onnx-asr", "Parakeet and others, without torch")),
}


def _advice() -> Iterator[DoctorCheck]:
    """Say which engines suit the fastest device of this machine."""
    from earwitness.engines.devices import here
    from earwitness.engines.registry import get_engine
    from earwitness.workers.environments import place_of

    machine = here()
    kind = next(kind for kind in _ADVICE if kind in machine)
    for name, why in _ADVICE[kind]:
        installed = place_of(get_engine(name).spec) is not None
        remedy = f"earwitness run DATA --model {name}:... --device {kind}" if installed else ""
        yield DoctorCheck(
            f"advice for {kind}", installed, False, f"{name}: {why}", remedy or f"earwitness engines install {name}"
        )
