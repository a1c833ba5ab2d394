"""A terminal, a record and a page take no orders from the texts and names of a dataset or a model."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout

import pytest
from rich.table import Table

from earwitness.cli.common import console, print_json, visible

ORDERS = "a\x1b[2Jb\x07c\x9b31md\u202ee\ud83df\x00g\x7fh\r"


def test_orders_to_a_terminal_are_shown_and_not_given() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        table = Table("Clip")
        table.add_row(ORDERS)
        console().print(ORDERS, markup=False)
        console().print(table)
    text = out.getvalue()
    assert text.count(r"a\x1b[2Jb\x07c\x9b31md\u202ee\ud83df\x00g\x7fh\x0d") == 2
    assert not set(text) & set("\x1b\x07\x9b\u202e\ud83d\x00\x7f\r")


def test_letters_of_any_script_lines_and_tabs_stay() -> None:
    text = "día, 東京, नमस्ते, 👩\u200d🚀\n\tשלום"
    assert visible(text) == text


def test_json_says_the_same_with_nothing_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"id": ORDERS, "text": "día"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"id": ORDERS, "text": "día"}
    assert "día" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e\ud83d\x00\x7f\r")
