"""Debian's Chromium without a screen, watched: what it logs, and what it asks the network for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Any]:
    """A driver of Chromium with a profile of its own, and more flags; the test is skipped where there is none."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if None in found:
        pytest.skip("there is no chromium with its driver here: apt-get install chromium chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(found[0])
    ours = (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--user-data-dir={folder}",
    )
    for flag in (*ours, *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(found[1])))
    try:
        driver.set_script_timeout(120)
        driver.set_page_load_timeout(120)
        yield driver
    finally:
        driver.quit()


def size(driver: Any, width: int, height: int = 900, *, scheme: str = "light") -> None:
    """Make the window that large, and the reader's system light or dark."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def requests(driver: Any) -> list[str]:
    """Every address that a page asked for since the last call; the browser's own pages, such as a new tab, are none."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("chrome")]


def complaints(driver: Any) -> list[str]:
    """What the console was told since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]


def wait(driver: Any, script: str, seconds: float = 120.0) -> Any:
    """Return what a script returns once that is something."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, seconds, poll_frequency=0.05).until(lambda d: d.execute_script(script))
