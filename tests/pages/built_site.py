"""The site as a browser reads it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script", "img", "iframe", "source", "video", "audio", "embed"}
LOADING_LINKS = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload"}


class Page(HTMLParser):
    """One page of the site.

    Attributes:
        loads: Addresses that a browser fetches by itself.
        links: Addresses that a reader may follow.
        anchors: Names of places in the page.
        titles: How many headings of the first level there are.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.titles = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        self.titles += tag == "h1"
        if tag in LOADS and "src" in given:
            self.loads.append(given["src"])
        if tag == "link" and LOADING_LINKS & set(given.get("rel", "").split()):
            self.loads.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


def elsewhere(address: str) -> bool:
    """Whether an address is on another host."""
    return bool(urlsplit(address).netloc)


def read(site: Path) -> dict[Path, Page]:
    """All pages but the one that a server shows where there is none."""
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}


def dead(links: list[str], page: Path, anchors: dict[Path, set[str]]) -> list[str]:
    """Links that lead nowhere.

    Args:
        links: Of the page.
        page: What they are relative to.
        anchors: Names of places by file; a file that is not among them has none that are checked.
    """
    found = []
    for link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
        anchor = unquote(parts.fragment)
        if not target.exists() or (anchor and anchor not in anchors.get(target, {anchor})):
            found.append(link)
    return found


def github_anchors(text: str) -> set[str]:
    """Names of places in a Markdown file as GitHub shows it."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {word.replace(" ", "-") for word in words} | set(re.findall(r'id="([^"]+)"', text))
