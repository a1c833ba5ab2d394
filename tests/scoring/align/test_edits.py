from __future__ import annotations

import random
import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.errors import ScoringError, UsageError
from earwitness.scoring import ScoringOptions
from earwitness.scoring.align.alternatives import Text, best_words, parse, write
from earwitness.scoring.align.chunks import pieces
from earwitness.scoring.align.edits import align, align_letters
from earwitness.types import Edits

HOLDS = ("alternatives.py", "chunks.py")

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "ab", "bc", "abc"]), max_size=9)
TEXTS = st.recursive(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=3).map(" ".join),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda options: "{ " + " / ".join(o or "@" for o in options) + " }")
        | st.lists(inner, max_size=3).map(" ".join)
    ),
    max_leaves=8,
)


def best_by_hand(reference: list[str], hypothesis: list[str]) -> Edits:
    """The definition, over every cell: fewest errors, then fewest substitutions."""
    row = [(n, 0, Edits(insertions=n)) for n in range(len(hypothesis) + 1)]
    for said in reference:
        fresh = [(row[0][0] + 1, 0, row[0][2] + Edits(deletions=1))]
        for n, heard in enumerate(hypothesis):
            equal = said == heard
            steps = (
                row[n][2] + (Edits(hits=1) if equal else Edits(substitutions=1)),
                row[n + 1][2] + Edits(deletions=1),
                fresh[n][2] + Edits(insertions=1),
            )
            fresh.append(min(((e.errors, e.substitutions, e) for e in steps), key=lambda step: step[:2]))
        row = fresh
    return row[-1][2]


@given(WORDS, WORDS)
def test_counts_are_of_the_fewest_errors_and_among_these_of_the_most_hits(said: list[str], heard: list[str]) -> None:
    assert align(said, heard) == best_by_hand(said, heard)


@given(WORDS, WORDS, st.sampled_from(["levenshtein", "sclite"]), st.booleans())
def test_counts_add_up_to_both_lengths(said: list[str], heard: list[str], method: str, compounds: bool) -> None:
    if method == "levenshtein" or not compounds:
        edits = align(said, heard, method=method, compounds=compounds)  # type: ignore[arg-type]
        assert edits.length == len(said)
        assert compounds or edits.hits + edits.substitutions + edits.insertions == len(heard)
        assert min(edits.hits, edits.substitutions, edits.deletions, edits.insertions) >= 0


@given(st.text("ab ", max_size=30), st.text("ab ", max_size=30))
def test_letters_add_up_to_both_lengths(said: str, heard: str) -> None:
    edits = align_letters(said, heard)
    assert (edits.length, edits.hits + edits.substitutions + edits.insertions) == (len(said), len(heard))


@given(WORDS, WORDS, st.integers(1, 6))
def test_pieces_make_up_the_whole_and_so_do_their_errors(said: list[str], heard: list[str], most: int) -> None:
    cuts = list(pieces(said, heard, most))
    assert [word for cut, _ in cuts for word in said[cut]] == said
    assert [word for _, cut in cuts for word in heard[cut]] == heard
    assert all(max(r.stop - r.start, h.stop - h.start) <= most for r, h in cuts)
    assert sum(align(said[r], heard[h]).errors for r, h in cuts) == align(said, heard).errors


def test_nothing_in_common_at_any_length_is_still_cut() -> None:
    cuts = list(pieces(["x"] * 5000, ["y"] * 200))
    assert sum(r.stop - r.start for r, _ in cuts) == 5000
    assert list(pieces([], ["y"] * 2500, 1000))[-1][1].stop == 2500


@pytest.mark.real
@pytest.mark.parametrize(
    "how",
    ["{}", *(pytest.param(how, marks=pytest.mark.long) for how in ("{'compounds': True}", "{'method': 'sclite'}"))],
)
def test_sixty_thousand_words_align_in_flat_memory(how: str) -> None:
    """A table of all pairs of 20,000 words takes 400 MB at a byte a cell, one of 60,000 nine times that."""
    code = f"""
import random, resource, kaldialign, rapidfuzz
from earwitness.scoring.align.edits import align
rng = random.Random(0)
n = 60_000
said = [f"word{{rng.randrange(3000)}}" for _ in range(n)]
heard = [word for word in said if rng.random() > 0.05]
heard[100:102] = ["".join(heard[100:102])]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
edits = align(said, heard, **{how})
print(edits.length == n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    right, grown_mb = done.stdout.split()
    assert right == "True"
    assert int(grown_mb) < 150


def every_wording(text: Text) -> list[list[str]]:
    options = [
        [part] if isinstance(part, str) else [" ".join(w) for o in part.options for w in every_wording(o)]
        for part in text
    ]
    return [" ".join(chosen).split() for chosen in product(*options)]


@given(TEXTS, WORDS)
@settings(deadline=None)
def test_the_best_wording_has_as_few_errors_as_any(reference: str, heard: list[str]) -> None:
    text = parse(reference)
    chosen = best_words(text, heard, str.split)
    wordings = every_wording(text)
    assert chosen in wordings
    assert align(chosen, heard).errors == min(align(wording, heard).errors for wording in wordings)


@given(TEXTS)
def test_a_written_reference_is_read_as_the_same_wordings(reference: str) -> None:
    text = parse(reference)
    again = parse(write(text, str.split))
    assert sorted(every_wording(again)) == sorted(every_wording(text))


def test_fifty_choices_do_not_take_two_to_the_fifty() -> None:
    reference = " ".join(f"{{a{n} / b{n} c / @}}" for n in range(50))
    heard = [f"a{n}" for n in range(0, 50, 2)]
    assert best_words(parse(reference), heard, str.split) == heard


@pytest.mark.parametrize("reference", ["a { b / c", "a } b", "{ a / { b }", "a {b}} c"])
def test_a_brace_without_a_partner_is_refused(reference: str) -> None:
    with pytest.raises(ScoringError, match="brace"):
        parse(reference)


def test_braces_at_an_hour_of_speech_are_refused_and_not_swapped_out() -> None:
    with pytest.raises(ScoringError, match="Cut the recording into segments"):
        best_words(parse("a " * 10_000 + "{b / c}"), ["a"] * 10_000, str.split)


def test_an_unknown_alignment_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'sclite'"):
        ScoringOptions(method="sclyte")  # type: ignore[arg-type]


def test_the_ties_of_long_texts_are_counted_in_a_band_as_in_the_whole_table() -> None:
    from earwitness.scoring.align.spans import spans

    for seed in range(20):
        rng = random.Random(seed)
        said = [rng.choice("abc") for _ in range(rng.randrange(20, 150))]
        heard = [rng.choice("abc") for _ in range(rng.randrange(1, 150))]
        shown = spans(said, heard, "sclite")
        wrong = sum(run.reference[1] - run.reference[0] for run in shown if run.kind == "replace")
        assert align(said, heard, method="sclite").substitutions == wrong
