"""Preconditioners that follow from the operator alone."""

import torch

from ..checks import require_positive
from ..operators import newton
from .base import Preconditioner, State


class Newton(Preconditioner):
    r"""The damped Newton step, :math:`P(g) = \|A\|^2 (A^\top A + \lambda \|A\|^2 I)^{-1} g`.

    With the step 1/‖A‖² and λ → 0 one step fits the data in every mode of the range at once; λ keeps it from
    amplifying the noise of weak modes, those with a relative singular value below √λ.  Where A Aᵀ = I it is a scalar
    on every gradient, 1/(1 + λ).

    Parameters
    ----------
    damping : float
        λ, relative to ‖A‖²; above zero.

    Raises
    ------
    ValueError
        If ``damping`` is not a finite number above zero.

    References
    ----------
    Levenberg, "A method for the solution of certain non-linear problems in least squares", 1944; Hansen, "Discrete
    inverse problems", 2010, for its relation to Tikhonov's regularisation.
    """

    def __init__(self, damping: float) -> None:
        super().__init__()
        require_positive("damping", damping)
        self.damping = damping

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the Newton direction for a gradient (N, C, H, W)."""
        return newton(state.physics, grad, self.damping)
