"""A policy: what must hold before a model is served, what is wished, and what counts how much. Read from TOML.

What every key means stands in ``docs/policy.md``.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from earwitness.decision.measures import MEASURES
from earwitness.decision.rules import CATEGORIES, COMMERCIAL, Amount, Policy, Rule, SomeText, Use, Weight
from earwitness.errors import PolicyError, ScoringError
from earwitness.files.nearest import did_you_mean
from earwitness.files.toml_file import Must, TomlFile
from earwitness.scoring.metrics.terms import read_terms

SHIPPED = ("transcription-batch", "live-captions", "telephony", "edge")
DEFAULT = SHIPPED[0]
_BOUNDS = ("at_least", "at_most")
_OF_A_RULE = ("at_most", "at_least", "research", "by", "target", "dataset", "condition", "device", "slice", "why")
_OF_A_POLICY = ("name", "summary", "gates", "targets", "weights", "use", "terms")
_OF_TERMS = ("term_recall", "term_precision")
_Kind = Literal["gate", "target"]
_Place = tuple[str | int, ...]
_Terms = Annotated[tuple[SomeText, ...], Must("a list of key terms, or a file of them", {"min_length": 1})]
_Licences = Annotated[tuple[SomeText, ...], Must(f"{COMMERCIAL!r} or a list of licences", {"min_length": 1})]


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
        return parse(Path(name).read_text(encoding="utf-8"), name, Path(name).parent)
    except FileNotFoundError:
        hint = did_you_mean(name, SHIPPED) or f" Name a file, or one of: {', '.join(SHIPPED)}."
        raise PolicyError(f"There is no policy {name!r}.{hint}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"Policy {name!r} is not UTF-8 (byte {error.start}). Convert it.") from None
    except OSError as error:
        raise PolicyError(f"Policy {name!r} cannot be read: {error.strerror}. Name a file.") from None


def parse(text: str, source: str, folder: Path = Path()) -> Policy:
    """Return a policy from its text.

    Args:
        text: TOML.
        source: Where it is from, for messages and for the record.
        folder: What the path of its key terms is relative to.

    Raises:
        PolicyError: For a key that does not exist (the nearest is named), a value of a wrong type, or a policy that
            has no gate; the key is named.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"Policy {source!r} is not TOML: {error}.") from None
    file = TomlFile(f"Policy {source!r}", data, PolicyError)
    file.table((), _OF_A_POLICY)
    gates = tuple(_rules(file, "gate", ("gates",)))
    if not gates:
        raise PolicyError(f"Policy {source!r} has no gate. Give it one: [gates] wer = 0.2")
    words = {"name": data.get("name", Path(source).stem), "summary": data.get("summary", "")}
    whole = {**words, "rules": [], "weights": [], "uses": [], "source": source, "text": text}
    policy: Policy = file.read(Policy, whole)
    rules = (*gates, *_rules(file, "target", ("targets",)))
    policy = replace(policy, rules=rules, weights=tuple(_weights(file)), uses=tuple(_uses(file)))
    return _with_terms(file, policy, folder)


def _with_terms(file: TomlFile, policy: Policy, folder: Path) -> Policy:
    """Return a policy with its key terms: a list in the policy, or a file beside it."""
    given = file.tables.get("terms")
    needy = (*policy.rules, *(rule for use in policy.uses for rule in use.rules))
    if given is None:
        rule = next((rule for rule in needy if rule.measure in _OF_TERMS), None)
        if rule is not None:
            raise PolicyError(
                f"{file.where} has a rule on {rule.measure!r} and no key terms. Name their file at the top: "
                'terms = "terms.txt"'
            )
        return policy
    if isinstance(given, list):
        terms = file.read(_Terms, given, ("terms",))
        content = "".join(f"{term}\n" for term in terms).encode()
    else:
        path = folder / file.read(SomeText, given, ("terms",))
        try:
            terms, content = read_terms(path), path.read_bytes()
        except ScoringError as error:
            raise PolicyError(f"{file.where} names a file of key terms that does not work: {error}") from None
    return replace(policy, terms=terms, terms_sha256=hashlib.sha256(content).hexdigest())


def _rules(file: TomlFile, kind: _Kind, at: _Place) -> Iterator[Rule]:
    for name, value in file.table(at, MEASURES).items():
        several = isinstance(value, list) and any(isinstance(each, dict) for each in value)
        for place in [(*at, name, n) for n in range(len(value))] if several else [(*at, name)]:
            yield from (_licence(file, kind, place),) if name == "licence" else _limits(file, kind, name, place)


def _limits(file: TomlFile, kind: _Kind, name: str, at: _Place) -> Iterator[Rule]:
    usual = {"less": "at_most", "more": "at_least", "neither": ""}[MEASURES[name].better]
    table = file.table(at, _OF_A_RULE, usual)
    bounds = [bound for bound in _BOUNDS if bound in table]
    if not bounds or (usual and bounds != [usual]):
        raise file.wrong(at, f"a table with {usual or 'at_least, at_most or both'}")
    options = {key: value for key, value in table.items() if key not in _BOUNDS}
    for bound in bounds:
        limit = file.read(Amount, table[bound], (*at, bound))
        values = {"kind": kind, "measure": name, "bound": bound.replace("_", " "), "limit": limit, **options}
        yield _sensible(file, at, bound, limit, file.read(Rule, values, at))


def _sensible(file: TomlFile, at: _Place, bound: str, limit: float, rule: Rule) -> Rule:
    """Return a rule; one that asks for what does not go together is a PolicyError."""
    if rule.device is not None and rule.of.about != "speed":
        raise file.wrong((*at, "device"), "left out: texts do not depend on a device")
    if rule.slice is None and rule.of.of_groups:
        raise file.wrong(at, f'a table with {bound} and slice, such as slice = "speaker"')
    if rule.slice is not None and not rule.of.of_groups:
        raise file.wrong((*at, "slice"), "left out: the measure is not about groups")
    if rule.condition is not None and rule.of.about == "model":
        raise file.wrong((*at, "condition"), "left out: it is not about audio")
    if rule.target is not None and rule.measure not in ("wer", "cer"):
        raise file.wrong((*at, "target"), "left out: it is for wer and cer")
    reach = rule.research
    if reach is not None and (rule.kind != "gate" or (reach < limit if bound == "at_most" else reach > limit)):
        raise file.wrong((*at, "research"), f"beyond {bound} of a gate")
    return rule


def _licence(file: TomlFile, kind: _Kind, at: _Place) -> Rule:
    table = file.table(at, ("allow", "why"), "allow")
    names = table.get("allow", COMMERCIAL)
    names = file.read(_Licences, [names] if isinstance(names, str) else names, (*at, "allow"))
    return Rule(kind, "licence", "is", names, why=file.read(str, table.get("why", ""), (*at, "why")))


def _weights(file: TomlFile) -> Iterator[Weight]:
    names = file.table(("weights",), CATEGORIES)
    for name in names or CATEGORIES:
        at, usual = ("weights", name), CATEGORIES[name]
        table = file.table(at, ("weight", "full", "zero"), "weight") if names else {}
        weight: Weight = file.read(Weight, {"category": name, "weight": 1.0, **asdict(usual), **table}, at)
        full, zero = weight.full, weight.zero
        less = MEASURES[usual.measure].better == "less"
        if not (full < zero if less else full > zero) or (usual.scale == "log" and not min(full, zero) > 0):
            above = "over 0 and " if usual.scale == "log" else ""
            than = f"{'less' if less else 'more'} than {zero:g}, which gives no points"
            raise file.wrong((*at, "full"), above + than, full)
        yield weight


def _uses(file: TomlFile) -> Iterator[Use]:
    for number, _ in enumerate(file.read(tuple[dict[str, Any], ...], file.tables.get("use", []), ("use",))):
        at = ("use", number)
        table = file.table(at, ("name", "best", "gates"))
        words = {key: value for key, value in table.items() if key != "gates"}
        use: Use = file.read(Use, {**words, "rules": []}, at)
        yield replace(use, rules=tuple(_rules(file, "gate", (*at, "gates"))))
