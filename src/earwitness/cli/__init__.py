"""The command line: one file per command, and nothing imported before it is known which one is meant.

A command is a module of this folder with a typer ``app``; adding one is adding its file and its row in
``GROUPS``. A name that Python keeps to itself has an underscore behind it there: ``import_.py``. The list of commands
is printed without importing any of them, so ``earwitness --help`` is quick.
"""

from __future__ import annotations

import keyword
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from earwitness.errors import EarwitnessError

if TYPE_CHECKING:
    from typer import Typer

GROUPS = {
    "Start here": {
        "demo": "Run, compare, decide and report on the built-in sample",
        "init": "Write a study file, earwitness.toml, to begin with",
        "doctor": "Check what works on this machine, and say what to type where it does not",
    },
    "Measure": {
        "run": "Run models over data, or the study of earwitness.toml",
        "score": "Score two transcript files: WER, CER, errors, intervals",
        "compare": "Compare runs over the same data, as tables and Markdown",
        "analyze": "See where the errors are, and how firm a ranking is",
        "robustness": "See how WER grows with noise, codecs and rooms",
        "plan": "Estimate how much more audio would separate models",
        "rescore": "Score the texts of a record again, without engine or audio",
        "runs": "List, filter, query and prune run records",
    },
    "Decide": {
        "decide": "Say which model may be served, with a grade and reasons",
        "report": "Write one offline page with verdict, tables, charts and sound",
        "gate": "Compare runs with a baseline in CI: exit 0 or 1",
    },
    "Serve": {
        "serve": "Serve the chosen model behind an OpenAI-compatible API",
        "load": "Load-test a server: latency, throughput, capacity",
        "canary": "Check a live server on a schedule with reference clips",
        "deploy": "Write files for Docker, systemd and Kubernetes",
    },
    "Data and models": {
        "data": "List, download, check, show and join datasets",
        "models": "List, show, download and remove models",
        "engines": "List, install, check and remove engines",
        "conditions": "List noises, codecs and rooms, and listen to them",
    },
    "Other machines": {
        "bundle": "Pack data and study into one file for another machine",
        "notebook": "Write a notebook that runs the study on a borrowed machine",
        "export": "Pack run records into one file",
        "import": "Unpack and verify run records from another machine",
    },
}
COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}

_USAGE = """\
Usage: earwitness COMMAND [OPTIONS]

Measures speech recognition models on your recordings and says which one to put in production.

{groups}Run 'earwitness COMMAND --help' for the options and an example of each.
Run 'earwitness --install-completion' once to complete commands and options with the Tab key.
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
    if "_EARWITNESS_COMPLETE" in os.environ or name in ("--install-completion", "--show-completion"):
        from earwitness.cli.completion import app, show

        if name == "--show-completion" and len(arguments) > 1:
            return _exit_code(lambda: show(arguments[1]))
        return _exit_code(lambda: app(args=arguments, prog_name="earwitness"))
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
    return _exit_code(lambda: app_of(name)(args=arguments[1:], prog_name=f"earwitness {name}"))


def usage() -> str:
    """Return the text of ``earwitness --help``."""
    groups = "".join(
        f"{title}:\n" + "".join(f"  {name:<10} {summary}\n" for name, summary in rows.items()) + "\n"
        for title, rows in GROUPS.items()
    )
    return _USAGE.format(groups=groups)


def app_of(name: str) -> Typer:
    """Import a command and return its app.

    Args:
        name: One of ``COMMANDS``.
    """
    module = f"{name}_" if keyword.iskeyword(name) else name
    app: Typer = import_module(f"earwitness.cli.{module}").app
    return app


def _exit_code(command: Callable[[], object]) -> int:
    try:
        command()
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
