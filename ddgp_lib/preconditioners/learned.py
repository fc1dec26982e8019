"""A neural network as a preconditioner."""

import torch
from torch import nn

from ..checks import require
from ..operators import null_projection
from .base import Preconditioner, State

FORMS = ("null_space", "free")
INPUTS = ("state_aware", "gradient_only")


class LearnedPreconditioner(Preconditioner):
    r"""A preconditioner P_θ built on a network N_θ.

    With N_θ fed the gradient alone (``"gradient_only"``, as in the paper) or the gradient and the iterate
    (``"state_aware"``), the two forms are

    .. math::

        P_\theta(g; z) &= g + N_\theta(g, z)                     && \text{(free)} \\
        P_\theta(g; z) &= g + (I - A^+ A)\, N_\theta(g, z)       && \text{(null space)}

    In the null-space form :math:`A P_\theta(g; z) = A g`: the step changes the measured data exactly as it would
    without a preconditioner, and the network decides only about what A does not see.

    Parameters
    ----------
    network : nn.Module
        N_θ: (N, C_in, H, W) to (N, C, H, W), with C_in = C (gradient only) or 2 C (state aware).
    form : str
        ``"null_space"`` or ``"free"``.
    inputs : str
        ``"state_aware"`` or ``"gradient_only"``.

    Raises
    ------
    ValueError
        If ``form`` or ``inputs`` is unknown.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for the free,
    gradient-only P_θ; the other three combinations are this book's.
    """

    def __init__(self, network: nn.Module, *, form: str = "null_space", inputs: str = "state_aware") -> None:
        super().__init__()
        require(form in FORMS, "form", form, f"one of {FORMS}")
        require(inputs in INPUTS, "inputs", inputs, f"one of {INPUTS}")
        self.network = network
        self.form = form
        self.inputs = inputs

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return P_θ(grad; state.z), of the gradient's shape."""
        seen = torch.cat([grad, state.z], dim=1) if self.inputs == "state_aware" else grad
        correction = self.network(seen)
        if self.form == "null_space":
            correction = null_projection(state.physics, correction)
        return grad + correction
