"""The arithmetic of one proximal gradient step and of FISTA's momentum, for solvers and for training alike."""

from collections.abc import Callable

import torch

from .rules import relax

Denoise = Callable[[torch.Tensor], torch.Tensor]
"""u ↦ D_σ(u)."""


def forward_backward(
    z: torch.Tensor, direction: torch.Tensor, stepsize: float, denoise: Denoise | None = None
) -> torch.Tensor:
    """Return D_σ(z − α d), or z − α d without a denoiser.

    Parameters
    ----------
    z : Tensor, shape (N, C, H, W)
        Where the step starts.
    direction : Tensor, shape (N, C, H, W)
        d, the gradient at z or what P made of it.
    stepsize : float
        α.
    denoise : callable, optional
        u ↦ D_σ(u).
    """
    u = z - stepsize * direction
    return u if denoise is None else denoise(u)


def extrapolate(x: torch.Tensor, x_previous: torch.Tensor, momentum: float | torch.Tensor) -> torch.Tensor:
    """Return z_{k+1} = x_{k+1} + β (x_{k+1} − x_k).

    Parameters
    ----------
    x, x_previous : Tensor, shape (N, C, H, W)
        x_{k+1} and x_k.
    momentum : float, or Tensor of shape (N, 1, 1, 1)
        β, a tensor where the images are at different iterations.
    """
    return x + momentum * (x - x_previous)


def fista_step(
    x: torch.Tensor,
    z: torch.Tensor,
    direction: torch.Tensor,
    *,
    stepsize: float,
    momentum: float | torch.Tensor,
    denoise: Denoise | None = None,
    weight: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return (x_{k+1}, z_{k+1}) of one iteration of plug-and-play FISTA.

    .. math::

        v_k     &= D_\sigma(z_k - \alpha d_k) \\
        x_{k+1} &= x_k + \bar\gamma_k (v_k - x_k) \\
        z_{k+1} &= x_{k+1} + \beta_{k+1} (x_{k+1} - x_k)

    Parameters
    ----------
    x, z : Tensor, shape (N, C, H, W)
        x_k and z_k.
    direction : Tensor, shape (N, C, H, W)
        d_k, the gradient at z_k or what P made of it.
    stepsize : float
        α.
    momentum : float, or Tensor of shape (N, 1, 1, 1)
        β_{k+1}.
    denoise : callable, optional
        u ↦ D_σ(u); without it, gradient descent with momentum.
    weight : float
        γ̄_k, 1 for the whole step.

    References
    ----------
    Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.solvers import fista_step
    >>> x, z = fista_step(torch.tensor(0.0), torch.tensor(0.0), torch.tensor(-1.0), stepsize=1.0, momentum=0.5)
    >>> x.item(), z.item()
    (1.0, 1.5)
    """
    following = relax(forward_backward(z, direction, stepsize, denoise), x, weight)
    return following, extrapolate(following, x, momentum)
