"""A real browser without a window, driven over its own protocol; nothing is downloaded for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

DRIVER = "/usr/bin/chromedriver"
INSTALL = "apt-get install -y chromium chromium-driver && pip install selenium"
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # of Chromium itself: it has none as root; the pages are ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def missing() -> str:
    """What keeps the browser from starting; empty: nothing."""
    if not shutil.which("chromium") or not Path(DRIVER).exists():
        return f"no chromium here: {INSTALL}"
    try:
        import selenium  # noqa: F401  # only whether it is there
    except ImportError:
        return f"no selenium here: {INSTALL}"
    return ""


@contextlib.contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with a fresh profile that notes what its pages log and what they ask the network for."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="llmbench-browser-", ignore_cleanup_errors=True) as profile:
        for switch in (*_SWITCHES, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # selenium's own
            driver = Chrome(options=options, service=Service(DRIVER, log_output=os.devnull))
        driver.set_script_timeout(20)
        driver.set_page_load_timeout(60)
        try:
            yield driver
        finally:
            driver.quit()


def requests(driver: Chrome) -> list[str]:
    """The addresses that pages asked for since the last call."""
    found: list[str] = []
    for entry in driver.get_log("performance"):  # type: ignore[no-untyped-call]
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(message["params"]["request"]["url"])
    return found
