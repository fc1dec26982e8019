r"""Least squares by gradients in a metric, with nonnegative images: what is right, and what is not.

The problem is to minimise :math:`f(x) = \tfrac12 \lVert A x - y \rVert^2`, over all images or over x ≥ 0.  A step
from z goes through P = M⁻¹ and then onto the constraint:

.. math:: x^+ = \Pi\bigl(z - M^{-1} \nabla f(z)\bigr).

**Why the projection must be taken in M.**  Where :math:`M \succeq A^\top A`, the model q of
:mod:`~ddgp_lib.solvers.scaled_projection` lies above f and touches it at z.  Its minimum over x ≥ 0, the projection
in M, is therefore no worse than a z ≥ 0: forward-backward splitting in the metric M converges as it does in the usual
one (Combettes and Vũ, 2014; Becker and Fadili, 2012, for the metrics of quasi-Newton methods).  Since M does not
change, it is the usual method in another Hilbert space, and momentum has its usual rate,
:math:`f(x_k) - f^\star \le 2 \lVert x_0 - x^\star \rVert_M^2 / (k + 1)^2` (Beck and Teboulle, 2009).  Setting the
negative pixels to zero minimises another model: what it returns may be far above z, again and again.

**Why an inexact projection is enough.**  Let the bound of the error of u be at most τ‖u − x‖_M, as
:func:`~ddgp_lib.solvers.scaled_projection.project_nonnegative` ends.  By strong convexity its square bounds the
excess too, :math:`q(u) - \min q \le \tfrac12 \lVert g \rVert_{M^{-1}}^2 \le \tfrac12 \tau^2 \lVert u - x \rVert_M^2`,
while :math:`q(x) - \min q \ge \tfrac12 (1 - \tau)^2 \lVert u - x \rVert_M^2`.  So a step without momentum has

.. math:: f(u) \le f(x) - \tfrac12 (1 - 2 \tau) \lVert u - x \rVert_M^2 .

For τ < ½ the objective falls, the squares of the steps have a finite sum, the errors go to zero with the steps, and
every limit point is a solution.  A step with momentum is kept where the objective falls, and is otherwise taken
again from x without it, as with O'Donoghue and Candès' restarts; for momentum with errors see Schmidt, Le Roux and
Bach (2011).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_choice, require_flag, require_integer, require_number, require_tensor
from ..names import Constraint, Momentum
from ..operators import norms, single_precision
from ..operators.iterative import spread
from .measurements import back_project
from .metric import Metric, require_metric
from .rules import MOMENTUM
from .scaled_projection import project_nonnegative

CONSTRAINTS: tuple[Constraint, ...] = get_args(Constraint)
ROUNDING = 1e-6
"""Relative rise of the objective that counts as none."""


@dataclass(frozen=True)
class _Point:
    """An image (N, C, H, W), the gradient of f there, f for each image, and what the constraint added to the step."""

    x: torch.Tensor
    grad: torch.Tensor
    value: torch.Tensor
    added: torch.Tensor

    def rises_above(self, other: "_Point") -> torch.Tensor:
        """Say of each image whether f is higher than at another point, by more than rounding, or not a number."""
        return ~(self.value <= (1 + ROUNDING) * other.value)

    def where(self, chosen: torch.Tensor, other: "_Point") -> "_Point":
        """Return the images of this point where ``chosen``, shape (N,), and those of the other elsewhere."""

        def mixed(own: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
            return torch.where(spread(chosen, own), own, others)

        return _Point(*(mixed(getattr(self, key), getattr(other, key)) for key in self.__dataclass_fields__))


def descend_in_metric(
    physics: LinearPhysics,
    y: torch.Tensor,
    metric: Metric,
    steps: int,
    *,
    constraint: Constraint = "nonnegative",
    momentum: Momentum = "chambolle_dossal",
    restart: bool = True,
    tolerance: float = 0.3,
    inner_steps: int = 30,
    start: torch.Tensor | None = None,
) -> Iterator[torch.Tensor]:
    """Yield x_1, x_2, … of gradient steps in a metric on ½‖A x − y‖², with or without x ≥ 0.

    With a :class:`~ddgp_lib.solvers.metric.ScalarMetric` of ‖A‖² and without ``restart`` it is FISTA.  See
    the module for why it converges where M is at least AᵀA.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    y : Tensor
        Measurements.
    metric : Metric
        M, the inverse of the preconditioner and the step in one.
    steps : int
        Number of steps.
    constraint : str
        ``"nonnegative"``; ``"none"``; or ``"clipped"``, the wrong projection, which is here to be compared with.
    momentum : str
        A rule's name, a key of ``ddgp_lib.solvers.MOMENTUM``.
    restart : bool
        Whether a step that raises the objective of an image is taken again without momentum, which then begins
        anew; and if that raises it too, as it may where a projection was not finished or clipped, not at all.
        The objective then never rises by more than rounding.
    tolerance : float
        τ: error of a projection relative to the step, 0 or above and below ½.  Momentum adds errors up: without
        ``restart`` a run on a measured camera diverged after 100 iterations with τ = 0.3, and did not with 0.1.
    inner_steps : int
        Steps that a projection may take.
    start : Tensor, optional
        x_0, shape (N, C, H, W), an image of zeros by default.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or y is not what A measures.

    References
    ----------
    Combettes and Vũ, "Variable metric forward-backward splitting with applications to monotone inclusions in
    duality", 2014; Becker and Fadili, "A quasi-Newton proximal splitting method", 2012; Beck and Teboulle, "A fast
    iterative shrinkage-thresholding algorithm", 2009; O'Donoghue and Candès, "Adaptive restart for accelerated
    gradient schemes", 2015; Schmidt, Le Roux and Bach, "Convergence rates of inexact proximal-gradient methods for
    convex optimization", 2011.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import LenslessCamera
    >>> from ddgp_lib.solvers import CirculantMetric, descend_in_metric
    >>> camera = LenslessCamera(torch.rand(6, 8, generator=torch.Generator().manual_seed(0)))
    >>> y = camera.A(torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(1)))
    >>> *_, x = descend_in_metric(camera, y, CirculantMetric.of(camera), steps=20)
    >>> bool((x >= 0).all()), bool((camera.A(x) - y).norm() < 0.1 * y.norm())
    (True, True)
    """
    require_metric("metric", metric)
    require_integer("steps", steps, lowest=0)
    require_choice("constraint", constraint, CONSTRAINTS)
    require_choice("momentum", momentum, MOMENTUM)
    require_flag("restart", restart)
    require_number("tolerance", tolerance, lowest=0, below=0.5)
    require_integer("inner_steps", inner_steps, lowest=1)
    adjoint = back_project(y, physics)
    if start is not None:
        require_tensor("start", start, shape=tuple(adjoint.shape))
    first = torch.zeros_like(adjoint) if start is None else start
    step = _Step(physics, y, metric, constraint, tolerance, inner_steps)
    return _run(step, first, steps, momentum, restart)


@dataclass(frozen=True)
class _Step:
    """A step from a point, and what is known where it ends."""

    physics: LinearPhysics
    y: torch.Tensor
    metric: Metric
    constraint: Constraint
    tolerance: float
    inner_steps: int

    def at(self, x: torch.Tensor, added: torch.Tensor) -> _Point:
        """Return what is known at an image."""
        misfit = single_precision(self.physics.A)(x) - self.y
        return _Point(
            x, single_precision(self.physics.A_adjoint)(misfit), 0.5 * norms(misfit).square(), added
        )

    def __call__(self, z: torch.Tensor, grad: torch.Tensor, point: _Point) -> _Point:
        """Return the end of the step from z, where the gradient is ``grad``, with the present point for a start."""
        v = z - self.metric.invert(grad)
        u = self.constrained(v, point)
        return self.at(u, u - v)

    def constrained(self, v: torch.Tensor, point: _Point) -> torch.Tensor:
        """Put an image onto the constraint."""
        if self.constraint == "none":
            return v
        if self.constraint == "clipped":
            return v.clamp(min=0)
        return project_nonnegative(
            v,
            self.metric,
            start=v + point.added,
            reference=point.x,
            tolerance=self.tolerance,
            max_iter=self.inner_steps,
        ).image


def _run(
    step: _Step, first: torch.Tensor, steps: int, momentum: Momentum, restart: bool
) -> Iterator[torch.Tensor]:
    """Yield the iterates; each image has its own momentum."""
    with torch.no_grad():
        x = first if step.constraint == "none" else first.clamp(min=0)
        point = step.at(x, torch.zeros_like(x))
    z, grad, ages = point.x, point.grad, [0] * len(first)
    for _ in range(steps):
        with torch.no_grad():
            new = step(z, grad, point)
            rises = new.rises_above(point)
            if restart and bool(rises.any()):
                new = step(point.x, point.grad, point).where(rises, new)
                new = point.where(new.rises_above(point), new)
                ages = [0 if again else age for age, again in zip(ages, rises.tolist(), strict=True)]
            ages = [age + 1 for age in ages]
            beta = spread(first.new_tensor([MOMENTUM[momentum](age) for age in ages]), first)
            z = new.x + beta * (new.x - point.x)
            grad = new.grad + beta * (new.grad - point.grad)
            point = new
        yield point.x
