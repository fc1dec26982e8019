"""Every page of the site against the accessibility guidelines WCAG 2.1 A and AA, in light and dark, by axe-core."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from book._tools.browser import serve
from book._tools.repository import ROOT
from book._tools.website import site_pages

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = site_pages()

# A theme changes colours and nothing else, so the second is checked for these alone.
RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}

# What a live widget draws is ipywidgets' own and is left out; the sliders of the page are not.
CHECK = """rules => axe.run({exclude: [['.jupyter-widgets']]}, {runOnly: rules, resultTypes: ['violations']})
  .then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map(
    node => [id, node.target.join(' '), node.html.slice(0, 160)])))"""

# A page of code has thousands of coloured words, and contrast is what takes the time. Words with the same classes all
# the way up look the same, so one of each is kept and the others become plain text.
KEEP_ONE_OF_EACH = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('pre span:not([id], [style], :has(*))')) {
    let look = '';
    for (let part = word; part; part = part.parentElement) look += `${part.localName}.${part.className} `;
    if (seen.has(look)) word.replaceWith(word.textContent);
    seen.add(look);
  }
}"""


def prepare(page: Page, address: str) -> None:
    """Open a page and bring axe into it."""
    page.goto(address)
    bring_axe(page)


def bring_axe(page: Page) -> None:
    """Bring axe into a page as it is."""
    page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => null) : null")
    page.add_style_tag(
        content="* {transition: none !important}"
    )  # colours are compared, not met on their way
    page.evaluate(KEEP_ONE_OF_EACH)
    page.evaluate(AXE.read_text() + "; null")


def violations(page: Page, theme: str) -> list[list[str]]:
    """Return the rule, the place and the text of every violation in a theme."""
    page.evaluate("theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})", theme)
    return page.evaluate(CHECK, RULES[theme])


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_the_guidelines(page: Page, address: str, name: str) -> None:
    prepare(page, f"{address}/{name}")
    assert {theme: violations(page, theme) for theme in RULES} == {theme: [] for theme in RULES}


def test_a_violation_is_noticed(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang='en'><title>t</title><main><p style='color:#aaa;background:#fff'>pale</p>"
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='></main></html>"
    )
    with serve(tmp_path) as url:
        prepare(page, f"{url}/page.html")
        assert {rule for rule, *_ in violations(page, "light")} == {"color-contrast", "image-alt"}


def test_each_look_of_a_word_in_code_is_checked(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang='en'><title>t</title>"
        "<style>.pale {color: #aaa} .dark .ok {color: #555} div {background: #222}</style>"
        "<main><pre><span class='pale'>first</span> <span class='pale'>second</span> "
        "<span class='ok'>third</span></pre><div><pre class='dark'><span class='ok'>fourth</span></pre></div>"
        "</main></html>"
    )
    with serve(tmp_path) as url:
        prepare(page, f"{url}/page.html")
        assert page.locator("pre").all_text_contents() == ["first second third", "fourth"]
        places = [place for _, place, _ in violations(page, "light")]
        assert places == [".pale", ".dark > .ok"]
