"""Commands and options are completed by the script that ``--show-completion`` prints, in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from earwitness.cli import usage
from earwitness.cli.commands import COMMANDS, GROUPS

HOLDS = ("commands.py",)

BIN = Path(sys.executable).parent


def script(shell: str) -> str:
    done = subprocess.run([BIN / "earwitness", "--show-completion", shell], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def completed(line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    program = f"""
    {script("bash")}
    COMP_WORDS=({line} {'""' if line.endswith(" ") else ""})
    COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    _earwitness_completion earwitness
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    around = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=120, env=around)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here: apt-get install bash")
def test_bash_completes_commands_subcommands_and_options() -> None:
    assert completed("earwitness co") == ["compare", "conditions"]
    assert completed("earwitness ") == list(COMMANDS)
    assert completed("earwitness data p") == ["pull"]
    assert completed("earwitness run --mod") == ["--model"]
    assert completed("earwitness import --j") == ["--json"]
    assert completed("earwitness nothing --j") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_that_asks_this_program(shell: str) -> None:
    assert f"_EARWITNESS_COMPLETE=complete_{shell}" in script(shell)


def test_an_unknown_shell_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [BIN / "earwitness", "--show-completion", "tcsh"], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There is no completion for 'tcsh'. Choose one of: bash, zsh, fish, powershell.\n"


def test_the_help_lists_every_command_once_under_its_group() -> None:
    text = usage()
    assert sum(len(rows) for rows in GROUPS.values()) == len(COMMANDS)
    for title, rows in GROUPS.items():
        assert f"\n{title}:\n" in text
        for name, summary in rows.items():
            assert text.count(f"\n  {name:<10} {summary}\n") == 1
    assert max(map(len, text.splitlines())) <= 100
