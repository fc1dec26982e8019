r"""A denoiser that is a gradient step on a learned function, so that plug-and-play has an objective again.

:math:`D(u) = u - \gamma \nabla h(u)` for a network h with one number for each image.  Its Jacobian
:math:`I - \gamma \nabla^2 h(u)` is symmetric.  If its eigenvalues are above 0, D is the proximal map of a function
:math:`\varphi`, which need not be convex but can be evaluated where D ends:
:math:`\varphi(D(u)) = \gamma h(u) - \tfrac12 \lVert u - D(u) \rVert^2`.  Proximal gradient descent with this D then
lowers :math:`\alpha g + \varphi` in every iteration if :math:`\alpha \le 1/L`.
"""

from typing import Any

import torch
from deepinv.models import Denoiser
from torch import nn

from .arguments import require_number, require_size, require_tensor


class GradientStepDenoiser(Denoiser):
    r"""Denoiser :math:`D(u) = u - \gamma \nabla h(u)` for one noise level, with a small convolutional h.

    Parameters
    ----------
    channels : int
        Channels of an image.
    width : int
        Channels inside the network.
    strength : float
        γ, above 0 and at most 1.  Below 1 it moves every eigenvalue ζ of the Jacobian to 1 − γ (1 − ζ).

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Hurault, Leclaire and Papadakis, "Gradient step denoiser for convergent plug-and-play", 2022, for the form, and
    "Proximal denoiser for convergent plug-and-play optimization with nonconvex regularization", 2022, for
    :math:`\varphi`; Gribonval, "Should penalized least squares regression be interpreted as maximum a posteriori
    estimation?", 2011.

    Examples
    --------
    >>> import torch
    >>> denoiser = GradientStepDenoiser(width=4)
    >>> denoiser(torch.rand(2, 1, 16, 16)).shape
    torch.Size([2, 1, 16, 16])
    """

    def __init__(self, channels: int = 1, width: int = 16, strength: float = 1.0) -> None:
        super().__init__()
        require_size("channels", channels)
        require_size("width", width)
        require_number("strength", strength, above=0, highest=1)
        self.strength = float(strength)
        smooth = nn.Softplus(beta=20)  # twice differentiable, so that the Jacobian exists everywhere
        self.network = nn.Sequential(
            nn.Conv2d(channels, width, 5, padding=2),
            smooth,
            nn.Conv2d(width, width, 5, padding=2, stride=2),
            smooth,
            nn.Conv2d(width, width, 3, padding=1),
            smooth,
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def potential(self, u: torch.Tensor) -> torch.Tensor:
        """h(u) for images (N, C, H, W), shape (N,)."""
        return self.network(u).sum((1, 2, 3))

    def forward(self, x: torch.Tensor, sigma: float | torch.Tensor = 0.0, **kwargs: Any) -> torch.Tensor:
        """Return D(x); the noise level is that of the training, and ``sigma`` is not used."""
        require_tensor("x", x, dimensions=4, finite=False)
        return x - self.strength * torch.func.grad(lambda images: self.potential(images).sum())(x)

    def penalty(self, u: torch.Tensor) -> torch.Tensor:
        """φ(D(u)) = γ h(u) − ½ ‖u − D(u)‖² for images u (N, C, H, W), shape (N,)."""
        step = (u - self.forward(u)).flatten(1)
        return self.strength * self.potential(u) - step.square().sum(dim=1) / 2
