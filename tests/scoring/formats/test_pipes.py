"""``score`` reads pipes that a person names; it refuses devices, which may never end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import earwitness as ew
from earwitness.errors import ScoringError
from earwitness.scoring.metrics.terms import read_terms

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no named pipes here: run it on Linux")


def fed(path: Path, text: str) -> threading.Thread:
    """Make a pipe that gives a text to whoever opens it."""
    os.mkfifo(path)
    thread = threading.Thread(target=lambda: path.write_text(text), daemon=True)
    thread.start()
    return thread


def test_references_hypotheses_and_terms_may_be_pipes(tmp_path: Path) -> None:
    threads = [
        fed(tmp_path / "said", "the cat sat\non the mat\n"),
        fed(tmp_path / "heard", "the cat sat\non a mat\n"),
        fed(tmp_path / "terms", "mat\n"),
    ]
    found = ew.score(tmp_path / "said", tmp_path / "heard", terms=tmp_path / "terms")
    assert found.scores[0].value == pytest.approx(1 / 6)
    assert found.terms is not None
    assert [term.term for term in found.terms.terms] == ["mat"]
    for thread in threads:
        thread.join(timeout=60)


def test_a_shell_gives_the_outputs_of_two_commands() -> None:
    command = f"{sys.executable} -m earwitness score <(echo a b c) <(echo a b d) --json"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300)
    assert '"substitutions": 1' in done.stdout, done.stderr


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_refused(tmp_path: Path, device: str) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    for said, heard in ((device, tmp_path / "a.txt"), (tmp_path / "a.txt", device)):
        with pytest.raises(ScoringError, match=f"'{device}' is a device or a socket. Name a file or a pipe"):
            ew.score(said, heard)
    with pytest.raises(ScoringError, match="is a device"):
        read_terms(Path(device))


def test_what_else_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    (tmp_path / "loop").symlink_to("loop")
    for name, message in ((".", "is a folder"), ("gone", "There is no file"), ("loop", "Cannot read")):
        with pytest.raises(ScoringError, match=message):
            ew.score(tmp_path / "a.txt", tmp_path / name)
        with pytest.raises(ScoringError, match=message):
            read_terms(tmp_path / name)
