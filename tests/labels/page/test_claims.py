"""Claims: a clip is with one page at a time, whichever server asks, and not for ever."""

from __future__ import annotations

import threading
from pathlib import Path

from earwitness.labels.page.claims import LEASE_S, Claims


def test_a_claim_is_seen_by_another_server_until_it_is_released(tmp_path: Path) -> None:
    here, there = Claims(tmp_path / "x.jsonl"), Claims(tmp_path / "x.jsonl")
    with here.locked() as table:
        table.take("a", "ana")
    with there.locked() as table:
        assert table.holder("a") == "ana"
        table.release("a")
    with here.locked() as table:
        assert table.holder("a") is None


def test_a_claim_ends_by_itself_unless_it_is_taken_again(tmp_path: Path) -> None:
    now = [1000.0]
    claims = Claims(tmp_path / "x.jsonl", lambda: now[0])
    with claims.locked() as table:
        table.take("a", "ana")
    now[0] += LEASE_S - 1
    with claims.locked() as table:
        table.take("a", "ana")
    now[0] += LEASE_S - 1
    with claims.locked() as table:
        assert table.holder("a") == "ana"
    now[0] += 2
    with claims.locked() as table:
        assert table.holder("a") is None


def test_a_holder_has_one_clip_at_a_time(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "x.jsonl")
    with claims.locked() as table:
        table.take("a", "ana")
        table.take("b", "ana")
        assert table.clips_of("ana") == ["b"]


def test_a_file_that_was_cut_short_holds_no_claims(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "x.jsonl")
    with claims.locked() as table:
        table.take("a", "ana")
    (path,) = tmp_path.iterdir()
    for content in (path.read_bytes()[:-3], b"[1]", b'{"a": 1}', b'{"a": []}', b""):
        path.write_bytes(content)
        with claims.locked() as table:
            assert table.holder("a") is None


def test_threads_take_turns(tmp_path: Path) -> None:
    claims, taken = Claims(tmp_path / "x.jsonl"), []

    def take(holder: str) -> None:
        with claims.locked() as table:
            clip = next(str(n) for n in range(20) if table.holder(str(n)) is None)
            table.take(clip, holder)
            taken.append(clip)

    threads = [threading.Thread(target=take, args=(f"person {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [str(n) for n in range(8)]
