"""The book's problems and solvers are judged by deepinv's own test function, as its benchmark suite does."""

import deepinv
import pytest
import torch
from deepinv.physics import MRI, Downsampling, GaussianNoise
from torch.utils.data import DataLoader

from ddgp_lib import evaluate, load_solver
from ddgp_lib.experiments.suite import SuiteSolver, problem


def judged(solver, found):
    """Return the mean PSNR that deepinv's test gives a solver on a problem."""
    result = deepinv.test(
        solver,
        DataLoader(found["dataset"], batch_size=8),
        found["physics"],
        online_measurements=True,
        metrics=deepinv.loss.metric.PSNR(),
        device="cpu",
        compare_no_learning=False,
        verbose=False,
        show_progress_bar=False,
    )
    return result["PSNR"]


@pytest.mark.parametrize("name", ["single_pixel", "super_resolution"])
def test_deepinv_finds_the_psnr_that_we_find(name, loaded):
    task = loaded(name)
    found = problem(task, 8)
    assert len(found["dataset"]) == 8
    expected = evaluate(task, load_solver(task), images=task.test_images[:8], max_iter=20).psnr[-1].mean()
    for solver in (load_solver(task), SuiteSolver(task)):
        assert judged(solver, found) == pytest.approx(float(expected), abs=0.4)  # the noise is another


def test_images_that_are_not_counted_are_those_of_the_preset(loaded):
    assert len(problem(loaded("mri"))["dataset"]) == min(
        loaded("mri").preset.counts.evaluation, len(loaded("mri").test_images)
    )


def noise(level):
    return GaussianNoise(level, rng=torch.Generator().manual_seed(0))


def test_a_scanner_of_deepinvs_own_gives_the_images_of_ours(loaded):
    task = loaded("mri")
    truth = task.test_images[:2]
    mask = task.student.columns.float().expand(1, 2, *task.img_size[1:])
    scanner = MRI(mask=mask, img_size=task.img_size, noise_model=noise(0.01))
    with torch.no_grad():
        found = SuiteSolver(task)(scanner(truth), scanner)
    ours = evaluate(task, load_solver(task), images=truth, max_iter=20).psnr[-1].mean()
    assert float(task.psnr(found, truth).mean()) == pytest.approx(float(ours), abs=0.2)


def test_the_step_suits_an_operator_of_another_norm(loaded):
    task = loaded("super_resolution")
    truth = task.test_images[:2]
    camera = Downsampling(img_size=task.img_size, filter="gaussian", factor=4, padding="circular")
    doubled = Downsampling(img_size=task.img_size, filter="gaussian", factor=4, padding="circular")
    doubled.filter = 2 * camera.filter
    with torch.no_grad():
        once, twice = (SuiteSolver(task, "none", 5)(physics(truth), physics) for physics in (camera, doubled))
    assert torch.isfinite(twice).all()
    torch.testing.assert_close(once, twice, rtol=1e-2, atol=1e-2)


def test_wrong_options_are_named_at_once(loaded):
    with pytest.raises(ValueError, match="max_iter=0"):
        SuiteSolver(loaded("single_pixel"), max_iter=0)
    with pytest.raises(ValueError, match="kind='best': expected one of"):
        SuiteSolver(loaded("single_pixel"), "best")
    with pytest.raises(ValueError, match="count=0"):
        problem(loaded("single_pixel"), 0)
