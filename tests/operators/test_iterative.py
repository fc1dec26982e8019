"""What is found of an operator by products with it: the norm, kept while it holds; the projector, or a warning."""

import warnings

import pytest
import torch
from deepinv.physics import Decolorize, Downsampling, Inpainting, LinearPhysics, SinglePixelCamera
from deepinv.utils import TensorList

from ddgp_lib.operators import HadamardCamera, newton, norms, null_projection, range_projection, squared_norm
from ddgp_lib.operators.iterative import PROJECTION_STEPS
from ddgp_lib.operators.known import found_once

SIZE = (1, 8, 8)


def of_matrix(matrix):
    """Return the operator of a matrix (m, 64), and a list that grows with each measurement."""
    calls = []

    def forward(x, **_):
        calls.append(len(x))
        return x.flatten(1) @ matrix.T

    return LinearPhysics(A=forward, A_adjoint=lambda y, **_: (y @ matrix).reshape(-1, *SIZE)), calls


def with_values(values, generator):
    """Return a matrix with these singular values, and its right singular vectors as rows."""
    left = torch.linalg.qr(torch.randn(len(values), len(values), generator=generator, dtype=torch.float64))[0]
    right = torch.linalg.qr(torch.randn(64, 64, generator=generator, dtype=torch.float64))[0][: len(values)]
    return left @ torch.diag(values.double()) @ right, right


def test_the_norm_of_an_operator_that_registers_its_tensors_anew_is_found_once():
    physics = Downsampling((1, 16, 16), "gaussian", 4)
    first = squared_norm(physics, (1, 16, 16))
    applied, measure_once = [], physics.A
    physics.A = lambda x, **kwargs: applied.append(1) or measure_once(x, **kwargs)
    measure_once(torch.ones(1, 1, 16, 16))
    assert squared_norm(physics, (1, 16, 16)) == first
    assert not applied
    physics.filter.mul_(2)
    assert squared_norm(physics, (1, 16, 16)) == pytest.approx(4 * first, rel=1e-4)


@pytest.mark.parametrize("place", ["meta", torch.float64])
def test_what_was_found_is_found_anew_where_the_tensors_move(place):
    physics, found = Inpainting(SIZE, mask=torch.ones(SIZE)), []
    for _ in range(2):
        found_once(physics, "name", SIZE, lambda: found.append(1))
        physics = physics.to(place)
    assert len(found) == 2


def test_the_norm_follows_a_mask_that_is_set_at_call_time():
    physics = Inpainting(SIZE, mask=torch.ones(SIZE))
    x = torch.ones(1, *SIZE)
    assert squared_norm(physics, SIZE) == 1.0
    physics.A(x, mask=3 * torch.ones(SIZE))
    assert squared_norm(physics, SIZE) == pytest.approx(9.0)
    assert range_projection(physics, x).equal(x)


@pytest.mark.parametrize("scale", [1.0, 0.01, 1e-3, 1e4])
def test_the_projector_does_not_depend_on_the_scale_of_the_operator(scale, generator):
    matrix, rows = with_values(torch.linspace(0.05, 1, 30), generator)
    physics, _ = of_matrix((scale * matrix).float())
    x = torch.randn(3, *SIZE, generator=generator)
    expected = (x.flatten(1).double() @ rows.T @ rows).float().reshape_as(x)
    torch.testing.assert_close(range_projection(physics, x), expected, atol=1e-4, rtol=1e-4)


def test_images_of_any_size_are_projected_alike_and_alone(generator):
    matrix, _ = with_values(torch.linspace(0.05, 1, 30), generator)
    physics, _ = of_matrix(matrix.float())
    x = torch.randn(3, *SIZE, generator=generator)
    together = range_projection(physics, torch.cat([x[:1], 1e6 * x[1:2], 0 * x[2:]]))
    torch.testing.assert_close(together[:1], range_projection(physics, x[:1]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together[1:2] / 1e6, range_projection(physics, x[1:2]), atol=1e-4, rtol=1e-4)
    assert not together[2].any()


def test_the_projector_is_its_own_derivative(generator):
    matrix, _ = with_values(torch.linspace(0.05, 1, 30), generator)
    physics, _ = of_matrix(matrix.float())
    x, v = torch.randn(2, 2, *SIZE, generator=generator)
    x.requires_grad_()
    (range_projection(physics, x) * v).sum().backward()
    torch.testing.assert_close(x.grad, range_projection(physics, v))
    tangent = torch.func.jvp(lambda u: null_projection(physics, u), (x.detach(),), (v,))[1]
    torch.testing.assert_close(tangent, null_projection(physics, v))


def test_a_projection_that_does_not_converge_warns_of_what_is_left_out(generator):
    matrix, _ = with_values(torch.linspace(0.05, 1, 30), generator)
    physics, calls = of_matrix(matrix.float())
    wrong = LinearPhysics(A=physics.A, A_adjoint=lambda y, **_: physics.A_adjoint(y.roll(1, 1)))
    x = torch.randn(2, *SIZE, generator=generator)
    with pytest.warns(RuntimeWarning, match=r"range_projection of LinearPhysics.*is left out, above 0\.001"):
        range_projection(wrong, x)
    assert len(calls) <= 2 * PROJECTION_STEPS + 1100  # those of ‖A‖²
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        range_projection(physics, x)


@pytest.mark.parametrize(
    ("physics", "size", "closed"),
    [
        (SinglePixelCamera(16, SIZE), SIZE, True),
        (SinglePixelCamera(16, SIZE, fast=False), SIZE, False),
        (Decolorize(), (3, 8, 8), False),
        (Inpainting(SIZE, mask=0.5), SIZE, True),
    ],
)
def test_singular_values_are_used_only_where_they_are_singular_values(physics, size, closed, generator):
    x = torch.randn(2, *size, generator=generator)
    newton(physics, x, 0.1)
    measured, adjoint = [], physics.A_adjoint_A
    physics.A_adjoint_A = lambda v, **_: measured.append(1) or adjoint(v)
    step, top = newton(physics, x, 0.1), squared_norm(physics, size)
    assert (not measured) == closed
    residual = adjoint(step) / top + 0.1 * step - x
    assert (norms(residual) < 1e-5 * norms(x)).all()


def test_a_norm_in_double_precision(generator):
    matrix, _ = with_values(torch.linspace(0.05, 2, 30), generator)
    physics, _ = of_matrix(matrix)
    assert squared_norm(physics, SIZE) == pytest.approx(4.0, rel=1e-4)
    assert newton(physics, torch.ones(1, *SIZE, dtype=torch.float64), 0.1).dtype == torch.float64
    camera = HadamardCamera(0.5, SIZE).double()
    assert squared_norm(camera, SIZE) == 1.0


def test_an_operator_of_complex_images(generator):
    matrix = torch.randn(30, 64, 2, generator=generator)
    matrix = torch.view_as_complex(matrix)
    physics = LinearPhysics(
        A=lambda x, **_: x.flatten(1) @ matrix.T,
        A_adjoint=lambda y, **_: (y @ matrix.conj()).reshape(-1, *SIZE),
    )
    x = torch.randn(2, *SIZE, dtype=torch.complex64, generator=generator)
    assert squared_norm(physics, SIZE) == pytest.approx(
        float(torch.linalg.matrix_norm(matrix, 2)) ** 2, rel=1e-3
    )
    expected = (x.flatten(1) @ (torch.linalg.pinv(matrix) @ matrix).T).reshape_as(x)
    torch.testing.assert_close(range_projection(physics, x), expected, atol=1e-4, rtol=1e-4)
    step, top = newton(physics, x, 0.1), squared_norm(physics, SIZE)
    assert (norms(physics.A_adjoint_A(step) / top + 0.1 * step - x) < 1e-5 * norms(x)).all()


def test_an_operator_that_is_zero():
    physics = LinearPhysics(A=lambda x, **_: 0 * x, A_adjoint=lambda y, **_: 0 * y)
    x = torch.ones(1, *SIZE)
    assert squared_norm(physics, SIZE) == 0.0
    assert not range_projection(physics, x).any()
    with pytest.raises(ValueError, match=r"physics='LinearPhysics'.*not zero"):
        newton(physics, x, 0.1)


def test_the_norm_of_stacked_measurements_is_that_of_all_of_them():
    y = TensorList([torch.full((2, 3), 2.0), torch.full((2, 1, 4), 1.0)])
    torch.testing.assert_close(norms(y), torch.full((2,), 4.0))
