r"""Sensitivity maps drawn at random, from a family that maps of real coils belong to.

Coil c stands at a random place :math:`p_c` on a ring around the image, whose pixels have coordinates
:math:`p \in [-1, 1]^2`.  Its field falls with the distance, and is bent by a random polynomial of low degree,

.. math::

    f_c(p) = g_c \exp\Bigl(-\frac{\|p - p_c\|^2}{2 w_c^2}\Bigr)\,
             \exp\Bigl(\sum_{1 \le i + j \le 3} (a_{cij} + \mathrm i\, b_{cij})\, T_i(u)\, T_j(v)\Bigr) ,

with Chebyshev polynomials T.  The fields are divided by their root sum of squares, as all maps that ESPIRiT
estimates are, and by the phase of a mixture of the coils that sees most, which is where ESPIRiT puts no phase.

How real maps compare was measured on two heads, by the share of the energy that polynomials of a degree leave over
within the head (:func:`energy_outside`).  For degrees 2, 3, 4 and 6, 7 coils at 3 T leave 4.7, 1.2, 0.55 and 0.18 %,
8 coils of another scan 10.8, 4.0, 1.6 and 0.36 %.  The median of 24 draws within the first head is 4.3, 1.2, 0.31 and
0.02 % with bend 0.4 and turn 1.0, and 15, 7.2, 3.4 and 0.5 % with 0.6 and 1.5.  The defaults lie between.  Real maps
have a longer tail, of the noise that they were estimated from.
"""

import math

import torch

from ..arguments import (
    require,
    require_count,
    require_instance,
    require_integer,
    require_number,
    require_positive,
)
from .augment import require_generator
from .resampling import height_and_width

DEGREE = 3
"""Degree of the polynomials that bend the fields."""
RING = (1.0, 1.7)
"""Least and largest distance of a coil from the centre, in half sides of the image."""
WIDTHS = (0.6, 1.4)
"""Least and largest width w of a coil's field, in half sides."""
LARGEST_DEGREE = 20
"""Degree of polynomials that maps are compared with, at most."""


def random_maps(
    coils: int,
    size: int | tuple[int, int],
    generator: torch.Generator,
    *,
    bend: float = 0.5,
    turn: float = 1.2,
) -> torch.Tensor:
    """Draw the sensitivities of coils around an image.

    Parameters
    ----------
    coils : int
        Number of coils C, 1 or above; their angles are apart by 2π / C, give or take a third of it.
    size : int or pair of int
        Side of the maps, or height and width, 2 or above.
    generator : torch.Generator
        Makes all draws.
    bend : float
        Standard deviation of a, 0 or above, each divided by i + j: how irregular magnitudes are.
    turn : float
        The same of b in radians: how much phases vary.

    Returns
    -------
    Tensor, complex64, shape (C, H, W)
        Their root sum of squares is 1 at every pixel.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data import random_maps
    >>> maps = random_maps(6, (32, 24), torch.Generator().manual_seed(0))
    >>> tuple(maps.shape), bool((maps.abs().square().sum(0) - 1).abs().max() < 1e-5)
    ((6, 32, 24), True)
    """
    require_count("coils", coils)
    height, width = height_and_width(size, lowest=2)
    require_generator(generator)
    require_number("bend", bend, lowest=0)
    require_number("turn", turn, lowest=0)
    basis = _basis(height, width, DEGREE)  # (K, H, W), the constant first
    degrees = _degrees(DEGREE)[1:]
    bends, turns = torch.randn(2, coils, len(degrees), generator=generator, dtype=torch.float64) / degrees
    logarithm = torch.einsum("ck,khw->chw", bend * bends, basis[1:]) - _fall(coils, height, width, generator)
    phase = torch.einsum("ck,khw->chw", turn * turns, basis[1:])
    phase += 2 * math.pi * torch.rand(coils, 1, 1, generator=generator, dtype=torch.float64)
    fields = torch.polar((logarithm - logarithm.amax(dim=0)).exp(), phase)
    maps = fields / torch.linalg.vector_norm(fields, dim=0)
    return (maps * _common_phase(maps).conj()).to(torch.complex64)


def energy_outside(maps: torch.Tensor, degree: int, support: torch.Tensor | None = None) -> float:
    """Measure how much of maps is no polynomial of a low degree: how rough they are.

    Parameters
    ----------
    maps : Tensor, complex, shape (C, H, W)
        Sensitivities.
    degree : int
        Largest total degree of the polynomials in both coordinates, with complex coefficients, from 0 to 20.
    support : Tensor, bool, shape (H, W), optional
        The pixels that count; by default those where a map is not zero.

    Returns
    -------
    float
        Fraction of the energy of all maps that least squares leave over, from 0 to 1.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data import energy_outside
    >>> slope = torch.linspace(1, 2, 16).expand(1, 16, 16) + 0j
    >>> energy_outside(slope, 1) < 1e-9 < energy_outside(slope, 0)
    True
    """
    wanted = "complex maps (C, H, W), finite and not all zero"
    require_instance("maps", maps, torch.Tensor, wanted)
    fits = maps.is_complex() and maps.ndim == 3 and min(maps.shape) >= 1
    require(fits and bool(maps.isfinite().all()) and bool(maps.any()), "maps", maps, wanted)
    require_integer("degree", degree, lowest=0, highest=LARGEST_DEGREE)
    if support is None:
        support = (maps != 0).any(dim=0)
    wanted = f"None, or a tensor of bool, shape {tuple(maps.shape[1:])}, with a pixel where a map is not zero"
    require_instance("support", support, torch.Tensor, wanted)
    require(support.dtype == torch.bool and support.shape == maps.shape[1:], "support", support, wanted)
    samples = maps[:, support].to(torch.complex128).mT  # (pixels, C)
    energy = float(samples.abs().square().sum())
    require(energy > 0, "support", support, wanted)
    functions = _basis(maps.shape[1], maps.shape[2], degree)[:, support].mT
    orthonormal = torch.linalg.qr(functions).Q.to(samples.dtype)
    left = samples - orthonormal @ (orthonormal.mH @ samples)
    return float(left.abs().square().sum()) / energy


def rough_phase(
    count: int,
    size: int | tuple[int, int],
    generator: torch.Generator,
    *,
    strength: float = 0.3,
    exponent: float = 2.5,
) -> torch.Tensor:
    r"""Draw random phases with structure of all sizes, which no polynomial of a low degree follows.

    Tissue, vessels and interfaces with air leave such phases in real images, beside the smooth ones of
    :func:`ddgp_lib.data.brains.smooth_phase`.  Each is a Gaussian random field with the power spectrum
    :math:`\|k\|^{-p}`, without a mean.

    Parameters
    ----------
    count : int
        Number of phases N, 0 or above.
    size : int or pair of int
        Their side, or height and width, 2 or above.
    generator : torch.Generator
        Makes all draws.
    strength : float
        Standard deviation of each phase over its pixels, in radians, above zero.
    exponent : float
        p, 0 or above: 0 is white, the larger the smoother.

    Returns
    -------
    Tensor, float32, shape (N, H, W)
        Phases in radians.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data import rough_phase
    >>> round(float(rough_phase(1, 32, torch.Generator().manual_seed(0)).std()), 2)
    0.3
    """
    require_integer("count", count, lowest=0)
    height, width = height_and_width(size, lowest=2)
    require_generator(generator)
    require_positive("strength", strength)
    require_number("exponent", exponent, lowest=0)
    frequencies = (torch.fft.fftfreq(n, 1 / n, dtype=torch.float64) for n in (height, width))
    down, across = torch.meshgrid(*frequencies, indexing="ij")
    radius = torch.hypot(down, across)
    gain = torch.where(radius > 0, radius.clamp(min=1) ** (-exponent / 2), 0.0)
    white = torch.randn(count, height, width, generator=generator, dtype=torch.float64)
    fields = torch.fft.ifft2(torch.fft.fft2(white) * gain).real
    spread = fields.square().mean(dim=(1, 2), keepdim=True).sqrt()
    return (strength * fields / spread).float()


def _fall(coils: int, height: int, width: int, generator: torch.Generator) -> torch.Tensor:
    """Return ‖p − p_c‖²/(2 w_c²) − log g_c for coils at random places of the ring, (C, H, W)."""
    places, distances, widths, gains = torch.rand(4, coils, generator=generator, dtype=torch.float64)
    first = torch.rand(1, generator=generator, dtype=torch.float64)
    numbers = torch.arange(coils, dtype=torch.float64)
    angles = 2 * math.pi * (numbers + first * coils + (2 * places - 1) / 3) / coils
    radii = RING[0] + (RING[1] - RING[0]) * distances
    reach = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * widths
    down, across = (_line(n) for n in (height, width))
    rows = down[None, :, None] - (radii * angles.sin())[:, None, None]
    columns = across[None, None, :] - (radii * angles.cos())[:, None, None]
    falls = (rows.square() + columns.square()) / (2 * reach.square())[:, None, None]
    return falls - (2 * gains - 1)[:, None, None] * math.log(2)


def _common_phase(maps: torch.Tensor) -> torch.Tensor:
    """Return the phase, (H, W) of modulus 1, of the mixture of coils that holds most of their energy."""
    samples = maps.flatten(1)
    first = torch.linalg.eigh(samples @ samples.mH).eigenvectors[:, -1]
    seen = (first.conj()[:, None, None] * maps).sum(dim=0)
    return torch.polar(torch.ones_like(seen.real), seen.angle())


def _line(side: int) -> torch.Tensor:
    return torch.linspace(-1, 1, side, dtype=torch.float64)


def _degrees(degree: int) -> torch.Tensor:
    """Return i + j of the products T_i T_j in the order of :func:`_basis`."""
    return torch.tensor([total for total in range(degree + 1) for _ in range(total + 1)], dtype=torch.float64)


def _basis(height: int, width: int, degree: int) -> torch.Tensor:
    """Return the products T_i(u) T_j(v), i + j ≤ degree, in rising order of i + j, (K, H, W)."""
    orders = torch.arange(degree + 1, dtype=torch.float64)
    down, across = (torch.cos(orders[:, None] * _line(n).acos()) for n in (height, width))
    pairs = [(i, total - i) for total in range(degree + 1) for i in range(total + 1)]
    return torch.stack([down[i][:, None] * across[j] for i, j in pairs])
