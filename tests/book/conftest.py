"""Fixtures shared by the tests of the built site."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from book._tools.browser import find_chromium, launched, opened, serve
from book._tools.website import HTML


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing, and these tests are never skipped in continuous integration")
        pytest.skip(
            "Chromium is not installed, so the site was not opened in a browser (apt install chromium)"
        )
    with launched() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened(browser) as empty:
        yield empty


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(HTML) as url:
        yield url
