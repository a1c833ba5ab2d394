"""A plan of long recordings is of spans that are cut in pauses, and its labels say what the whole recordings say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.comparison.study import clip, heard, record, said

from earwitness.api.compare import compare
from earwitness.api.label_estimates import label_stop
from earwitness.api.label_plan import label_plan
from earwitness.errors import UsageError
from earwitness.labels.estimate import estimate_labels
from earwitness.labels.label import Label
from earwitness.labels.overlay import append_label, plan_path
from earwitness.labels.plan import plan_labels
from earwitness.labels.plan_file import write_plan
from earwitness.labels.spans import named_spans, spans_of
from earwitness.labels.units import loud_places, speech_by_level, units_in, units_of
from earwitness.records.select import newest_with_clips
from earwitness.records.store import find_records
from earwitness.types import Clip, Dataset, Hypothesis, Segment

N_WORDS = 800
WORDS = said(N_WORDS, 3)
CALL = replace(clip("call", WORDS, float(N_WORDS)), reference=None)
WRONG = {"steady:base": 40, "quick:base": 160}
"""Of 800 words, one a second."""


def call_file(tmp_path: Path) -> Path:
    """A recording in which somebody speaks in every second but each tenth."""
    import wave

    rate_hz, seconds = 8_000, 65
    sound = np.random.default_rng(0).normal(0, 3000, rate_hz * seconds)
    for second in range(9, seconds, 10):
        sound[second * rate_hz : (second + 1) * rate_hz] /= 300
    path = tmp_path / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(sound.astype("<i2").tobytes())
    return path


def test_a_long_clip_is_cut_where_the_level_is_low(tmp_path: Path) -> None:
    path = call_file(tmp_path)
    call = Clip("call", str(path), "", 0.0, 65.0, None, "en")
    assert [(round(a, 1), round(b, 1)) for a, b in speech_by_level(call)][:2] == [(0.0, 9.0), (10.0, 19.0)]
    clips = [call, replace(call, id="known", reference="hello"), replace(call, id="short", duration_s=30.0)]
    units, undecodable = units_of(clips)
    assert not undecodable
    assert [unit.id for unit in units[-2:]] == ["known", "short"]
    cuts = [unit.start_s for unit in units[1:-2]]
    assert len(cuts) >= 2
    assert all(cut % 10 == pytest.approx(9.5, abs=0.05) for cut in cuts)
    assert sum(unit.duration_s for unit in units[:-2]) == pytest.approx(65.0)


@given(st.lists(st.sampled_from([1e-9, 1e-2]), max_size=300))
def test_places_are_in_order_and_hold_every_loud_frame(powers: list[float]) -> None:
    places = loud_places(np.array(powers))
    assert all(before[1] < after[0] for before, after in pairwise(places))
    if 0.2 < np.mean(np.array(powers) > 1e-3 if powers else [0.0]) < 0.8:
        loud = np.flatnonzero(np.array(powers) > 1e-3) * 0.02
        assert all(any(a - 1e-9 <= at < b for a, b in places) for at in loud)


@given(duration_s=st.floats(31.0, 5000.0), start_s=st.floats(0.0, 100.0))
def test_spans_are_found_again_by_their_ids(duration_s: float, start_s: float) -> None:
    call = replace(CALL, start_s=start_s, duration_s=duration_s)
    spans = spans_of(call)
    assert named_spans([call], [span.id for span in reversed(spans)]) == {"call": spans}
    assert list(units_in([call], [spans[-1].id, "nothing", "call"]).values()) == [spans[-1], call]


def of_words(text: str) -> Hypothesis:
    """What a model wrote, with the times of its words: one a second."""
    whole = heard(CALL, text, 9.0)
    words = tuple(Segment(float(n), n + 0.8, word) for n, word in enumerate(text.split()))
    assert whole.transcript is not None
    return replace(whole, audio_s=CALL.duration_s, transcript=replace(whole.transcript, words=words))


def written(wrong: int) -> str:
    """The text of the recording with so many wrong words, everywhere in it."""
    places = set(Random(wrong).sample(range(N_WORDS), wrong))
    return " ".join("nothing" if n in places else word for n, word in enumerate(WORDS))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models over one recording of 800 s; errors everywhere in it."""
    monkeypatch.chdir(tmp_path)
    for model, wrong in WRONG.items():
        record(tmp_path / "runs", model, "calls.jsonl", [(CALL, of_words(written(wrong)))])
    return tmp_path / "runs"


def span_label(span: Clip) -> Label:
    text = " ".join(WORDS[round(span.start_s) : round(span.start_s + span.duration_s)])
    return Label(span.id, span.audio_sha256, span.start_s, span.duration_s, text, "text", "ana", "2026-11-30T09:00:00Z")


def test_labels_of_some_spans_estimate_the_wer_of_one_long_recording(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earwitness.labels.units.speech_by_level", lambda _: ())
    data = Dataset("calls", (CALL,), "")
    plan = label_plan(data, runs=runs, labels=16)
    assert len(plan.order) == N_WORDS // 25
    overlay = runs.parent / "calls.labels.jsonl"
    write_plan(plan_path(overlay), plan)
    units = units_in(data.clips, plan.order)
    for span_id in plan.clips:
        append_label(overlay, span_label(units[span_id]))
    (table,) = compare(runs).tables
    assert "16 of 32 spans have a label" in table.labels[0]
    for row in table.rows:
        wer = row.run.score("wer")
        assert wer is not None
        assert wer.value is not None
        assert wer.ci95 is not None
        assert wer.target == "this pool"
        assert wer.ci95[0] <= WRONG[row.label] / N_WORDS <= wer.ci95[1]
    assert [row.rank for row in table.rows] == ["1", "2"]


def test_a_long_file_that_cannot_be_decoded_is_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "earwitness.labels.units.speech_by_level", lambda one: () if one.id == "call" else speech_by_level(one)
    )
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    broken = replace(CALL, id="broken", audio_path=str(tmp_path / "broken.wav"), audio_sha256="b")
    for model, wrong in WRONG.items():
        lines = [(CALL, of_words(written(wrong))), (broken, heard(broken, None, 9.0))]
        record(tmp_path / "runs", model, "calls", lines)
    data = Dataset("calls", (CALL, broken), "")
    plan = label_plan(data, runs=tmp_path / "runs", labels=16)
    assert (plan.strata[-1].name, plan.strata[-1].known) == ("cannot be decoded: broken", True)
    assert plan.order[-1] == "broken"
    assert "broken" not in plan.clips
    units = units_in(data.clips, plan.order)
    labels = [span_label(units[span_id]) for span_id in plan.clips]
    found = estimate_labels(plan, labels, newest_with_clips(find_records([tmp_path / "runs"])))
    assert [round(one.estimate.value or 0, 1) for one in found.models] == [0.2, 0.1]
    with pytest.raises(UsageError, match="each of 1 clip cannot be decoded"):
        label_plan(Dataset("calls", (broken,), ""), labels=16)


def test_one_recording_says_nothing_of_others(runs: Path) -> None:
    found = newest_with_clips(find_records([runs]))
    spans = spans_of(CALL)
    from earwitness.labels.pool import pool_of
    from earwitness.labels.spans import in_spans

    plan = plan_labels(pool_of(spans, in_spans(found, [span.id for span in spans])), 16)
    labels = [span_label(span) for span in spans]
    others = estimate_labels(plan, labels, found, target="recordings like these")
    assert all("labels in at least 4 recordings" in str(one.estimate.reason) for one in others.models)


def test_a_difference_over_long_recordings_takes_times_of_words(
    runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("earwitness.labels.units.speech_by_level", lambda _: ())
    data = Dataset("calls", (CALL,), "")
    plan = label_plan(data, runs=runs, labels=16, goal="difference")
    overlay = tmp_path / "calls.labels.jsonl"
    for span in units_in(data.clips, plan.order).values():
        append_label(overlay, span_label(span))
    assert label_stop(overlay, runs=runs, plan=plan).better == "steady:base"
    for model in WRONG:
        record(tmp_path / "untimed", model, "calls.jsonl", [(CALL, heard(CALL, " ".join(WORDS), 9.0))])
    with pytest.raises(UsageError, match=r"has none for 'call'\. Run it with --set timestamps=word"):
        label_plan(data, runs=tmp_path / "untimed", labels=16, goal="difference")


def test_a_label_of_no_span_of_the_plan_is_not_used(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earwitness.labels.units.speech_by_level", lambda _: ())
    overlay = runs.parent / "calls.labels.jsonl"
    write_plan(plan_path(overlay), label_plan(Dataset("calls", (CALL,), ""), runs=runs, labels=16))
    append_label(overlay, span_label(spans_of(CALL)[0]))
    append_label(
        overlay, replace(span_label(spans_of(CALL)[1]), clip_id="call@26.00-50.00", start_s=26.0, duration_s=24.0)
    )
    (table,) = compare(runs).tables
    assert any("of no span of the plan" in line and "call@26.00-50.00" in line for line in table.labels)
