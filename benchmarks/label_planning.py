"""How long it takes to plan the labels of 100,000 clips.

    python benchmarks/label_planning.py [--clips 100000] [--labels 500]

The texts of three models are made up. "signals" is all that is computed from texts: distances between the models' words
and the consensus; "plan" is the rest: strata, shares, order. Seconds are of processor time of one process. Target: the
two together under 20 s.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from earwitness.labels.plan import plan_labels
from earwitness.labels.pool import LabelPool, PoolTexts
from earwitness.labels.signals import signals_of
from earwitness.scoring import ScoringOptions
from earwitness.types import Clip

VOCABULARY = [f"word{n}" for n in range(5000)]


def made_pool(n: int, rates: tuple[float, ...] = (0.05, 0.1, 0.3)) -> LabelPool:
    rng = np.random.default_rng(0)
    said = [[VOCABULARY[w] for w in rng.integers(0, 5000, size)] for size in 1 + rng.poisson(8, n)]
    models = []
    for place, rate in enumerate(rates):
        texts = tuple(tuple(w if rng.random() > rate else "wrong" for w in words) for words in said)
        models.append(PoolTexts(f"m{place}", f"f{place}", texts, np.zeros(n, bool)))
    clips = tuple(Clip(f"clip{place:06}", "", "", 0.0, 3.0, None, "en") for place in range(n))
    return LabelPool(clips, tuple(models), ScoringOptions("none"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=500)
    args = parser.parse_args()
    pool = made_pool(args.clips)
    for goal, models in (("wer", pool.labels), ("difference", pool.labels[:2])):
        started = time.process_time()
        signals = signals_of(pool, models, goal)
        middle = time.process_time()
        plan = plan_labels(pool, args.labels, goal=goal, models=models, signals=signals)  # type: ignore[arg-type]
        end = time.process_time()
        print(
            f"{goal}: {args.clips:,} clips, {len(plan.strata)} strata: signals {middle - started:.1f} s, "
            f"plan {end - middle:.1f} s"
        )


if __name__ == "__main__":
    main()
