"""The page over HTTP: the door, sound with Range, labels, undo, and refusals in a sentence."""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.labels.page.pages import Client, clips, open_page, silent_clips, task

from earwitness.labels.overlay import read_labels
from earwitness.labels.page.session import unit_name

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def page(tmp_path: Path, write_wav: Callable[..., Path]) -> Iterator[Client]:
    with open_page(task(tmp_path, clips(write_wav), estimate=lambda labels: [f"{len(labels)} <lines>"])) as client:
        yield client


def test_the_page_comes_with_the_token_alone_and_sets_a_cookie_that_stays_here(page: Client) -> None:
    answer = page.ask(f"/?token={page.token}", cookie=None)
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert f"earwitness_label_{page.port}={page.token}" in cookie
    assert re.search(r"HttpOnly.*SameSite=strict", cookie)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_names_only_parts_of_its_own_server_and_they_are_there(page: Client) -> None:
    html = page.ask("/").body.decode()
    assert "://" not in html
    names = re.findall(r'(?:src|href)="(static/[^"]+)"', html)
    scripts = [page.ask(f"/{name}") for name in names]
    assert {one.status for one in scripts} == {200}
    inside = {part for one in scripts for part in re.findall(r'from "\./(\w+\.js)"', one.body.decode())}
    for name in inside:
        assert page.ask(f"/static/{name}").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": None},
        {"cookie": "earwitness_label_1=guess"},
        {"host": "evil.example"},
        {"origin": "http://evil.example"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
    ],
)
def test_from_elsewhere_everything_is_403_with_a_sentence(page: Client, headers: dict[str, Any]) -> None:
    unit = page.next()["unit"]
    for path in ("/", "/static/page.js", f"/audio/{unit}.wav", f"/api/units/{unit}", "/api/estimate", "/nothing"):
        answer = page.ask(path, **headers)
        assert answer.status == 403
        assert answer.body.decode().endswith(".\n")
    assert page.ask("/api/labels", {"unit": unit}, **headers).status == 403
    assert page.ask("/api/state", {"author": "ana", "tab": "t"}, origin=None).status == 403


def test_no_path_of_a_client_reaches_a_file(page: Client) -> None:
    paths = (
        "/static/../app.py", "/static/%2e%2e%2fapp.py", "/static//etc/passwd", "/audio/..%2f..%2fetc%2fpasswd.wav",
        "/audio/c1.wav", "/audio/.wav", "/api/units/..%5c..%5cx", "/static/index.html", "/static/page.js%00.css",
    )  # fmt: skip
    for path in paths:
        assert page.ask(path).status in (404, 409), path


def test_sound_is_wav_of_the_clips_length_and_can_be_had_in_parts(page: Client) -> None:
    unit = page.next()["unit"]
    whole = page.ask(f"/audio/{unit}.wav")
    assert (whole.status, whole.headers["content-type"], whole.headers["accept-ranges"]) == (200, "audio/wav", "bytes")
    with wave.open(io.BytesIO(whole.body)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            16_000,
            1600,
        )
    size = len(whole.body)
    for asked, first, last in (
        ("bytes=0-", 0, size - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=-44", size - 44, size - 1),
        (f"bytes={size - 1}-{size + 999}", size - 1, size - 1),
    ):
        part = page.ask(f"/audio/{unit}.wav", range=asked)
        assert part.status == 206
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.headers["content-length"] == str(last - first + 1)
        assert part.body == whole.body[first : last + 1]


def test_a_part_beyond_the_end_is_416_and_one_of_an_older_sound_is_the_whole(page: Client) -> None:
    unit = page.next()["unit"]
    size = len(page.ask(f"/audio/{unit}.wav").body)
    beyond = page.ask(f"/audio/{unit}.wav", range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    stale = page.ask(f"/audio/{unit}.wav", range="bytes=0-9", if_range='"another"')
    assert (stale.status, len(stale.body)) == (200, size)
    head = page.ask(f"/audio/{unit}.wav", method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(size), b"")


def test_the_outline_has_the_length(page: Client) -> None:
    found = page.ask(f"/api/units/{page.next()['unit']}").json
    assert found["duration_s"] == pytest.approx(0.1)
    assert max(found["peaks"]) == 100


def test_a_label_is_in_the_file_before_the_answer(page: Client, tmp_path: Path) -> None:
    unit = page.next()["unit"]
    answer = page.send(unit, "{a / b} c")
    assert (answer.status, answer.json["n_done"], answer.json["n_labels"]) == (200, 1, 4)
    (label,) = read_labels(tmp_path / "calls.labels.jsonl").labels
    assert (label.clip_id, label.text, label.author) == ("c1", "{a / b} c", "ana")
    assert page.send(unit, "{a / b} c").json["n_done"] == 1
    assert len(read_labels(tmp_path / "calls.labels.jsonl").labels) == 1
    assert page.next()["clip_id"] == "c2"
    assert page.ask("/api/estimate").json == ["1 <lines>"]


def test_undo_gives_the_clip_and_the_text_back(page: Client) -> None:
    page.send(page.next()["unit"], "hello")
    found = page.ask("/api/undo", {"author": "ana", "tab": "tab 1", "client_id": "u"}).json
    assert (found["clip_id"], found["text"]) == ("c1", "hello")
    again = page.ask("/api/undo", {"author": "ana", "tab": "tab 1", "client_id": "v"})
    assert again.status == 400
    assert "no label of 'ana'" in again.json["error"]


def test_two_people_get_two_clips_and_differences_are_settled(tmp_path: Path) -> None:
    with open_page(task(tmp_path, silent_clips(2), second_opinion=1.0)) as page:
        first, second = page.next("ana"), page.next("ben", "tab 2")
        assert (first["clip_id"], second["clip_id"]) == ("c1", "c2")
        page.send(first["unit"], "hello", "1")
        page.send(second["unit"], "same", "2", author="ben", tab="tab 2")
        other = page.next("ben", "tab 2")
        assert (other["clip_id"], other["second_opinion"], other["draft"]) == ("c1", True, None)
        assert "hello" not in json.dumps(other)
        state = page.send(other["unit"], "yellow", "3", author="ben", tab="tab 2", second_opinion=True).json
        assert state["n_different"] == 1
        (found,) = page.ask("/api/disagreements").json
        assert {one["text"] for one in found["opinions"]} == {"hello", "yellow"}
        assert "ben" not in json.dumps(found)
        assert page.send(found["unit"], "hello", "4", author="cleo", adjudication=True).json["n_different"] == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"no json", "not JSON"),
        (b"[1]", "not one of the page"),
        (b'{"author": "ana", "tab": "t", "path": "/etc/passwd"}', "path"),
        (b'{"author": "", "tab": "t"}', "name"),
        (b'{"author": "ana", "tab": "' + b"t" * 2_100_000 + b'"}', "bytes"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_request_of_the_page_is_refused_in_a_sentence(page: Client, body: bytes, sentence: str) -> None:
    answer = page.ask("/api/next", body)
    assert answer.status == 400
    assert sentence in answer.json["error"]


def test_refusals_of_labels_have_their_sentence_and_status(page: Client) -> None:
    unit = page.next()["unit"]
    assert (page.send(unit, "{a / b").status, "do not match" in page.send(unit, "{a / b").json["error"]) == (400, True)
    assert page.send(unit, "a", verdict="rubbish").status == 400
    assert page.send("0" * 20, "a").status == 409
    assert page.ask("/api/next").status == 405


def test_sound_that_cannot_be_decoded_is_422_with_the_reason(tmp_path: Path) -> None:
    with open_page(task(tmp_path, silent_clips(1))) as page:
        answer = page.ask(f"/api/units/{unit_name('c1')}")
        assert answer.status == 422
        assert answer.json["error"].endswith(".")


def test_a_label_that_cannot_be_written_is_not_said_to_be_saved(page: Client, tmp_path: Path) -> None:
    unit = page.next()["unit"]
    overlay = tmp_path / "calls.labels.jsonl"
    overlay.mkdir()
    answer = page.send(unit, "hello")
    assert answer.status >= 409
    overlay.rmdir()
    assert page.send(unit, "hello").status == 200


def test_a_dataset_with_a_hostile_name_is_text(tmp_path: Path) -> None:
    from dataclasses import replace

    name = "</script><script>alert(1)</script>"
    with open_page(replace(task(tmp_path, silent_clips(1)), dataset=name)) as page:
        html = page.ask("/").body.decode()
        assert html.count("<script") == 2
        assert json.loads(re.findall(r"application/json\">(.*?)</script>", html)[0])["dataset"] == name
