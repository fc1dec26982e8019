"""What is seen of an object in a notebook is short, true, and proper HTML."""

from dataclasses import dataclass, field, replace
from xml.etree import ElementTree

import pytest
import torch

import ddgp_lib
from ddgp_lib import reprs
from ddgp_lib.analysis import ErrorCurve, Modes
from ddgp_lib.distillation import Distillation, DistillationRecipe, build_preconditioner
from ddgp_lib.distillation.losses import Pair
from ddgp_lib.evaluation import CURVES, REGION_CURVES, Trace
from ddgp_lib.linear import LinearDistillation, LinearRecipe, build_linear_preconditioner
from ddgp_lib.linear.states import Trajectory
from ddgp_lib.preconditioners import State
from ddgp_lib.presets import PRESETS

LONGEST = 300
RECIPE = DistillationRecipe(
    network="cnn",
    parameters="small",
    losses={"gradient": 1.0, "supervised": 0.5},
    steps=20000,
    noise_range=(0.005, 0.1),
)


def distillation(steps: int = 20000, recipe: DistillationRecipe = RECIPE) -> Distillation:
    """Make what a training of many steps returns: the loss falls to 2 and stays there."""
    losses = [5.0] * (steps - 100) + [1.0, 3.0] * 50
    history = {"gradient": losses, "supervised": losses, "total": losses, "validation": [20.0]}
    return Distillation(build_preconditioner(recipe, 1), history, recipe)


def linear() -> LinearDistillation:
    recipe = LinearRecipe(structure="rows", iterations=3)
    history = {"ridge": [0.1, 0.2, 0.25], "match": [0.5, 0.25, 0.125], "psnr": [20.0, 21.0, 22.5]}
    return LinearDistillation(build_linear_preconditioner(recipe, (1, 8, 8)), history, recipe)


def trace(iterations: int = 200, images: int = 80, lower: float = 0.0) -> Trace:
    """Make a trace whose PSNR rises by 1 dB an iteration up to k = 30, and falls then; it is lower in a region."""
    k = torch.arange(1.0, iterations + 1)[:, None].expand(-1, images)
    curves = {name: k / 1000 for name in CURVES} | {"psnr": torch.where(k <= 30, k, 60 - k)}
    region = {"region_psnr": curves["psnr"] - lower, "region_ssim": curves["ssim"]}
    return Trace(**curves, **region, estimate=torch.zeros(images, 1, 8, 8), seconds=12.345)


def trajectory(task) -> Trajectory:
    return Trajectory.start(task, task.test_images[:3], torch.Generator().manual_seed(0))


def solver(task) -> ddgp_lib.PreconditionedFISTA:
    return ddgp_lib.PreconditionedFISTA(
        task.denoiser, distillation().preconditioner, sigma=[0.2, 0.1], max_iter=2
    )


def pair(task) -> Pair:
    x = task.test_images[:3]
    return Pair(task.student, x, x, x, 1.0, 1.0, x, None, x)


SHOWN = {
    "Task": lambda task: task,
    "Preset": lambda task: task.preset,
    "Distillation": lambda task: distillation(),
    "LinearDistillation": lambda task: linear(),
    "Trace": lambda task: trace(),
    "Trajectory": trajectory,
    "State": lambda task: State(task.test_images[:3], 4, task.student, task.test_images[:3]),
    "LearnedPreconditioner": lambda task: distillation().preconditioner,
    "PreconditionedFISTA": lambda task: solver(task),
    "PreconditionedADMM": lambda task: ddgp_lib.PreconditionedADMM(
        task.denoiser, stepsize=1.0, tau=2.0, sigma=[0.1] * 100, max_iter=100
    ),
    "Pair": pair,
    "Modes": lambda task: Modes(*(torch.ones(64, 64) for _ in range(3)), (1, 8, 8)),
    "ErrorCurve": lambda task: ErrorCurve(*(torch.ones(1000) for _ in range(3))),
}
TABLES = ("Task", "Distillation", "LinearDistillation", "Trace")


def cells(shown) -> list[list[str]]:
    """Texts of an object's HTML table, row by row, after checking that it is well formed."""
    root = ElementTree.fromstring(shown._repr_html_())
    assert root.tag == "table"
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


@pytest.mark.parametrize("name", SHOWN)
def test_a_line_is_short_and_begins_with_the_class(task, name):
    text = repr(SHOWN[name](task))
    assert text.startswith(f"{name}(")
    assert text.endswith(")")
    assert len(text) <= LONGEST
    assert "\n" not in text


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_the_lines_of_the_books_cameras_are_whole(preset):
    for shown in (preset, preset.load()):
        assert len(repr(shown)) <= LONGEST
        assert "…" not in repr(shown)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_well_formed_and_has_two_columns_or_more(task, name):
    rows = cells(SHOWN[name](task))
    assert len(rows) >= 4
    assert min(map(len, rows)) >= 2


def test_a_distillation_tells_what_differs_from_the_default_recipe_and_the_last_losses():
    shown = distillation()
    weights = sum(parameter.numel() for parameter in shown.preconditioner.parameters())
    assert dict(cells(shown)) == {
        "network": "'cnn'",
        "losses": "{'gradient': 1.0, 'supervised': 0.5}",
        "noise_range": "(0.005, 0.1)",
        "parameters": "'small'",
        "steps": "20,000",
        "weights": f"{weights:,}",
        "gradient": "2",
        "supervised": "2",
        "total": "2",
    }


def test_a_distillation_without_a_history_can_be_shown():
    shown = replace(distillation(), history={})
    assert "steps=0" in repr(shown)
    assert "total" not in repr(shown)


def test_a_linear_distillation_tells_its_last_iteration():
    told = dict(cells(linear()))
    assert told["structure"] == "'rows'"
    assert told["iterations"] == "3"
    assert (told["last ridge"], told["last match"], told["last psnr"]) == ("0.25", "0.125", "22.5")


def test_a_trace_tells_its_end_and_its_best():
    text = repr(trace(iterations=40))
    assert "psnr=20.00 dB at the end, 30.00 dB at k = 30" in text
    assert "iterations=40, images=80" in text


def test_a_solver_tells_what_was_chosen(task):
    parts = "denoiser=NoiseAwareDnCNN, preconditioner=LearnedPreconditioner"
    numbers = "stepsize=None, sigma=[0.2, 0.1], max_iter=2"
    assert repr(solver(task)) == f"PreconditionedFISTA({parts}, {numbers})"
    assert "stepsize=1.0, sigma=[0.1, 0.1], tau=2.0" in repr(
        ddgp_lib.PreconditionedHQS(task.denoiser, stepsize=1.0, tau=2.0, sigma=[0.1, 0.1], max_iter=2)
    )


def test_a_learned_preconditioner_tells_its_size_and_form():
    shown = distillation().preconditioner
    weights = sum(parameter.numel() for parameter in shown.parameters())
    told = f"network=PatchCNN of {weights:,} weights, form='null_space', inputs='state_aware', embedding=0"
    assert repr(shown) == f"LearnedPreconditioner({told})"


def test_a_table_of_a_trace_has_some_iterations_and_the_last():
    head, *rows = cells(trace(iterations=150))
    assert head == ["k", *CURVES]
    assert [row[0] for row in rows] == ["1", "2", "5", "10", "20", "50", "100", "150"]
    assert [row[1] for row in rows] == ["1", "2", "5", "10", "20", "10", "-40", "-90"]
    assert rows[-1][2] == "0.15"


def test_a_table_of_a_trace_ends_with_the_region_where_it_is_not_the_image():
    head, first, *_ = cells(trace(iterations=5, lower=3.0))
    assert head == ["k", *CURVES, *REGION_CURVES]
    assert first[-2:] == ["-2", "0.001"]


def test_a_table_of_a_single_iteration_has_one_row():
    assert [row[0] for row in cells(trace(iterations=1))] == ["k", "1"]


def test_names_and_texts_are_escaped(task):
    page = reprs.table("<b>", [("a & b", "<script>", '"')], ("<i>", "x < y", "&"))
    root = ElementTree.fromstring(page)
    assert [element.tag for element in root] == ["caption", "tr", "tr"]
    texts = [element.text for element in root.iter() if element.text]
    assert texts == ["<b>", "<i>", "x < y", "&", "a & b", "<script>", '"']
    odd = replace(task, name="<script>alert(1)</script>")
    assert "<script>" not in odd._repr_html_()
    ElementTree.fromstring(odd._repr_html_())


def test_a_line_that_is_too_long_is_cut():
    text = reprs.line("Name", {"fact": "x" * 1000})
    assert len(text) == LONGEST
    assert text.endswith("x…)")


def test_differences_are_fields_that_are_not_at_their_default():
    @dataclass
    class Recipe:
        given: int
        same: int = 1
        other: int = 1
        made: list[int] = field(default_factory=lambda: [1])

    assert reprs.differences(Recipe(0, other=2)) == {"given": 0, "other": 2}
    assert reprs.differences(DistillationRecipe()) == {}
    assert reprs.differences(ddgp_lib.DistillationRecipe(form="free")) == {"form": "free"}


def test_a_value_in_a_line_is_a_few_words():
    assert reprs.brief(torch.zeros(2, 3)) == "Tensor(2, 3)"
    assert reprs.brief(torch.nn.Sequential(torch.nn.ReLU())) == "Sequential"
    assert reprs.brief(0.25) == "0.25"
    assert reprs.brief(list(range(100))) == "list(…)"
