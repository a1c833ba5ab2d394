"""The verdict of the gate for every reader: lines, JUnit XML, annotations of a forge, a Markdown comment."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from xml.etree import ElementTree as ET

from earwitness.counts import number, percentage, points, quantity
from earwitness.decision.baseline import Entry
from earwitness.decision.gate_verdict import (
    Clips,
    EntryVerdict,
    Failures,
    GateCheck,
    GateOutcome,
    GateRule,
    GateVerdict,
    SpeedChange,
    WordChange,
    Worst,
)
from earwitness.reports.decision import value_words
from earwitness.reports.statistics import p_value

_FIGURES = {
    "rtf": "RTF",
    "latency_p95_s": "latency p95",
    "cold_s": "cold start",
    "saturated_rtf": "RTF of the saturated machine",
}
# Dots, too, unless they are a number's: www.example would become a link.
_MARKUP = re.compile(r"(?<=\d)\.(?!\d)|(?<!\d)\.|[^\w .,%+()-]|_")
_FEW = 3
_LONGEST = 300
_ILLEGIBLE = "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]|[{}]".format(
    "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
)


def label(entry: Entry, ambiguous: Container[tuple[str, str, str]] = ()) -> str:
    """Return the label of an entry: model, dataset, and settings that are not the usual ones.

    Args:
        entry: The entry.
        ambiguous: What several entries with unequal data are called: these get the beginning of their data's hash.
    """
    settings = [f"{name}={value}" for name, value in sorted(entry.settings.items())]
    settings += [f"data sha256 {entry.dataset_sha256[:8]}"] if entry.what in ambiguous else []
    return f"{entry.model} on {entry.dataset}" + (f" ({', '.join(settings)})" if settings else "")


def sentence(check: GateCheck) -> str:
    """Return the result of a check in one line."""
    match check:
        case Clips():
            return _clips(check)
        case Failures():
            return f"{_named(check.failed)} had a text in the baseline and failed" if check.failed else "no clip failed"
        case WordChange():
            return _words(check)
        case SpeedChange():
            return _speed(check)


def lines(verdict: GateVerdict) -> list[str]:
    """Return a line for every check, what failed first, and one for everything that was not judged."""
    found = [(outcome, f"{outcome}: {what}: {reason}") for what, _, outcome, reason in _rows(verdict)]
    order = ("failed", "not judged", "passed")
    told = [line for outcome in order for each, line in found if each == outcome]
    changed = [label(judged.entry, verdict.ambiguous) for judged in verdict.judged if judged.new_weights]
    notes = [f"note: {name}: its weights are not those of the baseline" for name in changed]
    return [*told, *notes]


def failures(verdict: GateVerdict) -> list[tuple[str, str]]:
    """Return title and reason of everything that failed."""
    return [(what, reason) for what, _, outcome, reason in _rows(verdict) if outcome == "failed"]


def commands(verdict: GateVerdict) -> list[str]:
    """Return the failures as workflow commands of GitHub, which shows them with the change."""
    return [f"::error title={_property(title)}::{_data(reason)}" for title, reason in failures(verdict)]


def junit(verdict: GateVerdict) -> str:
    """Return the verdict as JUnit XML: a suite for every model and dataset, a case for every check."""
    root = ET.Element("testsuites", name="earwitness gate")
    suites: dict[str, ET.Element] = {}
    for what, name, outcome, reason in _rows(verdict):
        if what not in suites:
            suites[what] = ET.SubElement(root, "testsuite", name=_xml(what))
        _case(suites[what], what, name, outcome, reason)
    for element in (root, *root):
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
            element.set(count, str(len(list(element.iter(tag)))))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def markdown(verdict: GateVerdict) -> str:
    """Return the verdict as a comment: what failed, a table of the checks, the clips that got worse most."""
    failed = failures(verdict)
    head = "The gate is open: nothing got worse." if verdict.passed else f"The gate is shut: {_count(len(failed))}."
    parts = [f"### {head}", *(f"- **{code(title)}**: {code(reason)}" for title, reason in failed)]
    rows = [f"| {code(what)} | {code(name)} | {outcome} | {code(why)} |" for what, name, outcome, why in _rows(verdict)]
    if rows:
        parts += ["", "| run | check | outcome | |", "|---|---|---|---|", *rows]
    for judged in verdict.judged:
        if judged.worst:
            parts += ["", *_worst_table(judged, label(judged.entry, verdict.ambiguous))]
    return "\n".join(parts) + "\n"


def code(text: str) -> str:
    """Escape a text so that Markdown and HTML show it unchanged on one line, without mentions.

    >>> code("<b>|@me`")
    '<code>&#60;b&#62;&#124;&#64;me&#96;</code>'
    """
    flat = " ".join(_xml(text).split())
    return "<code>" + _MARKUP.sub(lambda found: f"&#{ord(found[0])};", flat) + "</code>"


def _rows(verdict: GateVerdict) -> Iterator[tuple[str, str, GateOutcome, str]]:
    """Yield everything that was looked at: about what, name of the check, outcome, reason."""
    for judged in verdict.judged:
        for check in judged.checks:
            yield label(judged.entry, verdict.ambiguous), check.name, check.outcome, sentence(check)
    for rule in verdict.rules:
        yield rule.candidate, "policy", rule.outcome, _rule(rule)
    for entry in verdict.missing:
        outcome: GateOutcome = "not judged" if verdict.partial else "failed"
        yield (
            label(entry, verdict.ambiguous),
            "run",
            outcome,
            "it is in the baseline, and there is no complete run of it",
        )
    for entry in verdict.without:
        yield label(entry, verdict.ambiguous), "run", "not judged", "it is not in the baseline. To take it in: --update"


def _rule(rule: GateRule) -> str:
    result = rule.result
    if result.measured is None:
        return f"{result.rule}: {result.reason or 'not measured'}"
    return f"{result.rule}: {value_words(result)}" + (f" ({result.reason})" if result.reason else "")


def _clips(check: Clips) -> str:
    new = f"; {_named(check.new)} new, not judged" if check.new else ""
    if check.vanished:
        return f"{_named(check.vanished)} of the baseline vanished{new}"
    return f"every clip of the baseline is there{new}"


def _words(check: WordChange) -> str:
    before, now = check.errors
    if not check.n_clips:
        return "no clip has a reference"
    if not check.length:
        return f"words hallucinated on silence: {before} before, {now} now"
    head = f"WER {percentage(before / check.length)} before, {percentage(now / check.length)} now"
    texts = f"{check.n_texts_changed} of {check.n_clips} texts changed"
    if before == now and not check.difference.n_differing:
        return f"{head}; {texts}"
    moved = f"{points(check.difference.value, check.difference.ci95)}, {p_value(check.p)}"
    if check.significant:
        return f"{head}: {moved}, significant; {texts}"
    why = check.difference.reason or "not significant"
    return f"{head}: {moved}, {why}; {points(check.tolerated or 0)} may pass; {texts}"


def _speed(check: SpeedChange) -> str:
    head = f"{_FIGURES[check.name]} {number(check.before)} before, {number(check.now)} now"
    if check.outcome == "not judged":
        return f"{head}: {check.reason}"
    ratio = f"{number(check.ratio)} times; up to {number(check.limit)} may pass"
    return f"{head}: {ratio}" + (f", as {check.reason}" if check.reason else "")


def _named(ids: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, ids[:_FEW]))
    more = f" and {len(ids) - _FEW} more" if len(ids) > _FEW else ""
    return f"{quantity(len(ids), 'clip')} ({shown}{more})"


def _count(n: int) -> str:
    return "one check failed" if n == 1 else f"{n} checks failed"


def _worst_table(verdict: EntryVerdict, name: str) -> Iterator[str]:
    shown = len(verdict.worst)
    clips = "clip" if shown == 1 else f"{shown} clips"
    yield f"The {clips} of {code(name)} that got worse most, of {verdict.n_worse}:"
    yield ""
    yield "| clip | errors before | errors now | reference | heard now |"
    yield "|---|---:|---:|---|---|"
    for worst in verdict.worst:
        yield _worst_row(worst)


def _worst_row(worst: Worst) -> str:
    heard = "*failed*" if worst.text is None else code(_short(worst.text))
    reference = code(_short(worst.clip.reference or ""))
    return f"| {code(worst.clip.id)} | {worst.errors_before} | {worst.errors_now} | {reference} | {heard} |"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " (...)"


def _case(suite: ET.Element, what: str, name: str, outcome: GateOutcome, reason: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=_xml(what), name=_xml(name))
    if outcome == "failed":
        ET.SubElement(case, "failure", message=_xml(reason))
    elif outcome == "not judged":
        ET.SubElement(case, "skipped", message=_xml(reason))
    else:
        ET.SubElement(case, "system-out").text = _xml(reason)


def _xml(text: str) -> str:
    """Replace what XML 1.0 and HTML cannot or should not hold: control characters, lone surrogates, non-characters."""
    return re.sub(_ILLEGIBLE, "\ufffd", text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
