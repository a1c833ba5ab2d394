"""Which weights are one witness: models with the same weights agree because they are the same.

A *family* is one set of trained weights, whichever engine runs them, in whichever file format and precision. Whisper
base in four engines is one family and has one vote. tiny and base are two families, and so are base and base.en: each
was trained by itself. So is a fine-tuned or distilled model, since training changed its weights.

Families are not independent, however. A *lineage* is what shares training data or a teacher: all Whisper models, and
what was distilled or fine-tuned from them. They make some of the same errors, so what reports agreement also says which
families are of one lineage.

Names decide, and where a name leaves a doubt, two models are one family: that loses a vote, while two votes of the same
weights would invent a witness. A row of the catalog can state its ``family`` where the name says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from earwitness.engines.catalog import models

_SIZES = r"(tiny|base|small|medium)(\.en)?|large(-v[123])?(-turbo)?|turbo"
_BEFORE = r"^(faster-|ggml-|openai-|mlx-)+"
_AFTER = (
    r"([-_.](ct2|ctranslate2|ggml|gguf|mlx|onnx|hf|coreml|bin|pt|fp16|fp32|float16|float32|bf16|bfloat16|int8|int16"
    r"|int4|4bit|8bit|q\d(_\w+)?|asr))+$"
)
_SAME = {
    "large": "large-v3",  # In openai-whisper and faster-whisper.
    "whisper-large": "large-v1",  # On the Hugging Face hub.
    "turbo": "large-v3-turbo",
    "large-turbo": "large-v3-turbo",
    "whisper-1": "large-v2",  # What OpenAI's API serves by this name: its guide to speech to text.
}
_WHISPER = "Whisper"
_OF_WHISPER = ("whisper", "distil-large", "distil-medium", "distil-small", "kotoba-tech")
_MAKERS = {
    "nvidia": "NVIDIA's speech models",
    "usefulsensors": "Moonshine",
    "liquidai": "LFM Audio",
    "qwen": "Qwen",
    "mistralai": "Voxtral",
    "cmusphinx": "CMU Sphinx",
}


def family_of(weights_id: str) -> str:
    """Return the family of a weights id: the name under which its publisher trained these weights.

    Args:
        weights_id: As in the catalog and in records.

    >>> family_of("Systran/faster-whisper-base"), family_of("mlx-community/whisper-base-mlx-8bit")
    ('openai/whisper-base', 'openai/whisper-base')
    >>> family_of("openai/whisper-base.en"), family_of("someone/whisper-base-norwegian")
    ('openai/whisper-base.en', 'someone/whisper-base-norwegian')
    >>> family_of("cmusphinx/en-us")
    'cmusphinx/en-us'
    """
    for row in models():
        if row.weights_id == weights_id and row.family:
            return row.family
    name = weights_id.partition("@")[0]
    stem = re.sub(_BEFORE, "", name.rpartition("/")[2].lower())
    stem = re.sub(_AFTER, "", stem)
    known = _SAME.get(stem)
    size = known or stem.removeprefix("whisper-")
    size = size if known else _SAME.get(size, size)
    return f"openai/whisper-{size}" if re.fullmatch(_SIZES, size) else name


def lineage_of(weights_id: str) -> str:
    """Return what shares training data or a teacher with these weights: a series of models, or their maker.

    >>> lineage_of("openai/whisper-tiny.en"), lineage_of("distil-whisper/distil-large-v3")
    ('Whisper', 'Whisper')
    >>> lineage_of("nvidia/parakeet-ctc-1.1b"), lineage_of("local/mine")
    ("NVIDIA's speech models", 'local/mine')
    """
    family = family_of(weights_id)
    if any(part in family.lower() for part in _OF_WHISPER):
        return _WHISPER
    return _MAKERS.get(family.partition("/")[0].lower(), family)


def shared_lineages(weights_ids: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for each lineage with more than one family among these weights.

    >>> shared_lineages(["openai/whisper-tiny.en", "openai/whisper-base", "cmusphinx/en-us"])[0]
    'whisper-tiny.en and whisper-base are both of Whisper: they share training data, and make some of the same errors.'
    >>> shared_lineages(["openai/whisper-base", "Systran/faster-whisper-base"])
    ()
    """
    by_lineage: dict[str, list[str]] = {}
    for family in dict.fromkeys(map(family_of, weights_ids)):
        by_lineage.setdefault(lineage_of(family), []).append(family.rpartition("/")[2])
    return tuple(_sentence(lineage, names) for lineage, names in by_lineage.items() if len(names) > 1)


def _sentence(lineage: str, names: Sequence[str]) -> str:
    few = len(names) == 2
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{listed} are {'both' if few else 'all'} of {lineage}: they share training data, and make some of the same "
        "errors."
    )
