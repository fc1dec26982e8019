"""A preconditioner that learns the curvature along a run, from the last two gradients."""

from dataclasses import dataclass, replace
from numbers import Integral

import torch

from ..arguments import require_instance, require_number, require_tensor
from ..operators import norms, squared_norm
from .base import Preconditioner, State

ROUNDING = 10
"""A change of the gradient below this many units in the last place of the point is rounding error."""


@dataclass(frozen=True)
class _Point:
    """Where a run was in one iteration."""

    state: State
    grad: torch.Tensor

    def precedes(self, state: State) -> bool:
        """Say whether the run at ``state`` was here one iteration ago."""
        then = self.state
        return then.y is state.y and then.physics is state.physics and bool(then.k == state.k - 1)


class SR1(Preconditioner):
    r"""Zero-memory symmetric rank-one quasi-Newton steps, image by image.

    In each iteration the change of the gradient is compared with the change of the point, in units where ‖A‖² = 1,

    .. math:: s = z_k - z_{k-1}, \qquad m = (\nabla g(z_k) - \nabla g(z_{k-1})) / \|A\|^2 = A^\top A\, s / \|A\|^2 .

    The direction is P(g) = H g with a multiple of the identity and one symmetric rank-one term,

    .. math::

        H = \tau I + \frac{(s - \tau v)(s - \tau v)^\top}{\langle v, s - \tau v \rangle}, \qquad
        \tau = r - \sqrt{r^2 - \frac{\langle s, s \rangle}{\langle v, v \rangle}}, \quad
        r = \frac{\langle s, s \rangle}{\langle v, s \rangle} ,

    so H v = s: it is the inverse of AᵀA along s.  H is symmetric and positive definite, with the eigenvalues τ and,
    once, 2r − τ.  Here :math:`v = \beta s + (1 - \beta) m`, with the smallest β among 0, 0.01, …, 1 for which
    :math:`\langle v, s \rangle \ge \theta_1 \langle s, s \rangle` and
    :math:`\langle v, v \rangle \le \theta_2 \langle v, s \rangle`: where A hardly sees s, β damps the step.
    Where m is too small to be told from rounding error, H is the identity.

    It costs no products with AᵀA.  The method is made for runs without momentum, where z_k = x_k.

    Parameters
    ----------
    theta_1 : float
        θ₁, above 0 and at most 1; no eigenvalue of H is above 2/θ₁.
    theta_2 : float
        θ₂, 1 or above.

    Raises
    ------
    ValueError
        If a parameter is outside what is accepted, or if it is called with a k that differs between images.

    Notes
    -----
    It remembers the last point, its gradient, and the run they belong to: the same measurements ``state.y`` (that
    very tensor) and the same operator.  Applied at iteration k without the point of iteration k − 1 of that run, such
    as at k = 0 or after another run, it returns the gradient itself.  Applied again in one iteration it compares with
    the iteration before again.  So it serves one run after another; two runs in turns, step by step, would both be
    without it.  A safeguard that rejects an image leaves the others as they are.

    The residuals of such a run go up and down, as those of other quasi-Newton methods without a line search do.
    Where ∇g(x_0) = 0, as at x_0 = Aᵀy with A Aᵀ = I, H undoes the first step, and the second iterate is the first
    again.

    References
    ----------
    Hong, Xu, Hu and Fessler, "Provable preconditioned plug-and-play approach for compressed sensing MRI
    reconstruction", IEEE Trans. Comput. Imaging, 2024; Becker, Fadili and Ochs, "On quasi-Newton forward-backward
    splitting", SIAM J. Optim. 29(4), 2019, for the rank-one H.  Leaving H out at rounding level is this book's.
    """

    def __init__(self, theta_1: float = 2e-6, theta_2: float = 200.0) -> None:
        super().__init__()
        _require_bounds(theta_1, theta_2)
        self.theta_1 = theta_1
        self.theta_2 = theta_2
        self._points: list[_Point] = []

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return H g for a gradient (N, C, H, W), or g itself where there is no previous iteration."""
        require_instance("state.k", state.k, Integral, "an integer, the same for all images")
        before = [point for point in self._points if point.precedes(state)]
        self._points = [*before, _Point(replace(state, z=state.z.detach()), grad.detach())]
        if not before:
            return grad
        top = squared_norm(state.physics, tuple(grad.shape[1:]))
        s, m = state.z - before[0].state.z, (grad - before[0].grad) / top
        resolved = norms(m) > ROUNDING * torch.finfo(m.dtype).eps * norms(state.z)
        s = torch.where(resolved[:, None, None, None], s, 0.0)
        return rank_one_direction(grad, s, m, self.theta_1, self.theta_2)


def _require_bounds(theta_1: float, theta_2: float) -> None:
    require_number("theta_1", theta_1, above=0, highest=1)
    require_number("theta_2", theta_2, lowest=1)


def rank_one_direction(
    grad: torch.Tensor, s: torch.Tensor, m: torch.Tensor, theta_1: float = 2e-6, theta_2: float = 200.0
) -> torch.Tensor:
    """Return H g with the H of :class:`SR1`.

    Parameters
    ----------
    grad : Tensor, shape (N, C, H, W)
        g.
    s, m : Tensor, shape (N, C, H, W)
        Change of the point and change of the gradient; where s is zero, H is the identity.
    theta_1, theta_2 : float
        θ₁ and θ₂.

    Returns
    -------
    Tensor, shape (N, C, H, W)
    """
    require_tensor("grad", grad, finite=False)
    for name, change in {"s": s, "m": m}.items():
        require_tensor(name, change, shape=tuple(grad.shape), finite=False)
    _require_bounds(theta_1, theta_2)
    g, s, m = (batch.flatten(1).double() for batch in (grad, s, m))
    beta = damping_weights(s, m, theta_1, theta_2)[:, None]
    v = beta * s + (1 - beta) * m
    ss, vs, vv = _dot(s, s), _dot(v, s), _dot(v, v)
    moved = ss > 0
    r, q = torch.where(moved, ss / vs, 1.0), torch.where(moved, ss / vv, 1.0)
    tau = q / (
        r + (r**2 - q).clamp(min=0).sqrt()
    )  # r − √(r² − q), without the difference of two near numbers
    rest = s - tau * v
    rho = _dot(v, rest)
    curved = rho > 1e-8 * (vv * _dot(rest, rest)).sqrt()  # otherwise the rank-one term is negligible
    rank_one = torch.where(curved, _dot(rest, g) / torch.where(curved, rho, 1.0), 0.0) * rest
    return (tau * g + rank_one).reshape(grad.shape).to(grad.dtype)


def damping_weights(s: torch.Tensor, m: torch.Tensor, theta_1: float, theta_2: float) -> torch.Tensor:
    """Smallest β of each image that :class:`SR1` accepts, shape (N,), for s and m of shape (N, n)."""
    beta = torch.linspace(0, 1, 101, dtype=s.dtype, device=s.device)  # (101,) against (N, 1)
    ss, ms, mm = _dot(s, s), _dot(m, s), _dot(m, m)
    vs = beta * ss + (1 - beta) * ms
    vv = beta**2 * ss + 2 * beta * (1 - beta) * ms + (1 - beta) ** 2 * mm
    accepted = (vs >= theta_1 * ss) & (vv <= theta_2 * vs)
    accepted[:, -1] = True  # v = s
    return beta[accepted.int().argmax(dim=1)]


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Inner product of each image, shape (N, 1), of batches (N, n)."""
    return (a * b).sum(dim=1, keepdim=True)
