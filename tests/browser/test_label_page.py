"""The labelling page in a real browser, by keyboard: thirty clips, servers that die, two people, sound, and colours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tests.browser.chromium import chromium, complaints, requests, size, wait
from tests.conftest import tone

from earwitness.labels.label import current_labels
from earwitness.labels.overlay import read_labels

pytestmark = pytest.mark.real
CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
TURN = "return document.documentElement.dataset.turn ?? '0'"
SETTLED = "return (document.documentElement.dataset.turn ?? '0') !== '{}'"
SERVER = """
import os, signal, sys
from pathlib import Path
from earwitness.data.dataset import load
from earwitness.labels.page import ledger
from earwitness.labels.page.run import PageSite, serve_page
from earwitness.labels.page.session import LabelTask

folder, port, second_opinion = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
append = ledger.append_label

def append_and_die(path, label):
    append(path, label)
    last_words = folder / "last words"
    if label.text == "the last words" and not last_words.exists():
        last_words.touch()
        os.kill(os.getpid(), signal.SIGKILL)

ledger.append_label = append_and_die
units = load(folder / "sounds").clips
estimate = lambda labels: [f"{len(labels)} lines so far"]
overlay = folder / "labels.jsonl"
task = LabelTask(
    "calls", units, len(units), overlay, "ana", second_opinion=second_opinion, estimate=estimate
)
serve_page(task, PageSite(port=port), lambda url, port: print(url, port, flush=True))
"""


@dataclass
class Server:
    """A server in a process of its own, which can be killed and started again at the same address."""

    folder: Path
    second_opinion: float = 0.0
    port: int = 0
    url: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> None:
        command = [sys.executable, "-c", SERVER, str(self.folder), str(self.port), str(self.second_opinion)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout is not None
        self.url, port = process.stdout.readline().split()
        self.port = int(port)

    def kill(self) -> None:
        process = self.processes[-1]
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def serving(folder: Path, n_clips: int, **options: Any) -> Iterator[Server]:
    (folder / "sounds").mkdir(parents=True)
    for number in range(n_clips):
        subtype = "GSM610" if number == 0 else "ULAW"
        soundfile.write(folder / "sounds" / f"{number:02}.wav", tone(0.5, 8000), 8000, subtype=subtype)
    server = Server(folder, **options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile"), "--autoplay-policy=no-user-gesture-required") as driver:
        yield driver


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))


def press(driver: Any, *keys: str) -> None:
    """Press keys one after the other; ``Ctrl Enter`` and its like are held together."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    names = {"Ctrl": Keys.CONTROL, "Shift": Keys.SHIFT, "Alt": Keys.ALT, "Enter": Keys.ENTER, "Tab": Keys.TAB,
             "Esc": Keys.ESCAPE, "Up": Keys.ARROW_UP, "Down": Keys.ARROW_DOWN}  # fmt: skip
    chain = ActionChains(driver)
    for key in keys:
        *held, last = key.split(" ") if key.split(" ")[0] in names else [key]
        for one in held:
            chain.key_down(names[one])
        chain.send_keys(names.get(last, last))
        for one in held:
            chain.key_up(names[one])
    chain.perform()


def finish(driver: Any, *keys: str) -> None:
    """Press keys that end a clip, and wait for the next."""
    turn = driver.execute_script(TURN)
    press(driver, *keys)
    wait(driver, SETTLED.format(turn))


def open_page(driver: Any, url: str) -> None:
    driver.get(url)
    wait(driver, SETTLED.format("0"))


def shown(driver: Any, name: str) -> str:
    return str(driver.execute_script(f"return document.getElementById('{name}').textContent"))


def typed(driver: Any) -> str:
    return str(driver.execute_script("return document.getElementById('text').value"))


def with_the_server_away(driver: Any, server: Server, words: str) -> None:
    server.kill()
    turn = driver.execute_script(TURN)
    press(driver, words, "Ctrl Enter")
    wait(driver, "return document.getElementById('away').textContent.includes('kept in this browser')")
    server.start()
    wait(driver, SETTLED.format(turn))
    assert driver.execute_script("return document.getElementById('away').hidden")


def with_the_page_loaded_again(driver: Any, server: Server, words: str) -> None:
    press(driver, words[:8])
    open_page(driver, server.url)
    assert typed(driver) == words[:8]
    finish(driver, words[8:], "Ctrl Enter")


def with_the_answer_lost(driver: Any, server: Server, words: str) -> None:
    """The label is on the disk when the server dies."""
    turn = driver.execute_script(TURN)
    press(driver, words, "Ctrl Enter")
    wait(driver, "return !document.getElementById('away').hidden")
    server.kill()
    server.start()
    wait(driver, SETTLED.format(turn))


def with_a_slip(driver: Any, _: Server, words: str) -> None:
    finish(driver, "a slip", "Ctrl Enter")
    finish(driver, "Esc", "u")
    assert typed(driver) == "a slip"
    press(driver, "Ctrl a")
    finish(driver, words, "Ctrl Enter")


def smoothly(driver: Any, _: Server, words: str) -> None:
    finish(driver, words, "Ctrl Enter")


def with_a_verdict(driver: Any, _: Server, __: str) -> None:
    finish(driver, "Esc", "2")


EVENTS = {
    5: with_a_verdict,
    10: with_the_server_away,
    15: with_the_page_loaded_again,
    20: with_the_answer_lost,
    25: with_a_slip,
}


def test_thirty_clips_by_keyboard_with_servers_that_die_lose_and_double_nothing(browser: Any, tmp_path: Path) -> None:
    size(browser, 1100)
    texts = [f"words of clip {number}" for number in range(30)]
    texts[20] = "the last words"
    with serving(tmp_path, 30) as server:
        browser.get("about:blank")
        requests(browser), complaints(browser)
        open_page(browser, server.url)
        assert browser.current_url == f"http://127.0.0.1:{server.port}/", "the token does not stay in the address"
        for number, words in enumerate(texts):
            EVENTS.get(number, smoothly)(browser, server, words)
        wait(browser, "return document.getElementById('done-title').textContent === 'The plan is done'")
        assert shown(browser, "count") == "30 of 30"
        asked = [url for url in requests(browser) if not url.startswith(("data:", "chrome:", "about:"))]
        assert all(url.startswith(f"http://127.0.0.1:{server.port}/") for url in asked), asked
        # What a browser says of a server that is away is no complaint of the page's.
        expected = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "Failed to load")
        assert [line for line in complaints(browser) if not any(part in line for part in expected)] == []
    lines = read_labels(tmp_path / "labels.jsonl").labels
    labels = sorted(current_labels(lines).values(), key=lambda one: one.clip_id)
    assert [label.text or label.verdict for label in labels] == [*texts[:5], "not speech", *texts[6:]]
    assert len(lines) == 30 + 2, "a slip and its withdrawal, and each other label once"
    assert len({label.client_id for label in lines}) == len(lines)
    assert all(label.audio_sha256 for label in lines)


def test_sound_that_the_browser_cannot_play_is_played_sought_and_slowed_by_keys(browser: Any, tmp_path: Path) -> None:
    audio = "document.getElementById('audio')"
    with serving(tmp_path, 2) as server:
        open_page(browser, server.url)
        wait(browser, f"return {audio}.duration > 0.3 && {audio}.played.length > 0")
        wait(browser, f"return {audio}.ended || {audio}.paused")
        assert browser.execute_script(f"return {audio}.error") is None
        assert browser.execute_script("return document.activeElement.id") == "text"
        press(browser, "Alt Down", "Alt Down")
        assert shown(browser, "rate") == "0.8×"
        press(browser, "Alt Up")
        assert browser.execute_script(f"return {audio}.playbackRate") == 0.9
        press(browser, "Shift Tab")
        wait(browser, f"return {audio}.currentTime === 0")
        press(browser, "Tab")
        wait(browser, f"return {audio}.currentTime > 0.2")
        press(browser, "Esc")
        assert browser.execute_script("return document.activeElement.id") == "clip"
        press(browser, "j")
        wait(browser, f"return {audio}.currentTime < 0.2 || !{audio}.paused")
        press(browser, "Enter", "typed after Esc")
        assert typed(browser) == "typed after Esc", "single keys are letters in the box"
        filled = """
        const canvas = document.getElementById("wave");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.filter((value, place) => place % 4 === 3 && value > 0).length;
        """
        assert browser.execute_script(filled) > 1000
        press(browser, " {a / b", "Ctrl Enter")
        wait(browser, "return document.getElementById('problem').textContent.includes('do not match')")
        press(browser, "+")
        assert typed(browser).endswith("{a / b+")
        press(browser, "Alt Up")


def test_two_people_get_different_clips_and_a_third_settles_what_differs(browser: Any, tmp_path: Path) -> None:
    with serving(tmp_path, 2, second_opinion=1.0) as server:
        open_page(browser, server.url)
        finish(browser, "hello there", "Ctrl Enter")
        finish(browser, "the same", "Ctrl Enter")
        box = browser.find_element("id", "author")
        box.clear()
        turn = browser.execute_script(TURN)
        box.send_keys("ben")
        press(browser, "Tab")
        wait(browser, SETTLED.format(turn))
        assert "second opinion" in shown(browser, "kind")
        assert typed(browser) == ""
        finish(browser, "hello dear", "Ctrl Enter")
        finish(browser, "The same.", "Ctrl Enter")
        settle = browser.find_element("id", "settle")
        wait(browser, "return !document.getElementById('settle').hidden")
        assert settle.text == "Settle 1 difference"
        turn = browser.execute_script(TURN)
        settle.click()
        wait(browser, SETTLED.format(turn))
        marks = browser.execute_script(
            "return [...document.querySelectorAll('#choices mark')].map((m) => m.textContent)"
        )
        assert sorted(marks) == ["dear", "there"]
        choices = browser.execute_script(
            "return [...document.querySelectorAll('#choices button')].map((b) => b.innerText)"
        )
        letter = "a" if "there" in choices[0] else "b"
        finish(browser, letter, "Ctrl Enter")
        browser.execute_script("localStorage.clear()")
    last = read_labels(tmp_path / "labels.jsonl").labels[-1]
    assert (last.adjudication, last.text, last.author) == (True, "hello there", "ben")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_can_be_read_in_light_and_dark_and_in_a_narrow_window(
    browser: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    with serving(tmp_path, 1) as server:
        size(browser, width, scheme=scheme)
        open_page(browser, server.url)
        n_texts, worst = browser.execute_script(CONTRAST)
        assert n_texts > 30
        assert worst[0][0] >= 4.5, worst
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        unnamed = """
        const named = (e) => e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length;
        const all = [...document.querySelectorAll("button, input, textarea, canvas, progress")];
        return all.filter((e) => !named(e)).map((e) => e.id);
        """
        assert browser.execute_script(unnamed) == []
