"""The promise on the errors of real models, whose references are hidden: right on average, sure enough, and narrower.

``counts/telephony-en.json`` has numbers by clip of three models over the corpus telephony-en, and no texts; it says how
it was made. ``counts/telephony-es.json`` has one model, so no proxy, over a corpus from which no constant was taken.
``benchmarks/few_labels.py`` prints the whole tables.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.few_labels import CountsFile, experiment, labellings, read, strata_of_plan, summary

from earwitness.labels.pool import Rate
from earwitness.scoring.stats.survey import SurveyPool

ROUNDS = 150


@pytest.fixture(scope="module")
def counts() -> CountsFile:
    return read(Path(__file__).parent / "counts" / "telephony-en.json")


@pytest.mark.parametrize("model", range(3))
@pytest.mark.parametrize("n_labels", [40, 80])
def test_the_interval_holds_the_hidden_rate_and_the_estimate_is_right_on_average(
    counts: CountsFile, model: int, n_labels: int
) -> None:
    planned, plain = experiment(counts, model, n_labels, ROUNDS)
    assert planned.coverage >= 0.92
    assert abs(planned.bias) < 4 * planned.spread / ROUNDS**0.5
    assert planned.spread < 0.75 * plain.spread
    assert planned.coverage > plain.coverage - 0.02


def test_the_difference_of_two_models_holds_its_truth(counts: CountsFile) -> None:
    planned, plain = experiment(counts, 1, 80, ROUNDS, other=2)
    assert planned.coverage >= 0.92
    assert planned.spread < 0.5 * plain.spread


def test_a_useless_proxy_is_no_worse_than_the_same_labels_alone(counts: CountsFile) -> None:
    strata, each = strata_of_plan(counts, 60)
    errors, words = counts.errors[0], counts.words
    truth = float(errors.sum() / words.sum())
    noise = np.random.default_rng(0).permutation(counts.guesses[2])
    spread = [
        summary(
            labellings(
                SurveyPool(strata, guess, counts.lengths[0], np.arange(len(words))), errors, words, each, ROUNDS
            ),
            truth,
        ).spread
        for guess in (noise, np.zeros(len(words)))
    ]
    assert spread[0] < 1.1 * spread[1]


@pytest.mark.parametrize("rate", ["wer", "cer"])
@pytest.mark.parametrize("n_labels", [20, 80])
def test_without_a_proxy_the_interval_holds_on_a_corpus_that_nothing_was_tuned_on(rate: Rate, n_labels: int) -> None:
    spanish = read(Path(__file__).parent / "counts" / "telephony-es.json", rate)
    planned, plain = experiment(spanish, 0, n_labels, ROUNDS)
    assert planned.coverage >= 0.95
    assert planned.coverage > plain.coverage
    assert abs(planned.bias) < 4 * planned.spread / ROUNDS**0.5
    assert planned.spread < plain.spread


def test_a_plan_for_a_difference_needs_fewer_labels_than_a_plan_for_the_rates(counts: CountsFile) -> None:
    planned, _ = experiment(counts, 1, 40, 60, other=0, goal="difference")
    by_rates, _ = experiment(counts, 1, 40, 60, other=0)
    assert planned.coverage >= 0.9
    assert planned.width < 0.5 * by_rates.width
