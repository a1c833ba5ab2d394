"""Labels give clips their references; what does not fit is reported and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from earwitness.errors import DataError
from earwitness.labels.apply import OverlayProblem, apply_labels, sentences
from earwitness.labels.label import Label, text_sha256
from earwitness.labels.overlay import Overlay
from earwitness.types import Clip, Dataset

HOLDS = ["labels/span_id.py"]
CLIPS = tuple(Clip(name, f"/{name}.wav", name * 64, 0.0, 2.0, None, "en", recording=name) for name in "abc")
DATA = Dataset("calls", CLIPS, "0" * 64)
LABEL = Label("a", "a" * 64, 0.0, 2.0, "call me back", "text", "ana", "2026-11-30T09:00:00Z")


def test_a_labelled_clip_gets_its_reference_and_the_others_keep_theirs() -> None:
    data = replace(DATA, clips=(CLIPS[0], replace(CLIPS[1], reference="old"), CLIPS[2]))
    applied = apply_labels(data, [LABEL])
    assert [clip.reference for clip in applied.dataset.clips] == ["call me back", "old", None]
    assert applied.problems == ()
    assert applied.dataset.sha256 != data.sha256


def test_a_verdict_takes_a_wrong_reference_away() -> None:
    data = replace(DATA, clips=(replace(CLIPS[0], reference="old"), *CLIPS[1:]))
    label = replace(LABEL, text=None, verdict="unintelligible", old_text_sha256=text_sha256("old"))
    assert apply_labels(data, [label]).dataset.clips[0].reference is None
    silent = replace(label, verdict="not speech")
    assert apply_labels(data, [silent]).dataset.clips[0].reference == ""


def test_without_labels_the_dataset_is_what_it_was() -> None:
    assert apply_labels(DATA, []).dataset is DATA


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"audio_sha256": "f" * 64}, "audio changed"),
        ({"duration_s": 1.0}, "span changed"),
        ({"start_s": 1.0}, "span changed"),
        ({"clip_id": "z"}, "unknown clip"),
    ],
)
def test_a_label_that_does_not_fit_is_reported_and_not_used(changes: dict[str, object], flaw: str) -> None:
    label = replace(LABEL, **changes)  # type: ignore[arg-type]
    applied = apply_labels(DATA, [label, replace(LABEL, clip_id="b", audio_sha256="b" * 64)])
    assert applied.problems == (OverlayProblem(flaw, label.clip_id),)  # type: ignore[arg-type]
    assert applied.dataset.clips[0].reference is None


def test_a_label_without_a_hash_is_taken_at_its_word() -> None:
    assert apply_labels(DATA, [replace(LABEL, audio_sha256="")]).problems == ()


def test_a_reference_that_changed_since_is_reported_and_the_label_used() -> None:
    data = replace(DATA, clips=(replace(CLIPS[0], reference="new"), *CLIPS[1:]))
    applied = apply_labels(data, [replace(LABEL, old_text_sha256=text_sha256("old"))])
    assert applied.problems == (OverlayProblem("reference changed", "a"),)
    assert applied.dataset.clips[0].reference == "call me back"


def test_people_who_disagree_are_reported_and_the_first_one_used() -> None:
    applied = apply_labels(DATA, [LABEL, replace(LABEL, author="ben", text="call me Jack")])
    assert applied.problems == (OverlayProblem("disagreement", "a"),)
    assert applied.dataset.clips[0].reference == "call me back"


def test_an_overlay_of_another_dataset_is_refused() -> None:
    with pytest.raises(DataError, match="of another dataset than 'calls': none of their 1 clips is in it, such as 'z'"):
        apply_labels(DATA, [replace(LABEL, clip_id="z")])


def test_a_label_of_a_span_stands_beside_the_whole_clip() -> None:
    span = replace(LABEL, clip_id="a@0.50-1.50", start_s=0.5, duration_s=1.0)
    applied = apply_labels(DATA, [span])
    assert applied.labels == {"a@0.50-1.50": span}
    assert applied.problems == ()
    assert applied.dataset.clips[0].reference is None
    outside = replace(span, clip_id="a@1.50-3.50", start_s=1.5, duration_s=2.0)
    assert apply_labels(DATA, [outside]).problems == (OverlayProblem("span changed", "a@1.50-3.50"),)


def test_problems_are_said_once_for_each_kind() -> None:
    overlay = Overlay(Path("x"), (), "", ("x:7 is passed over.",))
    problems = [OverlayProblem("audio changed", str(number)) for number in range(5)]
    assert sentences(overlay, problems) == [
        "x:7 is passed over.",
        "The audio changed after the label was made, and the label is not used: 5 clips: '0', '1', '2' and 2 more.",
    ]
