"""``earwitness bundle`` and ``notebook`` as functions: run a study on another machine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from earwitness.api.records import RecordSource, RecordSources, several
from earwitness.api.run import spec_of_call
from earwitness.errors import UsageError

if TYPE_CHECKING:
    from earwitness.data.bundle import Bundle
    from earwitness.runs.bundle_study import BundleStudy
    from earwitness.runs.spec import RunOptions, RunSpec

INDEX = "index"


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that was written."""

    notebook: Path
    """The file."""
    models: tuple[str, ...]
    """Those that it runs."""
    data: tuple[str, ...]
    """What it runs them on; a ``.zip`` is uploaded with it."""
    installs: str
    """What pip installs there."""
    left_behind: str | None
    """What of this checkout is not in what is installed; ``None`` for nothing."""


def bundle(
    data: RecordSources, models: str | Iterable[str] = (), *, out: RecordSource, **options: Unpack[RunOptions]
) -> Bundle:
    """Pack the audio, the references and the study into one file, with the sha256 of everything.

    Engines and weights are not in it, and need not be here.

    Args:
        data: Names of corpora, manifests, folders, audio files; one or several.
        models: Ids, such as ``faster-whisper:base``; one or several, or none.
        out: The zip file to make.
        options: Those of ``RunOptions``.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work anywhere.
        FileError: When the zip cannot be written.
    """
    spec, _ = spec_of_call("bundle", data, models, options)
    return bundle_study(spec, Path(out))


def bundle_study(spec: RunSpec, out: Path) -> Bundle:
    """Pack the data and the study of a spec.

    Raises:
        EarwitnessError: In one sentence, for the first thing that cannot work anywhere.
    """
    from earwitness.data import bundle_writer
    from earwitness.runs.bundle_study import study_of
    from earwitness.runs.plan import packable

    return bundle_writer.pack(packable(spec), study_of(spec), out)


def notebook(
    data: RecordSources,
    models: str | Iterable[str] = (),
    *,
    out: RecordSource,
    device: str | None = None,
    preset: str = "matched",
    settings: Mapping[str, Any] | None = None,
    limit: int | None = None,
    tags: Mapping[str, str] | None = None,
    source: str | None = None,
) -> Notebook:
    """Write a notebook for Colab (GPU, TPU or CPU) or any Jupyter, which runs the study and packs the records.

    Args:
        data: ``sample``, corpora that can be pulled, and bundles of recordings of one's own.
        models: Ids; one or several. Without, those of the bundle's study.
        out: The notebook to make, such as ``study.ipynb``.
        device: As for ``run``; ``None`` for that of the bundle's study, or else ``auto``.
        preset: ``matched`` or ``native``.
        settings: On top of the preset; ``--set`` of the command.
        limit: Only the first so many clips.
        tags: Only clips with these tags.
        source: What it installs: ``index`` for this version, a ``git+https`` address, or a wheel; ``None`` for this
            checkout's commit, or ``index`` where it has no public address.

    Raises:
        UsageError: For data or weights of this machine alone, or bundles with different studies.
        EarwitnessError: For a model or a device that there is not.
        FileError: When it cannot be written.
    """
    from earwitness.engines.registry import show_settings
    from earwitness.files.atomic import write_text
    from earwitness.reports.notebook import NotebookPlan
    from earwitness.reports.notebook import notebook as written

    places, study = _data([os.fspath(one) for one in several(data)])
    named = _several(models)
    models = named or study.models
    where = device or study.device
    extras, engines = _engines(models, where)
    set_ = [f"{name}={show_settings(value)}" for name, value in (settings or {}).items()]
    tag = [f"{key}={value}" for key, value in (tags or {}).items()]
    more = _words(preset=None if preset == "matched" else preset, set=set_, limit=limit, tag=tag)
    asked = _words(model=named, data=places, device=where if where != study.device else None)
    asked = ["earwitness", "notebook", *asked, *more, *_words(source=source, out=Path(out).name)]
    installs, left_behind = _source(source)
    plan = NotebookPlan(
        models=models,
        data=places,
        source=installs,
        command=shlex.join(asked),
        device=where,
        options=tuple(more),
        extras=(*extras, "report"),
        engines=engines,
    )
    write_text(Path(out), written(plan))
    return Notebook(Path(out), models, places, installs, left_behind)


def _several(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _words(**options_: str | int | Sequence[str] | None) -> list[str]:
    """Options as words of a command line; one that is ``None`` is left out, a list is the option several times."""
    words: list[str] = []
    for name, value in options_.items():
        values = [str(value)] if isinstance(value, str | int) else value or ()
        words += [word for text in values for word in (f"--{name}", text)]
    return words


def _data(sources: Sequence[str]) -> tuple[tuple[str, ...], BundleStudy]:
    from earwitness.data import bundle
    from earwitness.data.corpora import CORPORA
    from earwitness.data.dataset import SAMPLE
    from earwitness.runs.bundle_study import BundleStudy, read_study

    places: list[str] = []
    studies: list[BundleStudy] = []
    for source in sources:
        found = bundle.split(source)
        if found is not None and not found[1]:
            studies.append(read_study(bundle.read(found[0])))
            places.append(found[0].name)
        elif source == SAMPLE or source in CORPORA:
            places.append(source)
        else:
            raise UsageError(
                f"Data {source!r} exists only on this machine. "
                f"Pack it first: earwitness bundle {source} --out study.zip"
            )
    if any(study != studies[0] for study in studies):
        raise UsageError("The bundles have different studies. Write a notebook for each.")
    return tuple(places), studies[0] if studies else BundleStudy()


def _engines(models: Sequence[str], device: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from importlib.metadata import metadata

    from earwitness.engines.catalog import find
    from earwitness.engines.devices import ANYWHERE, require_device
    from earwitness.engines.registry import get_engine

    if not models:
        raise UsageError("Name a model with --model, such as faster-whisper:tiny.en. See: earwitness models list")
    offered = set(metadata("earwitness").get_all("Provides-Extra") or ())
    found = [find(name) for name in models]
    for row in found:
        if any(place.startswith("path:") for place in row.sources):
            raise UsageError(
                f"The weights of {row.id!r} are a folder on this machine. Name a model that can be downloaded."
            )
    specs = {row.engine: get_engine(row.engine).spec for row in found}
    for spec in specs.values():
        require_device(spec, device, ANYWHERE)
    needed = [name for name, spec in specs.items() if spec.imports]
    return tuple(n for n in needed if n in offered), tuple(n for n in needed if n not in offered)


def _source(name: str | None) -> tuple[str, str | None]:
    """Return what the notebook installs, and what it lacks of this checkout."""
    from earwitness import __version__
    from earwitness.records.environment import environment, published_at

    here = environment()
    address = published_at() if name is None else None
    if address is None:
        return name if name not in (None, INDEX) else f"earwitness=={__version__}", None
    note = f"This checkout has changes; the notebook installs its commit, {here.revision}, without them."
    return f"git+{address}@{here.revision}", note if here.dirty else None
