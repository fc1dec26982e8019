"""The pull towards a predicted part (NPN): its projection, its step, and that the prediction is made once."""

from dataclasses import replace

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, PreconditionedPGD, Safeguard, State
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    gradient,
    null_projection,
    range_projection,
    squared_norm,
)
from ddgp_lib.preconditioners import NullSpacePull, Preconditioner
from ddgp_lib.preconditioners.null_space_pull import pull, unseen
from ddgp_lib.solvers.descent import descend

SIDE = 16
PAIRS = {
    "nested": (HadamardCamera(0.2, (1, SIDE, SIDE)), HadamardCamera(0.5, (1, SIDE, SIDE))),
    "not nested": (
        FourierDownsampling(4, (1, SIDE, SIDE), std=2.0),
        FourierDownsampling(2, (1, SIDE, SIDE), std=1.0),
    ),
    "two channels": (CartesianMRI(4, (2, SIDE, SIDE)), CartesianMRI(2, (2, SIDE, SIDE))),
    "no teacher": (HadamardCamera(0.2, (1, SIDE, SIDE)), None),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


@pytest.fixture
def images(pair, generator):
    channels = 2 if isinstance(pair[0], CartesianMRI) else 1
    return torch.rand(3, channels, SIDE, SIDE, generator=generator)


class Constant:
    """Predict the same images whatever is measured, and count how often."""

    def __init__(self, images):
        self.images, self.calls = images, 0

    def __call__(self, y, physics):
        self.calls += 1
        return self.images[: len(y)]


def at(x, physics, k=0):
    y = physics.A(x)
    return gradient(physics, x, physics.A_adjoint(y)), State(x, k, physics, y)


def test_what_is_pulled_is_symmetric_unseen_and_no_larger_than_the_image(pair, images, generator):
    physics, teacher = pair
    v = torch.randn(images.shape, generator=generator)
    pulled = pull(physics, teacher, v)
    assert pulled.norm() > 0.1 * v.norm()
    assert (v * pulled).sum() <= v.square().sum()
    assert physics.A(pulled).norm() <= 1e-4 * physics.A(v).norm()
    torch.testing.assert_close(
        (images * pulled).sum(), (v * pull(physics, teacher, images)).sum(), rtol=1e-3, atol=1e-3
    )
    # Half the squared norm of what is judged is what the pull is the gradient of.
    torch.testing.assert_close(
        (v * pulled).sum(), unseen(physics, teacher, v).square().sum(), rtol=1e-3, atol=1e-3
    )


def test_between_nested_operators_it_is_the_projection_on_what_the_teacher_adds(generator):
    physics, teacher = PAIRS["nested"]
    v = torch.randn(2, 1, SIDE, SIDE, generator=generator)
    expected = null_projection(physics, range_projection(teacher, v))
    torch.testing.assert_close(pull(physics, teacher, v), expected)
    torch.testing.assert_close(pull(physics, teacher, expected), expected)
    torch.testing.assert_close(expected, range_projection(teacher, v) - range_projection(physics, v))


def test_a_step_goes_a_fraction_of_the_way_and_leaves_what_is_measured_alone(pair, images, generator):
    physics, teacher = pair
    target = torch.rand(images.shape, generator=generator)
    P = NullSpacePull(Constant(target), teacher, weight=0.25)
    grad, state = at(images, physics)
    step = images - P(grad, state) / squared_norm(physics, tuple(images.shape[1:]))
    moved = images - 0.25 * pull(physics, teacher, images - target)
    plain = images - grad / squared_norm(physics, tuple(images.shape[1:]))
    torch.testing.assert_close(step, moved + plain - images, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(physics.A(P(grad, state)), physics.A(grad), rtol=1e-3, atol=1e-3)


def test_a_whole_step_reaches_a_prediction_between_nested_operators(generator):
    physics, teacher = PAIRS["nested"]
    x, target = torch.rand(2, 2, 1, SIDE, SIDE, generator=generator)
    grad, state = at(x, physics)
    step = x - NullSpacePull(Constant(target), teacher, weight=1.0)(grad, state)
    torch.testing.assert_close(
        unseen(physics, teacher, step), unseen(physics, teacher, target), rtol=0, atol=1e-5
    )


def test_the_weight_decays_from_iteration_to_iteration_for_each_image(generator):
    physics, teacher = PAIRS["nested"]
    x = torch.rand(3, 1, SIDE, SIDE, generator=generator)
    P = NullSpacePull(Constant(torch.zeros_like(x)), teacher, weight=0.8, decay=0.5)
    grad, state = at(x, physics)
    first = P(grad, state) - grad
    together = P(grad, replace(state, k=torch.tensor([0, 1, 3]))) - grad
    for i, factor in enumerate((1, 0.5, 0.125)):
        torch.testing.assert_close(together[i], factor * first[i], rtol=1e-4, atol=1e-6)


def halved(x, sigma):
    return 0.9 * x


def test_a_solver_asks_for_the_prediction_once(generator):
    physics, teacher = PAIRS["nested"]
    x = torch.rand(2, 1, SIDE, SIDE, generator=generator)
    predictor = Constant(torch.rand(2, 1, SIDE, SIDE, generator=generator))
    solver = PreconditionedFISTA(halved, NullSpacePull(predictor, teacher), sigma=0.1, max_iter=6)
    last = list(solver.iterates(physics.A(x), physics))[-1][0]
    assert predictor.calls == 1
    torch.testing.assert_close(solver(physics.A(x), physics), last)
    assert predictor.calls == 2
    list(descend(physics, physics.A(x), NullSpacePull(predictor, teacher), 4))
    assert predictor.calls == 3


def test_asked_outside_a_solver_it_predicts_by_itself(generator):
    physics, teacher = PAIRS["nested"]
    x = torch.rand(2, 1, SIDE, SIDE, generator=generator)
    P = NullSpacePull(Constant(torch.zeros_like(x)), teacher)
    grad, state = at(x, physics)
    prepared = P.prepare(state.y, physics)
    torch.testing.assert_close(P(grad, state), P(grad, replace(state, prepared=prepared)))
    other = P(grad, replace(state, prepared=prepared + 1))
    torch.testing.assert_close(other, P(grad, state) - 0.5)


class Numbers(Preconditioner):
    """Number the images of a batch, and go the wrong way in the second."""

    def prepare(self, y, physics):
        return torch.arange(len(y)).view(-1, 1)

    def forward(self, grad, state):
        return torch.where(state.prepared.view(-1, 1, 1, 1) == 1, -5 * grad, grad)


@pytest.mark.parametrize("held_out", [0.0, 0.2])
def test_what_was_prepared_stays_with_its_image(held_out, generator):
    physics = HadamardCamera(0.3, (1, SIDE, SIDE))
    y = physics.A(torch.rand(3, 1, SIDE, SIDE, generator=generator))
    solver = PreconditionedPGD(
        halved, Numbers(), sigma=0.1, max_iter=8, safeguard=Safeguard(held_out=held_out)
    )
    *_, last = solver.states(y, physics)
    assert last["rejected"].tolist() == [False, True, False]
    plain = PreconditionedPGD(halved, sigma=0.1, max_iter=8)
    torch.testing.assert_close(last["est"][0], plain(y, physics))
    some = solver.problem(y, physics).part(torch.tensor([True, False, True]))
    assert some.state(y, 0).prepared.flatten().tolist() == [0, 2]


@pytest.mark.parametrize("made", [torch.zeros(()), torch.zeros(5, 1), "x"])
def test_what_is_prepared_has_an_entry_for_each_image(made):
    class Wrong(Preconditioner):
        def prepare(self, y, physics):
            return made

        def forward(self, grad, state):
            return grad

    physics = PAIRS["nested"][0]
    y = physics.A(torch.rand(2, 1, SIDE, SIDE))
    with pytest.raises(
        ValueError, match=r"P\.prepare\(y, physics\)=.*expected None, or a tensor with 2 entries"
    ):
        PreconditionedFISTA(halved, Wrong(), sigma=0.1, max_iter=1)(y, physics)


def test_a_held_out_run_is_predicted_from_what_is_kept(generator):
    physics, teacher = PAIRS["nested"]
    seen = []

    def predictor(y, operator):
        seen.append((y, operator))
        return operator.A_adjoint(y)

    y = physics.A(torch.rand(2, 1, SIDE, SIDE, generator=generator))
    safeguard = Safeguard(held_out=0.2)
    solver = PreconditionedFISTA(
        halved, NullSpacePull(predictor, teacher), sigma=0.1, max_iter=4, safeguard=safeguard
    )
    solver(y, physics)
    assert len(seen) == 2
    (whole, operator), (kept, other) = seen
    assert torch.equal(whole, y)
    assert operator is physics
    assert other is not physics
    assert 0 < (kept == 0).sum() < kept.numel()
