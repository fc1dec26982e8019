"""Newton's damped step without a closed form: conjugate gradients, stopped as soon as the step is good enough."""

import torch

from ..arguments import require, require_number, require_positive
from ..operators import normal, norms, squared_norm
from ..operators.iterative import spread
from .base import Preconditioner, State

MOST = 500
"""Products of one step at most."""


class InexactNewton(Preconditioner):
    r"""The step d of Newton with :math:`\|(A^\top A / \|A\|^2 + \lambda I)\, d - g\| \le \eta \|g\|`.

    Conjugate gradients start from d = 0, and stop each image's step there.  A closed form is not used, even where the
    operator has one.  Each of their iterations is a product with AᵀA, which :class:`~ddgp_lib.operators.Counted`
    counts; ``products`` is 0, since no fixed number can be told beforehand.  An early stop is no linear map of g.

    Parameters
    ----------
    damping : float
        λ, relative to ‖A‖²; above zero.
    tolerance : float
        η, above zero and below 1; 1e-6 is as good as exact.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the operator is zero.

    References
    ----------
    Dembo, Eisenstat and Steihaug, "Inexact Newton methods", SIAM J. Numer. Anal. 19(2), 1982; Hestenes and Stiefel,
    "Methods of conjugate gradients for solving linear systems", 1952.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib import State
    >>> from ddgp_lib.operators import Counted, FourierDownsampling
    >>> from ddgp_lib.preconditioners import InexactNewton
    >>> x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> camera = Counted(FourierDownsampling(2, (1, 16, 16), std=1.0), (1, 16, 16))
    >>> direction = InexactNewton(0.01, 0.3)(x, State(x, 0, camera, camera.A(x)))
    >>> 0 < camera.count < 10
    True
    """

    def __init__(self, damping: float, tolerance: float = 0.1) -> None:
        super().__init__()
        require_positive("damping", damping)
        require_number("tolerance", tolerance, above=0, below=1)
        self.damping = damping
        self.tolerance = tolerance

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return d for a gradient g (N, C, H, W)."""
        top = squared_norm(state.physics, tuple(grad.shape[1:]))
        require(top > 0, "state.physics", type(state.physics).__name__, "an operator that is not zero")
        direction, left, search = torch.zeros_like(grad), grad, grad
        size = norms(grad)
        for _ in range(MOST):
            moving = norms(left) > self.tolerance * size
            if not bool(moving.any()):
                break
            product = normal(state.physics, search) / top + self.damping * search
            squared = norms(left).square()
            length = squared / (search * product).flatten(1).sum(dim=1)
            length = spread(torch.where(moving, length, 0.0), grad)  # the others have their step
            direction = direction + length * search
            after = left - length * product
            ratio = torch.where(moving, norms(after).square() / squared, 0.0)
            left, search = after, after + spread(ratio, grad) * search
        return direction
