"""Words of a reference that families agree against are found; other spellings and a model's own errors are not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labels.planted import FAMILIES, dataset, with_text

from earwitness.labels.audit_spans import SpanSuspect, audit_spans
from earwitness.scoring.findings.clip_texts import ClipTexts, clip_texts
from earwitness.types import Clip, Hypothesis, Transcript

LINEAGES = {"one/good": "one", "two/fair": "two"}


def spans(reference: str, **texts: str) -> list[SpanSuspect]:
    clip = Clip("a", "", "", 0.0, 3.0, reference, "en")
    heard = {label: Hypothesis("a", Transcript(text), None, 3.0) for label, text in texts.items()}
    each = clip_texts(clip, heard, "multilingual")
    return audit_spans([each], {label: FAMILIES[label] for label in texts}, LINEAGES)


def test_two_families_that_agree_accuse_a_word_and_one_of_two_does_not() -> None:
    (found,) = spans("the cat sat on the mat", good="the cow sat on the mat", fair="the cow sat on a mat")
    assert (found.reference, found.text, found.context) == ("cat", "cow", "the [cat] sat on the mat")
    assert (found.families, found.n_families, found.n_lineages) == (("one/good", "two/fair"), 2, 2)
    assert found.errors == 2
    assert spans("the cat sat on the mat", good="the cow sat on the mat", fair="the cat sat on the mat") == []


def test_a_word_too_many_or_too_few_is_a_span() -> None:
    (extra,) = spans("please do hold the line", good="please hold the line", fair="please hold the line")
    assert (extra.reference, extra.text) == ("do", "")
    (missing,) = spans("please the line now", good="please hold the line now", fair="please hold the line now")
    assert (missing.reference, missing.text) == ("", "hold")


def test_spellings_digits_and_signs_are_no_faults() -> None:
    for reference, text in (
        ("the white board is clean", "the whiteboard is clean"),
        ("press twenty five to go on", "press 25 to go on"),
        ("the colour is grey today", "the color is grey today"),
        ("press # to go on", "press pound to go on"),
        ("el numero es malo hoy", "el número es malo hoy"),
    ):
        assert spans(reference, good=text, fair=text) == []


def test_with_one_family_each_difference_is_a_span() -> None:
    (found,) = spans("the cat sat on the mat", good="the cow sat on the mat")
    assert (found.text, found.families) == ("cow", ("one/good",))


def test_a_transcript_that_fits_nowhere_says_nothing_of_words() -> None:
    assert spans("the cat sat on the mat", good="quite another talk entirely", fair="quite another talk") == []


def planted(clips: list[ClipTexts], row: int) -> list[ClipTexts]:
    words = (clips[row].clip.reference or "").split()
    return [*clips[:row], with_text(clips[row], " ".join([*words[:2], "xylophone", *words[3:]])), *clips[row + 1 :]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 59))
def test_a_planted_word_is_among_the_first(row: int) -> None:
    clips = dataset(good=0.02, fair=0.02)
    found = audit_spans(planted(clips, row), FAMILIES, LINEAGES)
    assert clips[row].clip.id in {span.clip_id for span in found[:3]} or not agrees(clips[row])
    left_out = audit_spans(planted(clips, row), FAMILIES, LINEAGES, without=[clips[row].clip.id])
    assert clips[row].clip.id not in {span.clip_id for span in left_out}


def agrees(each: ClipTexts) -> bool:
    """Whether both models have the beginning right."""
    return all(words[:4] == each.reference[:4] for words in each.texts.values())


def test_spans_do_not_depend_on_the_order_of_clips() -> None:
    clips = planted(dataset(good=0.1, fair=0.1), 5)
    turned = [replace(each, texts=dict(reversed(list(each.texts.items())))) for each in reversed(clips)]
    assert audit_spans(turned, FAMILIES, LINEAGES) == audit_spans(clips, FAMILIES, LINEAGES)
