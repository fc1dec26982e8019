"""The transform between images and k-space, with the origin in the middle on both sides."""

import torch


def centred_fourier(
    x: torch.Tensor, *, inverse: bool = False, dim: tuple[int, ...] = (-2, -1)
) -> torch.Tensor:
    """Take the orthonormal transform of some dimensions, with the origin in the middle on both sides.

    Parameters
    ----------
    x : Tensor, real or complex
        Images, or k-space where ``inverse`` is set; pixel and frequency zero stand at place n // 2.
    inverse : bool
        Whether to go from k-space to images.
    dim : tuple of int
        The dimensions: the last two, unless said otherwise.

    Returns
    -------
    Tensor, complex
        Of the same shape; white noise of standard deviation σ stays that.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data.fourier import centred_fourier
    >>> centred_fourier(torch.ones(4, 4)).abs().argmax().item()  # row 2, column 2
    10
    """
    transform = torch.fft.ifftn if inverse else torch.fft.fftn
    shifted = torch.fft.ifftshift(x, dim=dim)
    return torch.fft.fftshift(transform(shifted, dim=dim, norm="ortho"), dim=dim)
