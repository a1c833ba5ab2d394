"""A study: what is to be made of data, as the arguments of ``earwitness run`` that travel in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_STRICT: dict[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True)
class BundleStudy:
    """Models, how they decode, what is done to the audio, how it is scored, and what is measured beside."""

    __pydantic_config__ = _STRICT

    models: tuple[str, ...] = ()
    """Model ids."""
    device: str = "auto"
    """As asked for, for all of them."""
    assignments: tuple[str, ...] = ()
    """Decoding settings, as ``name=value``, on top of the preset."""
    preset: str = "matched"
    """What the settings begin from: ``matched`` or ``native``."""
    conditions: tuple[str, ...] = ()
    """What is done to the audio where it is heard; each makes a dataset of its own. A bundle holds it as it is."""
    clean: bool = True
    """Whether the audio as it is comes first where conditions are given."""
    normalizer: str = "auto"
    """For scoring."""
    compounds: bool = False
    """For scoring."""
    method: str = "levenshtein"
    """Of the alignment, for scoring."""
    alternatives: bool = False
    """Whether references may hold alternatives, for scoring."""
    warmup: int = 1
    """Unmeasured transcriptions by every new worker."""
    timeout_s: float = 120.0
    """The least time a clip gets."""
    speech: bool | None = None
    """Whether to look for speech in the audio; ``None`` where it can be done."""
    measure: tuple[str, ...] = ()
    """Protocols of speed, each alone or several with commas."""
    budget_s: float = 300.0
    """Seconds for each of them."""
