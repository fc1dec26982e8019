"""Fixtures shared by the tests of the built site."""

import os
from collections.abc import Iterator

import pytest

from book._tools.browser import Browser, find_chromium, serve
from book._tools.website import HTML


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing, and these tests are never skipped in continuous integration")
        pytest.skip(
            "Chromium is not installed, so the site was not opened in a browser (apt install chromium)"
        )
    # Patience for the longest page on a busy machine: a fault shows at once, and not by the clock.
    with Browser(chromium, timeout=900.0) as running:
        yield running


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(HTML) as url:
        yield url
