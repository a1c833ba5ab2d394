from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import clip, heard
from tests.scoring.stats.simulation import corpus

from earwitness.cli import main
from earwitness.comparison.ranking import PairTest, rank
from earwitness.records.record import ClipResult
from earwitness.reports.statistics import pair_sentence, pair_sentences
from earwitness.scoring.stats.significance import Difference
from earwitness.types import ClipScore, Edits


def results(errors: np.ndarray, lengths: np.ndarray, recordings: np.ndarray) -> list[ClipResult]:
    found = []
    for n, (e, length, recording) in enumerate(
        zip(errors.tolist(), lengths.tolist(), recordings.tolist(), strict=True)
    ):
        one = clip(f"c{n}", "x", recording=f"r{recording}", speaker=f"s{recording % 3}")
        score = ClipScore(one.id, Edits(hits=max(0, length - e), substitutions=min(e, length)), None, False, length)
        found.append(ClipResult(one, heard("x", one.id), score))
    return found


def models(n_recordings: int = 40, seed: int = 0) -> dict[str, list[ClipResult]]:
    """A is clearly better than B; C is like A."""
    a, b, lengths, recordings = corpus(np.random.default_rng(seed), n_recordings, rate=0.15)
    better = np.random.default_rng(seed + 1).binomial(a, 0.5)
    twin = np.random.default_rng(seed + 2).binomial(a, 0.5)
    return {"b": results(b, lengths, recordings), "a": results(better, lengths, recordings),
            "c": results(twin, lengths, recordings)}  # fmt: skip


def test_models_that_cannot_be_told_apart_share_a_range_of_ranks() -> None:
    found = rank(models())
    assert {label: str(ranks) for label, ranks in found.ranks.items()} == {"a": "1–2", "c": "1–2", "b": "3"}
    assert {(pair.first, pair.second): pair.told_apart for pair in found.pairs if "b" in (pair.first, pair.second)} == {
        ("a", "b"): True,
        ("c", "b"): True,
    }


def test_the_first_of_a_pair_has_the_lower_rate_and_only_ties_are_planned() -> None:
    for pair in rank(models()).pairs:
        assert (pair.difference.value or 0) >= 0
        assert (pair.plan is None) == pair.told_apart
        assert pair.p is not None
        assert pair.p >= (pair.difference.p or 0)


def test_a_pair_is_told_in_a_sentence() -> None:
    sentences = pair_sentences(rank(models()).pairs)
    assert len(sentences) == 3
    better = next(s for s in sentences if "is better than" in s)
    assert "points [" in better
    assert "of WER (p " in better
    tie = next(s for s in sentences if "tie" in s)
    assert "of recordings like these would separate them" in tie


def test_one_speaker_short_of_four_gives_ties_with_the_reason() -> None:
    found = rank(models(), by="speaker")
    assert {str(ranks) for ranks in found.ranks.values()} == {"1–3"}
    assert "it takes at least 4 recordings, and there are 3" in pair_sentence(found.pairs[0])


def test_many_pairs_are_summed_up() -> None:
    (a, *_) = models(12).values()
    sentences = pair_sentences(rank({f"m{n}": a for n in range(6)}).pairs)
    assert len(sentences) == 6
    assert sentences[-1] == "15 of all 15 pairs tie"


def test_the_same_texts_twice_are_a_tie_whose_need_cannot_be_told() -> None:
    (a, *_) = models(12).values()
    (pair,) = rank({"one": a, "two": a}).pairs
    assert (pair.p, pair.told_apart) == (1.0, False)
    assert "cannot be told: they made the same number of errors" in pair_sentence(pair)


def test_unlabelled_clips_do_not_count() -> None:
    silent = ClipResult(clip("u", None), heard("x", "u"), ClipScore("u", None, None, False, 1))
    one = models(12)
    assert rank({label: [*rows, silent] for label, rows in one.items()}) == rank(one)


def test_without_references_every_rank_is_open() -> None:
    silent = [ClipResult(clip("u", None), heard("x", "u"), ClipScore("u", None, None, False, 1))]
    found = rank({"one": silent, "two": silent})
    assert {str(ranks) for ranks in found.ranks.values()} == {"1–2"}
    assert "the references have no words" in pair_sentence(found.pairs[0])


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Real runs of two scripted models over eight clips of two kinds, in a folder of their own."""
    import soundfile

    rows, good, bad = [], {}, {}
    for n in range(1, 9):
        samples = 0.1 * np.sin(np.arange(16_000 * n // 4) * 0.3) * (np.arange(16_000 * n // 4) % 8000 > 2000)
        soundfile.write(tmp_path / f"{n}.wav", samples, 16_000)
        said = f"Please call Weiss at {n} now."
        rows.append({"audio_filepath": f"{n}.wav", "text": said, "lang": "en", "id": f"c{n}", "kind": "ab"[n % 2]})
        good[str(len(samples))] = {"text": said}
        bad[str(len(samples))] = {"text": "please fall vice at nine"}
    manifest = tmp_path / "eight.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "names.txt").write_text("Weiss\n")
    from earwitness import data
    from earwitness.engines.catalog import Model
    from earwitness.records.record import RunLimits, Selection
    from earwitness.runs.drive import Job, start
    from earwitness.types import Settings

    for name, script in (("good", good), ("bad", bad)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "script.json").write_text(json.dumps(script))
        model = Model(f"fake:{name}", "fake", f"fake/{name}", sources=(f"path:{folder}",))
        job = Job(model=model, folder=folder, weights_sha256="0" * 64, dataset=data.load(manifest),
                  selection=Selection(str(manifest)), settings=Settings(), limits=RunLimits(warmup=0))  # fmt: skip
        start(job, tmp_path / "runs", lambda *_: None)
    return tmp_path


@pytest.fixture
def earwitness(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command in a folder and returns what it prints."""

    def command(where: Path, *arguments: str) -> Any:
        monkeypatch.chdir(where)
        code = main(arguments)
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return json.loads(printed.out) if "--json" in arguments else printed.out

    return command


def test_every_statistic_can_be_had_from_the_command_line(
    records: Path, cache: Path, earwitness: Callable[..., Any]
) -> None:
    (table,) = earwitness(records, "compare", "runs", "--json")["tables"]
    assert [row["rank"] for row in table["rows"]] == ["1", "2"]
    assert table["pairs"][0]["told_apart"] is True
    assert "fake:good is better than fake:bad by" in earwitness(records, "compare", "runs")

    plan = earwitness(records, "plan", "runs", "--width", "0.5", "--json")
    assert plan["n_clusters"] == 8
    assert plan["width"]["fake:good"]["reason"] == "every recording has the same rate, so its spread is unknown"
    assert "0 min" in earwitness(records, "plan", "runs") or "9 s of labelled audio" in earwitness(
        records, "plan", "runs"
    )

    kind, snr = earwitness(records, "analyze", "slices", "runs", "--by", "kind", "--by", "snr", "--json")
    assert kind["models"]["fake:good"]["gap"]["value"] == 0
    assert {part["value"] for part in kind["drivers"][0]["slices"]} == {"a", "b"}
    assert snr["by"] == "snr"
    assert len(list((cache / "snr").iterdir())) == 1
    assert "fake:bad against fake:good" in earwitness(records, "analyze", "slices", "runs")

    assert earwitness(records, "analyze", "sensitivity", "runs", "--json")["flips"] == []
    assert "No rank flips." in earwitness(records, "analyze", "sensitivity", "runs")

    terms = earwitness(records, "analyze", "terms", "runs", "--terms", "names.txt", "--json")
    assert {s["metric"]: s["value"] for s in terms["fake:bad"]["scores"]}["term_recall"] == 0.0
    assert "fake:bad missed Weiss in 8 of 8 places" in earwitness(
        records, "analyze", "terms", "runs", "--terms", "names.txt"
    )

    (pair,) = earwitness(records, "analyze", "pairs", "runs", "--json")
    assert pair["mapsswe"]["n_segments"] >= 8
    assert "differ" in earwitness(records, "analyze", "pairs", "runs")


def test_score_takes_terms_too(tmp_path: Path, earwitness: Callable[..., Any]) -> None:
    (tmp_path / "ref.txt").write_text("call Weiss at five\nno\n")
    (tmp_path / "hyp.txt").write_text("call vice at five\nno\n")
    (tmp_path / "terms.txt").write_text("Weiss\n")
    answer = earwitness(tmp_path, "score", "ref.txt", "hyp.txt", "--terms", "terms.txt", "--json")
    assert answer["term_recall"]["value"] == 0.0
    assert answer["terms"] == [{"term": "Weiss", "said": 1, "heard": 0, "found": 0}]
    assert "Term recall" in earwitness(tmp_path, "score", "ref.txt", "hyp.txt", "--terms", "terms.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyze", "slices", "runs", "--by", "accent"), "No clip has a 'accent'"),
        (("plan", "runs", "--cluster", "day"), "There is no unit 'day'. Choose recording or speaker."),
        (("analyze", "terms", "runs", "--terms", "none.txt"), "There is no file 'none.txt'"),
    ],
)
def test_a_user_s_mistake_is_one_sentence(
    records: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(records)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_pair_that_is_told_apart_with_an_interval_around_0_is_not_said_to_be_known_in_size() -> None:
    wide = Difference(0.155, (-0.168, 0.357), 0.008, 0.2, 8, 8)
    told = pair_sentence(PairTest("a", "b", wide, 0.012, told_apart=True, plan=None))
    assert told == (
        "a is better than b by 15.5 points [-16.8, 35.7] of WER (p = 0.012); "
        "that it is better can be told from 8 recordings, by how much cannot"
    )
    narrow = replace(wide, ci95=(0.01, 0.357))
    assert "cannot" not in pair_sentence(PairTest("a", "b", narrow, 0.012, told_apart=True, plan=None))
