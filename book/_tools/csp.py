"""Sphinx extension: a Content-Security-Policy in every page, which says what the page may load and run.

A page runs the scripts of the site and those that stand in it, named by their hashes; nothing is compiled from text,
and nothing is loaded from elsewhere. Styles may stand in a page: MathJax writes them while it typesets. The handlers
that the theme writes into its buttons are given to ``book.js`` by a name.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
KIND = re.compile(r"""\btype\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
SOURCE = re.compile(r"\bsrc\s*=", re.IGNORECASE)
EXECUTED = {"text/javascript", "application/javascript", "module"}
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)

HANDLERS = {"toggleFullScreen()": "full-screen", "window.print()": "print"}
"""What the theme writes into buttons, and the name by which ``book.js`` knows it."""
HANDLER = re.compile(r"""\bonclick="([^"]*)\"""")

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "frame-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def inline_scripts(html: str) -> list[str]:
    """Return the text of every script that stands in a page and is executed."""
    found = []
    for attributes, text in SCRIPT.findall(html):
        kind = KIND.search(attributes)
        if not SOURCE.search(attributes) and (kind is None or kind[1].lower() in EXECUTED):
            found.append(text)
    return found


def digest(script: str) -> str:
    """Return the source expression that allows a script of exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(html: str) -> str:
    """Return the policy of a page."""
    hashes = sorted({digest(script) for script in inline_scripts(html)})
    directives = POLICY | {"script-src": " ".join([POLICY["script-src"], *hashes])}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def with_policy(html: str) -> str:
    """Return a page with its policy, as the first thing in its head, and no handlers in its buttons.

    Raises
    ------
    KeyError
        If a button has a handler that ``book.js`` does not know.
    """
    html = HANDLER.sub(lambda match: f'data-click="{HANDLERS[match[1]]}"', html)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(html)}">'
    return HEAD.sub(lambda match: match[0] + meta, html, count=1)


def write_policies(app: Any, exception: Exception | None) -> None:
    """Put a policy into every page, when all are written."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            if "_static" not in path.relative_to(app.outdir).parts:
                path.write_text(with_policy(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Register the extension with Sphinx."""
    app.connect("build-finished", write_policies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
