"""Files are written whole or not at all, and what the system says of them becomes a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from earwitness.errors import FileError
from earwitness.files.atomic import RESUME, atomic_write, write_errors, write_text


def test_writing_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(FileError, match="Cannot write"):
        write_text(target / "impossible", "new")
    with pytest.raises(KeyboardInterrupt), atomic_write(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_names_the_command_to_go_on_with(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    says = r"the disk is full\. Free some space, then "
    with pytest.raises(FileError, match=f"{says}run: {RESUME}"), write_errors(tmp_path / "a", then=RESUME):
        raise full
    with pytest.raises(FileError, match=f"{says}try again"), write_errors(tmp_path / "a"):
        raise full


def test_an_address_is_not_taken_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match=r"is at an address \(s3://\.\.\.\)"):
        write_text(Path("s3://calls/out/a.txt"), "new")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "notes:").mkdir()
    write_text(Path("notes:/a.txt"), "a folder that is there may have any name")
