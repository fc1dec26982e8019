"""Open pages in the Chromium of this machine through Playwright, with no network but the local host.

Playwright's own browsers are not downloaded: any Chromium that is installed serves.
"""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ONLY_LOCAL = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Every other name is refused, so that a page can load only what is served here."""
PATIENCE = float(os.environ.get("DDGP_PATIENCE", "900"))
"""Longest wait for anything, in seconds: enough for the longest page on a busy machine, because a fault shows at
once and not by the clock. Somebody who mends a page may want to wait less."""
PHONE = 600
"""Windows narrower than this many CSS pixels behave like a phone's."""


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None; the variable CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a headless Chromium, and end it afterwards.

    Raises
    ------
    FileNotFoundError
        If there is no Chromium.
    """
    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError("Chromium was not found: install it, or name it in the variable CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[ONLY_LOCAL], timeout=1000 * PATIENCE
        )
        with browser:
            yield browser


@contextmanager
def opened(browser: Browser, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Open an empty page of a given size, in CSS pixels, that shares nothing with others; close it afterwards."""
    size = {"width": width, "height": height}
    with browser.new_context(viewport=size, is_mobile=width < PHONE) as context:  # type: ignore[arg-type]
        context.set_default_timeout(1000 * PATIENCE)
        yield context.new_page()


def watch(page: Page) -> list[str]:
    """Return a list to which every failed request and every error of the console is added from now on."""
    found: list[str] = []

    def failed(request: Request) -> None:
        found.append(f"request failed: {request.url[:200]} ({request.failure})")

    def answered(response: Response) -> None:
        if response.status >= 400:
            found.append(f"request failed: {response.url[:200]} ({response.status})")

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            found.append(f"console: {message.text[:300]}")

    page.on("requestfailed", failed)
    page.on("response", answered)
    page.on("pageerror", lambda error: found.append(f"exception: {str(error)[:300]}"))
    page.on("console", said)
    return found


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files and write nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on the local host and yield its address."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
