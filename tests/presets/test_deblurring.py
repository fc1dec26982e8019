"""Deblurring: the path of a camera, the kernels of two exposures, and what ships for them."""

import pytest
import torch

import ddgp_lib
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.checks import check_adjoint, check_preconditioner, check_projector, check_stepsize
from ddgp_lib.data import Split
from ddgp_lib.experiments.tuning import validation_psnr
from ddgp_lib.operators import newton, norms, null_projection, squared_norm
from ddgp_lib.presets.deblurring import PRESET, exposed, shaken_path
from ddgp_lib.pretrained import load_tuning

SHAPE = (2, 1, 64, 64)
RTOL = 0.3


@pytest.fixture(scope="module")
def task():
    return ddgp_lib.load_task("deblurring")


def test_a_path_has_its_length_and_constant_speed():
    steps = shaken_path(15.0, seed=0).diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, torch.full_like(steps, 15.0 / 2000))


def test_another_seed_is_another_shake():
    assert (shaken_path(15.0, seed=0) - shaken_path(15.0, seed=1)).norm() > 1


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_kernel_counts_time_in_pixels(seed, share):
    path = shaken_path(15.0, seed)
    kernel = exposed(path, share)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert not torch.cat([kernel[0], kernel[-1], kernel[:, 0], kernel[:, -1]]).any()  # nothing is cut off
    kept = path[(len(path) - round(share * len(path))) // 2 :][: round(share * len(path))]
    steps = torch.arange(len(kernel), dtype=torch.float64)
    weights = kernel.double()
    for axis in (0, 1):  # neighbours share a position so that the mean stays where it was
        mean = (weights.sum(dim=1 - axis) * steps).sum() - len(kernel) // 2
        middle = (kept[:, axis].min() + kept[:, axis].max()) / 2
        assert float(mean) == pytest.approx(float(kept[:, axis].mean() - middle), abs=1e-5)


def test_the_camera_is_the_mean_over_its_path(task, generator):
    """A periodic convolution, written as the sum of shifted images that it is."""
    x = torch.rand(SHAPE, generator=generator)
    kernel = exposed(shaken_path(15.0, seed=0))
    half = len(kernel) // 2
    by_hand = sum(
        kernel[i, j] * x.roll((i - half, j - half), (-2, -1))
        for i in range(len(kernel))
        for j in range(len(kernel))
    )
    torch.testing.assert_close(task.student.A(x), by_hand, rtol=0, atol=1e-5)


def test_operators_are_what_the_solvers_take_them_for(task):
    for physics in (task.student, task.teacher):
        check_adjoint(physics, SHAPE)
        check_stepsize(1 / squared_norm(physics, task.img_size), physics, SHAPE)
        check_projector(lambda x, A=physics: A.range_projection(x), SHAPE)
        assert squared_norm(physics, task.img_size) == pytest.approx(1, abs=1e-5)


def test_what_is_hidden_is_weak(task, generator):
    x = torch.randn(SHAPE, generator=generator)
    hidden = null_projection(task.student, x)
    assert (norms(task.student.A(hidden)) <= RTOL * norms(hidden)).all()
    seen = x - hidden
    assert (norms(task.student.A(seen)) >= RTOL * norms(seen)).all()


def test_a_shorter_exposure_sees_more(task):
    counts = [
        int((physics.mask.abs() >= RTOL).sum()) / physics.mask.numel()
        for physics in (task.student, task.teacher)
    ]
    assert counts[1] > 2.5 * counts[0]
    assert task.teacher.mask.abs().min() > 3 * task.student.mask.abs().min()


def test_newton_is_the_exact_proximal_step(task, generator):
    """Since ‖A‖ = 1, z − R_λ ∇g(z) minimises ½‖A u − y‖² + λ/2 ‖u − z‖²: half-quadratic splitting's data step."""
    z, y = (torch.randn(SHAPE, generator=generator) for _ in range(2))
    A, damping = task.student, 0.03
    u = z - newton(A, A.A_adjoint(A.A(z) - y), damping)
    optimal = A.A_adjoint(A.A(u) - y) + damping * (u - z)
    assert (norms(optimal) < 1e-5 * norms(A.A_adjoint(y))).all()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"length": 0.0}, "length"),
        ({"teacher_exposure": 0.0}, "teacher_exposure"),
        ({"teacher_exposure": 1.2}, "teacher_exposure"),
        ({"noise": -0.1}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"rtol": 1.0}, "rtol"),
        ({"size": 64, "images": Split(*[torch.rand(2, 1, 32, 32)] * 3)}, "images.train.shape"),
    ],
)
def test_options_outside_what_is_accepted_are_named(options, named):
    with pytest.raises(ValueError, match=rf"^{named}="):
        ddgp_lib.load_task("deblurring", **options)


def test_other_images_make_another_task():
    images = Split(*(torch.rand(n, 1, 32, 32) for n in (5, 3, 2)))
    task = ddgp_lib.load_task("deblurring", images=images, length=7.0, noise=0.02)
    assert task.img_size == (1, 32, 32)
    assert float(task.student.noise_model.sigma) == pytest.approx(0.02)
    assert task.preset is PRESET


def test_every_condition_can_be_measured(task):
    for options in PRESET.conditions.values():
        changed = ddgp_lib.load_task("deblurring", **options)
        assert torch.isfinite(changed.measure(task.test_images[:1])).all()


def test_weights_carry_their_recipe_and_do_what_they_claim(task):
    path = PRESET.path("distilled")
    _, description = load_checkpoint(path, kind="distilled", task="deblurring")
    recipe = PRESET.recipes["distilled"]
    assert type(recipe)(**description["recipe"]) == recipe
    assert path.stat().st_size < 1_000_000
    P = ddgp_lib.load_preconditioner(task)
    check_preconditioner(P, task.student, SHAPE)
    claimed = description["metrics"]["validation_psnr"]
    measured = validation_psnr(task, P, recipe)
    assert all(claimed[k] == pytest.approx(value, abs=0.05) for k, value in measured.items())


def test_settings_were_tuned_for_every_kind():
    assert tuple(load_tuning("deblurring")) == PRESET.kinds == ("none", "newton", "distilled", "teacher")


def test_student_and_teacher_have_generators_of_neighbouring_seeds():
    task = ddgp_lib.load_task("deblurring", seed=5)
    for physics, seed in ((task.student, 5), (task.teacher, 6)):
        assert physics.noise_model.rng.initial_seed() == seed
