"""References of a whole dataset that do not belong to its audio are found in one sentence; bad models are no reason."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labels.planted import FAMILIES, dataset, with_text

from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.scoring.findings.reference_mismatch import reference_mismatch

CLEAN = dataset()
ALONE = {"good": "one/good"}


def moved(clips: list[ClipTexts], offset: int) -> list[ClipTexts]:
    return [with_text(each, clips[(row + offset) % len(clips)].clip.reference) for row, each in enumerate(clips)]


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.65, 0.95])
def test_references_that_belong_are_left_alone_however_bad_the_model(rate: float) -> None:
    assert reference_mismatch(dataset(good=rate), ALONE) is None


@pytest.mark.parametrize(
    ("offset", "row"), [(1, "the row before"), (-1, "the next row"), (5, "the row 5 rows before it")]
)
def test_texts_that_are_off_by_rows_are_told_with_the_number_of_rows(offset: int, row: str) -> None:
    found = reference_mismatch(moved(CLEAN, offset), FAMILIES)
    assert found is not None
    assert found.kind == "rows"
    assert f"fit the reference of {row} (" in found.sentence("calls")
    assert found.sentence("calls").startswith("The references of calls do not belong to its audio: of 60 clips")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_a_permuted_set_is_found(seed: int) -> None:
    order = list(range(60))
    random.Random(seed).shuffle(order)
    clips = [with_text(each, CLEAN[other].clip.reference) for each, other in zip(CLEAN, order, strict=True)]
    found = reference_mismatch(clips, FAMILIES)
    assert found is not None
    assert found.kind == "order"


def test_other_texts_of_other_lengths_are_found_by_one_model_and_the_durations() -> None:
    other = dataset(seed=7)
    clips = [with_text(each, other[row].clip.reference) for row, each in enumerate(dataset(good=0.1))]
    found = reference_mismatch(clips, ALONE)
    assert found is not None
    assert found.kind == "texts"
    assert "durations" in found.how


def test_families_that_agree_on_other_texts_are_a_reason_and_one_family_is_none() -> None:
    clips = [with_text(each, " ".join(word[::-1] + "z" for word in each.reference)) for each in CLEAN]
    found = reference_mismatch(clips, FAMILIES)
    assert found is not None
    assert "models of different families agree" in found.how
    assert reference_mismatch(clips, dict.fromkeys(FAMILIES, "one/good")) is None


def test_references_in_another_language_are_found() -> None:
    text = "el número que usted ha marcado no está en servicio, por favor cuelgue y marque de nuevo"
    clips = [with_text(each, " ".join(text.split()[: 5 + row % 9])) for row, each in enumerate(CLEAN)]
    found = reference_mismatch(clips, FAMILIES)
    assert found is not None
    assert found.how == "the references are in 'es' and the dataset says 'en'"


def test_a_few_clips_or_a_few_wrong_ones_are_not_a_dataset() -> None:
    assert reference_mismatch(moved(CLEAN, 1)[:9], FAMILIES) is None
    assert reference_mismatch([*moved(CLEAN, 1)[:20], *CLEAN[20:]], FAMILIES) is None
    assert reference_mismatch([], FAMILIES) is None
