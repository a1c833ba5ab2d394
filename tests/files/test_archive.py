"""Zips here are real, and so is the harm that is tried with them."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earwitness.errors import ArchiveError
from earwitness.files import archive
from earwitness.files.fetch import sha256_of


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def opened(path: Path) -> tuple[str, ...]:
    with archive.reading(path) as zipped:
        return zipped.names


def test_what_is_packed_is_what_is_unpacked(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 20_000)
    archive.write(tmp_path / "a.zip", {"x/y.txt": "grüße".encode(), "big": archive.ArchiveEntry(big, sha256_of(big))})
    with archive.reading(tmp_path / "a.zip") as zipped:
        assert zipped.names == ("x/y.txt", "big")
        assert zipped.read("x/y.txt").decode() == "grüße"
        assert zipped.unpack("big", tmp_path / "out") == sha256_of(big) == sha256_of(tmp_path / "out" / "big")


def test_the_same_members_give_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"sound")
    members: dict[str, bytes | archive.ArchiveEntry] = {"a": b"text", "b": archive.ArchiveEntry(file, sha256_of(file))}
    archive.write(tmp_path / "1.zip", members)
    file.touch()
    file.chmod(0o600)
    archive.write(tmp_path / "2.zip", members)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_a_file_that_changes_while_it_is_packed_is_noticed_and_the_old_zip_stays(tmp_path: Path) -> None:
    target, file = tmp_path / "a.zip", tmp_path / "file"
    archive.write(target, {"a": b"old"})
    file.write_bytes(b"new")
    with pytest.raises(ArchiveError, match="changed while it was packed"):
        archive.write(target, {"a": archive.ArchiveEntry(file, "0" * 64)})
    with archive.reading(target) as zipped:
        assert zipped.read("a") == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "file"]


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:evil", "a\\..\\evil", "a//b", "./a", "a\nb", "..", 'a"b']
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("fine", b"")
        zipped.writestr(entry(name), b"evil")
    with pytest.raises(ArchiveError, match=r"cannot be a file's name everywhere. Nothing was unpacked"):
        opened(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr(entry("link", kind | 0o777), "/etc/passwd")
    with pytest.raises(ArchiveError, match="is a link or a device"):
        opened(tmp_path / "a.zip")


def test_two_files_of_one_name_are_refused_in_any_case(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("Clip.wav", b"1")
        zipped.writestr("clip.WAV", b"2")
    with pytest.raises(ArchiveError, match=r"'clip.WAV' that is there twice"):
        opened(tmp_path / "a.zip")


def test_a_zip_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for n in range(4):
            zipped.writestr(f"zeros-{n}", bytes(32 << 20))
    assert (tmp_path / "bomb.zip").stat().st_size < 200_000
    with pytest.raises(ArchiveError, match="would unpack to 134 MB, more than 200 times its size"):
        opened(tmp_path / "bomb.zip")


def test_a_password_and_an_unknown_compression_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as zipped:
        zipped.writestr("a", b"x" * 100)
    with pytest.raises(ArchiveError, match="compressed in a way that is not read here"):
        opened(tmp_path / "a.zip")
    archive.write(tmp_path / "b.zip", {"a": b"x"})
    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="is encrypted"):
        opened(tmp_path / "b.zip")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_zip_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="is damaged"):
        opened(tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="There is no zip file"):
        opened(tmp_path / "nothing.zip")


MEMBERS: dict[str, bytes | archive.ArchiveEntry] = {"a/one": b"first " * 9, "two": b"second"}


@pytest.fixture
def small(tmp_path: Path) -> bytes:
    archive.write(tmp_path / "small.zip", MEMBERS)
    return (tmp_path / "small.zip").read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255), cut=st.booleans())
def test_damage_gives_the_same_bytes_or_an_archive_error(
    tmp_path: Path, small: bytes, place: int, flip: int, cut: bool
) -> None:
    content = bytearray(small)
    if cut:
        content = content[: place % len(content)]
    else:
        content[place % len(content)] ^= flip
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    try:
        with archive.reading(path) as zipped:
            found = {name: zipped.read(name) for name in zipped.names}
    except ArchiveError:
        return
    assert set(found.values()) <= set(MEMBERS.values())
