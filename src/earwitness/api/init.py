"""``earwitness init`` as a function: a study file to start from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from earwitness.api.records import RecordSource
from earwitness.errors import UsageError

_FEW = 3
# Without weights, and plainly no models: they show the way.
_SCRIPTED = ("fake:echo", "fake:chat")


@dataclass(frozen=True, slots=True)
class InitResult:
    """A study file that was written."""

    study: Path
    """The file."""
    models: tuple[str, ...]
    """Those that it names, which can be run here."""


def init(folder: RecordSource = ".", *, force: bool = False) -> InitResult:
    """Write ``earwitness.toml``, with every key explained, for the built-in sample and models that can run here.

    Args:
        folder: Where to; it has to be there.
        force: Whether to write over a file that is there.

    Raises:
        UsageError: When there is one, and it is not to be lost.
        FileError: When it cannot be written.
    """
    from importlib.resources import files

    from earwitness.engines.catalog import USER_FILE
    from earwitness.files.atomic import write_text

    path = Path(folder) / USER_FILE
    if path.exists() and not force:
        raise UsageError(f"{str(path)!r} already exists. To overwrite it, run: earwitness init --force")
    models = present() or _SCRIPTED
    text = files("earwitness.api").joinpath("study.toml").read_text(encoding="utf-8")
    write_text(path, text.replace("@MODELS@", json.dumps(list(models))))
    return InitResult(path, models)


def present() -> tuple[str, ...]:
    """Return a few English models whose engine and weights are on this machine, the smallest first."""
    from earwitness import weights
    from earwitness.engines.catalog import models
    from earwitness.engines.registry import get_engine
    from earwitness.errors import EarwitnessError
    from earwitness.workers.environments import python_of

    found = []
    for model in models():
        try:
            # A row without sources is a server or a program: it may cost something, or not be there.
            if model.sources and {"*", "en"} & set(model.languages) and weights.locate(model):
                python_of(get_engine(model.engine).spec)
                found.append(model)
        except EarwitnessError:
            continue
    found.sort(key=lambda model: (model.parameters or 0, model.id))
    return tuple(model.id for model in found[:_FEW])
