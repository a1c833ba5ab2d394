"""``earwitness engines``: which engines run here, and environments for engines that need their own."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import AsJson, console, new_app, print_json

if TYPE_CHECKING:
    from earwitness.workers.environments import SelfTest
    from earwitness.workers.install import InstallPlan

app = new_app(
    "Engines and their environments: list, install, check, remove.\n\nExample: earwitness engines install whisper"
)
Names = Annotated[list[str], typer.Argument(help="Engines, such as whisper.", metavar="ENGINE")]
_TOLD = re.compile(
    r"(Processing|Collecting|Downloading|Building|Preparing|Installing|Resolved|Prepared|Installed|making|testing|ano)"
)
_SIZE_EVERY_S = 2.0


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all engines: where each runs, its packages and size, and what to type. Example: earwitness engines list."""
    from rich.table import Table

    from earwitness.api.engines import list_engines

    rows = list_engines()
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Engine", "Where", "Python", "Packages", "Size", "What to type", box=None, pad_edge=False)
    where = {"here": "[green]in place[/]", "own": "[green]own environment[/]", None: "[yellow]not installed[/]"}
    for row in rows:
        packages = ", ".join(f"{name} {version}" for name, version in row.packages.items())
        size = row.size_bytes or (row.expected_bytes if row.place is None else None)
        about = "" if row.size_bytes or size is None else "about "
        table.add_row(
            row.engine,
            where[row.place],
            row.python or row.python_wanted,
            packages or row.why_not_here or "none needed",
            f"{about}{in_bytes(size)}" if size else "",
            row.remedy,
        )
    console().print(table)


@app.command()
def install(
    names: Names,
    no_lock: Annotated[
        bool, typer.Option("--no-lock", help="Install the newest packages that fit, not the locked ones.")
    ] = False,
    pip: Annotated[bool, typer.Option("--pip", help="Use venv and pip even if uv is available.")] = False,
    python: Annotated[Path | None, typer.Option(metavar="FILE", help="Python to make the environment with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Install engines into environments of their own; continue an interrupted installation.

    The command skips engines that this Python has, and environments that are complete. Example:

        earwitness engines install whisper lfm2.5-audio
    """
    from earwitness.api.engines import engine_status, install_plans

    # Handled like Ctrl-C: pip ends, and a later install continues from what is there.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plans = install_plans(names, lock=not no_lock, uv=not pip, python=python)
    for name in names:
        if name in plans:
            _install(plans[name])
        else:
            console(stderr=True).print(
                f"{name}: this Python already has its packages, so it needs no environment.", markup=False
            )
    if as_json:
        print_json([asdict(status) for status in engine_status(names)])


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Engines; default: all that are installed.", metavar="ENGINE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import each engine's packages in the Python of its workers; exit 1 if one does not work.

    For example:

    earwitness engines check whisper
    """
    from earwitness.api.engines import check_engines

    tests = check_engines(names or ())
    if as_json:
        print_json([{"engine": name, "works": not test.failed, **asdict(test)} for name, test in tests.items()])
    else:
        for name, test in tests.items():
            console().print(f"{name}: {_verdict(name, test)}", markup=False, soft_wrap=True)
    if any(test.failed for test in tests.values()):
        raise typer.Exit(1)


@app.command()
def remove(names: Names, as_json: AsJson = False) -> None:
    """Remove environments of engines; packages of this Python stay. Example: earwitness engines remove whisper."""
    from earwitness.api.engines import uninstall

    removed = uninstall(names)
    if as_json:
        print_json(removed)
        return
    for name, was_there in removed.items():
        console().print(f"{name}: {'removed' if was_there else 'has no environment of its own'}", markup=False)


def in_bytes(size: int) -> str:
    """Return a size in MB or GB.

    >>> in_bytes(151_000_000), in_bytes(6_300_000_000)
    ('151 MB', '6.3 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _verdict(name: str, test: SelfTest) -> str:
    from earwitness.api.engines import engine_status

    if test.failed:
        (status,) = engine_status(name)
        again = f" Run: earwitness engines install {name}" if status.place == "own" else ""
        return f"does not work: {test.failed.rstrip('.')}.{again}" if again else f"does not work: {test.failed}"
    packages = "".join(f", {package} {version}" for package, version in (test.packages or {}).items())
    return f"works: Python {test.python}{packages}; devices: {', '.join(test.devices)}"


def _install(todo: InstallPlan) -> None:
    from earwitness.api.engines import installed_bytes, run_install

    screen = console(stderr=True)
    for line in _beforehand(todo):
        screen.print(line, markup=False)
    started = time.monotonic()
    with _status(todo.spec.name, lambda: installed_bytes(todo)) as on_line:
        stamp = run_install(todo, on_line)
    took_s = time.monotonic() - started
    screen.print(
        f"{todo.spec.name}: works, {in_bytes(stamp.size_bytes)}, {took_s:.0f} s; Python {stamp.python}, "
        f"devices: {', '.join(stamp.devices)}",
        markup=False,
    )


def _beforehand(todo: InstallPlan) -> Iterator[str]:
    lock = todo.lock
    how = f"{lock.n_packages} locked packages" if lock else "the newest packages that fit, without a lock"
    size = f"about {in_bytes(lock.size_bytes)} (measured on {lock.platform})" if lock else "size unknown"
    yield f"{todo.spec.name}: {', '.join(todo.requirements)}; {how}"
    yield f"  into {todo.folder}"
    yield f"  with Python {todo.python.version} at {todo.python.path}, {'uv' if todo.uv else 'venv and pip'}"
    yield f"  {size}; {in_bytes(todo.free_bytes)} free"


@contextmanager
def _status(name: str, size: Callable[[], int]) -> Iterator[Callable[[str], None]]:
    """Show the progress: in a terminal one changing line with time and size; otherwise one line per step."""
    from rich.text import Text

    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda line: screen.print(f"  {_short(line)}", markup=False) if _TOLD.match(line) else None
        return
    started, done, now = time.monotonic(), threading.Event(), ["starting"]

    def follow(line: str) -> None:
        if _TOLD.match(line):
            now[0] = _short(line)

    with screen.status(name) as status:

        def refresh() -> None:
            while not done.wait(_SIZE_EVERY_S):
                took_s = time.monotonic() - started
                status.update(Text(f"{name}  {took_s:.0f} s  {in_bytes(size())}  {now[0]}"))

        thread = threading.Thread(target=refresh, daemon=True)
        thread.start()
        try:
            yield follow
        finally:
            done.set()
            thread.join()


def _short(line: str) -> str:
    width = shutil.get_terminal_size().columns - 30 if sys.stderr.isatty() else 110
    return line if len(line) <= width else f"{line[: width - 1]}…"
