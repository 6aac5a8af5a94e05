"""The pages become a site that is whole, needs no network, and can be searched."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import built_site

TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\(([^)\s]+)\)")
NO_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The site, and what was said while it was built."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    done = subprocess.run(
        [*command, str(site)],
        cwd=ROOT,
        env={**os.environ, **NO_NETWORK, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return site, done.stderr + done.stdout


@pytest.fixture(scope="module")
def site(built: tuple[Path, str]) -> Path:
    return built[0]


@pytest.fixture(scope="module")
def read(site: Path) -> dict[Path, built_site.Page]:
    return built_site.read(site)


def test_it_is_built_without_a_warning_and_without_a_network(built: tuple[Path, str]) -> None:
    assert built[1] == ""
    assert (built[0] / "index.html").exists()


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = re.findall(r"- ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    there = [p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    assert sorted(listed) == sorted(page for page in there if not page.endswith(".zh.md"))


def test_every_page_has_one_title(read: dict[Path, built_site.Page]) -> None:
    assert {path for path, page in read.items() if page.titles != 1} == set()


def test_nothing_is_loaded_from_another_host(site: Path, read: dict[Path, built_site.Page]) -> None:
    loaded = {address for page in read.values() for address in page.loads}
    assert not {address for address in loaded if built_site.elsewhere(address)}
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", text), style
    # The theme would load what draws these from another host.
    assert not [path for path in read if 'class="mermaid"' in path.read_text(encoding="utf-8")]


def test_links_within_the_site_lead_somewhere(read: dict[Path, built_site.Page]) -> None:
    anchors = {path.resolve(): page.anchors for path, page in read.items()}
    dead = {path: built_site.dead(page.links, path, anchors) for path, page in read.items()}
    assert {path: links for path, links in dead.items() if links} == {}


def source(page: Path) -> Path:
    """The Markdown file that a page of the site is made of."""
    chinese = page.parts[0] == "zh"
    inside = page.relative_to("zh") if chinese else page
    return ROOT / "docs" / inside.with_suffix(".zh.md" if chinese else ".md")


@pytest.mark.parametrize("page", [p for p in TEXTS if p.parent == ROOT], ids=lambda p: p.name)
def test_links_of_the_top_level_lead_somewhere(
    page: Path, site: Path, read: dict[Path, built_site.Page]
) -> None:
    anchors = {source(path.relative_to(site)): found.anchors for path, found in read.items()}
    for text in ROOT.glob("*.md"):
        anchors[text] = built_site.github_anchors(text.read_text(encoding="utf-8"))
    said = page.read_text(encoding="utf-8")
    links = [*LINK.findall(said), *(target for _, target in PICTURE.findall(said))]
    assert built_site.dead(links, page, anchors) == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_picture_says_in_words_what_is_seen(page: Path) -> None:
    for words, picture in PICTURE.findall(page.read_text(encoding="utf-8")):
        chinese = page.name.endswith(".zh.md")
        count = len(re.findall(r"[\u4e00-\u9fff]", words)) // 2 if chinese else len(words.split())
        assert count >= 4, picture


def browser() -> str:
    """A Chromium of this machine; skips the test where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    found = next(filter(None, map(shutil.which, (*names, mac))), None)
    return found or pytest.skip(f"there is no browser here: none of {', '.join(names)}")


def shown(address: str, profile: Path, *flags: str) -> str:
    """The page as a browser without a network has made it, as HTML."""
    # Chromium refuses its sandbox to root.
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [
        browser(),
        "--headless",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={profile}",
        *alone,
        *flags,
        "--dump-dom",
        address,
    ]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True
    ).stdout


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site to a browser that prints a page as soon as all of it is there.

    A real Worker takes its time, of which the browser knows nothing. So there is a picture in the
    page that is not there until the page has told that it found something.
    """

    found = threading.Event()
    LAST = b"""<img src="/until-found"><script>setInterval(() => {
      if (document.querySelector(".md-search-result__link")) fetch("/found");
    }, 50)</script>"""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/found":
            self.found.set()
        elif path == "/until-found":
            self.found.wait(20)
        if path in ("/found", "/until-found"):
            self.send_error(404)
        elif path.endswith(".html"):
            self.found.clear()
            text = (Path(self.directory) / path[1:]).read_bytes() + self.LAST
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(text)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[str]:
    """The site's address on this machine."""
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()


SEARCHES = pytest.mark.parametrize(
    ("page", "word", "found"),
    [("index.html", "PowerShell", "installing.html"), ("zh/index.html", "安装", "zh/")],
    ids=["English", "Chinese"],
)
RESULT = re.compile(r'<a href="([^"]+)" class="md-search-result__link"')


@SEARCHES
def test_the_search_works_from_the_disk(
    site: Path, tmp_path: Path, page: str, word: str, found: str
) -> None:
    address = f"{site.as_uri()}/{page}?q={word}"
    results = RESULT.findall(shown(address, tmp_path, "--virtual-time-budget=30000"))
    assert any(result.startswith(f"{site.as_uri()}/{found}") for result in results), results


@SEARCHES
def test_the_search_works_from_a_server(
    server: str, tmp_path: Path, page: str, word: str, found: str
) -> None:
    results = RESULT.findall(shown(f"{server}/{page}?q={word}", tmp_path))
    assert any(result.startswith(f"{server}/{found}") for result in results), results


@pytest.mark.parametrize(("system", "scheme"), [("0", "slate"), ("1", "default")])
def test_the_theme_is_the_systems_or_the_one_that_a_reader_chooses(
    site: Path, tmp_path: Path, system: str, scheme: str
) -> None:
    def body(page: Path) -> str:
        text = shown(page.as_uri(), tmp_path, f"--blink-settings=preferredColorScheme={system}")
        return re.search(r'<body[^>]* data-md-color-scheme="(\w+)"', text)[1]

    assert body(site / "index.html") == scheme
    text = (site / "index.html").read_text(encoding="utf-8")
    other, button = ("default", "__palette_1") if scheme == "slate" else ("slate", "__palette_2")
    click = f"addEventListener('load', () => document.getElementById('{button}').click())"
    clicked = site / f"clicked-{system}.html"
    clicked.write_text(text.replace("</body>", f"<script>{click}</script></body>"))
    assert body(clicked) == other
