"""The single-pixel camera: m rows of the 2-D Hadamard basis."""

from typing import get_args

import torch
from deepinv.physics import SinglePixelCamera
from deepinv.physics.singlepixel import hadamard_1d

from ..arguments import require, require_choice, require_img_size, require_number
from ..names import Ordering
from ._common import SelectedPatterns
from .cake_cutting import cake_cutting_mask
from .noise import gaussian_noise

ORDERINGS: tuple[Ordering, ...] = get_args(Ordering)


class HadamardCamera(SelectedPatterns, SinglePixelCamera):
    r"""A single-pixel camera that measures m rows of the orthonormal 2-D Hadamard basis.

    It is deepinv's :class:`~deepinv.physics.SinglePixelCamera` with three differences: the transform is two
    products with a dense Hadamard matrix, several times faster than butterflies at these sizes, noise falls
    only on the entries that are measured, and patterns of equally many pieces are in the same order on every machine
    (:mod:`ddgp_lib.operators.cake_cutting`).  The rows are orthonormal, so :math:`A A^\top = I`.

    Measurements keep the image's shape (N, C, H, W); entries that are not measured are zero.

    Parameters
    ----------
    ratio : float
        Fraction of the rows that is measured, in (0, 1]; m = round(ratio · H · W), at least 1.
    img_size : tuple of int
        Image shape (C, H, W); H = W, a power of two.
    ordering : str
        Which rows come first: ``"cake_cutting"`` (default), ``"sequency"``, ``"zig_zag"`` or ``"xy"``.
        With one ordering, the rows of a smaller ratio are among those of a larger one.
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
    Duarte et al., "Single-pixel imaging via compressive sampling", 2008; Yu, "Super sub-Nyquist single-pixel
    imaging by means of cake-cutting Hadamard basis sort", 2019.
    """

    def __init__(
        self,
        ratio: float,
        img_size: tuple[int, int, int],
        ordering: Ordering = "cake_cutting",
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        require_number("ratio", ratio, above=0, highest=1)
        require_choice("ordering", ordering, ORDERINGS)
        expected = "(C, H, W) with H = W, a power of two"
        require_img_size("img_size", img_size, expected)
        side = int(img_size[-1])
        square = img_size[1] == side and side >= 2 and side.bit_count() == 1
        require(square, "img_size", img_size, expected)
        patterns = max(1, round(ratio * side * side))
        super().__init__(
            m=patterns,
            img_size=img_size,
            ordering=ordering,
            noise_model=gaussian_noise(noise, seed),
        )
        if ordering == "cake_cutting":
            size = (int(img_size[0]), side, side)
            self.mask = cake_cutting_mask(size, patterns).to(self.mask)
        self.register_buffer("hadamard", hadamard_1d(torch.eye(side)))

    @property
    def types(self) -> tuple[torch.dtype, ...]:
        """The type of the Hadamard matrix."""
        return (self.hadamard.dtype,)

    def V_adjoint(self, x: torch.Tensor) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """All 2-D Hadamard coefficients H x H of an image; the basis is symmetric, so it is its own inverse."""
        self._require_sides("x", x)
        return self.hadamard @ x @ self.hadamard

    V = V_adjoint
