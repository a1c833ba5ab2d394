"""A policy: what must hold before a model is served, what is wished, and what counts how much. Read from TOML.

What every key means stands in ``docs/policy.md``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import CATEGORIES, COMMERCIAL, Policy, Rule, Use, Weight
from earwitness.errors import PolicyError
from earwitness.files.nearest import did_you_mean

SHIPPED = ("transcription-batch", "live-captions", "telephony", "edge")
DEFAULT = SHIPPED[0]


def load(name: str = DEFAULT) -> Policy:
    """Return a shipped policy by its name, or one from a file.

    Raises:
        PolicyError: When there is neither, or it cannot be read.

    >>> load("edge").name
    'edge'
    """
    if name in SHIPPED:
        text = files("earwitness.decision").joinpath("policies", f"{name}.toml").read_text(encoding="utf-8")
        return parse(text, name)
    try:
        return parse(Path(name).read_text(encoding="utf-8"), name)
    except FileNotFoundError:
        hint = did_you_mean(name, SHIPPED) or f" Name a file, or one of: {', '.join(SHIPPED)}."
        raise PolicyError(f"There is no policy {name!r}.{hint}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"Policy {name!r} is not UTF-8 (byte {error.start}). Convert it.") from None
    except OSError as error:
        raise PolicyError(f"Policy {name!r} cannot be read: {error.strerror}. Name a file.") from None


def parse(text: str, source: str) -> Policy:
    """Return a policy from its text.

    Args:
        text: TOML.
        source: Where it is from, for messages and for the record.

    Raises:
        PolicyError: For a key that does not exist (the nearest is named), a value of a wrong type, or a policy that
            has no gate; the key is named.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"Policy {source!r} is not TOML: {error}.") from None
    at = _At(source, "")
    at.only(data, ("name", "summary", "gates", "targets", "weights", "use"))
    gates = _rules(at.into("gates"), at.table(data, "gates"), "gate")
    if not gates:
        raise PolicyError(f"Policy {source!r} has no gate. Give it one: [gates] wer = 0.2")
    uses = data.get("use", [])
    if not isinstance(uses, list) or not all(isinstance(use, dict) for use in uses):
        raise at.wrong("use", "tables, each headed [[use]]", uses)
    return Policy(
        name=at.text(data, "name", Path(source).stem),
        summary=at.text(data, "summary", ""),
        rules=(*gates, *_rules(at.into("targets"), at.table(data, "targets"), "target")),
        weights=tuple(_weights(at.into("weights"), at.table(data, "weights"))),
        uses=tuple(_use(at.into(f"use.{number}"), use) for number, use in enumerate(uses, start=1)),
        source=source,
        text=text,
    )


@dataclass(frozen=True, slots=True)
class _At:
    """A place in a policy: it takes values out and says what is wrong with them."""

    source: str
    path: str

    def into(self, key: str) -> _At:
        return _At(self.source, self._named(key))

    def _named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def only(self, table: Mapping[str, Any], choices: Iterable[str]) -> None:
        for key in table:
            if key not in choices:
                hint = did_you_mean(key, choices) or f" There are: {', '.join(choices)}."
                raise PolicyError(f"Policy {self.source!r} has an unknown key {self._named(key)!r}.{hint}")

    def wrong(self, key: str, version: str, value: object) -> PolicyError:
        return PolicyError(f"Policy {self.source!r}: {self._named(key)!r} must be {version}, and it is {value!r}.")

    def table(self, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        reply = table.get(key, {})
        if not isinstance(reply, dict):
            raise self.wrong(key, "a table", reply)
        return reply

    def text(self, table: Mapping[str, Any], key: str, default: str) -> str:
        reply = table.get(key, default)
        if not isinstance(reply, str) or (not reply and default):
            raise self.wrong(key, "text", reply)
        return reply

    def maybe(self, table: Mapping[str, Any], key: str) -> str | None:
        return self.text(table, key, " ") if key in table else None

    def number(self, table: Mapping[str, Any], key: str, default: float | None = None) -> float:
        reply = table.get(key, default)
        if isinstance(reply, bool) or not isinstance(reply, int | float) or not math.isfinite(reply) or reply < 0:
            raise self.wrong(key, "a number that is not negative", reply)
        return float(reply)

    def choice(self, table: Mapping[str, Any], key: str, choices: Iterable[str], default: str) -> Any:
        reply = table.get(key, default)
        if reply not in choices:
            raise self.wrong(key, " or ".join(map(repr, choices)), reply)
        return reply


def _rules(at: _At, table: Mapping[str, Any], kind: Literal["gate", "target"]) -> tuple[Rule, ...]:
    at.only(table, MEASURES)
    found: list[Rule] = []
    for name, given in table.items():
        for one in given if isinstance(given, list) and any(isinstance(x, dict) for x in given) else [given]:
            found += _licence(at, one, kind) if name == "licence" else _limits(at, name, one, kind)
    return tuple(found)


def _limits(at: _At, name: str, value: object, kind: Literal["gate", "target"]) -> list[Rule]:
    measure = MEASURES[name]
    usual = {"less": "at_most", "more": "at_least", "neither": None}[measure.better]
    if not isinstance(value, dict):
        if usual is None:
            raise at.wrong(name, "a table with at_least, at_most or both", value)
        value = {usual: at.number({name: value}, name)}
    inside = at.into(name)
    inside.only(value, ("at_most", "at_least", "research", "by", "dataset", "condition", "device", "why"))
    bounds = [bound for bound in ("at_least", "at_most") if bound in value]
    if not bounds or (usual is not None and bounds != [usual]):
        raise at.wrong(name, f"a table with {usual or 'at_least, at_most or both'}", value)
    if "device" in value and measure.about != "speed":
        raise inside.wrong("device", "left out: texts do not depend on a device", value["device"])
    if "condition" in value and measure.about == "model":
        raise inside.wrong("condition", "left out: it is not about audio", value["condition"])
    return [
        Rule(
            kind=kind,
            measure=name,
            bound="at most" if bound == "at_most" else "at least",
            limit=inside.number(value, bound),
            research=_research(inside, value, bound, kind),
            by=inside.choice(value, "by", ("interval", "value"), "interval"),
            dataset=inside.maybe(value, "dataset"),
            condition=inside.maybe(value, "condition"),
            device=inside.maybe(value, "device"),
            why=inside.text(value, "why", ""),
        )
        for bound in bounds
    ]


def _research(at: _At, table: Mapping[str, Any], maximum: str, kind: str) -> float | None:
    if "research" not in table:
        return None
    value, limit = at.number(table, "research"), at.number(table, maximum)
    if kind != "gate" or (value < limit if maximum == "at_most" else value > limit):
        raise at.wrong("research", f"beyond {maximum} of a gate", value)
    return value


def _licence(at: _At, value: object, kind: Literal["gate", "target"]) -> list[Rule]:
    table = value if isinstance(value, dict) else {"allow": value}
    inside = at.into("licence")
    inside.only(table, ("allow", "why"))
    allowed = table.get("allow", COMMERCIAL)
    names = [allowed] if isinstance(allowed, str) else allowed
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise at.wrong("licence", f"{COMMERCIAL!r} or a list of licences", allowed)
    return [Rule(kind, "licence", "is", tuple(names), why=inside.text(table, "why", ""))]


def _weights(at: _At, table: Mapping[str, Any]) -> Iterable[Weight]:
    at.only(table, CATEGORIES)
    for name in table or CATEGORIES:
        given = table.get(name, 1.0)
        if not isinstance(given, dict):
            given = {"weight": at.number({name: given}, name)}
        inside = at.into(name)
        inside.only(given, ("weight", "full", "zero"))
        usual = CATEGORIES[name]
        full, zero = inside.number(given, "full", usual.full), inside.number(given, "zero", usual.zero)
        less = MEASURES[usual.measure].better == "less"
        if not (full < zero if less else full > zero) or (usual.scale == "log" and not min(full, zero) > 0):
            above = "over 0 and " if usual.scale == "log" else ""
            than = f"{'less' if less else 'more'} than {zero:g}, which gives no points"
            raise inside.wrong("full", above + than, full)
        yield Weight(name, inside.number(given, "weight", 1.0), usual.measure, full, zero, usual.scale)


def _use(at: _At, table: Mapping[str, Any]) -> Use:
    at.only(table, ("name", "best", "gates"))
    if "name" not in table:
        raise at.wrong("name", "text", None)
    best = table.get("best")
    if not isinstance(best, str) or best not in CATEGORIES:
        raise at.wrong("best", "one of " + ", ".join(CATEGORIES), best)
    return Use(at.text(table, "name", " "), best, _rules(at.into("gates"), at.table(table, "gates"), "gate"))
