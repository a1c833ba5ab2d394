from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import clip, heard

from earwitness.scoring import ScoringOptions
from earwitness.scoring.metrics.number_gain import number_gain

WORDS = st.lists(st.sampled_from(["uno", "dos", "1", "2", "21", "veintiuno", "gato"]), max_size=6).map(" ".join)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_no_model_has_more_errors_with_equal_numbers(texts: list[tuple[str, str]]) -> None:
    pairs = [(clip(str(n), said, language="es"), heard(text, str(n))) for n, (said, text) in enumerate(texts)]
    gain = number_gain(pairs, ScoringOptions(numbers=True))
    assert gain is not None
    assert gain.equal.errors <= gain.plain.errors
    assert (gain.n_clips == 0) == (gain.equal == gain.plain)


def test_without_a_language_that_has_number_words_or_a_reference_there_is_no_gain() -> None:
    assert number_gain([(clip("a", "1"), heard("1"))], ScoringOptions()) is not None
    assert number_gain([(clip("a", None), heard("1"))], ScoringOptions()) is None
    assert number_gain([(clip("a", "1", language="ja"), heard("1"))], ScoringOptions()) is None
