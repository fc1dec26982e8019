r"""The projection onto nonnegative images in a metric M, as a preconditioned step asks for it.

A gradient step through P = M⁻¹ is the minimum of a model whose curvature is M,

.. math:: q(u) = f(x) + \langle \nabla f(x), u - x \rangle + \tfrac12 (u - x)^\top M (u - x).

Under the constraint u ≥ 0 its minimum is no longer the step with its negative pixels set to zero.  It is

.. math:: \Pi_M(v) = \operatorname{argmin}_{u \ge 0}\ \tfrac12 (u - v)^\top M (u - v), \qquad v = x - P \nabla f(x),

in which a pixel that is held at zero moves its neighbours, because M couples them.  The two agree where M is
diagonal.  There is no closed form for a filter; but the problem is strictly convex with a condition number that
is known, so a few steps of accelerated projected gradients solve it, each with one product with M.
"""

from typing import NamedTuple

import torch

from ..arguments import require_integer, require_number, require_tensor
from .metric import Metric, require_metric


class ScaledProjection(NamedTuple):
    """A projection that was found, and how closely.

    Attributes
    ----------
    image : Tensor, shape (N, C, H, W)
        u ≥ 0.
    error : Tensor, shape (N,)
        Bound of ‖u − Π_M(v)‖_M, for each image.
    iterations : int
        Products with M in the loop.
    """

    image: torch.Tensor
    error: torch.Tensor
    iterations: int


def project_nonnegative(
    v: torch.Tensor,
    metric: Metric,
    *,
    start: torch.Tensor | None = None,
    reference: torch.Tensor | None = None,
    tolerance: float = 1e-3,
    max_iter: int = 100,
) -> ScaledProjection:
    r"""Project images onto x ≥ 0 in a metric: Π_M(v), by accelerated projected gradients.

    The loop ends when the bound of the error, below, is at most ``tolerance`` ‖u − r‖_M in every image, with r =
    ``reference``: where that is the iterate that a solver comes from, the error is relative to its step.  With
    G = M (u − v), and g the part of it that no constraint holds (G where u > 0, its negative part where u = 0),
    strong convexity gives

    .. math:: \lVert u - \Pi_M(v) \rVert_M \le \lVert g \rVert_{M^{-1}} \le \lVert g \rVert / \sqrt{\mu},

    where μ is the smallest eigenvalue of M.

    Parameters
    ----------
    v : Tensor, shape (N, C, H, W)
        Images.
    metric : Metric
        M.
    start : Tensor, shape (N, C, H, W), optional
        Where the loop starts, after its negative pixels are set to zero; v by default.  A solver does well to add
        what the projection before added to its v.
    reference : Tensor, shape (N, C, H, W), optional
        r; v by default.
    tolerance : float
        From 0 to 1, see above.
    max_iter : int
        Steps at most.  What was reached by then is in ``error``.

    Returns
    -------
    ScaledProjection

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Nesterov, "Introductory lectures on convex optimization", 2004, section 2.2, for the constant momentum;
    Becker and Fadili, "A quasi-Newton proximal splitting method", 2012, for proximal maps in a metric.

    Examples
    --------
    The pixel that would be negative is zero, and its neighbour moves:

    >>> import torch
    >>> from ddgp_lib.solvers import CirculantMetric, project_nonnegative
    >>> metric = CirculantMetric(torch.tensor([[[3.0, 1.0]]]), (1, 2))  # M = [[2, 1], [1, 2]]
    >>> v = torch.tensor([[[[1.0, -1.0]]]])
    >>> project_nonnegative(v, metric, tolerance=1e-6).image.round(decimals=3).flatten().tolist()
    [0.5, 0.0]
    """
    require_tensor("v", v, dimensions=4, finite=False)
    require_metric("metric", metric)
    for name, image in (("start", start), ("reference", reference)):
        if image is not None:
            require_tensor(name, image, shape=tuple(v.shape), finite=False)
    require_number("tolerance", tolerance, lowest=0, highest=1)
    require_integer("max_iter", max_iter, lowest=1)
    if bool((v >= 0).all()):
        return ScaledProjection(v, v.new_zeros(len(v)), 0)
    loop = _Loop(v, metric, v if reference is None else reference)
    return loop.run(v if start is None else start, tolerance, max_iter)


class _Loop:
    """Accelerated projected gradients on ½ dᵀM d for d = u − v; M d is kept with d, so a step takes one product."""

    def __init__(self, v: torch.Tensor, metric: Metric, reference: torch.Tensor) -> None:
        self.v, self.metric = v, metric
        self.away = v - reference
        self.away_image = metric.apply(self.away)
        condition = metric.highest / metric.lowest
        self.momentum = (condition**0.5 - 1) / (condition**0.5 + 1)
        size = v.flatten(1).norm(dim=1)
        self.rounding = torch.finfo(v.dtype).eps * (condition * metric.highest) ** 0.5 * size

    def run(self, start: torch.Tensor, tolerance: float, max_iter: int) -> ScaledProjection:
        """Return the projection, after ``max_iter`` steps at most."""
        d = z = start.clamp(min=0) - self.v
        d_image = z_image = self.metric.apply(d)
        iterations = 0
        while True:
            iterations += 1
            before, before_image = d, d_image
            u = (self.v + z - z_image / self.metric.highest).clamp(min=0)
            d = u - self.v
            d_image = self.metric.apply(d)
            error = self.error(u, d_image)
            step = _length(d + self.away, d_image + self.away_image)
            near = bool((error <= torch.maximum(tolerance * step, self.rounding)).all())
            if near or iterations == max_iter:
                return ScaledProjection(u, error, iterations)
            z = d + self.momentum * (d - before)
            z_image = d_image + self.momentum * (d_image - before_image)

    def error(self, u: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        """Bound of the distance to the solution, for each image, from the slope M (u − v)."""
        free = torch.where(u > 0, slope, slope.clamp(max=0))
        return free.flatten(1).norm(dim=1) / self.metric.lowest**0.5


def _length(x: torch.Tensor, x_image: torch.Tensor) -> torch.Tensor:
    """‖x‖_M of images (N, C, H, W), from x and M x."""
    return (x * x_image).flatten(1).sum(1).clamp(min=0).sqrt()
