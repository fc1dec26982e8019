r"""Multi-coil MRI without dense matrices: maps and fast Fourier transforms alone, for any Cartesian mask.

Every coil sees the image through its own map, :math:`y_c = M F S_c x + w_c`.  With several coils there is no gap in
the singular values σ of A: they fall smoothly from ‖A‖ towards zero, and which of them count as seen is a choice.
So the split into what is seen and what is not is *soft* here.  With a threshold λ, relative to ‖A‖²,

.. math::

    x = \underbrace{(A^\top A + \lambda \|A\|^2)^{-1} A^\top A\, x}_{\text{seen}}
      + \underbrace{\bigl(I - (A^\top A + \lambda \|A\|^2)^{-1} A^\top A\bigr) x}_{\text{hidden}},

where the component of x along a singular vector is seen by the filter factor
:math:`\sigma^2 / (\sigma^2 + \lambda \|A\|^2)`: nearly all of it where :math:`\sigma \gg \sqrt\lambda\, \|A\|`,
half at :math:`\sigma = \sqrt\lambda\, \|A\|`, nothing where σ = 0.  These are the factors by which Tikhonov's
solution keeps a mode.  The hidden part is :math:`\lambda \|A\|^2 (A^\top A + \lambda \|A\|^2)^{-1} x`, one solve
by conjugate gradients.
"""

from collections.abc import Callable
from typing import Any, Self

import torch
from deepinv.physics import MultiCoilMRI

from ..arguments import (
    LARGEST_IMAGE,
    LARGEST_SIDE,
    require,
    require_instance,
    require_number,
    require_positive,
    require_tensor,
)
from ._common import FixedSides, by_real_view, require_fixed, single_precision
from .iterative import largest_eigenvalue, solve_symmetric
from .known import found_once
from .noise import gaussian_noise

NORM_STEPS = 60
"""Products with AᵀA at most for ‖A‖² of multi-coil MRI."""
NORM_RTOL = 1e-4
"""Relative rise in one product at which the power iteration for it ends."""
IMAGE_TOL = 1e-5
"""Residual at which the solve for an image that nothing follows stops, as a fraction of ‖Aᵀy‖."""
SPARE = 1e-3
"""How far above 1 the root sum of squares of maps may be."""


def normalise_maps(
    maps: torch.Tensor, support: torch.Tensor | None = None, *, floor: float = 1e-3
) -> torch.Tensor:
    r"""Divide maps pixel by pixel by their root sum of squares, so that :math:`\sum_c |s_c|^2 = 1`.

    Parameters
    ----------
    maps : Tensor, complex, shape (C, H, W)
        Sensitivities of C coils in any units.
    support : Tensor, bool, shape (H, W), optional
        Where there is an object; the maps are zero elsewhere.  By default all pixels.
    floor : float
        Pixels whose root sum of squares is at most this fraction of the largest hold no information, and are zero
        too; in [0, 1).

    Returns
    -------
    Tensor, complex64, shape (C, H, W)
        Maps whose root sum of squares is 1 or 0.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or all maps are zero.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import normalise_maps
    >>> normalise_maps(torch.tensor([[[3j, 0]], [[4, 0]]]))[:, 0, 0].abs().tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    _require_maps(maps)
    require_number("floor", floor, lowest=0, below=1)
    scaled = maps.to(torch.complex128) / maps.abs().max()
    size = torch.linalg.vector_norm(scaled, dim=0)
    kept = size > floor * size.max()
    if support is not None:
        wanted = f"None, or a tensor of bool, shape {tuple(maps.shape[1:])}, with one pixel or more"
        require_instance("support", support, torch.Tensor, wanted)
        fits = (
            support.dtype == torch.bool and support.shape == maps.shape[1:] and bool((support & kept).any())
        )
        require(fits, "support", support, wanted)
        kept = kept & support
    return torch.where(kept, scaled / torch.where(kept, size, 1.0), 0.0).to(torch.complex64)


class SenseMRI(FixedSides, MultiCoilMRI):
    r"""Multi-coil Cartesian MRI for any mask, by Fourier transforms alone: :math:`y_c = M F S_c x + w_c`.

    It is deepinv's :class:`~deepinv.physics.MultiCoilMRI`, in the same convention, with what the library asks of an
    operator beyond it.  Nothing is precomputed but the maps and the mask: 8 C H W + 12 H W bytes are kept, 5 MB for
    8 coils at 256 × 256.  :class:`~ddgp_lib.operators.mri.MultiCoilCartesianMRI` takes whole columns alone and knows
    its whole spectrum, for 40 H W² bytes, 671 MB there.

    :math:`A^\top A` transforms only along the axes on which the mask varies: with whole columns, along the rows.  The
    solves with :math:`A^\top A + \lambda \|A\|^2` are by conjugate gradients, up to a residual of ``tol`` times the
    right-hand side.

    Measurements have the shape (N, 2, C, H, W); entries that are not measured are zero.

    Parameters
    ----------
    maps : Tensor, complex, shape (C, H, W)
        Sensitivities with a root sum of squares of at most 1 at every pixel, as :func:`normalise_maps` or ESPIRiT
        (:func:`ddgp_lib.scanner.espirit_maps`) makes them.  Pixels where it is zero are outside of the support: the
        operator sees nothing there.
    mask : Tensor, bool or of 0 and 1, shape (W,) or (H, W)
        The columns, or the places of k-space, that are measured; the zero frequency is at H // 2, W // 2.
    noise : float
        Standard deviation of the white Gaussian noise on the real and on the imaginary part of each measured entry;
        independent between coils.
    seed : int
        Seed of the operator's own noise generator.
    split : float
        λ of the soft split into range and null space, relative to ‖A‖², above zero: modes with a singular value of
        √λ ‖A‖ count half as seen.
    tol : float
        Residual at which conjugate gradients stop, as a fraction of the right-hand side, from 1e-7 and below 1.  On a
        head of 7 coils at 256 × 216 plug-and-play with Newton's step came to the same within 0.01 dB for 1e-3 and
        for 1e-6, with 20 and 40 products an iteration (λ = 0.03).

    Attributes
    ----------
    split, tol : float
        As above.
    axes : tuple of int
        Dimensions of images along which the mask varies, and so :math:`A^\top A` transforms.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Notes
    -----
    :meth:`range_projection` is the soft split's seen part, which is no projector: applied twice it is not the same.
    What a preconditioner of the form ``"newton_null_space"`` or ``"null_space"``
    (:class:`~ddgp_lib.preconditioners.learned.LearnedPreconditioner`) subtracts from its network's correction N is
    found by this method, so these forms work as they are, and their null space is the hidden part.  What they promise
    becomes softer: with :math:`\rho = \sigma / \|A\|` the correction changes the data by
    :math:`\|A \cdot \text{hidden}\| \le \max_\rho \frac{\lambda\rho}{\rho^2 + \lambda} \|A\| \|N\|
    = \tfrac12 \sqrt\lambda\, \|A\| \|N\|`, a twentieth for λ = 0.01.  A gradient's direction costs two
    solves, one for the Newton step of damping λ′ and one for the split.  Where λ′ = λ both are one,
    :math:`R_\lambda g + \lambda R_\lambda N = R_\lambda (g + \lambda N)`.

    References
    ----------
    Pruessmann et al., "SENSE: sensitivity encoding for fast MRI", 1999; Pruessmann et al., "Advances in sensitivity
    encoding with arbitrary k-space trajectories", 2001, for conjugate gradients; Hansen, "Discrete inverse problems",
    2010, for filter factors.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.operators import SenseMRI, birdcage_maps, gaussian_columns
    >>> scanner = SenseMRI(birdcage_maps(4, 32, 32), gaussian_columns(32, 4))
    >>> x = torch.ones(1, 2, 32, 32)
    >>> tuple(scanner.A(x).shape)
    (1, 2, 4, 32, 32)
    >>> bool((scanner.cg_sense(scanner.A(x), 1e-3) - x).norm() < 0.05 * x.norm())
    True
    """

    complex_valued = True
    dimensions = 5

    def __init__(
        self,
        maps: torch.Tensor,
        mask: torch.Tensor,
        *,
        noise: float = 0.0,
        seed: int = 0,
        split: float = 1e-2,
        tol: float = 1e-3,
    ) -> None:
        _require_maps(maps)
        largest = float(torch.linalg.vector_norm(maps, dim=0).max())
        found = f"maps with a root sum of squares of up to {largest:.4g}"
        require(largest <= 1 + SPARE, "maps", found, "at most 1, as normalise_maps makes it")
        places = _places(mask, (maps.shape[1], maps.shape[2]))
        require_positive("split", split)
        require_number("tol", tol, lowest=1e-7, below=1)
        super().__init__(
            mask=places.float(),
            coil_maps=maps.to(torch.complex64),
            noise_model=gaussian_noise(noise, seed),
        )
        self.split, self.tol = float(split), float(tol)
        rows, columns = bool((places != places[:1]).any()), bool((places != places[:, :1]).any())
        self.axes = tuple(axis for axis, varies in ((-2, rows), (-1, columns)) if varies)
        varying = places[: None if rows else 1, : None if columns else 1]
        self.register_buffer("shifted", torch.fft.ifftshift(varying).float(), persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Move or convert the tensors, the maps by their real view: ``.double()`` keeps the imaginary parts."""
        super()._apply(lambda tensor: by_real_view(fn, tensor), recurse)
        return self

    def update_parameters(
        self, mask: torch.Tensor | None = None, coil_maps: torch.Tensor | None = None, **kwargs: Any
    ) -> None:
        """Refuse another mask or other maps: make another operator instead."""
        require_fixed(mask=mask, coil_maps=coil_maps)
        super().update_parameters(**kwargs)

    @property
    def squared_norm(self) -> float:
        """‖A‖², at most 1: by up to 60 products of the power iteration, once, and again when the maps change.

        It is found from below, see :data:`NORM_RTOL`.
        """
        img_size = (2, *self.sides)
        maps = self.coil_maps.real
        options: dict[str, Any] = {"max_iter": NORM_STEPS, "rtol": NORM_RTOL}
        options |= {"dtype": maps.dtype, "device": maps.device}
        return float(
            found_once(
                self,
                "squared norm",
                img_size,
                lambda: largest_eigenvalue(self.A_adjoint_A, img_size, **options),
            )
        )

    @property
    def support(self) -> torch.Tensor:
        """Pixels that a coil sees, (H, W), bool."""
        return (self.coil_maps[0] != 0).any(dim=0)

    @single_precision
    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x of images (N, 2, H, W): maps, transforms along the mask's axes, and back, for all coils at once.

        A transform with its origin in the middle is one with another origin, but for shifts that commute with what
        is between: the mask is shifted once, and the images not at all.
        """
        self.update_parameters(**kwargs)
        self._require_sides("x", x)
        seen = self.coil_maps * self.to_torch_complex(x)[:, None]
        if self.axes:
            seen = torch.fft.ifftn(torch.fft.fftn(seen, dim=self.axes) * self.shifted, dim=self.axes)
        return self.from_torch_complex((self.coil_maps.conj() * seen).sum(dim=1))

    @single_precision
    def newton(
        self, x: torch.Tensor, damping: float, start: torch.Tensor | None = None, tol: float | None = None
    ) -> torch.Tensor:
        """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x of images (N, 2, H, W), with λ = ``damping``, by conjugate gradients.

        Parameters
        ----------
        x : Tensor, shape (N, 2, H, W)
            Images, such as gradients.
        damping : float
            λ, above zero.
        start : Tensor, shape (N, 2, H, W), optional
            A guess of the result, which saves products where it is near, as the last image where this is an image.
            Measured on a head in plug-and-play with Newton's step: an image from the last one took 13 products in the
            place of 19; a direction from the last direction took 24 for 26 at the second iteration, and 17 for 25 at
            the sixth.
        tol : float, optional
            Residual at which to stop, as a fraction of ‖x‖; by default the operator's.

        Returns
        -------
        Tensor, shape (N, 2, H, W)
            Its relative error is at most ``tol`` (1 + 1/λ) for x in the range of Aᵀ.

        Raises
        ------
        ValueError
            If an argument is outside what is accepted.
        """
        self._require_sides("x", x)
        require_positive("damping", damping)
        require_number("tol", tol, lowest=1e-7, below=1, none=True)
        if start is not None:
            require_tensor("start", start, shape=tuple(x.shape), finite=False)
        top = self.squared_norm
        return solve_symmetric(
            lambda v: self.A_adjoint_A(v) / top + damping * v,
            x,
            1 + 1 / damping,
            tol=self.tol if tol is None else tol,
            start=start,
        )

    def hidden(self, x: torch.Tensor, split: float | None = None) -> torch.Tensor:
        """(I − (AᵀA + λ‖A‖²)⁻¹ AᵀA) x: the soft null-space part of images (N, 2, H, W).

        Parameters
        ----------
        x : Tensor, shape (N, 2, H, W)
            Images.
        split : float, optional
            λ, above zero; by default the operator's.

        Returns
        -------
        Tensor, shape (N, 2, H, W)
            Each mode times λ‖A‖²/(σ² + λ‖A‖²), with an error of at most ``tol`` ‖x‖.
        """
        level = self.split if split is None else split
        require_positive("split", level)
        return level * self.newton(x, level)

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """(AᵀA + λ‖A‖²)⁻¹ AᵀA x: the soft range part of images (N, 2, H, W), with the operator's λ.

        Each mode times σ²/(σ² + λ‖A‖²).  It stands in the place of A⁺A, and is no projector.
        """
        return x - self.hidden(x)

    def cg_sense(
        self, y: torch.Tensor, damping: float, start: torch.Tensor | None = None, tol: float = IMAGE_TOL
    ) -> torch.Tensor:
        """(AᵀA + λ‖A‖²)⁻¹ Aᵀy: Tikhonov's images (N, 2, H, W) of measurements (N, 2, C, H, W), with λ = ``damping``.

        Parameters
        ----------
        y : Tensor, shape (N, 2, C, H, W)
            Measurements.
        damping : float
            λ, above zero.
        start : Tensor, shape (N, 2, H, W), optional
            A guess of the images.
        tol : float
            Residual at which to stop, as a fraction of ‖Aᵀy‖; tighter than the operator's, since no later step makes
            up for what is left.

        Returns
        -------
        Tensor, shape (N, 2, H, W)
        """
        require_number("tol", tol, lowest=1e-7, below=1)
        top = self.squared_norm
        if start is not None:
            require_tensor("start", start, dimensions=4, finite=False)
        guess = None if start is None else start * top
        return self.newton(self.A_adjoint(y), damping, guess, tol) / top


def _require_maps(maps: Any) -> None:
    """Refuse what are no finite maps of coils, or all zero."""
    wanted = "complex maps (C, H, W), finite and not all zero"
    require_instance("maps", maps, torch.Tensor, wanted)
    fits = maps.is_complex() and maps.ndim == 3 and 0 < maps.numel() <= LARGEST_IMAGE
    require(fits and max(maps.shape) <= LARGEST_SIDE, "maps", (maps.dtype, tuple(maps.shape)), wanted)
    strong = bool(maps.isfinite().all()) and bool(maps.any())
    require(strong, "maps", "maps with NaN or infinite entries, or all zero", wanted)


def _places(mask: Any, sides: tuple[int, int]) -> torch.Tensor:
    """Return which places of k-space are measured, (H, W), from columns or places."""
    shapes = ((sides[1],), sides)
    wanted = f"booleans or 0 and 1, shape {shapes[0]} or {shapes[1]}, not all zero"
    require_instance("mask", mask, torch.Tensor, wanted)
    require(tuple(mask.shape) in shapes, "mask.shape", tuple(mask.shape), f"{shapes[0]} or {shapes[1]}")
    binary = bool(((mask == 0) | (mask == 1)).all()) and bool(mask.any())
    require(binary, "mask", mask, wanted)
    return mask.bool().expand(sides).clone()
