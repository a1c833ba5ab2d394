"""Completion of commands and options in bash, zsh, fish and PowerShell, with typer's own code.

``earwitness --install-completion`` sets it up for the shell at hand, and ``--show-completion`` prints its script;
``--show-completion zsh`` prints the script of that shell.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer
from typer._completion_shared import get_completion_script
from typer.core import TyperCommand, TyperGroup

from earwitness.cli.commands import COMMANDS, app_of
from earwitness.errors import EarwitnessError

if TYPE_CHECKING:
    from typer._click.core import Command, Context

SHELLS = ("bash", "zsh", "fish", "powershell")


class Commands(TyperGroup):
    """All commands; only the one that is typed is imported."""

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the names in the order of ``earwitness --help``."""
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002 - typer's signature
        """Return a command that has a name and a summary, enough to list it."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:  # noqa: ARG002 - typer's signature
        """Return the command that the first word names, with its options."""
        name = args[0]
        command = typer.main.get_command(app_of(name)) if name in COMMANDS else None
        return name, command, args[1:]


app = typer.Typer(cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def _all_commands() -> None:
    """Measure speech recognition models."""


def show(shell: str) -> None:
    """Print the script that makes a shell complete this program's commands.

    Raises:
        EarwitnessError: If that shell has no completion.
    """
    if shell not in SHELLS:
        raise EarwitnessError(f"There is no completion for {shell!r}. Choose one of: {', '.join(SHELLS)}.")
    variable = "_EARWITNESS_COMPLETE"
    sys.stdout.write(get_completion_script(prog_name="earwitness", complete_var=variable, shell=shell) + "\n")
