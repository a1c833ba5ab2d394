"""How long the labelling page takes to open over a pool of 100,000 clips. Target: under 2 s.

python benchmarks/label_page.py [CLIPS]

The clips are spans of one file of noise, read from a manifest. "Opens" is everything that a browser asks for until the
first clip can be played: the page, its parts, the clip, its outline and its sound. Nothing is decoded before. On a
machine that does other work, the computing of this process says more than the clock.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soundfile

from earwitness.counts import megabytes
from earwitness.data.dataset import load
from earwitness.labels.page.run import PageSite, running_page
from earwitness.labels.page.session import LabelSession, LabelTask
from earwitness.types import Clip
from earwitness.workers.host_memory import peak_rss_bytes

_T = TypeVar("_T")
N_CLIPS = 100_000
N_LABELS = 60
SPAN_S = 2.0
RATE_HZ = 8_000
PARTS = (
    "static/page.css",
    "static/page.js",
    "static/outbox.js",
    "static/player.js",
    "static/server.js",
    "static/words.js",
)


def main() -> None:
    n_clips = int(sys.argv[1]) if len(sys.argv) > 1 else N_CLIPS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = write_pool(folder, n_clips)
        dataset = timed("read the manifest", lambda: load(manifest))
        order = np.random.default_rng(0).permutation(len(dataset.clips))
        units = tuple(dataset.clips[place] for place in order)
        session = timed("begin the session", lambda: begin(folder, units))
        with running_page(session, PageSite(port=0)) as (url, _, _):
            timed("open the page, first time", lambda: open_page(url, 0))
            timed("open the page, second time", lambda: open_page(url, 1))
            timed(f"{N_LABELS} labels and next clips", lambda: label(url))
    print(f"{n_clips:,} clips, peak memory {megabytes(peak_rss_bytes())} MB")


def write_pool(folder: Path, n_clips: int) -> Path:
    seconds = 600.0
    noise = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    soundfile.write(folder / "noise.wav", noise, RATE_HZ)
    starts = np.linspace(0, seconds - SPAN_S, n_clips).round(4)
    rows = (
        {"audio_filepath": "noise.wav", "offset": float(start), "duration": SPAN_S, "id": f"clip {number}"}
        for number, start in enumerate(starts)
    )
    manifest = folder / "pool.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return manifest


def begin(folder: Path, units: tuple[Clip, ...]) -> LabelSession:
    return LabelSession(LabelTask("pool", units, N_LABELS, folder / "pool.labels.jsonl", "ana"))


def timed(what: str, act: Callable[[], _T]) -> _T:
    started, cpu = time.perf_counter(), time.process_time()
    found = act()
    spent = time.process_time() - cpu
    print(f"{what:<28} {time.perf_counter() - started:7.2f} s, of which {spent:6.2f} s of computing")
    return found


class Browser:
    """What a browser asks for, over one connection."""

    def __init__(self, url: str) -> None:
        """Take the token from the address."""
        parts = urlsplit(url)
        self.connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        token = parse_qs(parts.query)["token"][0]
        self.headers = {"origin": f"http://{parts.netloc}", "x-earwitness-token": token}

    def ask(self, path: str, body: Any = None) -> bytes:
        """Return an answer; without a body by GET."""
        content = None if body is None else json.dumps(body)
        self.connection.request("GET" if body is None else "POST", f"/{path}", content, self.headers)
        answer = self.connection.getresponse()
        found = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {found[:200]!r}")
        return found


def open_page(url: str, tab: int) -> None:
    browser = Browser(url)
    for part in ("", *PARTS):
        browser.ask(part)
    clip = json.loads(browser.ask("api/next", {"author": f"person {tab}", "tab": f"{tab}"}))
    browser.ask("api/state", {"author": f"person {tab}", "tab": f"{tab}", "unit": clip["unit"]})
    browser.ask(f"api/units/{clip['unit']}")
    browser.ask(f"audio/{clip['unit']}.wav")


def label(url: str) -> None:
    browser = Browser(url)
    person = {"author": "person 2", "tab": "2"}
    for number in range(N_LABELS):
        clip = json.loads(browser.ask("api/next", person | {"beyond": True}))
        said = {"client_id": str(number), "unit": clip["unit"], "verdict": "text", "text": "hello", "seconds": 1.0}
        browser.ask("api/labels", person | said)


if __name__ == "__main__":
    main()
