"""Linear preconditioners: structures are cuts, ridges are dense solutions, and P_k is what its formula says."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, State
from ddgp_lib.checkpoints import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from ddgp_lib.linear.ridge import Ridge, right_singular_vectors
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


CUTS = [
    pytest.param(Structure(name, img_size, stride), id=f"{name}-{img_size[0]}-{stride}")
    for name in STRUCTURES
    for img_size in ((1, 8, 8), (2, 8, 4))
    for stride in ((1, 2) if name == "convolution" else (1,))
]


@pytest.mark.parametrize("structure", CUTS)
def test_blocks_put_together_are_the_image(structure, generator):
    images = torch.randn(3, *structure.img_size, generator=generator)
    blocks = structure.blocks(images)
    assert blocks.shape[::2] == (structure.count, structure.features(structure.img_size[0]))
    assert blocks.is_complex() == structure.complex_valued
    torch.testing.assert_close(structure.images(blocks), images)


def shifts(structure):
    """Shifts of an image that maps of this structure commute with."""
    stride = structure.stride
    return {
        "full": [],
        "rows": [(1, 0), (3, 0)],
        "convolution": [(stride, 0), (3 * stride, stride)],
        "diagonal": [],
        "scalar": [(1, 0), (3, 2)],
    }[structure.name]


@pytest.mark.parametrize("structure", CUTS)
def test_structures_commute_with_their_shifts_and_no_others(structure, generator):
    P = filled(structure, generator, inputs="affine")
    seen = torch.randn(2, 2 * structure.img_size[0], *structure.img_size[1:], generator=generator)

    def change(shift):
        shifted = P.linear_part(seen.roll(shift, dims=(2, 3)), 1)
        return (shifted - P.linear_part(seen, 1).roll(shift, dims=(2, 3))).abs().max()

    assert all(change(shift) < 1e-5 for shift in shifts(structure))
    if structure.name in ("full", "diagonal", "rows") or structure.stride > 1:
        assert change((0, 1)) > 1e-2


@pytest.mark.parametrize(("samples", "features"), [(40, 6), (5, 12)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("epsilon", [1e-3, 1.0])
def test_ridge_is_the_dense_solution(samples, features, dtype, epsilon, generator):
    X = torch.randn(3, samples, features, dtype=dtype, generator=generator)
    Y = torch.randn(3, samples, 4, dtype=dtype, generator=generator)
    c = epsilon * float((X.mH @ X).diagonal(dim1=1, dim2=2).real.mean())
    dense = torch.linalg.solve(X.mH @ X + c * torch.eye(features, dtype=dtype), X.mH @ Y)
    torch.testing.assert_close(Ridge(X, Y).weights(epsilon), dense)
    torch.testing.assert_close(Ridge(X, Y, scale=2.0).weights(c / 2), dense)


def test_no_ridge_gives_the_weights_of_least_norm(generator):
    X, Y = (torch.randn(2, 5, n, dtype=torch.float64, generator=generator) for n in (12, 4))
    torch.testing.assert_close(Ridge(X, Y).weights(0), torch.linalg.pinv(X) @ Y)
    twice = torch.cat([X, X], dim=1)
    torch.testing.assert_close(
        Ridge(twice.repeat(1, 2, 1), Y.repeat(1, 4, 1)).weights(0), torch.linalg.pinv(X) @ Y
    )


@pytest.mark.parametrize(("samples", "features", "outputs"), [(30, 6, 5), (5, 12, 9), (8, 9, 20)])
def test_low_rank_ridge_is_the_best_of_its_rank(samples, features, outputs, generator):
    X, Y = (torch.randn(1, samples, n, dtype=torch.float64, generator=generator) for n in (features, outputs))
    regression, c = Ridge(X, Y, scale=1.0), 0.5

    def loss(W):
        return float((Y - X @ W).square().sum() + c * W.square().sum())

    whole = regression.weights(c)
    reading, expand = regression.low_rank_weights(c, 3)
    assert reading.shape == (1, features, 3)
    best = loss(reading @ expand)
    # the loss of W is that of the whole plus ‖R (W − whole)‖², R the root of XᵀX + c I: Eckart and Young say the rest
    root = torch.linalg.cholesky(X.mT @ X + c * torch.eye(features, dtype=X.dtype)).mT
    missing = torch.linalg.svdvals(root @ whole)[0, 3:].square().sum()
    assert best == pytest.approx(loss(whole) + float(missing), rel=1e-9)
    reading, expand = regression.low_rank_weights(c, 40)
    torch.testing.assert_close(reading @ expand, whole)


def test_right_singular_vectors_are_those_of_the_decomposition(generator):
    for shape in ((1, 9, 5), (1, 5, 9)):
        matrix = torch.randn(shape, dtype=torch.float64, generator=generator)
        ours, theirs = right_singular_vectors(matrix, 3), torch.linalg.svd(matrix).Vh.mT[..., :3]
        torch.testing.assert_close(ours @ ours.mT, theirs @ theirs.mT)


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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("dense", (1, 8, 8)), "structure='dense'"),
        (("full", (8, 8)), "img_size"),
        (("convolution", (1, 8, 8), 3), "stride=3"),
        (("convolution", (1, 8, 8), 0), "stride=0"),
        (("rows", (1, 8, 8), 2), "stride=2"),
    ],
)
def test_bad_structures_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        Structure(*arguments)


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
    X = torch.randn(1, 5, 3, generator=generator)
    with pytest.raises(ValueError, match=r"Y.shape=\(1, 4, 3\)"):
        Ridge(X, X[:, :4])
    with pytest.raises(ValueError, match="ridge=-1"):
        Ridge(X, X).weights(-1)
