"""Conditions, such as noise or a codec, as text, as values, and as functions of samples.

    noise:10dB     babble:0dB     mulaw     opus:12k     reverb:0.5s     noise:10dB+mulaw

A condition is one step or several, joined by ``+`` and done from left to right. Its name is canonical: what is the same
has the same name. What is random in it follows from the clip's id and not from the severity, so noise at 5 dB is the
noise at 10 dB, louder, and the packets lost at 5 % are lost at 10 % too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from earwitness.audio import codec, damage, noise
from earwitness.audio.track import Scene, Track, Wide
from earwitness.errors import UsageError
from earwitness.files.nearest import nearest
from earwitness.types import Clip, DatasetCondition

CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Step:
    """One alteration of a recording."""

    kind: str
    """Name of an effect, such as ``noise``."""
    variant: str = ""
    """Which sort of it, such as ``pink``; empty for the first sort, or where there is one only."""
    value: float | None = None
    """How much of it, in the effect's unit; ``None`` where there is no more or less."""

    @property
    def name(self) -> str:
        """Canonical text, such as ``noise:pink:5dB``."""
        return self.with_value("" if self.value is None else f"{self.value:g}")

    def with_value(self, text: str) -> str:
        """Return the name with another value, or none at all."""
        middle = f":{self.variant}" if self.variant else ""
        return f"{self.kind}{middle}" + (f":{text}{EFFECTS[self.kind].unit}" if text else "")


@dataclass(frozen=True, slots=True)
class Condition:
    """A sequence of steps; empty for ``clean``."""

    steps: tuple[Step, ...] = ()
    """From the speaker's mouth to the recogniser's ear."""

    @property
    def name(self) -> str:
        """Canonical text: ``parse(condition.name) == condition``."""
        return "+".join(step.name for step in self.steps) or CLEAN


@dataclass(frozen=True, slots=True)
class EffectInput:
    """What an effect gets besides the sound."""

    value: float
    """In the effect's unit; 0 for effects that have none."""
    variant: str
    """Empty for the first."""
    seed: str
    """Of clip, place in the chain, effect and variant."""
    scene: Scene
    """What is known of the clip."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A kind of step."""

    kind: str
    """Its name."""
    summary: str
    """What it does, in a line."""
    make: Callable[[Track, EffectInput], Iterator[Wide]]
    """Does it, in blocks."""
    example: str
    """A step as it is typed."""
    unit: str = ""
    """Follows the value: ``dB``, ``s``, ``%``, ``k`` (kbit/s), or nothing."""
    low: float | None = None
    """The least value that makes sense; ``None`` for an effect without a value."""
    high: float | None = None
    """The greatest."""
    among: tuple[float, ...] = ()
    """The only values that there are; empty for any from ``low`` to ``high``."""
    variants: tuple[str, ...] = ()
    """Sorts, the first of which need not be named."""
    worse: Literal["less", "more"] | None = None
    """Which way the value hurts; ``None`` without a value, or when both ways do."""
    clean: float | None = None
    """The value at which nothing is changed, where there is one."""
    version: int = 1
    """Raised whenever the same name gives other samples."""


def _noise(track: Track, inputs: EffectInput) -> Iterator[Wide]:
    made = noise.pink if inputs.variant == "pink" else noise.white
    unwanted = made(inputs.seed, track.n_samples)
    return noise.add(track, unwanted, inputs.value, speech=inputs.scene.speech)


def _babble(track: Track, inputs: EffectInput) -> Iterator[Wide]:
    unwanted = noise.babble(inputs.seed, track.n_samples, inputs.scene)
    return noise.add(track, unwanted, inputs.value, speech=inputs.scene.speech)


def _lose(track: Track, inputs: EffectInput) -> Iterator[Wide]:
    return damage.lose(track, inputs.value, inputs.seed, bursts=inputs.variant == "bursts")


def _through(name: str) -> Callable[[Track, EffectInput], Iterator[Wide]]:
    return lambda track, given: codec.through_av(track, name, 1000 * given.value if given.value else None)


_AMR_K = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)
EFFECTS = {
    effect.kind: effect
    for effect in (
        Effect("noise", "noise at a ratio of speech to noise; white, or pink like that of rooms and streets", _noise,
               "noise:pink:10dB", "dB", -20, 60, variants=("white", "pink"), worse="less"),
        Effect("babble", "six voices, made of other clips of the dataset, at a ratio of speech to babble", _babble,
               "babble:10dB", "dB", -20, 60, worse="less"),
        Effect("mulaw", "telephone line: 8 kHz, G.711 mu-law", lambda track, _: codec.through_mulaw(track), "mulaw"),
        Effect("alaw", "telephone line: 8 kHz, G.711 A-law", lambda track, _: codec.through_alaw(track), "alaw"),
        Effect("gsm", "mobile phone of the 1990s: 8 kHz, GSM full rate", lambda track, _: codec.through_gsm(track),
               "gsm"),
        Effect("amr", "mobile phone: 8 kHz, AMR narrow band at so many kbit/s", _through("amr"),
               "amr:12.2k", "k", 4.75, 12.2, among=_AMR_K, worse="less"),
        Effect("opus", "call over the internet: Opus at so many kbit/s", _through("opus"),
               "opus:12k", "k", 6, 64, worse="less"),
        Effect("reverb", "room in which sound takes so long to fall by 60 dB",
               lambda track, given: damage.reverberate(track, given.value, given.seed),
               "reverb:0.5s", "s", 0.05, 5, worse="more", clean=0),
        Effect("clip", "overdriven: cut off so many dB under the peak",
               lambda track, given: damage.clip(track, given.value), "clip:6dB", "dB", 0.1, 60, worse="more", clean=0),
        Effect("loss", "packets of 20 ms that never arrive, at random or in bursts of three", _lose,
               "loss:bursts:5%", "%", 0.1, 90, variants=("random", "bursts"), worse="more", clean=0),
        Effect("speed", "played so many times as fast, pitch and all",
               lambda track, given: damage.change_speed(track, given.value), "speed:1.25", "", 0.5, 2, clean=1),
        Effect("level", "turned down, then rounded to 16 bits",
               lambda track, given: damage.turn_down(track, given.value),
               "level:-20dB", "dB", -80, 0, worse="less", clean=0),
        Effect("pad", "so much silence before and after", lambda track, given: damage.pad(track, given.value),
               "pad:1s", "s", 0.1, 60, worse="more", clean=0),
    )
}  # fmt: skip


def parse(text: str) -> Condition:
    """Parse the text of a condition.

    Raises:
        UsageError: In one sentence, for a name that there is not (with the nearest one) or a value that makes no sense.

    >>> parse("noise:white:10 dB+MULAW").name
    'noise:10dB+mulaw'
    >>> parse("clean").steps
    ()
    """
    parts = text.split("+")
    if parts == [CLEAN]:
        return Condition()
    return Condition(tuple(_step(part.strip(), text) for part in parts))


def _step(part: str, whole: str) -> Step:
    kind, *rest = (word.strip() for word in part.lower().split(":"))
    if kind == CLEAN:
        raise UsageError(f"Condition {whole!r} combines 'clean' with other steps. Leave out 'clean'.")
    if kind not in EFFECTS:
        raise UsageError(f"There is no condition {kind!r}.{nearest(kind, EFFECTS)}")
    effect = EFFECTS[kind]
    variant = ""
    if rest and not re.match(r"[-+.\d]", rest[0]) and effect.variants:
        variant = rest.pop(0)
        if variant not in effect.variants:
            raise UsageError(
                f"Condition {part!r} has no variant {variant!r}. Choose one of: {', '.join(effect.variants)}."
            )
    value = _value(effect, part, rest)
    return Step(kind, "" if variant == (effect.variants or ("",))[0] else variant, value)


def _value(effect: Effect, part: str, rest: Sequence[str]) -> float | None:
    if effect.low is None or effect.high is None:
        if rest:
            raise UsageError(f"Condition {part!r} takes no value. Write {effect.example!r}.")
        return None
    unit = re.escape(effect.unit.lower())
    found = re.fullmatch(rf"([-+]?\d+(?:\.\d+)?)\s*(?:{unit})?", ":".join(rest))
    value = float(found[1]) if found else None
    if effect.among and value not in effect.among:
        wanted = f"one of {', '.join(f'{known:g}' for known in effect.among)}"
    elif value is None or not effect.low <= value <= effect.high or value == effect.clean:
        wanted = f"a number from {effect.low:g} to {effect.high:g}"
        wanted += f", other than {effect.clean:g}" if effect.clean is not None and value == effect.clean else ""
    else:
        return value + 0.0
    unit = f" {effect.unit}" if effect.unit else ""
    raise UsageError(f"Condition {part!r} needs {wanted}{unit}, as in {effect.example!r}.")


def require(condition: Condition, clips: Sequence[Clip]) -> None:
    """Raise an error if a condition is not available here, or not with these clips.

    Raises:
        UsageError: In one sentence.
    """
    for step in condition.steps:
        if step.kind in codec.CODECS:
            codec.require_codec(step.kind)
        if step.kind == "babble" and not noise.can_babble(clips):
            raise UsageError(
                f"Condition {step.name!r} needs more than {noise.FEWEST_OTHERS} clips with speech in the data, to make "
                "babble from the others. Use noise:pink, or more data."
            )


def describe(condition: Condition, clean_sha256: str) -> DatasetCondition:
    """Return the description of a condition for a record, for data with this clean hash.

    The severity is the value of the first step that has one; the family is the name with a star in its place.

    >>> found = describe(parse("noise:pink:5dB+mulaw"), "")
    >>> found.family, found.severity, found.worse, found.clean_severity
    ('noise:pink:*dB+mulaw', 5.0, 'less', None)
    """
    names = [step.name for step in condition.steps]
    flat = DatasetCondition(
        condition.name, clean_sha256, _version(condition), "+".join(names), severity=None, unit="", worse=None
    )
    axis = next(((place, step.value) for place, step in enumerate(condition.steps) if step.value is not None), None)
    if axis is None:
        return flat
    place, severity = axis
    step = condition.steps[place]
    effect = EFFECTS[step.kind]
    names[place] = step.with_value("*")
    return replace(
        flat,
        family="+".join(names) + _side_of_clean(effect, severity),
        severity=severity,
        unit=effect.unit,
        worse=_harm(effect, severity),
        clean_severity=effect.clean,
    )


def _harm(effect: Effect, severity: float) -> Literal["less", "more"] | None:
    """Return which way a severity hurts; that of an effect with two ways, such as ``speed``, hurts away from clean."""
    if effect.worse is not None or effect.clean is None:
        return effect.worse
    return "more" if severity > effect.clean else "less"


def _side_of_clean(effect: Effect, severity: float) -> str:
    """Return what a family's name ends with, so that severities which hurt in opposite ways are in two families."""
    if effect.worse is not None or effect.clean is None:
        return ""
    return f" ({'over' if severity > effect.clean else 'under'} {effect.clean:g})"


def _version(condition: Condition) -> str:
    parts = [f"{step.kind} {EFFECTS[step.kind].version}" for step in condition.steps]
    parts += filter(None, (codec.version(step.kind) for step in condition.steps))
    return ", ".join(dict.fromkeys(parts))
