"""One browser and a few reports for all of these tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.browser import chromium, missing, requests
from support.synthetic import synthetic_run

from pytest_llmbench.runs.report_data import write_html

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

# A driver keeps sockets and a process of its own: what selenium leaves to the collector is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Page:
    """A report in the browser."""

    def __init__(self, driver: Chrome, path: Path) -> None:
        self.driver = driver
        self.address = path.as_uri()

    def open(self, fragment: str = "") -> None:
        """Load it afresh; returns when its scripts have started."""
        self.driver.get("about:blank")
        self.driver.get(self.address + fragment)
        self.until(lambda: self.js("return document.documentElement.dataset.ready") == "true")

    def js(self, script: str, *values: object) -> Any:
        """Run a script of the test's own."""
        return self.driver.execute_script(script, *values)  # type: ignore[no-untyped-call]

    def find(self, selector: str) -> WebElement:
        """The first element."""
        return self.driver.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """What stands in every element that is to be seen."""
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].filter((e) => e.offsetParent !== null)"
            ".map((e) => e.textContent.trim())",
            selector,
        )

    def until(self, true: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Wait for something."""
        end = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < end, f"not within {timeout_s} s"
            time.sleep(0.02)

    def open_attempt(self, link: str) -> None:
        """Click on a cell, and wait for its page."""
        self.js("document.querySelector(`#heat-table a[href='${arguments[0]}']`).click()", link)
        self.until(lambda: self.shown == link)

    @property
    def shown(self) -> str | None:
        """The link of the attempt that is to be seen."""
        return self.js("const d = document.getElementById('attempt'); return d.open ? d.dataset.shown ?? '' : null")

    @property
    def links(self) -> list[str]:
        """Of all cells of the heat map."""
        return self.js("return [...document.querySelectorAll('#heat-table a')].map((a) => a.getAttribute('href'))")

    def media(self, **features: str) -> None:
        """Pretend preferences of the user."""
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def width(self, pixels: int) -> None:
        """Pretend a screen; 0: the real one."""
        if pixels:
            metrics = {"width": pixels, "height": 800, "deviceScaleFactor": 1, "mobile": pixels < 500}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        else:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture(scope="session")
def driver() -> Iterator[Chrome]:
    """The browser."""
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes reports of synthetic runs, each once."""
    made: dict[tuple[tuple[str, object], ...], Path] = {}

    def report(**sizes: Any) -> Path:
        asked = tuple(sorted(sizes.items()))
        if asked not in made:
            base = tmp_path_factory.mktemp("run")
            run, results = synthetic_run(base, **sizes)
            made[asked] = base / "report.html"
            write_html(run, results, made[asked])
        return made[asked]

    return report


@pytest.fixture
def page(driver: Chrome, reports: Callable[..., Path]) -> Iterator[Page]:
    """A report with everything in it, open; whatever a test does, nothing is logged and nothing is asked for."""
    opened = Page(driver, reports(models=8, tasks=3, epochs=2))
    driver.get("about:blank")
    driver.get_log("browser")  # type: ignore[no-untyped-call]
    requests(driver)
    opened.open()
    yield opened
    opened.media()
    opened.width(0)
    logged = [entry for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]  # noqa: C416
    assert logged == []
    assert {url for url in requests(driver) if not url.startswith(("file:", "about:", "data:"))} == set()
    assert opened.js("return window.hacked ?? null") is None
