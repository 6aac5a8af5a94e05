"""The page in a real browser: a digit is drawn, and the nets read it."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipes import build_xor, fit
from tests.anomaly.logs import test_stream as orders
from tests.serve.servers import Server
from tests.serve.test_jobs import table

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

    def __init__(
        self,
        browser: sync_api.Browser,
        server: Server,
        *,
        ready: bool = True,
        **settings: object,
    ) -> None:
        self.page = browser.new_context(**settings).new_page()
        self.told: list[str] = []
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.goto(server.url)
        if ready:
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
    assert page.page.locator("#digits .maps").count() == 0


def test_a_unit_says_how_active_it_is_and_what_it_saw(page: Page) -> None:
    page.draw(SEVEN)
    page.reads("7")
    page.page.locator("[aria-label=mnist-mlp] .maps canvas").first.hover()
    note = page.page.locator("[aria-label=mnist-mlp] .told .note")
    sync_api.expect(note).to_contain_text("hidden, unit 1: ")
    sync_api.expect(note).to_contain_text("what it looks for")
    # C3 sees 5 x 5 units of S2, each of which sees 2 x 2 units of C1, which see 5 x 5 pixels.
    page.page.locator("[aria-label='C3, unit 2']").hover()
    note = page.page.locator("[aria-label=lenet5] .told .note")
    sync_api.expect(note).to_contain_text("C3, unit 2: ")
    rows = re.search(r"rows (\d+)–(\d+)", note.inner_text())
    assert rows
    assert int(rows[2]) - int(rows[1]) + 1 == 14
    field, shown = (page.page.locator(one).bounding_box() for one in ("#field", "#shown"))
    assert field["height"] == pytest.approx(14 / 28 * shown["height"], abs=1.5)
    assert field["y"] - shown["y"] == pytest.approx(
        (int(rows[1]) - 1) / 28 * shown["height"], abs=1.5
    )
    page.page.locator("[aria-label='F6, unit 1']").focus()
    page.page.keyboard.press("ArrowRight")
    sync_api.expect(note).to_contain_text("F6, unit 2: ")
    sync_api.expect(note).to_contain_text("It saw the whole picture.")
    assert page.told == []


def test_a_file_that_is_no_picture_is_a_message(page: Page) -> None:
    upload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    page.page.locator("#file").set_input_files(upload)
    message = page.page.locator("#message")
    sync_api.expect(message).to_contain_text("expected a picture", timeout=30_000)


def test_it_speaks_the_language_of_the_browser(browser: sync_api.Browser, server: Server) -> None:
    chinese = Page(browser, server, locale="zh-CN").page
    title = chinese.locator("#digits .title")
    sync_api.expect(title).to_have_text("看神经网络怎样认数字")
    chinese.get_by_role("button", name="English").click()
    sync_api.expect(title).to_have_text("Watch a net read a digit")
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
    assert faults(axe, page) == []
    for part in ("XOR", "Anomalies"):
        page.page.get_by_role("link", name=part).click()
        assert faults(axe, page) == []


def faults(axe: Any, page: Page) -> list[tuple[str, str]]:
    """Return the serious faults of what is shown, and fail if it is wider than the screen."""
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return [
        (fault["id"], fault["nodes"][0]["html"])
        for fault in axe.run(page.page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_only_models_that_read_digits_are_drawn(
    browser: sync_api.Browser, all_kinds: Server
) -> None:
    page = Page(browser, all_kinds)
    assert page.page.locator("#digits .net h2").all_inner_texts() == ["lenet5"]


def test_nets_that_the_page_cannot_draw_do_not_disturb_it(
    browser: sync_api.Browser, tmp_path: Path
) -> None:
    other = fit("autoencoder", "digits", epochs=1, out=tmp_path / "other", show_progress=False)
    assert other.card is not None
    with Server(str(tmp_path / "other"), "lenet5") as server:
        page = Page(browser, server)
        page.draw(SEVEN)
        page.reads("7")
        assert page.page.locator("#digits .net h2").all_inner_texts() == ["lenet5"]
        refused = server.ask("/page/models/other")
    assert refused.status == 422
    assert "expected a net that classifies pictures, received other" in refused.error


def test_xor_is_learned_while_one_watches(page: Page) -> None:
    page.page.get_by_role("link", name="XOR").click()
    assert not page.page.locator("#drawing").is_visible()
    assert page.page.locator("#hidden canvas").count() == 10
    page.page.get_by_role("button", name="100 epochs").click()
    sync_api.expect(page.page.locator("#epochs")).to_contain_text("100 epochs", timeout=30_000)
    sync_api.expect(page.page.locator("#state")).to_contain_text("Not right yet")
    page.page.get_by_role("button", name="Until it is right").click()
    sync_api.expect(page.page.locator("#state")).to_contain_text("Right: every", timeout=120_000)
    answers = page.page.locator("#answers").inner_text()
    assert [round(float(part)) for part in re.findall(r": ([0-9.]+)", answers)] == [0, 1, 1, 0]
    assert page.told == []


def test_another_number_of_units_begins_anew(page: Page) -> None:
    page.page.get_by_role("link", name="XOR").click()
    page.page.get_by_role("button", name="100 epochs").click()
    sync_api.expect(page.page.locator("#epochs")).to_contain_text("100 epochs", timeout=30_000)
    page.page.get_by_label("Hidden units").select_option("2")
    sync_api.expect(page.page.locator("#epochs")).to_contain_text("0 epochs")
    assert page.page.locator("#hidden canvas").count() == 2


TRAIN = """async ([first, epochs]) => {
  const { XorNet } = await import("/page/xor.js");
  const recipe = await (await fetch("/page/xor")).json();
  const net = new XorNet({ units: 10, activation: recipe.activation, rate: recipe.learning_rate,
                           table: recipe.table });
  net.hidden = first[0][0].map((_, n) => ({
    weights: [first[0][0][n], first[0][1][n]], bias: first[1][n] }));
  net.output = { weights: first[2].map((row) => row[0]), bias: first[3][0] };
  for (let n = 0; n < epochs; n++) net.epoch();
  return net.points.map(({ x }) => net.answer(x));
}"""


def test_the_page_trains_the_net_of_the_recipe(page: Page) -> None:
    model = build_xor()
    first = [array.tolist() for array in model.get_weights()]
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), np.array([[0.0], [1], [1], [0]])
    model.fit(x, y, epochs=200, batch_size=4, verbose=0)
    answers = page.page.evaluate(TRAIN, [first, 200])
    assert answers == pytest.approx(model.predict(x, verbose=0).ravel().tolist(), abs=1e-4)


def anomalies(page: Page, name: str, content: bytes, model: str = "") -> None:
    """Choose a file and a model, and begin."""
    page.page.get_by_role("link", name="Anomalies").click()
    with page.page.expect_file_chooser() as chosen:
        page.page.locator("label[for=data]").click()
    chosen.value.set_files({"name": name, "mimeType": "text/plain", "buffer": content})
    sync_api.expect(page.page.locator("#chosen-file")).to_have_text(f"Chosen: {name}")
    if model:
        page.page.get_by_label("Judged by").select_option(model)
    page.page.locator("#start").click()


def test_a_log_is_learned_from_and_its_anomaly_is_found(
    browser: sync_api.Browser, all_kinds: Server
) -> None:
    lines = [one for n in range(120) for one in orders.session(10 * n, 10_000 + n)]
    lines.insert(4 * 100 + 2, orders.line(1_001.5, 10_100, b"disk full"))
    page, other = Page(browser, all_kinds), Page(browser, all_kinds)
    page.page.get_by_role("link", name="Anomalies").click()
    page.page.get_by_text("More settings").click()
    page.page.get_by_label("Most epochs").fill("2")
    anomalies(page, "shop.log", orders.joined(lines))
    sync_api.expect(page.page.locator("#job-state")).to_have_text(re.compile("Reading|Learning"))
    anomalies(other, "load.csv", table(50), "load")
    refused = "another file is being judged or learned from; try again when it is done"
    sync_api.expect(other.page.locator("#job-error")).to_have_text(refused, timeout=30_000)
    found = page.page.locator("#found button")
    sync_api.expect(found).to_have_count(1, timeout=180_000)
    sync_api.expect(found).to_contain_text("order-10100never seen: INFO disk full")
    found.click()
    sync_api.expect(page.page.locator("#detail mark")).to_contain_text("order-10100 disk full")
    sync_api.expect(page.page.locator("#promise")).to_contain_text("at most one false alarm in")
    page.page.get_by_label("Threshold").focus()
    page.page.keyboard.press("End")
    sync_api.expect(page.page.locator("#threshold-told")).to_contain_text("1 in 1,000,000")
    sync_api.expect(page.page.locator("#promise")).to_contain_text("Extrapolated")
    command = page.page.locator("#commands")
    sync_api.expect(command).to_contain_text("false_alarm_rate=0.00000100", timeout=60_000)
    # The next test's job begins when this one is done.
    sync_api.expect(page.page.locator("#stop")).to_be_hidden(timeout=60_000)
    assert page.told == []


def test_the_incident_of_a_series_is_found_and_its_rows_are_downloaded(
    browser: sync_api.Browser, all_kinds: Server
) -> None:
    page = Page(browser, all_kinds, locale="zh-CN", viewport={"width": 390, "height": 800})
    page.page.get_by_role("button", name="English").click()
    anomalies(page, "load.csv", table(400, strange=350), "load")
    found = page.page.locator("#found button")
    sync_api.expect(found).to_have_count(1, timeout=60_000)
    found.click()
    sync_api.expect(page.page.locator("#detail")).to_contain_text("value: 99")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Rows as JSON lines").click()
    rows = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert [row["value"] for row in rows if row["anomaly"]] == [99]
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    assert faults(axe, page) == []
    page.page.get_by_label("Threshold").focus()
    page.page.keyboard.press("End")
    sync_api.expect(page.page.locator("#threshold-told")).to_have_text("3.00: 0 incidents")
    anomalies(page, "notes.csv", b"a,b\nno,numbers\n", "load")
    error = page.page.locator("#job-error")
    sync_api.expect(error).to_contain_text("notes.csv: expected", timeout=60_000)
    assert page.told == []


def test_a_server_with_a_token_asks_for_it(
    browser: sync_api.Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIPES_SERVE_TOKEN", "a-token-of-this-test")
    with Server("lenet5") as server:
        page = Page(browser, server, ready=False)
        field = page.page.get_by_label("This server asks for its token")
        field.fill("another-token-entirely")
        page.page.get_by_role("button", name="Enter").click()
        wrong = page.page.locator("#token-message")
        sync_api.expect(wrong).to_have_text("The server does not take this token.")
        field.fill("a-token-of-this-test")
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        page.draw(SEVEN)
        page.reads("7")
        sync_api.expect(page.page.locator("#token")).to_be_hidden()
        page.page.reload()
        page.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        page.draw(SEVEN)
        page.reads("7")
        stored = "[localStorage.length, sessionStorage.length, document.cookie]"
        assert page.page.evaluate(stored) == [0, 1, ""]
        assert server.ask("/page/models").status == 401
