"""Sphinx extension: a page loads what it uses, and shows its text before its scripts run.

The manager of widgets is left out where no widget is shown, with the state of those that are not, and so are the
scripts of continuous controls; the theme's icons give way to the few in use; every script of a file waits until the
page is read.
"""

import re
import shutil
from pathlib import Path
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_SCRIPTS = ("require.js", "embed-amd.js")
CONTROL = 'class="ddgp-control"'
CONTROL_SCRIPTS = "controls"
"""Folder of the scripts of continuous controls."""
ICONS = re.compile(r"[ \t]*<(?:link|script)\b[^>]*vendor/fontawesome/[^>]*>(?:</script>)?\n?")
SCRIPT = re.compile(r"<script\b(?![^>]*\b(?:defer|async)\b)([^>]*\bsrc=)")

PAGE_NAME = re.compile(r"<script>(DOCUMENTATION_OPTIONS\.pagename = [^<]*)</script>")
"""A script that stands in every page and needs another one."""
SEARCH = "searchtools.js"
"""Script of the page of the search, which needs the scripts after it as soon as it runs."""


def is_of_widgets(script: Any) -> bool:
    """Say whether a script serves widgets alone."""
    attributes = getattr(script, "attributes", {})
    return attributes.get("type") == WIDGET_STATE or Path(str(script.filename or "")).name in WIDGET_SCRIPTS


def is_of_controls(script: Any) -> bool:
    """Say whether a script serves continuous controls alone."""
    return Path(str(script.filename or "")).parent.name == CONTROL_SCRIPTS


def without_widgets(body: str, scripts: list[Any]) -> list[Any]:
    """Return the scripts of a page, without those of widgets, or of continuous controls, if it shows none."""
    if WIDGET_VIEW not in body:
        scripts = [script for script in scripts if not is_of_widgets(script)]
    if CONTROL not in body:
        scripts = [script for script in scripts if not is_of_controls(script)]
    return scripts


def light(html: str) -> str:
    """Return a page without the theme's icons, whose scripts wait; those of the search do not."""
    html = ICONS.sub("", html)
    if SEARCH in html:
        return html
    waiting = r'<script>addEventListener("DOMContentLoaded", () => { \1 });</script>'
    return SCRIPT.sub(r"<script defer\1", PAGE_NAME.sub(waiting, html))


def prepare_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Leave out the scripts that a page does not need."""
    context["script_files"] = without_widgets(context.get("body", ""), list(context["script_files"]))


def lighten(app: Any, exception: Exception | None) -> None:
    """Rewrite all pages when they are written, and leave the theme's icons out of the site."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        if "_static" not in path.relative_to(out).parts:
            path.write_text(light(path.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in (out / "_static" / "vendor" / "fontawesome").glob("*/*/"):
        shutil.rmtree(folder)


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx; pages are rewritten before their policy is written."""
    app.connect("html-page-context", prepare_page, priority=850)
    app.connect("build-finished", lighten, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
