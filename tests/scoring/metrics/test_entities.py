from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import clip, heard

from earwitness.cli.entities import show
from earwitness.scoring.metrics.entities import clip_entities, entity_report
from earwitness.types import Failure, Hypothesis

HOLDS = ("cli/entities.py",)
SAME = [
    ("call five five five one two three four", "call 555-1234"),
    ("jane dot doe at example dot com please", "Jane.Doe@example.com, please"),
    ("it was $23.05 in all", "it was twenty three dollars and five cents in all"),
    ("booking X7K9QA thanks", "booking x seven k nine q a thanks"),
    ("delta lima four five six", "DL456"),
    ("at 3:30 pm on 3/4/2024", "at three thirty p.m. on 3/4/2024"),
    ("March 3rd, 2024", "march 3 2024"),
    ("call 5551234", "call 555 1234 now"),
]
TEXTS = st.lists(st.sampled_from([text for pair in SAME for text in pair] + ["and so", "hello"]), max_size=4).map(
    " ".join
)


@pytest.mark.parametrize(("reference", "text"), SAME)
def test_two_forms_of_one_value_are_equal_in_both_directions(reference: str, text: str) -> None:
    for said, written in ((reference, text), (text, reference)):
        entities = clip_entities(clip("a", said), written)
        assert [one for one in entities if not one.is_right] == []
    assert clip_entities(clip("a", reference), text)


@pytest.mark.parametrize(
    ("reference", "text", "instead"),
    [
        ("it was $23.05", "twenty three dollars and six cents", "23 dollars 6 cents"),
        ("call 555-1234 now", "call 555-1235 now", "5551235"),
        ("call 555-1234 now", "call 555 1234 5 now", "555 12345"),
        ("call 555-1234 now", "call now", ""),
        ("write to jane at example dot com", "write to jane at example dot net", "jane at example dot net"),
        ("quarter to five", "quarter or so to five", "quarter or so to 5"),
    ],
)
def test_one_wrong_missing_or_added_word_makes_an_entity_wrong(reference: str, text: str, instead: str) -> None:
    (entity,) = clip_entities(clip("a", reference), text)
    assert (entity.is_right, entity.hypothesis) == (False, instead)


def test_digits_apart_are_right_wherever_the_alignment_puts_them_and_one_digit_more_is_wrong() -> None:
    def right(text: str) -> list[bool]:
        return [one.is_right for one in clip_entities(clip("a", "le code 4242 ici", language="fr"), text)]

    assert right("le code 4 2 4 2 ici") == right("le code 42 42 c'est ici") == [True]
    assert right("le code 4 2 4 2 7 ici") == right("le code 7 4242 ici") == [False]


@given(TEXTS)
def test_the_reference_itself_has_every_entity_right_and_an_empty_text_none(text: str) -> None:
    assert all(one.is_right for one in clip_entities(clip("a", text), text))
    assert not any(one.is_right for one in clip_entities(clip("a", text), ""))


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_counts_add_up_over_kinds_and_the_rate_lies_in_its_interval(texts: list[tuple[str, str]]) -> None:
    report = entity_report([(clip(str(n), said), heard(text, str(n))) for n, (said, text) in enumerate(texts)])
    assert sum(of for _, of in report.counts.values()) == len(report.entities)
    wrong = sum(not one.is_right for one in report.entities)
    if report.entities:
        assert report.score.value == pytest.approx(wrong / len(report.entities))
        assert report.score.value is not None
        assert report.score.ci95 is not None
        assert report.score.ci95[0] <= report.score.value <= report.score.ci95[1]
    else:
        assert (report.score.value, report.score.ci95) == (None, None)
        assert report.score.reason


def test_failed_clips_are_empty_and_unlabelled_ones_left_out_and_the_report_says_what_was_searched_for() -> None:
    failed = Hypothesis("a", None, Failure("transcribe", "crash", "gone"), audio_s=1.0)
    report = entity_report(
        [
            (clip("a", "pay $5"), failed),
            (clip("b", None), heard("$5", "b")),
            (clip("c", "4242", language="fr"), heard("4242", "c")),
        ]
    )
    assert report.counts == {"money": (1, 1), "digits": (0, 1)}
    assert report.kinds["fr"] == ("email", "digits")
    assert "phone" in report.kinds["en"]
    assert report.score.n_clips == 2


def test_the_normalizer_of_the_entities_is_in_the_signature() -> None:
    assert "norm:auto" in entity_report([(clip("a", "pay $5"), heard("pay $5"))]).score.signature


def test_what_is_printed_has_counts_kinds_and_what_was_written_instead(capsys: pytest.CaptureFixture[str]) -> None:
    show({"fake:bad": entity_report([(clip("a", "pay $5 to 4242"), heard("pay six dollars to 4242"))])})
    printed = capsys.readouterr().out
    assert "money" in printed
    assert "1 of 1, 100.0 %" in printed
    assert "0 of 1, 0.0 %" in printed
    assert "Searched for in clips in 'en': email, date, money, time, phone, code, digits." in printed
    assert "fake:bad: a: money '5 dollars', heard as '6 dollars'" in printed


def test_without_entities_what_is_printed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show({"fake:bad": entity_report([(clip("a", "hello"), heard("hello"))])})
    assert "There is no rate: no reference has an entity of these kinds." in capsys.readouterr().out
