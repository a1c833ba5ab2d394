from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from earwitness.scoring.align.edits import align
from earwitness.scoring.align.spans import quick_spans
from earwitness.scoring.align.word_times import anchors, places
from earwitness.scoring.text import normalizer
from earwitness.types import Edits, Segment, Transcript

HOLDS = ("spans.py",)

WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@given(reference=WORDS, hypothesis=WORDS)
def test_quick_spans_have_the_counts_of_align_and_cover_both_texts(reference: list[str], hypothesis: list[str]) -> None:
    counts = dict.fromkeys(("equal", "replace", "delete", "insert"), 0)
    said, heard = [], []
    for kind, (said_from, said_to), (heard_from, heard_to) in quick_spans(reference, hypothesis):
        counts[kind] += max(said_to - said_from, heard_to - heard_from)
        said += reference[said_from:said_to]
        heard += hypothesis[heard_from:heard_to]
        assert (reference[said_from:said_to] == hypothesis[heard_from:heard_to]) is (kind == "equal")
    assert Edits(counts["equal"], counts["replace"], counts["delete"], counts["insert"]) == align(reference, hypothesis)
    assert (said, heard) == (reference, hypothesis)


@given(
    pieces=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(0, 4)), max_size=6),
    audio_s=st.floats(1, 60),
)
def test_anchors_never_go_back_and_stay_inside_the_clip(pieces: list[tuple[int, int, int]], audio_s: float) -> None:
    segments = tuple(Segment(float(a), float(b), "w " * n) for a, b, n in pieces)
    transcript = Transcript(" ".join(segment.text for segment in segments), segments)
    norm = normalizer("none")
    heard = norm.words(transcript.text)
    points = anchors(transcript, heard, norm, None, audio_s).points
    assert list(points) == sorted(points)
    assert all(0 <= word <= len(heard) and 0 <= at_s <= audio_s for word, at_s in points)
    assert not heard or points[-1][0] == len(heard)


def test_times_of_words_go_before_times_of_segments() -> None:
    words = (Segment(0.5, 0.9, "one"), Segment(1.5, 1.9, "two"))
    transcript = Transcript("One, two.", (Segment(0.0, 3.0, "One, two."),), words)
    norm = normalizer("basic")
    assert anchors(transcript, ["one", "two"], norm, "en", 3.0).points == ((0, 0.5), (1, 0.9), (1, 1.5), (2, 1.9))
    assert places(transcript, ["one", "two"], norm, "en") == [(0.5, 0.9), (1.5, 1.9)]


def test_a_word_that_normalizing_made_of_several_has_the_time_of_all_of_them() -> None:
    norm = normalizer("whisper-english")
    segments = (Segment(0.0, 1.0, "so two hundred"), Segment(1.0, 2.0, "five it is"))
    found = anchors(Transcript("so two hundred five it is", segments), ["so", "205", "it", "is"], norm, "en", 2.0)
    assert (found.source, found.points) == ("segments", ((0, 0.0), (4, 2.0)))
    words = tuple(Segment(n, n + 0.5, word) for n, word in enumerate(["so", "twenty", "one", "it", "is"]))
    timed = anchors(Transcript("So, twenty-one it is.", (), words), ["so", "21", "it", "is"], norm, "en", 5.0)
    assert timed.source == "words"
    assert timed.points[1:4] == ((1, 0.5), (1, 1.0), (2, 2.5))


@given(texts=st.lists(st.sampled_from(["one", "twenty", "five", "hundred", "Mr.", "isn't", "the", "[x]"]), max_size=9))
def test_every_word_has_a_time_whatever_normalizing_makes_of_the_pieces(texts: list[str]) -> None:
    norm = normalizer("whisper-english")
    pieces = tuple(Segment(float(n), n + 0.5, text) for n, text in enumerate(texts))
    heard = norm.words(" ".join(texts), "en")
    points = anchors(Transcript(" ".join(texts), (), pieces), heard, norm, "en", 9.0).points
    assert list(points) == sorted(points)
    assert not heard or points[-1][0] == len(heard)
