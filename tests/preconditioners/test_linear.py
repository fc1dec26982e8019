"""Linear preconditioners: P_k is what its formula says, and its weights survive a file."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, State
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from ddgp_lib.operators import CartesianMRI, FourierDownsampling, HadamardCamera, newton, normal
from ddgp_lib.preconditioners.linear import LINEAR_FORMS, LINEAR_INPUTS, LinearPreconditioner
from ddgp_lib.preconditioners.structures import STRUCTURES, Structure

OPERATORS = {
    "camera": (lambda: HadamardCamera(0.2, (1, 16, 16)), (1, 16, 16)),
    "mri": (lambda: CartesianMRI(4, (2, 16, 16), center_fraction=0.1), (2, 16, 16)),
    "downsampling": (lambda: FourierDownsampling(4, (1, 16, 16), std=2.0), (1, 16, 16)),
}


def filled(structure, generator, iterations=2, **options):
    """Build a preconditioner with random maps and images."""
    P = LinearPreconditioner(structure, iterations, **options)
    for name, buffer in P.named_buffers():
        if name != "bias" or P.inputs == "affine":
            buffer.copy_(0.1 * torch.randn(buffer.shape, generator=generator))
    return P


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("form", LINEAR_FORMS)
@pytest.mark.parametrize("inputs", LINEAR_INPUTS)
def test_forms_are_their_formulas(name, form, inputs, generator):
    make, shape = OPERATORS[name]
    physics = make()
    P = filled(Structure("full", shape), generator, inputs=inputs, form=form, damping=1e-2)
    z, other = torch.randn(2, 3, *shape, generator=generator)
    grad = normal(physics, other)
    direction = P(grad, State(z, 1, physics, physics.A(z)))
    rows = torch.cat([grad, z], dim=1).flatten(1) if inputs == "affine" else grad.flatten(1)
    learned = (rows @ P.weights[1, 0]).view(3, *shape) + P.bias[1]
    base = newton(physics, grad, 1e-2) if form == "newton_null_space" else grad
    if form == "free":
        torch.testing.assert_close(direction, base + learned, rtol=1e-4, atol=1e-4)
        return
    hidden = learned - physics.A_dagger(physics.A(learned))
    torch.testing.assert_close(direction, base + hidden, rtol=1e-3, atol=2e-3)
    change = (physics.A(direction) - physics.A(base)).norm()
    assert change < 1e-5 * physics.A(direction).norm()
    assert (direction - base).norm() > 0.1 * base.norm()


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("inputs", LINEAR_INPUTS)
def test_linear_in_the_gradient_and_affine_with_the_iterate(structure, inputs, generator):
    camera = HadamardCamera(0.2, (1, 16, 16))
    P = filled(Structure(structure, (1, 16, 16)), generator, inputs=inputs)
    g, h, z, w = torch.randn(4, 2, 1, 16, 16, generator=generator)

    def at(grad, iterate):
        return P(grad, State(iterate, 0, camera, camera.A(iterate)))

    origin = at(0 * g, 0 * z)
    combined = at(2 * g - 3 * h, 2 * z - 3 * w)
    torch.testing.assert_close(combined, 2 * at(g, z) - 3 * at(h, w) + 2 * origin, rtol=1e-3, atol=1e-4)
    assert origin.any() == (inputs == "affine")
    assert torch.equal(at(g, z), at(g, w)) == (inputs == "gradient_only")


@pytest.mark.parametrize("after", ["last", "identity"])
def test_each_image_gets_the_map_of_its_iteration(after, generator):
    camera = HadamardCamera(0.2, (1, 16, 16))
    P = filled(Structure("full", (1, 16, 16)), generator, iterations=3, after=after)
    grad, z = torch.randn(2, 5, 1, 16, 16, generator=generator)
    k = torch.tensor([2, 0, 7, 2, 1])
    together = P(grad, State(z, k, camera, camera.A(z)))
    for i, iteration in enumerate(k.tolist()):
        part = slice(i, i + 1)
        alone = P(grad[part], State(z[part], iteration, camera, camera.A(z[part])))
        torch.testing.assert_close(together[part], alone)
    late = grad[2:3] if after == "identity" else P(grad[2:3], State(z[2:3], 2, camera, camera.A(z[2:3])))
    torch.testing.assert_close(together[2:3], late)
    assert (together - P(grad, State(z, 0, camera, camera.A(z))))[0].abs().max() > 0.1


def test_untrained_is_the_identity_and_runs_in_a_solver(task):
    P = LinearPreconditioner(Structure("rows", (1, 32, 32)), 2)
    y = task.measure(task.test_images[:2])
    settings = {"stepsize": task.stepsize, "sigma": 0.07, "max_iter": 4}
    plain = PreconditionedFISTA(task.denoiser, **settings)(y, task.student)
    torch.testing.assert_close(PreconditionedFISTA(task.denoiser, P, **settings)(y, task.student), plain)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("rank", [None, 2])
def test_weights_survive_a_file(structure, rank, generator, tmp_path):
    options = {"iterations": 2, "rank": rank, "form": "free"}
    P = filled(Structure(structure, (1, 8, 8)), generator, **options)
    path = tmp_path / "linear.safetensors"
    save_checkpoint(path, P.state_dict(), {"kind": "distilled_linear"})
    again = LinearPreconditioner(Structure(structure, (1, 8, 8)), **options)
    load_weights(again, load_checkpoint(path, kind="distilled_linear")[0], path)
    g, z = torch.randn(2, 2, 1, 8, 8, generator=generator)
    camera = HadamardCamera(0.2, (1, 8, 8))
    state = State(z, 1, camera, camera.A(z))
    torch.testing.assert_close(again(g, state), P(g, state), rtol=0, atol=0)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_weights(LinearPreconditioner(Structure(structure, (1, 8, 8)), 3), P.state_dict(), path)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"iterations": 0}, "iterations=0"),
        ({"inputs": "z"}, "inputs='z'.*affine"),
        ({"form": "soft"}, "form='soft'.*null_space"),
        ({"after": "zero"}, "after='zero'.*last"),
        ({"rank": 0}, "rank=0"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        LinearPreconditioner(Structure("full", (1, 8, 8)), **({"iterations": 1} | arguments))


def test_too_large_a_matrix_is_refused_and_a_low_rank_is_not():
    structure = Structure("full", (2, 128, 128))
    with pytest.raises(ValueError, match="rank=None: expected a lower one"):
        LinearPreconditioner(structure, 1)
    assert LinearPreconditioner(structure, 1, rank=2).expand.shape == (1, 1, 2, 2 * 128 * 128)


def test_wrong_shapes_are_named(generator):
    P = LinearPreconditioner(Structure("full", (1, 8, 8)), 1)
    camera = HadamardCamera(0.2, (1, 16, 16))
    grad = torch.randn(1, 1, 16, 16, generator=generator)
    with pytest.raises(ValueError, match=r"grad.shape=\(1, 1, 16, 16\)"):
        P(grad, State(grad, 0, camera, camera.A(grad)))
