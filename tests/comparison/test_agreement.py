"""Without references: bounds hold, clones do not win, relatives rank nobody, and premises prove what they can."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.comparison.study import clip, heard, record, said

import earwitness as ew
from earwitness.comparison.agreement import Agreement, ModelAgreement, of_table
from earwitness.comparison.listening import label_need
from earwitness.comparison.pair_agreement import PairAgreement
from earwitness.comparison.table import compare
from earwitness.errors import ComparisonError, UsageError
from earwitness.records import store
from earwitness.scoring import ScoringInfo
from earwitness.types import Clip

HOLDS = ("listening.py", "pair_agreement.py", "texts.py", "api/rank.py")

CLIPS = [clip(f"c{n}", said(10, n), 4.0) for n in range(30)]


def noisy(words: Sequence[str], rate: float, seed: str) -> str:
    """Return a text with about so many words that nobody said, unlike those of any other seed."""
    chance = random.Random(seed)
    return " ".join(f"{seed[:1]}{chance.randrange(99)}" if chance.random() < rate else word for word in words)


def ran(
    root: Path,
    rates: Mapping[str, tuple[float, str]],
    *,
    clips: Sequence[Clip] = CLIPS,
    hide: bool = False,
    scoring: ScoringInfo | None = None,
) -> list[Path]:
    """Write a record for each model, whose errors are made at that rate with that seed."""
    paths = []
    for number, (model, (rate, seed)) in enumerate(rates.items()):
        texts = [noisy((one.reference or "").split(), rate, f"{seed}{one.id}") for one in clips]
        shown = [replace(one, reference=None) if hide else one for one in clips]
        lines = [(one, heard(one, text, 0.1)) for one, text in zip(shown, texts, strict=True)]
        how = scoring or ScoringInfo("none")
        paths.append(record(root, model, "calls", lines, scoring=how, number=number))
    return paths


def agreement_of(root: Path, premises: Mapping[str, float] | None = None) -> Agreement:
    (found,) = ew.rank(root, wer_at_most=premises).datasets
    return found


def model(found: Agreement, label: str) -> ModelAgreement:
    return next(one for one in found.models if one.label == label)


def pair(found: Agreement, *labels: str) -> PairAgreement:
    return next(one for one in found.pairs if {one.first, one.second} == set(labels))


FOUR = {"e:one": (0.05, "a"), "e:two": (0.1, "b"), "e:three": (0.15, "c"), "e:bad": (0.5, "d")}


def test_every_bound_holds_for_the_true_references(tmp_path: Path) -> None:
    paths = ran(tmp_path, FOUR)
    found = agreement_of(tmp_path)
    scores = {store.read_run(path).model.id: store.read_run(path).score("wer") for path in paths}
    for one in found.pairs:
        first, second = scores[one.first], scores[one.second]
        assert first is not None
        assert first.edits is not None
        assert second is not None
        assert second.edits is not None
        assert abs(first.edits.errors - second.edits.errors) <= one.distance <= first.edits.errors + second.edits.errors


def test_references_change_nothing(tmp_path: Path) -> None:
    ran(tmp_path / "open", FOUR)
    ran(tmp_path / "hidden", FOUR, hide=True)
    with_references, without = agreement_of(tmp_path / "open"), agreement_of(tmp_path / "hidden")
    assert [replace(one, record=Path()) for one in with_references.models] == [
        replace(one, record=Path()) for one in without.models
    ]
    assert with_references.pairs == without.pairs


def test_independent_witnesses_rank(tmp_path: Path) -> None:
    ran(tmp_path, FOUR)
    found = agreement_of(tmp_path)
    assert [one.label for one in found.models][-1] == "e:bad"
    assert pair(found, "e:one", "e:bad").order == "tested"
    assert model(found, "e:bad").rank == "4"
    assert model(found, "e:one").rank.startswith("1")
    assert model(found, "e:one").rate == pytest.approx(0.05, abs=0.03)
    assert model(found, "e:bad").rate == pytest.approx(0.5, abs=0.08)


def test_three_clones_win_no_vote(tmp_path: Path) -> None:
    clones = {f"e{n}:whisper-base": (0.4, "w") for n in range(3)}
    ran(tmp_path, {**clones, "e:one": (0.05, "a"), "e:two": (0.05, "b")})
    found = agreement_of(tmp_path)
    assert [one.label for one in found.models[:2]] in (["e:one", "e:two"], ["e:two", "e:one"])
    assert all(model(found, label).rate == pytest.approx(0.4, abs=0.08) for label in clones)
    assert all(model(found, label).judges == ("one", "two") for label in clones)
    assert any("share one vote" in line for line in found.caveats)
    twins = pair(found, "e0:whisper-base", "e1:whisper-base")
    assert twins.same_family
    assert twins.distance == 0
    assert twins.order is None


def test_a_clone_more_changes_no_estimate_of_the_others(tmp_path: Path) -> None:
    ran(tmp_path / "few", FOUR)
    ran(tmp_path / "more", {**FOUR, "f:bad": (0.5, "d"), "g:bad": (0.5, "d")})
    few, more = agreement_of(tmp_path / "few"), agreement_of(tmp_path / "more")
    assert {one.label: one.rate for one in few.models}.items() <= {one.label: one.rate for one in more.models}.items()


def test_relatives_do_not_rank_a_stranger_however_much_they_agree(tmp_path: Path) -> None:
    ran(tmp_path, {"e:whisper-tiny": (0.2, "s"), "e:whisper-base": (0.2, "s"), "e:stranger": (0.02, "a")})
    found = agreement_of(tmp_path)
    assert found.models[-1].label == "e:stranger", "the estimate falls for shared errors"
    assert {one.rank for one in found.models} == {"1–3"}
    assert pair(found, "e:whisper-tiny", "e:stranger").witnesses == ()
    assert any("they share training data" in line for line in found.caveats)


def test_a_known_error_rate_proves_ranks(tmp_path: Path) -> None:
    ran(tmp_path, {"e:whisper-tiny": (0.04, "a"), "e:whisper-base": (0.04, "b"), "e:stranger": (0.7, "c")})
    assert {one.rank for one in agreement_of(tmp_path).models} == {"1–3"}
    found = agreement_of(tmp_path, {"e:whisper-base": 0.1})
    assert pair(found, "e:whisper-base", "e:stranger").order == "proven"
    assert pair(found, "e:whisper-tiny", "e:stranger").order == "proven", "by way of base"
    assert [one.rank for one in found.models] == ["1–2", "1–2", "3"]


def test_two_families_cannot_vote_but_bounds_remain(tmp_path: Path) -> None:
    ran(tmp_path, {"e:one": (0.1, "a"), "e:two": (0.1, "b")})
    found = agreement_of(tmp_path)
    assert [one.rate for one in found.models] == [None, None]
    assert "a vote takes 2 other families of weights, and there is 1" in (found.models[0].reason or "")
    assert found.pairs[0].bound is not None
    assert found.pairs[0].labels.certain == found.pairs[0].n_clips > 0


def test_equal_texts_are_equal_whatever_was_said(tmp_path: Path) -> None:
    ran(tmp_path, {"e:one": (0.1, "a"), "e:two": (0.1, "a")})
    found = agreement_of(tmp_path)
    assert (found.pairs[0].distance, found.n_equal, found.to_hear) == (0, len(CLIPS), ())


def test_without_unit_costs_nothing_is_proven(tmp_path: Path) -> None:
    ran(tmp_path, FOUR, scoring=ScoringInfo("none", compounds=True))
    found = agreement_of(tmp_path, {"e:one": 0.1})
    assert found.unbounded is not None
    assert {one.order for one in found.pairs} <= {None, "tested"}
    assert all(one.bound is None for one in found.pairs)


def test_a_failed_clip_counts_as_silence(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two", "three")):
        lines = [(one, heard(one, None if number == 2 else one.reference, 0.1)) for one in CLIPS[:6]]
        record(tmp_path, f"e:{name}", "calls", lines, scoring=ScoringInfo("none"), number=number)
    found = agreement_of(tmp_path)
    assert model(found, "e:three").n_failed == 6
    assert model(found, "e:three").rate == 1.0


def test_clips_with_the_largest_disagreement_are_heard_first(tmp_path: Path) -> None:
    texts = {"one": ["a b c", "a b c", "a b c"], "two": ["a b x", "x y z", "a b c"]}
    clips = [clip(f"c{n}", ["a", "b", "c"], 2.0) for n in range(3)]
    for number, (name, heards) in enumerate(texts.items()):
        lines = [(one, heard(one, text, 0.1)) for one, text in zip(clips, heards, strict=True)]
        record(tmp_path, f"e:{name}", "calls", lines, scoring=ScoringInfo("none"), number=number)
    assert [(one.clip_id, one.disagreement) for one in agreement_of(tmp_path).to_hear] == [("c1", 3), ("c0", 1)]


def test_labels_stop_when_the_rest_cannot_reverse_the_order() -> None:
    assert label_need([5, 1, 1, 0], [5, -1, -1, 0]).expected == 1
    assert label_need([2, 2, 2, 2], [2, -2, 2, 2]).expected == 4
    assert label_need([1, 0], [0, 0]).expected is None
    assert (label_need([3, 2, 2, 0], None).least, label_need([0, 0], None).least) == (2, 0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-4, 4)), min_size=1, max_size=8))
def test_with_the_certain_labels_an_order_is_known_and_with_fewer_than_the_least_it_never_is(
    clips: list[tuple[int, int]],
) -> None:
    distances = [distance for distance, _ in clips]
    gaps = [max(-distance, min(distance, gap)) for distance, gap in clips]
    need = label_need(distances, gaps)
    assert need.least <= need.certain
    assert need.expected is None or need.least <= need.expected <= need.certain
    largest = sorted(distances, reverse=True)
    few = max(0, need.least - 1)
    assert sum(largest[:few]) <= sum(largest[few:]), "the rest could still outweigh the labels"


def test_a_table_without_references_has_an_agreement_and_one_with_references_has_none(tmp_path: Path) -> None:
    (hidden,) = compare(ran(tmp_path / "hidden", FOUR, hide=True)).tables
    (labelled,) = compare(ran(tmp_path / "open", FOUR)).tables
    assert of_table(hidden) is not None
    assert of_table(labelled) is None


def test_what_cannot_be_ranked_is_refused_in_one_sentence(tmp_path: Path) -> None:
    ran(tmp_path, {"e:one": (0.1, "a")})
    with pytest.raises(ComparisonError, match="two complete runs over the same data"):
        ew.rank(tmp_path)
    ran(tmp_path, {"e:one": (0.1, "a"), "e:two": (0.1, "b")})
    with pytest.raises(UsageError, match="There is no run 'e:on' whose WER could be known"):
        ew.rank(tmp_path, wer_at_most={"e:on": 0.1})
    with pytest.raises(UsageError, match="must be a ratio from 0 to 1"):
        ew.rank(tmp_path, wer_at_most={"e:one": 10})
    with pytest.raises(UsageError, match="at least 0"):
        ew.rank(tmp_path, clips=-1)
