"""Who gets which clip, what is saved, and how far it is; several people and several servers share one overlay."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.labels.page.pages import ask, label_next, sent, silent_clips, task

from earwitness.errors import RecordError, UsageError
from earwitness.labels.label import Label
from earwitness.labels.overlay import read_labels
from earwitness.labels.page.claims import LEASE_S
from earwitness.labels.page.drafts import drafts_of_model, hidden_drafts
from earwitness.labels.page.messages import NextRequest, Presence, UndoRequest
from earwitness.labels.page.session import LabelSession, opinions, unit_name
from earwitness.types import Clip

ANA = Presence("ana", "tab 1")


def session(folder: Path, n: int = 4, **options: Any) -> LabelSession:
    return LabelSession(task(folder, options.pop("units", None) or silent_clips(n), **options))


def lines(folder: Path) -> tuple[Label, ...]:
    return read_labels(folder / "calls.labels.jsonl").labels


def test_clips_come_in_the_order_of_the_plan_until_its_number_is_reached(tmp_path: Path) -> None:
    page = session(tmp_path, 5, n_labels=3)
    assert [label_next(page) for _ in range(3)] == ["c1", "c2", "c3"]
    assert ask(page) == ""
    assert page.state(ANA).n_done == page.state(ANA).n_labels == 3
    assert ask(page, beyond=True) == "c4"


def test_a_label_has_all_that_is_known_of_it(tmp_path: Path) -> None:
    clip = Clip("c", "/c.wav", "ab" * 32, 2.0, 3.5, "the old text", "en")
    page = session(tmp_path, units=(clip,))
    page.save(sent(unit_name("c"), "the  new text", client_id="x", seconds=12.34))
    (label,) = lines(tmp_path)
    assert (label.clip_id, label.audio_sha256, label.start_s, label.duration_s) == ("c", "ab" * 32, 2.0, 3.5)
    assert (label.text, label.verdict, label.author, label.seconds_spent) == ("the new text", "text", "ana", 12.3)
    assert (label.draft, label.draft_source, label.draft_model, label.client_id) == (None, "empty", None, "x")
    assert label.old_text_sha256 == sha256(b"the old text").hexdigest()


def test_a_label_that_is_sent_twice_is_there_once_also_by_another_server(tmp_path: Path) -> None:
    one, two = session(tmp_path), session(tmp_path)
    label = sent(unit_name("c1"), client_id="same")
    for page in (one, one, two):
        assert page.save(label).n_done == 1
    assert len(lines(tmp_path)) == 1


def test_a_page_that_is_loaded_again_keeps_its_clip(tmp_path: Path) -> None:
    page = session(tmp_path)
    assert ask(page, "ana") == "c1"
    assert ask(page, "ben") == "c2"
    assert ask(page, "ana") == "c1"
    assert ask(page, "ana", tab="another tab") == "c3"


def test_two_people_at_two_servers_never_get_one_clip(tmp_path: Path) -> None:
    pages = {"ana": session(tmp_path, 20), "ben": session(tmp_path, 20)}
    labelled: list[tuple[str, str]] = []

    def work(author: str) -> None:
        labelled.extend((label_next(pages[author], author=author), author) for _ in range(10))

    threads = [threading.Thread(target=work, args=(author,)) for author in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(clip for clip, _ in labelled) == sorted(f"c{n}" for n in range(1, 21))
    assert len(lines(tmp_path)) == 20


def test_a_clip_whose_page_was_closed_comes_back(tmp_path: Path) -> None:
    now = [0.0]
    page = LabelSession(task(tmp_path, silent_clips(2)), lambda: now[0])
    assert (ask(page, "ana"), ask(page, "ben"), ask(page, "cleo")) == ("c1", "c2", "")
    now[0] += LEASE_S - 1
    page.state(Presence("ben", "tab 1", unit_name("c2")))
    now[0] += 2
    assert ask(page, "cleo") == "c1"
    assert ask(page, "dan") == ""


def test_a_second_opinion_is_asked_for_a_share_and_does_not_show_the_first(tmp_path: Path) -> None:
    page = session(tmp_path, 200, second_opinion=0.2)
    for _ in range(200):
        label_next(page, "what ana wrote", author="ana")
    assert ask(page, "ana") == "", "nobody has a second opinion of their own"
    second = []
    while (found := page.assign(NextRequest("ben", "tab 1"))) is not None:
        assert found.second_opinion
        assert "what ana wrote" not in json.dumps([str(found)])
        page.save(sent(found.unit, author="ben", second_opinion=found.second_opinion))
        second.append(found.clip_id)
    assert 20 <= len(second) <= 60
    assert ask(page, "cleo") == "", "two are enough"
    assert [label.second_opinion for label in lines(tmp_path)] == [False] * 200 + [True] * len(second)
    assert page.state(ANA).n_done == 200


def test_without_second_opinions_a_labelled_clip_is_done(tmp_path: Path) -> None:
    page = session(tmp_path, 3)
    for _ in range(3):
        label_next(page)
    assert ask(page, "ben") == ""


def test_undo_withdraws_the_last_label_and_gives_its_clip_and_text_again(tmp_path: Path) -> None:
    page = session(tmp_path)
    label_next(page, "one")
    label_next(page, "too")
    label_next(page, "what ben wrote", author="ben")
    undo = UndoRequest("undo 1", "ana", "tab 1")
    found = page.undo(undo)
    assert (found.clip_id, found.text) == ("c2", "too")
    assert page.undo(undo) == found, "sent twice, it takes back one"
    assert [label.verdict for label in lines(tmp_path)] == ["text", "text", "text", "withdrawn"]
    assert ask(page) == "c2"
    assert label_next(page, "two") == "c2"
    assert page.undo(UndoRequest("undo 2", "ana", "tab 1")).text == "two"
    assert page.undo(UndoRequest("undo 3", "ana", "tab 1")).text == "one"
    with pytest.raises(UsageError, match="no label of 'ana'"):
        page.undo(UndoRequest("undo 4", "ana", "tab 1"))
    assert page.state(ANA).n_done == 1


def test_two_that_differ_are_shown_for_settling_until_somebody_does(tmp_path: Path) -> None:
    page = session(tmp_path, 2, second_opinion=1.0)
    for author, text in (("ana", "hello"), ("ana", "same"), ("ben", "yellow"), ("ben", "Same.")):
        label_next(page, text, author=author)
    assert page.state(ANA).n_different == 1
    (found,) = page.disagreements()
    assert found.clip_id == "c1"
    assert {opinion.text for opinion in found.opinions} == {"hello", "yellow"}
    page.save(sent(found.unit, "hello", author="cleo", adjudication=True))
    assert page.disagreements() == []
    assert page.state(ANA).n_different == 0
    assert lines(tmp_path)[-1].adjudication
    again = page.undo(UndoRequest("undo", "cleo", "tab 1"))
    assert (again.clip_id, again.text, set(again.opinions)) == ("c1", "hello", set(found.opinions))
    assert page.state(ANA).n_different == 1
    with pytest.raises(UsageError):
        page.undo(UndoRequest("undo again", "cleo", "tab 1"))


def test_who_labelled_a_clip_may_settle_it_and_keeps_the_own_label_when_it_is_taken_back(tmp_path: Path) -> None:
    page = session(tmp_path, 1, second_opinion=1.0)
    label_next(page, "hello", author="ana")
    label_next(page, "yellow", author="ben")
    (found,) = page.disagreements()
    page.save(sent(found.unit, "yellow", "decision", adjudication=True))
    assert page.disagreements() == []
    page.undo(UndoRequest("undo", "ana", "tab 1"))
    assert page.disagreements() == [found]
    assert len(found.opinions) == 2


def test_opinions_have_no_names_and_stand_in_an_order_of_their_own(tmp_path: Path) -> None:
    page = session(tmp_path, 1, second_opinion=1.0)
    label_next(page, "hello", author="ana")
    label_next(page, "yellow", author="ben")
    one, two = lines(tmp_path)
    assert opinions([one, two]) == opinions([two, one])
    assert {opinion.text for opinion in opinions([one, two])} == {"hello", "yellow"}
    assert len(opinions([one, replace(one, author="cleo")])) == 1


def test_a_draft_is_kept_with_the_label_and_a_hidden_name_is_not_sent(tmp_path: Path) -> None:
    texts = {clip.id: f"draft of {clip.id}" for clip in silent_clips(2)}
    page = session(tmp_path, 2, drafts=hidden_drafts({"tiny": ("whisper:tiny", texts)}))
    found = page.assign(NextRequest("ana", "tab 1"))
    assert found is not None
    assert (found.draft, found.draft_source) == ("draft of c1", "hidden family")
    assert "whisper" not in str(found)
    assert "whisper" not in page.state(ANA).box
    label_next(page)
    (label,) = lines(tmp_path)
    assert (label.draft, label.draft_source, label.draft_model) == ("draft of c1", "hidden family", "whisper:tiny")


def test_a_page_that_is_older_than_its_server_keeps_the_draft_that_it_showed(tmp_path: Path) -> None:
    texts = {"c1": "another text"}
    page = session(tmp_path, 2, drafts=drafts_of_model("m", texts, frozenset(), "m"))
    page.save(sent(unit_name("c1"), client_id="1", draft="the old draft", draft_source="hidden family"))
    page.save(sent(unit_name("c2"), client_id="2"))
    first, second = lines(tmp_path)
    assert (first.draft, first.draft_source, first.draft_model) == ("the old draft", "hidden family", None)
    assert (second.draft, second.draft_source) == (None, "empty")


@pytest.mark.parametrize("verdict", ["unintelligible", "not speech", "wrong audio", "several speakers"])
def test_a_verdict_needs_no_text(tmp_path: Path, verdict: Any) -> None:
    page = session(tmp_path)
    label_next(page, None, verdict=verdict)
    assert (lines(tmp_path)[0].verdict, lines(tmp_path)[0].text) == (verdict, None)


def test_what_cannot_be_a_label_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    page = session(tmp_path)
    unit = unit_name("c1")
    for bad in (sent(unit, "{a / b"), sent(unit, " "), sent(unit, author=" "), sent(unit, None, verdict="withdrawn")):
        with pytest.raises(UsageError):
            page.save(bad)
    with pytest.raises(RecordError, match="no such clip"):
        page.save(sent("../../etc/passwd"))
    assert lines(tmp_path) == ()


def test_the_time_left_is_the_pace_so_far_times_the_audio_left(tmp_path: Path) -> None:
    page = session(tmp_path, 10)
    for n in range(3):
        assert "after 3 clips" in page.state(ANA).left
        label_next(page, seconds=4.0 + n)
    assert page.state(ANA).left == "about 35 s left"


def test_a_label_of_somebody_who_wrote_too_long_becomes_a_second_one(tmp_path: Path) -> None:
    page = session(tmp_path)
    page.save(sent(unit_name("c1"), "what ben wrote", author="ben"))
    page.save(sent(unit_name("c1"), "what ana wrote", author="ana"))
    assert len(lines(tmp_path)) == 2
    assert page.state(ANA).n_done == 1
    assert ask(page) == "c2"


def test_a_page_with_text_for_a_clip_gets_that_clip(tmp_path: Path) -> None:
    page = session(tmp_path)
    assert ask(page, unit=unit_name("c3")) == "c3"
    assert ask(page, "ben", unit="no such") == "c1"


def test_the_estimate_is_made_once_for_each_number_of_labels_and_does_not_wait_for_one_under_way(
    tmp_path: Path,
) -> None:
    calls: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def estimate(labels: Any) -> list[str]:
        calls.append(len(labels))
        if len(labels) == 2:
            begun.set()
            assert go_on.wait(timeout=60)
        return [f"from {len(labels)}"]

    page = session(tmp_path, estimate=estimate)
    label_next(page)
    assert page.estimate() == page.estimate() == ("from 1",)
    label_next(page)
    slow = threading.Thread(target=page.estimate)
    slow.start()
    assert begun.wait(timeout=60)
    assert page.estimate() == ("from 1",)
    go_on.set()
    slow.join()
    assert page.estimate() == ("from 2",)
    assert calls == [1, 2]
