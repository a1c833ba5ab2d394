"""The commands: their groups, names and summaries.

A command is a module of this folder with a typer ``app``. To add one, add its file and its row in ``GROUPS``. A name
that Python reserves gets an underscore: ``import_.py``.
"""

from __future__ import annotations

import keyword
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer

GROUPS = {
    "Start here": {
        "demo": "Run, compare, decide and report on the built-in sample",
        "init": "Write a study file, earwitness.toml, to start from",
        "doctor": "Check what works on this machine, and how to fix what does not",
    },
    "Measure": {
        "run": "Run models over data, or the study of earwitness.toml",
        "score": "Score two transcript files: WER, CER, errors, intervals",
        "compare": "Compare runs over the same data, as tables and Markdown",
        "rank": "Say what is known of models without references",
        "analyze": "Show where the errors are, and how certain a ranking is",
        "robustness": "Show how WER grows with noise, codecs and rooms",
        "audit": "Find references that are probably wrong, and their effect",
        "plan": "Estimate how much more audio would separate models",
        "label": "Label clips in the browser: an honest WER from few labels",
        "rescore": "Score the texts of a record again, without engine or audio",
        "runs": "List, filter, query and prune run records",
    },
    "Decide": {
        "decide": "Decide which model to serve, with a grade and reasons",
        "report": "Write a report page that works offline, with charts and sound",
        "gate": "Compare runs with a baseline in CI: exit 0 or 1",
    },
    "Use": {
        "transcribe": "Transcribe an archive: texts, subtitles, JSON",
        "serve": "Serve the chosen model behind an OpenAI-compatible API",
        "load": "Load-test a server: latency, throughput, capacity",
        "canary": "Check a live server on a schedule with reference clips",
        "deploy": "Write files for Docker, systemd and Kubernetes",
    },
    "Data and models": {
        "data": "List, download, check, show and join datasets",
        "models": "List, show, download and remove models",
        "engines": "List, install, check and remove engines",
        "conditions": "List noises, codecs and rooms, and apply them to audio",
    },
    "Other machines": {
        "bundle": "Pack data and study into one file for another machine",
        "cluster": "Show the nodes of a cluster, and what is missing where",
        "merge": "Join the records of shards into the record of the whole",
        "notebook": "Write a notebook that runs the study on a borrowed machine",
        "export": "Pack run records into one file, or write subtitles",
        "import": "Unpack and verify run records from another machine",
    },
}
COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}


def app_of(name: str) -> Typer:
    """Import a command and return its app.

    Args:
        name: One of ``COMMANDS``.
    """
    module = f"{name}_" if keyword.iskeyword(name) else name
    app: Typer = import_module(f"earwitness.cli.{module}").app
    return app
