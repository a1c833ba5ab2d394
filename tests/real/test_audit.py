"""The audit with a real model's texts of real speech: a clean corpus has no suspects, planted faults are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import earwitness as ew
from earwitness import weights
from earwitness.data import corpora
from earwitness.engines.catalog import find
from earwitness.labels.audit_clips import audit_clips
from earwitness.records.run_texts import families_of, texts_of_runs
from earwitness.records.select import newest_with_clips
from earwitness.scoring.findings.clip_texts import ClipTexts
from earwitness.scoring.findings.reference_mismatch import reference_mismatch

pytestmark = pytest.mark.real
MODEL = "faster-whisper:tiny.en"
Texts = tuple[list[ClipTexts], dict[str, str]]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    """Forty prompts and what the model makes of them."""
    weights.pull(find(MODEL))
    corpora.pull("telephony-en")
    out = tmp_path_factory.mktemp("audit") / "runs"
    records = ew.run("telephony-en", [MODEL], limit=40, out=out)
    runs = newest_with_clips([Path(record) for record in records])
    return [each for each in texts_of_runs(runs) if each.reference], families_of(runs)


def with_text_of(each: ClipTexts, other: ClipTexts) -> ClipTexts:
    return replace(each, reference=other.reference, clip=replace(each.clip, reference=other.clip.reference))


def test_a_clean_corpus_has_no_suspects(texts: Texts) -> None:
    clips, families = texts
    assert audit_clips(clips, families) == []
    assert reference_mismatch(clips, families) is None


def test_shifted_rows_are_found(texts: Texts) -> None:
    clips, families = texts
    moved = [with_text_of(each, clips[row + 1]) if 2 <= row <= 7 else each for row, each in enumerate(clips)]
    found = audit_clips(moved, families)
    assert {one.clip_id for one in found} >= {clips[row].clip.id for row in range(3, 8)}
    assert {one.clip_id for one in found} <= {clips[row].clip.id for row in range(2, 8)}


def test_references_that_are_all_off_by_a_row_are_told_in_one_sentence(texts: Texts) -> None:
    clips, families = texts
    found = reference_mismatch([with_text_of(each, clips[row - 1]) for row, each in enumerate(clips)], families)
    assert found is not None
    assert "fit the reference of the next row" in found.sentence("telephony-en")
