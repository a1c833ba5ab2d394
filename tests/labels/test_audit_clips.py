"""Clips whose reference is wrong as a whole are found, with the right verdict; right ones are left alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labels.planted import FAMILIES, dataset, exchanged, shifted, with_text

from earwitness.labels.audit_clips import ClipSuspect, audit_clips
from earwitness.labels.audit_cuts import cut_of
from earwitness.scoring.align.text_index import TextIndex, letter_distance
from earwitness.scoring.findings.clip_texts import ClipTexts, clip_texts, without_labels
from earwitness.scoring.findings.pace import pace_of
from earwitness.scoring.findings.reference_matches import Matches, row_runs
from earwitness.types import Clip, Hypothesis, Transcript

HOLDS = (
    "audit_cuts.py", "scoring/align/text_index.py", "scoring/findings/clip_texts.py", "scoring/findings/pace.py",
    "scoring/findings/reference_matches.py",
)  # fmt: skip
CLEAN = dataset()
EXACT = next(
    row for row, each in enumerate(CLEAN) if set(each.texts.values()) == {each.reference} and len(each.reference) >= 6
)
"""A long row that both models have without an error."""


def verdicts(clips: list[ClipTexts]) -> dict[str, str]:
    return {one.clip_id: one.kind for one in audit_clips(clips, FAMILIES)}


def names(*rows: int) -> set[str]:
    return {CLEAN[row].clip.id for row in rows}


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_set_has_no_suspects_and_no_shifted_rows(seed: int) -> None:
    clips = dataset(seed=seed)
    assert audit_clips(clips, FAMILIES) == []
    assert row_runs(Matches(clips)) == []


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 50), length=st.integers(3, 8))
def test_a_run_of_shifted_rows_is_found_whole(first: int, length: int) -> None:
    last = min(first + length - 1, 58)
    found = verdicts(shifted(CLEAN, first, last))
    assert found == dict.fromkeys(names(*range(first, last + 1)), "row_shift")


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 59), min_size=2, max_size=2))
def test_two_exchanged_texts_are_found(rows: set[int]) -> None:
    one, other = sorted(rows)
    found = audit_clips(exchanged(CLEAN, one, other), FAMILIES)
    assert {(suspect.clip_id, suspect.other) for suspect in found} == {
        (CLEAN[one].clip.id, CLEAN[other].clip.id), (CLEAN[other].clip.id, CLEAN[one].clip.id)
    }  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_models_and_of_their_names_changes_nothing(rng: random.Random) -> None:
    clips = shifted(exchanged(CLEAN, 2, 40), 10, 14)
    expected = audit_clips(clips, FAMILIES)
    labels = list(FAMILIES)
    rng.shuffle(labels)
    turned = [replace(each, texts={label: each.texts[label] for label in labels}) for each in clips]
    assert audit_clips(turned, {label: FAMILIES[label] for label in labels}) == expected


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_exchanged_texts_are_found_in_any_order_of_rows(rng: random.Random) -> None:
    clips = exchanged(CLEAN, 2, 40)
    rng.shuffle(clips)
    assert set(verdicts(clips)) == names(2, 40)


def test_numbers_in_digits_are_compared_as_words() -> None:
    clip = Clip("a", "", "", 0.0, 2.0, "Marque veinte o treinta y uno.", "es-MX")
    (one,) = [clip_texts(clip, {"m": Hypothesis("a", Transcript("marque 20 o 31"), None, 2.0)}, "auto")]
    assert one.texts["m"] == one.reference == ("marque", "veinte", "o", "treinta", "y", "uno")
    assert one.distances() == {"m": 0.0}
    english = replace(clip, reference="Press twenty.", language="en")
    (one,) = [clip_texts(english, {"m": Hypothesis("a", Transcript("press 20"), None, 2.0)}, "auto")]
    assert one.texts["m"] == one.reference == ("press", "20")


def test_a_cut_reference_is_found_by_one_model_and_the_duration() -> None:
    words = CLEAN[EXACT].clip.reference or ""
    clips = list(CLEAN)
    clips[EXACT] = with_text(CLEAN[EXACT], " ".join(words.split()[:3]))
    assert verdicts(without_labels(clips, frozenset({"fair"}))) == {CLEAN[EXACT].clip.id: "cut_reference"}


def test_a_start_that_is_missing_is_found_too() -> None:
    words = (CLEAN[EXACT].clip.reference or "").split()
    clips = list(CLEAN)
    clips[EXACT] = with_text(CLEAN[EXACT], " ".join(words[-3:]))
    (found,) = audit_clips(clips, FAMILIES)
    assert "lacks its start" in found.evidence


def test_cut_audio_is_found_when_the_clip_is_too_short_for_its_text() -> None:
    clips = list(CLEAN)
    words = (CLEAN[EXACT].clip.reference or "").split()
    clips[EXACT] = with_text(CLEAN[EXACT], " ".join([*words, *words[::-1]]))
    assert verdicts(clips) == {CLEAN[EXACT].clip.id: "cut_audio"}


def test_a_model_that_stops_early_is_no_fault_of_the_reference() -> None:
    clips = list(CLEAN)
    short = CLEAN[7].texts["good"][:3]
    clips[7] = replace(CLEAN[7], texts={"good": short}, raw={"good": "".join(short)})
    assert audit_clips(clips, FAMILIES) == []
    assert cut_of(clips[7], FAMILIES, pace=None) is None


def test_families_that_agree_against_the_reference_accuse_it_and_one_alone_does_not() -> None:
    clips = list(CLEAN)
    other = dataset(seed=99)[0]
    clips[7] = with_text(CLEAN[7], other.clip.reference)
    clips[7] = replace(clips[7], clip=replace(clips[7].clip, duration_s=0.4 + 0.07 * len(other.clip.reference or "")))
    assert verdicts(clips) == {CLEAN[7].clip.id: "wrong_audio"}
    assert verdicts(without_labels(clips, frozenset({"fair"}))) == {}
    assert audit_clips(clips, {"good": "one/good", "fair": "one/good"}) == []


def test_of_two_texts_for_one_audio_the_one_that_fits_is_left_alone() -> None:
    clips = list(CLEAN)
    twin = replace(CLEAN[8], clip=replace(CLEAN[7].clip, id="twin", reference=CLEAN[8].clip.reference))
    clips.append(replace(twin, texts=CLEAN[7].texts, raw=CLEAN[7].raw))
    (found,) = audit_clips(clips, FAMILIES)
    assert (found.clip_id, found.kind, found.other) == ("twin", "duplicate", CLEAN[7].clip.id)


def test_the_same_text_for_other_audio_is_fine() -> None:
    twin = replace(CLEAN[7], clip=replace(CLEAN[7].clip, id="twin", audio_sha256="f" * 64))
    assert audit_clips([*CLEAN, twin], FAMILIES) == []


def test_a_reference_in_another_language_is_found() -> None:
    clips = list(CLEAN)
    text = "el número que usted ha marcado no está en servicio"
    clips[7] = with_text(CLEAN[7], text)
    clips[7] = replace(
        clips[7],
        clip=replace(clips[7].clip, duration_s=0.4 + 0.07 * len(text)),
        texts={label: tuple(text.split()) for label in FAMILIES},
    )
    assert verdicts(clips) == {CLEAN[7].clip.id: "language"}


def test_a_pace_at_which_nobody_speaks_is_found_when_the_transcript_has_a_possible_one() -> None:
    clips = [replace(each, texts={"good": each.texts["good"]}, raw={}) for each in CLEAN]
    clips[7] = with_text(clips[7], " ".join(f"zzyzx{n}" for n in range(40)))
    assert verdicts(clips) == {CLEAN[7].clip.id: "pace"}


def test_a_model_that_hears_little_right_makes_no_suspects() -> None:
    clips = dataset(seed=1, good=0.65)
    assert audit_clips(clips, {"good": "one/good"}) == []


def test_suspects_with_the_most_errors_at_stake_come_first_and_say_why() -> None:
    found = audit_clips(exchanged(shifted(CLEAN, 10, 14), 2, 40), FAMILIES)
    assert [one.errors for one in found] == sorted((one.errors for one in found), reverse=True)
    assert all(isinstance(one, ClipSuspect) and one.evidence.endswith(".") and 0 < one.score <= 1 for one in found)


@given(st.lists(st.text("abcd", max_size=8), max_size=12), st.text("abcd", min_size=3, max_size=8))
def test_the_nearest_text_is_as_near_as_any_that_shares_three_letters(texts: list[str], text: str) -> None:
    found = TextIndex(texts).nearest(text)
    if text in texts:
        assert found is not None
        assert (found.distance, found.position) == (0.0, texts.index(text))
    elif found is not None:
        assert found.distance == letter_distance(text, texts[found.position])


def test_a_few_wrong_pairs_do_not_move_the_pace() -> None:
    letters = [10 + n % 50 for n in range(100)]
    seconds = [0.5 + 0.07 * n for n in letters]
    wrong = [10.0 if n % 20 == 0 else s for n, s in enumerate(seconds)]
    found = pace_of(letters, wrong)
    assert found is not None
    assert found.letter_s == pytest.approx(0.07, abs=0.002)
    assert found.deviation(20, 10.0) > 3
    assert pace_of(letters[:10], seconds[:10]) is None
