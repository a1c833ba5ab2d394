"""A report of 100,000 clips: how long it takes to make, and how long Chromium takes to open it.

    python benchmarks/report_size.py [--clips 100000] [--models 2]

The records are synthetic: English sentences of 6 to 24 words in recordings of 20 clips, of which each model gets some
words wrong; texts are scored as in a run. Their audio does not exist, so none is put into the page. Made: the command
itself, in a process of its own, from reading the records to the last file. Opened: from the request for the file to the
moment when the list of clips and one clip's words stand in the page, in Debian's Chromium without a screen. Targets: 30
seconds and 3 seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from earwitness import data
from earwitness.engines.catalog import Model
from earwitness.records import store
from earwitness.records.record import Run, RunLimits, Selection
from earwitness.records.rescore import score_result, score_run
from earwitness.runs.drive import Job, start
from earwitness.scoring.metrics.timing import speed
from earwitness.types import Clip, Hypothesis, Segment, Settings, Transcript

READY = "return document.documentElement.dataset.ready !== undefined && document.querySelector('#detail h3') !== null"
WORDS = re.findall(
    r"\w+",
    "the a of and to in he she it they was had said when where over under small large house river stone morning "
    "evening people children market window letter answer question never always quietly north south number twenty",
)


def pattern(folder: Path) -> Run:
    """Return a real record, of one short clip, to make the large ones of."""
    model = Model("fake:echo", "fake", "fake/echo")
    job = Job(
        model=model,
        folder=None,
        weights_sha256=None,
        dataset=data.load("sample", limit=1),
        selection=Selection("sample", limit=1),
        settings=Settings(),
        limits=RunLimits(warmup=0),
    )
    return store.read_run(start(job, folder, lambda *_: None))


def write(root: Path, number: int, n_clips: int, like: Run) -> Path:
    """Write one model's record over the clips, and return its path."""
    from dataclasses import replace

    told, heard = random.Random(0), random.Random(number + 1)
    path = store.reserve(store.record_folder(root, f"fake:model-{number}"), "2026-01-01_00-00-00")
    results = []
    with store.clips_path(path).open("wb") as file:
        for n in range(n_clips):
            words = told.choices(WORDS, k=told.randint(6, 24))
            seconds = len(words) / 2.5
            tags = {"domain": told.choice(["news", "talk", "phone", "read"]), "room": f"room {n % 7}"}
            clip = Clip(f"clip-{n:06}", f"/gone/{n // 20}.wav", "", 0.0, seconds, " ".join(words).capitalize() + ".",
                        "en", f"speaker {n // 200}", f"recording {n // 20}", tags=tags)  # fmt: skip
            said = [heard.choice(WORDS) if heard.random() < 0.04 * (number + 1) else word for word in words]
            text = " ".join(said).capitalize() + "."
            transcript = Transcript(text, (Segment(0.0, seconds, text),))
            hypothesis = Hypothesis(clip.id, transcript, None, seconds, 0.01, seconds * heard.uniform(0.05, 0.2))
            results.append(score_result(clip, hypothesis, like.scoring))
            # As store.append writes, without handing every line to the system.
            file.write(json.dumps(asdict(results[-1]), ensure_ascii=False).encode() + b"\n")
    dataset = replace(like.dataset, name="synthetic", sha256="0" * 64, n_clips=n_clips,
                      audio_s=sum(result.clip.duration_s for result in results))  # fmt: skip
    run = replace(
        like,
        id=store.new_run_id(f"fake:model-{number}"),
        model=replace(like.model, id=f"fake:model-{number}"),
        dataset=dataset,
        scores=score_run(results, like.scoring),
        speed=speed(result.hypothesis for result in results),
        clips_file=replace(like.clips_file, name=store.clips_path(path).name),
    )
    store.write_run(path, store.seal_record(path, run))
    return path


def opened_s(page: Path, profile: Path) -> float | None:
    """Return how long Chromium takes to open the page; ``None`` where there is no Chromium."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        return None
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(str(programs[1])))
    try:
        started = time.perf_counter()
        driver.get(page.as_uri())
        WebDriverWait(driver, 60, poll_frequency=0.02).until(lambda d: d.execute_script(READY))
        return time.perf_counter() - started
    finally:
        driver.quit()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        like = pattern(root / "pattern")
        for number in range(arguments.models):
            write(root / "runs", number, arguments.clips, like)
        command = [
            sys.executable,
            "-m",
            "earwitness",
            "report",
            str(root / "runs"),
            "--out",
            str(root / "out"),
            "--json",
        ]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        made_s = time.perf_counter() - started
        told = json.loads(done.stdout)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"{told['clips']:,} clips by {arguments.models} models: made in {made_s:.1f} s, at most {memory:.0f} MB")
        found = opened_s(Path(told["page"]), root / "profile")
        shown = "not opened: there is no Chromium here" if found is None else f"opened in {found:.2f} s"
        print(f"report.html, {told['page_bytes'] / 1e6:.1f} MB: {shown}")


if __name__ == "__main__":
    main()
