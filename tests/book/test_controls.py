"""The continuous controls: their numbers against the library's in Node, and their use in a browser by keyboard."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from deepinv.physics import Inpainting
from playwright.sync_api import Browser, Page

from book._tools.browser import opened, watch
from book._tools.npm import find_npm
from book._tools.repository import ROOT
from ddgp_lib import PreconditionedFISTA, Preconditioner, State, analysis
from ddgp_lib.kinds import NoPrior
from ddgp_lib.preconditioners import Polynomial
from ddgp_lib.widgets import _CSS, CONTROLS

SCRIPTS = [ROOT / "book" / "_static" / "controls" / f"{name}.js" for name in ("forms", "panels", "controls")]
PAGES = {
    "momentum": "book/02_conditioning.html",
    "polynomial": "book/04_linear_preconditioners.html",
    "fading": "book/10_when_it_breaks.html",
}
Compute = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def compute() -> Compute:
    """Evaluate an expression that sees the scripts, and the inputs as ``given``, in Node."""
    node = str(Path(find_npm()).with_name("node"))
    scripts = "\n".join(path.read_text() for path in SCRIPTS)

    def run(expression: str, given: Any) -> Any:
        code = (
            f"{scripts}\nconst given = JSON.parse(require('fs').readFileSync(0));\n"
            f"process.stdout.write(JSON.stringify({expression}));"
        )
        done = subprocess.run(
            [node, "-e", code], input=json.dumps(given), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def double(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# The step 1 and 1/4 over q = 1 − αλ = 0 and 3/4 make roots that coincide; steps above 1 make them of two signs.
@pytest.mark.parametrize("step", [0.05, 1.0, 1.3, 1.9, 2.2])
@pytest.mark.parametrize("momentum", [0.0, 1 / 3, 0.6, 99 / 101, 0.999])
def test_errors_and_rates_are_the_library_s(compute: Compute, step: float, momentum: float) -> None:
    eigenvalues = double([1.0, 0.75, 0.5, 0.25, 1e-2, 1e-4, 1e-6])
    left = compute(
        "given.l.map(l => Array.from({length: 201}, (_, k) => ddgpForms.errorLeft(l, given.a, given.b, k)))",
        {"l": eigenvalues.tolist(), "a": step, "b": momentum},
    )
    expected = analysis.error_factors(eigenvalues, step, 200, momentum)
    torch.testing.assert_close(double(left).T, expected, rtol=1e-6, atol=1e-6)
    rates = compute(
        "given.l.map(l => ddgpForms.rate(l, given.a, given.b))",
        {"l": eigenvalues.tolist(), "a": step, "b": momentum},
    )
    radius = analysis.momentum_radius(eigenvalues, step, momentum)
    torch.testing.assert_close(double(rates), radius, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kappa", [2.0, 31.0, 1000.0])
def test_the_best_momentum_is_the_library_s_also_where_both_roots_coincide(
    compute: Compute, kappa: float
) -> None:
    eigenvalues = double([kappa**-2, 1.0])
    step, beta, rate = analysis.best_momentum(eigenvalues)
    made = compute(
        "[ddgpForms.bestMomentum(given), ddgpForms.rate(given ** -2, 1, ddgpForms.bestMomentum(given))]",
        kappa,
    )
    assert made == pytest.approx([beta, rate], rel=1e-6)
    left = compute(
        "Array.from({length: 301}, (_, k) => ddgpForms.errorLeft(given ** -2, 1, ddgpForms.bestMomentum(given), k))",
        kappa,
    )
    expected = analysis.error_factors(eigenvalues, step, 300, beta)[:, 0]
    torch.testing.assert_close(double(left), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["ifista", "l2", "chebyshev"])
@pytest.mark.parametrize("degree", range(9))
def test_residual_polynomials_are_the_library_s(compute: Compute, kind: str, degree: int) -> None:
    t, lower = torch.linspace(0, 1, 101, dtype=torch.float64), 0.03
    made = compute(
        "given.t.map(t => ddgpForms.residuals[given.kind](t, given.degree, given.lower))",
        {"t": t.tolist(), "kind": kind, "degree": degree, "lower": lower},
    )
    P = Polynomial.of(kind, degree, lower=lower if kind == "chebyshev" else None)
    expected = 1 - t * sum(c * t**j for j, c in enumerate(P.coefficients))
    torch.testing.assert_close(double(made), expected, rtol=1e-6, atol=1e-6)


def test_condition_numbers_are_the_library_s(compute: Compute) -> None:
    values = {"degree": 3, "damping": 0.02, "lower": 0.01}
    made = compute("ddgpControls.polynomial.show(given).kappas", values)
    t = torch.logspace(-3, 0, 400, dtype=torch.float64)
    rules = {kind: Polynomial.of(kind, 3) for kind in ("ifista", "l2")}
    rules["chebyshev"] = Polynomial.of("chebyshev", 3, lower=0.01)
    effective = [t, *(t * sum(c * t**j for j, c in enumerate(P.coefficients)) for P in rules.values())]
    effective.append(t / (t + 0.02))
    assert made == pytest.approx([analysis.condition_number(e) for e in effective], rel=1e-6)


def test_the_rate_that_is_shown_is_that_of_the_slowest_mode(compute: Compute) -> None:
    for step, momentum, kappa in ((1.0, 0.6, 100.0), (1.4, 0.9, 20.0), (0.3, 0.99, 500.0), (2.1, 0.0, 5.0)):
        made = compute(
            "ddgpControls.momentum.show(given).rates", {"step": step, "momentum": momentum, "kappa": kappa}
        )
        spectrum = torch.logspace(-2 * torch.tensor(kappa).log10(), 0, 500, dtype=torch.float64)
        radius = analysis.momentum_radius(spectrum, step, momentum)
        assert made["slowest"] == pytest.approx(float(radius.max()), rel=1e-6)


class Correction(Preconditioner):
    """Removes a share of the error in each step, beside the gradient's, since it knows the truth."""

    def __init__(self, truth: torch.Tensor, gain: float, stepsize: float) -> None:
        super().__init__()
        self.truth, self.gain, self.stepsize = truth, gain, stepsize

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        return grad + self.gain / self.stepsize * (state.z - self.truth)


@pytest.mark.parametrize("gain", [-0.3, 0.2, 1.0, 2.5])
@pytest.mark.parametrize("start", [1, 7, None])
def test_errors_under_fading_are_those_of_the_solver(
    compute: Compute, gain: float, start: int | None
) -> None:
    shares = torch.tensor([1.0, 0.1, 0.02, 1e-3]).reshape(1, 2, 2)  # of an error that a plain step removes
    camera = Inpainting((1, 2, 2), mask=shares.sqrt())
    truth = torch.tensor([1.0, -2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    P = Correction(truth, gain, 1.0)
    solver = PreconditionedFISTA(
        NoPrior(), P, stepsize=1.0, sigma=0.1, momentum="none", max_iter=12, prior_decay=start
    )
    path = [x - truth for x, _ in solver.iterates(camera.A(truth), camera, 12)]
    left = compute(
        "given.t.map(t => ddgpForms.faded(12, given.gain, given.start ?? Infinity, t))",
        {"t": shares.flatten().tolist(), "gain": gain, "start": start},
    )
    made = torch.stack([error.flatten() for error in path]).double()
    torch.testing.assert_close(made, double(left).T * made[0], rtol=1e-4, atol=1e-3)


def test_the_control_of_fading_shows_the_three_runs_that_it_speaks_of(compute: Compute) -> None:
    shown = compute("ddgpControls.fading.show(given)", {"gain": -0.1, "start": 5, "plain": 0.001})
    none, unfaded, faded = (double(left) for left in shown["left"])
    k = torch.arange(301, dtype=torch.float64)
    torch.testing.assert_close(none, 0.999**k)
    torch.testing.assert_close(unfaded, 1.099**k)
    weights = (5 / (k[:-1] + 1)).clamp(max=1) ** 2
    torch.testing.assert_close(faded[1:], (1 - 0.001 + 0.1 * weights).cumprod(0))
    assert float(faded.max()) < torch.e  # the bound of the chapter, which the words name
    assert "cannot exceed 2.72 times the start" in shown["words"]
    ends = dict(shown["plots"]["ends"]["curves"][2]["points"])
    assert ends[5] == pytest.approx(float(faded[-1]))


def test_sliders_are_those_that_the_library_knows(compute: Compute) -> None:
    made = compute(
        "Object.fromEntries(Object.entries(ddgpControls).map(([kind, {sliders}]) => [kind, "
        "Object.fromEntries(Object.entries(sliders).map(([name, {low, high}]) => [name, [low, high]]))]))",
        None,
    )
    assert made == {
        kind: {n: list(ends) for n, ends in sliders.items()} for kind, sliders in CONTROLS.items()
    }


def ticks(css: str) -> dict[str, dict[str, str]]:
    """Return what style sheets say of ticks, but for colours: declarations by what they are for."""
    found: dict[str, dict[str, str]] = {}
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for selector, place, block in re.findall(r"(\.[\w-]+) (\.ddgp-ticks[^{},]*)\{([^}]*)\}", plain):
        assert selector in (".ddgp-control", ".ddgp-frames")
        pairs = [line.split(":", 1) for line in block.split(";") if ":" in line]
        said = {
            name.strip(): re.sub(r"(?<!\d)0\.|\s+", lambda m: "." if m[0] == "0." else "", value)
            for name, value in pairs
            if name.strip() != "color"
        }
        assert found.setdefault(place.strip(), said) == said
    return found


def test_ticks_of_frames_and_of_continuous_controls_look_the_same() -> None:
    on_the_site = ticks((ROOT / "book" / "_static" / "book.css").read_text())
    assert list(on_the_site) == [".ddgp-ticks", ".ddgp-ticks span", ".ddgp-ticks span::before"]
    assert on_the_site == ticks(_CSS)


def test_on_paper_the_colours_are_those_of_the_light_theme(page: Page, address: str) -> None:
    go(page, address, "momentum")
    look = "getComputedStyle(document.querySelector('[data-control=momentum] .curve.truth')).stroke"
    theme = "theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})"
    page.evaluate(theme, "light")
    light = page.evaluate(look)
    page.evaluate(theme, "dark")
    assert page.evaluate(look) != light
    page.emulate_media(media="print")
    assert page.evaluate(look) == light


def go(page: Page, address: str, kind: str) -> None:
    page.goto(f"{address}/{PAGES[kind]}")
    page.wait_for_selector(f".ddgp-control[data-control={kind}][data-ready]")


def state(page: Page, kind: str) -> Any:
    return page.evaluate(f"document.querySelector('[data-control={kind}]').state")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in CONTROLS.items() for name in names]
)
def test_a_slider_is_moved_by_keyboard_and_everything_follows(
    page: Page, address: str, kind: str, name: str
) -> None:
    problems = watch(page)
    go(page, address, kind)
    index, start = list(CONTROLS[kind]).index(name), state(page, kind)
    slider = page.locator(f"[data-control={kind}] input").nth(index)
    slider.focus()
    plots = f"[data-control={kind}] .ddgp-plot"
    curves = f"[...document.querySelectorAll('{plots} .curve')].map(curve => curve.getAttribute('d'))"
    before = page.evaluate(curves)
    for key, end in (("End", 1), ("Home", 0)):
        page.keyboard.press(key)
        assert state(page, kind)["values"][name] == pytest.approx(CONTROLS[kind][name][end], rel=1e-9)
    page.keyboard.press("ArrowRight")
    moved = state(page, kind)
    low, high = CONTROLS[kind][name]
    assert low < moved["values"][name] < high
    assert moved["words"] != start["words"]
    assert page.evaluate(curves) != before
    assert (
        slider.get_attribute("aria-valuetext")
        == page.locator(f"[data-control={kind}] output").nth(index).inner_text()
    )
    said = page.locator(f"[data-control={kind}] .ddgp-said")
    said.filter(has_text=moved["words"]).wait_for(state="attached")
    page.locator(f"[data-control={kind}] button").focus()
    page.keyboard.press("Enter")
    assert state(page, kind)["values"] == start["values"]
    assert page.evaluate(curves) == before
    assert problems == []


def test_the_control_of_momentum_starts_where_its_curves_differ(compute: Compute) -> None:
    text = (ROOT / PAGES["momentum"].replace(".html", ".py")).read_text()
    start = json.loads(re.search(r'"momentum",\n\s+draw_momentum\(.*\),\n\s+(\{.*\}),', text)[1])  # type: ignore[index]
    plots = compute("ddgpControls.momentum.show(given).plots", start)
    with_p, without = (double([y for _, y in curve["points"]]) for curve in plots["effort"]["curves"])
    assert (with_p / without - 1).abs().max() > 0.5
    errors = [double([y for _, y in curve["points"]]) for curve in plots["errors"]["curves"]]
    assert min(float((a - b).abs().max()) for a in errors for b in errors if a is not b) > 0.5


@pytest.mark.parametrize("kind", list(CONTROLS))
@pytest.mark.parametrize("width", [390, 1440])
def test_plots_and_words_have_room(browser: Browser, address: str, kind: str, width: int) -> None:
    with opened(browser, width=width) as page:
        go(page, address, kind)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = """kind => [...document.querySelectorAll(`[data-control=${kind}] .ddgp-plot`)].flatMap(plot => {
          const frame = plot.getBoundingClientRect();
          return [...plot.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1;
          }).map(text => text.textContent);
        })"""
        assert page.evaluate(cut, kind) == []
        touching = """kind => [...document.querySelectorAll(`[data-control=${kind}] .ddgp-ticks`)].flatMap(ticks => {
          const boxes = [...ticks.children].map(tick => tick.getBoundingClientRect());
          return boxes.slice(1).filter((box, i) => box.left < boxes[i].right).map(box => box.left);
        })"""
        assert page.evaluate(touching, kind) == []


def test_without_a_script_the_figure_stands_for_the_control(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/{PAGES['momentum']}")
        assert "ring" in (page.locator(".ddgp-control img").get_attribute("alt") or "")
        assert page.locator(".ddgp-control input").count() == 0


def test_pages_without_a_control_do_not_load_its_scripts(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/book/03_pnp_fista.html")
    assert not [name for name in asked if "controls/" in name]
    go(page, address, "momentum")
    assert len([name for name in asked if "controls/" in name]) == len(SCRIPTS)
