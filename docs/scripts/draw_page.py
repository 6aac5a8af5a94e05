"""Draws the pictures of the page of `recipes serve`: python docs/scripts/draw_page.py [FOLDER].

A seven is drawn with the pointer in a real browser, and the page's examples are learned from and
judged: on a desktop, light and in English, and on a phone, dark and in Chinese. Also prints how
long the server took to answer each movement. Needs Chromium and a font with Chinese characters.
"""

import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.serve.servers import Server

VIEWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1180, "height": 1080}},
    "phone-dark-zh": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "color_scheme": "dark",
        "locale": "zh-CN",
    },
}
STROKE = [(75 + 3 * n, 60) for n in range(45)] + [(208 - 2 * n, 60 + 4 * n) for n in range(40)]
TIMES = """performance.getEntriesByType("resource")
    .filter((entry) => entry.name.endsWith("/page/seen")).map((entry) => entry.duration)"""


def draw(browser: Browser, server: Server, name: str, folder: Path) -> list[float]:
    """Draw a seven and take a picture; return the milliseconds of each round trip."""
    page = browser.new_context(**VIEWS[name]).new_page()
    page.goto(server.url)
    page.wait_for_selector("body[data-ready=yes]")
    box = page.locator("#drawing").bounding_box()
    assert box
    scale = box["width"] / 280
    for number, (x, y) in enumerate(STROKE):
        page.mouse.move(box["x"] + scale * x, box["y"] + scale * y)
        if number == 0:
            page.mouse.down()
        page.wait_for_timeout(16)  # a frame
    page.mouse.up()
    for answer in page.locator(".answer").all():
        expect(answer).to_have_text("7")
    times = [float(time) for time in page.evaluate(TIMES)]
    if name == "desktop":
        page.locator("[aria-label='C3, unit 9']").hover(position={"x": 22, "y": 12})
    page.screenshot(path=folder / f"{name}.png")
    return times


EXAMPLES = {"desktop": "shop.log", "phone-dark-zh": "requests.csv"}
SECONDS = 600


def find_anomalies(browser: Browser, server: Server, name: str, folder: Path) -> None:
    """Learn from an example and judge it, choose what is strange, and take a picture."""
    page = browser.new_context(**VIEWS[name]).new_page()
    page.goto(f"{server.url}/#anomalies")
    page.wait_for_selector("body[data-ready=yes]")
    page.locator(f"[id='example-{EXAMPLES[name]}']").click()
    expect(page.locator("#chosen-file")).to_contain_text(EXAMPLES[name])
    page.locator("#start").click()
    expect(page.locator("#result")).to_be_visible(timeout=SECONDS * 1_000)
    if EXAMPLES[name].endswith(".log"):
        page.locator("#found button").nth(2).click()
    else:
        page.locator("#result").evaluate("(result) => result.scrollIntoView()")
    page.screenshot(path=folder / f"anomalies-{name}.png")


def main(folder: Path) -> None:
    """Take all pictures, and print the times."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    times: list[float] = []
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=arguments
        )
        for name in VIEWS:
            times += draw(browser, server, name, folder)
            find_anomalies(browser, server, name, folder)
        browser.close()
    late = statistics.quantiles(times, n=20)[-1]
    print(f"{len(times)} round trips: median {statistics.median(times):.0f} ms, p95 {late:.0f} ms")


if __name__ == "__main__":
    main(Path((sys.argv[1:] or ["docs/pictures/serve"])[0]))
