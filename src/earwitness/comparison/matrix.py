"""Models by devices: measured, not run, or not supported by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import Any, Literal

from earwitness.comparison.table import ModelRow, Table
from earwitness.engines.base import DeviceSupport
from earwitness.engines.registry import get_engine
from earwitness.errors import EngineError
from earwitness.types import Settings

KINDS = ("cpu", "cuda", "mps", "tpu")
_NOT_INSTALLED = DeviceSupport("experimental", "this Earwitness does not know the engine, nor what it runs on")


@dataclass(frozen=True, slots=True)
class Cell:
    """One model in one place."""

    state: Literal["measured", "not run", "unsupported"]
    """What is known; a measurement is taken over what the engine says of itself."""
    rows: tuple[ModelRow, ...] = ()
    """The runs that measured it; several when they differ in something else than model and place."""
    reason: str = ""
    """Why it is unsupported, or what to know before it is run."""


@dataclass(frozen=True, slots=True)
class Line:
    """One model with its settings, in every place."""

    label: str
    """The model, with the settings that were asked for where the table has several of them."""
    engine: str
    """Whose limits the cells show."""
    cells: tuple[Cell, ...]
    """One for each place of the matrix."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Models by places."""

    places: tuple[str, ...]
    """Where a row of the table ran, and every kind of device on which none did."""
    lines: tuple[Line, ...]
    """One a model, in the order of the table."""


def matrix(table: Table) -> Matrix:
    """Return the matrix of a table; its numbers are those of the table's rows.

    An engine's limits are those of the engine as it is installed here.
    """
    measured = sorted(table.places, key=_order)
    ran = {_kind(place) for place in measured}
    places = (*measured, *(kind for kind in KINDS if kind not in ran))
    groups: dict[tuple[Any, ...], list[ModelRow]] = {}
    for row in table.rows:
        groups.setdefault((row.run.model.id, _asked(row)), []).append(row)
    lines = []
    for (model_id, asked), rows in groups.items():
        engine = rows[0].run.engine.name
        support = _support(engine)
        others = [settings for id_, settings in groups if id_ == model_id]
        label = model_id + _settings(asked, others)
        lines.append(Line(label, engine, tuple(_cell(place, rows, support) for place in places)))
    return Matrix(places, tuple(lines))


def _cell(place: str, rows: list[ModelRow], support: Mapping[str, DeviceSupport] | None) -> Cell:
    here = tuple(row for row in rows if row.place == place)
    if here:
        return Cell("measured", here)
    kind = _kind(place)
    found = _NOT_INSTALLED if support is None else support.get(kind)
    if found is None:
        return Cell("unsupported", reason="the engine has no such device")
    if found.level == "unsupported":
        return Cell("unsupported", reason=found.reason)
    return Cell("not run", reason=found.reason)


def _support(engine: str) -> Mapping[str, DeviceSupport] | None:
    try:
        return get_engine(engine).spec.devices
    except EngineError:
        return None


def _kind(place: str) -> str:
    return place.partition(" ")[0].partition(":")[0]


def _order(place: str) -> tuple[int, str]:
    kind = _kind(place)
    return KINDS.index(kind) if kind in KINDS else len(KINDS), place


def _asked(row: ModelRow) -> tuple[Any, ...]:
    # Threads follow the machine, not the question.
    return astuple(replace(row.run.settings_asked, threads=None))


def _settings(options: tuple[Any, ...], others: list[tuple[Any, ...]]) -> str:
    varying = [
        f"{field.name}={value}"
        for field, value, *values in zip(fields(Settings), options, *others, strict=True)
        if len(set(values)) > 1
    ]
    return f" ({', '.join(varying)})" if varying else ""
