"""The page with a camera, in a browser without a network: it computes what the library does, and all can use it."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from playwright.sync_api import Browser, Page

import ddgp_lib
from book._tools import camera_site
from book._tools.browser import PATIENCE, opened, watch
from book._tools.repository import ROOT
from book._tools.website import HTML
from ddgp_lib import PreconditionedFISTA, Task
from ddgp_lib.denoisers import load_denoiser
from ddgp_lib.metrics import psnr
from ddgp_lib.operators import FourierDownsampling
from ddgp_lib.preconditioners import Newton
from tests.book.test_site_accessibility import RULES, bring_axe, violations

PAGE = "book/camera.html"
CAMERA = "document.getElementById('ddgp-camera').camera"
ENDED = "[data-start]:enabled"
FILES = ROOT / "book" / "camera" / "files"


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Iterator[Page]:
    """Keep one page for tests that compute, so that the networks are loaded once."""
    with opened(browser) as page:
        yield page


def until(page: Page, expression: str) -> None:
    """Wait until something is true; the policy of the page forbids Playwright's own way of it."""
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def go(page: Page, address: str, choices: str = "") -> None:
    """Open the page with choices, or change those of a page that is open."""
    if page.url.split("#")[0] == f"{address}/{PAGE}":
        page.evaluate("choices => { location.hash = choices || 'x=1'; }", choices)
    else:
        page.goto(f"{address}/{PAGE}#{choices}")
    page.wait_for_selector("#ddgp-camera[data-ready]")
    until(page, f"{CAMERA}.truth() !== null")


def run(page: Page) -> dict[str, Any]:
    """Press Start, wait for the end, and return measurements, truth and what was judged on both sides."""
    page.click("[data-start]")
    page.wait_for_selector(ENDED)
    assert "Iteration" in page.inner_text("[data-status]"), page.inner_text("[data-status]")
    found: dict[str, Any] = page.evaluate(
        f"""() => {{
          const camera = {CAMERA}, judged = (side) => camera.history[side].map((entry) => entry.judged);
          return {{y: [...camera.measurements], truth: [...camera.truth()], without: judged('without'),
            with: judged('with')}};
        }}"""
    )
    return found


def draw(page: Page) -> None:
    """Draw a large 7 with the mouse."""
    page.locator("[data-pad]").scroll_into_view_if_needed()
    box = page.locator("[data-pad]").bounding_box()
    assert box is not None
    corners = [(0.25, 0.25), (0.75, 0.25), (0.45, 0.8)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def blurred(card: dict[str, Any], kind: str, found: dict[str, Any], iterations: int) -> float:
    """Return the PSNR of the library's solver for the camera that has no preset."""
    A = FourierDownsampling(2, (1, 32, 32), std=1.0)
    y, truth = (
        torch.tensor(found["y"]).reshape(1, 1, 16, 16),
        torch.tensor(found["truth"]).reshape(1, 1, 32, 32),
    )
    P = Newton(card["preconditioner"]["damping"]) if kind == "newton" else None
    options = card["settings"][kind] | {"stepsize": 1 / A.squared_norm, "max_iter": iterations}
    return float(psnr(PreconditionedFISTA(load_denoiser("single_pixel"), P, **options)(y, A), truth))


def renderers_megabytes() -> float:
    """Return the memory that the pages of the browser take, with what runs beside them and the networks."""
    processes = [process for process in psutil.Process().children(recursive=True) if process.is_running()]
    pages = [process for process in processes if "--type=renderer" in process.cmdline()]
    assert pages
    return sum(process.memory_info().rss for process in pages) / 2**20


def library_psnr(task: Task, kind: str, found: dict[str, Any], iterations: int) -> float:
    shape = (1, *task.img_size)
    y, truth = (torch.tensor(found[name]).reshape(shape) for name in ("y", "truth"))
    x = ddgp_lib.load_solver(task, kind, max_iter=iterations)(y, task.student)
    return float(task.psnr(x, truth))


@pytest.mark.parametrize(
    ("camera", "image", "iterations"),
    [
        ("single_pixel", "3", 20),
        ("single_pixel", "8", 50),
        ("single_pixel", "drawing", 20),
        ("mri", "0", 5),
        ("mri", "2", 5),
        ("mri", "drawing", 5),
    ],
)
def test_the_page_reaches_the_psnr_of_the_library_s_solver(
    shared: Page, address: str, camera: str, image: str, iterations: int
) -> None:
    problems = watch(shared)
    go(shared, address, f"camera={camera}&iterations={iterations}&image={0 if image == 'drawing' else image}")
    if image == "drawing":
        draw(shared)
        assert shared.input_value("[name=image]") == "drawing"
    found, task = run(shared), ddgp_lib.load_task(camera)
    assert sum(value > 0.1 for value in found["truth"]) > 50
    for side, kind in (("without", "none"), ("with", "distilled")):
        made = found[side][-1]["psnr"]
        assert made == pytest.approx(library_psnr(task, kind, found, iterations), abs=0.05)
    assert len(found["with"]) == iterations + 1
    assert problems == []


def test_blur_and_decimation_reaches_the_psnr_of_the_library_s_solver(shared: Page, address: str) -> None:
    go(shared, address, "camera=blur&image=2")
    found, card = run(shared), json.loads((FILES / "cameras.json").read_text())["cards"]["blur"]
    for side, kind in (("without", "none"), ("with", "newton")):
        assert found[side][-1]["psnr"] == pytest.approx(blurred(card, kind, found, 20), abs=0.05)
    assert "Newton" in shared.inner_text("[data-gain]")


def test_long_runs_leave_no_memory_behind(shared: Page, address: str) -> None:
    go(shared, address, "iterations=200")
    used = []
    for _ in range(3):
        run(shared)
        used.append(renderers_megabytes())
    assert used[2] - used[1] < 30, used


@pytest.mark.parametrize(
    ("address_part", "name", "expected"),
    [
        ("camera=none", "camera", "single_pixel"),
        ("camera=mri&image=7", "image", "0"),
        ("image=x", "image", "0"),
        ("ratio=7", "ratio", 1),
        ("ratio=NaN", "ratio", 0.1),
        ("iterations=1e9", "iterations", 1000),
        ("ordering=constructor", "ordering", "cake_cutting"),
        ("columns=zz", "columns", "zz"),
        ("drawing=%3Cimg%3E&image=drawing", "image", "drawing"),
    ],
)
def test_an_address_that_makes_no_sense_does_no_harm(
    shared: Page, address: str, address_part: str, name: str, expected: Any
) -> None:
    problems = watch(shared)
    go(shared, address, address_part)
    assert shared.evaluate(f"{CAMERA}.state")[name] == expected
    assert problems == []


def test_nothing_heavy_is_loaded_before_start(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, address)
    assert [name for name in asked if name.endswith((".wasm", ".onnx", ".safetensors", ".mjs"))] == []
    assert any(name.endswith("cameras.json") for name in asked)


def test_the_sizes_on_the_page_are_true() -> None:
    text = (ROOT / "book" / "camera.md").read_text()
    runtime = sum(path.stat().st_size for path in (HTML / "vendor" / "onnxruntime").iterdir()) / 1e6
    sent = sum(len(gzip.compress(path.read_bytes())) for path in (HTML / "vendor" / "onnxruntime").iterdir())
    assert f"{runtime:.1f} MB of ONNX Runtime ({sent / 1e6:.1f} MB where the server compresses it)" in text
    names = list(camera_site.needed_weights())
    for task, what in {"single_pixel": "digits", "mri": "slices"}.items():
        size = sum(
            (HTML / "camera" / "files" / name).stat().st_size for name in names if name.startswith(task)
        )
        assert f"{size / 1e6:.1f} MB of weights for {what}" in text.replace("\n", " ")
        if what == "digits":
            said = re.search(r"MEGABYTES = ([\d.]+);", (ROOT / "book" / "camera" / "piece.js").read_text())
            assert said is not None
            assert f"{runtime + size / 1e6:.1f}" == said[1]
    whole = sum(path.stat().st_size for path in (HTML / "camera").rglob("*") if path.is_file()) / 1e6
    assert runtime + whole < 20


def test_as_a_file_it_says_what_to_do(page: Page) -> None:
    page.goto((HTML / PAGE).as_uri())
    assert page.locator("[data-as-file]").is_visible()
    assert "http.server" in page.inner_text("[data-as-file]")


CONTROLS = ("image", "camera", "ordering", "momentum", "fading", "iterations", "pause", "acceleration")
SLIDERS = ("ratio", "std", "noise", "sigma", "step", "strength")


@pytest.mark.parametrize("name", [*CONTROLS, *SLIDERS, "free", "safeguard"])
def test_a_choice_is_made_with_the_keyboard_and_stands_in_the_address(
    page: Page, address: str, name: str
) -> None:
    camera = {"acceleration": "mri", "std": "blur"}.get(name, "single_pixel")
    go(page, address, f"camera={camera}")
    page.focus(f"[name={name}]")
    before = page.evaluate("location.hash")
    page.keyboard.press(
        "Space" if name in ("free", "safeguard") else "ArrowRight" if name in SLIDERS else "ArrowDown"
    )
    changed = page.evaluate(f"{CAMERA}.state")[name]
    until(page, f"location.hash !== '{before}' && location.hash.includes('{name}=')")
    assert page.evaluate("document.activeElement.name") == name
    page.reload()
    page.wait_for_selector("#ddgp-camera[data-ready]")
    assert page.evaluate(f"{CAMERA}.state")[name] == changed


def test_a_digit_is_drawn_and_columns_are_chosen_with_the_keyboard(page: Page, address: str) -> None:
    go(page, address)
    page.focus("[data-pad]")
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    drawn = page.evaluate(f"[...{CAMERA}.truth()]")
    assert 10 < sum(value > 0.5 for value in drawn) < 40
    go(page, address, "camera=mri")
    before = page.evaluate(f"{CAMERA}.chosenColumns")
    page.focus("[data-columns]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    after = page.evaluate(f"{CAMERA}.chosenColumns")
    assert [i for i in range(128) if before[i] != after[i]] == [65]
    assert "Column 65 is not measured; 31 of 128" in page.inner_text("[data-status]")


def test_a_run_is_started_stopped_and_looked_through_with_the_keyboard(shared: Page, address: str) -> None:
    go(shared, address, "iterations=200&pause=100")
    shared.focus("[data-start]")
    shared.keyboard.press("Enter")
    until(shared, f"{CAMERA}.history.with.length > 4")
    shared.focus("[data-stop]")
    shared.keyboard.press("Enter")
    assert "Stopped at iteration" in shared.inner_text("[data-status]")
    shared.focus("[data-at]")
    shared.keyboard.press("Home")
    assert shared.inner_text("[data-iteration]") == "0"
    with shared.expect_download() as saved:
        shared.focus("[data-save]")
        shared.keyboard.press("Enter")
    assert saved.value.suggested_filename == "camera.png"
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_what_diverges_is_said_and_the_safeguard_gives_the_plain_iterates(shared: Page, address: str) -> None:
    go(shared, address, "strength=4&fading=none&iterations=50")
    run(shared)
    assert "diverged" in shared.inner_text("[data-psnr=with]")
    go(shared, address, "strength=4&safeguard=1&iterations=50")
    found = run(shared)
    assert "P is given up" in shared.inner_text("[data-psnr=with]")
    assert found["with"][-1]["psnr"] > found["with"][0]["psnr"]


def test_the_numbers_of_the_experiments_are_what_the_page_computes(shared: Page, address: str) -> None:
    text = (ROOT / "book" / "camera" / "experiments.html").read_text()
    links = [part.split('"')[0].replace("&amp;", "&") for part in text.split('href="#')[1:]]
    assert len(links) == 5
    go(shared, address, links[0].replace("pause=500", "pause=0"))
    silent = run(shared)
    assert (silent["with"][0]["range"], silent["with"][0]["null"]) == pytest.approx((0.01, 0.62), abs=0.005)
    assert (silent["without"][5]["null"], silent["with"][5]["null"]) == pytest.approx(
        (0.41, 0.145), abs=0.005
    )
    go(shared, address, links[1])
    slow = run(shared)
    assert (slow["without"][5]["range"], slow["with"][5]["range"]) == pytest.approx((0.14, 0.02), abs=0.005)
    assert slow["without"][20]["range"] > slow["with"][5]["range"]
    go(shared, address, links[2])
    found = run(shared)
    restless = [judged["psnr"] for judged in found["with"]]
    assert restless[-1] == pytest.approx(found["without"][-1]["psnr"], abs=0.3)
    assert (restless.index(max(restless)), max(restless), restless[-1]) == pytest.approx(
        (4, 28.0, 23.0), abs=0.1
    )
    go(shared, address, links[3])
    invented = run(shared)
    assert invented["with"][-1]["psnr"] - invented["without"][-1]["psnr"] == pytest.approx(3.7, abs=0.1)
    assert invented["with"][-1]["null"] == pytest.approx(0.33, abs=0.01)
    go(shared, address, links[4])
    noisy = run(shared)
    assert (noisy["without"][-1]["psnr"], noisy["with"][-1]["psnr"]) == pytest.approx((22.3, 24.4), abs=0.1)


def test_models_of_other_weights_stop_the_build(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for name in camera_site.needed_weights():
        (weights / name).write_bytes(b"other")
    with pytest.raises(ValueError, match=r"run `python -m book\._tools\.camera_files`"):
        camera_site.place(tmp_path / "site", weights=weights)
    camera_site.place(tmp_path / "site")
    assert {path.suffix for path in (tmp_path / "site").iterdir()} == {".js", ".css", ""}


def test_the_usual_gain_is_the_benchmark_s() -> None:
    tables = json.loads((FILES / "cameras.json").read_text())
    for task, usual in tables["usual"].items():
        compared = ddgp_lib.experiments.load_benchmark(task)["side_by_side"]
        assert usual["gain"] == compared["methods"]["distilled"]["gain_20"][0]
        assert usual["images"] == compared["n_images"]


def test_the_buttons_beside_the_choices_are_pressed_with_the_keyboard(page: Page, address: str) -> None:
    go(page, address, f"image=drawing&drawing={'_' * 40}&step=2&strength=3&momentum=none")
    assert page.evaluate(f"{CAMERA}.truth().some(Boolean)")
    for name in ("clear", "again", "tuned"):
        page.focus(f"[data-{name}]")
        page.keyboard.press("Enter")
    assert not page.evaluate(f"{CAMERA}.truth().some(Boolean)")
    state = page.evaluate(f"{CAMERA}.state")
    assert (state["seed"], state["step"], state["strength"], state["momentum"]) == (2, 1, 1, "tuned")
    page.click("[data-start]")
    assert page.inner_text("[data-status]") == "The drawing is empty: draw something first."


def test_columns_are_clicked_on_and_off(page: Page, address: str) -> None:
    go(page, address, "camera=mri")
    before = page.evaluate(f"{CAMERA}.chosenColumns")
    box = page.locator("[data-columns]").bounding_box()
    assert box is not None
    for place in (3.5, 64.5, 3.5, 5.5):
        page.locator("[data-columns]").click(position={"x": box["width"] * place / 128, "y": 10})
    after = page.evaluate(f"{CAMERA}.chosenColumns")
    assert [i for i in range(128) if before[i] != after[i]] == [5, 64]


def test_a_finger_draws_and_chooses_columns(browser: Browser, address: str) -> None:
    size: Any = {"width": 390, "height": 844}
    with browser.new_context(viewport=size, is_mobile=True, has_touch=True) as context:
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        go(page, address)
        page.locator("[data-pad]").scroll_into_view_if_needed()
        scrolled = page.evaluate("scrollY")
        box = page.locator("[data-pad]").bounding_box()
        assert box is not None
        touch = context.new_cdp_session(page)
        for step in range(8):
            point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * (0.2 + 0.08 * step)}
            kind = "touchStart" if step == 0 else "touchMove"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        until(page, f"{CAMERA}.state.image === 'drawing'")
        ink = page.evaluate(f"[...{CAMERA}.truth()]")
        rows = {i // 32 for i, value in enumerate(ink) if value > 0.5}
        assert rows >= set(range(7, 24))
        assert page.evaluate("scrollY") == scrolled
        go(page, address, "camera=mri")
        page.locator("[data-columns]").tap()
        until(page, f"{CAMERA}.chosenColumns.filter(Boolean).length === 31")


def test_the_choices_stand_in_words_with_a_link_to_them(shared: Page, address: str) -> None:
    go(shared, address, "camera=mri&acceleration=5&noise=0.05&step=1.5&iterations=7")
    expected = "Slice 1; MRI, 26 of 128 columns; noise 0.05; solvers not as tuned, 7 iterations."
    assert shared.inner_text("[data-described]") == expected
    assert (shared.input_value("[name=acceleration]"), shared.input_value("[name=iterations]")) == ("5", "7")
    link = shared.get_attribute("[data-link]", "href")
    assert link is not None
    go(shared, address, "ratio=0.2&image=4&ordering=xy")
    expected = (
        "Digit 5; Single-pixel, 205 of 1,024 patterns in xy order; noise 0.01; "
        "solvers as tuned, 20 iterations."
    )
    assert shared.inner_text("[data-described]") == expected
    assert shared.get_attribute("[data-truth]", "aria-label") == "The image that is measured: digit 5"
    go(shared, address, link.removeprefix("#"))
    assert shared.inner_text("[data-described]").startswith("Slice 1; MRI, 26 of 128")


def test_the_page_stays_responsive_while_slices_are_computed(shared: Page, address: str) -> None:
    go(shared, address, "camera=mri&iterations=5")
    shared.evaluate(
        """() => {
          const bar = document.querySelector('[data-progress]');
          window.ticks = [];
          window.timer = setInterval(() => { if (!bar.hidden) window.ticks.push(bar.value); }, 5);
        }"""
    )
    run(shared)
    ticks = shared.evaluate("() => { clearInterval(window.timer); return window.ticks; }")
    assert ticks == sorted(ticks)
    assert len(set(ticks)) > 2  # the page's own timer ran between the iterations
    assert shared.locator("[data-progress]").is_hidden()


def test_who_wants_no_motion_sees_the_end_alone(page: Page, address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    go(page, address, "iterations=20&pause=100")
    page.click("[data-start]")
    until(page, f"{CAMERA}.history.with.length > 5")
    assert page.inner_text("[data-iteration]") == "0"
    page.wait_for_selector(ENDED)
    assert page.inner_text("[data-iteration]") == "20"


@pytest.mark.parametrize("camera", ["single_pixel", "blur", "mri"])
def test_a_page_with_results_keeps_the_guidelines(page: Page, address: str, camera: str) -> None:
    go(page, address, f"camera={camera}&iterations=3&strength=1.1")
    run(page)
    bring_axe(page)
    assert {theme: violations(page, theme) for theme in RULES} == {theme: [] for theme in RULES}


def piece_of(page: Page, address: str, chapter: str) -> Any:
    page.goto(f"{address}/book/{chapter}.html")
    return page.locator(".ddgp-piece").first


def psnrs(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)\sdB", text)]


@pytest.mark.parametrize("chapter", ["02_conditioning", "08_distilling", "11_single_pixel"])
def test_a_piece_in_a_chapter_computes_what_its_link_asks_the_page_for(
    page: Page, shared: Page, address: str, chapter: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems = watch(page)
    piece = piece_of(page, address, chapter)
    link = page.locator('a[href^="camera.html#"]').first.get_attribute("href")
    assert link is not None
    piece.get_by_role("button").focus()
    assert not [name for name in asked if name.endswith((".wasm", ".onnx", ".safetensors", ".json", ".bin"))]
    page.keyboard.press("Enter")
    piece.get_by_role("button", name="Run it again").wait_for()
    made = psnrs(piece.get_by_role("status").inner_text())
    go(shared, address, link.split("#")[1].replace("pause=500", "pause=0"))
    found = run(shared)
    assert made == pytest.approx([found[side][-1]["psnr"] for side in ("without", "with")], abs=0.006)
    piece.get_by_role("slider").focus()
    page.keyboard.press("Home")
    assert psnrs(piece.inner_text())[-1] == pytest.approx(found["with"][0]["psnr"], abs=0.006)
    assert problems == []
    bring_axe(page)
    assert {theme: violations(page, theme) for theme in RULES} == {theme: [] for theme in RULES}


def test_of_two_pieces_one_runs_at_a_time(page: Page, address: str) -> None:
    piece_of(page, address, "10_when_it_breaks")
    page.locator(".ddgp-piece").nth(1).wait_for()
    first, second = page.locator(".ddgp-piece").all()
    second.get_by_role("button").click()
    until(page, "document.querySelectorAll('.ddgp-piece')[1].textContent.includes('Running')")
    first.get_by_role("button").click()
    assert second.get_by_role("status").inner_text() == "Stopped."
    first.get_by_role("button", name="Run it again").wait_for()
    assert "diverged" in first.inner_text()
