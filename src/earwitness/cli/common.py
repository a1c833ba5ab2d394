"""What every command shares: how an app is made, and how answers are printed for people and for machines."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines, and nothing else.")]


def new_app(summary: str) -> typer.Typer:
    """Return a typer app in the house style: no completion code, plain tracebacks for unexpected errors."""
    return typer.Typer(
        help=summary, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, rich_markup_mode=None
    )


def print_json(value: Any) -> None:
    """Write one JSON document to standard output; NaN is refused rather than written."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
