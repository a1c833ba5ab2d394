"""Records become subtitles without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import earwitness as ew
from earwitness.cli.export import app


def test_every_clip_of_a_record_has_a_file_in_each_format(three_clips: Path, tmp_path: Path) -> None:
    (record,) = ew.run(three_clips, "fake:echo", out=tmp_path / "runs", speech=False)
    made = ew.export_subtitles(record, tmp_path / "out", ["srt", "txt"])
    assert (made.n_files, made.n_failed, made.left_out) == (6, 0, ())
    folder = made.folders[record.path]
    assert sorted(path.suffix for path in folder.rglob("*.*")) == [".srt"] * 3 + [".txt"] * 3
    assert "00:00:00,000 --> 00:00:01,0" in min(folder.rglob("*.srt")).read_text()
    with pytest.raises(ew.UsageError, match="There is no format 'json'"):
        ew.export_subtitles(record, tmp_path / "out", "json")


def test_the_command_writes_them_too(three_clips: Path, tmp_path: Path) -> None:
    (record,) = ew.run(three_clips, "fake:error", out=tmp_path / "runs", speech=False)
    done = CliRunner().invoke(app, [str(record.path), "--to", "vtt", "--out", str(tmp_path / "subs"), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["failed"] == 3
