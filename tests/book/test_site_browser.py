"""The built site in a real browser with no network: every page, at the width of a desk and of a phone."""

from pathlib import Path

import pytest

from book._tools.browser import Browser, Page, serve
from book._tools.pdf import print_site
from book._tools.website import HTML, REDIRECT, site_pages

PAGES = site_pages()
PHONE_WIDTH = 390

# Console messages that are known and harmless, each with its reason; nothing else is accepted.
ACCEPTED_PROBLEMS: tuple[str, ...] = ()

RAW_MATHEMATICS = """(() => {
  const walker = document.createTreeWalker(document.querySelector('main') || document.body, NodeFilter.SHOW_TEXT);
  const raw = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, script, style, textarea, .tex2jax_ignore')) continue;
    if (/\\\\\\(|\\\\\\[|\\$\\$|\\\\begin\\{/.test(node.data)) raw.push(node.data.trim().slice(0, 60));
  }
  return raw;
})()"""

FORMULAS = """(() => ({
  sources: document.querySelectorAll('main .math').length,
  typeset: document.querySelectorAll('main .math mjx-container').length,
  errors: [...document.querySelectorAll('mjx-merror')].map(e => e.textContent.slice(0, 60)),
}))()"""

MISSING_IMAGES = """Promise.all([...document.images].map(image => {
  image.loading = 'eager';
  return image.decode().then(() => null, () => image.outerHTML.slice(0, 160));
})).then(all => all.filter(text => text))"""

SLIDERS = """[...document.querySelectorAll('.ddgp-frames')].map((frames, index) => {
  const slider = frames.querySelector('input[type=range]');
  if (!slider) return `slider ${index} is missing`;
  if (slider.disabled) return `slider ${index} is disabled`;
  const shown = () => {
    const image = [...frames.querySelectorAll('img')].find(image => image.offsetParent !== null);
    return image ? image.src + image.alt : '';
  };
  const first = shown();
  slider.value = slider.value === slider.max ? slider.min : slider.max;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  return shown() && shown() !== first ? null : `slider ${index} does not move its picture`;
}).filter(text => text)"""

TOO_WIDE = """[...document.querySelectorAll('main *')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map(element => element.outerHTML.slice(0, 120))"""


def wait_until_typeset(page: Page) -> None:
    ready = "!window.MathJax || (MathJax.startup && MathJax.startup.promise ? true : false)"
    assert page.wait_for(ready, timeout=10), "MathJax did not start"
    page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise : null")


def problems(page: Page) -> list[str]:
    return [text for text in page.problems() if not any(known in text for known in ACCEPTED_PROBLEMS)]


def test_the_site_is_built() -> None:
    assert PAGES, "there is no site: run `make book` first"
    assert "book/index.html" in PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_works_offline(browser: Browser, address: str, name: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/{name}")
        wait_until_typeset(page)
        formulas = page.evaluate(FORMULAS)
        assert formulas["errors"] == []
        assert formulas["typeset"] == formulas["sources"]
        assert page.evaluate(RAW_MATHEMATICS) == []
        assert page.evaluate(MISSING_IMAGES) == []
        assert page.evaluate(SLIDERS) == []
        assert problems(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(browser: Browser, address: str, name: str) -> None:
    with browser.page(width=PHONE_WIDTH, height=844) as page:
        page.open(f"{address}/{name}")
        wait_until_typeset(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE_WIDTH, page.evaluate(TOO_WIDE)


def test_the_root_leads_to_the_front_page(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.command("Page.navigate", url=f"{address}/{REDIRECT}")
        assert page.wait_for("location.pathname === '/book/index.html'")


def test_search_works_offline(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/search.html?q=licences")
        assert page.wait_for("document.querySelectorAll('#search-results li').length > 0")


def test_the_network_is_refused(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.open(f"{address}/book/index.html")
        page.evaluate("fetch('https://example.org/').catch(() => null).then(() => null)")
        assert any("example.org" in text for text in page.problems())


@pytest.mark.usefixtures("browser")
def test_a_site_is_printed(tmp_path: Path) -> None:
    print_site(tmp_path / "book.pdf", ["glossary.html"], HTML)
    printed = (tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_a_broken_page_is_noticed(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<main><p>\\(x\\)</p><img src='none.png' alt=''><div style='width:900px'>wide</div>"
        "<div class='ddgp-frames'><input type='range' max='3'><img alt='a' src='data:image/gif;base64,"
        "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='></div><script>undefinedName()</script></main>"
    )
    with serve(tmp_path) as url, browser.page(width=PHONE_WIDTH) as page:
        page.open(f"{url}/page.html")
        assert page.evaluate(RAW_MATHEMATICS) == ["\\(x\\)"]
        assert len(page.evaluate(MISSING_IMAGES)) == 1
        assert page.evaluate(SLIDERS) == ["slider 0 does not move its picture"]
        assert page.evaluate("document.documentElement.scrollWidth") > PHONE_WIDTH
        found = " ".join(page.problems())
        assert "none.png" in found
        assert "undefinedName" in found
