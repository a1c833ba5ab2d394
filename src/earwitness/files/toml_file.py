"""TOML that people write, as checked values, or as one sentence that names the file, the key and what to write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from earwitness.errors import EarwitnessError
from earwitness.files.nearest import nearest
from earwitness.files.schema import adapter

_MUST_BE = {
    "bool_type": "true or false",
    "dataclass_type": "a table",
    "dict_type": "a table",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "string_type": "text",
    "tuple_type": "a list",
}
"""By the types of pydantic's errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Must:
    """Stands in ``Annotated``: what a value must be, in words and for pydantic's core."""

    be: str
    """In words, for the error."""
    checks: dict[str, Any]
    """What is added to the core's schema, such as ``{"ge": 0}``."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: Any) -> Any:
        """Return the schema of the type with the checks and the words."""
        inner = {**handler(kind), **self.checks}
        words = {"custom_error_type": "must_be", "custom_error_message": self.be}
        return {"type": "custom-error", "schema": inner, **words}


@dataclass(frozen=True, slots=True)
class TomlFile:
    """The tables of a file."""

    where: str
    """What errors begin with, such as ``Policy 'ours.toml'``."""
    tables: Any
    """As they were written."""
    error: type[EarwitnessError]
    """What is raised."""

    def read(self, kind: Any, values: Any, at: Sequence[str | int] = ()) -> Any:
        """Return values as what they must be: plain values of the place ``at``, with all short forms written out."""
        from pydantic import ValidationError

        try:
            # By way of JSON, where a list may become a tuple and nothing else becomes anything.
            return adapter(kind).validate_json(json.dumps(values, default=str), strict=True)
        except ValidationError as error:
            first = error.errors()[0]
        place = (*at, *first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            raise self.unknown(place, (each.name for each in fields(_class_at(kind, first["loc"][:-1]))))
        if first["type"].startswith("missing"):
            raise self.error(f"{self.where} needs {self.find(place)[0]!r}.")
        expected = first.get("ctx", {}).get("expected", first["msg"])
        raise self.wrong(place, _MUST_BE.get(first["type"], expected))

    def wrong(self, at: Sequence[str | int], must_be: str, default: Any = None) -> EarwitnessError:
        """Return the error for a value that is not what it must be; ``default`` is for one that was not written."""
        key, value = self.find(at)
        value = default if value is None else value
        if must_be == "a list" and isinstance(value, dict):
            must_be = f"tables, each headed [[{key}]]"
        return self.error(f"{self.where}: {key!r} must be {must_be}, and it is {value!r}.")

    def unknown(self, at: Sequence[str | int], choices: Iterable[str]) -> EarwitnessError:
        """Return the error for a key that there is not, with the nearest that there is."""
        return self.error(f"{self.where} has an unknown key {self.find(at)[0]!r}.{nearest(str(at[-1]), choices)}")

    def table(self, at: Sequence[str | int], choices: Iterable[str], short: str | None = None) -> dict[str, Any]:
        """Return a table with no keys but these; one that is not there is empty.

        A value that is no table stands for one with the key ``short``.
        """
        _, value = self.find(at)
        if not isinstance(value, dict | None):
            if short is None:
                raise self.wrong(at, "a table")
            return {short: value}
        for key in value or {}:
            if key not in choices:
                raise self.unknown((*at, key), choices)
        return value or {}

    def find(self, at: Sequence[str | int]) -> tuple[str, Any]:
        """Return a key with those of its tables, counted from 1, and its value; what was not written is passed over."""
        names, here = [], self.tables
        for part in at:
            if isinstance(part, int) and isinstance(here, list):
                names.append(str(part + 1))
                here = here[part]
            elif isinstance(part, str) and isinstance(here, dict):
                names.append(part)
                here = here.get(part)
        return ".".join(names), here


def _class_at(kind: Any, loc: Sequence[str | int]) -> Any:
    for part in loc:
        kind = get_type_hints(kind)[str(part)] if is_dataclass(kind) else get_args(kind)[isinstance(part, str)]
    return kind
