"""Lines that are longer than the screen is wide."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from earwitness.cli.common import print_hanging

WORDS = "one two three four five six seven eight nine ten eleven twelve"


def printed(line: str, *, is_terminal: bool = True) -> list[str]:
    out = io.StringIO()
    print_hanging(Console(file=out, width=30, force_terminal=is_terminal, color_system=None), line)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("start", "hang"), [("- ", "  "), ("  ", "    "), ("", "  "), ("  - ", "    ")])
def test_what_does_not_fit_stands_under_the_text(start: str, hang: str) -> None:
    first, *rest = printed(start + WORDS)
    assert first.startswith(f"{start}one")
    assert len(rest) >= 2
    assert all(line.startswith(hang) and line[len(hang)] != " " for line in rest)
    assert max(map(len, (first, *rest))) <= 30
    assert " ".join([first.removeprefix(start), *(line.removeprefix(hang) for line in rest)]) == WORDS


def test_a_file_and_a_command_get_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert printed(f"- {WORDS}", is_terminal=False) == [f"- {WORDS}"]
    command = "missing: earwitness run calls --model a:b --measure throughput"
    assert printed(command) == [command]
    assert printed("") == [""]


def test_characters_of_two_columns_are_counted_as_two() -> None:
    from rich.cells import cell_len

    assert max(map(cell_len, printed("- " + "漢字 " * 30))) <= 30
