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


def violations(page: Page, theme: str) -> list[list[str]]:
    """Return the rule, the place and the text of every violation in a theme."""
    page.evaluate("theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})", theme)
    return page.evaluate(CHECK, RULES[theme])


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_the_guidelines(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => null) : null")
    page.evaluate(AXE.read_text() + "; null")
    assert {theme: violations(page, theme) for theme in RULES} == {theme: [] for theme in RULES}


def test_a_violation_is_noticed(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang='en'><title>t</title><main><p style='color:#aaa;background:#fff'>pale</p>"
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='></main></html>"
    )
    with serve(tmp_path) as url:
        page.goto(f"{url}/page.html")
        page.evaluate(AXE.read_text() + "; null")
        assert {rule for rule, *_ in violations(page, "light")} == {"color-contrast", "image-alt"}
