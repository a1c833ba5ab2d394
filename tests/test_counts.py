"""A count and its noun agree."""

from __future__ import annotations

import pytest

from earwitness.counts import are, every, quantity


@pytest.mark.parametrize(
    ("n", "said"), [(0, "0 clips"), (1, "1 clip"), (2, "2 clips"), (1000, "1,000 clips"), (-1, "-1 clips")]
)
def test_only_one_is_singular_and_thousands_are_parted(n: int, said: str) -> None:
    assert quantity(n, "clip") == said


def test_a_plural_of_its_own_is_taken_as_it_is() -> None:
    assert quantity(2, "entry", "entries") == "2 entries"
    assert quantity(1, "entry", "entries") == "1 entry"


def test_a_verb_agrees_with_what_is_counted() -> None:
    assert [are(n) for n in (0, 1, 2000)] == ["are 0", "is 1", "are 2,000"]
    assert [every(n, "clip", "pass") for n in (1, 2)] == ["the one clip passes", "all 2 clips pass"]
    assert every(1, "clip", "fail") == "the one clip fails"
