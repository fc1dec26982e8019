"""Evaluation: each curve is its formula; shipped methods do what the documentation says."""

from dataclasses import replace

import pytest
import torch
from deepinv.loss.metric import PSNR

from ddgp_lib import Identity, PreconditionedFISTA, evaluate, load_preconditioner, load_solver
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.evaluation import psnr_and_rejected, task_solver
from ddgp_lib.experiments import validation_psnr
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.presets import PRESETS

KINDS = ("distilled", "distilled_gradient_only", "distilled_linear")


@pytest.fixture(scope="module")
def traces(task):
    """60 iterations of every shipped method on 32 held-out digits."""
    physics = {"teacher": task.teacher}
    return {
        kind: evaluate(
            task,
            load_solver("single_pixel", kind),
            images=task.test_images[:32],
            physics=physics.get(kind, task.student),
            max_iter=60,
        )
        for kind in PRESETS["single_pixel"].kinds
    }


def test_curves_are_their_formulas(task):
    truth = task.test_images[:3]
    trace = evaluate(task, images=truth, max_iter=4, seed=5)
    y = task.measure(truth, seed=5)
    iterates = list(
        PreconditionedFISTA(task.denoiser, stepsize=task.stepsize, sigma=task.sigma).iterates(
            y, task.student, 4
        )
    )
    x, z = iterates[4][0], iterates[3][1]
    norm = truth.flatten(1).norm(dim=1)
    torch.testing.assert_close(trace.estimate, x)
    torch.testing.assert_close(trace.psnr[3], PSNR(max_pixel=1)(x, truth))
    residual = (task.student.A(x) - y).flatten(1).norm(dim=1) / y.flatten(1).norm(dim=1)
    torch.testing.assert_close(trace.residual[3], residual)
    torch.testing.assert_close(
        trace.fixed_point[3], (x - z).flatten(1).norm(dim=1) / z.flatten(1).norm(dim=1)
    )
    total = (trace.range_error[3] ** 2 + trace.null_error[3] ** 2).sqrt() * norm
    torch.testing.assert_close(total, (x - truth).flatten(1).norm(dim=1), rtol=1e-4, atol=1e-4)
    assert trace.iterations == [1, 2, 3, 4]
    assert trace.seconds > 0


def test_the_first_test_images_are_taken_where_nothing_is_said(own):
    task = own.load()
    many = replace(task, test_images=task.test_images.repeat(9, 1, 1, 1))
    found = evaluate(many, max_iter=1)
    assert found.psnr.shape == (1, 200)
    torch.testing.assert_close(found.psnr, evaluate(many, images=many.test_images[:200], max_iter=1).psnr)


def test_identity_changes_nothing(task):
    images = task.test_images[:4]
    plain, identity = (evaluate(task, method, images=images, max_iter=5) for method in (None, Identity()))
    torch.testing.assert_close(plain.psnr, identity.psnr, rtol=0, atol=0)


def test_batches_change_no_curve_and_no_count(task):
    def wild(grad, state):
        return grad - 50 * state.z

    images = task.test_images[:3]
    for P, rejected in ((wild, 3), (Identity(), 0)):
        solver = PreconditionedFISTA(task.denoiser, P, stepsize=1.0, sigma=0.1, safeguard=True)
        whole, count = psnr_and_rejected(task, solver, images, task.student, 4)
        parts, counts = psnr_and_rejected(task, solver, images, task.student, 4, batch_size=2)
        torch.testing.assert_close(parts, whole)
        assert count == counts == rejected
    assert psnr_and_rejected(task, task_solver(task), images, task.student, 1, batch_size=2)[1] is None


def test_same_seed_same_bits(task):
    images = task.test_images[:4]
    first, second = (
        evaluate(task, load_preconditioner("single_pixel"), images=images, max_iter=5) for _ in range(2)
    )
    torch.testing.assert_close(first.estimate, second.estimate, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "gain"), [("distilled", 3.0), ("distilled_gradient_only", 1.5), ("distilled_linear", 1.0)]
)
def test_gain_over_the_tuned_baseline_at_20_iterations(traces, kind, gain):
    assert traces[kind].psnr[19].mean() > traces["none"].psnr[19].mean() + gain


@pytest.mark.parametrize("kind", PRESETS["single_pixel"].kinds)
def test_methods_keep_their_best(traces, kind):
    curve = traces[kind].psnr.mean(dim=1)
    assert curve[-1] > curve.max() - 0.3
    assert torch.isfinite(traces[kind].psnr).all()


def test_teacher_is_an_upper_bound(traces):
    assert all(traces["teacher"].psnr[19].mean() > traces[kind].psnr[19].mean() for kind in ("none", *KINDS))


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_preconditioner_keeps_the_data_step(task, kind, generator):
    from ddgp_lib import State

    preconditioner = load_preconditioner("single_pixel", kind)
    z, grad = torch.rand(2, 3, 1, 32, 32, generator=generator)
    direction = preconditioner(grad, State(z, 0, task.student, task.student.A(z)))
    torch.testing.assert_close(task.student.A(direction), task.student.A(grad), atol=1e-5, rtol=1e-5)
    assert (direction - grad).norm() > 0.01 * grad.norm()


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_weights_do_what_they_claim(task, kind):
    _, description = load_checkpoint(task.preset.path(kind), kind=kind)
    recipe = task.preset.recipes[kind]
    measured = validation_psnr(task, load_preconditioner("single_pixel", kind), recipe)
    claimed = description["metrics"]["validation_psnr"]
    assert all(claimed[k] == pytest.approx(value, abs=0.02) for k, value in measured.items())


def test_load_solver_reconstructs(task):
    x = load_solver("single_pixel", max_iter=3)(task.measure(task.test_images[:2]), task.student)
    assert x.shape == (2, 1, 32, 32)


def test_bad_arguments_are_named(task):
    with pytest.raises(ValueError, match="kind='best'"):
        load_solver("single_pixel", "best")
    with pytest.raises(ValueError, match="source='ct'"):
        load_solver("ct")
    with pytest.raises(ValueError, match=r"images\.shape"):
        evaluate(task, images=torch.rand(2, 3, 32, 32), max_iter=1)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"images": 255 * torch.ones(1, 1, 32, 32)}, "images='values from 255.*the scale"),
        ({"images": -torch.ones(1, 1, 32, 32)}, "images='values from -1"),
        ({"images": torch.ones(1, 1, 16, 16)}, r"images\.shape=\(1, 1, 16, 16\)"),
        ({"images": torch.ones(1, 1, 32, 32, dtype=torch.uint8)}, r"images\.dtype"),
        ({"images": torch.ones(0, 1, 32, 32)}, r"images\.shape"),
        ({"images": torch.full((1, 1, 32, 32), float("nan"))}, "images="),
        ({"images": [0.5]}, "images="),
        ({"max_iter": 0}, "max_iter=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_input_is_named_at_each_door(task, changes, named):
    given = {"images": task.test_images[:1], "max_iter": 1, "seed": 0} | changes
    with pytest.raises(ValueError, match=named):
        evaluate(task, **given)
    with pytest.raises(ValueError, match=named):
        psnr_and_rejected(task, task_solver(task), physics=task.student, **given)


def test_a_black_image_has_finite_errors_and_changes_no_other(task):
    images = torch.cat([task.test_images[:2], torch.zeros(1, 1, 32, 32)])
    trace, alone = (evaluate(task, images=part, max_iter=2) for part in (images, images[2:]))
    for name in ("residual", "range_error", "null_error", "fixed_point", "psnr"):
        assert getattr(trace, name).isfinite().all()
    error = torch.stack([trace.range_error[-1, 2], trace.null_error[-1, 2]]).norm()
    torch.testing.assert_close(error, trace.estimate[2].norm(), rtol=1e-4, atol=1e-6)
    silent = replace(task, student=HadamardCamera(0.1, (1, 32, 32)))
    assert evaluate(silent, images=images[2:], max_iter=1).residual.isfinite().all()
    assert alone.psnr.shape == (2, 1)


def test_images_that_need_gradients_are_evaluated_without(task):
    trace = evaluate(task, images=task.test_images[:1].clone().requires_grad_(), max_iter=1)
    assert not any(tensor.requires_grad for tensor in (trace.psnr, trace.residual, trace.estimate))


def test_a_region_is_measured_beside_the_image(own):
    task = own.load()
    half = torch.zeros(3, 1, 16, 16, dtype=torch.bool)
    half[..., :8] = True
    inside = replace(task, preset=replace(task.preset, region=lambda truth: half))
    truth = task.test_images[:3]
    plain, found = (evaluate(each, images=truth, max_iter=2) for each in (task, inside))
    for name in ("psnr", "ssim"):
        whole, region = getattr(found, name), getattr(found, f"region_{name}")
        torch.testing.assert_close(whole, getattr(plain, name), rtol=0, atol=0)
        torch.testing.assert_close(getattr(plain, f"region_{name}"), whole, rtol=0, atol=0)
        torch.testing.assert_close(region[-1], getattr(task, name)(found.estimate, truth, within=half))
        assert (region[-1] - whole[-1]).abs().min() > 1e-4


def test_a_region_that_is_no_mask_is_refused(own):
    task = own.load()
    for region, message in (
        (lambda truth: truth, r"region\.dtype=torch.float32: expected None, or a tensor of bool"),
        (lambda truth: truth[:, :, 1:] > 0, r"region\.shape=\(2, 1, 15, 16\)"),
        (lambda truth: truth > 2, "region=.*: expected one pixel at least in each image"),
    ):
        other = replace(task, preset=replace(task.preset, region=region))
        with pytest.raises(ValueError, match=message):
            evaluate(other, images=task.test_images[:2], max_iter=1)
    with pytest.raises(ValueError, match="region=3: expected None, or a function"):
        replace(task.preset, region=3)


def test_the_best_iteration_that_is_shown_is_finite(task):
    trace = evaluate(task, images=task.test_images[:2], max_iter=3)
    trace.psnr[2] = float("nan")
    best = int(trace.psnr[:2].mean(dim=1).argmax()) + 1
    assert f"at k = {best}" in repr(trace)
