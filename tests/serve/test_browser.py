"""The page in a real browser: a digit is drawn, and the nets read it."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.serve.servers import Server

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

SEVEN = [(75 + 9 * n, 60) for n in range(15)] + [(200 - 5 * n, 60 + 11 * n) for n in range(15)]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        # A browser of root has no sandbox of its own.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield running
        running.close()


class Page:
    """The page of a server, ready to draw on."""

    def __init__(self, browser: sync_api.Browser, server: Server, **settings: object) -> None:
        self.page = browser.new_context(**settings).new_page()
        self.told: list[str] = []
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.goto(server.url)
        self.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)

    def draw(self, points: list[tuple[int, int]]) -> None:
        box = self.page.locator("#drawing").bounding_box()
        scale = box["width"] / 280
        places = [(box["x"] + scale * x, box["y"] + scale * y) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def reads(self, answer: str) -> None:
        """Wait until every net gives an answer."""
        for found in self.page.locator(".answer").all():
            sync_api.expect(found).to_have_text(answer, timeout=30_000)


@pytest.fixture
def page(browser: sync_api.Browser, server: Server) -> Page:
    return Page(browser, server, viewport={"width": 1280, "height": 900})


def test_both_nets_read_a_seven_that_is_drawn(page: Page) -> None:
    page.draw(SEVEN)
    page.reads("7")
    titles = page.page.locator("h3").all_inner_texts()
    for title in ("hidden: 16 units", "C1: 6 maps of 28 × 28", "S2: 6 maps of 14 × 14, halved",
                  "C3: 16 maps of 10 × 10", "C5: 120 units", "F6: 84 units"):  # fmt: skip
        assert title in titles
    assert (
        page.page.locator("[aria-label=lenet5] .maps canvas").count() == 6 + 6 + 16 + 16 + 120 + 84
    )
    assert page.told == []


def test_a_digit_is_drawn_with_the_keyboard(page: Page) -> None:
    page.page.locator("#drawing").focus()
    for key in [" ", *["ArrowDown"] * 15]:
        page.page.keyboard.press(key)
    page.reads("1")


def test_clear_forgets_the_digit(page: Page) -> None:
    page.draw(SEVEN)
    page.reads("7")
    page.page.get_by_role("button", name="Clear").click()
    page.reads("")
    assert page.page.locator(".maps").count() == 0


def test_a_unit_says_how_active_it_is(page: Page) -> None:
    page.draw(SEVEN)
    page.reads("7")
    page.page.locator("[aria-label=mnist-mlp] .maps canvas").first.hover()
    note = page.page.locator("[aria-label=mnist-mlp] .note").last
    sync_api.expect(note).to_contain_text("hidden, unit 1: ")
    sync_api.expect(note).to_contain_text("what it looks for")


def test_a_file_that_is_no_picture_is_a_message(page: Page) -> None:
    upload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    page.page.locator("#file").set_input_files(upload)
    message = page.page.locator("#message")
    sync_api.expect(message).to_contain_text("expected a picture", timeout=30_000)


def test_it_speaks_the_language_of_the_browser(browser: sync_api.Browser, server: Server) -> None:
    chinese = Page(browser, server, locale="zh-CN").page
    sync_api.expect(chinese.locator("h1")).to_have_text("看神经网络怎样认数字")
    chinese.get_by_role("button", name="English").click()
    sync_api.expect(chinese.locator("h1")).to_have_text("Watch a net read a digit")
    assert chinese.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_everyone_can_use_it(
    scheme: str, width: int, browser: sync_api.Browser, server: Server
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = Page(browser, server, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.draw(SEVEN)
    page.reads("7")
    serious = [
        (fault["id"], fault["nodes"][0]["html"])
        for fault in axe.run(page.page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_only_models_that_read_digits_are_drawn(
    browser: sync_api.Browser, all_kinds: Server
) -> None:
    page = Page(browser, all_kinds)
    assert page.page.locator(".net h2").all_inner_texts() == ["lenet5"]
