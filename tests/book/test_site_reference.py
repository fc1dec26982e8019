"""The pages of the reference on the built site: complete, of a readable size, with sources and chapters."""

import re
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from book._tools import library
from book._tools.browser import opened
from book._tools.chapter_uses import uses
from book._tools.contents import REFERENCE, chapters, reference
from book._tools.library import Module
from book._tools.website import HTML, SOURCES

PARTS = reference()
PAGES = [page for pages in PARTS.values() for page in pages]
TALLEST = 25_000
"""Height of a page in CSS pixels, at a width of 1440."""
SIGNATURE = re.compile(r'<dt class="sig sig-object py" id="([^"]+)">(.*?)</dt>', re.DOTALL)
ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
USED = re.compile(r'<p class="ddgp-used">Used in chapters? (.*?)\.</p>', re.DOTALL)


@cache
def html(page: str) -> str:
    return (HTML / f"{page}.html").read_text(encoding="utf-8")


@cache
def signatures() -> dict[str, tuple[str, str]]:
    """Return the page and the signature of every object, by its anchor."""
    return {anchor: (page, text) for page in PAGES for anchor, text in SIGNATURE.findall(html(page))}


BROKEN = """() => {
  const found = [];
  for (const name of document.querySelectorAll('table.ddgp-names th .pre')) {
    for (const part of name.childNodes) {
      if (part.nodeType !== Node.TEXT_NODE) continue;
      const range = document.createRange();
      range.selectNodeContents(part);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (lines.size > 1) found.push(part.textContent);
    }
  }
  return found;
}"""
"""Parts of names that a line ends within."""


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", text)).split())


def test_every_name_of_the_library_has_its_anchor() -> None:
    names = {one.name for module in library.modules().values() for one in module.members}
    assert names - set(signatures()) == set()
    anchors = [anchor for page in PAGES for anchor, _ in SIGNATURE.findall(html(page))]
    assert len(anchors) == len(set(anchors))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_with_a_table_of_what_it_defines(page: str) -> None:
    text = html(page)
    found = [anchor for anchor, _ in SIGNATURE.findall(text)]
    top = text[text.index("<article") : text.index('<dt class="sig')]
    rows = [row for row in ROW.findall(top) if "<td" in row]
    listed = [re.findall(r'<a [^>]*href="#([^"]+)"', row.split("<td")[0])[0] for row in rows]
    assert [anchor for anchor in found if anchor in listed] == listed
    assert set(listed) >= set(library.objects()) & set(found)
    assert all(words(row.split("<td", 1)[1]) for row in rows)


def test_every_function_and_class_leads_to_its_source() -> None:
    for name in library.objects():
        page, text = signatures()[name]
        link = re.search(r'href="([^"#]+)#([^"]+)"><span class="viewcode-link">', text)
        assert link is not None, name
        file = ((HTML / page).parent / link[1]).resolve()
        assert file.is_relative_to(HTML / SOURCES)
        assert f'id="{link[2]}"' in file.read_text(encoding="utf-8"), name
        assert name.endswith(f".{link[2]}")


def test_a_source_leads_back_to_the_reference() -> None:
    source = HTML / SOURCES / "ddgp_lib" / "solvers" / "fista.html"
    links = re.findall(r'class="viewcode-back" href="([^"#]+)#([^"]+)"', source.read_text(encoding="utf-8"))
    assert links
    for file, anchor in links:
        assert f'id="{anchor}"' in (source.parent / file).resolve().read_text(encoding="utf-8")


def test_the_start_page_lists_all_modules_with_a_sentence_on_each() -> None:
    rows = [row.split("<td", 1) for row in ROW.findall(html(REFERENCE)) if "<td" in row]
    said = {words(name): words(f"<td{rest}") for name, rest in rows}

    def listed(module: Module) -> bool:
        return bool(said.get(module.name.removeprefix("ddgp_lib.")))

    assert [name for name, module in library.modules().items() if not listed(module)] == []
    for file, anchor in re.findall(r'href="(api/[^"#]+)#([^"]+)"', html(REFERENCE)):
        assert f'id="{anchor}"' in html(f"book/{file.removesuffix('.html')}"), anchor


@pytest.mark.parametrize("part", PARTS)
def test_a_part_lists_the_names_of_its_pages(part: str) -> None:
    text = html(part)
    listed = set(re.findall(r'href="api/[^"#]+#(ddgp_lib[^"]+)"', text))
    assert listed >= {name for name in library.objects() if signatures()[name][0] in PARTS[part]}


def test_objects_say_which_chapters_use_them() -> None:
    said = {}
    for page in PAGES:
        for block in html(page).split('<dt class="sig sig-object py" id="')[1:]:
            if match := USED.search(block):
                said[block.split('"')[0]] = re.findall(r'href="([^"]+)"', match[1])
    expected = {
        name: [f"../{Path(one.page).name}.html" for one in places]
        for name, places in uses(chapters(), library.objects()).items()
    }
    assert said == expected


def test_chapters_have_the_numbers_that_are_said() -> None:
    for chapter in chapters():
        assert f'<h1><span class="section-number">{chapter.number}. </span>' in html(chapter.page)


def test_a_link_in_a_chapter_leads_to_the_object_that_it_names() -> None:
    link = r'href="api/[\w.]+#ddgp_lib[\w.]+\.descend_in_metric"><span[^>]*><code'
    assert re.search(link, html("book/20_lensless"))


@pytest.mark.parametrize("page", [REFERENCE, *PARTS, *PAGES])
def test_a_page_is_of_a_readable_size(browser: Browser, address: str, page: str) -> None:
    with opened(browser, width=1440) as window:
        window.goto(f"{address}/{page}.html")
        height = window.evaluate("document.documentElement.scrollHeight")
    assert height <= TALLEST


@pytest.mark.parametrize("page", [REFERENCE, *PARTS, *PAGES])
def test_on_a_phone_a_long_name_breaks_at_its_seams(browser: Browser, address: str, page: str) -> None:
    with opened(browser, width=390) as window:
        window.goto(f"{address}/{page}.html")
        assert window.locator("table.ddgp-names th .pre").count() > 0
        assert window.evaluate(BROKEN) == []


@pytest.mark.parametrize("name", ["PreconditionedFISTA", "load_task", "local_lipschitz"])
def test_the_search_finds_objects(page: Page, address: str, name: str) -> None:
    anchor = next(full for full in library.objects() if full.endswith(f".{name}"))
    page.goto(f"{address}/search.html?q={name}")
    page.locator(f'#search-results li a[href$="#{anchor}"]').first.wait_for()
