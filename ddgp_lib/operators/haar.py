"""The single-pixel camera with wavelets: m rows of the orthonormal 2-D Haar basis, from coarse to fine."""

from collections.abc import Iterator

import torch
from deepinv.physics import DecomposablePhysics

from ..arguments import require, require_img_size, require_integer, require_number, require_seed
from ._common import SelectedPatterns
from .noise import gaussian_noise

Block = tuple[slice, slice]
"""Rows and columns of the coefficients of one kind and level."""


class HaarCamera(SelectedPatterns, DecomposablePhysics):
    r"""A single-pixel camera that measures m rows of the orthonormal 2-D Haar basis.

    A pattern is a square of the image, or a square that is light in one half and dark in the other: side by side,
    one above the other, or in its quarters.  The coefficients are laid out as wavelets are by custom: the coarsest
    sums in the upper left corner, then with each level the differences from left to right at their right, those from
    top to bottom below them, and those of the quarters at the corner.  A difference is the first half minus the
    second.  The rows are orthonormal, so :math:`A A^\top = I`.

    Coarse patterns come first.  Within a level the places come in a random order, each with its three patterns, so
    the order needs no image to be known.

    Measurements keep the image's shape (N, C, H, W); entries that are not measured are zero.

    Parameters
    ----------
    ratio : float
        Fraction of the rows that is measured, in (0, 1]; m = round(ratio · H · W), at least 1.
    img_size : tuple of int
        Image shape (C, H, W); H = W, a power of two.
    coarsest : int
        Sums in a row of the coarsest level, a power of two and at most H.
    order : int
        Seed of the order of the places.  With one, the rows of a smaller ratio are among those of a larger one.
    noise : float
        Standard deviation of the white Gaussian noise on each measurement.
    seed : int
        Seed of the camera's own noise generator.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Haar, "Zur Theorie der orthogonalen Funktionensysteme", 1910; Rousset et al., "Adaptive basis scan by wavelet
    prediction for single-pixel imaging", 2017.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import HaarCamera
    >>> camera = HaarCamera(0.25, (1, 64, 64))
    >>> x = torch.ones(1, 1, 64, 64)
    >>> int(camera.mask.sum()), camera.A(x)[..., :8, :8].unique().tolist(), int((camera.A(x) != 0).sum())
    (1024, [8.0], 64)
    """

    def __init__(
        self,
        ratio: float,
        img_size: tuple[int, int, int],
        coarsest: int = 8,
        order: int = 0,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        require_number("ratio", ratio, above=0, highest=1)
        expected = "(C, H, W) with H = W, a power of two"
        require_img_size("img_size", img_size, expected)
        side = int(img_size[-1])
        require(img_size[1] == side and side.bit_count() == 1, "img_size", img_size, expected)
        require_integer("coarsest", coarsest, lowest=1, highest=side)
        require(int(coarsest).bit_count() == 1, "coarsest", coarsest, f"a power of two, at most {side}")
        require_seed("order", order)
        super().__init__(img_size=img_size, noise_model=gaussian_noise(noise, seed))
        self.coarsest = int(coarsest)
        places = _order(side, self.coarsest, order)[: max(1, round(ratio * side * side))]
        mask = torch.zeros(side * side)
        mask[places] = 1
        self.register_buffer("mask", mask.reshape(1, side, side).repeat(img_size[0], 1, 1)[None])

    def V_adjoint(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """All Haar coefficients of images."""
        self._require_sides("x", x)
        found, sums = torch.empty_like(x), x
        while (side := sums.shape[-1] // 2) >= self.coarsest:
            a, b = sums[..., 0::2, 0::2], sums[..., 0::2, 1::2]
            c, d = sums[..., 1::2, 0::2], sums[..., 1::2, 1::2]
            across, down, quarters = blocks(side)
            found[..., across[0], across[1]] = (a - b + c - d) / 2
            found[..., down[0], down[1]] = (a + b - c - d) / 2
            found[..., quarters[0], quarters[1]] = (a - b - c + d) / 2
            sums = (a + b + c + d) / 2
        found[..., : self.coarsest, : self.coarsest] = sums
        return found

    def V(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Images of all Haar coefficients, the inverse and transpose of ``V_adjoint``."""
        self._require_sides("x", x)
        sums = x[..., : self.coarsest, : self.coarsest]
        while (side := sums.shape[-1]) < x.shape[-1]:
            across, down, quarters = (x[..., rows, columns] for rows, columns in blocks(side))
            finer = x.new_empty(*x.shape[:-2], 2 * side, 2 * side)
            finer[..., 0::2, 0::2] = (sums + across + down + quarters) / 2
            finer[..., 0::2, 1::2] = (sums - across + down - quarters) / 2
            finer[..., 1::2, 0::2] = (sums + across - down - quarters) / 2
            finer[..., 1::2, 1::2] = (sums - across - down + quarters) / 2
            sums = finer
        return sums


def blocks(side: int) -> tuple[Block, Block, Block]:
    """Return where the differences of a level with ``side`` places in a row are: across, down, and of quarters.

    Examples
    --------
    >>> from ddgp_lib.operators.haar import blocks
    >>> blocks(8)[0]
    (slice(0, 8, None), slice(8, 16, None))
    """
    require_integer("side", side, lowest=1)
    near, far = slice(0, int(side)), slice(int(side), 2 * int(side))
    return (near, far), (far, near), (far, far)


def _order(side: int, coarsest: int, seed: int) -> torch.Tensor:
    """Return the numbers of the coefficients, row by row, in the order in which they are measured."""
    numbers = torch.arange(side * side).reshape(side, side)
    generator = torch.Generator().manual_seed(int(seed))
    return torch.cat(list(_levels(numbers, coarsest, generator)))


def _levels(numbers: torch.Tensor, coarsest: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    yield numbers[:coarsest, :coarsest].flatten()
    side = coarsest
    while side < len(numbers):
        kinds = torch.stack([numbers[rows, columns].flatten() for rows, columns in blocks(side)], dim=1)
        yield kinds[torch.randperm(side * side, generator=generator)].flatten()
        side *= 2
