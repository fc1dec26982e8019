"""Downsampling of a frame: measurements as the periodic operator's inside, exact maps, and no harm at the border."""

import pickle

import pytest
import torch

from ddgp_lib import load_task
from ddgp_lib.data import load_faces
from ddgp_lib.operators import (
    FILTERS,
    FourierDownsampling,
    FramedDownsampling,
    measure,
    newton,
    null_projection,
    range_projection,
)
from ddgp_lib.preconditioners import Newton
from ddgp_lib.solvers import PreconditionedPGD


@pytest.fixture
def x(generator):
    return torch.randn(2, 1, 32, 40, generator=generator)


@pytest.fixture(params=FILTERS)
def physics(request):
    return FramedDownsampling(2, (1, 32, 40), request.param)


def test_inside_it_measures_what_the_periodic_operator_does(physics, x, request):
    filter = request.node.callspec.params["physics"]
    whole = FourierDownsampling(2, (1, 32, 40), filter).A(x)
    rows, columns = (slice(kept.start // 2, kept.stop // 2) for kept in physics.kept)
    torch.testing.assert_close(physics.A(x), whole[..., rows, columns])


def test_a_pixel_beyond_the_reach_of_every_measurement_changes_nothing():
    physics = FramedDownsampling(
        4, (1, 64, 64), std=2.0
    )  # taps reach 7 pixels; the first measurement is at 8
    x = torch.zeros(1, 1, 64, 64)
    x[..., 0, :] = x[..., :, 0] = 1
    assert physics.A(x).abs().max() == 0
    torch.testing.assert_close(null_projection(physics, x), x)


def test_adjoint_and_pseudo_inverse(physics, x, generator):
    y = torch.randn(2, 1, *physics.sides["y"], generator=generator)
    torch.testing.assert_close(
        (physics.A(x) * y).sum(), (x * physics.A_adjoint(y)).sum(), rtol=1e-4, atol=1e-4
    )
    projected = range_projection(physics, x)
    torch.testing.assert_close(physics.A_dagger(physics.A(x)), projected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(range_projection(physics, projected), projected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(physics.A(projected), physics.A(x), rtol=1e-4, atol=1e-4)


def test_newton_step_solves_its_equation(physics, x):
    u = newton(physics, x, 0.01)
    torch.testing.assert_close(
        physics.A_adjoint_A(u) / physics.squared_norm + 0.01 * u, x, rtol=1e-3, atol=1e-3
    )


def test_squared_norm_is_the_largest_eigenvalue(physics):
    width = 32 * 40
    A = physics.A(torch.eye(width).reshape(width, 1, 32, 40)).flatten(1).double()
    assert physics.squared_norm == pytest.approx(float(torch.linalg.matrix_norm(A, 2)) ** 2, rel=1e-5)


def test_it_can_be_pickled_and_is_double_when_asked(physics, x):
    again = pickle.loads(pickle.dumps(physics))
    assert torch.equal(again.A(x), physics.A(x))
    assert physics.double().A(x.double()).dtype == torch.float64


def test_a_frame_smaller_than_the_filter_is_refused():
    with pytest.raises(
        ValueError, match=r"img_size=\(1, 16, 16\): expected sides above the filter's 29 pixels"
    ):
        FramedDownsampling(4, (1, 16, 16), std=4.0)


def test_what_lies_beyond_the_border_does_no_harm():
    """A periodic model of the same measurements is off by what the blur gathers beyond the border."""
    scenes = load_faces(88).test[:4]
    framed = FramedDownsampling(4, (1, 88, 88), std=4.0, noise=0.001, rtol=0.03)
    y = measure(framed, scenes, seed=0)
    periodic = FourierDownsampling(4, (1, 60, 60), std=4.0, noise=0.001, rtol=0.03)

    def newton_psnr(physics, first):
        x = newton(physics, physics.A_adjoint(y), 1e-3) / physics.squared_norm
        inside = slice(first, first + 40)
        return -10 * (x[..., inside, inside] - scenes[..., 26:66, 26:66]).square().mean().log10()

    assert framed.kept[0] == slice(16, 76)
    assert newton_psnr(framed, 26) > newton_psnr(periodic, 10) + 3


def test_the_camera_has_a_framed_form():
    task = load_task("super_resolution", framed=True)
    assert task.img_size == (1, 88, 88)
    assert isinstance(task.student, FramedDownsampling)
    assert isinstance(task.teacher, FramedDownsampling)
    solver = PreconditionedPGD(task.denoiser, Newton(1e-3), stepsize=task.stepsize, sigma=0.02, max_iter=3)
    truth = task.test_images[:2]
    x = solver(task.measure(truth), task.student)
    mask = task.region(truth)
    rows, columns = task.student.kept
    assert task.region_name == "region"
    assert mask[..., rows, columns].all()
    assert int(mask.sum()) == 2 * (rows.stop - rows.start) * (columns.stop - columns.start)
    assert (task.psnr(x, truth, within=mask) > 20).all()
    assert load_task("super_resolution").region(truth) is None
