"""What holds for every operator: equality with deepinv's, adjoint, projections, norm, noise."""

import copy
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from deepinv.optim.data_fidelity import L2
from deepinv.physics import MRI, BlurFFT, Downsampling, LinearPhysics, MultiCoilMRI, SinglePixelCamera

from ddgp_lib import analysis
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    MultiCoilCartesianMRI,
    gradient,
    measure,
    newton,
    normal,
    null_projection,
    range_projection,
    squared_norm,
)
from ddgp_lib.operators._common import RTOL


@dataclass(frozen=True)
class Case:
    """One of our operators, deepinv's twin of it, and the tolerance in A⁺A."""

    ours: LinearPhysics
    theirs: LinearPhysics
    img_size: tuple[int, int, int]
    rtol: float = RTOL

    def images(self, count: int = 3) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        return torch.randn(count, *self.img_size, generator=generator)

    def dense(self) -> torch.Tensor:
        """Write deepinv's operator as a matrix in double precision."""
        n = torch.Size(self.img_size).numel()
        pixels = torch.eye(n, dtype=torch.float64).reshape(n, *self.img_size)
        return self.theirs.double().A(pixels).reshape(n, -1).T


def camera(ordering: str = "cake_cutting", noise: float = 0.0) -> Case:
    size = (1, 16, 16)
    theirs = SinglePixelCamera(m=64, img_size=size, ordering=ordering)
    return Case(HadamardCamera(0.25, size, ordering, noise), theirs, size)


def mri(size: tuple[int, int, int] = (2, 16, 16), noise: float = 0.0) -> Case:
    ours = CartesianMRI(3.0, size, noise=noise)
    return Case(ours, MRI(mask=ours.mask), size)


def multicoil(size: tuple[int, int, int] = (2, 16, 16), noise: float = 0.0, coils: int = 4) -> Case:
    ours = MultiCoilCartesianMRI(3.0, size, coils, noise=noise, rtol=1e-3)
    return Case(ours, MultiCoilMRI(mask=ours.mask, coil_maps=ours.coil_maps), size, 1e-3)


def downsampling(
    factor: int,
    filter: str = "gaussian",
    size: tuple[int, int, int] = (1, 16, 16),
    std: float | None = None,
    noise: float = 0.0,
) -> Case:
    ours = FourierDownsampling(factor, size, filter, std, noise, rtol=1e-3)
    theirs = Downsampling(size, filter if std is None else ours.filter, factor, padding="circular")
    return Case(ours, theirs, size, 1e-3)


CASES: dict[str, Callable[[], Case]] = {
    "camera": camera,
    "camera-xy": lambda: camera("xy"),
    "camera-sequency": lambda: camera("sequency"),
    "camera-zig_zag": lambda: camera("zig_zag"),
    "mri": mri,
    "mri-odd": lambda: mri((2, 10, 15)),
    "multicoil": multicoil,
    "multicoil-odd": lambda: multicoil((2, 10, 15)),
    "one-coil": lambda: multicoil(coils=1),
    "blur": lambda: downsampling(1),
    "blur-wide": lambda: downsampling(1, std=2.5),
    "blur-bicubic": lambda: downsampling(1, "bicubic"),
    "downsampling-2": lambda: downsampling(2),
    "downsampling-4": lambda: downsampling(4),
    "downsampling-std": lambda: downsampling(2, size=(3, 16, 12), std=1.5),
    "downsampling-bicubic": lambda: downsampling(2, "bicubic"),
    "downsampling-sinc": lambda: downsampling(4, "sinc", size=(2, 16, 20)),
}
NOISY = {
    "camera": lambda: camera(noise=0.1),
    "mri": lambda: mri((2, 32, 32), noise=0.1),
    "multicoil": lambda: multicoil(noise=0.1),
    "downsampling": lambda: downsampling(2, size=(3, 32, 32), noise=0.1),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]()


@pytest.fixture(params=NOISY)
def noisy(request):
    return NOISY[request.param]()


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


def test_equals_deepinv(case):
    x = case.images()
    y = case.theirs.A(x)
    close(case.ours.A(x), y)
    adjoint = case.theirs.A_adjoint(y)
    close(case.ours.A_adjoint(y), adjoint)
    close(normal(case.ours, x), adjoint)
    close(gradient(case.ours, x, adjoint), torch.zeros_like(x))


def test_adjoint(case):
    x, y = case.images(), torch.randn_like(case.theirs.A(case.images()))
    left, right = (case.ours.A(x) * y).sum(), (x * case.ours.A_adjoint(y)).sum()
    close(left, right, 1e-4)


def test_the_old_name_of_the_product_still_gives_it(case):
    x = case.images()
    assert torch.equal(case.ours.normal(x), case.ours.A_adjoint_A(x))


def test_range_projection_is_that_of_the_dense_matrix(case):
    dense = case.dense()
    values = torch.linalg.svdvals(dense) / torch.linalg.matrix_norm(dense, 2)
    assert not ((values > 0.99 * case.rtol) & (values < 1.01 * case.rtol)).any()  # the cut is well defined
    projector = torch.linalg.pinv(dense, rtol=case.rtol) @ dense
    x = case.images()
    expected = (x.flatten(1).double() @ projector.T).float().reshape_as(x)
    close(range_projection(case.ours, x), expected)


def test_rank_is_that_of_the_dense_matrix(case):
    assert case.ours.rank == torch.linalg.matrix_rank(case.dense(), rtol=case.rtol)


def test_pseudo_inverse_is_that_of_the_dense_matrix(case):
    inverse = torch.linalg.pinv(case.dense(), rtol=case.rtol)
    y = case.theirs.float().A(case.images())
    expected = (y.flatten(1).double() @ inverse.T).float().reshape(-1, *case.img_size)
    close(case.ours.A_dagger(y), expected, 2e-3)  # a measurement's rounding is amplified by up to 1 / rtol


def test_range_projection_is_a_projection(case):
    x = case.images(2)
    seen, unseen = range_projection(case.ours, x), null_projection(case.ours, x)
    close(seen + unseen, x)
    close(range_projection(case.ours, seen), seen)
    close((seen[0] * x[1]).sum(), (x[0] * seen[1]).sum(), 1e-4)
    left_out = (case.ours.A(seen) - case.ours.A(x)).norm()
    assert left_out <= (case.rtol + 1e-6) * squared_norm(case.ours, case.img_size) ** 0.5 * x.norm()


def test_squared_norm_is_the_largest_eigenvalue(case):
    largest = torch.linalg.matrix_norm(case.dense(), 2).item() ** 2
    assert squared_norm(case.ours, case.img_size) == pytest.approx(largest, rel=1e-6)


def test_every_operator_works_without_its_own_methods(case):
    x = case.images()
    y = case.theirs.A(x)
    close(normal(case.theirs, x), normal(case.ours, x))
    assert range_projection(case.ours, x).shape == case.ours.A_dagger(y).shape == x.shape


def test_gradients_flow_through(case):
    x = case.images().requires_grad_()
    v = case.images(6)[3:]
    (normal(case.ours, x) * v).sum().backward()
    close(x.grad, normal(case.ours, v))
    x.grad = None
    (range_projection(case.ours, x) * v).sum().backward()
    close(x.grad, range_projection(case.ours, v))


def test_noise_has_its_level_on_measured_entries_and_none_elsewhere(noisy):
    images = noisy.images(8)
    clean = noisy.ours.A(images)
    noise = measure(noisy.ours, images, seed=0) - clean
    measured = (clean != 0).any(0).expand_as(clean)
    assert noise[measured].std().item() == pytest.approx(0.1, rel=0.05)
    assert not noise[~measured].any()


def test_measure_is_reproducible(noisy):
    first = measure(noisy.ours, noisy.images(), seed=3)
    close(measure(noisy.ours, noisy.images(), seed=3), first, 0)
    assert not torch.equal(measure(noisy.ours, noisy.images(), seed=4), first)


@pytest.mark.parametrize("make", NOISY.values(), ids=NOISY)
def test_the_generator_of_the_noise_is_seeded(make):
    one, other = make(), make()
    close(one.ours(one.images()), other.ours(other.images()), 0)


def test_what_an_operator_is_built_from_cannot_be_changed():
    with pytest.raises(ValueError, match=r"mask='Tensor'.*fixed at construction"):
        mri().ours.A(mri().images(), mask=torch.ones(16, 16))
    with pytest.raises(ValueError, match=r"coil_maps=.*fixed at construction"):
        multicoil().ours.update(coil_maps=torch.ones(1, 4, 16, 16, dtype=torch.complex64))
    with pytest.raises(ValueError, match=r"factor='int'.*fixed at construction"):
        downsampling(2).ours.A(downsampling(2).images(), factor=4)


def test_tolerance_is_that_of_the_analysis():
    assert RTOL == analysis.ZERO


def test_squared_norm_by_power_iteration():
    kernel = torch.ones(1, 1, 3, 3) / 9
    blur = BlurFFT(img_size=(1, 16, 16), filter=kernel)
    assert squared_norm(blur, (1, 16, 16)) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(
    ("make", "arguments", "named"),
    [
        (HadamardCamera, {"ratio": 0.0}, "ratio=0.0"),
        (HadamardCamera, {"ratio": 1.5}, r"ratio=1\.5"),
        (HadamardCamera, {"ratio": float("nan")}, "ratio=nan"),
        (HadamardCamera, {"img_size": (1, 30, 30)}, r"img_size=\(1, 30, 30\)"),
        (HadamardCamera, {"img_size": (1, 32, 16)}, "img_size"),
        (HadamardCamera, {"ordering": "random"}, "ordering='random'.*cake_cutting"),
        (HadamardCamera, {"noise": -1.0}, "noise=-1.0"),
        (HadamardCamera, {"noise": float("inf")}, "noise=inf"),
        (CartesianMRI, {"acceleration": 0.5}, r"acceleration=0\.5.*1 or above"),
        (CartesianMRI, {"acceleration": float("nan")}, "acceleration=nan"),
        (CartesianMRI, {"acceleration": 20.0}, r"acceleration=20\.0.*at most.* = 10\.6667"),
        (CartesianMRI, {"center_fraction": 1.1}, r"center_fraction=1\.1"),
        (CartesianMRI, {"img_size": (1, 32, 32)}, r"img_size=\(1, 32, 32\).*real and imaginary"),
        (CartesianMRI, {"img_size": (32, 32)}, r"img_size=\(32, 32\)"),
        (CartesianMRI, {"noise": float("nan")}, "noise=nan"),
        (CartesianMRI, {"mask": torch.ones(31)}, r"mask.shape=\(31,\).*\(32,\)"),
        (CartesianMRI, {"mask": torch.full((32,), 0.5)}, r"mask=\[0\.5\].*0 and 1"),
        (CartesianMRI, {"mask": torch.zeros(32)}, r"mask=\[0\.0\].*not all zero"),
        (MultiCoilCartesianMRI, {"acceleration": 0.0}, r"acceleration=0\.0"),
        (MultiCoilCartesianMRI, {"coils": 0}, "coils=0"),
        (MultiCoilCartesianMRI, {"coils": torch.ones(4, 32, 32)}, "coils=.*complex maps"),
        (MultiCoilCartesianMRI, {"coils": torch.ones(4, 8, 8) + 0j}, r"coils=.*\(C, \*\(32, 32\)\)"),
        (MultiCoilCartesianMRI, {"rtol": 0.0}, r"rtol=0\.0"),
        (FourierDownsampling, {"factor": 0}, "factor=0"),
        (FourierDownsampling, {"factor": 2.5}, r"factor=2\.5.*integer"),
        (FourierDownsampling, {"factor": 3}, r"img_size=\(1, 32, 32\).*multiples of factor=3"),
        (FourierDownsampling, {"img_size": (32, 32)}, r"img_size=\(32, 32\).*\(C, H, W\)"),
        (FourierDownsampling, {"filter": "box"}, "filter='box'.*gaussian"),
        (FourierDownsampling, {"std": 0.0}, r"std=0\.0"),
        (FourierDownsampling, {"std": 1e-30}, r"std=1e-30.*finite"),
        (FourierDownsampling, {"std": 1.0, "filter": "bicubic"}, r"std=1\.0.*filter='gaussian'"),
        (FourierDownsampling, {"noise": -1.0}, "noise=-1.0"),
        (FourierDownsampling, {"rtol": 1.0}, r"rtol=1\.0"),
    ],
)
def test_bad_arguments_are_named(make, arguments, named):
    good = {
        HadamardCamera: {"ratio": 0.1, "img_size": (1, 32, 32)},
        CartesianMRI: {"img_size": (2, 32, 32)},
        MultiCoilCartesianMRI: {"img_size": (2, 32, 32)},
        FourierDownsampling: {"factor": 2, "img_size": (1, 32, 32)},
    }[make]
    with pytest.raises(ValueError, match=named):
        make(**(good | arguments))


def test_construction_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in CASES.values():
            make().ours.A(make().images())


@pytest.mark.parametrize("make", [camera, mri, multicoil])
def test_a_single_row_is_not_spread_over_the_image(make):
    physics, x = make().ours, make().images()
    with pytest.raises(ValueError, match=r"x\.shape=\(3, ., 1, 16\): expected \(N, …, 16, 16\)"):
        physics.A(x[..., :1, :])
    with pytest.raises(ValueError, match=r"y\.shape=.*expected \(N, …, 16, 16\)"):
        physics.A_adjoint(physics.A(x)[..., :1, :])


def test_deepinv_profits_from_the_quick_form(case):
    x = case.images()
    y = case.theirs.A(x)
    z = case.images(6)[3:]
    applied = []
    measure_once = case.ours.A
    case.ours.A = lambda v: applied.append(1) or measure_once(v)
    grad = L2().grad(z, y, case.ours)
    close(grad, gradient(case.ours, z, case.theirs.A_adjoint(y)), 1e-4)
    quick = isinstance(case.ours, CartesianMRI | MultiCoilCartesianMRI | HadamardCamera)
    assert not (quick and applied)


@pytest.mark.parametrize(
    "ask",
    [normal, range_projection, lambda physics, x: newton(physics, x, 1e-3), lambda physics, x: physics.A(x)],
)
def test_autocast_changes_no_bit(case, ask):
    x = case.images()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = ask(case.ours, x)
    assert torch.equal(mixed, ask(case.ours, x))


def test_what_a_network_made_in_half_precision_is_widened():
    x = camera().images().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        assert null_projection(camera().ours, x).dtype == torch.float32


def test_operators_are_pickled(case):
    twin, x = pickle.loads(pickle.dumps(case.ours)), case.images()
    assert torch.equal(twin(x), copy.deepcopy(case.ours)(x))
    assert torch.equal(range_projection(twin, x), range_projection(case.ours, x))
