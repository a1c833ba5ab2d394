"""Dashboard and rules against what a real server, and a real canary, export; and rules against promtool."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.server.serving import HELLO, Running, band, running, script_folder, until, write_decision

from earwitness.deployment.dashboard import PANELS, dashboard
from earwitness.server.watch.canary import Canary, Promise, Round
from earwitness.server.watch.drift import LEAST

HOLDS = ("deployment/dashboard.py", "server/watch/drift.py", "server/watch/metrics.py")

DEPLOY = Path(__file__).parents[2] / "deploy"
TEMPLATES = Path(__file__).parents[2] / "src" / "earwitness" / "deployment" / "templates"
SECRET = "ew-only-for-this-test"
RULES = DEPLOY / "prometheus" / "alerts.yml"
_NAME = re.compile(r"earwitness_\w+")


def promtool(*arguments: str, cwd: Path = RULES.parent) -> str:
    if shutil.which("promtool") is None:
        pytest.skip("there is no promtool here: apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return list(group["rules"])


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def exported(text: str) -> dict[str, set[str]]:
    """Names of labels, by the name of the sample."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("watched")
    model = f"fake:{script_folder(folder / 'model')}"
    promise = {"rtf": 0.1, "empty_share": 0.5, "latency_p95_s": 1.0}
    write_decision(folder / "decision.json", model, promise=promise, by_length=(band(0.1, 0.14, 1.0),))
    key = {"name": "a", "sha256": hashlib.sha256(SECRET.encode()).hexdigest(), "created_at": "2026-01-01T00:00:00Z"}
    (folder / "keys.json").write_text(json.dumps({"keys": [key]}), encoding="utf-8")
    decision, keys = str(folder / "decision.json"), str(folder / "keys.json")
    with running(folder, "--decision", decision, "--workers", "1", "--keys", keys) as server:
        yield server


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc here: run it on Linux")
def test_the_process_is_told_of_under_the_usual_names() -> None:
    from earwitness.server.watch.metrics import Metrics

    there = exported(Metrics().text().decode())
    named = {name for expression in expressions() for name in re.findall(r"process_\w+", expression)}
    assert len(named) >= 4
    assert named <= set(there)
    assert there["earwitness_server_info"] == {"version", "python"}


@pytest.mark.real
def test_dashboard_and_rules_name_nothing_that_is_not_exported(server: Running) -> None:
    for _ in range(50):
        assert server.hear(HELLO, key=SECRET).status == 200
    server.hear(content=b"not audio", key=SECRET)
    server.ask("/nowhere")
    workers = server.workers
    subprocess.run(["kill", "-9", str(workers[0])], check=True)
    until(lambda: any(n for key, n in server.metrics.items() if key[0] == "worker_restarts_total"))
    canary = Canary("u", 900.0, Promise(0.1, 0.2))
    canary.add(Round(2, {"a": "429"}, 0.3, (0.2, 0.4), 1.0, 2.0))
    there = exported(server.ask("/metrics").body.decode()) | exported(canary.text().decode())
    for expression in expressions():
        for name in _NAME.findall(expression):
            assert name in there, f"{name} in {expression}"
            for labels in re.findall(rf"{name}\{{([^}}]*)\}}", expression):
                assert set(re.findall(r"(\w+)\s*[=!]~?", labels)) <= there[name] | {"instance", "job"}, expression


def test_every_metric_of_the_server_is_shown_or_watched() -> None:
    from earwitness.server.watch.metrics import Metrics

    named = set(_NAME.findall(" ".join(expressions())))
    for family in text_string_to_metric_families(Metrics().text().decode()):
        # Those of every process have the names that other dashboards know; a time of creation goes with its counter.
        shown = family.name.removesuffix("_created")
        assert shown.startswith("process_") or any(name.startswith(shown) for name in named), family.name


def test_the_rules_are_rules_and_each_fires_when_it_should() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    well, ill = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text("utf-8"))["tests"]
    names = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in well["alert_rule_test"]} == names, "each is seen to be silent"
    fired = " ".join(sample["labels"] for sample in ill["promql_expr_test"][0]["exp_samples"])
    assert set(re.findall(r'alertname="(\w+)"', fired)) == names, "each is seen to fire"


def test_the_rule_about_too_few_answers_has_the_number_of_the_server() -> None:
    (rule,) = [rule for rule in rules() if rule["alert"] == "EarwitnessDriftUnknown"]
    assert f"earwitness_alike_answers < {LEAST} and" in rule["expr"]


@pytest.mark.parametrize("path", [DEPLOY, TEMPLATES])
def test_the_configuration_of_prometheus_is_one(path: Path) -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml", cwd=path / "prometheus")


def test_every_question_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    asked = [expression.replace("$model", ".*") for expression in expressions()]
    made = {"groups": [{"name": "all", "rules": [{"record": f"r{n}", "expr": e} for n, e in enumerate(asked)]}]}
    (tmp_path / "all.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
    assert f"{len(asked)} rules found" in promtool("check", "rules", "all.yml", cwd=tmp_path)


def test_the_dashboard_has_no_two_panels_in_one_place() -> None:
    panels = json.loads((DEPLOY / "grafana" / "dashboards" / "earwitness.json").read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == len(PANELS) + 1
    cells: list[tuple[int, int]] = []
    for panel in panels:
        at = panel["gridPos"]
        cells += [(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])]
        assert at["x"] + at["w"] <= 24
    assert len(set(cells)) == len(cells)


@pytest.mark.real
def test_a_load_on_this_server_counts_what_it_sends_away(tmp_path: Path, three_clips: Path) -> None:
    from earwitness.cli import main
    from earwitness.records.store import find_records, read_run

    model = f"fake:{script_folder(tmp_path / 'model', {'*': {'text': 'hello', 'sleep_s': 0.02}})}"
    with running(tmp_path / "server", "--model", model, "--workers", "1", "--queue", "1") as server:
        arguments = ["--data", str(three_clips), "--stretch-s", "0.5", "--out", str(tmp_path / "runs")]
        more = ["--clients", "1,4", "--target-p95", "0.25", "--budget-s", "30"]
        assert main(["load", server.url, *arguments, *more]) == 0
        rejected = server.metrics["rejected_total", "queue_full"]
        assert server.metrics["live", model, "failed_share"] == 0
    (record,) = find_records([tmp_path / "runs"])
    run = read_run(record)
    assert run.model.weights_id == model, "the server was asked for the name of its model"
    load = run.measurements.load if run.measurements else None
    assert load is not None
    steps = {step.load: step for step in load.steps}
    assert steps[1].errors == {}
    assert set(steps[4].errors) == {"429 queue_full"}
    assert sum(sum(step.errors.values()) for step in load.steps) == rejected
    assert load.best in (1, 2), "two fit: one at work and one that waits"
