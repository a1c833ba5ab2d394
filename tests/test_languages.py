"""The same language, however it is written: one tag, one set of rules, one signature."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs.jobs import write_script

import earwitness as ew
from earwitness.data.dataset import load
from earwitness.engines import catalog
from earwitness.engines.registry import parse_settings
from earwitness.errors import EarwitnessError, EngineError, ManifestError, SettingsError, UsageError
from earwitness.languages import canonical, has_spaces, is_among, primary

ALIKE = {
    "en": "en EN eng English english en_US.UTF-8 en-us en_us en-GB",
    "zh": "zh zho chi cmn zh_CN zh-TW cmn-Hans-CN cmn_hans_cn zh-cmn-Hans-CN Mandarin Chinese 中文",
    "yue": "yue zh-yue yue-Hant-HK Cantonese",
    "nan": "nan nan-tw zh-min-nan Hokkien",
    "wuu": "wuu wuu-Hans",
    "th": "th tha th_TH Thai",
    "he": "he iw heb Hebrew",
    "id": "id in ind Indonesian",
    "no": "no nb nob nor nb_NO Norwegian",
    "nn": "nn nno nn-NO",
    "sr": "sr srp sr-Latn sr_RS@latin hbs",
    "tl": "tl fil tgl fil_ph Filipino Tagalog",
    "ar": "ar arb ara ar-EG arb_Arab",
    "arz": "arz",
    "fa": "fa fas per pes Farsi Persian",
    "de": "de ger deu German de-AT",
    "ms": "ms zsm msa may",
    "sw": "sw swh swa Swahili sw_ke",
    "jv": "jv jw jav",
    "es": "es spa es-419 es_mx Castilian español",
}
NAMES = {"Mandarin Chinese": "zh", "Brazilian Portuguese": "pt", "English (US)": "en", "Haitian Creole": "ht"}


@pytest.mark.parametrize(("language", "tag"), [(code, tag) for code, tags in ALIKE.items() for tag in tags.split()])
def test_every_way_to_write_a_language_is_the_same_language(language: str, tag: str) -> None:
    assert primary(canonical(tag)) == language


@pytest.mark.parametrize(("name", "language"), NAMES.items())
def test_a_name_of_several_words_is_a_language(name: str, language: str) -> None:
    assert primary(canonical(name)) == language


def test_script_and_region_stay_and_those_that_say_nothing_go() -> None:
    tags = ["en_us", "cmn_hant_tw", "sr_RS@latin", "en-Latn-GB", "es_419", "hbs"]
    assert [canonical(tag) for tag in tags] == ["en-US", "zh-Hant-TW", "sr-Latn-RS", "en-GB", "es-419", "sr-Latn"]


@pytest.mark.parametrize("tag", [None, "", " ", "auto", "und", "mul", "mis", "zxx", "und-Latn", "AUTO"])
def test_where_no_language_is_stated_there_is_none(tag: str | None) -> None:
    assert canonical(tag) is None
    assert primary(tag) is None
    assert has_spaces(tag)


@pytest.mark.parametrize(
    ("tag", "nearest"),
    [
        ("Englsh", "'en' (English)"), ("Spansh", "'es' (Spanish)"), ("Cantoneese", "'yue' (Cantonese)"),
        ("Mandarine", "'zh' (Chinese)"), ("jp", "'ja' (Japanese)"), ("cn", "'zh' (Chinese)"),
        ("ua", "'uk' (Ukrainian)"),
        ("xx", "Write a tag"), ("es/en", "Write a tag"), ("--help", "Write a tag"), ("C", "Write a tag"),
        ("x" * 500, "Write a tag"),
    ],
)  # fmt: skip
def test_what_is_no_language_is_refused_with_the_nearest(tag: str, nearest: str) -> None:
    with pytest.raises(UsageError) as refused:
        canonical(tag)
    assert nearest in str(refused.value)
    assert len(str(refused.value)) < 200


@given(st.text(max_size=20))
def test_any_text_is_a_language_or_is_refused_and_a_canonical_tag_stays_as_it_is(text: str) -> None:
    try:
        tag = canonical(text)
    except UsageError:
        return
    assert canonical(tag) == tag


def test_chinese_languages_have_no_spaces_unless_in_latin_letters() -> None:
    without = ["zh", "cmn", "yue", "nan-TW", "wuu", "hak", "gan", "hsn", "lzh", "ja", "tha", "lo", "km", "mya"]
    assert not any(has_spaces(tag) for tag in without)
    assert all(has_spaces(tag) for tag in ["nan-Latn", "zh-Latn", "ja-Latn", "ko", "vi", "dng", "bo", "xx"])


def test_a_model_knows_a_language_however_either_is_written() -> None:
    assert is_among("en_US", ["English"])
    assert is_among("cmn", ["zh"])
    assert is_among("fil", ["tl"])
    assert is_among(None, ["en"])
    assert not is_among("nn", ["no"])
    assert not is_among("nan", ["zh"])
    with pytest.raises(UsageError, match="no language 'Englsh'"):
        is_among("en", ["Englsh"])


def test_languages_of_the_catalog_are_canonical() -> None:
    stated = {language for model in catalog.models() for language in model.languages} - {"*"}
    assert stated == {canonical(language) for language in stated}


# where languages come in


@pytest.mark.parametrize("language", ["zh", "cmn-Hans-CN", "zh_CN", "cmn", "zho", "nan-tw", "wuu", "yue", "Mandarin"])
def test_chinese_by_any_tag_is_counted_by_letters(language: str) -> None:
    wer = ew.score(["今天天气很好我们去公园"], ["今天天气很好我们去花园"], language=language).score("wer")
    assert wer is not None
    assert wer.edits == ew.Edits(hits=10, substitutions=1)


@pytest.mark.parametrize("language", ["en", "en_us", "eng", "English", "en-US"])
def test_english_by_any_tag_has_the_rules_and_the_signature_of_english(language: str) -> None:
    wer = ew.score(["I don't owe twenty dollars"], ["I do not owe $20"], language=language).score("wer")
    assert wer is not None
    assert wer.value == 0
    same = ew.score(["a"], ["a"], language="en").score("wer")
    assert same is not None
    assert wer.signature == same.signature


def test_a_language_that_there_is_not_is_refused_wherever_it_comes_in(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match="Did you mean 'en'"):
        ew.score(["a"], ["a"], language="Englsh")
    with pytest.raises(SettingsError, match="Did you mean 'en'"):
        parse_settings(["language=Englsh"])
    write_wav("a.wav")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio_filepath": "a.wav", "text": "a", "lang": "Englsh"}\n')
    with pytest.raises(ManifestError, match=r"m.jsonl:1: There is no language 'Englsh'. Did you mean 'en'"):
        load(manifest)
    manifest.write_text('{"audio_filepath": "a.wav", "text": "a"}\n')
    with pytest.raises(EarwitnessError, match="Did you mean 'en'"):
        load(manifest, language="Englsh")


def test_a_setting_is_canonical_and_its_own_words_stay() -> None:
    settings = [
        parse_settings([f"language={text}"])[0].language for text in ("English", "clip", "auto", "und", "zh_CN")
    ]
    assert settings == ["en", "clip", "auto", "auto", "zh-CN"]


@pytest.mark.parametrize("stated", ["English", "en_us", "eng", "en-GB"])
def test_a_model_of_english_runs_a_clip_of_english_however_its_dataset_writes_it(
    stated: str, tmp_path: Path, write_wav: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav("a.wav")
    row = {"audio_filepath": "a.wav", "text": "one", "language": stated}
    (tmp_path / "m.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "es.jsonl").write_text(json.dumps({**row, "language": "Spanish"}) + "\n")
    (tmp_path / "earwitness.toml").write_text(
        '[[model]]\nid = "fake:english"\nengine = "fake"\nweights_id = "fake/english"\nlanguages = ["en"]\n'
        'license = ""\nsummary = ""\nsources = ["path:english"]\n'
    )
    write_script(tmp_path / "english", {"*": {"text": "one"}})
    monkeypatch.chdir(tmp_path)
    catalog.models.cache_clear()
    try:
        (record,) = ew.run("m.jsonl", "fake:english", warmup=0, speech=False, out=tmp_path / "runs")
        failed = record.run.score("failed_clips")
        assert failed is not None
        assert (record.run.status, failed.value) == ("complete", 0)
        with pytest.raises(EngineError, match="knows only en, but clip 'a' of 'es' is 'es'"):
            ew.run("es.jsonl", "fake:english", warmup=0, speech=False, out=tmp_path / "runs")
    finally:
        catalog.models.cache_clear()
