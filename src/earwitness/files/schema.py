"""Values that are checked against their types when they are read from JSON, and the schemas that say so to others.

pydantic is imported once something is read or written: engine environments have the classes and not the package.
"""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from earwitness.errors import EarwitnessError, RecordError
from earwitness.files.atomic import is_pipe_or_device

_T = TypeVar("_T")
_ADAPTERS: dict[Any, Any] = {}


class Strict:
    """A dataclass that is read without unknown keys, and whose fields are described by the strings under them."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "use_attribute_docstrings": True}


def adapter(kind: Any) -> Any:
    """Return what checks a value against its type, reads it and writes it."""
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def schema_of(kind: Any, title: str) -> dict[str, Any]:
    """Return the JSON Schema of a value, as it is published."""
    schema = adapter(kind).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def plain(value: Any) -> Any:
    """Return a value as what JSON knows: objects, lists, texts and numbers."""
    return adapter(type(value)).dump_python(value, mode="json")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that ends with a new line; NaN is a ValueError."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent, allow_nan=False) + "\n"


def validate(
    kind: type[_T], data: Any, misfit: str, *, remedy: str = "", error: type[EarwitnessError] = RecordError
) -> _T:
    """Return plain data as a value.

    Args:
        kind: What it becomes.
        data: As ``json.loads`` returns it.
        misfit: How the sentence of the error begins, as in "x.json does not fit".
        remedy: A sentence for behind it.
        error: What is raised when it does not fit; the first field that does not is named.
    """
    from pydantic import ValidationError

    try:
        value: _T = adapter(kind).validate_python(data)
    except ValidationError as failure:
        first = failure.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise error(f"{misfit}: {field}: {first['msg']}.{remedy and ' '}{remedy}") from None
    return value


def parse(kind: type[_T], text: bytes) -> _T | None:
    """Return JSON as a value, read and checked in one step; ``None`` where ``validate`` has to say what is wrong.

    Args:
        kind: What it becomes.
        text: One document.
    """
    from pydantic import ValidationError

    try:
        value: _T = adapter(kind).validate_json(text)
    except ValidationError:
        return None
    return value


def read_document(kind: type[_T], path: Path, version: int, *, what: str, missing: str, remedy: str) -> _T:
    """Read a JSON file of a published schema.

    Args:
        kind: What it becomes; it has a ``schema_version``.
        path: Where it is.
        version: The newest that can be read.
        what: What it should be, as in "is not ...".
        missing: What is not there, as in "There is no ...".
        remedy: A sentence for when it is not there.

    Raises:
        RecordError: When it is not there, not JSON, from a newer schema, or does not fit; the first field is named.
    """
    where = repr(str(path))
    try:
        data = json.loads(read_bytes(path).decode())
    except FileNotFoundError:
        raise RecordError(f"There is no {missing} {where}. {remedy}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{where} is not {what}: {error}.") from None
    require_version(data, "schema_version", version, f"{where} has schema version")
    return validate(kind, data, f"{path} does not fit the record's schema")


def require_version(data: Any, key: str, version: int, start: str, error: type[EarwitnessError] = RecordError) -> None:
    """Refuse what a newer Earwitness wrote.

    >>> require_version({"version": 3}, "version", 2, "'x' has version")
    Traceback (most recent call last):
    earwitness.errors.RecordError: 'x' has version 3; this Earwitness reads up to 2. Upgrade it.
    """
    found = data.get(key) if isinstance(data, dict) else None
    if isinstance(found, int) and found > version:
        raise error(f"{start} {found}; this Earwitness reads up to {version}. Upgrade it.")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; a pipe or a device, which may never end, is an OSError."""
    require_file(path)
    return path.read_bytes()


def require_file(path: Path) -> None:
    """Refuse a pipe or a device, from which reading may never end, with an OSError."""
    if is_pipe_or_device(path):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
