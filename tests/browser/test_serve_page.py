"""The server's page in a real browser: a file, a microphone, two models, and what it says when things go wrong."""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.chromium import chromium, complaints, requests, wait
from tests.server.serving import ERROR, PIECES, Running, running, script_folder, wav

pytestmark = pytest.mark.real
IDLE = "return document.body.dataset.working === '0'"
TEXTS = """
const texts = (column) => [...column.querySelectorAll("li span")].map((span) => span.innerText);
return [...document.querySelectorAll(".column")].map(texts);
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("page")
    models = (
        script_folder(folder / "one"),
        script_folder(folder / "two", {"*": {"text": "the other one says this"}, str(ERROR): {"model": "error"}}),
    )
    with running(
        folder, "--workers", "1", *(part for model in models for part in ("--model", f"fake:{model}"))
    ) as server:
        yield server


@pytest.fixture(scope="module")
def browser(served: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("browser")
    sound = folder / "microphone.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(n % 251 for n in range(2 * 48_000)))
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
        "--autoplay-policy=no-user-gesture-required",
    )
    with chromium(folder / "profile", *flags) as driver:
        yield driver


@pytest.fixture
def page(served: Running, browser: Any) -> Any:
    browser.get(served.url)
    wait(browser, "return document.querySelectorAll('.column').length === 2")
    return browser


def choose(page: Any, path: Path) -> None:
    page.find_element("id", "file").send_keys(str(path))
    wait(page, "return 'working' in document.body.dataset")
    wait(page, IDLE)


def test_a_file_is_heard_by_two_models_side_by_side(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(wav(PIECES))
    choose(page, path)
    assert page.execute_script(TEXTS) == [["One.", "Two.", "Three."], ["the other one says this"]]
    times = page.execute_script("return [...document.querySelectorAll('li button')].map(b => b.innerText)")
    assert times[0] == "0:00.00 – 0:00.03"
    took = page.execute_script("return document.querySelector('.took').innerText")
    assert took.endswith("for 0.100 s of audio.")
    assert page.execute_script("return !document.getElementById('player').hidden")


def test_the_microphone_is_heard(page: Any) -> None:
    button = page.find_element("id", "record")
    button.click()
    wait(page, "return document.getElementById('record').classList.contains('on')")
    page.execute_async_script("setTimeout(arguments[0], 700)")
    button.click()
    wait(page, "return 'working' in document.body.dataset")
    wait(page, IDLE)
    assert page.execute_script(TEXTS) == [["hello there"], ["the other one says this"]]


def test_what_is_measured_and_what_goes_on_is_shown(page: Any) -> None:
    state = wait(page, "const text = document.getElementById('state').innerText; return /Ready/.test(text) && text")
    assert "0 at work, 0 waiting" in state
    rows = wait(page, "return document.querySelector('tbody').innerText")
    assert "p95 of a clip" in rows
    assert "empty texts" in rows


def test_a_failure_is_told_in_its_sentence(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_text("this is no audio")
    choose(page, path)
    took = page.execute_script("return document.querySelector('.took').innerText")
    assert took.startswith("The file is not audio")
    path.write_bytes(wav(ERROR))
    choose(page, path)
    took = page.execute_script("return document.querySelector('.took').innerText")
    assert "this model always fails" in took


def test_nothing_is_asked_of_anybody_else_and_nothing_is_complained_of(page: Any, served: Running) -> None:
    asked = [url for url in requests(page) if not url.startswith(("blob:", "data:"))]
    assert asked
    assert [url for url in asked if not url.startswith(served.url)] == []
    # What a browser says of any answer that is not 200 is no complaint of the page's.
    assert [line for line in complaints(page) if "Failed to load resource" not in line] == []


def test_a_model_that_translates_can_be_asked_to(browser: Any, page: Any, tmp_path: Path) -> None:
    assert not page.find_element("id", "english").is_displayed()
    folder = script_folder(tmp_path / "model", {"*": {"text": "buenos días", "translation": "good morning"}})
    row = f'id = "fake:both"\nengine = "fake"\nweights_id = "both"\ntranslates = true\nsources = ["path:{folder}"]\n'
    (tmp_path / "earwitness.toml").write_text(f"[[model]]\n{row}")
    sound = tmp_path / "clip.wav"
    sound.write_bytes(wav())
    with running(tmp_path, "--model", "fake:both", "--workers", "1", cwd=tmp_path) as server:
        browser.get(server.url)
        wait(browser, "return !document.getElementById('asks-english').hidden")
        choose(browser, sound)
        assert browser.execute_script(TEXTS) == [["buenos días"]]
        browser.find_element("id", "english").click()
        choose(browser, sound)
        wait(browser, "return document.querySelector('li span')?.innerText === 'good morning'")
        browser.get("about:blank")


def test_a_model_without_segments_shows_its_text_and_the_page_works_under_a_path(browser: Any, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print('heard without times')\n")
    row = '[[model]]\nid = "command:mine"\nengine = "command"\nweights_id = "mine"\n'
    argv = json.dumps([sys.executable, str(program), "{audio}"])
    (tmp_path / "earwitness.toml").write_text(f"{row}options = {{ argv = {argv} }}\n")
    sound = tmp_path / "clip.wav"
    sound.write_bytes(wav())
    options = ("--model", "command:mine", "--workers", "1", "--root-path", "/asr")
    with running(tmp_path, *options, cwd=tmp_path) as server:
        browser.get(f"{server.url}/asr")
        wait(browser, "return document.querySelectorAll('.column').length === 1")
        choose(browser, sound)
        assert browser.execute_script(TEXTS) == [["heard without times"]]
        asked = [url for url in requests(browser) if url.startswith(server.url)]
        assert all(url.startswith(f"{server.url}/asr") for url in asked), asked
        browser.get("about:blank")
