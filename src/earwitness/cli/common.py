"""What all commands share: making an app, and printing for people and for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# A table that goes to a file or a log is not squeezed into 80 columns.
_FILE_WIDTH = 200
_HANG, _NARROWEST = 2, 20
# Control characters but for tab and newline, marks that reverse the direction, halves of characters.
_ORDERS = {*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)}
_AS_JSON = {code: f"\\u{code:04x}" for code in _ORDERS if code > 32}
_VISIBLE = _AS_JSON | {code: f"\\x{code:02x}" for code in _ORDERS - {9, 10} if code < 256}
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]


def new_app(summary: str | None = None) -> typer.Typer:
    """Return a typer app in the house style: no completion code, plain tracebacks for unexpected errors.

    Args:
        summary: Its help; ``None`` for the docstring of its callback.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, rich_markup_mode=None)
    if summary is not None:
        app.info.help = summary
    return app


def print_json(value: object) -> None:
    """Write one JSON document to standard output; NaN raises an error."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    # All that is translated stands inside of JSON's strings: other control characters are escaped by now.
    sys.stdout.write(text.translate(_AS_JSON) + "\n")


def visible(text: str) -> str:
    r"""Return untrusted text with its terminal control characters escaped: cursor, colour and text direction.

    Args:
        text: Of a dataset, a model or a file's name; lines and tabs stay.

    >>> visible("one\x1b[31m two\n")
    'one\\x1b[31m two\n'
    """
    return text.translate(_VISIBLE)


def console(*, stderr: bool = False) -> Console:
    """Return a console for people: standard output for answers, standard error for progress and notes."""
    from rich.console import Console
    from rich.text import Text

    class Visible(Console):
        """A console that escapes control characters in untrusted text."""

        def render_str(self, text: str, **options: Any) -> Text:  # as rich has it
            return super().render_str(visible(text), **options)

    found = Visible(stderr=stderr, highlight=False, soft_wrap=stderr)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _FILE_WIDTH
    return found


def print_hanging(screen: Console, line: str) -> None:
    """Print a line so that what does not fit stands under its text, not under its indent or its dash.

    What goes to a file or a log stays one line, and so does a line with a command, which people copy.

    Args:
        screen: Of ``console``.
        line: May start with spaces and a dash.
    """
    from rich.text import Text

    has_width = screen.is_terminal or "COLUMNS" in os.environ
    if not has_width or "earwitness " in line:
        screen.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    line = visible(line)
    text = line.lstrip(" ").removeprefix("- ")
    start = line[: len(line) - len(text)]
    hang = " " * (len(start) + (0 if start.endswith("- ") else _HANG))
    # The first line has the room of the others, so that all end at the same column.
    for number, part in enumerate(Text(text).wrap(screen, max(_NARROWEST, screen.width - len(hang)))):
        screen.print(f"{hang if number else start}{part.plain.rstrip()}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; yields a function to call with the amount done and the total."""
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True, disable=quiet) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def stop_on_sigterm() -> None:
    """Handle SIGTERM like Ctrl-C: the workers end and the record has the status interrupted."""
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)


def quote_command(context: typer.Context, **fields: str) -> frozenset[str]:
    """Return the names of the options that were typed, as opposed to left at their defaults.

    Args:
        context: Of the command.
        fields: Option -> the name to give it instead.
    """
    given = (name for name in context.params if _is_typed(context, name))
    return frozenset(fields.get(name, name) for name in given)


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
