"""Runs the labelling page: binds, opens the browser, serves until Ctrl-C, and sums up."""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from earwitness.errors import AudioError, UsageError
from earwitness.files.fetch import cache_dir
from earwitness.files.loopback import is_loopback
from earwitness.labels.page.access import ACCESS_KEY, PageDoor, token_for
from earwitness.labels.page.app import build_page
from earwitness.labels.page.session import LabelSession, LabelTask
from earwitness.labels.page.sounds import ClipSounds
from earwitness.types import Clip

PORT = 8377
"""The port unless another is named."""
_N_PORTS = 20
_NEEDED = ("starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class PageSite:
    """Where the page is served."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = PORT
    """The first port to try; 0 for any."""
    allows_network: bool = False
    """Whether ``host`` may be an address that other machines reach."""


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What one start of the page brought."""

    n_labels: int
    """Labels that were made since it started, by all pages and servers, without those that were taken back."""
    n_done: int
    """Clips of the plan with a label."""
    n_planned: int
    """Clips of the plan."""
    units: str
    """What the plan has: clips, spans of long clips, or both."""
    minutes: float
    """Minutes of work on the new labels, without pauses."""
    estimate: tuple[str, ...]
    """The estimate so far, as the page shows it."""
    overlay: Path
    """Where the labels are."""


def serve_page(task: LabelTask, site: PageSite, on_listen: Callable[[str, int], None]) -> LabelSummary:
    """Serve the page until Ctrl-C.

    Args:
        task: What is to be labelled.
        site: Where.
        on_listen: Called once with the address, which has the token in it, and the port that was taken.

    Raises:
        UsageError: When the extra ``serve`` is not installed, the address is no loopback address and nobody allowed
            that, or no port is free.
    """
    session = LabelSession(task)
    n_before = len(session.labels())
    with running_page(session, site) as (url, port, end):
        on_listen(url, port)
        try:
            while not end.wait(timeout=0.2):
                pass
        except KeyboardInterrupt:
            pass
    return summary_of(session, n_before)


@contextmanager
def running_page(session: LabelSession, site: PageSite) -> Iterator[tuple[str, int, threading.Event]]:
    """Run the page in a thread; yields its address, its port, and what is set when it ends by itself.

    Raises:
        UsageError: As ``serve_page``.
    """
    missing = next((name for name in _NEEDED if find_spec(name) is None), None)
    if missing is not None:
        raise UsageError(f"The page needs {missing!r}, which is not installed. Run: pip install 'earwitness[serve]'")
    import uvicorn

    if not is_loopback(site.host) and not site.allows_network:
        raise UsageError(
            f"Anybody who reaches {site.host} could listen to the recordings. If that is meant, add --allow-network."
        )
    token = token_for(session.task.overlay, cache_dir() / "label-tokens")
    with _bound(site) as bound, tempfile.TemporaryDirectory(prefix="earwitness-label-") as folder:
        port = bound.getsockname()[1]
        app = build_page(session, ClipSounds(Path(folder)), PageDoor(token, site.host, port))
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, ws="none", lifespan="off",
            proxy_headers=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        # Waiting for an event: in Python 3.11, Ctrl-C in the midst of a thread's ``join`` takes the thread for ended.
        end = threading.Event()

        def run() -> None:
            try:
                server.run(sockets=[bound])
            finally:
                end.set()

        threading.Thread(target=_warm, args=(session.task.units[:1],), daemon=True).start()
        threading.Thread(target=run, daemon=True).start()
        name = "127.0.0.1" if site.host in ("0.0.0.0", "::") else site.host  # noqa: S104 - compared, not bound
        try:
            yield f"http://{f'[{name}]' if ':' in name else name}:{port}/?{ACCESS_KEY}={token}", port, end
        finally:
            server.should_exit = True
            end.wait(timeout=10)


def summary_of(session: LabelSession, n_before: int) -> LabelSummary:
    """Return what was labelled since the overlay had ``n_before`` lines."""
    from earwitness.labels.label import current_labels

    labels = session.labels()
    current = {id(label) for label in current_labels(labels).values()}
    new = [label for label in labels[n_before:] if id(label) in current]
    done = {clip_id for clip_id, *_ in current_labels(labels)}
    planned = session.task.units[: session.task.n_labels]
    return LabelSummary(
        n_labels=len(new),
        n_done=sum(clip.id in done for clip in planned),
        n_planned=len(planned),
        units=session.units,
        minutes=sum(label.seconds_spent or 0.0 for label in new) / 60,
        estimate=session.estimate(),
        overlay=session.task.overlay,
    )


def open_browser(url: str) -> bool:
    """Open the page in the user's browser, if there are a terminal and a display; return whether it was asked to."""
    import webbrowser

    shows = sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return bool(sys.stderr.isatty() and shows and webbrowser.open(url))


def _warm(units: Sequence[Clip]) -> None:
    """Start the decoder while the browser starts, by reading a header."""
    from earwitness.audio import probe

    for unit in units:
        with suppress(AudioError):
            probe(unit.audio_path)


def _bound(site: PageSite) -> socket.socket:
    """Listen on the first free port from the one that was named."""
    for port in [site.port] if site.port == 0 else range(site.port, min(site.port + _N_PORTS, 65_536)):
        bound = socket.socket(socket.AF_INET6 if ":" in site.host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((site.host, port))
            bound.listen(128)
        except OSError as error:
            bound.close()
            if error.errno == errno.EADDRINUSE:
                continue
            raise UsageError(f"Cannot listen on {site.host!r}, port {port}: {error.strerror or error}.") from None
        return bound
    raise UsageError(f"The ports from {site.port} to {site.port + _N_PORTS - 1} are in use. Name another with --port.")
