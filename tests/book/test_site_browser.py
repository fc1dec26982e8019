"""The built site in a real browser with no network: every page, at the width of a desk and of a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response

from book._tools.browser import opened, serve, watch
from book._tools.notebooks import sources
from book._tools.pdf import print_site
from book._tools.website import HTML, REDIRECT, site_pages

PAGES = site_pages()
PHONE_WIDTH = 390
CHAPTERS = [f"book/{source.stem}.html" for source in sources()]
LIGHT = 3 * 2**20
"""Bytes that a chapter loads at most, before its pictures."""

RAW_MATHEMATICS = """(() => {
  const walker = document.createTreeWalker(document.querySelector('main') || document.body, NodeFilter.SHOW_TEXT);
  const raw = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, script, style, textarea, .tex2jax_ignore')) continue;
    if (/\\\\\\(|\\\\\\[|\\$\\$|\\\\begin\\{/.test(node.data)) raw.push(node.data.trim().slice(0, 60));
  }
  return raw;
})()"""

FORMULAS = """(() => ({
  sources: document.querySelectorAll('main .math').length,
  typeset: document.querySelectorAll('main .math mjx-container').length,
  errors: [...document.querySelectorAll('mjx-merror')].map(e => e.textContent.slice(0, 60)),
}))()"""

MISSING_IMAGES = """Promise.all([...document.images].map(image => {
  image.loading = 'eager';
  return image.decode().then(() => null, () => image.outerHTML.slice(0, 160));
})).then(all => all.filter(text => text))"""

SLIDERS = """[...document.querySelectorAll('.ddgp-frames')].map((frames, index) => {
  const slider = frames.querySelector('input[type=range]');
  if (!slider) return `slider ${index} is missing`;
  if (slider.disabled) return `slider ${index} is disabled`;
  const shown = () => {
    const image = [...frames.querySelectorAll('img')].find(image => image.offsetParent !== null);
    return image ? image.src + image.alt : '';
  };
  const first = shown();
  slider.value = slider.value === slider.max ? slider.min : slider.max;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  return shown() && shown() !== first ? null : `slider ${index} does not move its picture`;
}).filter(text => text)"""

TOO_WIDE = """[...document.querySelectorAll('main *')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map(element => element.outerHTML.slice(0, 120))"""


CUT_OFF = """[...document.querySelectorAll('pre')]
  .filter(block => block.offsetParent && block.scrollWidth > block.clientWidth + 1)
  .map(block => block.textContent.slice(0, 60))"""

FILTERED = """[...document.querySelectorAll('main img')].map(image => getComputedStyle(image).filter)
  .filter(filter => filter !== 'none')"""

PICTURES_IN_THE_PAGE = """[...document.querySelectorAll('.ddgp-frames')]
  .reduce((sum, frames) => sum + frames.outerHTML.length, 0)"""

BLOCKING = "document.querySelectorAll('script[src]:not([defer]):not([async])').length"


def wait_until_typeset(page: Page) -> None:
    page.wait_for_function("!window.MathJax || Boolean(MathJax.startup && MathJax.startup.promise)")
    page.evaluate("window.MathJax ? MathJax.startup.promise.then(() => null) : null")


def test_the_site_is_built() -> None:
    assert PAGES, "there is no site: run `make book` first"
    assert "book/index.html" in PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_works_offline(page: Page, address: str, name: str) -> None:
    problems = watch(page)
    page.goto(f"{address}/{name}")
    wait_until_typeset(page)
    formulas = page.evaluate(FORMULAS)
    assert formulas["errors"] == []
    assert formulas["typeset"] == formulas["sources"]
    assert page.evaluate(RAW_MATHEMATICS) == []
    assert page.evaluate(MISSING_IMAGES) == []
    assert page.evaluate(SLIDERS) == []
    assert problems == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(browser: Browser, address: str, name: str) -> None:
    with opened(browser, width=PHONE_WIDTH, height=844) as page:
        page.goto(f"{address}/{name}")
        wait_until_typeset(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE_WIDTH, page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("width", [1440, PHONE_WIDTH])
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_code_and_no_output_is_cut_off(browser: Browser, address: str, name: str, width: int) -> None:
    with opened(browser, width=width) as page:
        page.goto(f"{address}/{name}")
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; }); null")
        assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_dark_mode_leaves_pictures_as_they_are(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    page.evaluate("Object.assign(document.documentElement.dataset, {mode: 'dark', theme: 'dark'}); null")
    assert page.evaluate(FILTERED) == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_light_and_its_scripts_wait(page: Page, address: str, name: str) -> None:
    loaded: list[int] = []

    def note(answer: Response) -> None:
        if answer.request.resource_type != "image":
            loaded.append(int(answer.headers.get("content-length", 0)))

    page.on("response", note)
    page.goto(f"{address}/{name}")
    wait_until_typeset(page)
    assert page.evaluate(BLOCKING) == 0
    assert sum(loaded) > 2**20
    assert sum(loaded) - page.evaluate(PICTURES_IN_THE_PAGE) <= LIGHT


@pytest.mark.parametrize(
    "name", ["book/index.html", "book/03_pnp_fista.html", "book/camera.html", "search.html"]
)
def test_no_script_of_a_page_fails(page: Page, address: str, name: str) -> None:
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{address}/{name}")
    page.wait_for_load_state("networkidle")
    assert failed == []


def test_checks_open_at_their_mark(page: Page, address: str) -> None:
    page.goto(f"{address}/book/01_three_cameras.html")
    mark = page.locator(".tag_checked summary").first
    code = page.locator(".tag_checked pre").first
    assert "checked" in mark.inner_text()
    assert not code.is_visible()
    mark.click()
    assert code.is_visible()
    assert "assert" in code.inner_text()


def test_a_reference_to_an_equation_shows_it(page: Page, address: str) -> None:
    page.goto(f"{address}/book/03_pnp_fista.html")
    wait_until_typeset(page)
    link = page.locator('.bd-article a.reference.internal[href^="#equation-"]').first
    link.dispatch_event("mouseenter")  # the pointer itself would scroll, which takes the preview away
    page.locator(".ddgp-preview mjx-container").wait_for()
    link.dispatch_event("mouseleave")
    page.locator(".ddgp-preview").wait_for(state="detached")


def test_a_drawing_changes_with_the_theme(page: Page, address: str) -> None:
    page.goto(f"{address}/book/index.html")
    drawing = page.locator(".ddgp-drawing svg")
    assert "teacher" in (drawing.get_attribute("aria-label") or "")
    ink = "getComputedStyle(document.querySelector('.ddgp-drawing text')).fill"
    found = set()
    for theme in ("light", "dark"):
        page.evaluate("theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})", theme)
        found.add(page.evaluate(ink))
    assert len(found) == 2


def test_a_slider_goes_from_frame_to_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/book/02_conditioning.html")
    frames = page.locator(".ddgp-frames").first
    slider, shown = frames.locator("input"), frames.locator("output")
    values = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.9, 2, 2.1, 2.25, 2.5]
    slider.focus()
    for key, expected in (("Home", 0), ("ArrowRight", 1), ("ArrowUp", 2), ("End", 11), ("ArrowLeft", 10)):
        page.keyboard.press(key)
        assert shown.inner_text() == slider.get_attribute("aria-valuetext") == f"{values[expected]:g}"
        assert float(slider.input_value()) == pytest.approx(1000 * (values[expected] - 0.25) / 2.25, abs=0.6)
    box = slider.bounding_box()
    assert box is not None
    slider.hover(
        position={"x": 0.81 * box["width"], "y": box["height"] / 2}
    )  # where it is, once nothing moves
    page.mouse.down()
    shown.filter(has_text="2.1").wait_for()
    assert abs(float(slider.input_value()) - 1000 * 1.85 / 2.25) > 2  # the thumb is where it is held
    page.mouse.up()
    assert float(slider.input_value()) == pytest.approx(1000 * 1.85 / 2.25, abs=0.6)


def test_frames_play_until_the_last_one_or_a_pause(page: Page, address: str) -> None:
    page.clock.install(time=0)
    page.goto(f"{address}/book/02_conditioning.html")
    page.clock.pause_at(60_000)  # from here on, time passes as told
    frames = page.locator(".ddgp-frames").first
    slider, shown, button = (frames.locator(part) for part in ("input", "output", "> button"))
    slider.press("End")
    last = shown.inner_text()
    slider.press("ArrowLeft")
    before = shown.inner_text()
    button.click()
    assert (button.inner_text(), shown.inner_text()) == ("Pause", before)
    page.clock.run_for(700)
    assert (button.inner_text(), shown.inner_text(), slider.input_value()) == ("Play", last, "1000")
    button.click()  # from the first frame again
    assert (shown.inner_text(), slider.input_value()) == ("0.25", "0")
    page.clock.run_for(700)
    assert shown.inner_text() == "0.5"
    button.click()
    page.clock.run_for(3000)
    assert (shown.inner_text(), button.inner_text()) == ("0.5", "Play")
    button.click()
    slider.press("Home")  # a hand on the slider stops it too
    page.clock.run_for(3000)
    assert (shown.inner_text(), button.inner_text()) == ("0.25", "Play")


def test_the_root_leads_to_the_front_page(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDIRECT}", wait_until="commit")
    page.wait_for_url(f"{address}/book/index.html")


def test_search_works_offline(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=licences")
    page.locator("#search-results li").first.wait_for()


FETCH = "fetch('https://example.org/').catch(() => null).then(() => null)"


def test_the_network_is_refused(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<title>no policy</title>")
    with serve(tmp_path) as url:
        page.goto(f"{url}/page.html")
        problems = watch(page)
        page.evaluate(FETCH)
        assert any("example.org" in text and "ERR_NAME_NOT_RESOLVED" in text for text in problems)


@pytest.mark.parametrize(
    "attempt",
    [
        FETCH,
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.entered = true'}))",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'https://example.org/a.png'}))",
        "document.body.insertAdjacentHTML('beforeend', '<img src=none onerror=\"window.entered = true\">')",
        "setTimeout('window.entered = true')",
    ],
)
def test_the_policy_of_a_page_refuses_what_was_put_into_it(page: Page, address: str, attempt: str) -> None:
    page.goto(f"{address}/book/glossary.html")
    with page.expect_event("console", lambda message: "Content Security Policy" in message.text):
        page.evaluate(f"{{{attempt}; null}}")
    assert page.evaluate("window.entered === undefined")


def test_buttons_of_the_theme_work_under_the_policy(page: Page, address: str) -> None:
    page.goto(f"{address}/book/01_three_cameras.html")
    page.evaluate("window.print = () => { window.printed = true; }; null")
    page.evaluate("document.querySelector('[data-click=print]').click(); null")
    assert page.evaluate("window.printed")
    assert page.evaluate("typeof window.toggleFullScreen") == "function"


def test_a_page_that_is_opened_as_a_file_works(page: Page) -> None:
    problems = watch(page)
    page.goto((HTML / "book" / "02_conditioning.html").as_uri())
    wait_until_typeset(page)
    assert page.evaluate(FORMULAS)["typeset"] > 0
    assert page.evaluate(SLIDERS) == []
    # A browser refuses fonts of files to any page that is a file; what it writes then is not about the policy.
    assert [text for text in problems if "Security Policy" in text] == []


def test_a_site_is_printed(browser: Browser, tmp_path: Path) -> None:
    print_site(browser, tmp_path / "book.pdf", ["glossary.html"], HTML)
    printed = (tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_a_broken_page_is_noticed(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<main><p>\\(x\\)</p><img src='none.png' alt=''><div style='width:900px'>wide</div>"
        "<div class='ddgp-frames'><input type='range' max='3'><img alt='a' src='data:image/gif;base64,"
        "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='></div><script>undefinedName()</script></main>"
    )
    with serve(tmp_path) as url, opened(browser, width=PHONE_WIDTH) as page:
        problems = watch(page)
        page.goto(f"{url}/page.html")
        assert page.evaluate(RAW_MATHEMATICS) == ["\\(x\\)"]
        assert len(page.evaluate(MISSING_IMAGES)) == 1
        assert page.evaluate(SLIDERS) == ["slider 0 does not move its picture"]
        assert page.evaluate("document.documentElement.scrollWidth") > PHONE_WIDTH
        found = " ".join(problems)
        assert "none.png" in found
        assert "undefinedName" in found
