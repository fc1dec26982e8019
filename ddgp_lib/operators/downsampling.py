r"""Blurring and downsampling, for super-resolution and deblurring."""

from typing import Any, get_args

import torch
from deepinv.physics import Downsampling, LinearPhysics
from deepinv.physics import functional as physics_functional

from ..arguments import (
    require,
    require_choice,
    require_img_size,
    require_integer,
    require_number,
    require_positive,
)
from ..names import Filter
from ._common import RTOL, OldNames, require_fixed, require_rtol, require_sides, single_precision
from .noise import gaussian_noise

FILTERS: tuple[Filter, ...] = get_args(Filter)


class _Separable(OldNames):
    r"""Maps of an operator A x = A_H x A_Wᵀ with two small matrices, whose singular values and vectors are known.

    It stands before deepinv's operator among the bases.  Images are (N, C, H, W), measurements (N, C, H', W').

    Attributes
    ----------
    spectrum : Tensor, shape (H', W'), double precision
        Eigenvalues Γ of A Aᵀ, the products of those of both axes; for each channel.
    channels : int
        C.
    sides : dict
        (H, W) of images, ``"x"``, and of measurements, ``"y"``.
    """

    spectrum: torch.Tensor
    seen: torch.Tensor
    inverse: torch.Tensor
    matrix_rows: torch.Tensor
    matrix_columns: torch.Tensor
    left_rows: torch.Tensor
    left_columns: torch.Tensor
    right_rows: torch.Tensor
    right_columns: torch.Tensor

    def _know(self, channels: int, rows: "_Axis", columns: "_Axis", rtol: float) -> None:
        """Keep what is known of both axes; ``rtol`` says which singular values count."""
        spectrum = torch.outer(rows.eigenvalues, columns.eigenvalues)
        seen = spectrum > rtol**2 * spectrum.max()
        self.channels = channels
        (low_height, height), (low_width, width) = rows.matrix.shape, columns.matrix.shape
        self.sides = {"x": (height, width), "y": (low_height, low_width)}
        self.register_buffer("spectrum", spectrum, persistent=False)
        for name, values in (
            ("seen", seen),
            ("inverse", torch.where(seen, spectrum.rsqrt(), 0.0)),
            ("matrix_rows", rows.matrix),
            ("matrix_columns", columns.matrix),
            ("left_rows", rows.left),
            ("left_columns", columns.left.T.contiguous()),
            ("right_rows", rows.right),
            ("right_columns", columns.right),
        ):
            self.register_buffer(name, values.float(), persistent=False)

    @single_precision
    def A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Measurements A x, (N, C, H/s, W/s), of images (N, C, H, W)."""
        self.update_parameters(**kwargs)
        self._require("x", x)
        return _both(self.matrix_rows, x, self.matrix_columns.T)

    @single_precision
    def A_adjoint(self, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Images Aᵀy, (N, C, H, W), of measurements (N, C, H/s, W/s)."""
        self.update_parameters(**kwargs)
        self._require("y", y)
        return _both(self.matrix_rows.T, y, self.matrix_columns)

    @single_precision
    def A_dagger(self, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Images A⁺y, (N, C, H, W), of measurements (N, C, H/s, W/s)."""
        self.update_parameters(**kwargs)
        self._require("y", y)
        coefficients = self.inverse * _both(self.left_rows, y, self.left_columns)
        return _both(self.right_rows.T, coefficients, self.right_columns)

    @property
    def rank(self) -> int:
        """Number of modes that are seen, those above the threshold in each channel."""
        return self.channels * int(self.seen.sum())

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, C, H, W)."""
        self._require("x", x)
        coefficients = self.seen * _both(self.right_rows, x, self.right_columns.T)
        return _both(self.right_rows.T, coefficients, self.right_columns)

    def newton(self, x: torch.Tensor, damping: float) -> torch.Tensor:
        """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x of images (N, C, H, W), with λ = ``damping``."""
        self._require("x", x)
        require_positive("damping", damping)
        gains = 1 / (self.spectrum / self.squared_norm + damping) - 1 / damping
        coefficients = gains.to(x.dtype) * _both(self.right_rows, x, self.right_columns.T)
        return x / damping + _both(self.right_rows.T, coefficients, self.right_columns)

    @property
    def squared_norm(self) -> float:
        """‖A‖², the largest Γ."""
        return float(self.spectrum.max())

    def _require(self, name: str, batch: torch.Tensor) -> None:
        """Refuse images ``"x"``, or measurements ``"y"``, of other sides or another type."""
        require_sides(name, batch, self.sides[name], (self.matrix_rows.dtype,))


class FourierDownsampling(_Separable, Downsampling):  # type: ignore[misc]
    r"""Blur an image with a filter and keep every s-th pixel of every s-th row, with periodic boundaries.

    It is deepinv's :class:`~deepinv.physics.Downsampling` with ``padding="circular"`` and the same filters.  They
    are products of one filter b for each axis, so :math:`A x = A_H\, x\, A_W^\top` with two small matrices, which is
    faster than Fourier transforms up to 128 × 128 pixels and more.  On each axis the frequencies that downsampling
    folds onto the same frequency f of the small grid add up: :math:`A_1 A_1^\top` is circulant, with the eigenvalues

    .. math:: \Gamma_1(f) = \frac1s \sum_{j=0}^{s-1} \bigl\lvert \hat b(f + j N / s) \bigr\rvert^2 ,

    so :math:`A A^\top` has the eigenvalues :math:`\Gamma(f, g) = \Gamma_H(f)\, \Gamma_W(g)` in the Fourier basis of
    the small grid, and :math:`A^+ = A^\top (A A^\top)^{-1}` and :math:`A^+ A` are known without iterations.

    Images are (N, C, H, W), measurements (N, C, H/s, W/s); every channel is treated alike.

    Parameters
    ----------
    factor : int
        s, 1 or above; 1 is blur alone.
    img_size : tuple of int
        Image shape (C, H, W), with H and W multiples of s.
    filter : str
        ``"gaussian"`` (default), ``"bicubic"`` or ``"sinc"`` (windowed by Kaiser's), each with sum 1.  The last two
        have an even number of taps, which shifts the small image by half a pixel of the large one.
    std : float, optional
        Standard deviation of the Gaussian in pixels of the large image; by default s, as in deepinv.  Its taps
        reach int(std / 0.3 + 1) pixels from the centre.
    noise : float
        Standard deviation of the white Gaussian noise on each measurement.
    seed : int
        Seed of the operator's own noise generator.
    rtol : float
        Singular values below ``rtol`` times the largest count as zero in A⁺ and A⁺A; by default 1e-5, as in
        :mod:`ddgp_lib.analysis`.  A Gaussian's spectrum falls without a gap, so what counts as seen is a choice: A⁺
        amplifies noise by up to 1 / (``rtol`` ‖A‖), and A⁺A leaves out of A x at most ``rtol`` ‖A‖ ‖x‖.

    Attributes
    ----------
    spectrum : Tensor, shape (H/s, W/s), double precision
        Eigenvalues Γ of A Aᵀ, at the frequencies of :func:`torch.fft.fftfreq` on the small grid; for each channel.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Zhao et al., "Fast single image super-resolution using a new analytical solution for ℓ2-ℓ2 problems", 2016.
    """

    def __init__(
        self,
        factor: int,
        img_size: tuple[int, int, int],
        filter: Filter = "gaussian",
        std: float | None = None,
        noise: float = 0.0,
        seed: int = 0,
        rtol: float = RTOL,
    ) -> None:
        kernel = _kernel(factor, img_size, filter, std, rtol)
        expected = f"(C, H, W) with H and W multiples of factor={factor}"
        require(not any(n % factor for n in img_size[1:]), "img_size", img_size, expected)
        super().__init__(
            img_size=img_size,
            filter=kernel,
            factor=factor,
            padding="circular",
            noise_model=gaussian_noise(noise, seed),
        )
        taps = self.filter[0, 0].double().sum(1)  # of one axis, since the filter's sum is 1
        rows, columns = (_PeriodicAxis(taps, size, factor) for size in img_size[1:])
        transfer = torch.outer(rows.transfer, columns.transfer)[None, None].to(torch.complex64)
        self.Fh, self.Fhc, self.Fh2 = transfer, transfer.conj(), transfer.abs().square()  # for prox_l2
        self._know(img_size[0], rows, columns, rtol)

    def update_parameters(self, filter: Any = None, factor: Any = None, **kwargs: Any) -> None:
        """Refuse another filter or factor: make another operator instead."""
        require_fixed(filter=filter, factor=factor)
        super(Downsampling, self).update_parameters(**kwargs)


class FramedDownsampling(_Separable, LinearPhysics):
    r"""Blur an image with a filter and keep every s-th pixel, where the whole blur lies inside the frame.

    A photograph's blur reaches beyond its border, and what is there is no copy of the opposite side, as periodic
    boundaries would have it.  Here the image is larger than what is measured: the pixels around it are unknowns too,
    seen by the tails of the filter alone.  As in :class:`FourierDownsampling`, A x = A_H x A_Wᵀ with two small
    matrices, whose singular value decompositions give A⁺, A⁺A and the Newton step without iterations.

    Images are (N, C, H, W), measurements (N, C, H', W'), as many as :attr:`sides` says.

    Parameters
    ----------
    factor : int
        s, 1 or above.
    img_size : tuple of int
        Image shape (C, H, W), the unknown surroundings included.
    filter, std, noise, seed, rtol
        See :class:`FourierDownsampling`.

    Attributes
    ----------
    kept : tuple of slice
        Rows and columns of the image from the first to the last measurement: the part that is well measured.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or no measurement's blur fits into the frame.

    References
    ----------
    Almeida and Figueiredo, "Deconvolving images with unknown boundaries using the alternating direction method of
    multipliers", 2013.
    """

    def __init__(
        self,
        factor: int,
        img_size: tuple[int, int, int],
        filter: Filter = "gaussian",
        std: float | None = None,
        noise: float = 0.0,
        seed: int = 0,
        rtol: float = RTOL,
    ) -> None:
        kernel = _kernel(factor, img_size, filter, std, rtol)
        super().__init__(img_size=img_size, noise_model=gaussian_noise(noise, seed))
        taps = kernel[0, 0].double().sum(1)
        rows, columns = (_ValidAxis(taps, size, factor) for size in img_size[1:])
        fits = min(len(rows.matrix), len(columns.matrix)) > 0
        require(fits, "img_size", img_size, f"sides above the filter's {len(taps)} pixels")
        self.kept = (rows.kept, columns.kept)
        self._know(img_size[0], rows, columns, rtol)

    def region(self, x: torch.Tensor) -> torch.Tensor:
        """Mask (N, 1, H, W) of the pixels of images (N, C, H, W) from the first to the last measurement."""
        self._require("x", x)
        mask = torch.zeros_like(x[:, :1], dtype=torch.bool)
        mask[..., self.kept[0], self.kept[1]] = True
        return mask

    def update_parameters(self, **kwargs: Any) -> None:
        """Refuse another filter: make another operator instead."""
        require_fixed(filter=kwargs.pop("filter", None), factor=kwargs.pop("factor", None))
        super().update_parameters(**kwargs)


def _kernel(
    factor: int, img_size: tuple[int, int, int], filter: Filter, std: float | None, rtol: float
) -> torch.Tensor:
    """Return the filter (1, 1, K, K), as deepinv makes it, after a look at the arguments."""
    require_img_size("img_size", img_size)
    require_integer("factor", factor, lowest=1, highest=min(img_size[1:]))
    require_choice("filter", filter, FILTERS)
    require(std is None or filter == "gaussian", "std", std, "None, except with filter='gaussian'")
    require_rtol(rtol)
    if std is not None:
        require_number("std", std, above=0, highest=max(img_size[1:]))
    if filter == "bicubic":
        return physics_functional.bicubic_filter(factor)
    if filter == "sinc":
        return physics_functional.sinc_filter(factor, length=4 * factor)
    width = float(factor if std is None else std)
    kernel = physics_functional.gaussian_blur(sigma=(width, width))
    require(bool(kernel.isfinite().all()), "std", std, "a width whose filter is finite")
    return kernel


class _Axis:
    """An operator on one axis of N pixels with M measurements, A_1, and its singular values and vectors.

    Attributes
    ----------
    matrix : Tensor, shape (M, N), double precision
        A_1.
    eigenvalues : Tensor, shape (M,)
        Γ_1 of A_1 A_1ᵀ.
    left : Tensor, shape (M, M)
        Left singular vectors as rows.
    right : Tensor, shape (M, N)
        Right singular vectors as rows, √Γ_1 right = left A_1.
    """

    matrix: torch.Tensor
    eigenvalues: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor


class _PeriodicAxis(_Axis):
    """A filter with periodic ends, of which every s-th value is kept: M = N/s.

    The left vectors are the Hartley basis cos + sin: it is real, symmetric, and diagonalises every symmetric
    circulant matrix.  Right vectors are zero where Γ_1 vanishes.

    Attributes
    ----------
    transfer : Tensor, shape (N,)
        b̂, the Fourier transform of the filter around pixel 0.
    """

    def __init__(self, taps: torch.Tensor, size: int, factor: int) -> None:
        kernel = torch.zeros(size, dtype=torch.float64)
        kernel.index_add_(0, (torch.arange(taps.numel()) - taps.numel() // 2) % size, taps)
        pixels = torch.arange(size)
        self.matrix = kernel[(pixels[::factor, None] - pixels) % size]
        self.transfer = torch.fft.fft(kernel)
        self.eigenvalues = self.transfer.abs().square().reshape(factor, -1).mean(0)
        small = torch.arange(size // factor, dtype=torch.float64)
        angles = torch.outer(small, small) % small.numel() * (2 * torch.pi / small.numel())
        self.left = (angles.cos() + angles.sin()) / small.numel() ** 0.5
        values = self.eigenvalues.sqrt()[:, None]
        vanishes = values <= 1e-7 * values.max()  # below every rtol that is accepted
        self.right = torch.where(vanishes, 0.0, self.left @ self.matrix / values)


class _ValidAxis(_Axis):
    """A filter of which every s-th value is kept if all pixels that it needs are in the frame."""

    def __init__(self, taps: torch.Tensor, size: int, factor: int) -> None:
        before, after = taps.numel() - 1 - taps.numel() // 2, taps.numel() // 2
        pixels = torch.arange(size)
        kept = pixels[::factor]
        kept = kept[(kept >= before) & (kept + after < size)]
        self.kept = slice(int(kept[0]), int(kept[-1]) + factor) if len(kept) else slice(0, 0)
        place = kept[:, None] - pixels + taps.numel() // 2
        inside = (place >= 0) & (place < taps.numel())
        self.matrix = torch.where(inside, taps[place.clamp(0, taps.numel() - 1)], 0.0)
        left, values, self.right = torch.linalg.svd(self.matrix, full_matrices=False)
        self.left, self.eigenvalues = left.T, values.square()


def _both(rows: torch.Tensor, x: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Multiply images by a matrix from either side, first from the right: that is one product for the batch."""
    return rows @ (x @ columns)
