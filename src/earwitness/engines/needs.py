"""What a model of the catalog asks of a machine and of its user: language, device, memory, licence."""

from __future__ import annotations

import re

from earwitness.engines.catalog import Model
from earwitness.engines.registry import get_engine
from earwitness.errors import UsageError

COMMERCIAL_LICENSES = frozenset({"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0"})
"""Licences that let anyone use the weights commercially; of what they ask (naming the authors, say) nothing is said."""
BESIDE_WEIGHTS_BYTES = 500_000_000
"""What a worker holds beside its weights: between 0.15 and 0.6 GB for Whisper tiny.en and base in six engines, with
163 s of audio."""
_PRECISIONS = {"4bit": 0.5, "int4": 0.5, "8bit": 1.0, "int8": 1.0}
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def suits(model: Model, language: str | None, kind: str | None, license_: str | None) -> bool:
    """Return whether a model is for a language, a kind of device and a use; ``None`` for any."""
    return (
        (language is None or knows_language(model, language))
        and (kind is None or runs_on(model, kind))
        and (license_ is None or fits_license(model, license_))
    )


def knows_language(model: Model, language: str) -> bool:
    """Return whether a model's row has a language, or says that it knows many.

    >>> from earwitness.engines.catalog import find
    >>> knows_language(find("faster-whisper:base"), "de-AT"), knows_language(find("faster-whisper:tiny.en"), "de")
    (True, False)
    """
    return "*" in model.languages or language.lower().partition("-")[0] in model.languages


def runs_on(model: Model, kind: str) -> bool:
    """Return whether a model's engine runs on a kind of device, supported or experimental."""
    support = get_engine(model.engine).spec.devices.get(kind)
    return support is not None and support.level != "unsupported"


def fits_license(model: Model, license_: str) -> bool:
    """Return whether a model has a licence: ``commercial`` for any that allows commercial use, or its name."""
    if license_ == "commercial":
        return model.license in COMMERCIAL_LICENSES
    return model.license.lower() == license_.lower()


def memory_bytes(model: Model, kind: str) -> int | None:
    """Return about how much memory a worker takes: the weights at the engine's own precision, and 0.5 GB.

    Args:
        model: A row of the catalog; an id that ends in a precision, such as ``-int8`` or ``-4bit``, has that.
        kind: Of device, such as ``cpu``.

    Returns:
        ``None`` where the row says no number of parameters, or the engine no precision.

    >>> from earwitness.engines.catalog import find
    >>> memory_bytes(find("faster-whisper:base"), "cpu"), memory_bytes(find("whisper:base"), "cpu")
    (574000000, 796000000)
    """
    of_each = get_engine(model.engine).spec.parameter_bytes.get(kind)
    stated = re.search(r"-(int4|int8|4bit|8bit)$", model.id)
    each = _PRECISIONS[stated[1]] if stated else of_each
    if model.parameters is None or each is None:
        return None
    return round(model.parameters * each) + BESIDE_WEIGHTS_BYTES


def parse_bytes(text: str) -> int:
    """Return a size written as people do.

    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes("800mb")
    (2000000000, 1610612736, 800000000)

    Raises:
        UsageError: For what is no size.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?b)?\s*", text.lower())
    if found is None:
        raise UsageError(f"{text!r} is not a size. Write one such as 2GB or 800MB.")
    return round(float(found[1]) * _UNITS[found[2] or ""])
