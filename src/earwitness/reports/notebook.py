"""The notebook for a borrowed machine: ``notebook.md`` beside this file, its code blocks turned into cells.

The template is Markdown that can be read as it is; a block that is fenced as ``python NAME`` is a code cell, what
stands between is text, and ``@NAMES@`` in capitals are filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_BLOCK = re.compile(r"^```python ([a-z]+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
_ACCELERATORS = {"cuda": ("GPU", "T4"), "auto": ("GPU", "T4"), "tpu": ("TPU", "V5E1")}


@dataclass(frozen=True, slots=True)
class NotebookPlan:
    """The plan of a notebook."""

    models: tuple[str, ...]
    """Model ids."""
    data: tuple[str, ...]
    """``sample``, corpora that can be pulled, and file names of bundles."""
    source: str
    """What pip installs: a requirement, a ``git+https`` address, or a wheel."""
    command: str
    """The command that makes the notebook, shown in it."""
    device: str = "auto"
    """As for ``earwitness run``."""
    options: tuple[str, ...] = ()
    """Further options of ``earwitness run``."""
    extras: tuple[str, ...] = ()
    """Extras of Earwitness that bring the engines."""
    engines: tuple[str, ...] = ()
    """Engines that are installed into environments of their own."""


def notebook(plan: NotebookPlan) -> str:
    """Return a notebook (nbformat 4.5) without outputs; the same plan gives the same text."""
    template = files("earwitness.reports").joinpath("notebook.md").read_text(encoding="utf-8")
    accelerator, kind = _ACCELERATORS.get(plan.device.partition(":")[0], (None, None))
    colab: dict[str, Any] = {"provenance": []}
    metadata: dict[str, Any] = {
        "colab": {**colab, "gpuType": kind} if kind else colab,
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if accelerator:
        metadata["accelerator"] = accelerator
    whole = {"cells": list(_cells(template, plan)), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cells(template: str, plan: NotebookPlan) -> Iterator[dict[str, Any]]:
    values = {
        "@MODEL_NAMES@": _named(plan.models),
        "@DATA_NAMES@": _named(plan.data),
        "@COMMAND@": plan.command,
        "@MODELS@": _literal(plan.models),
        "@DATA@": _literal(plan.data),
        "@DEVICE@": _literal(plan.device),
        "@OPTIONS@": _literal(plan.options),
        "@SOURCE@": _literal(plan.source),
        "@EXTRAS@": _literal(plan.extras),
        "@ENGINES@": _literal(plan.engines),
    }
    # The template's pieces are text, name, code, text, name, code, ..., text.
    pieces = _BLOCK.split(template)
    for number, text in enumerate(pieces[::3], start=1):
        yield {
            "cell_type": "markdown",
            "id": f"text-{number}",
            "metadata": {},
            "source": _lines(text, values),
        }
        if 3 * number < len(pieces) + 1:
            name, code = pieces[3 * number - 2], pieces[3 * number - 1]
            yield {
                "cell_type": "code",
                "execution_count": None,
                "id": name,
                # Papermill, and whoever else looks for it, finds the cell to set values after by its tag.
                "metadata": {"tags": ["parameters"]} if name == "parameters" else {},
                "outputs": [],
                "source": _lines(code, values),
            }


def _lines(text: str, values: dict[str, str]) -> list[str]:
    for name, value in values.items():
        text = text.replace(name, value)
    return text.strip("\n").splitlines(keepends=True)


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _literal(value: str | Sequence[str]) -> str:
    # JSON's texts and lists of texts are Python's.
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False)
