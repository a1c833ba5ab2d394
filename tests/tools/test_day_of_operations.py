"""The day of operations: that its accounting sees what does not add up, and the day itself, with a scripted engine."""

from __future__ import annotations

import contextlib
import doctest
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.server.test_watching import rules
from tools.day_of_operations import happen
from tools.operations import ledger, report
from tools.operations.clients import Clients
from tools.operations.events import TIMETABLE, Day, Event
from tools.operations.ledger import HUNG_UP, NO_ANSWER, OTHER_TEXT, TEXT, Account, Outcome, account
from tools.operations.report import Check, Row, among, as_json, at_least, equal, table
from tools.operations.site import Site

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", [ledger, report])
def test_examples_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


def line(request_id: str, status: int) -> dict[str, Any]:
    return {"event": "request", "request_id": request_id, "status": status}


def accounted(outcome: Outcome, *log: dict[str, Any]) -> Account:
    """Beside a request with which all is well, and a line of a request that is not ours."""
    well = Outcome("well", 200, TEXT)
    return account([well, outcome], [line("well", 200), line("of a canary", 500), *log])


def test_requests_that_are_answered_refused_or_hung_up_on_add_up() -> None:
    for outcome, *log in (
        (Outcome("a", 200, TEXT), line("a", 200)),
        (Outcome("a", 429, "queue_full"), line("a", 429)),
        (Outcome("a", None, HUNG_UP), line("a", 499)),
        (Outcome("a", None, HUNG_UP), line("a", 200)),
    ):
        found = accounted(outcome, *log)
        assert found.adds_up, outcome
        assert sum(found.ends.values()) == found.sent == 2


@pytest.mark.parametrize(
    ("outcome", "log", "column"),
    [
        (Outcome("a", None, NO_ANSWER, "reset"), [], "lost"),
        (Outcome("a", 502, NO_ANSWER), [line("a", 200)], "lost"),
        (Outcome("a", 200, OTHER_TEXT, "good buy"), [line("a", 200)], "wrong"),
        (Outcome("a", 200, TEXT), [], "unlogged"),
        (Outcome("a", None, HUNG_UP), [], "unlogged"),
        (Outcome("a", 200, TEXT), [line("a", 200), line("a", 200)], "repeated"),
        (Outcome("a", 200, TEXT), [line("a", 499)], "untrue"),
        (Outcome("a", 400, "invalid_audio"), [line("a", 500)], "untrue"),
    ],
)
def test_a_request_that_does_not_add_up_is_in_its_column_and_in_no_other(
    outcome: Outcome, log: list[dict[str, Any]], column: str
) -> None:
    found = accounted(outcome, *log)
    columns = {name: getattr(found, name) for name in ("lost", "wrong", "unlogged", "repeated", "untrue")}
    assert {name for name, rows in columns.items() if rows} == {column}
    assert not found.adds_up


def test_an_answer_is_a_text_another_text_an_error_or_none_of_a_server() -> None:
    clients = Clients("127.0.0.1:9", "key", {b"file": "hello"})
    for content, status, body, end in (
        (b"file", 200, b'{"text": "hello"}', TEXT),
        (b"file", 200, b'{"text": "hallo"}', OTHER_TEXT),
        (b"none that is known", 200, b'{"text": "hallo"}', TEXT),
        (b"file", 504, b'{"error": {"code": "timeout"}}', "timeout"),
        (b"file", 502, b"<html>Bad Gateway</html>", NO_ANSWER),
        (b"file", 200, b'{"no": "text"}', NO_ANSWER),
        (b"file", 200, b"[]", NO_ANSWER),
    ):
        assert clients.outcome("id", content, status, body).end == end, body


def test_nobody_listens_is_no_answer_and_is_written_down() -> None:
    clients = Clients("127.0.0.1:9", "key", {})
    assert clients.send(b"file").end == NO_ANSWER
    assert clients.ledger.ends() == {NO_ANSWER: 1}


def test_a_day_with_one_check_that_is_not_met_is_not_ok() -> None:
    rows = [Row(0, "morning", [equal("status", 200, 200)]), Row(61, "noon", (), "there is no disk for it here")]
    assert as_json(rows, [at_least("lines", 1, 2)])["ok"]
    assert not as_json(rows, [among("requests", ["text"], {"text": 1, "timeout": 1})])["ok"]
    assert not as_json(rows, [among("requests", ["text"], {})])["ok"], "nothing was sent, so nothing is proven"
    assert not as_json([*rows, Row(9, "evening", [equal("status", 200, 500)])], [])["ok"]
    shown = table([*rows, Row(62, "evening", [Check("status", "200", "500", ok=False)])])
    assert [text.split() for text in shown.splitlines() if "status" in text] == [
        ["0:00", "morning", "status", "200", "200", "ok"],
        ["1:02", "evening", "status", "200", "500", "NO"],
    ]
    assert "1:01   noon" in shown
    assert "there is no disk for it here" in shown


class Quiet(Clients):
    """Clients of a server that answers whatever comes."""

    def send(self, content: bytes, *, key: str | None = None, pieces: int = 1, pause_s: float = 0.0) -> Outcome:
        return self.ledger.add(Outcome("id", 200, TEXT))


@pytest.mark.parametrize(
    ("end", "ends", "ok"), [(TEXT, (), True), ("timeout", ("timeout",), True), ("timeout", (), False)]
)
def test_an_event_lets_requests_end_as_it_says_and_not_otherwise(
    tmp_path: Path, end: str, ends: tuple[str, ...], ok: bool
) -> None:
    day = Day(Site(tmp_path, "fake:echo", (), contextlib.ExitStack()), Quiet("", "", {}), b"", b"", b"")
    day.clients.ledger.add(Outcome("before", 500, "of an event before"))

    def act(day: Day) -> list[Check]:
        day.clients.ledger.add(Outcome("now", 200, end))
        return []

    assert happen(day, Event("it happens", act, ends), 1.0).ok == ok


def test_an_event_that_does_not_come_to_its_end_is_not_ok_and_one_that_cannot_be_done_is_left_out(
    tmp_path: Path,
) -> None:
    day = Day(Site(tmp_path, "fake:echo", (), contextlib.ExitStack()), Quiet("", "", {}), b"", b"", b"")

    def act(_: Day) -> list[Check]:
        raise AssertionError("it did not come about in time")

    row = happen(day, Event("it fails", act), 1.0)
    assert not row.ok
    assert "did not come about" in row.checks[0].seen
    row = happen(day, Event("it cannot be done", act, needs="nginx"), 1.0)
    assert (row.ok, row.checks, row.skipped) == (True, (), "there is no nginx for it here")


def test_every_alert_of_the_timetable_is_a_rule() -> None:
    names = {name for event in TIMETABLE for name in (*event.may, *(name for name, _ in event.alerts))}
    assert names <= {rule["alert"] for rule in rules()}


@pytest.mark.long
def test_a_short_day_goes_as_expected(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "day_of_operations.py"), "--model", "fake", "--minutes", "0.5"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=1500, cwd=ROOT)
    document = json.loads(done.stdout or "{}")
    unmet = [(row["name"], check) for row in document.get("events", ()) for check in row["checks"] if not check["ok"]]
    assert unmet == [], done.stderr
    assert [check for check in document["totals"] if not check["ok"]] == []
    assert done.returncode == 0, done.stderr
    assert [row["name"] for row in document["events"]] == [event.name for event in TIMETABLE]
    needs = {"nginx": shutil.which("nginx"), "disk": None}
    skipped = {row["name"] for row in document["events"] if row["skipped"]}
    assert skipped <= {event.name for event in TIMETABLE if event.needs and not needs[event.needs]}
