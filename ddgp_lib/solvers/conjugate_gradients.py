"""Conjugate gradients for least squares: the strongest rival of every linear P, where no denoiser stands between."""

from collections.abc import Iterator

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_integer, require_tensor
from ..operators import norms
from ..operators.iterative import spread
from .measurements import back_project


def cgls(
    physics: LinearPhysics, y: torch.Tensor, steps: int, start: torch.Tensor | None = None
) -> Iterator[torch.Tensor]:
    r"""Yield z_1, z_2, … of CGLS for :math:`\min_z \tfrac12 \|A z - y\|^2`, image by image.

    z_k has the smallest misfit of all points that k gradients can reach from z_0: :math:`z_0 + p(A^\top A) A^\top
    (y - A z_0)` with p of degree k − 1.  It knows no step size and no ‖A‖.  Each step costs a product with A and one
    with Aᵀ, the first step one of Aᵀ more: so z_k costs at most k + 1 products with AᵀA.

    Each step is the best for this misfit only as long as nothing else moves z.  A denoiser between the steps breaks
    the conjugacy of the directions, on which the method rests.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    y : Tensor, shape (N, …)
        Measurements.
    steps : int
        Number of steps; an image whose gradient is zero stays where it is.
    start : Tensor, shape (N, C, H, W), optional
        z_0; Aᵀy by default, as in :func:`~ddgp_lib.solvers.descend`.

    Yields
    ------
    Tensor, shape (N, C, H, W)
        z_k.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or y is not what A measures.

    References
    ----------
    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952; Björck, "Numerical
    methods for least squares problems", 1996, section 7.4.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import FourierDownsampling
    >>> from ddgp_lib.solvers import cgls
    >>> camera = FourierDownsampling(2, (1, 16, 16), std=1.0)
    >>> y = camera.A(torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)))
    >>> *_, z = cgls(camera, y, 20)
    >>> bool((camera.A(z) - y).norm() < 1e-3 * y.norm())
    True
    """
    require_integer("steps", steps, lowest=0)
    require_tensor("y", y, finite=False)
    adjoint = back_project(y, physics)
    if start is not None:
        require_tensor("start", start, shape=tuple(adjoint.shape))
    with torch.no_grad():
        z = adjoint if start is None else start
        misfit = y - physics.A(z)
        search = downhill = physics.A_adjoint(misfit)
    for _ in range(steps):
        with torch.no_grad():
            before = norms(downhill).square()
            seen = physics.A(search)
            length = _ratio(before, norms(seen).square())
            z, misfit = z + spread(length, z) * search, misfit - spread(length, misfit) * seen
            downhill = physics.A_adjoint(misfit)
            search = downhill + spread(_ratio(norms(downhill).square(), before), z) * search
        yield z


def _ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """Return the ratio of squared norms (N,), 0 where the lower one is."""
    return torch.where(below > 0, above / torch.where(below > 0, below, 1.0), 0.0)
