from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import score_of

from earwitness.api.score import score
from earwitness.cli import main
from earwitness.errors import RecordError, UsageError
from earwitness.files.schema import validate
from earwitness.records.rescore import options_of
from earwitness.runs.bundle_study import BundleStudy, study_of
from earwitness.runs.spec import RunSpec
from earwitness.scoring import ScoringInfo, ScoringOptions
from earwitness.scoring.align.alternatives import Swap, nearest_wording
from earwitness.scoring.align.edits import align
from earwitness.scoring.metrics.clip import info_of
from earwitness.scoring.metrics.variants import spellings_of, spellings_text
from earwitness.scoring.text.number_words import number_words
from earwitness.types import Edits

OPTIONS = ScoringOptions(numbers=True, rounds=10)
WORDS = (
    "uno",
    "una",
    "un",
    "treinta",
    "y",
    "31",
    "30",
    "1",
    "500",
    "1500",
    "mil",
    "quinientos",
    "colour",
    "color",
    "gato",
    "3",
    "5",
    "coma",
)
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=8)
SPELLINGS = (("colour", "color"), ("gato", "mil gatos"))


@pytest.mark.parametrize(
    ("language", "reference", "text"),
    [
        ("es", "Marque 1 ahora.", "marque uno ahora"),
        ("es", "El veintitrés de mayo", "el 23 de mayo"),
        ("es", "Son 1.500 euros", "son mil quinientos euros"),
        ("es", "Son mil quinientas personas", "son 1.500 personas"),
        ("es", "cinco cinco cinco uno dos tres cuatro", "555 1234"),
        ("es", "la extensión 4242", "la extensión cuarenta y dos cuarenta y dos"),
        ("es", "3,5 litros", "tres coma cinco litros"),
        ("fr", "Appuyez sur 80", "appuyez sur quatre-vingts"),
        ("fr", "huitante personnes", "80 personnes"),
        ("fr", "le premier mai", "le 1er mai"),
        ("it", "ventitré", "23"),
        ("de", "im Jahr 1984", "im Jahr neunzehnhundertvierundachtzig"),
        ("pt", "duas pessoas", "2 pessoas"),
        ("ru", "двадцати трёх", "23"),
    ],
)  # fmt: skip
def test_digits_and_words_are_equal_on_either_side(language: str, reference: str, text: str) -> None:
    for said, written in ((reference, text), (text, reference)):
        found = score_of(said, written, language, OPTIONS)
        assert found.words is not None
        assert (found.words.errors, found.chars and found.chars.errors) == (0, 0)
        plain = score_of(said, written, language, replace(OPTIONS, numbers=False))
        assert plain.words is not None
        assert plain.words.errors > 0


def test_another_number_is_still_wrong_and_a_wrong_word_of_a_long_one_costs_one() -> None:
    assert score_of("marque 31", "marque treinta", "es", OPTIONS).words == Edits(hits=1, substitutions=1)
    found = score_of("en 1984", "en mil novecientos ochenta y cinco", "es", OPTIONS).words
    assert found == Edits(hits=5, substitutions=1)


@settings(deadline=None)
@given(SENTENCES, SENTENCES, st.sampled_from(("levenshtein", "sclite", "compounds")))
def test_no_error_count_rises(reference: list[str], text: list[str], how: str) -> None:
    base = ScoringOptions(
        compounds=how == "compounds", method="sclite" if how == "sclite" else "levenshtein", rounds=10
    )
    both = replace(base, numbers=True, spellings=SPELLINGS)
    plain, equal = (score_of(" ".join(reference), " ".join(text), "es", options) for options in (base, both))
    assert plain.words is not None
    assert equal.words is not None
    assert equal.words.errors <= plain.words.errors
    assert plain.chars is not None
    assert equal.chars is not None
    assert equal.chars.errors <= plain.chars.errors
    if equal.words.errors == plain.words.errors:
        assert equal == plain


@settings(deadline=None)
@given(st.integers(0, 99_999), st.sampled_from(("es", "fr", "it", "de", "pt", "ru")))
def test_every_wording_of_a_number_equals_its_digits(n: int, language: str) -> None:
    for wording in number_words(str(n), language):
        for reference, text in ((wording, str(n)), (str(n), wording)):
            found = score_of(f"x {reference} z", f"x {text} z", language, OPTIONS).words
            assert found is not None
            assert found.errors == 0


@given(SENTENCES, SENTENCES, st.data())
def test_the_nearest_wording_is_the_best_of_all_that_can_be_written_out(
    reference: list[str], text: list[str], data: st.DataObject
) -> None:
    swaps = []
    if reference:
        starts = data.draw(st.lists(st.integers(0, len(reference) - 1), max_size=4))
        for start in starts:
            end = data.draw(st.integers(start + 1, len(reference)))
            swaps.append(Swap(start, end, tuple(data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3)))))

    def all_wordings(start: int) -> list[list[str]]:
        if start == len(reference):
            return [[]]
        found = [[reference[start], *rest] for rest in all_wordings(start + 1)]
        found += [[*swap.words, *rest] for swap in swaps if swap.start == start for rest in all_wordings(swap.end)]
        return found

    possible = all_wordings(0)
    nearest = nearest_wording(reference, swaps, text)
    assert nearest in possible
    assert align(nearest, text).errors == min(align(wording, text).errors for wording in possible)


def test_spellings_work_in_every_language_and_by_their_normalized_words() -> None:
    options = ScoringOptions(spellings=(("Colour", "color"), ("e-mail", "email", "mail")), rounds=10)
    assert score_of("The colour of my e-mail.", "the color of my email", "en", options).words == Edits(hits=5)
    assert score_of("Mail", "E-Mail", "de", options).words == Edits(hits=2)
    assert score_of("the colour", "the hue", "en", options).words == Edits(hits=1, substitutions=1)


def test_a_file_of_spellings_has_a_group_a_line(tmp_path: Path) -> None:
    path = tmp_path / "spellings.txt"
    path.write_text("# British / American\ncolour / color\n\nand/or / and or\n", encoding="utf-8")
    groups = spellings_of(str(path))
    assert groups == (("colour", "color"), ("and/or", "and or"))
    assert spellings_of(spellings_text(groups)) == groups
    assert spellings_of("") == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [("colour\n", "Line 1 of"), ("a / \n", "Line 1 of"), ("a / a\n", "Line 1 of"), ("# none\n", "has no spellings")],
)
def test_a_file_that_is_not_one_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "spellings.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        spellings_of(str(path))


def test_both_options_show_in_the_signature_and_without_them_it_is_that_of_earlier_versions() -> None:
    plain = ScoringOptions().signature("wer")
    assert "numbers" not in plain
    assert "spellings" not in plain
    options = [
        ScoringOptions(numbers=True),
        ScoringOptions(spellings=(("a", "b"),)),
        ScoringOptions(spellings=(("a", "c"),)),
    ]
    assert len({plain, *(one.signature("wer") for one in options)}) == 4


def test_the_options_of_the_command_line_score_as_in_python_and_the_notes_of_sclite_name_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ref.txt").write_text("marque uno\nel correo\n", encoding="utf-8")
    (tmp_path / "hyp.txt").write_text("marque 1\nel e-mail\n", encoding="utf-8")
    (tmp_path / "equal.txt").write_text("correo / e-mail\n", encoding="utf-8")
    texts = [str(tmp_path / "ref.txt"), str(tmp_path / "hyp.txt")]
    command = ["score", *texts, "--language", "es", "--numbers", "--spellings", str(tmp_path / "equal.txt")]
    assert main([*command, "--export-sclite", str(tmp_path / "sclite"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = score(*texts, language="es", numbers=True, spellings=(("correo", "e-mail"),))
    assert printed["wer"]["value"] == found.scores[0].value == 0
    assert printed["wer"]["signature"] == found.scores[0].signature
    assert "equal numbers and spellings" in json.dumps(printed["sclite"])


def test_a_record_keeps_the_spellings_themselves() -> None:
    info = info_of(ScoringOptions(numbers=True, spellings=SPELLINGS))
    assert validate(ScoringInfo, json.loads(json.dumps(asdict(info))), "it does not fit", error=RecordError) == info
    assert options_of(info).signature("wer") == ScoringOptions(numbers=True, spellings=SPELLINGS).signature("wer")
    spec = RunSpec(models=("fake:echo",), sources=("sample",), spellings=spellings_text(SPELLINGS), numbers=True)
    assert BundleStudy(**study_of(spec)).spellings == spec.spellings
