"""Products over coils: a matrix that mixes them, and images of all coils made into one."""

import torch

from ..arguments import require, require_instance
from .kspace import require_kspace


def mix_coils(matrix: torch.Tensor, kspace: torch.Tensor) -> torch.Tensor:
    """Multiply the coils of every place by a matrix.

    Parameters
    ----------
    matrix : Tensor, complex, shape (D, C)
        The matrix.
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        K-space or images of coils.

    Returns
    -------
    Tensor, shape (D, H, W) or (S, D, H, W)
        In the precision of ``kspace``.

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    require_kspace("kspace", kspace)
    coils = kspace.shape[-3]
    wanted = f"a finite complex tensor (D, {coils}), one column for each coil"
    require_instance("matrix", matrix, torch.Tensor, wanted)
    fits = matrix.is_complex() and matrix.ndim == 2 and matrix.shape[1] == coils and matrix.shape[0] > 0
    require(fits and bool(torch.isfinite(torch.view_as_real(matrix)).all()), "matrix", matrix, wanted)
    mixed = matrix.to(kspace.dtype) @ kspace.flatten(-2)
    return mixed.unflatten(-1, kspace.shape[-2:])


def root_sum_of_squares(images: torch.Tensor) -> torch.Tensor:
    r"""Combine the images of coils without maps: :math:`\sqrt{\sum_c |x_c|^2}`.

    Parameters
    ----------
    images : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        One image for each coil.

    Returns
    -------
    Tensor, real, shape (H, W) or (S, H, W)

    Raises
    ------
    ValueError
        If ``images`` is anything else.

    References
    ----------
    Roemer et al., "The NMR phased array", 1990.
    """
    require_kspace("images", images)
    scale = _largest(images)
    return torch.linalg.vector_norm(images / scale, dim=-3) * scale


def combine_coils(images: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    r"""Combine the images of coils by their sensitivities: :math:`\sum_c s_c^* x_c / \sum_c |s_c|^2`.

    It is the least-squares image of white noise, and SENSE for k-space that was measured in full.

    Parameters
    ----------
    images : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        One image for each coil.
    maps : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Sensitivities.

    Returns
    -------
    Tensor, complex, shape (H, W) or (S, H, W)
        Zero where all maps are.

    Raises
    ------
    ValueError
        If an argument is not accepted.

    References
    ----------
    Pruessmann et al., "SENSE: sensitivity encoding for fast MRI", 1999.
    """
    require_kspace("images", images)
    require_kspace("maps", maps)
    fits = maps.shape[-3:] == images.shape[-3:] and maps.ndim <= images.ndim
    require(fits, "maps.shape", tuple(maps.shape), f"coils and sides of the images, {tuple(images.shape)}")
    scale = _largest(maps)
    maps = maps / scale
    energy = maps.abs().square().sum(-3)
    seen = energy > torch.finfo(energy.dtype).tiny
    combined = (maps.conj() * images).sum(-3) / torch.where(seen, energy, 1.0)
    return torch.where(seen, combined / scale, 0.0)


def _largest(images: torch.Tensor) -> torch.Tensor:
    """Return a scale, above 0, at which squares neither overflow nor vanish: scanners have units of all sizes."""
    largest = torch.view_as_real(images.detach()).abs().max()
    return torch.where(largest > 0, largest, 1.0)
