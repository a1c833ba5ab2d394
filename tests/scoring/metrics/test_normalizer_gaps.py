from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import clip, heard

from earwitness.comparison.table import compare
from earwitness.records.store import find_records
from earwitness.reports.scorecard import markdown
from earwitness.scoring import ScoringInfo, ScoringOptions
from earwitness.scoring.metrics.clip import score_clip
from earwitness.scoring.metrics.normalizer_gaps import NormalizerGap, normalizer_gaps

SPOKEN = "por favor ingrese el número de la extensión y su contraseña después"


def results(said: str, text: str, n: int = 4, norm: str = "auto", language: str = "es") -> list[tuple[Any, Any, Any]]:
    pairs = [(clip(f"c{k}", said, language=language), heard(text, f"c{k}")) for k in range(n)]
    return [(one, hypothesis, score_clip(one, hypothesis, ScoringOptions(norm))) for one, hypothesis in pairs]


def test_references_without_accents_are_said_with_what_they_cost() -> None:
    bare = SPOKEN.replace("ú", "u").replace("ó", "o").replace("ñ", "n").replace("é", "e")
    assert normalizer_gaps(results(bare, SPOKEN), "auto") == (NormalizerGap("accents", 4 / 12, 0.0, 0, 16),)


def test_texts_without_accents_are_the_same_hint_from_the_other_side() -> None:
    bare = SPOKEN.replace("ú", "u").replace("ó", "o").replace("ñ", "n").replace("é", "e")
    assert normalizer_gaps(results(SPOKEN, bare), "auto") == (NormalizerGap("accents", 4 / 12, 0.0, 16, 0),)


@pytest.mark.parametrize(
    ("said", "text", "language"),
    [
        (SPOKEN, SPOKEN, "es"),
        (SPOKEN, SPOKEN.replace("favor", "sabor"), "es"),
        ("a plain text in English", "a plane text in English", "en"),
        ("हिन्दी में", "हन्द म", "hi"),  # marks of this script are letters
    ],
)
def test_other_errors_give_no_hint(said: str, text: str, language: str) -> None:
    assert normalizer_gaps(results(said, text, language=language), "auto") == ()


def test_two_errors_are_no_hint() -> None:
    assert normalizer_gaps(results("número uno", "numero uno", n=2), "auto") == ()


def test_under_no_normalization_case_and_marks_are_hints() -> None:
    found = normalizer_gaps(results("yes, call me Tom", "yes call me tom", norm="none", language="en"), "none")
    assert {one.kind: round(one.wer - one.wer_folded, 3) for one in found} == {"case": 0.25, "punctuation": 0.25}


def test_clips_without_reference_or_text_are_passed_over() -> None:
    assert normalizer_gaps([], "auto") == ()


def test_the_scorecard_has_the_sentence(tmp_path: Path) -> None:
    from tests.comparison.study import clip as studied
    from tests.comparison.study import heard as hears
    from tests.comparison.study import record

    bare = SPOKEN.replace("ú", "u").replace("ó", "o").replace("ñ", "n").replace("é", "e").split()
    for model in ("a:a", "b:b"):
        clips = [studied(f"c{n}", bare, 5.0) for n in range(4)]
        record(tmp_path, model, "es", [(one, hears(one, SPOKEN, 1.0)) for one in clips], scoring=ScoringInfo("none"))
    text = markdown(compare(find_records([tmp_path])))
    assert "a:a: accents alone cost 33.3 points of WER: it would be 0.0 % without, not 33.3 %." in text
    assert "0 words of the references have an accent, and 16 words of the texts" in text
