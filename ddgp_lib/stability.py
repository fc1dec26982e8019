r"""How much one iteration of a solver magnifies a small change of the image, near a given image.

The map of one iteration is :math:`T(z) = D_\sigma(z - \alpha P(\nabla g(z); z))`, for HQS its like.  With J its
Jacobian at z, a change v becomes J v.  The spectral norm of J, the local Lipschitz constant, bounds the magnification
of one step; its spectral radius ρ rules that of many steps taken near z.  Where ρ < 1 at a fixed point, the iteration
without momentum returns to it from nearby; where ρ > 1, it leaves.  The norm can be above 1 while ρ is below.

Momentum changes the statements on ρ: an eigenvalue ζ of J becomes the two roots ω of ω² − (1 + β) ζ ω + β ζ = 0.
"""

from collections.abc import Callable

import torch
from deepinv.physics import LinearPhysics

from .arguments import require, require_generator, require_images, require_integer
from .operators import norms
from .solvers import PreconditionedADMM, PreconditionedSolver

Map = Callable[[torch.Tensor], torch.Tensor]
"""A map from images to images."""


def iteration_map(solver: PreconditionedSolver, y: torch.Tensor, physics: LinearPhysics, k: int = 0) -> Map:
    """Return T: z ↦ x_{k+1}, one iteration of a solver from the point z on, without its safeguard.

    Parameters
    ----------
    solver : PreconditionedSolver
        FISTA, PGD or HQS; an iteration of ADMM starts from two images.
    y : Tensor
        Measurements.
    physics : LinearPhysics
        The operator A.
    k : int
        The iteration, which counts where the denoiser's weight or the preconditioner depends on it.

    Returns
    -------
    callable
        T, differentiable.

    Raises
    ------
    ValueError
        If the solver is ADMM.
    """
    one_image = isinstance(solver, PreconditionedSolver) and not isinstance(solver, PreconditionedADMM)
    require(one_image, "solver", type(solver).__name__, "a solver whose iteration starts from one image")
    require_integer("k", k, lowest=0)
    iteration, problem = solver.fixed_point.iterator, solver.problem(y, physics, k)
    return lambda z: iteration.step((z, z), k, problem, problem.fade(iteration.preconditioner, k)).est[0]


def local_lipschitz(
    solver: PreconditionedSolver,
    y: torch.Tensor,
    physics: LinearPhysics,
    x: torch.Tensor,
    *,
    k: int = 0,
    iterations: int = 50,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    r"""Spectral norm of the Jacobian J of one iteration at an image, by power iteration on JᵀJ.

    .. math::

        v \leftarrow J^\top J v / \|J^\top J v\|, \qquad \|J\| \approx \|J v\| \quad \text{for } \|v\| = 1

    The estimate approaches the norm from below.

    Parameters
    ----------
    solver, y, physics, k
        See :func:`iteration_map`.
    x : Tensor, shape (N, C, H, W)
        Where the Jacobian is taken, for instance the iterates at which a run ended.
    iterations : int
        Steps of the power iteration, at most 10,000, each one forward and one backward derivative of T.
    generator : torch.Generator, optional
        Draws the first v; by default one with seed 0.

    Returns
    -------
    Tensor, shape (N,)
        ‖J‖ for each image; T treats the images of a batch apart.

    References
    ----------
    Golub and Van Loan, "Matrix Computations", 4th edition, 2013, section 8.2; Ryu et al., "Plug-and-play methods
    provably converge with properly trained denoisers", 2019, for what such a constant decides.
    """
    T, v = _prepare(solver, y, physics, x, k, iterations, generator)
    pull_back = torch.func.vjp(T, x)[1]
    norm = _size(v)
    for _ in range(iterations):
        pushed = torch.func.jvp(T, (x,), (v,))[1]
        norm = _size(pushed)
        v = _normalise(pull_back(pushed)[0])
    return norm.detach().flatten()


def spectral_radius(
    solver: PreconditionedSolver,
    y: torch.Tensor,
    physics: LinearPhysics,
    x: torch.Tensor,
    *,
    k: int = 0,
    iterations: int = 100,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    r"""Spectral radius of the Jacobian J of one iteration at an image, by the growth of Jⁿv.

    .. math::

        \rho(J) \approx \Bigl(\|J^n v\| / \|J^{n/2} v\|\Bigr)^{2/n}

    J need not be symmetric, so a single step may grow or shrink by more; the mean over the later half of the steps
    also holds for a pair of complex eigenvalues.  It is an estimate and no bound: for a normal J it approaches ρ from
    below, for another one it may lie on either side.

    Parameters
    ----------
    solver, y, physics, x, k, generator
        See :func:`local_lipschitz`.
    iterations : int
        n, from 2 to 10,000: steps, each one forward derivative of T.

    Returns
    -------
    Tensor, shape (N,)
        ρ(J) for each image.

    References
    ----------
    Gelfand's formula; Golub and Van Loan, "Matrix Computations", 4th edition, 2013, section 7.3.
    """
    require_integer("iterations", iterations, lowest=2, highest=10_000)
    T, v = _prepare(solver, y, physics, x, k, iterations, generator)
    logarithms = []
    for _ in range(iterations):
        v = torch.func.jvp(T, (x,), (v,))[1].detach()
        logarithms.append(_size(v).flatten().log())
        v = _normalise(v)
    return torch.stack(logarithms[iterations // 2 :]).mean(dim=0).exp()


def _prepare(
    solver: PreconditionedSolver,
    y: torch.Tensor,
    physics: LinearPhysics,
    x: torch.Tensor,
    k: int,
    iterations: int,
    generator: torch.Generator | None,
) -> tuple[Map, torch.Tensor]:
    require_images("x", x)
    require_integer("iterations", iterations, lowest=1, highest=10_000)
    require_generator("generator", generator, none=True)
    T, images = iteration_map(solver, y, physics, k), tuple(physics.A_adjoint(y).shape)
    require(tuple(x.shape) == images, "x.shape", tuple(x.shape), f"{images}, as the images of y")
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    v = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype).to(x.device)
    return T, _normalise(v)


def _size(batch: torch.Tensor) -> torch.Tensor:
    """Norm of each image, shape (N, 1, 1, 1)."""
    return norms(batch)[:, None, None, None]


def _normalise(batch: torch.Tensor) -> torch.Tensor:
    return batch / _size(batch).clamp(min=torch.finfo(batch.dtype).tiny)
