"""Shrinkage of Haar wavelets as a denoiser: what a single-pixel camera was combined with before networks."""

from typing import Any

import torch
from deepinv.models import Denoiser

from ...arguments import require_integer, require_positive
from ...operators import HaarCamera


class HaarShrinkage(Denoiser):
    r"""Soft-threshold the Haar coefficients of an image at wσ, averaged over shifts of the image.

    Sums are kept.  One shift is the proximal map of wσ times the ℓ1 norm of the differences.  The mean over shifts
    along the diagonal, "cycle spinning", leaves fewer blocks, and is a proximal map of nothing simple.

    Parameters
    ----------
    weight : float
        w, above zero.
    levels : int
        Levels of differences that are shrunk, 1 or above; the mean is over 2^levels shifts.

    References
    ----------
    Donoho, "De-noising by soft-thresholding", 1995; Coifman and Donoho, "Translation-invariant de-noising", 1995.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.measured.shrinkage import HaarShrinkage
    >>> flat = torch.full((1, 1, 16, 16), 0.5)
    >>> noisy = flat + 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(0))
    >>> bool((HaarShrinkage()(noisy, 0.1) - flat).norm() < 0.5 * (noisy - flat).norm())
    True
    """

    def __init__(self, weight: float = 1.0, levels: int = 3) -> None:
        super().__init__()
        require_positive("weight", weight)
        require_integer("levels", levels, lowest=1, highest=8)
        self.weight, self.levels = weight, int(levels)

    def forward(self, x: torch.Tensor, sigma: float | torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Denoise images (N, C, H, W), H = W a power of two, at a noise level, or one for each image (N,)."""
        threshold = self.weight * torch.as_tensor(sigma, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1)
        side = x.shape[-1]
        coarsest = max(1, side >> self.levels)
        basis = HaarCamera(1.0, (1, side, side), coarsest).to(x.device)
        shifts = range(2**self.levels)
        moved = torch.cat([x.roll((-shift, -shift), (-2, -1)) for shift in shifts])
        coefficients = basis.V_adjoint(moved)
        sums = coefficients[..., :coarsest, :coarsest].clone()
        threshold = threshold.expand(len(x), 1, 1, 1).repeat(len(shifts), 1, 1, 1)
        coefficients = coefficients.sign() * (coefficients.abs() - threshold).clamp(min=0)
        coefficients[..., :coarsest, :coarsest] = sums
        images = basis.V(coefficients).chunk(len(shifts))
        back = [image.roll((shift, shift), (-2, -1)) for shift, image in zip(shifts, images, strict=True)]
        return torch.stack(back).mean(dim=0)
