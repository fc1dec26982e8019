"""Scanners drawn at random, so that one training serves many scans: coils, masks and noise are drawn anew."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, get_args

import torch

from ..arguments import is_number, require, require_choice, require_generator, require_integer, require_number
from ..data.resampling import height_and_width
from ..data.sensitivities import random_maps
from ..names import MaskName
from ..operators import SenseMRI
from .masks import column_mask, poisson_disc_mask, random_mask

MASKS: tuple[MaskName, ...] = get_args(MaskName)


class DrawnScanner(NamedTuple):
    """A scanner and its teacher, of the same coils; the teacher measures what the scanner does, and more."""

    student: SenseMRI
    """The scanner."""
    teacher: SenseMRI
    """The teacher."""
    acceleration: float
    """R that was asked of the scanner."""
    mask: MaskName
    """Which mask was drawn."""


@dataclass(frozen=True, kw_only=True)
class ScanFamily:
    """What scanners are drawn from; pairs are the ends of ranges, which may be equal.

    Attributes
    ----------
    coils : pair of int
        Number of coils, uniform.
    accelerations : pair of float
        R of the student, 1 or above, uniform.
    teacher : float
        R of the teacher as a fraction of the student's, above 0 and at most 1; never below an acceleration of 1.
    masks : tuple of str
        Masks of :data:`MASKS`, all as often: ``"columns"``, ``"random"`` places, or a ``"poisson_disc"``, which takes
        a second at 256 × 256.
    calibration : pair of float
        Side of the calibration region as a fraction of the image's smaller side, uniform; no more than half of what
        is measured.
    power : pair of float
        Power of the density of columns and random places, uniform.
    noise : pair of float
        Standard deviation of the noise on each real and imaginary part, uniform in its logarithm; above zero.
    bend, turn : pair of float
        Of :func:`~ddgp_lib.data.sensitivities.random_maps`, both by the same draw, uniform.
    split, tol : float
        As for :class:`~ddgp_lib.operators.sense.SenseMRI`.

    Raises
    ------
    ValueError
        If a range is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import ScanFamily
    >>> generator = torch.Generator().manual_seed(0)
    >>> scanner = ScanFamily(coils=(4, 8)).draw(32, generator)
    >>> bool((scanner.student.mask <= scanner.teacher.mask).all())
    True
    """

    coils: tuple[int, int] = (4, 12)
    accelerations: tuple[float, float] = (4.0, 8.0)
    teacher: float = 0.5
    masks: tuple[MaskName, ...] = ("columns", "random")
    calibration: tuple[float, float] = (0.06, 0.12)
    power: tuple[float, float] = (2.0, 4.0)
    noise: tuple[float, float] = (0.003, 0.03)
    bend: tuple[float, float] = (0.2, 0.8)
    turn: tuple[float, float] = (0.5, 2.0)
    split: float = 1e-2
    tol: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse ranges that are none."""
        _require_range("coils", self.coils, partial(require_integer, lowest=1, highest=256))
        _require_range("accelerations", self.accelerations, partial(require_number, lowest=1))
        require_number("teacher", self.teacher, above=0, highest=1)
        some = isinstance(self.masks, tuple | list) and len(self.masks) > 0
        require(some, "masks", self.masks, f"a tuple of some of {MASKS}")
        for mask in self.masks:
            require_choice("masks", mask, MASKS)
        _require_range("calibration", self.calibration, partial(require_number, lowest=0, highest=1))
        _require_range("power", self.power, partial(require_number, lowest=0))
        _require_range("noise", self.noise, partial(require_number, above=0))
        _require_range("bend", self.bend, partial(require_number, lowest=0))
        _require_range("turn", self.turn, partial(require_number, lowest=0))
        require_number("split", self.split, above=0)
        require_number("tol", self.tol, lowest=1e-7, below=1)

    def draw(self, size: int | tuple[int, int], generator: torch.Generator) -> DrawnScanner:
        """Draw a scanner and its teacher.

        Parameters
        ----------
        size : int or pair of int
            Side of the images, or height and width.
        generator : torch.Generator
            Makes all draws, those of the operators' noise generators included.

        Returns
        -------
        DrawnScanner
        """
        sides = height_and_width(size, lowest=8)
        require_generator("generator", generator)
        coils = int(torch.randint(self.coils[0], self.coils[1] + 1, (1,), generator=generator))
        R, share, power, level, rough = torch.rand(5, generator=generator, dtype=torch.float64).tolist()
        name = self.masks[int(torch.randint(len(self.masks), (1,), generator=generator))]
        maps = random_maps(
            coils, sides, generator, bend=_between(self.bend, rough), turn=_between(self.turn, rough)
        )
        acceleration = _between(self.accelerations, R)
        share, density = _between(self.calibration, share), _between(self.power, power)
        noise = self.noise[0] * (self.noise[1] / self.noise[0]) ** level
        seeds = torch.randint(2**62, (3,), generator=generator).tolist()
        mask = draw_mask(name, sides, acceleration, share, seeds[0], power=density)
        fewer = max(1.0, self.teacher * acceleration)
        more = draw_mask(name, sides, fewer, share, seeds[0], power=density) | mask
        student, teacher = (
            SenseMRI(maps, places, noise=noise, seed=seed, split=self.split, tol=self.tol)
            for places, seed in ((mask, seeds[1]), (more, seeds[2]))
        )
        return DrawnScanner(student, teacher, acceleration, name)


def draw_mask(
    name: MaskName,
    size: int | tuple[int, int],
    acceleration: float,
    calibration: float,
    seed: int,
    *,
    power: float = 3.0,
) -> torch.Tensor:
    """Draw a mask of variable density by its name.

    With one seed, ``"columns"`` and ``"random"`` masks of a lower acceleration hold those of a higher one that has
    the same calibration region.

    Parameters
    ----------
    name : str
        One of :data:`MASKS`.
    size : int or pair of int
        Side of k-space, or height and width.
    acceleration : float
        R, 1 or above.
    calibration : float
        Side of the calibration region as a fraction of the smaller side, from 0 to 1; no more than half of what is
        measured.
    seed : int
        Seed of the draws.
    power : float
        Power of the density, 0 or above; a Poisson disc does not use it.

    Returns
    -------
    Tensor, bool, shape (W,) for columns and (H, W) otherwise

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.scanner import draw_mask
    >>> int(draw_mask("columns", (32, 64), 4.0, 0.1, seed=0).sum())
    16
    """
    require_choice("name", name, MASKS)
    require_number("acceleration", acceleration, lowest=1)
    require_number("calibration", calibration, lowest=0, highest=1)
    sides = height_and_width(size)
    require_integer("seed", seed, lowest=0, highest=2**63 - 1)
    generator = torch.Generator().manual_seed(int(seed))
    wanted = round(calibration * min(sides))
    if name == "columns":
        width = min(wanted, int(sides[1] / acceleration / 2))
        return column_mask(sides[1], acceleration, width, generator, power=power)
    width = min(wanted, int((sides[0] * sides[1] / acceleration / 2) ** 0.5))
    if name == "random":
        return random_mask(sides, acceleration, width, generator, power=power)
    return poisson_disc_mask(sides, acceleration, width, generator)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _require_range(argument: str, ends: object, check: Callable[[str, object], None]) -> None:
    """Refuse what is no pair of accepted numbers, the lower first."""
    pair = isinstance(ends, tuple | list) and len(ends) == 2 and all(map(is_number, ends))
    require(pair, argument, ends, "the two ends of a range")
    assert isinstance(ends, tuple | list)
    for end in ends:
        check(argument, end)
    require(ends[0] <= ends[1], argument, ends, "the lower end first")
