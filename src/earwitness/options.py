"""Options defined once: a frozen dataclass whose fields give flag, type, default and help of each option.

``runs/spec.py``, ``server/spec.py`` and ``archive/spec.py`` have such classes. The command line, the keywords of
Python, the study file and the bundle read their options from there, under one name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from earwitness.errors import UsageError
from earwitness.files.nearest import nearest


@dataclass(frozen=True, slots=True)
class Flag:
    """The flag and help of an option on the command line, and the limits of its value."""

    help: str
    """One sentence, for ``--help``."""
    flags: tuple[str, ...] = ()
    """As typed; empty for the field's name with dashes."""
    metavar: str | None = None
    """What stands for the value in ``--help``; ``None`` leaves it to the type."""
    least: float | None = None
    """The smallest number that makes sense."""
    pair: str = ""
    """For a mapping: an example of one entry, such as ``kind=speech``."""


# Options that more than one of these classes have.
DECISION = Flag("Decision file from earwitness decide.", metavar="FILE")
DEVICE = Flag("auto, cpu, cuda, cuda:1, mps or tpu; a decision states its own.", metavar="DEVICE")
PRESET = Flag(
    "matched: same settings for all, greedy, no fall-back; native: defaults of each engine.", metavar="PRESET"
)
SETTING = Flag("Change a setting of the preset, such as beam_size=5.", ("--set",), "NAME=VALUE", pair="beam_size=5")


def options_of(spec: type[Any]) -> Mapping[str, Flag]:
    """Return the options of a class by name, in the order of its fields."""
    hints = get_type_hints(spec, include_extras=True)
    return {
        each.name: extra
        for each in fields(spec)
        if get_origin(hints[each.name]) is Annotated
        for extra in get_args(hints[each.name])[1:]
        if isinstance(extra, Flag)
    }


def kind_of(spec: type[Any], name: str) -> Any:
    """Return the type of an option's value: ``int``, ``tuple[str, ...]``, ``str | None``."""
    return get_type_hints(spec)[name]


def default_of(spec: type[Any], name: str) -> Any:
    """Return an option's default."""
    each: Field[Any] = spec.__dataclass_fields__[name]
    return each.default_factory() if callable(each.default_factory) else each.default


def require_least(spec: Any) -> None:
    """Refuse numbers that are too small.

    Raises:
        UsageError: For the first.
    """
    for name, option in options_of(type(spec)).items():
        value = getattr(spec, name)
        if option.least is not None and value is not None and not value >= option.least:
            raise UsageError(f"{name} must be at least {option.least:g}, not {value!r}.")


def from_keywords(spec: type[Any], values: Mapping[str, Any], caller: str, **fixed: Any) -> Any:
    """Return a spec from keywords; one text counts as a list with one entry.

    Args:
        spec: The class.
        values: Options by name.
        caller: The function that they were given to, for messages.
        fixed: Fields that are no options.

    Raises:
        UsageError: For an unknown option, or a number that is too small.
    """
    options = options_of(spec)
    for name in values:
        if name not in options:
            raise UsageError(f"{caller} has no option {name!r}.{nearest(name, options)}")
    return spec(**{name: _convert(kind_of(spec, name), value) for name, value in values.items()}, **fixed)


def from_texts(spec: type[Any], values: Mapping[str, Any], **fixed: Any) -> Any:
    """Return a spec from the values of a command line, where a mapping is a list of ``KEY=VALUE`` texts.

    Args:
        spec: The class.
        values: Options by name; ``None`` leaves the default.
        fixed: Fields that are no options.

    Raises:
        UsageError: For a text that is not ``KEY=VALUE``, or a number that is too small.
    """
    options = options_of(spec)
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            continue
        if get_origin(kind_of(spec, name)) is Mapping:
            what, example = options[name].metavar or name.upper(), options[name].pair
            converted[name] = dict(pair(text, what, example) for text in value)
        else:
            converted[name] = tuple(value) if isinstance(value, list) else value
    return spec(**converted, **fixed)


def pair(text: str, what: str = "KEY=VALUE", example: str = "kind=speech") -> tuple[str, str]:
    """Return the two halves of a text such as ``kind=speech``.

    Args:
        text: As typed.
        what: The form that it should have.
        example: Of that form.

    >>> pair("kind=speech")
    ('kind', 'speech')

    Raises:
        UsageError: If it does not have that form.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"{text!r} is not {what}, such as {example}.")
    return key, value


def several(value: str | Iterable[str]) -> tuple[str, ...]:
    """Return one text, or several, as a tuple.

    >>> several("a"), several(["a", "b"])
    (('a',), ('a', 'b'))
    """
    return (value,) if isinstance(value, str) else tuple(value)


def _convert(kind: Any, value: Any) -> Any:
    convert: Mapping[Any, Callable[[Any], Any]] = {tuple: several, Mapping: dict}
    return convert[get_origin(kind)](value) if get_origin(kind) in convert else value
