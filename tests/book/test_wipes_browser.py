"""The border between two pictures in a browser: by keyboard, by a pointer, without a script, on paper."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from book._tools.browser import opened, watch
from book._tools.csp import with_policy
from ddgp_lib.wipes import wipe

IMAGE = np.linspace(0, 1, 64).reshape(8, 8)
NAMES = ("no P, 20.0 dB", "distilled P, 23.0 dB")
BOXES = (
    "[...document.querySelectorAll('.ddgp-wipe img')].map(image => image.getBoundingClientRect().toJSON())"
)
CLIP = "getComputedStyle(document.querySelectorAll('.ddgp-wipe img')[1]).clipPath"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Write a page with two wipes, under the policy of the site."""
    shown = [
        wipe(IMAGE, IMAGE.T, names=NAMES, alt=("A blur.", "A digit."), caption=caption)._repr_html_()
        for caption in ("The first.", "The second.")
    ]
    body = "".join(shown)
    head = "<title>t</title><meta name=viewport content='width=device-width'>"
    page = f"<!doctype html><html lang=en><head>{head}</head><body><main>{body}</main></body></html>"
    (tmp_path / "page.html").write_text(with_policy(page), encoding="utf-8")
    return (tmp_path / "page.html").as_uri()


def test_keys_and_a_pointer_move_the_border(page: Page, url: str) -> None:
    problems = watch(page)
    page.goto(url)
    first, second = page.locator(".ddgp-wipe input").all()
    assert first.get_attribute("aria-valuetext") == f"left 50 %: {NAMES[0]}; right 50 %: {NAMES[1]}"
    assert page.evaluate(CLIP) == "inset(0px 0px 0px 50%)"
    first.focus()
    for key, left in (("ArrowRight", 51), ("End", 100), ("Home", 0)):
        page.keyboard.press(key)
        assert page.evaluate(CLIP) == f"inset(0px 0px 0px {left}%)"
        assert (
            first.get_attribute("aria-valuetext")
            == f"left {left} %: {NAMES[0]}; right {100 - left} %: {NAMES[1]}"
        )
    left, right = page.evaluate(BOXES)[:2]
    assert left == right  # one lies on the other
    page.mouse.move(left["x"] + 0.25 * left["width"], left["y"] + 5)
    page.mouse.down()
    assert first.input_value() == "25"
    page.mouse.move(left["x"] + 0.75 * left["width"], left["y"] + 5)
    page.mouse.up()
    page.mouse.move(left["x"] + 5, left["y"] + 5)  # a pointer that passes moves nothing
    assert first.input_value() == "75"
    border = page.locator(".ddgp-border").first.bounding_box()
    assert border is not None
    assert border["x"] + border["width"] / 2 == pytest.approx(left["x"] + 0.75 * left["width"], abs=1)
    assert second.input_value() == "50"
    assert problems == []


def test_a_finger_moves_the_border(browser: Browser, url: str) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        box = page.evaluate(BOXES)[0]
        page.touchscreen.tap(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
        assert page.locator(".ddgp-wipe input").first.input_value() == "20"


def beside(page: Page) -> bool:
    left, right = page.evaluate(BOXES)[:2]
    return left["right"] <= right["left"] and left["top"] == right["top"] and page.evaluate(CLIP) == "none"


def test_both_pictures_stand_side_by_side_on_paper_and_without_a_script(browser: Browser, url: str) -> None:
    with opened(browser) as page:
        page.goto(url)
        assert not beside(page)
        page.emulate_media(media="print")
        assert beside(page)
        assert not page.locator(".ddgp-wipe input").first.is_visible()
        # As it is before the script has run, or where none does.
        page.emulate_media(media="screen")
        page.evaluate(
            "document.querySelectorAll('.ddgp-wipe').forEach(w => w.removeAttribute('data-ready')); null"
        )
        assert beside(page)
        assert not page.locator(".ddgp-wipe input").first.is_visible()
        assert page.get_by_text(NAMES[0]).first.is_visible()
