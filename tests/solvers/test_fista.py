"""PnP-FISTA: equal to deepinv's without a preconditioner; honest about what it is given."""

import pytest
import torch
from deepinv.models import DnCNN
from deepinv.optim import FISTA, PnP
from deepinv.optim.data_fidelity import L2
from deepinv.physics import MRI, Downsampling

from ddgp_lib import (
    Identity,
    LearnedPreconditioner,
    PreconditionedFISTA,
    PreconditionedPGD,
    Preconditioner,
    State,
)
from ddgp_lib.networks import build_network
from ddgp_lib.operators import HadamardCamera, MultiCoilCartesianMRI
from ddgp_lib.solvers import MOMENTUM


def _single_pixel():
    return HadamardCamera(0.2, (1, 16, 16)), (1, 16, 16)


def _mri():
    mask = (torch.arange(16) % 3 == 0).float().expand(2, 16, 16).clone()
    return MRI(mask=mask, img_size=(2, 16, 16)), (2, 16, 16)


def _super_resolution():
    return Downsampling(img_size=(1, 16, 16), factor=4, filter="gaussian"), (1, 16, 16)


PHYSICS = {"single_pixel": _single_pixel, "mri": _mri, "super_resolution": _super_resolution}


@pytest.fixture(params=PHYSICS)
def problem(request):
    torch.manual_seed(0)
    physics, shape = PHYSICS[request.param]()
    denoiser = DnCNN(shape[0], shape[0], depth=3, nf=8, pretrained=None).eval()
    return physics, physics.A(torch.rand(2, *shape)), denoiser


class Doubled(Preconditioner):
    """P(g) = 2 g."""

    def forward(self, grad, state):
        return 2 * grad


def test_decay_fades_the_denoiser_and_the_preconditioner(problem):
    physics, y, denoiser = problem
    options = {"stepsize": 0.1, "sigma": 0.05, "momentum": "none", "prior_decay": 2}
    solver = PreconditionedFISTA(denoiser, Doubled(), **options)
    x = z = physics.A_adjoint(y)
    with torch.no_grad():
        for k in range(6):
            weight = min(1, (2 / (k + 1)) ** 2)
            u = z - 0.1 * (1 + weight) * physics.A_adjoint(physics.A(z) - y)
            x = z = u + weight * (denoiser(u, 0.05) - u)
    *_, (last, _) = solver.iterates(y, physics, 6)
    torch.testing.assert_close(last, x)


def test_iterates_leave_gradients_to_the_caller(problem):
    physics, y, denoiser = problem
    solver = PreconditionedFISTA(denoiser, stepsize=0.1, sigma=0.05)
    for x, _ in solver.iterates(y, physics, 2):
        assert not x.requires_grad
        assert torch.is_grad_enabled()


def test_update_decay_fades_the_whole_iteration(problem):
    physics, y, denoiser = problem
    options = {"stepsize": 0.1, "sigma": 0.05, "update_decay": 2}
    solver = PreconditionedFISTA(denoiser, Doubled(), **options)
    x = z = physics.A_adjoint(y)
    with torch.no_grad():
        for k in range(30):
            target = denoiser(z - 0.1 * 2 * physics.A_adjoint(physics.A(z) - y), 0.05)
            x_next = x + min(1, (2 / (k + 1)) ** 2) * (target - x)
            x, z = x_next, x_next + k / (k + 4) * (x_next - x)
    *_, (last, _) = solver.iterates(y, physics, 30)
    torch.testing.assert_close(last, x)
    with pytest.raises(ValueError, match="update_decay=0"):
        PreconditionedFISTA(denoiser, **options | {"update_decay": 0})


@pytest.mark.parametrize("preconditioner", [None, Identity()])
def test_equals_deepinv_fista(problem, preconditioner):
    physics, y, denoiser = problem
    theirs = FISTA(data_fidelity=L2(), prior=PnP(denoiser), stepsize=0.5, sigma_denoiser=0.05, max_iter=15)
    ours = PreconditionedFISTA(
        denoiser, preconditioner, stepsize=0.5, sigma=0.05, max_iter=15, momentum="deepinv"
    )
    torch.testing.assert_close(ours(y, physics), theirs(y, physics), rtol=1e-5, atol=1e-6)


def test_iteration_is_its_equation(problem):
    physics, y, denoiser = problem
    solver = PreconditionedFISTA(denoiser, stepsize=0.3, sigma=0.05, max_iter=4)
    x = z = physics.A_adjoint(y)
    for k in range(4):
        with torch.no_grad():
            x_next = denoiser(z - 0.3 * physics.A_adjoint(physics.A(z) - y), 0.05)
        x, z = x_next, x_next + k / (k + 4) * (x_next - x)
    torch.testing.assert_close(solver(y, physics), x, rtol=1e-4, atol=1e-5)


def test_iterates_end_at_the_output(problem):
    physics, y, denoiser = problem
    solver = PreconditionedFISTA(denoiser, stepsize=0.3, sigma=0.05, max_iter=5)
    iterates = list(solver.iterates(y, physics))
    assert len(iterates) == 6
    torch.testing.assert_close(iterates[0][0], physics.A_adjoint(y))
    torch.testing.assert_close(iterates[-1][0], solver(y, physics))


@pytest.mark.parametrize(
    ("name", "first", "late"), [("chambolle_dossal", 0.0, 99 / 103), ("deepinv", 2 / 3, 101 / 102)]
)
def test_momentum_rules(name, first, late):
    assert MOMENTUM[name](1) == pytest.approx(first)
    assert MOMENTUM[name](100) == pytest.approx(late)


def test_momentum_none_is_proximal_gradient(problem):
    physics, y, denoiser = problem
    solver = PreconditionedFISTA(denoiser, stepsize=0.3, sigma=0.05, max_iter=3, momentum="none")
    assert all(torch.equal(x, z) for x, z in solver.iterates(y, physics))


@pytest.mark.parametrize("form", ["null_space", "free"])
@pytest.mark.parametrize("inputs", ["state_aware", "gradient_only"])
def test_preconditioner_forms(form, inputs, generator):
    physics, shape = _single_pixel()
    torch.manual_seed(0)
    network = build_network("unet", 2 if inputs == "state_aware" else 1, 1)
    preconditioner = LearnedPreconditioner(network, form=form, inputs=inputs)
    z, grad = torch.rand(2, 3, *shape, generator=generator)
    state = State(z, 0, physics, physics.A(z))
    torch.testing.assert_close(preconditioner(grad, state), grad)  # starts as the identity
    torch.nn.init.normal_(network.unet.Conv_1x1.weight, std=0.1)
    direction = preconditioner(grad, state)
    assert direction.shape == grad.shape
    assert direction.dtype == grad.dtype
    assert (direction - grad).abs().max() > 1e-3
    kept = torch.allclose(physics.A(direction), physics.A(grad), atol=1e-5)
    assert kept == (form == "null_space")
    torch.testing.assert_close(
        preconditioner(3 * grad, State(3 * z, 0, physics, 3 * state.y)), 3 * direction, rtol=1e-4, atol=1e-5
    )
    direction.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.unet.Conv_1x1.parameters())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"stepsize": 0.0}, "stepsize=0.0"),
        ({"stepsize": -1.0}, "stepsize=-1.0"),
        ({"stepsize": float("nan")}, "stepsize=nan"),
        ({"sigma": 0.0}, "sigma=0.0"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"momentum": "heavy"}, "momentum='heavy'.*chambolle_dossal"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        PreconditionedFISTA(
            DnCNN(1, 1, depth=3, nf=8, pretrained=None), **({"stepsize": 1.0, "sigma": 0.1} | arguments)
        )


def test_bad_measurements_are_named(task):
    solver = PreconditionedFISTA(task.denoiser, stepsize=1.0, sigma=0.05, max_iter=1)
    y = task.measure(task.test_images[:2])
    with pytest.raises(ValueError, match=r"y=.*NaN"):
        solver(y.clone().index_fill_(0, torch.tensor([1]), float("nan")), task.student)
    with pytest.raises(ValueError, match=r"y\.shape=\(2, 3, 32, 32\)"):
        solver(y.expand(-1, 3, -1, -1), task.student)
    with pytest.raises(ValueError, match=r"y\.shape=\(2, 1, 16, 16\)"):
        solver(y[..., :16, :16], task.student)


def test_measurements_of_several_coils_are_accepted_and_checked():
    physics = MultiCoilCartesianMRI(4, (2, 16, 16), coils=3)
    denoiser = DnCNN(2, 2, depth=2, nf=4, pretrained=None)
    solver = PreconditionedFISTA(denoiser, stepsize=1 / physics.squared_norm, sigma=0.05, max_iter=1)
    y = physics.A(torch.ones(2, 2, 16, 16))
    assert solver(y, physics).shape == (2, 2, 16, 16)
    with pytest.raises(ValueError, match=r"y\.shape=\(2, 2, 16, 16\): expected \(2, 2, 3, 16, 16\)"):
        solver(y[:, :, 0], physics)


@pytest.mark.parametrize("arguments", [{"form": "half"}, {"inputs": "all"}])
def test_unknown_form_or_inputs(arguments):
    with pytest.raises(ValueError, match=r"(form|inputs)='(half|all)'"):
        LearnedPreconditioner(torch.nn.Identity(), **arguments)


def test_unknown_network():
    with pytest.raises(ValueError, match="name='resnet'"):
        build_network("resnet", 1, 1)


@pytest.mark.parametrize(
    "options",
    [{"update_decay": 2}, {"prior_decay": 2}, {"early_stop": True, "thres_conv": 1.0}, {"safeguard": True}],
)
def test_pgd_passes_every_option_on(problem, options):
    physics, y, denoiser = problem
    shared = {"stepsize": 0.3, "sigma": 0.05, "max_iter": 6} | options
    fista = PreconditionedFISTA(denoiser, Doubled(), momentum="none", **shared)
    pgd = PreconditionedPGD(denoiser, Doubled(), **shared)
    expected, found = (list(solver.iterates(y, physics)) for solver in (fista, pgd))
    assert len(found) == len(expected)
    assert torch.equal(found[-1][0], expected[-1][0])
    plain = PreconditionedPGD(denoiser, Doubled(), stepsize=0.3, sigma=0.05, max_iter=6)
    if "safeguard" not in options:
        assert not torch.equal(found[-1][0], list(plain.iterates(y, physics))[-1][0])
