"""CGLS: least misfit among all combinations of gradients, image by image, and where it stops."""

import pytest
import torch

from ddgp_lib.operators import FourierDownsampling, HadamardCamera, MultiCoilCartesianMRI, normal, norms
from ddgp_lib.preconditioners import Identity
from ddgp_lib.solvers import cgls, descend

SHAPE = (2, 16, 16)


@pytest.fixture
def problem(generator):
    physics = MultiCoilCartesianMRI(4, SHAPE, coils=3)
    return physics, physics.A(torch.rand(2, *SHAPE, generator=generator))


def misfits(physics, y, path):
    return torch.stack([norms(physics.A(z) - y) for z in path])


def test_each_step_has_the_least_misfit_that_its_gradients_allow(problem):
    physics, y = problem
    start = physics.A_adjoint(y)
    basis = [physics.A_adjoint(y - physics.A(start))]
    for k, z in enumerate(cgls(physics, y, 4), 1):
        for i in range(2):
            columns = torch.stack([physics.A(v)[i].flatten().double() for v in basis], dim=1)
            right = (y - physics.A(start))[i].flatten().double()
            weights = torch.linalg.lstsq(columns, right[:, None]).solution
            least = (right[:, None] - columns @ weights).norm()
            assert float(norms(physics.A(z) - y)[i]) == pytest.approx(float(least), rel=1e-3), (k, i)
        basis.append(normal(physics, basis[-1]))


def test_it_is_never_behind_momentum_or_plain_steps(problem):
    physics, y = problem
    best = misfits(physics, y, cgls(physics, y, 30))
    for momentum in ("none", "chambolle_dossal"):
        other = misfits(physics, y, descend(physics, y, Identity(), 30, momentum))
        assert (best <= 1.001 * other).all()
    assert (best[1:] <= 1.0001 * best[:-1]).all()


def test_images_do_not_disturb_each_other(problem):
    physics, y = problem
    together = list(cgls(physics, y, 5))[-1]
    alone = list(cgls(physics, y[:1], 5))[-1]
    torch.testing.assert_close(together[:1], alone)


def test_it_stays_where_there_is_no_gradient(generator):
    camera = HadamardCamera(0.5, (1, 8, 8))
    y = camera.A(torch.rand(2, 1, 8, 8, generator=generator))
    for z in cgls(camera, y, 3):
        torch.testing.assert_close(z, camera.A_adjoint(y), atol=1e-5, rtol=0)
    zero = torch.zeros(1, 1, 8, 8)
    assert all(torch.equal(z, zero) for z in cgls(camera, camera.A(zero), 3))


def test_it_starts_where_it_is_told_and_keeps_to_the_range(generator):
    physics = FourierDownsampling(2, (1, 16, 16), std=1.0)
    y = physics.A(torch.rand(1, 1, 16, 16, generator=generator))
    *_, z = cgls(physics, y, 60, start=torch.zeros(1, 1, 16, 16))
    torch.testing.assert_close(z, physics.A_dagger(y), atol=1e-2, rtol=0)
    assert list(cgls(physics, y, 0)) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": -1}, "steps=-1"),
        ({"start": torch.zeros(1, 1, 4, 4)}, r"start\.shape"),
        ({"y": torch.zeros(2, 1, 3, 3)}, r"y\.shape"),
        ({"y": "data"}, "y='data'"),
    ],
)
def test_bad_arguments_are_named(problem, changes, named):
    physics, y = problem
    with pytest.raises(ValueError, match=named):
        list(cgls(physics, **({"y": y, "steps": 2} | changes)))
