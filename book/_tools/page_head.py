"""Sphinx extension: what a page says about itself, and what it says where the site has an address.

Every page has a description, for search engines and for those who share it, the version of the book and the day of
its last change. Buttons that open a chapter elsewhere, canonical addresses and a site map are made only where
``_config.yml`` names the addresses.
"""

import re
import subprocess
import tomllib
from datetime import date
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as xml_escape

from docutils import nodes

PLACEHOLDER = "OWNER/REPOSITORY"
"""Stands in the address of the repository until there is one."""
NEED_ADDRESS = ("use_repository_button", "use_issues_button", "use_edit_page_button")
MARKUP = re.compile(r"<[^>]*>")
FORMULA = re.compile(r"\\\((.*?)\\\)")
"""A formula in a text: nothing typesets it in the title of a window."""
LONGEST = 160
"""Characters of a description."""
EXTRA = {"genindex", "py-modindex", "search"}
"""Pages that are not a part of the text."""


def without_address(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the theme without the buttons that need an address, where none is set."""
    if PLACEHOLDER not in options.get("repository_url", PLACEHOLDER):
        return options
    launch = {"notebook_interface": options.get("launch_buttons", {}).get("notebook_interface", "jupyterlab")}
    hidden = dict.fromkeys(NEED_ADDRESS, False)
    return options | hidden | {"launch_buttons": launch, "repository_url": ""}


def window_title(title: str) -> str:
    """Return the title of a page as plain text, with the letters of its formulas."""
    return FORMULA.sub(r"\1", MARKUP.sub("", title))


def shortened(text: str) -> str:
    """Return a text in one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= LONGEST:
        return line
    return line[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def description(doctree: nodes.document | None) -> str:
    """Return the first paragraph of a page that is long enough and has no formula, or else the first of all."""
    paragraphs = [] if doctree is None else list(doctree.findall(nodes.paragraph))
    plain = [p for p in paragraphs if len(p.astext()) > 60 and not list(p.findall(nodes.math))]
    chosen = plain[0] if plain else paragraphs[0] if paragraphs else None
    return "" if chosen is None else shortened(chosen.astext())


def tags(title: str, book: str, about: str, url: str) -> str:
    """Return what stands in the head of a page."""
    stated = {
        'name="description"': about,
        'property="og:title"': title,
        'property="og:description"': about,
        'property="og:type"': "article",
        'property="og:site_name"': book,
        'property="og:url"': url,
    }
    return "\n".join(f'<meta {name} content="{escape(text)}" />' for name, text in stated.items() if text)


@cache
def changes(root: Path) -> dict[str, str]:
    """Return the day of the last change of each file, ``YYYY-MM-DD``, as Git knows it; nothing without Git."""
    command = ["git", "log", "--format=%x00%cs", "--name-only", "--no-renames", "--", "book"]
    try:
        text = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, str] = {}
    for commit in text.split("\0")[1:]:
        day, *files = commit.split("\n")
        for file in filter(None, files):
            found.setdefault(file, day)
    return found


def last_change(root: Path, name: str) -> str:
    """Return the day on which a page was last changed, such as 29 November 2026; nothing where it is not known."""
    for ending in (".py", ".md"):
        if day := changes(root).get(name + ending):
            when = date.fromisoformat(day)
            return f"{when.day} {when:%B %Y}"
    return ""


def version(root: Path) -> str:
    """Return the version of the library and of the book."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def site_map(base: str, names: list[str]) -> str:
    """Return the site map of pages."""
    places = "".join(f"<url><loc>{xml_escape(base + name)}</loc></url>\n" for name in names)
    start = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{start}{places}</urlset>\n"


def prepare_config(app: Any, config: Any) -> None:
    """Hide the buttons that lead nowhere."""
    config.html_theme_options = without_address(dict(config.html_theme_options))


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Say what a page is about, and when it was last changed."""
    book, title = str(app.config.html_title), window_title(str(context.get("title", "")))
    if title:
        context["title"] = title
    about = f"{book}: {title}." if name in EXTRA or doctree is None else description(doctree)
    root = Path(app.srcdir)
    context["metatags"] = context.get("metatags", "") + tags(title, book, about, context.get("pageurl") or "")
    day = last_change(root, name)
    context["last_updated"] = f"{day}, version {version(root)}" if day else None


def write_site_map(app: Any, exception: Exception | None) -> None:
    """Write the site map, where the site has an address."""
    base = app.config.html_baseurl
    if exception is None and base and app.builder.format == "html":
        names = [f"{name}.html" for name in sorted(app.env.found_docs)]
        Path(app.outdir, "sitemap.xml").write_text(site_map(base.rstrip("/") + "/", names), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("config-inited", prepare_config, priority=100)
    app.connect("html-page-context", prepare_page, priority=700)
    app.connect("build-finished", write_site_map)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
