"""The page as a process: ports, hosts, the summary at the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.labels.page.pages import Client, clips, label_next, open_page, silent_clips, task

from earwitness.errors import UsageError
from earwitness.labels.page.messages import UndoRequest
from earwitness.labels.page.run import PageSite, open_browser, running_page, summary_of
from earwitness.labels.page.session import LabelSession

pytestmark = pytest.mark.usefixtures("cache")
PROGRAM = """
import sys
from pathlib import Path
from earwitness.labels.page.run import PageSite, serve_page
from earwitness.labels.page.session import LabelTask
from earwitness.types import Clip
units = tuple(Clip(f"c{n}", "", "", 0.0, 60.0, None) for n in range(1, 4))
task = LabelTask("calls", units, 3, Path(sys.argv[1]), "ana", estimate=lambda labels: ["WER: unknown"])
print(serve_page(task, PageSite(port=0), lambda url, port: print(url, flush=True)))
"""


def test_ctrl_c_ends_with_a_summary(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "calls.labels.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page = Client(process.stdout.readline().strip())
        page.send(page.next()["unit"], "hello", seconds=90.0)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "n_labels=1, n_done=1, n_planned=3, units='clips', minutes=1.5, estimate=('WER: unknown',)" in rest


def test_the_same_address_works_after_a_new_start(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    found = task(tmp_path, clips(write_wav))
    with open_page(found) as first:
        first.send(first.next()["unit"])
    with running_page(LabelSession(found), PageSite(port=first.port)) as (url, port, _):
        assert (url, port) == (first.url, first.port)
        assert first.next()["clip_id"] == "c2"


def test_a_port_in_use_is_passed_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_page(LabelSession(task(tmp_path, silent_clips(1))), PageSite(port=port)) as (url, own, _):
            assert port < own < port + 20
            assert f":{own}/" in url


def test_other_machines_are_let_in_only_when_that_is_meant(tmp_path: Path) -> None:
    session = LabelSession(task(tmp_path, silent_clips(1)))
    with pytest.raises(UsageError, match="--allow-network"), running_page(session, PageSite("0.0.0.0", 0)):
        pass


def test_an_address_that_is_not_of_this_machine_is_refused(tmp_path: Path) -> None:
    session = LabelSession(task(tmp_path, silent_clips(1)))
    site = PageSite("192.0.2.1", 0, allows_network=True)
    with pytest.raises(UsageError, match="Cannot listen"), running_page(session, site):
        pass


def test_the_summary_counts_what_is_new_and_was_not_taken_back(tmp_path: Path) -> None:
    session = LabelSession(task(tmp_path, silent_clips(5), n_labels=4))
    label_next(session)
    before = len(session.labels())
    for author in ("ana", "ben", "ana"):
        label_next(session, author=author, seconds=60.0)
    session.undo(UndoRequest("u", "ana", "tab 1"))
    summary = summary_of(session, before)
    assert (summary.n_labels, summary.n_done, summary.n_planned, summary.minutes) == (2, 3, 4, 2.0)
    assert summary.estimate == ()


def test_no_browser_is_opened_where_nobody_would_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_browser("http://127.0.0.1/") is True
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert open_browser("http://127.0.0.1/") is False
    assert opened == ["http://127.0.0.1/"]
