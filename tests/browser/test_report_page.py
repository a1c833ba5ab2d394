"""The report in a real browser: it renders, sorts, filters, searches, plays, asks for nothing, and can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.chromium import chromium, complaints, requests, size, wait
from tests.reports.reports import ARABIC, CHINESE, CLIPS, LONG_S, decision, records

from earwitness.comparison.study import study
from earwitness.reports.build import build

pytestmark = pytest.mark.real

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
ORDER = "return [...document.querySelectorAll('#d0 .scorecard tbody th')].map((cell) => cell.textContent)"
READY = "return document.documentElement.dataset.ready !== undefined && document.querySelector('#detail h3') !== null"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report")
    paths = records(root)
    return build(study(paths), root / "out", decision=decision(paths)).page


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    size(browser, 1280)
    browser.get(page.as_uri())
    wait(browser, READY)
    return browser


def choose(driver: Any, name: str, value: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    Select(driver.find_element(By.ID, name)).select_by_value(value)


def find(driver: Any, css: str) -> Any:
    from selenium.webdriver.common.by import By

    return driver.find_element(By.CSS_SELECTOR, css)


def count(driver: Any) -> str:
    return str(driver.execute_script("return document.getElementById('n-clips').textContent"))


def test_it_opens_from_a_file_without_a_request_or_a_complaint(browser: Any, page: Path) -> None:
    size(browser, 1280)
    browser.get("about:blank")
    requests(browser), complaints(browser)
    browser.get(page.as_uri())
    wait(browser, READY)
    find(browser, "#d0 thead button").click()
    assert [url for url in requests(browser) if not url.startswith(("data:", "blob:"))] == [page.as_uri()]
    assert complaints(browser) == []


def test_no_text_of_a_record_runs_or_becomes_an_element(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    for _ in CLIPS:
        find(opened, "#list").send_keys(Keys.ARROW_DOWN)
    assert opened.execute_script("return window.hacked") is None
    assert opened.execute_script("return document.querySelectorAll('img, iframe, textarea').length") == 0


def test_the_scorecard_sorts_by_a_click_and_by_the_keyboard(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    assert opened.execute_script(ORDER) == ["fake:good", "fake:poor"]
    wer = find(opened, "#d0 .scorecard th:nth-child(2) button")
    wer.click()
    wer.send_keys(Keys.ENTER)
    assert opened.execute_script(ORDER) == ["fake:poor", "fake:good"]
    assert find(opened, "#d0 .scorecard th:nth-child(2)").get_attribute("aria-sort") == "descending"


def test_clips_are_filtered_and_the_count_says_so(opened: Any) -> None:
    assert count(opened) == f"{len(CLIPS)} of {len(CLIPS)} clips"
    choose(opened, "f-show", "kind:failed")
    wait(opened, f"return document.getElementById('n-clips').textContent === '1 of {len(CLIPS)} clips'")
    assert find(opened, "#detail h3").text == "six"
    choose(opened, "f-model", "0")
    wait(opened, f"return document.getElementById('n-clips').textContent === '0 of {len(CLIPS)} clips'")


def test_search_finds_words_in_any_script_and_markup_as_text(opened: Any) -> None:
    for query, clip in (("ON A MAT", "four"), (ARABIC[:5], "two"), (CHINESE[:2], "three"), ("<img src=x", "one")):
        box = find(opened, "#f-search")
        box.clear()
        box.send_keys(query)
        wait(opened, "return /^[1-3] of/.test(document.getElementById('n-clips').textContent)")
        wait(opened, f"return document.querySelector('#detail h3').textContent.startsWith('{clip}')")


def test_clips_are_sorted_by_errors_and_by_length(opened: Any) -> None:
    first = "return document.querySelector('.row .row-id').textContent"
    assert opened.execute_script(first) == "long"
    choose(opened, "f-sort", "order")
    wait(opened, "return document.querySelector('.row .row-id').textContent.startsWith('one')")


def test_a_click_on_a_word_plays_from_there(opened: Any) -> None:
    word = opened.execute_script("return document.querySelectorAll('.line-said .w')[50]")
    start = float(word.get_attribute("data-s"))
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", word)
    word.click()
    wait(opened, f"return document.querySelector('audio').currentTime > {start} + 0.2")
    assert start > LONG_S / 5
    assert opened.execute_script("return document.querySelector('audio').duration") == pytest.approx(LONG_S, abs=0.2)
    wait(opened, "return document.querySelectorAll('.w.now').length > 0")
    assert complaints(opened) == []


def test_the_list_and_the_words_work_by_the_keyboard_alone(opened: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(opened).send_keys("/").perform()
    assert opened.switch_to.active_element.get_attribute("id") == "f-search"
    find(opened, "#list").send_keys(Keys.END)
    last = wait(opened, "return document.querySelector('.row[aria-selected=true]')?.getAttribute('aria-posinset')")
    assert last == str(len(CLIPS))
    find(opened, "#list").send_keys(Keys.HOME, Keys.ENTER)
    assert opened.switch_to.active_element.get_attribute("id") == "detail"
    words = find(opened, "#detail .words")
    words.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    assert len(opened.execute_script("return [...document.querySelectorAll('.here')]")) == 1
    wait(opened, "return !document.querySelector('audio').paused")


def test_the_words_of_a_diff_say_what_was_wrong(opened: Any) -> None:
    find(opened, "#f-search").send_keys("the cat sat")
    wait(opened, "return document.querySelector('#detail h3').textContent === 'four'")
    sub = "return [...document.querySelectorAll('.card[data-model=\"0\"] .sub')].map((w) => w.innerText)"
    assert opened.execute_script(sub) == ["athe"]


def test_a_long_text_stands_line_by_line_and_models_that_heard_the_same_share_a_line(opened: Any) -> None:
    shown = "return [...document.querySelectorAll('.lines > li')].map((line) => line.textContent)"
    lines = opened.execute_script(shown)
    assert len(lines) == 11
    assert "1 2 as said" in lines[0]
    choose(opened, "f-view", "cards")
    wait(opened, "return document.querySelectorAll('.card .words').length === 2 && !document.querySelector('.lines')")


def test_right_to_left_and_unspaced_texts_are_set_as_they_are_written(opened: Any) -> None:
    shown = "return [...document.querySelectorAll('.words')].map((p) => [getComputedStyle(p).direction, p.textContent])"
    find(opened, "#f-search").send_keys(ARABIC[:5])
    wait(opened, "return document.querySelector('#detail h3').textContent === 'two'")
    assert opened.execute_script(shown)[0] == ["rtl", ARABIC]
    find(opened, "#f-search").clear()
    find(opened, "#f-search").send_keys(CHINESE[:2])
    wait(opened, "return document.querySelector('#detail h3').textContent === 'three'")
    assert opened.execute_script(shown)[0] == ["ltr", CHINESE]


def test_the_timeline_shows_the_long_recording_and_a_click_plays_it(opened: Any) -> None:
    assert opened.execute_script("return document.querySelectorAll('#t-file option').length") == 1
    assert opened.execute_script("return document.querySelectorAll('#lanes .bin').length") > 5
    assert opened.execute_script("return document.querySelectorAll('#lanes .band').length") > 0
    lane = find(opened, "#lanes [role=slider]")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", lane)
    lane.click()
    wait(opened, f"return document.querySelector('audio').currentTime > {LONG_S / 2 - 1}")


def test_a_count_of_findings_opens_its_clips(opened: Any) -> None:
    button = find(opened, "button.jump[data-kind=failed]")
    opened.execute_script("arguments[0].click()", button)
    wait(opened, f"return document.getElementById('n-clips').textContent === '1 of {len(CLIPS)} clips'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(opened: Any, scheme: str) -> None:
    size(opened, 1280, scheme=scheme)
    opened.execute_script("document.querySelectorAll('details').forEach((box) => (box.open = true))")
    ground = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(245, 246, 248)") is (scheme == "light")
    n_texts, worst = opened.execute_script(CONTRAST)
    assert n_texts > 300
    assert worst[0][0] >= 4.5, worst


def test_the_theme_can_be_chosen(opened: Any) -> None:
    find(opened, "#theme").click()
    find(opened, "#theme").click()
    assert opened.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 23)"


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(opened: Any, width: int) -> None:
    size(opened, width)
    opened.execute_script("document.querySelectorAll('details').forEach((box) => (box.open = true))")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width


def test_gone_audio_is_said_by_the_player(browser: Any, tmp_path: Path) -> None:
    paths = records(tmp_path)
    for sound in (tmp_path / "audio").iterdir():
        sound.unlink()
    browser.get(build(study(paths), tmp_path / "out").page.as_uri())
    wait(browser, READY)
    assert "is no longer where it was" in find(browser, "#detail .silent").text
    browser.execute_script("document.querySelector('#detail .w').click()")
    assert complaints(browser) == []


def test_linked_audio_plays_from_its_file(browser: Any, tmp_path: Path) -> None:
    paths = records(tmp_path)
    browser.get(build(study(paths), tmp_path / "out", audio="link").page.as_uri())
    wait(browser, READY)
    browser.execute_script("document.querySelectorAll('.line-said .w')[50].click()")
    wait(browser, "return document.querySelector('audio').currentTime > 20")
