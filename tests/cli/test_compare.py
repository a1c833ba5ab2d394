"""``earwitness compare --bars``: the chart of WER as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

from earwitness.cli import main

HOLDS = ("files/nearest.py",)

ERRORS = {"steady:base": (1, 2, 3, 2, 2), "quick:base": (5, 7, 6, 8, 4)}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    calls = [clip(f"call-{n}", said(40, n), 20.0) for n in range(5)]
    for model, errors in ERRORS.items():
        texts = [misheard(said(40, n), n_errors) for n, n_errors in enumerate(errors)]
        hypotheses = [(call, heard(call, text, 1.0)) for call, text in zip(calls, texts, strict=True)]
        record(tmp_path / "runs", model, "calls", hypotheses)
    return tmp_path / "runs"


def test_bars_are_the_wer_of_each_run_as_svg(runs: Path, tmp_path: Path) -> None:
    assert main(["compare", str(runs), "--bars", str(tmp_path / "wer.svg")]) == 0
    drawing = ET.fromstring((tmp_path / "wer.svg").read_text(encoding="utf-8"))
    texts = [element.text or "" for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"steady:base", "quick:base", "calls: 5 clips, 1 min 40 s"} <= set(texts)
    assert any(text.startswith("5.0 % [") for text in texts)
    assert any(text.startswith("15.0 % [") for text in texts)


def test_bars_are_a_png_file_where_the_name_says_so(runs: Path, tmp_path: Path) -> None:
    assert main(["compare", str(runs), "--bars", str(tmp_path / "wer.PNG")]) == 0
    assert (tmp_path / "wer.PNG").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_another_format_is_refused_by_name(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs), "--bars", str(tmp_path / "wer.pdf")]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "'wer.pdf'" in error
    assert ".svg or .png" in error
    assert not (tmp_path / "wer.pdf").exists()


def test_without_the_extra_one_sentence_says_what_to_install(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert main(["compare", str(runs)]) == 0
    assert main(["compare", str(runs), "--bars", str(tmp_path / "wer.svg"), "--out", str(tmp_path / "s.md")]) == 2
    assert "pip install 'earwitness[report]'" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("*.*"))


def test_there_is_nothing_to_draw_where_nobody_knows_what_was_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = clip("silence", [], 8.0)
    for model in ERRORS:
        record(tmp_path / "runs", model, "silence", [(silence, heard(silence, "", 1.0))])
    assert main(["compare", str(tmp_path / "runs"), "--bars", str(tmp_path / "wer.svg")]) == 2
    assert "No run has a WER to draw" in " ".join(capsys.readouterr().err.split())
