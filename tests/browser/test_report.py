"""The report in a real browser: what a reader does with mouse and keys. Every test also holds the page to silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from browser.conftest import Page  # type: ignore[import-not-found]
else:
    Page = Any

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

MODELS = "#ranked tbody tr:not([hidden]) th"
TOTALS = "#ranked tbody tr:not([hidden]) td:nth-of-type(2)"


def totals(page: Page) -> list[float]:
    return [float(text.split("/")[0]) for text in page.texts(TOTALS)]


def press(page: Page, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page.driver).send_keys(*keys).perform()


def test_it_opens_ranked_and_says_what_it_is_out_of(page: Page) -> None:
    assert page.driver.title == "llmbench run 20250102-030405-abcdef"
    assert totals(page) == sorted(totals(page), reverse=True)
    assert page.find("#ranked th[aria-sort]").text.startswith("rank")
    assert any("+ /" in text for text in page.texts("#incomplete td"))
    assert set(page.texts("#incomplete tbody th")).isdisjoint(page.texts(MODELS))
    assert page.texts(".headings li")[-1] == "8 models, 3 tasks, 2 epochs"


def test_a_click_on_a_heading_sorts_and_says_so(page: Page) -> None:
    heading = page.find("#ranked thead th:nth-child(3) button")
    heading.click()
    assert page.find("#ranked thead th:nth-child(3)").get_attribute("aria-sort") == "descending"
    assert totals(page) == sorted(totals(page), reverse=True)
    heading.click()
    assert page.find("#ranked thead th:nth-child(3)").get_attribute("aria-sort") == "ascending"
    assert totals(page) == sorted(totals(page))
    assert len(page.driver.find_elements("css selector", "#ranked [aria-sort]")) == 1
    page.find("#ranked thead th:nth-child(2) button").click()
    assert page.texts(MODELS) == sorted(page.texts(MODELS), key=lambda name: name.strip("<").lower())


def test_figures_are_sorted_as_figures(page: Page) -> None:
    column = page.js(
        "return [...document.querySelectorAll('#ranked thead th')].findIndex((h) => /size/.test(h.textContent))"
    )
    page.find(f"#ranked thead th:nth-child({column + 1}) button").click()
    sizes = [float(text.split()[0]) for text in page.texts(f"#ranked tbody tr > :nth-child({column + 1})")]
    assert len(sizes) > 3
    assert sizes == sorted(sizes, reverse=True)


def test_the_filter_narrows_every_table_of_models(page: Page) -> None:
    everything = page.texts(MODELS)
    page.find("#filter").send_keys("DEVSTRAL q")
    found = page.texts(MODELS) + page.texts("#incomplete tbody tr:not([hidden]) th")
    assert found
    assert all("devstral" in name for name in found)
    assert page.texts("#heat-table tbody tr:not([hidden]) th") == found
    assert page.find("#filter-count").text == f"{len(found)} of 8 models"
    assert page.find("#filter-count").get_attribute("role") == "status"
    page.find("#filter").clear()
    page.find("#filter").send_keys(" ")
    assert page.texts(MODELS) == everything


def test_a_cell_opens_its_attempt_and_escape_goes_back(page: Page) -> None:
    cell = page.find("#heat-table tbody tr:first-child a")
    link = cell.get_attribute("href").partition("#")[2]
    cell.send_keys("\ue007")  # Enter
    page.until(lambda: page.shown == f"#{link}")
    assert page.js("return document.activeElement.id") == "attempt-title"
    assert "epoch 1" in page.find("#attempt-title").text
    assert {"Rubric points", "Files, beside the starter", "Reply", "Times and counts"} <= set(page.texts("#attempt h3"))
    press(page, "\ue00c")  # Escape
    page.until(lambda: page.shown is None)
    assert "#attempt" not in page.driver.current_url
    assert page.js("return document.activeElement.getAttribute('href')") == f"#{link}"


def test_an_attempts_page_has_what_is_known_of_it(page: Page) -> None:
    row = page.find("#heat-table tbody tr:first-child")
    page.open_attempt(row.find_element("css selector", "a").get_attribute("href").partition("/report.html")[2])
    page.js("document.querySelectorAll('#attempt details').forEach((d) => { d.open = true; })")
    body = page.find("#attempt-body").text
    for part in ("wall time", "first token after", "tokens/s", "queue", "grading", "of 3", "✓ earned", "✗ missed"):
        assert part in body
    for part in ("AssertionError: expected [3, 1]", "last command: node driver.mjs", "again, without a model: pytest"):
        assert part in body
    assert page.texts(".diff .added")[0].startswith("+")
    assert page.texts(".diff .removed")[0].startswith("-")
    assert body.count("lines added") == 1
    assert "# js-" in body or "# python" in body, "the prompt"
    assert "pytest tasks/six/test_" in body
    assert "--llm-epochs=2" in body
    assert len(page.texts("#attempt .reply figure.code pre")) == 1
    assert len(page.texts("#attempt .reply p")) >= 2


def test_the_raw_reply_is_one_click_away(page: Page) -> None:
    page.open_attempt(page.links[0])
    assert page.texts("#attempt .reply")
    button = next(b for b in page.driver.find_elements("css selector", "#attempt .tools button") if "Raw" in b.text)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert page.texts("#attempt .reply") == []
    assert any(text.count("```") == 2 for text in page.texts("#attempt section > pre"))
    button.click()
    assert page.texts("#attempt .reply")


def test_every_epoch_is_reachable(page: Page) -> None:
    page.open_attempt(page.links[0])
    assert [text.split(":")[0] for text in page.texts("#attempt nav a")] == ["1", "2"]
    page.find("#attempt nav a:nth-of-type(2)").click()
    page.until(lambda: (page.shown or "").endswith("/2"))
    assert page.find("#attempt nav [aria-current]").text.startswith("2")
    ours = set(page.links)
    assert len(ours) == 8 * 3 * 2


def test_a_deep_link_opens_its_attempt(page: Page) -> None:
    link = next(link for link in page.links if "devstral" in link and link.endswith("/2"))
    page.open(link)
    page.until(lambda: page.shown == link)
    page.open(link.replace("-", "%2D"))
    page.until(lambda: page.shown == link)
    page.open("#attempt=no-such/model/1")
    assert page.shown is None
    page.js("location.hash = arguments[0]", link)
    page.until(lambda: page.shown == link)
    page.driver.back()
    page.until(lambda: page.shown is None)


def test_an_attempt_without_a_reply_says_why(page: Page) -> None:
    page.find("#troubles .which a").click()
    page.until(lambda: page.shown)
    assert page.find("#attempt .state").text == "error"
    assert page.texts("#attempt .failure")
    assert "No reply text." in page.find("#attempt-body").text


def test_a_task_opens_down_to_its_rubric_points(page: Page) -> None:
    button = page.find("#heat-table .opens")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    rows = page.js("return document.querySelectorAll('#heat-table tbody tr').length")
    assert len(page.texts("#heat-table thead .part")) == 15
    assert len(page.texts("#heat-table tbody .part")) == 15 * rows
    assert set(page.texts("#heat-table tbody tr:first-child .part")) <= {"0/2", "1/2", "2/2"}
    cell = page.find("#heat-table tbody tr:first-child td.part:nth-of-type(4) a")
    point = cell.get_attribute("data-point")
    cell.click()
    page.until(lambda: page.shown)
    assert page.find("#attempt tr.wanted code").text == point
    press(page, "\ue00c")
    button.click()
    assert page.texts("#heat-table .part") == []


def drawn(page: Page, canvas: str) -> str:
    """The picture, as long as there is one at all."""
    return page.js(
        """
        const shown = document.getElementById(arguments[0]);
        const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        [copy.canvas.width, copy.canvas.height] = [shown.width, shown.height];
        copy.drawImage(shown, 0, 0);
        const drawn = copy.getImageData(0, 0, shown.width, shown.height).data.some((value) => value);
        return drawn ? copy.canvas.toDataURL() : '';
        """,
        canvas,
    )


def test_the_charts_are_drawn_and_follow_their_switches(page: Page) -> None:
    page.until(lambda: drawn(page, "scatter-chart"))
    by_time, first = drawn(page, "scatter-chart"), drawn(page, "profile-chart")
    assert first
    buttons = page.driver.find_elements("css selector", "[data-axis]")
    assert [button.text for button in buttons] == ["average wall time", "size", "cost"]
    buttons[1].click()
    assert buttons[1].get_attribute("aria-pressed") == "true"
    assert drawn(page, "scatter-chart") != by_time
    page.js(
        "const s = document.getElementById('profile-model'); s.selectedIndex = 2; s.dispatchEvent(new Event('change'))"
    )
    assert drawn(page, "profile-chart") != first
    assert len(page.texts("#profile-table tbody tr")) == 3
    page.js("document.querySelectorAll('details.data').forEach((d) => { d.open = true; })")
    assert "yes" in page.texts("details.data td")


def luminance(page: Page, selector: str, what: str) -> float:
    """WCAG's relative luminance of a computed colour."""
    return page.js(
        """
        const c = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        c.fillStyle = getComputedStyle(document.querySelector(arguments[0]))[arguments[1]];
        c.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...c.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
          .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        """,
        selector,
        what,
    )


def contrast(page: Page, text: str, ground: str) -> float:
    low, high = sorted((luminance(page, text, "color"), luminance(page, ground, "backgroundColor")))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_both_readable(page: Page, scheme: str) -> None:
    page.media(prefers_color_scheme=scheme)
    page.open()
    assert (luminance(page, "body", "backgroundColor") < 0.2) == (scheme == "dark")
    assert contrast(page, "body", "body") > 7
    assert contrast(page, ".hint", "body") > 4.5
    assert contrast(page, ".which a", "body") > 4.5
    page.js("const t = document.querySelector('#heat-table tbody td'); t.className = 'cell h10'; t.id = 'full'")
    assert contrast(page, "#full a", "#full") > 4.5
    page.open_attempt(page.links[0])
    for kind in ("added", "removed"):
        assert contrast(page, f".diff .{kind}", f".diff .{kind}") > 4.5


def test_charts_change_with_the_scheme(page: Page) -> None:
    page.media(prefers_color_scheme="light")
    page.open()
    page.until(lambda: drawn(page, "profile-chart"))
    light = drawn(page, "profile-chart")
    page.media(prefers_color_scheme="dark")
    page.until(lambda: drawn(page, "profile-chart") != light)


def test_a_narrow_screen_scrolls_tables_and_not_the_page(page: Page) -> None:
    page.width(360)
    page.open()
    page.find("#heat-table .opens").click()
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.js("return document.documentElement.scrollWidth") <= 360
    assert page.js("const b = document.querySelector('#heat .scroll'); return b.scrollWidth > b.clientWidth")
    for link in (page.links[0], next(link for link in page.links if "evil" in link)):
        page.open_attempt(link)
        page.js("document.querySelectorAll('#attempt details').forEach((d) => { d.open = true; })")
        assert page.js("const b = document.getElementById('attempt-body'); return b.scrollWidth <= b.clientWidth")


def test_everything_is_reached_with_the_keyboard(page: Page) -> None:
    press(page, "\ue004")  # Tab
    assert page.js("return document.activeElement.className") == "skip"
    seen = set()
    for _ in range(60):
        press(page, "\ue004")
        seen.add(page.js("const e = document.activeElement; return e.closest('section')?.id + ' ' + e.tagName"))
    assert {"leaderboard INPUT", "leaderboard BUTTON", "heat BUTTON", "heat A"} <= seen


def test_tables_say_what_they_are(page: Page) -> None:
    nameless = page.js(
        "return [...document.querySelectorAll('table')].filter((t) => !t.caption?.textContent.trim()"
        " || [...t.querySelectorAll('th')].some((h) => !['row', 'col'].includes(h.scope))).map((t) => t.outerHTML)"
    )
    assert nameless == []
    unnamed = page.js(
        "return [...document.querySelectorAll('#heat-table a')].filter((a) => !a.getAttribute('aria-label')).length"
    )
    assert unnamed == 0


def test_hostile_texts_are_shown_and_do_nothing(page: Page) -> None:
    link = next(link for link in page.links if "evil" in link)
    page.open_attempt(link)
    page.js("document.querySelectorAll('#attempt details').forEach((d) => { d.open = true; })")
    for button in page.driver.find_elements("css selector", "#attempt .tools button"):
        button.click()
    text = page.js("return document.getElementById('attempt').textContent")
    for part in (
        "<script>window.hacked = 1</script>",
        "</script><script>",
        "javascript:window.hacked=5",
        "<iframe src=",
    ):
        assert part in text
    for shown, hidden in (("\\x1b[31m", "\x1b"), ("\\u202e", "\u202e"), ("\\u2028", "\u2028"), ("\\x00", "\x00")):
        assert shown in text
        assert hidden not in page.js("return document.documentElement.textContent")
    inserted = page.js(
        "return document.querySelectorAll("
        "'b[onclick], iframe, img, #attempt script, #attempt svg, #attempt style, a[href^=java]').length"
    )
    assert inserted == 0
    assert page.js("return [...document.querySelectorAll('a')].every((a) => a.getAttribute('href').startsWith('#'))")
    assert page.js("return getComputedStyle(document.body).display") == "block"


def test_the_policy_bites(page: Page) -> None:
    """What a text could do if it ever became markup is forbidden by the page itself."""
    tried = page.js(
        """
        const tried = [];
        const attempt = (name, act) => { try { act(); tried.push(name); } catch { /* refused */ } };
        attempt('innerHTML', () => { document.createElement('p').innerHTML = '<b>x</b>'; });
        attempt('script text', () => { document.createElement('script').textContent = 'window.hacked = 8'; });
        return tried;
        """
    )
    assert tried == []
    page.driver.get_log("browser")  # the refusals, which Chromium logs


def test_one_epoch_says_that_it_cannot_tell_about_variation(page: Page, reports: Callable[..., Path]) -> None:
    page.address = reports(models=2, tasks=2, epochs=1, hostile=False).as_uri()
    page.open()
    assert "cannot tell anything about variation" in page.find(".top .note").text
    page.find("#heat-table .opens").click()
    assert {text.split()[0] for text in page.texts("#heat-table tbody .part")} <= set("\u2713\u2717\u25d0\u00b7\u2013")
    page.open_attempt(page.links[0])
    assert page.texts("#attempt nav") == []
