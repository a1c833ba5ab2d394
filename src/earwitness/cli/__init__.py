"""The command line: one file per command; only the command that runs is imported.

The list of commands is printed without importing any of them, so ``earwitness --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from earwitness.cli.commands import COMMANDS, GROUPS, app_of
from earwitness.errors import EarwitnessError

_USAGE = """\
Usage: earwitness COMMAND [OPTIONS]

Measures speech recognition models on your recordings and tells you which one to put in production.

{groups}Run 'earwitness COMMAND --help' for the options and an example of a command.
Run 'earwitness --install-completion' once to complete commands and options with the Tab key.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The arguments after the program's name; ``None`` takes them from ``sys.argv``.

    Returns:
        0 for done, 1 for "the answer is no", 2 for an error of the user, explained in one sentence, 130 for Ctrl-C.
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
        from earwitness.files.nearest import did_you_mean

        sys.stderr.write(f"There is no command {name!r}.{did_you_mean(name, COMMANDS)} Run: earwitness --help\n")
        return 2
    return _exit_code(lambda: app_of(name)(args=arguments[1:], prog_name=f"earwitness {name}"))


def usage() -> str:
    """Return the text of ``earwitness --help``."""
    groups = "".join(
        f"{title}:\n" + "".join(f"  {name:<10} {summary}\n" for name, summary in rows.items()) + "\n"
        for title, rows in GROUPS.items()
    )
    return _USAGE.format(groups=groups)


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
