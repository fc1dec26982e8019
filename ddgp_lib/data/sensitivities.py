r"""Sensitivity maps drawn at random, from a family that maps of real coils belong to.

Coil c stands at a random place :math:`p_c` on a ring around the image, whose pixels have coordinates
:math:`p \in [-1, 1]^2`.  Its field falls with the distance, and is bent by a random polynomial of low degree,

.. math::

    f_c(p) = g_c e^{\mathrm i \phi_c} \exp\Bigl(-\frac{\|p - p_c\|^2}{2 w_c^2}\Bigr)\,
             \exp\Bigl(\sum_{1 \le i + j \le 3} (a_{cij} + \mathrm i\, b_{cij})\, T_i(u)\, T_j(v)\Bigr) ,

with Chebyshev polynomials T.  The fields are divided by their root sum of squares, as all maps that ESPIRiT
estimates are, and by the phase of a mixture of the coils that sees most, which is where ESPIRiT puts no phase.
Where that mixture vanished, its phase would have a vortex, which real maps were not found to have: in the two heads
below the mixture is 0.30 and more.  So coils whose mixture falls below 0.2 are drawn again, each time a tenth less
bent.

How real maps compare was measured on two heads, by the share of their energy within the head that polynomials of a
degree leave over (:func:`energy_outside`), beside draws of as many coils on the same head: median and ninth decile of
12, with the defaults.  Both real scans lie within, but for their linear part, which is stronger, and 0.1 % of rest
that stays to high degrees: the noise that they were estimated from.

======  ================  =====================  ================  =====================
degree  7 coils at 3 T    drawn                  8 coils           drawn
======  ================  =====================  ================  =====================
1       18.1 %            12.6 %, 15.6 %         27.3 %            18.1 %, 25.6 %
2       4.7 %             3.9 %, 5.3 %           10.8 %            7.2 %, 11.0 %
3       1.2 %             1.2 %, 2.0 %           4.0 %             2.6 %, 4.4 %
4       0.55 %            0.36 %, 0.87 %         1.55 %            1.1 %, 2.0 %
6       0.18 %            0.04 %, 0.18 %         0.36 %            0.24 %, 0.46 %
8       0.07 %            0.01 %, 0.04 %         0.12 %            0.05 %, 0.12 %
======  ================  =====================  ================  =====================
"""

import math
from typing import NamedTuple

import torch

from ..arguments import (
    require,
    require_count,
    require_img_size,
    require_instance,
    require_integer,
    require_number,
    require_positive,
)
from .augment import require_generator
from .resampling import height_and_width, sides_of_phases

DEGREE = 3
"""Degree of the polynomials that bend the fields."""
RING = (1.0, 1.7)
"""Least and largest distance of a coil from the centre, in half sides of the image."""
WIDTHS = (0.4, 0.8)
"""Least and largest width w of a coil's field, in half sides."""
LEAST = 0.2
"""Least magnitude that the mixture of coils whose phase is taken out may have."""
COARSE = 32
"""Side of the maps on which that is looked at."""
LARGEST_DEGREE = 20
"""Degree of polynomials that maps are compared with, at most."""


def random_maps(
    coils: int,
    size: int | tuple[int, int],
    generator: torch.Generator,
    *,
    bend: float = 0.4,
    turn: float = 1.0,
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
    require_img_size("(coils, height, width)", (coils, height, width), "maps that fit into memory")
    require_generator(generator)
    require_number("bend", bend, lowest=0)
    require_number("turn", turn, lowest=0)
    gentleness = 1.0
    while True:
        drawn = _draw(coils, generator)
        coarse = _fields(drawn, gentleness * bend, gentleness * turn, (COARSE, COARSE))
        weights = _first_virtual_coil(coarse)
        if float((weights * coarse).sum(dim=0).abs().min()) >= LEAST:
            break
        gentleness *= 0.9
    maps = _fields(drawn, gentleness * bend, gentleness * turn, (height, width))
    phase = (weights * maps).sum(dim=0).angle()
    return (maps * torch.polar(torch.ones_like(phase), -phase)).to(torch.complex64)


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
    height, width = sides_of_phases(count, size)
    require_generator(generator)
    require_positive("strength", strength)
    require_number("exponent", exponent, lowest=0)
    if count == 0:
        return torch.zeros(0, height, width)
    frequencies = (torch.fft.fftfreq(n, 1 / n, dtype=torch.float64) for n in (height, width))
    down, across = torch.meshgrid(*frequencies, indexing="ij")
    radius = torch.hypot(down, across)
    gain = torch.where(radius > 0, radius.clamp(min=1) ** (-exponent / 2), 0.0)
    white = torch.randn(count, height, width, generator=generator, dtype=torch.float64)
    fields = torch.fft.ifft2(torch.fft.fft2(white) * gain).real
    spread = fields.square().mean(dim=(1, 2), keepdim=True).sqrt()
    return (strength * fields / spread).float()


class _Coils(NamedTuple):
    """What was drawn for C coils."""

    bends: torch.Tensor
    turns: torch.Tensor
    phases: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    widths: torch.Tensor
    gains: torch.Tensor


def _draw(coils: int, generator: torch.Generator) -> _Coils:
    """Draw coils on the ring: one value for each, and a coefficient for each polynomial but the constant."""
    degrees = _degrees(DEGREE)[1:]
    bends, turns = torch.randn(2, coils, len(degrees), generator=generator, dtype=torch.float64) / degrees
    places, distances, widths, gains, phases = torch.rand(5, coils, generator=generator, dtype=torch.float64)
    first = torch.rand(1, generator=generator, dtype=torch.float64)
    angles = 2 * math.pi * (first + (torch.arange(coils) + (2 * places - 1) / 3) / coils)
    radii = RING[0] + (RING[1] - RING[0]) * distances
    return _Coils(
        bends=bends,
        turns=turns,
        phases=2 * math.pi * phases,
        rows=radii * angles.sin(),
        columns=radii * angles.cos(),
        widths=WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * widths,
        gains=2 ** (2 * gains - 1),
    )


def _fields(coils: _Coils, bend: float, turn: float, sides: tuple[int, int]) -> torch.Tensor:
    """Return the fields of coils over their root sum of squares, (C, H, W), complex128."""
    basis = _basis(*sides, DEGREE)[1:]
    rows = _line(sides[0])[:, None] - coils.rows[:, None, None]
    columns = _line(sides[1]) - coils.columns[:, None, None]
    falls = (rows.square() + columns.square()) / (2 * coils.widths.square())[:, None, None]
    logarithm = torch.einsum("ck,khw->chw", bend * coils.bends, basis) - falls
    logarithm = logarithm + coils.gains.log()[:, None, None]
    phase = torch.einsum("ck,khw->chw", turn * coils.turns, basis) + coils.phases[:, None, None]
    fields = torch.polar((logarithm - logarithm.amax(dim=0)).exp(), phase)
    return fields / torch.linalg.vector_norm(fields, dim=0)


def _first_virtual_coil(maps: torch.Tensor) -> torch.Tensor:
    """Return the weights, (C, 1, 1), of the mixture of coils that holds most of their energy."""
    samples = maps.flatten(1)
    return torch.linalg.eigh(samples @ samples.mH).eigenvectors[:, -1].conj()[:, None, None]


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
