"""How a cluster scales, and what the driver and a merge cost, with an engine that sleeps: python cluster_scaling.py.

    scaling    one, two and four nodes of Ray on this machine, the same clips: the ratio of their times
    overhead   the driver's time for a clip: a run over nodes that answer at once, divided by its clips
    driver     the driver's memory for a clip: a run of a tenth of --clips over nodes in this process
    merge      a million clips, or as many as --clips says: planning their shards, merging them, and peak memory

Nothing here computes, so that a machine of two cores can show it. Ray's start is not in the times.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.cluster.fake_backend import FakeBackend, node
from tests.cluster.ray_cluster import nodes
from tests.runs.jobs import job, quiet

from earwitness import weights
from earwitness.cluster.drive import over_cluster
from earwitness.cluster.link import ray_session
from earwitness.cluster.ray_backend import RayBackend
from earwitness.data.shards import part_of, starts
from earwitness.records import store
from earwitness.records.merge import merge
from earwitness.runs.drive import Turn, begin, start
from earwitness.runs.job import Job
from earwitness.types import Edits
from earwitness.workers.host_memory import peak_rss_bytes


def sleeping(folder: Path, n: int, sleep_s: float) -> Job:
    """A job of n clips, each of which sleeps."""
    soundfile.write(folder / "a.wav", np.zeros(16_000, np.float32), 16_000)
    rows = [{"audio_filepath": "a.wav", "text": "one", "id": f"c{number}"} for number in range(n)]
    manifest = folder / "clips.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = job(folder / "m", manifest, {"*": {"text": "one", "sleep_s": sleep_s}})
    return replace(found, weights_sha256=weights.fingerprint(found.model))


def scaling(folder: Path, n_clips: int, sleep_s: float) -> None:
    """Print the time of the same clips on one, two and four nodes, from the first result to the last."""
    work = sleeping(folder, n_clips, sleep_s)
    first = None
    with nodes(4) as cluster:
        for n in (1, 2, 4):
            with ray_session(f"ray://{cluster.address}") as ray:
                backend = Limited(ray, n)
                backend.nodes()
                at: list[float] = []
                began_s = time.perf_counter()
                over_cluster([Turn(work, lambda *_, at=at: at.append(time.perf_counter()))], folder / str(n), backend)
                backend.close()
            whole_s, steady_s = at[-1] - began_s, at[-1] - at[n - 1]
            rate = (len(at) - n) / steady_s
            first = first or rate
            print(f"{n} nodes: {whole_s:.1f} s with start, {rate:.2f} clips/s steady, ratio {rate / first:.2f}")


class Limited(RayBackend):
    """A backend of the first nodes alone."""

    def __init__(self, ray: Any, n: int) -> None:
        """Take the module, and how many nodes to see."""
        super().__init__(ray)
        self._n = n

    def nodes(self) -> Any:
        """Return the first nodes."""
        return list(super().nodes())[: self._n]


def overhead(folder: Path, n_clips: int) -> None:
    """Print what the driver spends on a clip: with nodes in this process, and with one of Ray."""
    work = sleeping(folder, n_clips, 0.0)
    began_s = time.perf_counter()
    over_cluster([Turn(work, quiet)], folder / "fake", FakeBackend([node(n) for n in range(4)]))
    print(f"driver alone: {1000 * (time.perf_counter() - began_s) / n_clips:.2f} ms a clip, record included")
    with nodes(1) as cluster, ray_session(f"ray://{cluster.address}") as ray:
        backend = RayBackend(ray)
        at: list[float] = []
        used_s = time.process_time()
        over_cluster([Turn(work, lambda *_: at.append(time.perf_counter()))], folder / "ray", backend)
        used_s = time.process_time() - used_s
        backend.close()
    print(f"one node of Ray: {1000 * (at[-1] - at[0]) / (n_clips - 1):.2f} ms a clip in all (worker, node and driver)")
    print(f"one node of Ray: {1000 * used_s / n_clips:.2f} ms of the driver's processor a clip")
    at.clear()
    start(work, folder / "one", lambda *_: at.append(time.perf_counter()))
    print(f"one machine without Ray: {1000 * (at[-1] - at[0]) / (n_clips - 1):.2f} ms a clip")


def driver(folder: Path, n_clips: int) -> None:
    """Print what data, and then a run over nodes that answer at once, add to the peak of this process's memory."""
    peaks_bytes = [peak_rss_bytes() or 0]
    work = sleeping(folder, n_clips, 0.0)
    peaks_bytes.append(peak_rss_bytes() or 0)
    over_cluster([Turn(work, quiet)], folder / "fake", FakeBackend([node(n) for n in range(4)]))
    peaks_bytes.append(peak_rss_bytes() or 0)
    data, results = ((after - before) / n_clips for before, after in pairwise(peaks_bytes))
    print(f"driver: {data:.0f} bytes a clip for the data, {results:.0f} for its result, over {n_clips:,} clips")


def many(folder: Path, n_clips: int, n_shards: int) -> None:
    """Print time and memory of planning and merging shards of so many clips."""
    small = sleeping(folder, 8, 0.0)
    (line,) = store.read_clips(start(replace(small, dataset=part_of(small.dataset, "1/8")), folder / "one", quiet))
    template = small.dataset.clips[0]
    clips = tuple(replace(template, id=f"c{n}", recording=f"r{n // 50}") for n in range(n_clips))
    from earwitness.data.clips import fingerprint

    whole = replace(small.dataset, clips=clips, sha256=fingerprint(clips))
    began_s = time.perf_counter()
    starts([clip.duration_s for clip in clips], n_shards)
    print(f"planning {n_shards} shards of {n_clips:,} clips: {time.perf_counter() - began_s:.2f} s")
    for number in range(1, n_shards + 1):
        text = f"{number}/{n_shards}"
        part = replace(small, dataset=part_of(whole, text), selection=replace(small.selection, shard=text))
        path, run = begin(part, folder / "shards")
        with store.clips_path(path).open("ab") as file:
            for n, clip in enumerate(part.dataset.clips):
                hypothesis = replace(line.hypothesis, clip_id=clip.id)
                edits = Edits(hits=5 + n % 7, substitutions=int(n % 11 == 0), insertions=int(n % 13 == 0))
                score = replace(line.score, clip_id=clip.id, words=edits, chars=edits)
                store.append(file, replace(line, clip=clip, hypothesis=hypothesis, score=score))
        store.write_run(path, store.seal_record(path, replace(run, status="complete", process=None)))
    size = sum(path.stat().st_size for path in (folder / "shards").rglob("*.clips.jsonl"))
    command = [sys.executable, __file__, "--merge-only", str(folder)]
    import subprocess

    print(f"merging {n_clips:,} clips ({size / 1e6:.0f} MB):", flush=True)
    subprocess.run(command, check=True)


def merge_only(folder: Path) -> None:
    """Merge in a process of its own, so that the peak is that of the merge."""
    began_s = time.perf_counter()
    (result,) = merge(store.find_records([folder / "shards"]), folder / "merged")
    took_s, peak_bytes = time.perf_counter() - began_s, peak_rss_bytes() or 0
    print(f"{result.outcome}: {took_s:.0f} s, {peak_bytes / 1e9:.2f} GB at its peak")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", default=["scaling", "overhead", "driver", "merge"])
    arguments.add_argument("--clips", type=int, default=1_000_000)
    arguments.add_argument("--sleep-s", type=float, default=1.0)
    arguments.add_argument("--merge-only", type=Path)
    given = arguments.parse_args()
    if given.merge_only:
        merge_only(given.merge_only)
        return
    for what in given.what:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if what == "scaling":
                scaling(folder, 80, given.sleep_s)
            elif what == "overhead":
                overhead(folder, 500)
            elif what == "driver":
                driver(folder, given.clips // 10)
            else:
                many(folder, given.clips, 8)


if __name__ == "__main__":
    main()
