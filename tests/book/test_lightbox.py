"""The light box on the built site: by mouse, by keyboard and by a finger, and what a screen reader is told."""

import pytest
from playwright.sync_api import Browser, Page

from book._tools.browser import opened, watch

CHAPTER = "book/03_pnp_fista.html"
BOX = "document.querySelector('.ddgp-lightbox')"
SHOWN = f"{BOX}.querySelector('img')"
FOCUS = "document.activeElement.getAttribute('aria-label')"


def go(page: Page, address: str) -> None:
    page.goto(f"{address}/{CHAPTER}")
    page.wait_for_selector(".ddgp-enlarge", state="attached")


def is_open(page: Page) -> bool:
    return bool(page.evaluate(f"{BOX}.open"))


def test_a_click_opens_a_picture_as_large_as_the_window_lets_it(page: Page, address: str) -> None:
    problems = watch(page)
    go(page, address)
    picture = page.locator("figure .ddgp-picture img").first
    before, caption = (
        picture.bounding_box(),
        page.locator("figure figcaption .caption-text").first.inner_text(),
    )
    picture.click()
    assert is_open(page)
    assert page.evaluate(f"{SHOWN}.src") == picture.evaluate("image => image.src")
    assert page.evaluate(f"{SHOWN}.alt") == picture.get_attribute("alt")
    assert caption in page.locator(".ddgp-lightbox-caption").inner_text()
    # Its frame takes the window but for the bar and the caption, and the picture fits into the frame.
    frame = page.evaluate(f"{SHOWN}.getBoundingClientRect().toJSON()")
    assert frame["width"] > 1280 - 40
    assert frame["height"] > 900 - 200
    shape = picture.evaluate("image => image.naturalWidth / image.naturalHeight")
    assert before is not None
    assert min(frame["width"], shape * frame["height"]) > before["width"]
    page.locator(".ddgp-lightbox img").click()
    assert not is_open(page)
    assert problems == []


def test_keys_open_go_on_and_close_and_the_focus_returns(page: Page, address: str) -> None:
    go(page, address)
    buttons = page.locator("figure:has(.caption-number) .ddgp-enlarge")
    names = buttons.evaluate_all("all => all.map(button => button.getAttribute('aria-label'))")
    assert len(set(names)) == len(names) > 2  # each says which figure
    assert all(name.startswith("Enlarge Fig. 3.") for name in names)
    alts = page.locator(".ddgp-picture img").evaluate_all("all => all.map(image => image.alt)")
    first = alts.index(page.locator("figure:has(.caption-number) img").first.get_attribute("alt"))
    buttons.first.focus()
    page.keyboard.press("Enter")
    assert is_open(page)
    assert page.evaluate(FOCUS) == "Close"
    said = page.locator(".ddgp-lightbox [role=status]")
    said.filter(has_text=f"Picture {first + 1} of {len(alts)}: {alts[first]}").wait_for(state="attached")
    for key, index in (("ArrowRight", first + 1), ("ArrowDown", first + 2), ("ArrowLeft", first + 1)):
        page.keyboard.press(key)
        assert page.evaluate(f"{SHOWN}.alt") == alts[index % len(alts)]
    said.filter(has_text=alts[first + 1]).wait_for(state="attached")
    page.keyboard.press("Tab")  # the focus stays in the box
    assert page.evaluate(f"{BOX}.contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert not is_open(page)
    assert page.evaluate(FOCUS) == names[0]


def test_a_finger_opens_it_on_a_telephone(browser: Browser, address: str) -> None:
    with opened(browser, width=390, height=844) as page:
        go(page, address)
        page.locator("figure .ddgp-picture img").first.click()
        assert is_open(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(
            f"{BOX}.scrollHeight <= innerHeight && {SHOWN}.getBoundingClientRect().width > 360"
        )
        page.get_by_label("Next picture").click()
        assert is_open(page)
        page.get_by_label("Close").click()
        assert not is_open(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_box_takes_the_colours_of_the_theme_and_leaves_pictures_alone(
    page: Page, address: str, theme: str
) -> None:
    go(page, address)
    page.evaluate("theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})", theme)
    page.locator("figure .ddgp-picture img").first.click()
    look = f"getComputedStyle({BOX}).backgroundColor === getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(look)
    assert page.evaluate(f"getComputedStyle({SHOWN}).filter") == "none"


def test_who_wants_no_motion_sees_none_and_paper_shows_no_box(page: Page, address: str) -> None:
    go(page, address)
    page.locator("figure .ddgp-picture img").first.click()
    moves = f"getComputedStyle({BOX}).animationName"
    assert page.evaluate(moves) == "ddgp-appear"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moves) == "none"
    page.emulate_media(media="print")
    assert not page.locator(".ddgp-lightbox").is_visible()
    assert not page.locator(".ddgp-enlarge").first.is_visible()
    assert page.locator("figure .ddgp-picture img").first.is_visible()


def test_links_controls_and_wipes_keep_their_pictures(page: Page, address: str) -> None:
    page.goto(f"{address}/book/02_conditioning.html")
    page.wait_for_selector(".ddgp-control[data-ready]")
    assert page.locator(".ddgp-control .ddgp-enlarge").count() == 0
    assert page.locator(":is(a, .ddgp-wipe) .ddgp-enlarge").count() == 0
    frames = page.locator(".ddgp-frames").first
    frames.locator("input").focus()
    page.keyboard.press("End")
    shown = frames.locator("img").first
    shown.click()  # the frame that is chosen is the one that opens
    assert page.evaluate(f"{SHOWN}.src") == shown.evaluate("image => image.src")
