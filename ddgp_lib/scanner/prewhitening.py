r"""Noise prewhitening: coils are mixed so that their noise is independent and equally strong.

Noise of receivers is correlated: :math:`E[n n^H] = \Psi`.  With :math:`\Psi = L L^H`, the mixture
:math:`\sigma L^{-1} n` has the covariance :math:`\sigma^2 I`, and least squares weighs all coils rightly.
"""

import torch

from ..arguments import require, require_instance, require_number, require_positive
from .coils import mix_coils
from .kspace import require_kspace, require_noise


def noise_covariance(noise: torch.Tensor) -> torch.Tensor:
    r"""Estimate the covariance :math:`\Psi = E[n n^H]` of the coils' noise, whose mean is zero.

    Parameters
    ----------
    noise : Tensor, complex, shape (C, samples)
        Samples without signal, more than coils; some hundred for each coil give a useful estimate, whose relative
        error is about :math:`1/\sqrt{\text{samples}}` for each entry.

    Returns
    -------
    Tensor, complex128, shape (C, C)
        Hermitian; in double precision, since it is of squares.  Real and imaginary parts have half of a diagonal
        entry each.

    Raises
    ------
    ValueError
        If ``noise`` is anything else, or a coil received nothing.

    References
    ----------
    Kellman and McVeigh, "Image reconstruction in SNR units", 2005.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import noise_covariance
    >>> noise = torch.randn(2, 10_000, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    >>> [round(value, 1) for value in noise_covariance(noise).diagonal().real.tolist()]
    [1.0, 1.0]
    """
    require_noise("noise", noise)
    exact = noise.to(torch.complex128)
    covariance = exact @ exact.mH / noise.shape[1]
    silent = (covariance.diagonal().real <= 0).nonzero().flatten().tolist()
    require(not silent, "noise", f"nothing in coils {silent}", "samples of noise in every coil")
    return covariance


def corner_noise(kspace: torch.Tensor, fraction: float = 0.1) -> torch.Tensor:
    """Take the corners of k-space for noise: there is least signal.

    Corners hold some signal where the resolution is low or a coil is strong: the noise is then overestimated.  Where
    k-space was measured in full, the corners of the *images*, beside the object, hold less: pass the images, in which
    the noise has the same covariance.  Places where all coils are zero were not measured, or were filled
    up, and are left out.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements, or images of them.
    fraction : float
        Side of each of the four corners, as a fraction of the height and the width, in (0, 0.5].

    Returns
    -------
    Tensor, shape (C, samples)
        What :func:`noise_covariance` takes.

    Raises
    ------
    ValueError
        If an argument is not accepted, or no more places than coils were measured in the corners.
    """
    require_kspace("kspace", kspace)
    require_number("fraction", fraction, above=0, highest=0.5)
    height, width = (max(1, round(fraction * side)) for side in kspace.shape[-2:])
    rows, columns = (torch.cat([torch.arange(n), torch.arange(-n, 0)]) for n in (height, width))
    corners = kspace[..., rows[:, None], columns].movedim(-3, 0).flatten(1)
    corners = corners[:, (corners != 0).any(dim=0)]
    enough = corners.shape[1] > corners.shape[0]
    found = f"{corners.shape[1]} measured places in the corners"
    require(enough, "kspace", found, f"more than {corners.shape[0]}, the number of coils")
    return corners


def prewhitening_matrix(covariance: torch.Tensor, sigma: float = 1.0) -> torch.Tensor:
    r"""Return :math:`\sigma L^{-1}` for a covariance :math:`\Psi = L L^H`, L lower triangular.

    Parameters
    ----------
    covariance : Tensor, complex, shape (C, C)
        Ψ, Hermitian and positive definite.
    sigma : float
        σ, above 0: the noise will have the covariance σ² I.

    Returns
    -------
    Tensor, complex64, shape (C, C)

    Raises
    ------
    ValueError
        If ``covariance`` is no such matrix, as where two coils have the same noise.

    References
    ----------
    Pruessmann et al., "Advances in sensitivity encoding with arbitrary k-space trajectories", 2001, appendix A.
    """
    wanted = "a Hermitian positive definite complex matrix (C, C)"
    require_instance("covariance", covariance, torch.Tensor, wanted)
    square = covariance.ndim == 2 and covariance.shape[0] == covariance.shape[1] > 0
    require(square and covariance.is_complex(), "covariance", covariance, wanted)
    require_positive("sigma", sigma)
    exact = covariance.to(torch.complex128)
    finite = bool(torch.isfinite(torch.view_as_real(exact)).all())
    hermitian = finite and bool((exact - exact.mH).abs().max() <= 1e-4 * exact.abs().max())
    require(hermitian, "covariance", covariance, wanted)
    factor, failed = torch.linalg.cholesky_ex(exact)
    require(int(failed) == 0, "covariance", covariance, f"{wanted}: some coils have the same noise")
    inverse = torch.linalg.solve_triangular(factor, torch.eye(len(exact), dtype=exact.dtype), upper=False)
    return (sigma * inverse).to(torch.complex64)


def prewhiten(kspace: torch.Tensor, covariance: torch.Tensor, sigma: float = 1.0) -> torch.Tensor:
    """Mix the coils so that their noise has the covariance σ² I.

    Parameters
    ----------
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements.
    covariance : Tensor, complex, shape (C, C)
        Of their noise, as :func:`noise_covariance` returns it.
    sigma : float
        σ; the real and the imaginary part of each coil's noise then have the standard deviation σ / √2.

    Returns
    -------
    Tensor
        Of the shape of ``kspace``.

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    require_kspace("kspace", kspace)
    matrix = prewhitening_matrix(covariance, sigma)
    coils = kspace.shape[-3]
    require(len(matrix) == coils, "covariance.shape", tuple(covariance.shape), f"({coils}, {coils})")
    return mix_coils(matrix, kspace)
