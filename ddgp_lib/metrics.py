"""How good a reconstruction is, image by image."""

from typing import Any

import torch

from .arguments import require, require_flag, require_mask, require_number, require_tensor

FLOOR = 1e-8
"""Added to the mean square, as in deepinv, so that equal images have 80 dB and not infinitely many."""

WINDOW = 11
"""Side, in pixels, of the windows of the structural similarity."""

REAL = "real numbers; complex images are given by two channels"


def psnr(
    x: torch.Tensor,
    truth: torch.Tensor,
    *,
    complex_valued: bool = False,
    floor: float = FLOOR,
    mask: torch.Tensor | None = None,
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
    mask : Tensor of bool, shape (N, 1, H, W), optional
        Pixels that count, one at least in each image; by default all.  The n of the formula is then their number,
        times the channels.

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
    require(not x.is_complex(), "x.dtype", x.dtype, REAL)
    require_tensor("truth", truth, shape=tuple(x.shape), finite=False)
    require(x.ndim >= 2 and x.numel() > 0, "x.shape", tuple(x.shape), "a batch (N, …) with entries")
    require_flag("complex_valued", complex_valued)
    pairs = not complex_valued or x.shape[1] == 2
    require(
        pairs, "x.shape", tuple(x.shape), "(N, 2, H, W), real and imaginary part, with complex_valued=True"
    )
    require_number("floor", floor, lowest=0)
    require_mask("mask", mask, x, none=True)
    with torch.no_grad():
        if complex_valued:
            x, truth = x.norm(dim=1, keepdim=True), truth.norm(dim=1, keepdim=True)
        return -10 * (mean_over((x - truth).square(), mask) + floor).log10()


def ssim(
    x: torch.Tensor,
    truth: torch.Tensor,
    *,
    complex_valued: bool = False,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Structural similarity of each image, on [0, 1]: the mean of :func:`ssim_map` over the image or a part of it.

    Parameters
    ----------
    x, truth : Tensor, shape (N, C, H, W)
        x and x*; H and W are 6 or more.
    complex_valued : bool
        Whether the two channels are real and imaginary parts, whose magnitudes are compared.
    mask : Tensor of bool, shape (N, 1, H, W), optional
        Pixels whose similarity counts, one at least in each image; by default all.  The windows of pixels at the
        mask's border reach 5 pixels beyond it.

    Returns
    -------
    Tensor, shape (N,)
        At most 1.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted; NaN in x gives NaN.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.metrics import ssim
    >>> truth = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> centre = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    >>> centre[..., 6:10, 6:10] = True
    >>> damaged = truth.clone()
    >>> damaged[..., 0] = 1  # further than a window from the centre
    >>> [round(value, 3) for value in ssim(damaged, truth, mask=centre).tolist()]
    [1.0, 1.0]
    """
    _require_windows("x", x, "truth", truth)
    require_mask("mask", mask, x, none=True)
    return mean_over(ssim_map(x, truth, complex_valued=complex_valued), mask)


def ssim_map(x: torch.Tensor, truth: torch.Tensor, *, complex_valued: bool = False) -> torch.Tensor:
    """Structural similarity around each pixel, as deepinv has it.

    Windows are Gaussian, 11 × 11 pixels with a standard deviation of 1.5; images are mirrored at their borders, and
    the constants are 0.01² and 0.03².  The mean over all pixels is :class:`deepinv.loss.metric.SSIM`.

    Parameters
    ----------
    x, truth : Tensor, shape (N, C, H, W)
        x and x*, on [0, 1]; H and W are 6 or more.
    complex_valued : bool
        Whether the two channels are real and imaginary parts, whose magnitudes are compared.

    Returns
    -------
    Tensor, shape (N, C, H, W), or (N, 1, H, W) of complex images
        At most 1.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to structural similarity,
    IEEE Trans. Image Process. 13(4), 2004.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.metrics import ssim_map
    >>> images = torch.rand(2, 1, 16, 16)
    >>> bool(torch.allclose(ssim_map(images, images), torch.ones(2, 1, 16, 16)))
    True
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # a second of importing

    _require_windows("x", x, "truth", truth)
    require_flag("complex_valued", complex_valued)
    require(
        not complex_valued or x.shape[1] == 2,
        "x.shape",
        tuple(x.shape),
        "(N, 2, H, W): real and imaginary part, with complex_valued=True",
    )
    if complex_valued:
        x, truth = (torch.linalg.vector_norm(part, dim=1, keepdim=True) for part in (x, truth))
    _, similar = structural_similarity_index_measure(
        x, truth, data_range=1.0, reduction="none", return_full_image=True
    )
    return similar


def mean_over(values: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of each image's values, or of those in a mask.

    Parameters
    ----------
    values : Tensor, shape (N, …)
        What is averaged; (N, C, H, W) where there is a mask.
    mask : Tensor of bool, shape (N, 1, H, W), optional
        Pixels that count; an image without any has NaN.

    Returns
    -------
    Tensor, shape (N,)

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.metrics import mean_over
    >>> values = torch.tensor([[[[1.0, 2.0], [3.0, 9.0]]]])
    >>> mean_over(values).item(), mean_over(values, values < 9).item()
    (3.75, 2.0)
    """
    if mask is None:
        return values.flatten(1).mean(dim=1)
    kept = (
        torch.where(mask, values, 0.0).flatten(1).sum(dim=1)
    )  # what is not finite beside the mask stays out
    return kept / (mask.flatten(1).sum(dim=1) * values.shape[1])


def _require_windows(argument: str, x: Any, other: str, truth: Any) -> None:
    """Refuse what are not images (N, C, H, W) of one shape, as large as half a window; NaN is accepted."""
    require_tensor(argument, x, dimensions=4, finite=False)
    require(not x.is_complex(), f"{argument}.dtype", x.dtype, REAL)
    fits = x.numel() > 0 and min(x.shape[2:]) > WINDOW // 2
    require(fits, f"{argument}.shape", tuple(x.shape), f"(N, C, H, W) with H and W {WINDOW // 2 + 1} or more")
    require_tensor(other, truth, shape=tuple(x.shape), finite=False)
