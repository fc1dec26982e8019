r"""Total variation as a denoiser, so that every solver can run with it: the prior that learns nothing.

.. math::

    D_\sigma(v) = \operatorname{argmin}_u\ \tfrac12 \|u - v\|^2 + w\,\sigma\, \mathrm{TV}(u), \qquad
    \mathrm{TV}(u) = \sum_{i,j} \Bigl(\sum_c |u_{c,i+1,j} - u_{c,i,j}|^2 + |u_{c,i,j+1} - u_{c,i,j}|^2\Bigr)^{1/2}.

The root is taken over both directions and all channels: edges of colours, and of the real and the imaginary part of
complex images, lie in the same places.
"""

from typing import Any

import torch
from deepinv.models import Denoiser
from torch.nn import functional

from .arguments import require_integer, require_positive

SQUARED_NORM = 8.0
"""Bound of the squared norm of the differences in two directions."""


class TotalVariation(Denoiser):
    """The proximal map of wσ TV, by fast gradient projection on its dual problem.

    With it, :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA` of step α makes ½‖A x − y‖² + (wσ/α) TV(x) least.
    It has no weights and remembers nothing between calls.

    Parameters
    ----------
    weight : float
        w, above zero: the weight of TV is wσ.  Near 1, σ is about the noise level that it removes best.
    iterations : int
        Iterations on the dual problem.

    References
    ----------
    Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992; Beck and Teboulle,
    "Fast gradient-based algorithms for constrained total variation image denoising and deblurring problems", 2009,
    for the algorithm; Bresson and Chan, "Fast dual minimization of the vectorial total variation norm and
    applications to color image processing", 2008, for the channels.

    Examples
    --------
    >>> import torch
    >>> flat = torch.full((1, 1, 16, 16), 0.5)
    >>> noisy = flat + 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(0))
    >>> bool((TotalVariation()(noisy, 0.1) - flat).norm() < 0.3 * (noisy - flat).norm())
    True
    """

    def __init__(self, weight: float = 1.0, iterations: int = 30) -> None:
        super().__init__()
        require_positive("weight", weight)
        require_integer("iterations", iterations, lowest=1)
        self.weight, self.iterations = weight, iterations

    def forward(self, x: torch.Tensor, sigma: float | torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Denoise images (N, C, H, W) at a noise level, or one for each image (N,)."""
        sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device)
        bound = self.weight * sigma.reshape(-1, 1, 1, 1)
        dual = ahead = torch.zeros((2, *x.shape), dtype=x.dtype, device=x.device)
        t = 1.0
        for _ in range(self.iterations):
            stepped = ahead + differences(x - bound * transposed(ahead)) / (SQUARED_NORM * bound)
            lengths = stepped.square().sum(dim=(0, 2), keepdim=True).sqrt()
            new = stepped / lengths.clamp(min=1)
            t_new = (1 + (1 + 4 * t * t) ** 0.5) / 2
            ahead = new + (t - 1) / t_new * (new - dual)
            dual, t = new, t_new
        return x - bound * transposed(dual)


def total_variation(x: torch.Tensor) -> torch.Tensor:
    """TV of each image (N, C, H, W), shape (N,)."""
    return differences(x).square().sum(dim=(0, 2)).sqrt().sum(dim=(1, 2))


def differences(x: torch.Tensor) -> torch.Tensor:
    """Differences to the next row and to the next column, (2, N, C, H, W), zero beyond the last."""
    rows = functional.pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
    columns = functional.pad(x[..., 1:] - x[..., :-1], (0, 1))
    return torch.stack([rows, columns])


def transposed(p: torch.Tensor) -> torch.Tensor:
    """Apply the transpose of :func:`differences` to (2, N, C, H, W)."""
    rows, columns = functional.pad(p[0, ..., :-1, :], (0, 0, 1, 1)), functional.pad(p[1, ..., :-1], (1, 1))
    return rows[..., :-1, :] - rows[..., 1:, :] + columns[..., :-1] - columns[..., 1:]
