"""What can be asked of a run: start, σ, step, an early stop, gradients; and of a solver: to move, to be saved."""

import copy
import io
import pickle
import warnings

import pytest
import torch
from deepinv.models import Denoiser, DnCNN
from deepinv.physics import Denoising, Inpainting, stack
from deepinv.utils import TensorList
from torch import nn

from ddgp_lib import (
    LearnedPreconditioner,
    PreconditionedADMM,
    PreconditionedFISTA,
    PreconditionedHQS,
    PreconditionedPGD,
    Preconditioner,
    load_solver,
)
from ddgp_lib.operators import FourierDownsampling, HadamardCamera
from ddgp_lib.solvers import MOMENTUM, Geometric, decaying_weight, extrapolate, fista_step, forward_backward

SIZE = (1, 16, 16)
METHODS = {
    "fista": (PreconditionedFISTA, {}),
    "pgd": (PreconditionedPGD, {}),
    "hqs": (PreconditionedHQS, {"tau": 1.0}),
    "admm": (PreconditionedADMM, {"tau": 1.0}),
}


class Rule(Preconditioner):
    """A preconditioner from a function of the gradient and the state."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, grad, state):
        return self.function(grad, state)


@pytest.fixture
def denoiser():
    torch.manual_seed(0)
    return DnCNN(1, 1, depth=3, nf=8, pretrained=None).eval()


@pytest.fixture
def camera():
    return HadamardCamera(0.2, SIZE)


@pytest.fixture
def y(camera):
    return camera.A(torch.rand(2, *SIZE, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(params=METHODS)
def make(request, denoiser):
    method, options = METHODS[request.param]
    return lambda P=None, **more: method(denoiser, P, **{"sigma": 0.05, "max_iter": 4} | options | more)


# --- the step


def test_the_step_by_default_is_that_of_the_operator_at_hand(make, y):
    lens = FourierDownsampling(2, SIZE)
    small = lens.A(torch.rand(2, *SIZE))
    solver = make()
    torch.testing.assert_close(solver(small, lens), make(stepsize=1 / lens.squared_norm)(small, lens))
    camera = HadamardCamera(0.2, SIZE)
    assert torch.equal(solver(y, camera), make(stepsize=1.0)(y, camera))


def test_an_operator_that_is_zero_has_no_step(denoiser, camera, y):
    camera.mask.zero_()
    with pytest.raises(ValueError, match=r"physics='HadamardCamera'.*not zero"):
        PreconditionedFISTA(denoiser, sigma=0.05)(0 * y, camera)


# --- the start


def test_a_run_starts_where_it_is_told(make, camera, y):
    x0 = torch.rand(2, *SIZE)
    solver = make()
    starts = [
        x0,
        lambda measured, physics: x0,
        (x0,),
        {"est": next(solver.states(y, camera, init=x0))["est"]},
    ]
    assert torch.equal(next(solver.iterates(y, camera, init=x0))[0], x0)
    outputs = [solver(y, camera, init=start) for start in starts]
    assert not torch.equal(outputs[0], solver(y, camera))
    *_, (last, _) = solver.iterates(y, camera, init=x0)
    assert all(torch.equal(output, last) for output in outputs)


def test_a_run_goes_on_from_its_iterates(denoiser, camera, y):
    solver = PreconditionedFISTA(denoiser, sigma=0.05, momentum="none")
    middle, _ = list(solver.iterates(y, camera, 3))[-1]
    *_, (end, _) = solver.iterates(y, camera, 5)
    *_, (resumed, _) = solver.iterates(y, camera, 2, init=middle)
    assert torch.equal(resumed, end)


@pytest.mark.parametrize(
    ("init", "named"),
    [
        (torch.rand(1, *SIZE), r"init=.*\(1, 1, 16, 16\).*\(2, 1, 16, 16\)"),
        (torch.rand(2, *SIZE).double(), r"init=.*float64.*float32"),
        ((torch.rand(2, *SIZE),) * 3, "init=.*one or two"),
        ("zeros", r"init=\['str'\]"),
        (torch.full((2, *SIZE), torch.nan), "init='tensor with NaN or infinite entries'"),
    ],
)
def test_a_bad_start_is_named(make, camera, y, init, named):
    with pytest.raises(ValueError, match=named):
        make()(y, camera, init=init)


@pytest.mark.parametrize("max_iter", [-1, -3])
def test_a_negative_number_of_iterations_is_named(denoiser, camera, y, max_iter):
    with pytest.raises(ValueError, match=f"max_iter={max_iter}"):
        list(PreconditionedFISTA(denoiser, sigma=0.05).iterates(y, camera, max_iter))


# --- the noise level


def test_sigma_may_change_from_iteration_to_iteration(make, camera, y):
    levels = [0.2, 0.1, 0.05, 0.02]
    seen = []

    class Listening(nn.Module):
        def forward(self, x, sigma):
            seen.append(sigma)
            return x - sigma * x

    solver = type(make())(Listening(), **{"sigma": levels, "max_iter": 4} | _options(make))
    solver(y, camera)
    assert seen == levels
    seen.clear()
    list(solver.iterates(y, camera, 6))
    assert seen == [*levels, 0.02, 0.02]
    assert torch.equal(make(sigma=[0.05] * 4)(y, camera), make(sigma=0.05)(y, camera))


def _options(make):
    return {"tau": 1.0} if isinstance(make(), PreconditionedHQS | PreconditionedADMM) else {}


@pytest.mark.parametrize(
    "sigma", [[0.1, 0.05], [], [0.1, 0.1, 0.1, -1.0], [0.1, 0.1, 0.1, float("nan")], 0.0]
)
def test_bad_noise_levels_are_named(denoiser, sigma):
    with pytest.raises(ValueError, match="sigma="):
        PreconditionedFISTA(denoiser, sigma=sigma, max_iter=4)


@pytest.mark.parametrize("max_iter", [2, 3, 6])
def test_a_schedule_fits_any_length(make, camera, y, max_iter):
    schedule, levels = Geometric(0.4, 0.1, count=3), [0.4, 0.2, 0.1, 0.1, 0.1, 0.1]
    solver = make(sigma=schedule, max_iter=max_iter)
    expected = make(sigma=levels[:max_iter], max_iter=max_iter)
    torch.testing.assert_close(solver(y, camera), expected(y, camera))
    *_, (further, _) = solver.iterates(y, camera, 6)
    torch.testing.assert_close(further, make(sigma=levels, max_iter=6)(y, camera))


def test_a_schedule_has_two_values_or_more():
    assert Geometric(0.4, 0.1, 3).values(1) == [0.4, 0.2, 0.1]
    with pytest.raises(ValueError, match=r"count=1: expected an integer from 2"):
        Geometric(0.4, 0.1, 1)
    with pytest.raises(ValueError, match=r"least=0: expected an integer from 1"):
        Geometric(0.4, 0.1, 3).values(0)


# --- an early stop


def test_a_run_stops_once_every_image_rests(denoiser, camera, y):
    options = {"sigma": 0.05, "max_iter": 200, "momentum": "none", "update_decay": 2}
    solver = PreconditionedFISTA(denoiser, **options, early_stop=True, thres_conv=1e-3)
    x, metrics = solver(y, camera, compute_metrics=True)
    changes = torch.tensor(metrics["residual"])
    assert 3 < changes.shape[1] < 100
    assert (changes[:, -1] < 1e-3).all()
    assert not (changes[:, 2:-1] < 1e-3).all(dim=0).any()
    assert solver.has_converged
    *iterates, (last, _) = solver.iterates(y, camera)
    assert len(iterates) == changes.shape[1]
    assert torch.equal(last, x)
    impatient = PreconditionedFISTA(denoiser, **options | {"max_iter": 3}, early_stop=True, thres_conv=1e-12)
    impatient(y, camera)
    assert not impatient.has_converged


# --- gradients


def test_gradients_go_through_an_unfolded_run(make, camera, y):
    network = nn.Conv2d(2, 1, 3, padding=1)
    solver = make(LearnedPreconditioner(network, form="free"), unfold=True, max_iter=2)
    leaf = y.clone().requires_grad_()
    solver(leaf, camera).square().sum().backward()
    assert leaf.grad.norm() > 0
    assert network.weight.grad.norm() > 0
    assert all(p.grad is not None for p in solver.prior.parameters())


def test_the_derivative_of_an_unfolded_run_is_that_of_its_differences(make, camera, y):
    solver = make(unfold=True, max_iter=2).double()
    camera = camera.double()
    leaf, step = y.double().requires_grad_(), torch.randn_like(y).double()
    (slope,) = torch.autograd.grad(solver(leaf, camera).sum(), leaf)
    with torch.no_grad():
        above, below = (solver(leaf + h * step, camera).sum() for h in (1e-6, -1e-6))
    assert float((slope * step).sum()) == pytest.approx(float(above - below) / 2e-6, rel=1e-4)


def test_without_unfolding_a_y_that_wants_gradients_is_refused(make, camera, y):
    with pytest.raises(ValueError, match=r"y\.requires_grad=True.*unfold=True"):
        make()(y.clone().requires_grad_(), camera)
    with torch.no_grad():
        assert not make()(y.clone().requires_grad_(), camera).requires_grad


# --- what P makes


@pytest.mark.parametrize(
    "made",
    [
        lambda g: g[:1],
        lambda g: g[0],
        lambda g: g.mean((1, 2, 3), keepdim=True),
        lambda g: 0.1,
        lambda g: g.double(),
        lambda g: g.half(),
        lambda g: g > 0,
        lambda g: g.numpy(),
    ],
)
@pytest.mark.parametrize("safeguard", [False, True])
def test_a_direction_of_another_kind_is_refused(denoiser, camera, y, made, safeguard):
    solver = PreconditionedFISTA(denoiser, Rule(lambda g, s: made(g)), sigma=0.05, safeguard=safeguard)
    with pytest.raises(ValueError, match=r"P\(grad, state\)=.*a tensor like the gradient"):
        solver(y, camera)


def test_a_preconditioner_that_writes_in_place_changes_nothing_else(make, camera, y):
    def spoil(grad, state):
        direction = 1.5 * grad
        for tensor in (grad, state.z, state.y):
            tensor.mul_(-3)
        return direction

    mine = y.clone()
    spoiled = make(Rule(spoil), prior_decay=1)(mine, camera)
    assert torch.equal(mine, y)
    assert torch.equal(spoiled, make(Rule(lambda g, s: 1.5 * g), prior_decay=1)(y, camera))
    assert torch.equal(make(Rule(lambda g, s: g.mul_(1.5)), prior_decay=1)(y, camera), spoiled)


def test_a_preconditioner_is_shown_the_same_measurements_in_each_iteration(denoiser, camera, y):
    shown = []
    rule = Rule(lambda g, s: (shown.append(s.y), g)[1])
    PreconditionedFISTA(denoiser, rule, sigma=0.05, max_iter=3)(y, camera)
    assert all(seen is shown[0] for seen in shown)
    assert torch.equal(shown[0], y)


# --- a solver as a module


def test_a_solver_moves_with_its_denoiser(make, camera, y):
    solver = copy.deepcopy(make(LearnedPreconditioner(nn.Conv2d(2, 1, 1))))
    names = list(solver.state_dict())
    assert any("denoiser" in name for name in names)
    assert any("preconditioner" in name for name in names)
    assert {p.dtype for p in solver.double().parameters()} == {torch.float64}
    assert solver(y.double(), camera.double()).dtype == torch.float64


def test_measurements_of_another_type_than_the_denoiser_are_refused(denoiser, camera, y):
    solver = PreconditionedFISTA(denoiser, sigma=0.05)
    with pytest.raises(ValueError, match=r"A_adjoint\(y\)=.*float64.*float32.*denoiser"):
        solver(y.double(), camera.double())


@pytest.mark.parametrize("name", ["none", "distilled"])
def test_a_shipped_solver_is_pickled_copied_and_saved(task, name):
    solver = load_solver("single_pixel", name, task=task, max_iter=2)
    measured = task.measure(task.test_images[:1])
    expected = solver(measured, task.student)
    file = io.BytesIO()
    torch.save(solver, file)
    file.seek(0)
    for again in (
        pickle.loads(pickle.dumps(solver)),
        copy.deepcopy(solver),
        torch.load(file, weights_only=False),
    ):
        found, metrics = again(measured, task.student, x_gt=task.test_images[:1], compute_metrics=True)
        assert torch.equal(found, expected)
        assert len(metrics["psnr"][0]) == 3


# --- the arithmetic that solvers and training share


def test_a_step_of_fista_is_its_equation():
    x, z, d = torch.randn(3, 2, *SIZE)
    new_x, new_z = fista_step(x, z, d, stepsize=0.5, momentum=0.3, denoise=torch.tanh, weight=0.25)
    expected = x + 0.25 * (torch.tanh(z - 0.5 * d) - x)
    torch.testing.assert_close(new_x, expected)
    torch.testing.assert_close(new_z, expected + 0.3 * (expected - x))
    assert torch.equal(forward_backward(z, d, 0.5), z - 0.5 * d)


def test_momentum_may_differ_between_images():
    x, before = torch.randn(2, 3, *SIZE)
    beta = torch.tensor([MOMENTUM["chambolle_dossal"](k) for k in (1, 2, 9)]).view(-1, 1, 1, 1)
    together = extrapolate(x, before, beta)
    for i, value in enumerate(beta.flatten().tolist()):
        torch.testing.assert_close(together[i], extrapolate(x[i], before[i], value))


def test_rules_are_pickled():
    rule = pickle.loads(pickle.dumps(decaying_weight(3)))
    assert [rule(k) for k in (0, 2, 5)] == [1.0, 1.0, 0.25]
    assert decaying_weight(None)(100) == 1.0


# --- what comes out


@pytest.mark.parametrize("made", [lambda g, s: -30 * g, lambda g, s: float("nan") * g])
def test_a_run_that_diverges_says_so_and_what_helps(denoiser, camera, y, made):
    solver = PreconditionedFISTA(denoiser, Rule(made), stepsize=1.0, sigma=0.05, max_iter=6)
    with pytest.warns(
        RuntimeWarning, match=r"FISTA has diverged: within 6 .* 2 of 2 .*try safeguard=True"
    ) as told:
        solver(y, camera)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert len(list(solver.iterates(y, camera))) == 7


def test_a_step_that_is_too_large_is_named(task):
    y = task.measure(task.test_images[:2])
    solver = PreconditionedFISTA(task.denoiser, stepsize=50.0, sigma=0.05, max_iter=10)
    with pytest.warns(RuntimeWarning, match="diverged.*try a smaller stepsize"):
        solver(y, task.student)


@pytest.mark.parametrize("name", ["single_pixel", "mri", "super_resolution"])
def test_a_shipped_solver_says_nothing(loaded, name):
    here = loaded(name)
    y = here.measure(here.test_images[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        load_solver(here, max_iter=2)(y, here.student)
        load_solver(here, max_iter=2)(torch.zeros_like(y), here.student)


def test_measurements_of_integers_are_refused(denoiser, camera, y):
    with pytest.raises(ValueError, match=r"y\.dtype='torch.int64'"):
        PreconditionedFISTA(denoiser, sigma=0.05)(y.long(), camera)


# --- half precision around a run


@pytest.mark.parametrize("kind", ["none", "newton", "distilled", "distilled_linear"])
def test_autocast_around_a_run_reaches_the_networks_alone(loaded, kind):
    here = loaded("super_resolution")
    x = here.test_images[:2]
    solver = load_solver(here, kind, max_iter=4)
    with torch.autocast("cpu", torch.bfloat16):
        y = here.measure(x)
        mixed = solver(y, here.student)
    assert (y.dtype, mixed.dtype) == (torch.float32, torch.float32)
    assert torch.equal(y, here.measure(x))
    torch.testing.assert_close(here.psnr(mixed, x), here.psnr(solver(y, here.student), x), rtol=0, atol=0.1)


def test_under_autocast_a_direction_in_half_precision_is_widened(denoiser, camera, y):
    solver = PreconditionedFISTA(denoiser, Rule(lambda g, s: g.bfloat16()), sigma=0.05, max_iter=2)
    with torch.autocast("cpu", torch.bfloat16):
        assert solver(y, camera).dtype == torch.float32
    with pytest.raises(ValueError, match="bfloat16"):
        solver(y, camera)


def test_an_output_further_from_the_data_than_twice_no_image_is_told(denoiser, y, camera):
    """Here A Aᵀ = I, so Aᵀy fits, and what counts is ‖y‖: three times it is too far, one and a half times is not."""
    solver = PreconditionedFISTA(denoiser, sigma=0.05)
    adjoint = camera.A_adjoint(y)
    with pytest.warns(RuntimeWarning, match=r"up to 3 ‖y‖"):
        solver._tell_of_divergence(-2 * adjoint, y, camera)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        solver._tell_of_divergence(-0.5 * adjoint, y, camera)


def test_by_default_a_run_that_still_moves_is_not_stopped_early(denoiser, y, camera):
    for method, options in METHODS.values():
        solver = method(denoiser, sigma=0.05, max_iter=6, early_stop=True, **options)
        assert len(list(solver.states(y, camera))) == 7


class Returns(Denoiser):
    """A denoiser from a function of the image."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, sigma=None, **kwargs):
        return self.function(x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:1],
        lambda x: x[0],
        lambda x: x[..., :1],
        lambda x: x.mean(),
        lambda x: 0.1,
        lambda x: x.int(),
        lambda x: x.double(),
        lambda x: x.half(),
        lambda x: x.numpy(),
        lambda x: (x, x),
        lambda x: None,
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_what_a_denoiser_gives_is_looked_at(function, method, camera, y):
    make, options = METHODS[method]
    solver = make(Returns(function), sigma=0.05, max_iter=1, **options)
    with pytest.raises(ValueError, match=r"denoiser\(x, sigma\)=.*expected a tensor like what it was given"):
        solver(y, camera)


def test_gradients_that_would_be_lost_are_refused_wherever_they_are_asked_for(denoiser, camera, y):
    solver = PreconditionedFISTA(denoiser, sigma=0.05, max_iter=2)
    x0 = torch.rand(2, *SIZE, requires_grad=True)
    with pytest.raises(ValueError, match=r"init\.requires_grad=True: expected init without gradients"):
        solver(y, camera, init=x0)
    with pytest.raises(ValueError, match=r"init\.requires_grad"):
        solver(y, camera, init=(x0, x0))
    both = stack(Inpainting(SIZE, mask=0.5), Denoising())
    measured = TensorList([part.requires_grad_() for part in both.A(torch.rand(2, *SIZE))])
    with pytest.raises(ValueError, match=r"y\.requires_grad"):
        solver(measured, both)
    assert PreconditionedFISTA(denoiser, sigma=0.05, max_iter=2, unfold=True)(measured, both).requires_grad
