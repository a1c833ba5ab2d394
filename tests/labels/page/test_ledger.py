"""The ledger: what counts of an overlay, also when another process appends to it."""

from __future__ import annotations

from pathlib import Path

from earwitness.labels.label import Label
from earwitness.labels.overlay import append_label
from earwitness.labels.page.ledger import Ledger


def label(clip_id: str, text: str | None, author: str = "ana", minute: int = 0, **more: str) -> Label:
    verdict = "withdrawn" if text is None else "text"
    return Label(clip_id, "", 0.0, 1.0, text, verdict, author, f"2026-11-30T09:{minute:02d}:00Z", **more)  # type: ignore[arg-type]


def test_an_overlay_that_is_not_there_has_no_labels(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.jsonl")
    ledger.refresh()
    assert (ledger.labels, ledger.current) == ([], {})


def test_labels_of_another_process_are_seen_after_a_refresh(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.jsonl")
    ledger.refresh()
    append_label(ledger.path, label("a", "one", client_id="id 1"))
    append_label(ledger.path, label("a", "won", author="ben"))
    ledger.refresh()
    assert {one.author: one.text for one in ledger.current["a"]} == {"ana": "one", "ben": "won"}
    sent = ledger.by_client_id("id 1")
    assert sent is not None
    assert sent.text == "one"
    assert ledger.by_client_id("id 2") is None
    assert ledger.by_client_id("") is None


def test_what_is_withdrawn_counts_no_more_and_stays_in_the_file(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.jsonl")
    ledger.append(label("a", "one"))
    ledger.append(label("a", None, minute=1))
    assert "a" not in ledger.current
    assert len(ledger.labels) == 2


def test_its_own_labels_and_those_of_others_come_to_what_the_file_says(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.jsonl")
    for minute in range(6):
        ledger.append(label(f"c{minute % 3}", "text" if minute % 4 else None, minute=minute, client_id=str(minute)))
        append_label(ledger.path, label(f"c{minute % 2}", "another", author="ben", minute=minute))
        ledger.append(label(f"c{minute % 3}", "third", author="cleo", minute=minute))
        fresh = Ledger(ledger.path)
        fresh.refresh()
        ledger.refresh()
        assert (ledger.labels, ledger.current) == (fresh.labels, fresh.current)
        assert ledger.by_client_id(str(minute)) == fresh.by_client_id(str(minute))
