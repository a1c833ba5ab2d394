"""A policy: what must hold before a model is served, what is wished, and what counts how much. Read from TOML.

What every key means stands in ``docs/policy.md``.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from earwitness.compare.measures import MEASURES
from earwitness.compare.rules import CATEGORIES, COMMERCIAL, Policy, Rule, Use, Weight
from earwitness.errors import PolicyError

SHIPPED = ("transcription-batch", "live-captions", "telephony", "edge")
DEFAULT = SHIPPED[0]


def load(asked: str = DEFAULT) -> Policy:
    """Return a shipped policy by its name, or one from a file.

    Raises:
        PolicyError: When there is neither, or it cannot be read.

    >>> load("edge").name
    'edge'
    """
    if asked in SHIPPED:
        text = files("earwitness.compare").joinpath("policies", f"{asked}.toml").read_text(encoding="utf-8")
        return parse(text, asked)
    try:
        return parse(Path(asked).read_text(encoding="utf-8"), asked)
    except FileNotFoundError:
        hint = _hint(asked, SHIPPED) or f" Name a file, or one of: {', '.join(SHIPPED)}."
        raise PolicyError(f"There is no policy {asked!r}.{hint}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"Policy {asked!r} is not UTF-8 (byte {error.start}). Convert it.") from None
    except OSError as error:
        raise PolicyError(f"Policy {asked!r} cannot be read: {error.strerror}. Name a file.") from None


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

    def only(self, table: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                hint = _hint(key, known) or f" There are: {', '.join(known)}."
                raise PolicyError(f"Policy {self.source!r} has an unknown key {self._named(key)!r}.{hint}")

    def wrong(self, key: str, wanted: str, value: object) -> PolicyError:
        return PolicyError(f"Policy {self.source!r}: {self._named(key)!r} must be {wanted}, and it is {value!r}.")

    def table(self, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        found = table.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, "a table", found)
        return found

    def text(self, table: Mapping[str, Any], key: str, default: str) -> str:
        found = table.get(key, default)
        if not isinstance(found, str) or (not found and default):
            raise self.wrong(key, "text", found)
        return found

    def maybe(self, table: Mapping[str, Any], key: str) -> str | None:
        return self.text(table, key, " ") if key in table else None

    def number(self, table: Mapping[str, Any], key: str, default: float | None = None) -> float:
        found = table.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found) or found < 0:
            raise self.wrong(key, "a number that is not negative", found)
        return float(found)

    def choice(self, table: Mapping[str, Any], key: str, known: Iterable[str], default: str) -> Any:
        found = table.get(key, default)
        if found not in known:
            raise self.wrong(key, " or ".join(map(repr, known)), found)
        return found


def _rules(at: _At, table: Mapping[str, Any], kind: Literal["gate", "target"]) -> tuple[Rule, ...]:
    at.only(table, MEASURES)
    found: list[Rule] = []
    for name, given in table.items():
        for one in given if isinstance(given, list) and any(isinstance(x, dict) for x in given) else [given]:
            found += _licence(at, one, kind) if name == "licence" else _limits(at, name, one, kind)
    return tuple(found)


def _limits(at: _At, name: str, given: object, kind: Literal["gate", "target"]) -> list[Rule]:
    measure = MEASURES[name]
    usual = {"less": "at_most", "more": "at_least", "neither": None}[measure.better]
    if not isinstance(given, dict):
        if usual is None:
            raise at.wrong(name, "a table with at_least, at_most or both", given)
        given = {usual: at.number({name: given}, name)}
    inside = at.into(name)
    inside.only(given, ("at_most", "at_least", "research", "by", "dataset", "condition", "device", "why"))
    bounds = [bound for bound in ("at_least", "at_most") if bound in given]
    if not bounds or (usual is not None and bounds != [usual]):
        raise at.wrong(name, f"a table with {usual or 'at_least, at_most or both'}", given)
    if "device" in given and measure.about != "speed":
        raise inside.wrong("device", "left out: texts do not depend on a device", given["device"])
    if "condition" in given and measure.about == "model":
        raise inside.wrong("condition", "left out: it is not about audio", given["condition"])
    return [
        Rule(
            kind=kind,
            measure=name,
            bound="at most" if bound == "at_most" else "at least",
            limit=inside.number(given, bound),
            research=_research(inside, given, bound, kind),
            by=inside.choice(given, "by", ("interval", "value"), "interval"),
            dataset=inside.maybe(given, "dataset"),
            condition=inside.maybe(given, "condition"),
            device=inside.maybe(given, "device"),
            why=inside.text(given, "why", ""),
        )
        for bound in bounds
    ]


def _research(at: _At, given: Mapping[str, Any], bound: str, kind: str) -> float | None:
    if "research" not in given:
        return None
    value, limit = at.number(given, "research"), at.number(given, bound)
    if kind != "gate" or (value < limit if bound == "at_most" else value > limit):
        raise at.wrong("research", f"beyond {bound} of a gate", value)
    return value


def _licence(at: _At, given: object, kind: Literal["gate", "target"]) -> list[Rule]:
    table = given if isinstance(given, dict) else {"allow": given}
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


def _hint(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
