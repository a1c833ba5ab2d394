"""``earwitness demo``: the whole story, on what this machine can get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.decision.decision import Decision

app = new_app("The whole story: pull, run, compare, decide, report.")
MODELS = ("faster-whisper:tiny.en", "faster-whisper:base", "pocketsphinx:en-us")
TELEPHONY_CLIPS = 60
JOINED_S = 163.0


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the records and the scorecard.")] = Path("runs"),
    sample_only: Annotated[bool, typer.Option("--sample-only", help="Only the built-in, synthetic sample.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare real models on the built-in sample and, where they can be pulled, on recordings of people.

    What cannot be pulled is said and left out. Example:

        earwitness demo --sample-only
    """
    from earwitness.api.compare import decide
    from earwitness.cli.compare import plain, show
    from earwitness.cli.run import run_tasks
    from earwitness.comparison.table import compare
    from earwitness.files.atomic import write_text
    from earwitness.reports.decision import answer
    from earwitness.reports.scorecard import markdown
    from earwitness.runs.plan import plan
    from earwitness.runs.spec import RunSpec

    models = _models()
    tasks = []
    for source, limit, tags in [("sample", None, {}), *([] if sample_only else _recordings())]:
        tasks += plan(RunSpec(sources=(source,), models=models, limit=limit, tags=tags, command=("demo",)))
    records = run_tasks(tasks, out, quiet=as_json)
    comparison = compare(records)
    card, decision = out / "scorecard.md", out / "decision.json"
    write_text(card, markdown(comparison))
    decided = decide(records, out=decision)
    page = _page(records, out / "report", decided)
    if as_json:
        print_json(
            {
                **plain(comparison),
                "scorecard": str(card),
                "decision": str(decision),
                "chosen": decided.chosen,
                "report": page and str(page),
            }
        )
        return
    show(comparison)
    said = {"The scorecard": card, "The decision": decision, "The report": page, "The records": f"{out}/<model>/asr/"}
    console().print(answer(decided), markup=False, style="bold", soft_wrap=True)
    for what, where in said.items():
        if where is not None:
            console().print(f"{what + ':':<15}{where}", markup=False, soft_wrap=True)


def _page(records: list[Path], folder: Path, decision: Decision) -> Path | None:
    from earwitness.api.report import report
    from earwitness.errors import UsageError

    try:
        return report(records, out=folder, decision=decision).page
    except UsageError as error:
        console(stderr=True).print(f"Without a report: {error}", markup=False)
        return None


def _models() -> tuple[str, ...]:
    from earwitness import weights
    from earwitness.engines.catalog import find
    from earwitness.engines.registry import get_engine
    from earwitness.errors import EarwitnessError
    from earwitness.workers.environments import python_of

    screen = console(stderr=True)
    usable = []
    for name in MODELS:
        model = find(name)
        try:
            python_of(get_engine(model.engine).spec)
            weights.pull(model, screen.print)
            usable.append(name)
        except EarwitnessError as error:
            screen.print(f"Without {name}: {error}", markup=False)
    if len(usable) < 2:
        screen.print("Fewer than two real models can be had here; scripted ones show the way instead.")
        return (*usable, "fake:echo", "fake:chat")
    return tuple(usable)


def _recordings() -> list[tuple[str, int | None, dict[str, str]]]:
    from earwitness import data
    from earwitness.data import corpora
    from earwitness.errors import EarwitnessError

    screen = console(stderr=True)
    found: list[tuple[str, int | None, dict[str, str]]] = []
    try:
        corpora.pull("librivox-mini", screen.print)
        found.append(("librivox-mini", None, {}))
        corpora.pull("telephony-en", screen.print)
        found.append(("telephony-en", TELEPHONY_CLIPS, {"kind": "speech"}))
        joined = data.join(data.load("telephony-en"), JOINED_S)
        found.append((str(joined), None, {}))
    except EarwitnessError as error:
        screen.print(f"Some recordings of people are left out: {error}", markup=False)
    return found
