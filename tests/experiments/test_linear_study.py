"""The study of linear preconditioners: what is counted, and what the flat spectrum forbids."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, load_task
from ddgp_lib.__main__ import main
from ddgp_lib.data import Split
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments.linear_study import (
    ALSO_WITH_MOMENTUM,
    BUDGETS,
    LEAST_SQUARES,
    METHODS,
    PLAIN,
    SIGMAS,
    ProductsRow,
    rows,
)
from ddgp_lib.experiments.study import run_study
from ddgp_lib.operators import HadamardCamera, measure, normal
from ddgp_lib.preconditioners import Identity, Polynomial
from ddgp_lib.presets import PRESETS
from ddgp_lib.solvers import cgls, discrepancy
from ddgp_lib.tasks import Preset, make_task


@pytest.fixture(scope="module")
def small():
    return load_task("super_resolution", size=32)


def test_every_method_runs_on_every_operator_it_is_there_for():
    names = rows(PRESETS.values())
    operators = [operator for preset in PRESETS.values() for operator in preset.linear_operators]
    distilled = [name for name in names if name.endswith("distilled_linear")]
    assert distilled == ["single_pixel: distilled_linear", "super_resolution: distilled_linear"]
    fixed = (len(METHODS) - 1) * len(operators) + len(distilled)
    assert len(names) == fixed + (len(ALSO_WITH_MOMENTUM) + 1) * len(operators)  # and conjugate gradients
    assert {name for name, row in names.items() if row.momentum != "none"} == {
        f"{operator}: {method}, momentum" for operator in operators for method in ALSO_WITH_MOMENTUM
    }
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


def test_a_step_that_no_budget_pays_for_is_taken_once(own):
    class Costly(Polynomial):
        def forward(self, grad, state):
            for _ in range(80):
                normal(state.physics, grad)
            return super().forward(grad, state)

    task = own.load()
    row = ProductsRow(own, "own_camera", "l2, degree 2")
    found = row._at_budgets(task, Costly((1.0, 0.0)), 0.05, task.test_images[:1], 0)
    solver = PreconditionedFISTA(task.denoiser, stepsize=task.stepsize, sigma=0.05, momentum="none")
    (first,) = psnr_curves(task, solver, task.test_images[:1], task.student, 1)
    torch.testing.assert_close(found, dict.fromkeys(BUDGETS, first))


def test_sigma_is_the_best_on_validation_images(own):
    row = ProductsRow(own, "own_camera", "l2, degree 8")
    task, found = own.load(), row.run(1)
    P, images = METHODS[row.method](task, 1), task.val_images[:4]
    scores = {sigma: float(row._at_budgets(task, P, sigma, images, 0)[60].mean()) for sigma in SIGMAS}
    assert found["sigma"]["60"] == max(scores, key=scores.get)


def test_momentum_is_that_of_the_row(own):
    task, images = own.load(), own.load().test_images[:2]
    plain, fast = (
        ProductsRow(own, "own_camera", "none", momentum)._at_budgets(task, Identity(), 0.05, images, 0)
        for momentum in ("none", "chambolle_dossal")
    )
    solver = PreconditionedFISTA(task.denoiser, stepsize=task.stepsize, sigma=0.05)
    curves = psnr_curves(task, solver, images, task.student, BUDGETS[-1])
    torch.testing.assert_close(fast[60], curves[59])
    assert not torch.equal(plain[60], fast[60])


def test_an_inexact_step_is_charged_what_it_takes(small):
    task, images = small, small.test_images[:1]
    row = ProductsRow(small.preset, "super_resolution", "newton, 0.1, inexact")
    exact = ProductsRow(small.preset, "super_resolution", "newton, 0.1")
    counts = [r._products(task, METHODS[r.method](task, 0), images) for r in (row, exact)]
    assert counts[1] % 3 == 0  # the gradient, and two for the closed form
    assert counts[0] > counts[1]


def test_conjugate_gradients_stop_by_the_noise_and_by_the_budget(small):
    task, images = small, small.test_images[:4]
    found = ProductsRow(small.preset, "super_resolution", LEAST_SQUARES)._least_squares(task, images, 0)
    y = measure(task.student, images, 0)
    path = [task.student.A_adjoint(y), *cgls(task.student, y, 60)]
    for i in range(4):
        first = next(z for z in path if discrepancy(z, y, task.student)[i] <= 1)
        stopped = float(task.psnr(first, images)[i])
        assert stopped > float(task.psnr(path[-1], images)[i]) + 1
    assert found["sigma"] == {"20": None, "60": None}
    assert found["products"] < PLAIN / 4
    firsts = [next(z for z in path if discrepancy(z, y, task.student)[i] <= 1)[i] for i in range(4)]
    expected = float(task.psnr(torch.stack(firsts), images).mean())
    assert found["psnr"]["60"][0] == pytest.approx(expected, abs=1e-3)


def test_it_is_run_and_printed_like_the_others(own, tmp_path, capsys):
    chosen = {"only": "own_camera: cgls", "presets": (own,), "progress": False}
    result = run_study("linear", tmp_path, seeds=(0, 1), **chosen)
    assert [run["seed"] for run in result["runs"]] == [0, 1]
    assert result["runs"][0]["psnr"] != result["runs"][1]["psnr"]  # images of their own
    assert run_study("linear", tmp_path, seeds=(0, 1), **chosen) == result
    assert main(["compare", "--task", "tests/own_camera.py:PRESET", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "own_camera: cgls" in printed
    assert "to the goal" in printed


def test_a_seed_without_images_of_its_own_is_refused(own):
    with pytest.raises(ValueError, match="seed=3: expected an integer from 0 to 2"):
        ProductsRow(own, "own_camera", "none").run(3)
