r"""Cartesian magnetic resonance imaging: whole columns of k-space are measured.

Images are complex, stored as two real channels: (N, 2, H, W).  With the centred orthonormal 2-D transform
:math:`F = F_H \otimes F_W` and a mask M that keeps or drops whole columns, the transform along a column is not
touched by the mask and cancels,

.. math:: F^* M F = I_H \otimes F_W^* M_W F_W,

so :math:`A^\top A` acts on every row of the image alone.  It is a circular convolution along the row, and the
shifts of a centred transform commute with it: a plain transform with the mask shifted once is enough.
"""

from collections.abc import Callable
from typing import Any, Self

import torch
from deepinv.physics import MRI, MultiCoilMRI

from ..arguments import (
    LARGEST_IMAGE,
    require,
    require_count,
    require_counts,
    require_img_size,
    require_instance,
    require_number,
    require_positive,
    require_seed,
)
from ._common import RTOL, FixedSides, by_real_view, require_fixed, require_rtol
from .noise import gaussian_noise


def gaussian_columns(
    width: int, acceleration: float, center_fraction: float = 0.08, seed: int = 0
) -> torch.Tensor:
    r"""Choose the columns of k-space that are measured: round(width / acceleration) of them.

    The central columns come first, from the centre outwards.  The others follow in a random order, drawn one by
    one without replacement from the density

    .. math:: p(j) \propto \exp\Bigl(-\frac{(j - W/2)^2}{2 (W/10)^2}\Bigr) + \frac18,

    deepinv's Gaussian density for fourfold acceleration.  The order does not depend on the acceleration: with one
    width, centre and seed, the columns of a higher acceleration are among those of a lower one.

    Parameters
    ----------
    width : int
        Number of columns W, 1 or above.
    acceleration : float
        R, 1 or above; the central columns must fit into round(W / R).
    center_fraction : float
        Fraction of the columns that is central, in [0, 1]; round(center_fraction · W) columns.
    seed : int
        Seed of the order.

    Returns
    -------
    Tensor, shape (W,), bool
        True where a column is measured; the zero frequency is column W // 2.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Schlemper et al., "A deep cascade of convolutional neural networks for dynamic MR image reconstruction", 2017
    (the density); Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006 (the order of
    independent exponential times with rates p(j) is that of draws without replacement).
    """
    require_count("width", width)
    require_number("center_fraction", center_fraction, lowest=0, highest=1)
    require_number("acceleration", acceleration, lowest=1)
    require_seed("seed", seed)
    kept, central = round(width / acceleration), round(center_fraction * width)
    require(
        kept >= max(1, central),
        "acceleration",
        acceleration,
        f"at most width / max(1, central columns) = {width / max(1, central):g}",
    )
    columns = torch.arange(width, dtype=torch.float64)
    density = torch.exp(-0.5 * ((columns - width / 2) / (width / 10)) ** 2) + 1 / 8
    generator = torch.Generator().manual_seed(int(seed))
    times = torch.empty(width, dtype=torch.float64).exponential_(generator=generator) / density
    start = width // 2 - central // 2
    middle = slice(start, start + central)
    times[middle] = (columns[middle] - width // 2).abs() - width  # below zero: before all others
    mask = torch.zeros(width, dtype=torch.bool)
    mask[times.argsort(stable=True)[:kept]] = True
    return mask


def birdcage_maps(coils: int, height: int, width: int, radius: float = 1.5) -> torch.Tensor:
    r"""Simulate the smooth sensitivities of coils on a circle around the image.

    On the image, pixels have coordinates p in [−1, 1]².  Coil c stands at
    :math:`p_c = r (\cos\theta_c, \sin\theta_c)`, :math:`\theta_c = 2\pi c / C`.  Its sensitivity falls with the
    distance, and its phase is the direction from the coil: as complex numbers,
    :math:`s_c(p) \propto e^{i\theta_c} / (p - p_c)^*`.  The maps are then scaled pixel by pixel so that
    :math:`\sum_c |s_c|^2 = 1`; with a full mask, :math:`A^\top A = I`.

    Parameters
    ----------
    coils : int
        C, 1 or above.
    height, width : int
        Size of the image.
    radius : float
        r, above √2, so that every coil is outside of the image.

    Returns
    -------
    Tensor, shape (C, H, W), complex64

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Roemer et al., "The NMR phased array", 1990.  The birdcage maps that deepinv takes from sigpy follow the same
    model, up to constant phases and half a pixel.
    """
    require_counts(coils=coils, height=height, width=width)
    require_img_size("(coils, height, width)", (coils, height, width), "maps that fit into memory")
    require_number("radius", radius, above=2**0.5)
    vertical, horizontal = (
        torch.linspace(-1, 1, n, dtype=torch.float64) if n > 1 else torch.zeros(1, dtype=torch.float64)
        for n in (height, width)
    )
    pixels = torch.complex(horizontal.expand(height, width), vertical[:, None].expand(height, width))
    angles = 2 * torch.pi * torch.arange(coils, dtype=torch.float64) / coils
    directions = torch.polar(torch.ones_like(angles), angles)[:, None, None]
    maps = directions / (pixels - radius * directions).conj()
    return (maps / torch.linalg.vector_norm(maps, dim=0)).to(torch.complex64)


class CartesianMRI(FixedSides, MRI):
    r"""Single-coil Cartesian MRI: some columns of the centred orthonormal 2-D Fourier transform of an image.

    It is deepinv's :class:`~deepinv.physics.MRI`, in the same convention, with :math:`A^\top A` computed by a 1-D
    transform along the rows.  Rows of A are orthonormal: :math:`A A^\top = I` on the measured entries,
    :math:`\|A\|^2 = 1`, and :math:`A^+ = A^\top`.

    Measurements have the image's shape (N, 2, H, W); entries that are not measured are zero.

    Parameters
    ----------
    acceleration : float
        R, 1 or above: round(W / R) columns are measured.
    img_size : tuple of int
        Image shape (2, H, W): real and imaginary part.
    center_fraction : float
        Fraction of the columns that is central and always measured.
    noise : float
        Standard deviation of the white Gaussian noise on the real and on the imaginary part of each measured entry.
    seed : int
        Seed of the operator's own noise generator.
    mask_seed : int
        Seed of :func:`gaussian_columns`.  With one seed the columns of a higher acceleration are among those of a
        lower one; with different seeds they are drawn independently.
    mask : Tensor, shape (W,), optional
        Columns to measure, as booleans or 0 and 1, instead of those that would be drawn.

    Attributes
    ----------
    columns : Tensor, shape (W,), bool
        The measured columns; the zero frequency is column W // 2.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """

    complex_valued = True

    def __init__(
        self,
        acceleration: float = 4.0,
        img_size: tuple[int, int, int] = (2, 128, 128),
        center_fraction: float = 0.08,
        noise: float = 0.0,
        seed: int = 0,
        mask_seed: int = 0,
        mask: torch.Tensor | None = None,
    ) -> None:
        columns = _columns(acceleration, img_size, center_fraction, mask_seed, mask)
        super().__init__(
            mask=columns.float().expand(img_size[1:]).clone(), noise_model=gaussian_noise(noise, seed)
        )
        self.register_buffer("columns", columns)
        self.register_buffer("shifted", torch.fft.ifftshift(columns).float(), persistent=False)

    def update_parameters(self, mask: torch.Tensor | None = None, **kwargs: Any) -> None:
        """Refuse another mask: make another operator instead."""
        require_fixed(mask=mask)
        super().update_parameters(**kwargs)

    @property
    def rank(self) -> int:
        """Number of real modes that are seen, two for each complex number in the measured columns."""
        return 2 * self.mask.shape[-2] * int(self.columns.sum())

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x of images (N, 2, H, W): a 1-D Fourier transform along the rows, the mask, and back."""
        self.update_parameters(**kwargs)
        self._require_sides("x", x)
        coefficients = torch.fft.fft(self.to_torch_complex(x))
        return self.from_torch_complex(torch.fft.ifft(coefficients.mul_(self.shifted)))

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, 2, H, W), which is AᵀA x."""
        return self.A_adjoint_A(x)

    @property
    def squared_norm(self) -> float:
        """‖A‖² = 1."""
        return 1.0


class MultiCoilCartesianMRI(FixedSides, MultiCoilMRI):
    r"""Multi-coil Cartesian MRI: every coil sees the image through its own smooth map, :math:`y_c = M F S_c x`.

    It is deepinv's :class:`~deepinv.physics.MultiCoilMRI`, in the same convention.  With whole columns measured,
    :math:`A^\top A` is block-diagonal: row r of the image has the Hermitian W × W block

    .. math:: G_r = \sum_c \operatorname{diag}(s_c[r])^*\, F_W^* M_W F_W \operatorname{diag}(s_c[r]).

    The blocks and their eigendecompositions are computed at construction in double precision, so
    :math:`A^\top A`, :math:`A^+`, :math:`A^+ A` and :math:`\|A\|^2` need no iterations.  What is kept takes 40 H W²
    bytes, 84 MB at 128 × 128.

    Measurements have the shape (N, 2, C, H, W); entries that are not measured are zero.

    Parameters
    ----------
    acceleration : float
        R, 1 or above: round(W / R) columns are measured by every coil.
    img_size : tuple of int
        Image shape (2, H, W): real and imaginary part.
    coils : int or Tensor, shape (C, H, W), complex
        Number of coils, simulated by :func:`birdcage_maps`, or the maps themselves.
    center_fraction, noise, seed, mask_seed, mask
        As for :class:`CartesianMRI`; the coils' noises are independent.
    rtol : float
        Singular values below ``rtol`` times the largest count as zero in A⁺ and A⁺A; by default 1e-5, as in
        :mod:`ddgp_lib.analysis`.  Smooth maps give a spectrum that falls without a gap, so what counts as seen is a
        choice: A⁺ amplifies noise by up to 1 / (``rtol`` ‖A‖), and A⁺A leaves out of A x at most ``rtol`` ‖A‖ ‖x‖.

    Attributes
    ----------
    columns : Tensor, shape (W,), bool
        The measured columns; the zero frequency is column W // 2.
    spectrum : Tensor, shape (H, W), double precision
        Eigenvalues of AᵀA, for each row of the image in rising order.  Each is that of a complex vector, so it
        counts twice for images with two real channels.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Pruessmann et al., "SENSE: sensitivity encoding for fast MRI", 1999.
    """

    complex_valued = True
    dimensions = 5

    def __init__(
        self,
        acceleration: float = 4.0,
        img_size: tuple[int, int, int] = (2, 128, 128),
        coils: int | torch.Tensor = 8,
        center_fraction: float = 0.08,
        noise: float = 0.0,
        seed: int = 0,
        mask_seed: int = 0,
        mask: torch.Tensor | None = None,
        rtol: float = RTOL,
    ) -> None:
        columns = _columns(acceleration, img_size, center_fraction, mask_seed, mask)
        require(
            img_size[1] * img_size[2] ** 2 <= LARGEST_IMAGE,
            "img_size",
            img_size,
            f"(2, H, W) with H W² of at most {LARGEST_IMAGE}",
        )
        require_rtol(rtol)
        if isinstance(coils, torch.Tensor):
            fits = coils.is_complex() and coils.ndim == 3 and tuple(coils.shape[1:]) == tuple(img_size[1:])
            require(fits, "coils", (coils.dtype, tuple(coils.shape)), f"complex maps (C, *{img_size[1:]})")
            require(len(coils) >= 1, "coils", tuple(coils.shape), "one map or more")
            strong = bool(coils.isfinite().all()) and bool(coils.any())
            require(
                strong, "coils", "maps with NaN or infinite entries, or all zero", "finite maps, not all zero"
            )
            maps = coils.to(torch.complex64)
        else:
            require_count("coils", coils)
            maps = birdcage_maps(coils, *img_size[1:])
        super().__init__(
            mask=columns.float().expand(img_size[1:]).clone(),
            coil_maps=maps,
            noise_model=gaussian_noise(noise, seed),
        )
        blocks = _row_blocks(maps, columns)
        spectrum, basis = torch.linalg.eigh(blocks)
        seen = spectrum > rtol**2 * spectrum.max()
        self.register_buffer("columns", columns)
        self.register_buffer("spectrum", spectrum.clamp(min=0), persistent=False)
        self.register_buffer("inverse", torch.where(seen, 1 / spectrum, 0.0), persistent=False)
        self.register_buffer("basis", basis, persistent=False)
        self._derive(blocks)

    def _derive(self, blocks: torch.Tensor) -> None:
        """Keep what is applied in the precision of the maps."""
        projectors = (self.basis * (self.inverse > 0)[:, None]) @ self.basis.mH
        for name, values in (("applied_basis", self.basis), ("blocks", blocks), ("projectors", projectors)):
            self.register_buffer(name, values.to(self.coil_maps.dtype), persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Move or convert the tensors, complex ones by their real view, the eigendecomposition always in double.

        So ``.double()`` and ``.to(torch.float64)`` keep the imaginary parts, as PyTorch alone does not.
        """
        names = ("spectrum", "inverse", "basis")
        exact = {name: tensor for name in names if (tensor := self._buffers.get(name)) is not None}
        super()._apply(lambda tensor: by_real_view(fn, tensor), recurse)
        for name, tensor in exact.items():
            self.register_buffer(name, tensor.to(self.coil_maps.device), persistent=False)
        if exact:  # not yet while the base class is built
            self._derive(_row_blocks(self.coil_maps[0], self.columns))
        return self

    def update_parameters(
        self, mask: torch.Tensor | None = None, coil_maps: torch.Tensor | None = None, **kwargs: Any
    ) -> None:
        """Refuse another mask or other maps: make another operator instead."""
        require_fixed(mask=mask, coil_maps=coil_maps)
        super().update_parameters(**kwargs)

    def A_dagger(self, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Images A⁺y = (AᵀA)⁺ Aᵀy, (N, 2, H, W), of measurements (N, 2, C, H, W).

        Computed in double precision, since the inverse of AᵀA squares the condition number.
        """
        self._require_sides("y", y)
        rows = self.to_torch_complex(self.A_adjoint(y.double(), **kwargs)).transpose(0, 1)
        coefficients = (rows.conj() @ self.basis).conj() * self.inverse[:, None]
        return self._images(coefficients @ self.basis.mT).to(y.dtype)

    @property
    def rank(self) -> int:
        """Number of real modes that are seen, two for each complex one above the threshold."""
        return 2 * int((self.inverse > 0).sum())

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x of images (N, 2, H, W): every row times its block."""
        self.update_parameters(**kwargs)
        self._require_own("x", x)
        return self._images(self.to_torch_complex(x).transpose(0, 1) @ self.blocks.mT)

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, 2, H, W): every row times the projector on the eigenvectors that are seen."""
        self._require_own("x", x)
        return self._images(self.to_torch_complex(x).transpose(0, 1) @ self.projectors.mT)

    def newton(self, x: torch.Tensor, damping: float) -> torch.Tensor:
        """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x of images (N, 2, H, W): every row in the eigenvectors of its block."""
        self._require_own("x", x)
        require_positive("damping", damping)
        rows, basis = self.to_torch_complex(x).transpose(0, 1), self.applied_basis
        gains = (1 / (self.spectrum / self.squared_norm + damping))[:, None].to(x.dtype)
        return self._images((rows.conj() @ basis).conj() * gains @ basis.mT)

    @property
    def squared_norm(self) -> float:
        """‖A‖², the largest eigenvalue over all rows."""
        return float(self.spectrum.max())

    def _require_own(self, name: str, batch: torch.Tensor) -> None:
        """Refuse what ``A`` refuses, and another precision than that of the blocks."""
        self._require_sides(name, batch)
        own = batch.dtype == self.coil_maps.real.dtype or torch.is_autocast_enabled(batch.device.type)
        require(own, f"{name}.dtype", batch.dtype, f"{self.coil_maps.real.dtype}, as the maps")

    def _images(self, rows: torch.Tensor) -> torch.Tensor:
        """Turn complex rows (H, N, W) into images (N, 2, H, W), stored as convolutions like them best."""
        return self.from_torch_complex(rows.transpose(0, 1).contiguous())


def _columns(
    acceleration: float,
    img_size: tuple[int, int, int],
    center_fraction: float,
    mask_seed: int,
    mask: torch.Tensor | None,
) -> torch.Tensor:
    """Draw the measured columns, or check those that were passed."""
    expected = "(2, H, W): real and imaginary part"
    require_img_size("img_size", img_size, expected)
    require(img_size[0] == 2, "img_size", img_size, expected)
    require_seed("mask_seed", mask_seed)
    if mask is None:
        return gaussian_columns(img_size[2], acceleration, center_fraction, mask_seed)
    require_instance("mask", mask, torch.Tensor, "a tensor of booleans or 0 and 1")
    require(tuple(mask.shape) == (img_size[2],), "mask.shape", tuple(mask.shape), f"({img_size[2]},)")
    binary = bool(((mask == 0) | (mask == 1)).all()) and bool(mask.any())
    require(binary, "mask", mask.unique().tolist(), "booleans or 0 and 1, not all zero")
    return mask.bool()


def _row_blocks(maps: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Blocks G_r of AᵀA, (H, W, W), in double precision.

    F* M F is circulant: its entry (i, j) is the inverse transform of the mask at i − j.
    """
    width = columns.numel()
    kernel = torch.fft.ifft(torch.fft.ifftshift(columns).double())
    offsets = torch.arange(width, device=columns.device)
    circulant = kernel[(offsets[:, None] - offsets) % width]
    rows = maps.to(torch.complex128).transpose(0, 1)  # (H, C, W)
    return circulant * (rows.mH @ rows)
