"""Audio on a node is known by its content: the shared file if it is the same, else a copy that came in pieces."""

from __future__ import annotations

import hashlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from earwitness.cluster.audio_cache import CHUNK_BYTES, AudioCache
from earwitness.errors import FileError

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def send(cache: AudioCache, content: bytes, sha256: str, path: str = "/far/away.wav") -> bool:
    done = False
    for offset in range(0, len(content), CHUNK_BYTES):
        chunk = content[offset : offset + CHUNK_BYTES]
        done = cache.take(path, sha256, offset, chunk, last=offset + CHUNK_BYTES >= len(content))
    return done


def test_a_shared_file_is_taken_only_with_the_same_content(tmp_path: Path) -> None:
    cache, path = AudioCache(tmp_path / "copies"), tmp_path / "a.wav"
    assert cache.find(str(path), SHA256) is None
    path.write_bytes(b"other")
    assert cache.find(str(path), SHA256) is None
    path.write_bytes(CONTENT)
    assert cache.find(str(path), SHA256) == path
    path.write_bytes(CONTENT[::-1] + b"changed")
    assert cache.find(str(path), SHA256) is None


def test_a_copy_comes_in_pieces_and_serves_the_next_process(tmp_path: Path) -> None:
    cache = AudioCache(tmp_path)
    assert send(cache, CONTENT, SHA256)
    place = AudioCache(tmp_path).find("/elsewhere/b.wav", SHA256)
    assert place is not None
    assert place.suffix == ".wav"
    assert place.read_bytes() == CONTENT


def test_pieces_of_other_content_leave_nothing(tmp_path: Path) -> None:
    cache = AudioCache(tmp_path)
    assert not send(cache, CONTENT[:-1] + b"?", SHA256)
    assert cache.find("/far/away.wav", SHA256) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.fixture
def little_room() -> Iterator[None]:
    """Let no file grow over 100 kB, as a disk that fills in the middle of one."""
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_file_for_which_there_is_no_room_leaves_nothing(little_room: None, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="Cannot write"):
        send(AudioCache(tmp_path), CONTENT, SHA256)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("most", [1, 600_000])
def test_the_copies_that_were_used_longest_ago_go_first(most: int, tmp_path: Path) -> None:
    cache = AudioCache(tmp_path, most_bytes=most)
    contents = [CONTENT + bytes([n]) for n in range(4)]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    for content, name in zip(contents, names, strict=True):
        assert send(cache, content, name)
    here = [cache.find("/far/away.wav", name) is not None for name in names]
    assert here == ([False] * 3 + [True] if most == 1 else [False, False, True, True])
