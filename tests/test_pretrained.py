"""What ships for every task: weights with their recipe, settings with their sweep, a gain on held-out images."""

from itertools import product

import pytest
import torch
from ddgp_lib.shipped import (
    DECAYS,
    DENOISER_RECIPES,
    MOMENTA,
    RECIPES,
    SIGMAS,
    SOLVER_KINDS,
    Method,
    tuning_score,
    validation_psnr,
)

from ddgp_lib import load_preconditioner, load_solver, load_task, load_tuning
from ddgp_lib.checkpoints import WEIGHTS_FOLDER, load_checkpoint
from ddgp_lib.denoisers import DenoiserRecipe
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.tasks import TASKS

OTHERS = ("mri", "super_resolution")  # single_pixel has tests of its own
LEARNED = [(name, kind) for name in TASKS for kind in RECIPES[name]]


@pytest.fixture(scope="module", params=OTHERS)
def other(request):
    return load_task(request.param)


@pytest.mark.parametrize(("name", "kind"), LEARNED)
def test_weights_carry_their_recipe(name, kind):
    path = WEIGHTS_FOLDER / f"{name}-{kind}.safetensors"
    _, description = load_checkpoint(path, kind=kind, task=name)
    assert path.stat().st_size < 5_000_000
    recipe = RECIPES[name][kind]
    assert type(recipe)(**description["recipe"]) == recipe


@pytest.mark.parametrize("name", TASKS)
def test_denoisers_carry_their_recipe(name):
    path = WEIGHTS_FOLDER / f"{name}-denoiser.safetensors"
    _, description = load_checkpoint(path, kind="denoiser", task=name)
    assert path.stat().st_size < 1_000_000
    assert DenoiserRecipe(**description["recipe"]) == DENOISER_RECIPES[name]


@pytest.mark.parametrize("kind", ["distilled", "distilled_linear"])
def test_weights_do_what_they_claim(other, kind):
    preconditioner = load_preconditioner(other.name, kind)
    _, description = load_checkpoint(WEIGHTS_FOLDER / f"{other.name}-{kind}.safetensors")
    measured = validation_psnr(other, preconditioner, RECIPES[other.name][kind])
    claimed = description["metrics"]["validation_psnr"]
    assert all(claimed[k] == pytest.approx(value, abs=0.05) for k, value in measured.items())


@pytest.mark.parametrize("name", TASKS)
def test_settings_are_the_best_of_their_sweep(name):
    tuning = load_tuning(name)
    assert tuple(tuning) == SOLVER_KINDS[name]
    for settings in tuning.values():
        names = ("sigma", "momentum", "prior_decay", "update_decay")
        tried = [tuple(row[name] for name in names) for row in settings["sweep"]]
        assert tried == [
            (sigma, momentum, *decays) for sigma, momentum, decays in product(SIGMAS, MOMENTA, DECAYS)
        ]
        best = max(settings["sweep"], key=tuning_score)
        assert settings["setting"].items() <= best.items()
        unfinished = [row["psnr_20"] for row in settings["sweep"] if row["psnr_last"] is None]
        assert max(unfinished, default=0) <= tuning_score(best)


def test_distilled_gains_on_held_out_images(other):
    images = other.test_images[:6]
    curves = {
        kind: psnr_curves(other, Method(other, kind).tuned_solver(), images, other.student, 20)
        for kind in ("none", "distilled")
    }
    assert curves["distilled"][-1].mean() > curves["none"][-1].mean() + 1.5
    assert curves["distilled"][4].mean() > curves["none"].mean(dim=1).max()


def test_solver_runs_on_the_other_tasks(other):
    truth = other.test_images[:1]
    x = load_solver(other.name, max_iter=2, task=other)(other.measure(truth), other.student)
    assert x.shape == truth.shape
    assert torch.isfinite(x).all()
