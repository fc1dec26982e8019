"""What solvers and analysis ask of a linear operator: AᵀA, A⁺A, (AᵀA + λ)⁻¹ and ‖A‖².

Every function works with any of deepinv's linear operators.  Where an operator offers a quicker or more exact form,
it is used: :mod:`~ddgp_lib.operators.protocol` lists them.
"""

from collections.abc import Callable
from typing import Any, TypeGuard

import torch
from deepinv.physics import DecomposablePhysics, LinearPhysics

from ..arguments import require, require_img_size, require_positive, require_seed, require_tensor
from ._common import naming, single_precision
from .iterative import largest_eigenvalue, norms, project_on_range, solve_symmetric, start_vector
from .known import found_once
from .noise import add_noise
from .protocol import require_physics

IMAGE_TYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)
"""Types that an operator is asked for, the first that it takes."""
SEEN = 1e-5
"""Singular values below this fraction of the largest count as zero where an operator is given by them."""


def measure(
    physics: LinearPhysics, images: torch.Tensor, seed: int, levels: torch.Tensor | None = None
) -> Any:
    """Simulate y = A x + w, with noise that depends on the seed and on nothing else.

    Each call has a generator of its own: the operator's own is neither used nor changed, and threads do not disturb
    each other.  In a loop over batches a seed for each batch gives each its own noise; one seed gives them the same.
    (Where a noise model is a function, or draws from PyTorch's global generator, that is seeded for the call and put
    back, so that only one thread at a time may draw.)

    Parameters
    ----------
    physics : LinearPhysics
        The operator A with its noise model.
    images : Tensor, shape (N, C, H, W)
        True images x, real or complex; N ≥ 1, with finite entries.
    seed : int
        Seed of the noise w, from 0 to 2⁶³ − 1.
    levels : Tensor, shape (N,), optional
        Standard deviations of Gaussian noise, one for each image; by default the operator's own.

    Returns
    -------
    Tensor or TensorList
        Measurements y.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the images are not of the shape that the operator measures.
    """
    require_physics(physics)
    require_seed("seed", seed)
    require_tensor("images", images, dimensions=4)
    require(images.numel() > 0, "images.shape", tuple(images.shape), "at least one image and one pixel")
    shape, wanted = tuple(images.shape), f"images of the shape that {type(physics).__name__} measures"
    with naming("images.shape", shape, lambda: wanted):
        clean = single_precision(physics.A)(images.clone())  # whatever A does to it
        with torch.no_grad():
            back = single_precision(physics.A_adjoint)(clean)
    require(tuple(back.shape) == shape, "images.shape", shape, f"{wanted}, such as {tuple(back.shape)}")
    return add_noise(physics, clean, int(seed), levels)


@single_precision
def range_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """A⁺A x: the part of an image that the measurements determine (the range of Aᵀ).

    It is exact where the operator has a method ``range_projection`` or where deepinv knows its singular values, of
    which those below 1e-5 of the largest count as zero.  Otherwise conjugate gradients find it, up to what A hardly
    sees: they leave out of A x at most 1e-3 ‖A‖ ‖x‖, 1e-6 if they converge, and warn if it is more.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images.

    Warns
    -----
    RuntimeWarning
        If the conjugate gradients did not converge; it names the operator and what is left out.
    """
    return _applied(physics, "x", x, lambda: _range_projection(physics, x))


def _range_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """A⁺A x, in the quickest form."""
    quick = getattr(physics, "range_projection", None)
    if quick is not None:
        return quick(x)
    img_size = tuple(x.shape[1:])
    if _is_diagonal(physics, img_size):
        size = physics.mask.abs()
        return physics.V((size > SEEN * size.max()) * physics.V_adjoint(x))
    top = squared_norm(physics, img_size)
    return project_on_range(physics, x, top) if top > 0 else torch.zeros_like(x)


def null_projection(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """(I − A⁺A) x: the part of an image that the measurements do not see (the null space of A)."""
    return x - range_projection(physics, x)


@single_precision
def normal(physics: LinearPhysics, x: torch.Tensor) -> torch.Tensor:
    """AᵀA x: what measuring an image and projecting it back leaves of it; deepinv's ``A_adjoint_A``."""
    return _applied(physics, "x", x, lambda: physics.A_adjoint_A(x))


def gradient(physics: LinearPhysics, z: torch.Tensor, adjoint: torch.Tensor) -> torch.Tensor:
    """∇g(z) = AᵀA z − Aᵀy, the gradient of g(z) = ½‖A z − y‖², with ``adjoint`` = Aᵀy computed once."""
    require_tensor("adjoint", adjoint, finite=False)
    require_tensor("z", z, finite=False)
    require(z.shape == adjoint.shape, "z.shape", tuple(z.shape), f"{tuple(adjoint.shape)}, as adjoint")
    return _applied(physics, "z", z, lambda: physics.A_adjoint_A(z)) - adjoint


@single_precision
def newton(physics: LinearPhysics, x: torch.Tensor, damping: float | torch.Tensor) -> torch.Tensor:
    """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x with λ = ``damping`` > 0: the Newton–Tikhonov step for a gradient x.

    A component of a gradient along a singular vector of relative singular value s/‖A‖ = r comes out multiplied by
    1/(r² + λ).  It is a closed form where the operator has a method ``newton`` or where deepinv knows its singular
    vectors, and found by conjugate gradients otherwise.  These stop at a residual of 1e-6 ‖x‖, so for x in the
    range of Aᵀ the relative error stays below about 1e-6 (1 + 1/λ), and take up to ½ √(1 + 1/λ) ln(2e6 √(1 + 1/λ))
    products with AᵀA.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images, such as gradients.
    damping : float, or Tensor of shape (N,)
        λ, above zero; a tensor where each image has its own, which are then taken one after the other.

    Raises
    ------
    ValueError
        If ``damping`` is not a finite number above zero, or N of them, or A is zero.

    References
    ----------
    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
    """
    if isinstance(damping, torch.Tensor):
        require_tensor("x", x, dimensions=4, finite=False)
        require_tensor("damping", damping, shape=tuple(x.shape[:1]))
        pairs = zip(x.split(1), damping.tolist(), strict=True)
        return torch.cat([newton(physics, image, level) for image, level in pairs])
    require_positive("damping", damping)
    return _applied(physics, "x", x, lambda: _newton(physics, x, damping))


def _newton(physics: LinearPhysics, x: torch.Tensor, damping: float) -> torch.Tensor:
    """Return the Newton step in the quickest form."""
    quick = getattr(physics, "newton", None)
    if quick is not None:
        return quick(x, damping)
    img_size = tuple(x.shape[1:])
    top = squared_norm(physics, img_size)
    require(top > 0, "physics", type(physics).__name__, "an operator that is not zero")
    if _is_diagonal(physics, img_size):
        return _decomposed_newton(physics, x, damping, top)
    return solve_symmetric(lambda v: normal(physics, v) / top + damping * v, x, 1 + 1 / damping)


def squared_norm(physics: LinearPhysics, img_size: tuple[int, ...]) -> float:
    """‖A‖², the largest eigenvalue of AᵀA and the Lipschitz constant of ∇½‖A x − y‖².

    Exact where the singular values are known.  Otherwise it is found by power iteration, once for each operator, and
    again when one of its tensors has changed.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of its images.
    """
    require_physics(physics)
    quick = getattr(physics, "squared_norm", None)
    if quick is not None:
        return quick
    require_img_size("img_size", img_size)
    shape = tuple(img_size)
    if _is_diagonal(physics, shape):
        return float(physics.mask.abs().max()) ** 2
    return found_once(physics, "squared norm", shape, lambda: _power_iteration(physics, shape))


def _applied(
    physics: LinearPhysics, argument: str, images: torch.Tensor, apply: Callable[[], torch.Tensor]
) -> torch.Tensor:
    """Return ``apply()``, after a look at what it is applied to, and whether images of that shape come back.

    What is no operator is refused, and what are no images (N, C, H, W), or none that the operator takes.  Whether
    they are finite is not looked at, which takes longer.
    """
    require_physics(physics)
    require_tensor(argument, images, dimensions=4, finite=False)
    require(images.numel() > 0, f"{argument}.shape", tuple(images.shape), "images with pixels, one or more")
    try:
        result = apply()
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, IndexError) as error:
        given = f"{tuple(images.shape)} of {images.dtype}"
        name, why = type(physics).__name__, f"{type(error).__name__}: {error}"
        raise ValueError(f"{argument}={given}: expected images that {name} takes ({why})") from error
    require(
        result.shape == images.shape,
        f"{argument}.shape",
        tuple(images.shape),
        f"images of {type(physics).__name__}, {tuple(result.shape)}",
    )
    return result


def _power_iteration(physics: LinearPhysics, img_size: tuple[int, ...]) -> float:
    """‖A‖², with images of the precision that the operator takes."""
    v = _accepted_image(physics, img_size)
    return largest_eigenvalue(lambda u: normal(physics, u), img_size, dtype=v.dtype, device=v.device)


def _accepted_image(physics: LinearPhysics, img_size: tuple[int, ...]) -> torch.Tensor:
    """Return a random image (1, C, H, W) of a type that the operator takes: its own, single, double or complex."""
    own = [t for t in [*physics.parameters(), *physics.buffers()] if t.is_floating_point()]
    device = own[0].device if own else torch.device("cpu")
    dtypes = dict.fromkeys([*[t.dtype for t in own[:1]], *IMAGE_TYPES])
    refused: list[RuntimeError | ValueError] = []
    for dtype in dtypes:
        v = start_vector(img_size, dtype, device)
        try:
            with torch.no_grad():
                physics.A(v)
        except (RuntimeError, ValueError) as error:  # PyTorch's and this book's for tensors of two types
            refused.append(error)
        else:
            return v
    raise refused[0]


def _is_diagonal(physics: LinearPhysics, img_size: tuple[int, ...]) -> TypeGuard[DecomposablePhysics]:
    """Say whether A is deepinv's U diag(s) Vᵀ with a square orthogonal V, and its ``prox_l2`` a closed form.

    Some operators that are given in that form have other U and V; so it is tried on a random image.
    """
    if not isinstance(physics, DecomposablePhysics):
        return False
    return found_once(physics, "is diagonal", img_size, lambda: _inverts(physics, img_size))


def _inverts(physics: DecomposablePhysics, img_size: tuple[int, ...]) -> bool:
    """Try V Vᵀ v = v, and (AᵀA/‖A‖² + λ) n = v for the Newton step n, with a strong and a weak λ."""
    top = float(physics.mask.abs().max()) ** 2
    if not 0 < top < float("inf"):
        return False
    try:
        v = _accepted_image(physics, img_size)
        with torch.no_grad():
            deviations = [physics.V(physics.V_adjoint(v)) - v]
            for damping in (1.0, 1e-2):
                n = _decomposed_newton(physics, v, damping, top)
                deviations.append(damping * (physics.A_adjoint(physics.A(n)) / top + damping * n - v))
    except (RuntimeError, TypeError, ValueError):
        return False
    return all(bool((norms(d) <= 1e-4 * norms(v)).all()) for d in deviations)


def _decomposed_newton(
    physics: DecomposablePhysics, x: torch.Tensor, damping: float, top: float
) -> torch.Tensor:
    """Return the Newton step by deepinv's proximal map."""
    return physics.prox_l2(x, torch.zeros_like(physics.A(x)), 1 / (damping * top)) / damping
