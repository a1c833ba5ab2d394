from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from earwitness.errors import ChecksumError, FetchError
from earwitness.files.fetch import cache_dir, debian_tree, sha256_of, stage, verify


def test_the_cache_is_where_the_user_says(cache: Path) -> None:
    assert cache_dir() == cache


def test_a_staged_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    with pytest.raises(RuntimeError, match="killed"), stage(target) as fresh:
        (fresh / "half").write_text("x")
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []
    for content in ("old", "new"):
        with stage(target) as fresh:
            (fresh / "file").write_text(content)
    assert (target / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match="Cannot keep 'x'.*EARWITNESS_CACHE"), stage(tmp_path / "file" / "x"):
        pass


def test_a_file_with_the_wrong_hash_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"hello")
    verify(path, hashlib.sha256(b"hello").hexdigest())
    assert sha256_of(path) == hashlib.sha256(b"hello").hexdigest()
    with pytest.raises(ChecksumError, match="'a' has sha256 2cf24dba5fb0a30e… where 0000000000000000… is pinned"):
        verify(path, "0" * 64)
    assert not path.exists()


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="needs 'apt-get', which Debian and Ubuntu have"):
        debian_tree("hostname", "0" * 64, tmp_path, lambda _: None)


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt-get here: run it on Debian")
@pytest.mark.real
def test_a_package_that_does_not_exist_is_one_sentence_even_with_lists_of_our_own(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(FetchError, match="apt-get could not download 'no-such-package-anywhere'"):
        debian_tree("no-such-package-anywhere", "0" * 64, tmp_path, told.append)
    assert told[-1] == "apt's lists do not help; fetching lists of our own"


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb here: run it on Debian")
def test_a_package_is_unpacked_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    (source / "DEBIAN").mkdir(parents=True)
    (source / "DEBIAN" / "control").write_text(
        "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: x\n"
    )
    (source / "usr").mkdir()
    (source / "usr" / "file").write_text("inside")
    deb = tmp_path / "tiny_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(source), str(deb)], check=True, capture_output=True)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "apt-get").write_text(f"#!/bin/sh\ncp {deb} .\n")  # what apt-get download does, without a network
    (bin_ / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    debian_tree("tiny", sha256_of(deb), tmp_path / "out", lambda _: None)
    assert (tmp_path / "out" / "usr" / "file").read_text() == "inside"
    with pytest.raises(ChecksumError):
        debian_tree("tiny", "0" * 64, tmp_path / "other", lambda _: None)
    assert not (tmp_path / "other").exists()
