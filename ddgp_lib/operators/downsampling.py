r"""Blurring and downsampling, for super-resolution and deblurring."""

from typing import Any, get_args

import torch
from deepinv.physics import Downsampling
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


class FourierDownsampling(OldNames, Downsampling):
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
        require_integer("factor", factor, lowest=1)
        expected = f"(C, H, W) with H and W multiples of factor={factor}"
        require_img_size("img_size", img_size, expected)
        require(not any(n % factor for n in img_size[1:]), "img_size", img_size, expected)
        require_choice("filter", filter, FILTERS)
        require(std is None or filter == "gaussian", "std", std, "None, except with filter='gaussian'")
        require_rtol(rtol)
        kernel: str | torch.Tensor = filter
        if std is not None:
            require_number("std", std, above=0, highest=max(img_size[1:]))
            kernel = physics_functional.gaussian_blur(sigma=(float(std), float(std)))
        super().__init__(
            img_size=img_size,
            filter=kernel,
            factor=factor,
            padding="circular",
            noise_model=gaussian_noise(noise, seed),
        )
        finite = bool(self.filter.isfinite().all())
        require(finite, "std", std, "a width whose filter is finite")
        taps = self.filter[0, 0].double().sum(1)  # of one axis, since the filter's sum is 1
        rows, columns = (_Axis(taps, size, factor) for size in img_size[1:])
        spectrum = torch.outer(rows.eigenvalues, columns.eigenvalues)
        seen = spectrum > rtol**2 * spectrum.max()
        transfer = torch.outer(rows.transfer, columns.transfer)[None, None].to(torch.complex64)
        self.Fh, self.Fhc, self.Fh2 = transfer, transfer.conj(), transfer.abs().square()  # for prox_l2
        self.register_buffer("spectrum", spectrum, persistent=False)
        self.channels = img_size[0]
        height, width = img_size[1:]
        self.sides = {"x": (height, width), "y": (height // factor, width // factor)}
        for name, values in (
            ("seen", seen),
            ("inverse", torch.where(seen, spectrum.rsqrt(), 0.0)),
            ("matrix_rows", rows.matrix),
            ("matrix_columns", columns.matrix),
            ("left_rows", rows.left),
            ("left_columns", columns.left),
            ("right_rows", rows.right),
            ("right_columns", columns.right),
        ):
            self.register_buffer(name, values.float(), persistent=False)

    def update_parameters(self, filter: Any = None, factor: Any = None, **kwargs: Any) -> None:
        """Refuse another filter or factor: make another operator instead."""
        require_fixed(filter=filter, factor=factor)
        super(Downsampling, self).update_parameters(**kwargs)

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


class _Axis:
    """The operator on one axis of N pixels, A_1, and its singular value decomposition, in double precision.

    Attributes
    ----------
    matrix : Tensor, shape (N/s, N)
        A_1.
    transfer : Tensor, shape (N,)
        b̂, the Fourier transform of the filter around pixel 0.
    eigenvalues : Tensor, shape (N/s,)
        Γ_1 of A_1 A_1ᵀ.
    left : Tensor, shape (N/s, N/s)
        Left singular vectors, the Hartley basis cos + sin: it is real, symmetric, and diagonalises every symmetric
        circulant matrix.
    right : Tensor, shape (N/s, N)
        Right singular vectors as rows, √Γ_1 right = leftᵀ A_1; zero where Γ_1 vanishes.
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


def _both(rows: torch.Tensor, x: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Multiply images by a matrix from either side, first from the right: that is one product for the batch."""
    return rows @ (x @ columns)
