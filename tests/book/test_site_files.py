"""The built site's files: nothing that a page loads comes from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from book._tools.address import PLACEHOLDER, repository_url
from book._tools.csp import digest, inline_scripts, with_policy
from book._tools.icons import icons_in
from book._tools.notebooks import sources
from book._tools.page_head import changes
from book._tools.repository import ROOT
from book._tools.website import HTML, REDIRECT

PAGES = sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)
CHAPTERS = [HTML / "book" / f"{source.stem}.html" for source in sources() if source.stem != "index"]
STYLES = sorted(HTML.rglob("*.css"))
ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
CSS_REFERENCE = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", re.IGNORECASE)
SCRIPT_REFERENCE = re.compile(r"""(?:\bfrom|\bimport\(?|importScripts\(|new Worker\()\s*['"]([^'"]+)""")
LOADING_ATTRIBUTES = {"src", "srcset", "data", "poster", "background"}
# A link of these kinds is an address to know or to follow, and nothing is loaded from it.
PASSIVE_LINKS = {"canonical", "next", "prev", "index", "search", "author", "license", "alternate"}


class Loads(HTMLParser):
    """Collects the addresses that a page loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.addresses += [value for name, value in values.items() if name in LOADING_ATTRIBUTES]
        self.addresses += css_references(values.get("style", ""))
        if tag == "link" and not set(values.get("rel", "").lower().split()) <= PASSIVE_LINKS:
            self.addresses.append(values.get("href", ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.addresses += css_references(data)
        elif self._inside == "script":
            self.addresses += SCRIPT_REFERENCE.findall(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def css_references(text: str) -> list[str]:
    return [first or second for first, second in CSS_REFERENCE.findall(text)]


def from_elsewhere(addresses: list[str]) -> list[str]:
    return [address[:200] for address in addresses if ELSEWHERE.match(address)]


def site_id(path: Path) -> str:
    return path.relative_to(HTML).as_posix()


def test_the_site_is_built() -> None:
    assert PAGES, "there is no site: run `make book` first"


@pytest.mark.parametrize("path", PAGES, ids=site_id)
def test_page_loads_nothing_from_elsewhere(path: Path) -> None:
    assert from_elsewhere(Loads(path.read_text()).addresses) == []


@pytest.mark.parametrize("path", STYLES, ids=site_id)
def test_style_loads_nothing_from_elsewhere(path: Path) -> None:
    assert from_elsewhere(css_references(path.read_text())) == []


@pytest.mark.parametrize("path", PAGES, ids=site_id)
def test_what_a_page_loads_is_there(path: Path) -> None:
    for address in Loads(path.read_text()).addresses:
        if not address or re.match(r"data:|#|\w+$", address):
            continue
        file = (path.parent / address.split("?")[0].split("#")[0]).resolve()
        assert file.exists(), address


@pytest.mark.parametrize("path", PAGES, ids=site_id)
def test_page_has_a_policy_that_names_every_script_in_it(path: Path) -> None:
    html = path.read_text()
    if path == HTML / REDIRECT:
        return
    place = html.index('http-equiv="Content-Security-Policy"')
    assert place < min(html.index("<script"), html.index("<link"))
    stated = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert stated is not None
    (scripts,) = (part for part in stated[1].split("; ") if part.startswith("script-src "))
    assert "unsafe" not in scripts
    assert set(map(digest, inline_scripts(html))) <= set(scripts.split())
    assert (
        re.search(r"<[^<>]*\son\w+\s*=", re.sub(r"(?s)<script.*?</script>|<pre.*?</pre>", "", html)) is None
    )


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<script>a</script>", ["a"]),
        ("<SCRIPT type=module>a\nb</SCRIPT>", ["a\nb"]),
        ('<script src="a.js"></script>', []),
        ('<script type="application/json">{}</script>', []),
        ('<script type="text/javascript">a</script>', ["a"]),
    ],
)
def test_scripts_that_a_policy_must_name(html: str, expected: list[str]) -> None:
    assert inline_scripts(html) == expected
    made = with_policy(f"<html><head><title>t</title></head>{html}</html>")
    assert made.startswith("<html><head><meta http-equiv")
    assert all(digest(script) in made for script in expected)


def test_a_handler_that_no_script_knows_stops_the_build() -> None:
    assert 'data-click="print"' in with_policy('<head></head><button onclick="window.print()">')
    with pytest.raises(KeyError, match="other"):
        with_policy('<head></head><button onclick="other()">')


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("<script src='https://example.org/a.js'></script>", 1),
        ("<script src='//example.org/a.js'></script>", 1),
        ("<link rel=stylesheet href='http://example.org/a.css'>", 1),
        ("<link rel='canonical' href='https://example.org/'>", 0),
        ("<img src='https://example.org/a.png'>", 1),
        ("<p style='background: url(https://example.org/a.png)'>", 1),
        ("<style>@import 'https://example.org/a.css';</style>", 1),
        ("<style>@font-face { src: url('https://example.org/a.woff2') }</style>", 1),
        ("<script type=module>import a from 'https://example.org/a.js'</script>", 1),
        ("<a href='https://example.org/'>a link</a>", 0),
        ("<img src='data:image/png;base64,AAAA'>", 0),
    ],
)
def test_loads_from_elsewhere_are_noticed(text: str, count: int) -> None:
    assert len(from_elsewhere(Loads(text).addresses)) == count


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_launch_buttons_open_the_notebook_where_there_is_an_address(source: Path) -> None:
    page = (HTML / "book" / f"{source.stem}.html").read_text()
    notebook = rf"book(?:/|%2F){source.stem}\.ipynb"
    public = PLACEHOLDER not in repository_url()
    for host in (r"mybinder\.org/", r"colab\.research\.google\.com/github/"):
        assert bool(re.search(rf'href="https://{host}[^"]*{notebook}"', page)) == public
    assert (PLACEHOLDER in page) is False
    assert re.search(rf'href="[^"]*_sources/book/{source.stem}\.ipynb"', page)


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_a_chapter_says_what_it_is_and_when_it_changed(source: Path) -> None:
    page = (HTML / "book" / f"{source.stem}.html").read_text()
    about = re.search(r'<meta name="description" content="([^"]+)"', page)
    assert about is not None
    assert 40 < len(about[1]) < 300
    title = re.search(r'<meta property="og:title" content="([^"]+)"', page)
    assert title is not None
    assert "&lt;" not in title[1]
    window = re.search(r"<title>(.+?)</title>", page, re.DOTALL)
    assert window is not None
    assert "\\(" not in window[1] + title[1]
    assert re.search(r"version \d+\.\d+", page) or not changes(ROOT)


def test_icons_in_use_are_in_the_fonts() -> None:
    fonts = [TTFont(path) for path in sorted((HTML / "_static" / "icons").glob("*.woff"))]
    drawn = {code for font in fonts for code in font.getBestCmap()}
    style = (HTML / "_static" / "icons" / "icons.css").read_text()
    rules = dict(re.findall(r'\.fa-([\w-]+)::before \{\s*content: "\\([0-9a-f]+)"', style))
    used = {
        name
        for path in PAGES
        for classes in re.findall(r'<(?:i|span)\b[^>]*class="([^"]*\bfa[\w -]*)"', path.read_text())
        for name in re.findall(r"\bfa-([\w-]+)", classes)
    } - {"solid", "brands", "regular", "lg"}
    assert used
    assert used <= set(rules)
    assert {int(code, 16) for code in rules.values()} <= drawn
    assert set().union(*(icons_in(path.read_text(encoding="utf-8")) for path in STYLES)) <= drawn
    assert not list(HTML.glob("_static/vendor/fontawesome/**/*.js"))


@pytest.mark.parametrize("path", PAGES, ids=site_id)
def test_scripts_of_widgets_are_loaded_only_for_widgets(path: Path) -> None:
    html = path.read_text()
    assert ("embed-amd.js" in html) == ("widget-view+json" in html)
    assert ("widget-state+json" in html) == ("widget-view+json" in html)


def test_code_leads_to_the_reference_and_words_to_the_glossary() -> None:
    linked = [path for path in CHAPTERS if 'class="ddgp-code-link" href="' in path.read_text()]
    assert len(linked) == len(CHAPTERS)
    explained = [path for path in CHAPTERS if 'class="ddgp-term' in path.read_text()]
    assert len(explained) == len(CHAPTERS)
    for path in CHAPTERS:
        for file, anchor in re.findall(r'class="ddgp-code-link" href="([^"#]+)#([^"]+)"', path.read_text()):
            assert f'id="{anchor}"' in (path.parent / file).read_text(), anchor


def test_the_bibliography_is_labelled_by_author_and_year() -> None:
    page = (HTML / "book" / "bibliography.html").read_text()
    found = re.findall(r'<span class="label">.*?</span>(.*?)<span class="fn-bracket">', page)
    assert len(found) > 50
    assert len(set(found)) == len(found)
    assert all(re.search(r", (\d{4}[a-z]?|n\.d\.)$", label) for label in found)
