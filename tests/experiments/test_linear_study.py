"""The study of linear preconditioners: what is counted, and what the flat spectrum forbids."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, load_task
from ddgp_lib.__main__ import main
from ddgp_lib.data import Split
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments.linear_study import BUDGETS, METHODS, PLAIN, ProductsRow, rows
from ddgp_lib.experiments.study import run_study
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.preconditioners import Identity, Polynomial
from ddgp_lib.presets import PRESETS
from ddgp_lib.tasks import Preset, make_task


@pytest.fixture(scope="module")
def small():
    return load_task("super_resolution", size=32)


def test_every_method_runs_on_every_operator_it_is_there_for():
    names = rows(PRESETS.values())
    operators = [operator for preset in PRESETS.values() for operator in preset.linear_operators]
    distilled = [name for name in names if name.endswith("distilled_linear")]
    assert distilled == ["single_pixel: distilled_linear", "super_resolution: distilled_linear"]
    assert len(names) == (len(METHODS) - 1) * len(operators) + len(distilled)
    assert {row.task for row in names.values()} == {"single_pixel", "mri", "super_resolution"}


def test_plain_steps_reach_their_own_goal_in_their_own_number(small):
    row = ProductsRow(small.preset, "super_resolution", "none")
    assert row._products(small, Identity(), small.test_images[:2]) == pytest.approx(PLAIN, abs=1)


def test_a_flat_spectrum_has_reached_the_goal_at_the_start(generator):
    images = torch.rand(10, 1, 8, 8, generator=generator)

    def camera(preset):
        physics = HadamardCamera(0.5, (1, 8, 8), noise=0.01)
        return make_task(physics, physics, Split(images, images, images), lambda x, sigma: x, 0.1)

    preset = Preset(name="flat", linear_operators={"flat": camera})
    for method in ("none", "l2, degree 4"):
        found = ProductsRow(preset, "flat", method).run(0)
        assert found["products"] == 0
        assert set(found["psnr"]) == set(map(str, BUDGETS))


def test_budgets_are_of_products(own):
    task, P = own.load(), Polynomial.of("l2", 2)
    images = task.test_images[:2]
    found = ProductsRow(own, "own_camera", "l2, degree 2")._at_budgets(task, P, 0.05, images, 0)
    solver = PreconditionedFISTA(task.denoiser, P, stepsize=task.stepsize, sigma=0.05, momentum="none")
    curves = psnr_curves(task, solver, images, task.student, BUDGETS[-1] // 3)
    for budget in BUDGETS:  # a gradient and two products in each iteration
        torch.testing.assert_close(found[budget], curves[budget // 3 - 1])


def test_it_is_run_and_printed_like_the_others(own, tmp_path, capsys):
    chosen = {"only": "own_camera: none", "presets": (own,), "progress": False}
    result = run_study("linear", tmp_path, seeds=(0, 1), **chosen)
    assert [run["seed"] for run in result["runs"]] == [0, 1]
    assert result["runs"][0]["psnr"] != result["runs"][1]["psnr"]  # images of their own
    assert run_study("linear", tmp_path, seeds=(0, 1), **chosen) == result
    assert main(["compare", "--task", "tests/own_camera.py:PRESET", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "own_camera: none" in printed
    assert "to the goal" in printed


def test_a_seed_without_images_of_its_own_is_refused(own):
    with pytest.raises(ValueError, match="seed=3: expected an integer from 0 to 2"):
        ProductsRow(own, "own_camera", "none").run(3)
