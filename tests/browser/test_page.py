"""The page of draw, as a person uses it: it opens offline, moves, finds, tells and unfolds."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from provcap.cli.main import main
from provcap.graph.titles import clean
from tests.graph import crowds
from tests.graph.builder import Log
from tests.graph.hostile import NAMES, log_of
from tests.graph.story import story
from tests.graph.test_picture import FILES, PROCESSES, REPORT

pytestmark = pytest.mark.browser
Opener = Callable[..., Chrome]


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Opener:
    """Draw a log and open the page; what the browser said before is forgotten."""

    def open_page(log: Log, *words: str) -> Chrome:
        (tmp_path / "log").write_bytes(log.lines())
        out = tmp_path / "page.html"
        assert main(["draw", *words, "--log", str(tmp_path / "log"), "--out", str(out)]) == 0
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(out.as_uri())
        return browser

    return open_page


def node(page: Chrome, title: str) -> WebElement:
    """The node whose first line is this."""
    found = [
        element
        for element in page.find_elements(By.CSS_SELECTOR, ".node")
        if element.find_element(By.CSS_SELECTOR, ".name").text == title
    ]
    assert len(found) == 1, f"{len(found)} nodes {title}"
    return found[0]


def texts(page: Chrome, selector: str) -> list[str]:
    """What elements hold, also those that are out of view."""
    script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
    return list(page.execute_script(script, selector))


def names(page: Chrome) -> set[str]:
    return set(texts(page, ".node .name"))


def view(page: Chrome) -> str:
    return str(page.find_element(By.ID, "scene").get_attribute("transform"))


def panel(page: Chrome) -> str:
    return page.find_element(By.ID, "panel").text


def centre(element: WebElement) -> tuple[float, float]:
    box = element.rect
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def requests(page: Chrome) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    # the browser's own first page may still be loading: it is not ours
    return [p["request"]["url"] for p in sent if not p["documentURL"].startswith("chrome:")]


def test_it_opens_offline_without_a_request_or_an_error(page: Opener) -> None:
    opened = page(story(), REPORT)

    assert requests(opened) == [opened.current_url]
    assert opened.current_url.startswith("file://")
    assert opened.get_log("browser") == []
    assert names(opened) >= PROCESSES | FILES


def test_its_policy_stops_a_connection(page: Opener) -> None:
    """Even a script that got in could not call out."""
    opened = page(story(), REPORT)
    said = opened.execute_async_script(
        "const done = arguments[0];"
        "fetch('http://127.0.0.1:9/').then(() => done('sent'), (e) => done('' + e))"
    )

    assert "Failed to fetch" in said
    assert any("Content Security Policy" in entry["message"] for entry in opened.get_log("browser"))


def test_the_banner_tells_what_is_missing(page: Opener) -> None:
    lossy = story()
    lossy.account(complete=False, event_ring_full=7)

    assert page(story(), REPORT).find_element(By.ID, "banner").text == (
        "complete: no record was lost"
    )
    banner = page(lossy, REPORT).find_element(By.ID, "banner")
    assert banner.text == "PARTIAL PICTURE \u2013 incomplete: 7 event ring full"
    assert banner.get_attribute("class") == "partial"


def test_dragging_moves_the_picture(page: Opener) -> None:
    opened = page(story(), REPORT)
    before = centre(node(opened, "pipe"))
    picture = opened.find_element(By.ID, "picture")
    ActionChains(opened).move_to_element_with_offset(
        picture, -500, -200
    ).click_and_hold().move_by_offset(60, 40).release().perform()
    after = centre(node(opened, "pipe"))

    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((60, 40), abs=2)
    assert not opened.find_element(By.ID, "panel").is_displayed()


def test_the_wheel_zooms_round_the_pointer(page: Opener) -> None:
    opened = page(story(), REPORT)
    pipe = node(opened, "pipe")
    before = pipe.rect["width"], centre(pipe)
    origin = ScrollOrigin.from_element(pipe)
    ActionChains(opened).scroll_from_origin(origin, 0, -300).perform()

    assert pipe.rect["width"] > before[0] * 1.3
    assert centre(pipe) == pytest.approx(before[1], abs=4)


def test_buttons_zoom_and_fit(page: Opener) -> None:
    opened = page(story(), REPORT)
    first = view(opened)
    opened.find_element(By.ID, "in").click()
    nearer = view(opened)
    opened.find_element(By.ID, "fit").click()

    assert nearer != first
    assert view(opened) == first


def test_search_highlights_and_centres(page: Opener) -> None:
    """By name first, then by anything else that is known; Enter goes on to the next."""
    opened = page(crowds.jumble(200), "--max-nodes", "300")
    search = opened.find_element(By.ID, "search")
    search.send_keys("tool177")
    found = opened.find_elements(By.CSS_SELECTOR, ".node.found")
    frame = opened.find_element(By.ID, "picture")

    assert [element.find_element(By.CSS_SELECTOR, ".name").text for element in found] == [
        "tool177 (pid 177)"
    ]
    assert centre(found[0]) == pytest.approx(centre(frame), abs=3)
    assert opened.find_element(By.ID, "matches").text == "1 of 1"
    search.send_keys(Keys.ENTER)
    assert panel(opened).startswith("Close")
    search.clear()
    search.send_keys("no such thing")
    assert opened.find_element(By.ID, "matches").text == "not found"


def test_a_click_shows_everything_about_a_node(page: Opener) -> None:
    opened = page(story(), REPORT)
    ActionChains(opened).click(node(opened, "wget (pid 201)")).perform()
    told = panel(opened)

    assert is_in_view(node(opened, "wget (pid 201)"), opened)
    for text in (
        *("wget (pid 201)", "process (activity)", "wget -q http://127.0.0.1:8000/page.html"),
        *("Process id\n201", "cf:", "2026-01-02 03:04:05", "In (3)", "Out (2)"),
        "writes \u2192 /srv/data/page.html",
    ):
        assert text in told


def test_an_edge_in_the_panel_leads_to_its_other_end(page: Opener) -> None:
    opened = page(story(), REPORT)
    ActionChains(opened).click(node(opened, "pipe")).perform()
    opened.find_element(By.XPATH, "//aside//li/button[contains(., 'uniq')]").click()

    assert "uniq -c" in panel(opened)


def is_in_view(element: WebElement, page: Chrome) -> bool:
    box, frame = element.rect, page.find_element(By.ID, "picture").rect
    return bool(
        box["x"] >= frame["x"]
        and box["y"] >= frame["y"]
        and box["x"] + box["width"] <= frame["x"] + frame["width"]
        and box["y"] + box["height"] <= frame["y"] + frame["height"]
    )


def overlaps(page: Chrome) -> list[object]:
    return list(
        page.execute_script("""
        const boxes = [...document.querySelectorAll(".node > .box")].map((e) => e.getBBox());
        return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
          a.x + 1 < b.x + b.width && b.x + 1 < a.x + a.width &&
          a.y + 1 < b.y + b.height && b.y + 1 < a.y + a.height)).length ? ["overlap"] : [];
    """)
    )


def test_versions_unfold_in_place_and_fold_again(page: Opener) -> None:
    """A double click; the node stays where it was and no other is covered."""
    opened = page(story(), REPORT)
    before = node(opened, "sort (pid 202)").rect
    ActionChains(opened).double_click(node(opened, "sort (pid 202)")).perform()
    sort = node(opened, "sort (pid 202)")
    cells = texts(opened, ".version text")

    assert sorted(cells) == [*(["memory v0"] * 2), *(f"task v{version}" for version in range(4))]
    assert is_in_view(sort, opened)
    assert sort.rect["y"] == pytest.approx(before["y"], abs=3)
    assert overlaps(opened) == []
    ActionChains(opened).double_click(sort.find_element(By.CSS_SELECTOR, ".name")).perform()
    assert opened.find_elements(By.CSS_SELECTOR, ".version") == []


def test_a_click_on_a_version_shows_its_identifier(page: Opener) -> None:
    log = story()
    opened = page(log, REPORT)
    ActionChains(opened).double_click(node(opened, "sort (pid 202)")).perform()
    cells = node(opened, "sort (pid 202)").find_elements(By.CSS_SELECTOR, ".version")
    cell = next(cell for cell in cells if cell.text == "task v3")
    ActionChains(opened).click(cell).perform()

    assert log.id("t202", 3) in panel(opened)


def test_everything_unfolds_at_once(page: Opener) -> None:
    opened = page(story(), REPORT)
    opened.find_element(By.ID, "unfold").click()
    cells = opened.find_elements(By.CSS_SELECTOR, ".version")

    assert len(cells) > 40
    assert overlaps(opened) == []
    assert opened.find_element(By.ID, "unfold").text == "Fold all"
    opened.find_element(By.ID, "unfold").click()
    assert opened.find_elements(By.CSS_SELECTOR, ".version") == []


def test_the_keyboard_is_enough(page: Opener) -> None:
    """Tab reaches the nodes in order of time, Enter tells, space unfolds, slash searches."""
    opened = page(story(), REPORT)
    first = view(opened)
    opened.find_element(By.ID, "picture").send_keys("+")
    assert view(opened) != first
    node(opened, "pipe").send_keys(Keys.ENTER)
    assert "pipe" in panel(opened)
    node(opened, "pipe").send_keys(" ")
    assert len(opened.find_elements(By.CSS_SELECTOR, ".version")) == 1
    node(opened, "pipe").send_keys(Keys.ESCAPE)
    assert not opened.find_element(By.ID, "panel").is_displayed()
    node(opened, "pipe").send_keys("/")
    assert opened.switch_to.active_element.get_attribute("id") == "search"


def test_five_hundred_nodes_open_readable(page: Opener) -> None:
    """Not all of them at once, but in letters that can be read."""
    opened = page(crowds.jumble(500))
    element = node(opened, "tool100 (pid 100)").find_element(By.CSS_SELECTOR, ".name")

    assert len(names(opened)) == 500
    assert element.rect["height"] >= 9
    assert overlaps(opened) == []


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[1:20])
def test_an_attack_is_shown_as_text(name: str, page: Opener) -> None:
    opened = page(log_of(name))
    titles = {clean(f"/in/{name}"), clean(f"/out/{name}")}
    told = set()
    for element in opened.find_elements(By.CSS_SELECTOR, ".node"):
        element.send_keys(Keys.ENTER)
        told.add(opened.execute_script("return document.querySelector('#panel h2').textContent"))

    assert titles <= told
    assert opened.execute_script("return window.attacked") is None
    assert opened.execute_script("return document.scripts.length") == 2
    assert opened.find_elements(By.CSS_SELECTOR, "img, #panel b, svg b") == []
    assert opened.get_log("browser") == []
