"""How good a reconstruction is, image by image."""

import torch

from .arguments import require, require_flag, require_number, require_tensor

FLOOR = 1e-8
"""Added to the mean square, as in deepinv, so that equal images have 80 dB and not infinitely many."""


def psnr(
    x: torch.Tensor, truth: torch.Tensor, *, complex_valued: bool = False, floor: float = FLOOR
) -> torch.Tensor:
    r"""Peak signal-to-noise ratio of each image in dB, on [0, 1].

    .. math:: -10 \log_{10} \Bigl( \tfrac1n \lVert x - x^* \rVert^2 + \varepsilon \Bigr)

    Parameters
    ----------
    x, truth : Tensor, shape (N, …)
        x and x*, with n entries an image.
    complex_valued : bool
        Whether the two channels of images (N, 2, H, W) are real and imaginary parts, whose magnitudes are compared.
    floor : float
        ε; with 0, equal images have infinitely many dB.  The default lowers 40 dB by 0.0004 dB.

    Returns
    -------
    Tensor, shape (N,)
        Without gradients.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted; NaN in x gives NaN.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.metrics import psnr
    >>> truth = torch.zeros(2, 1, 8, 8)
    >>> [round(value, 2) for value in psnr(truth + 0.1, truth, floor=0).tolist()]
    [20.0, 20.0]
    """
    require_tensor("x", x, finite=False)
    require(not x.is_complex(), "x.dtype", x.dtype, "real numbers; complex images are given by two channels")
    require_tensor("truth", truth, shape=tuple(x.shape), finite=False)
    require(x.ndim >= 2 and x.numel() > 0, "x.shape", tuple(x.shape), "a batch (N, …) with entries")
    require_flag("complex_valued", complex_valued)
    pairs = not complex_valued or x.shape[1] == 2
    require(pairs, "x.shape", tuple(x.shape), "(N, 2, H, W): real and imaginary part")
    require_number("floor", floor, lowest=0)
    with torch.no_grad():
        if complex_valued:
            x, truth = x.norm(dim=1), truth.norm(dim=1)
        return -10 * ((x - truth).square().flatten(1).mean(dim=1) + floor).log10()
