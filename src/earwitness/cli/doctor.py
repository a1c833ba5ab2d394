"""``earwitness doctor``: what works here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

app = new_app("What works on this machine, and what to type where it does not.")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's answer."""

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


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at engines, weights, data, decoders, disk and devices; exit 1 when something needed is missing.

    For example:

    earwitness doctor
    """
    from rich.table import Table

    checks = list(examine())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        table = Table("What", "", "Found", "What to type", box=None, pad_edge=False)
        for check in checks:
            mark = "[green]ok[/]" if check.works else "[red]missing[/]" if check.needed else "[yellow]no[/]"
            table.add_row(check.what, mark, check.found, check.remedy)
        console().print(table)
    if any(check.needed and not check.works for check in checks):
        raise typer.Exit(1)


def examine() -> Iterator[Check]:
    """Yield every check, the needed ones first."""
    yield from _machine()
    yield from _decoders()
    yield from _engines()
    yield from _weights()
    yield from _corpora()
    yield from _devices()


def _machine() -> Iterator[Check]:
    import os

    from earwitness.fetch import cache_dir
    from earwitness.runs.environment import environment

    here = environment()
    memory = f"{here.memory_bytes / 2**30:.0f} GiB"
    yield Check("machine", True, True, f"{here.cpu}, {here.cores} cores, {memory}, Python {here.python}")
    cache = cache_dir()
    root = next(folder for folder in (cache, *cache.parents) if folder.exists())
    writable = os.access(root, os.W_OK)
    free = shutil.disk_usage(root).free / 1e9
    remedy = "" if writable else "set EARWITNESS_CACHE to a folder that can be written"
    yield Check("cache", writable, True, f"{cache}, {free:.0f} GB free", remedy)


def _decoders() -> Iterator[Check]:
    from importlib.metadata import PackageNotFoundError, version

    for package, reads in (
        ("soundfile", "wav, flac, ogg, opus, mp3"),
        ("av", "m4a, mp4, webm"),
        ("soxr", "resampling"),
    ):
        try:
            yield Check(f"decoder {package}", True, True, f"{version(package)}: {reads}")
        except PackageNotFoundError:
            yield Check(f"decoder {package}", False, True, f"for {reads}", f"pip install {package}")


def _engines() -> Iterator[Check]:
    from earwitness.engines.registry import engine_names, get_engine
    from earwitness.workers.environments import packages_of, place_of, why_not_here

    for name in engine_names():
        spec = get_engine(name).spec
        place = place_of(spec)
        versions = ", ".join(f"{package} {version}" for package, version in packages_of(spec).items())
        own = " in an environment of its own" if place == "own" else ""
        found = f"{versions or 'built in'}{own}" if place else why_not_here(spec) or ""
        yield Check(
            f"engine {name}", place is not None, False, found, "" if place else f"earwitness engines install {name}"
        )


def _weights() -> Iterator[Check]:
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
        yield Check(f"model {model.id}", folder is not None, False, str(folder or "not pulled"), remedy)


def _corpora() -> Iterator[Check]:
    from earwitness.data import corpora
    from earwitness.errors import DataNotFoundError

    for name in corpora.CORPORA:
        try:
            yield Check(f"corpus {name}", True, False, str(corpora.folder(name)))
        except DataNotFoundError:
            yield Check(f"corpus {name}", False, False, "not pulled", f"earwitness data pull {name}")


def _devices() -> Iterator[Check]:
    from earwitness.engines.devices import here

    machine = here()
    for kind, absent in (
        ("cuda", "the NVIDIA driver sees no GPU"),
        ("mps", "not an Apple computer with its own chip"),
        ("tpu", "no TPU chip is seen"),
    ):
        count = machine.get(kind, 0)
        yield Check(f"device {kind}", bool(count), False, f"{count} here" if count else absent)
