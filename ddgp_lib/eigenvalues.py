r"""Eigenvalues of one iteration at a fixed point, and what momentum makes of each.

Near a fixed point an error along an eigenvector of the Jacobian J, with the eigenvalue :math:`\zeta`, real or
complex, follows :math:`e_{k+1} = \zeta\,((1 + \beta)\,e_k - \beta\,e_{k-1})`.  In the long run it is multiplied in
each iteration by the larger root of :math:`\omega^2 - (1 + \beta)\,\zeta\,\omega + \beta\,\zeta = 0`.  Solved for
:math:`\zeta`, the equation says which eigenvalues neither grow nor shrink:

.. math::

    \zeta = \frac{\omega^2}{(1 + \beta)\,\omega - \beta}, \qquad \lvert \omega \rvert = 1.

Without momentum this curve is the unit circle.  As :math:`\beta \to 1` it shrinks and gets a cusp at 1.
"""

import torch
from deepinv.physics import LinearPhysics

from .arguments import require, require_images, require_integer, require_number
from .solvers import PreconditionedSolver
from .stability import iteration_map


def jacobian(
    solver: PreconditionedSolver, y: torch.Tensor, physics: LinearPhysics, x: torch.Tensor, *, k: int = 0
) -> torch.Tensor:
    """Jacobian J of one iteration at one image, as a matrix.

    Parameters
    ----------
    solver, y, physics, k
        See :func:`~ddgp_lib.stability.iteration_map`; y are the measurements of one image.
    x : Tensor, shape (1, C, H, W)
        Where J is taken, for instance a fixed point; n = C · H · W is at most 4,096.

    Returns
    -------
    Tensor, shape (n, n), double precision
        Computed by n derivatives, 64 at a time, in the precision of x.

    Raises
    ------
    ValueError
        If there is more than one image, or it has more than 4,096 entries.

    Examples
    --------
    >>> import torch
    >>> from deepinv.models import MedianFilter
    >>> import ddgp_lib
    >>> from ddgp_lib.operators import HadamardCamera
    >>> camera, x = HadamardCamera(0.25, (1, 8, 8)), torch.rand(1, 1, 8, 8)
    >>> solver = ddgp_lib.PreconditionedFISTA(MedianFilter(), sigma=0.1, stepsize=1.0)
    >>> jacobian(solver, camera.A(x), camera, x).shape
    torch.Size([64, 64])
    """
    require_images("x", x)
    n = x[0].numel()
    require(x.shape[0] == 1 and n <= 4096, "x.shape", tuple(x.shape), "one image of at most 4,096 entries")
    T, images = iteration_map(solver, y, physics, k), tuple(physics.A_adjoint(y).shape)
    require(tuple(x.shape) == images, "x.shape", tuple(x.shape), f"{images}, as the image of y")
    slope = torch.func.jacrev(lambda flat: T(flat.view_as(x)).flatten(), chunk_size=64)(x.flatten())
    return slope.detach().double()


def momentum_growth(eigenvalues: torch.Tensor, momentum: float) -> torch.Tensor:
    """Factor |ω| by which an error along each eigenvector grows per iteration in the long run.

    Parameters
    ----------
    eigenvalues : Tensor, shape (n,)
        Eigenvalues ζ of J, real or complex.
    momentum : float
        β of Nesterov's rule, from 0 to 1; for a rule that changes, its limit or its last value.

    Returns
    -------
    Tensor, shape (n,)
        The larger modulus of the two roots; below 1 the error shrinks.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    The modulus of this eigenvalue is 0.95; with momentum its error grows.

    >>> import torch
    >>> [round(float(momentum_growth(torch.tensor([0.94 + 0.1j]), beta)), 2) for beta in (0.0, 1.0)]
    [0.95, 1.16]
    """
    zeta = _complex("eigenvalues", eigenvalues)
    require_number("momentum", momentum, lowest=0, highest=1)
    half = (1 + momentum) * zeta / 2
    root = (half**2 - momentum * zeta).sqrt()
    return torch.maximum((half + root).abs(), (half - root).abs())


def stable_boundary(momentum: float, count: int = 720) -> torch.Tensor:
    """Return the closed curve around the eigenvalues whose errors shrink.

    Parameters
    ----------
    momentum : float
        β, from 0 to 1.
    count : int
        Number of points, from 3 to 100,000; the first one, at ω = 1, is repeated at the end.

    Returns
    -------
    Tensor of complex numbers, shape (count + 1,)

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    It crosses the real axis at 1 and at −1 / (1 + 2β).

    >>> import torch
    >>> curve = stable_boundary(1.0)
    >>> [round(float(point.real), 4) for point in (curve[0], curve[360])]
    [1.0, -0.3333]
    """
    require_number("momentum", momentum, lowest=0, highest=1)
    require_integer("count", count, lowest=3, highest=100_000)
    angles = torch.linspace(0, 2 * torch.pi, count + 1, dtype=torch.float64)
    omega = torch.polar(torch.ones_like(angles), angles)
    return omega**2 / ((1 + momentum) * omega - momentum)


def _complex(argument: str, values: torch.Tensor) -> torch.Tensor:
    """Return values as complex numbers in double precision, after refusing what is no tensor of finite ones."""
    accepted = isinstance(values, torch.Tensor) and (values.is_floating_point() or values.is_complex())
    require(accepted and values.numel() > 0, argument, values, "a tensor of numbers, real or complex")
    require(bool(torch.isfinite(values).all()), argument, values, "finite numbers")
    return values.to(torch.complex128)
