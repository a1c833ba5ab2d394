"""The pages for those who change a number: each function is where the page says, and the steps to a new metric work."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

PACKAGE = ROOT / "src" / "earwitness"
BLOCK = re.compile(r'```(?:python|toml)(?: title="([^"]*)")?\n(.*?)```', re.DOTALL)


def names(path: Path) -> set[str]:
    """What a module defines at its top."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_number_is_made_where_the_page_says() -> None:
    page = (ROOT / "docs" / "where-numbers-come-from.md").read_text("utf-8")
    places = re.findall(r"`([\w/]+\.py): (\w+)`", page)
    assert len(places) > 20
    assert [(file, name) for file, name in places if name not in names(PACKAGE / file)] == []


def test_the_steps_to_a_new_metric_work_on_a_copy_of_the_source(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "add-a-metric.md").read_text("utf-8")
    package = tmp_path / "src" / "earwitness"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    anchors = {
        "in summarize_table()": ("scoring/metrics/summary.py", "        _length_ratio(labelled, options),\n"),
        "in COLUMNS": ("reports/scorecard.py", '    Column("WER", '),
        "in MEASURES": ("decision/measures.py", '        Measure("cer", '),
    }
    policy = ""
    for title, code in BLOCK.findall(page):
        if title in anchors:
            file, anchor = anchors[title]
            text = (package / file).read_text("utf-8")
            assert anchor in text, title
            (package / file).write_text(text.replace(anchor, code + anchor, 1), encoding="utf-8")
        elif title:
            path = tmp_path / title
            text = path.read_text("utf-8")
            # A function that a table names stands before the table.
            place = text.index("\nMEASURES") + 1 if "MEASURES" in text else len(text)
            path.write_text(f"{text[:place]}{code}\n\n{text[place:]}", encoding="utf-8")
        else:
            policy = code
    changed = [package / file for file, _ in anchors.values()]
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--follow-imports=silent"]
    types = [sys.executable, "-m", "mypy", *config, *map(str, changed)]
    checked = subprocess.run(types, cwd=tmp_path, env={**os.environ, "MYPYPATH": "src"}, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    (tmp_path / "policy.toml").write_text(f'name = "few"\n{policy}', encoding="utf-8")
    records = tmp_path / "runs"
    assert run(tmp_path, "run", "sample", "-m", "fake:echo", "--limit", "5", "--no-speech", "--out", records)
    (row,) = run(tmp_path, "runs", records, "--sql", "SELECT value FROM scores WHERE metric = 'insertion_rate'")
    (answer,) = run(tmp_path, "run", "sample", "-m", "fake:echo", "--limit", "5", "--no-speech", "--out", records)
    edits = answer["scores"]["wer"]["edits"]
    expected = edits["insertions"] / (edits["hits"] + edits["substitutions"] + edits["deletions"])
    assert row["value"] == answer["scores"]["insertion_rate"]["value"] == expected
    decision = run(tmp_path, "decide", records, "--policy", tmp_path / "policy.toml", exit_code=None)
    (verdict,) = decision["verdicts"]
    assert [rule["measured"] for rule in verdict["rules"] if rule["measure"] == "insertion_rate"] == [expected]


def run(folder: Path, *arguments: object, exit_code: int | None = 0) -> Any:
    """Run a command of the changed copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "EARWITNESS_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "earwitness", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert exit_code is None or done.returncode == exit_code, done.stderr
    return json.loads(done.stdout)
