"""The door: only the page itself, in a browser that has the token."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from earwitness.labels.page.access import PageDoor, token_for

DOOR = PageDoor("secret", "127.0.0.1", 8377)
OWN = {"host": "127.0.0.1:8377", "cookie": "earwitness_label_8377=secret"}
POSTED = OWN | {"origin": "http://127.0.0.1:8377"}


@pytest.mark.parametrize("host", ["127.0.0.1:8377", "localhost:8377", "[::1]:8377"])
def test_names_of_this_machine_are_its_own(host: str) -> None:
    assert DOOR.refusal("GET", "/api/estimate", "", OWN | {"host": host}) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8377", "127.0.0.1", "127.0.0.1:80", "10.0.0.1:8377", "a@127.0.0.1:8377",
             "127.0.0.1:x", "[::1:8377", "127.0.0.1.evil.example:8377"]
)  # fmt: skip
def test_a_name_that_another_site_may_point_here_is_refused(host: str) -> None:
    assert "does not answer to the host" in str(DOOR.refusal("GET", "/", "token=secret", OWN | {"host": host}))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1:8377"])
def test_pages_of_elsewhere_are_refused_even_with_the_cookie(origin: str) -> None:
    assert "may not use" in str(DOOR.refusal("POST", "/api/labels", "", OWN | {"origin": origin}))
    assert "may not use" in str(DOOR.refusal("GET", "/api/estimate", "", OWN | {"origin": origin}))


def test_what_changes_labels_has_to_say_which_page_it_is_of() -> None:
    assert "which page" in str(DOOR.refusal("POST", "/api/labels", "", OWN))
    assert DOOR.refusal("POST", "/api/labels", "", POSTED) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_sound_is_not_for_pages_of_other_sites_or_ports_that_send_no_origin(site: str) -> None:
    headers = OWN | {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
    assert "Another page" in str(DOOR.refusal("GET", "/audio/a.wav", "", headers))
    assert DOOR.refusal("GET", "/", "token=secret", headers | {"sec-fetch-mode": "navigate"}) is None


def test_the_token_comes_as_cookie_as_header_or_in_the_address_of_the_page() -> None:
    bare = {"host": "127.0.0.1:8377"}
    assert DOOR.refusal("GET", "/", "token=secret", bare) is None
    assert DOOR.refusal("GET", "/audio/a.wav", "", bare | {"x-earwitness-token": "secret"}) is None
    for query, headers in (("", bare), ("token=guess", bare), ("", bare | {"cookie": "earwitness_label_9=secret"})):
        assert "token" in str(DOOR.refusal("GET", "/", query, headers))
    assert "token" in str(DOOR.refusal("GET", "/audio/a.wav", "token=secret", bare))


def test_a_server_for_the_network_answers_to_addresses_in_numbers_and_not_to_strange_names() -> None:
    door = PageDoor("secret", "0.0.0.0", 8377)
    headers = {"x-earwitness-token": "secret"}
    assert door.refusal("GET", "/", "", headers | {"host": "192.168.0.7:8377"}) is None
    assert door.refusal("GET", "/", "", headers | {"host": "evil.example:8377"}) is not None


def test_a_token_is_random_for_each_overlay_stays_and_is_readable_by_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    first = token_for(tmp_path / "a.jsonl", folder)
    assert token_for(tmp_path / "a.jsonl", folder) == first
    assert token_for(tmp_path / "b.jsonl", folder) != first
    assert len(first) >= 32
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_token_file_that_a_kill_left_empty_is_written_anew(tmp_path: Path) -> None:
    token_for(tmp_path / "a.jsonl", tmp_path / "tokens")
    (path,) = (tmp_path / "tokens").iterdir()
    path.write_text("")
    assert len(token_for(tmp_path / "a.jsonl", tmp_path / "tokens")) >= 32
