"""The command line: one file per command, and nothing imported before it is known which one is meant.

A command is a module of this folder with a typer ``app``; adding one is adding its file and its row in
``COMMANDS``. A name that Python keeps to itself has an underscore behind it there: ``import_.py``. The list of commands
is printed without importing any of them, so ``earwitness --help`` is quick.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Sequence
from importlib import import_module

from earwitness.errors import EarwitnessError

COMMANDS = {
    "demo": "The whole story on the built-in sample: run, compare, decide, report",
    "init": "A study file, earwitness.toml, to begin with",
    "run": "Run models over data, or the study of earwitness.toml, and write run records",
    "runs": "The records: list, filter, query with SQL, prune",
    "compare": "Runs over the same data side by side, as tables and Markdown",
    "decide": "Which model may be served: status, grade and reasons under a policy",
    "report": "One offline page with verdict, tables, charts, word diffs and sound; Markdown and plots",
    "plan": "How much more audio would separate models, or narrow an interval",
    "analyze": "Where errors are and how firmly a ranking stands: slices, sensitivity, terms, pairs",
    "serve": "An API like OpenAI's for the chosen model, measured, watched; its keys",
    "load": "A running server under load: latency, throughput, the most clients that meet a target",
    "canary": "Reference clips through a live server on a schedule: WER and latency as metrics",
    "deploy": "Dockerfile, compose, systemd unit and Kubernetes manifests, filled in from a decision",
    "robustness": "WER against the severity of noise, codecs, rooms; where each model breaks",
    "gate": "Runs against a baseline, for continuous integration: exit 0 or 1",
    "bundle": "Data and study in one file, for another machine",
    "notebook": "A notebook that makes the study on a borrowed machine",
    "export": "Run records in one file, for the way home",
    "import": "Run records from another machine, verified",
    "rescore": "Score a record's texts again, without engine or audio",
    "doctor": "What works on this machine, and what to type where it does not",
    "models": "Models and their weights: list, show, pull, remove",
    "engines": "Engines and their environments: list, install, check, remove",
    "data": "Datasets: list, pull, check, show, join",
    "conditions": "What may befall audio: list, show, apply to a file and listen",
    "score": "Score two transcript files: WER, CER, edits, intervals",
}

_USAGE = """\
Usage: earwitness COMMAND [OPTIONS]

Measures speech recognition models on your recordings and says which one to put in production.

Commands:
{commands}

Run 'earwitness COMMAND --help' for the options and an example of each.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The arguments after the program's name; ``None`` takes them from ``sys.argv``.

    Returns:
        0 for done, 1 for "the answer is no", 2 for a user's error told in one sentence, 130 for Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0
    if name in ("-V", "--version"):
        from earwitness import __version__

        sys.stdout.write(f"earwitness {__version__}\n")
        return 0
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        sys.stderr.write(f"There is no command {name!r}.{hint} Run: earwitness --help\n")
        return 2
    return _run(name, arguments[1:])


def usage() -> str:
    """Return the text of ``earwitness --help``."""
    return _USAGE.format(commands="\n".join(f"  {name:<10} {summary}" for name, summary in COMMANDS.items()))


def _run(name: str, arguments: list[str]) -> int:
    module = f"{name}_" if keyword.iskeyword(name) else name
    app = import_module(f"earwitness.cli.{module}").app
    try:
        app(args=arguments, prog_name=f"earwitness {name}")
    except EarwitnessError as error:
        from earwitness.cli.common import visible

        sys.stderr.write(f"{visible(str(error))}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0
