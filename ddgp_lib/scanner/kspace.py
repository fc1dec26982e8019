"""What a scanner measured, as one record: k-space with named axes, where it was measured, and what is not known."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch

from ..arguments import (
    LARGEST_IMAGE,
    LARGEST_SIDE,
    is_integer,
    is_number,
    require,
    require_choice,
    require_instance,
    require_integer,
)
from ..data.fourier import centred_fourier
from ..names import PixelAxis

AXES = ("slices", "coils", "height", "width")
"""Axes of k-space, in this order; the slices may be absent."""
PIXEL_AXES: tuple[PixelAxis, ...] = ("height", "width")


@dataclass(frozen=True, eq=False, repr=False)
class KSpace:
    """Measured k-space and what the file says of it.

    Attributes
    ----------
    data : Tensor, complex64, shape (C, H, W) or (S, C, H, W)
        Measurements of C coils on S slices; the zero frequency stands at H // 2, W // 2, and images are its
        :func:`ddgp_lib.data.fourier.centred_fourier`, inverse.  Places that were not measured hold zero.
    mask : Tensor, bool, shape (H, W) or (S, H, W)
        Which places were measured.
    source : str
        The file.
    readout : str, optional
        The axis along which the scanner reads a line, ``"height"`` or ``"width"``: the one that is oversampled.
    field_of_view : pair of float, optional
        Height and width of what is encoded, in millimetres, with the oversampling.
    size : pair of int, optional
        Height and width in pixels of the image that the scanner makes of it, without the oversampling.
    noise : Tensor, complex64, shape (C, samples), optional
        What the coils received without a signal, as strong as in one readout of the image where the file tells how
        long a sample of each took.
    about : mapping
        What else the file says: the scanner, the sequence, how often places were measured.
    """

    data: torch.Tensor
    mask: torch.Tensor
    source: str
    readout: PixelAxis | None = None
    field_of_view: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    noise: torch.Tensor | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_kspace("data", self.data, dimensions=(3, 4))
        require(self.data.dtype == torch.complex64, "data.dtype", self.data.dtype, "torch.complex64")
        places = (*self.data.shape[:-3], *self.data.shape[-2:])
        require_instance("mask", self.mask, torch.Tensor, f"a tensor of bool, shape {places}")
        fits = self.mask.dtype == torch.bool and tuple(self.mask.shape) == places
        require(fits, "mask", self.mask, f"a tensor of bool, shape {places}")
        require(bool(self.mask.any()), "mask", self.mask, "a place that was measured")
        stray = bool(((self.data != 0).any(dim=-3) & ~self.mask).any())
        require(
            not stray, "data", "k-space with values outside of the mask", "zero where nothing was measured"
        )
        require_choice("readout", self.readout, PIXEL_AXES, none=True)
        _require_pair(
            "field_of_view",
            self.field_of_view,
            "None, or height and width in millimetres, above 0",
            is_number,
        )
        _require_pair("size", self.size, "None, or height and width in pixels, integers above 0", is_integer)
        if self.noise is not None:
            require_noise("noise", self.noise, self.data.shape[-3])

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes of ``data``."""
        return AXES[-self.data.ndim :]

    @property
    def coils(self) -> int:
        """Number of coils C."""
        return self.data.shape[-3]

    @property
    def acceleration(self) -> float:
        """Places over those that were measured."""
        return self.mask.numel() / int(self.mask.sum())

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of what the file does not say."""
        names = ("readout", "field_of_view", "size", "noise")
        return tuple(name for name in names if getattr(self, name) is None)

    def slice(self, index: int) -> Self:
        """Return one slice, as a record without the axis of slices.

        Parameters
        ----------
        index : int
            Its number, from 0; only 0 where there is no such axis.
        """
        slices = self.data.shape[0] if self.data.ndim == 4 else 1
        require_integer("index", index, lowest=0, highest=slices - 1)
        if self.data.ndim == 3:
            return self
        return replace(self, data=self.data[index], mask=self.mask[index])

    def images(self) -> torch.Tensor:
        """Transform to one complex image for each coil, of the shape of ``data``."""
        return centred_fourier(self.data, inverse=True)

    def __repr__(self) -> str:
        shape = " × ".join(f"{n} {name}" for n, name in zip(self.data.shape, self.axes, strict=True))
        unknown = f", unknown: {', '.join(self.unknown)}" if self.unknown else ""
        return f"KSpace({shape}, R = {self.acceleration:.2f}, {self.source!r}{unknown})"


def _require_pair(argument: str, value: Any, expected: str, accepted: Callable[[Any], bool]) -> None:
    """Refuse all but None and a pair of numbers above zero of a type."""
    pair = isinstance(value, tuple | list) and len(value) == 2 and all(map(accepted, value))
    require(value is None or (pair and all(0 < side < math.inf for side in value)), argument, value, expected)


def require_kspace(argument: str, value: Any, *, dimensions: tuple[int, ...] = (3, 4)) -> None:
    """Raise a ``ValueError`` unless ``value`` is finite complex k-space (…, C, H, W) that fits into memory.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    dimensions : tuple of int
        Numbers of dimensions that are accepted.
    """
    wanted = "a complex tensor " + " or ".join({3: "(C, H, W)", 4: "(S, C, H, W)"}[n] for n in dimensions)
    require_instance(argument, value, torch.Tensor, wanted)
    require(value.is_complex(), f"{argument}.dtype", value.dtype, f"{wanted}, such as torch.complex64")
    fits = (
        value.ndim in dimensions and 0 < value.numel() <= LARGEST_IMAGE and max(value.shape) <= LARGEST_SIDE
    )
    sides = f"sides from 1 to {LARGEST_SIDE}, at most {LARGEST_IMAGE} numbers"
    require(fits, f"{argument}.shape", tuple(value.shape), f"{wanted}, {sides}")
    whole = bool(torch.isfinite(torch.view_as_real(value)).all())
    require(whole, argument, "tensor with NaN or infinite entries", "finite entries only")


def measured_places(argument: str, kspace: torch.Tensor) -> torch.Tensor:
    """Return where all slices have a coil with another value than zero, (H, W), the zero frequency among them.

    Parameters
    ----------
    argument : str
        The argument's name.
    kspace : Tensor, complex, shape (C, H, W) or (S, C, H, W)
        Measurements.

    Raises
    ------
    ValueError
        If the zero frequency was not measured.
    """
    places = (kspace != 0).any(dim=-3)
    places = places.reshape(-1, *places.shape[-2:]).all(dim=0)
    middle = bool(places[places.shape[0] // 2, places.shape[1] // 2])
    require(
        middle, argument, "k-space that is zero in its middle", "the zero frequency measured in every slice"
    )
    return places


def require_noise(argument: str, value: Any, coils: int | None = None) -> None:
    """Raise a ``ValueError`` unless ``value`` is noise of some coils, (C, samples), with more samples than coils.

    Parameters
    ----------
    argument : str
        The argument's name.
    value : Any
        What was given.
    coils : int, optional
        C that it must have.
    """
    wanted = f"a finite complex tensor ({coils or 'C'}, samples) with more samples than coils"
    require_instance(argument, value, torch.Tensor, wanted)
    require(value.is_complex(), f"{argument}.dtype", value.dtype, wanted)
    fits = value.ndim == 2 and value.shape[0] in (coils or value.shape[0], value.shape[0])
    fits = fits and (coils is None or value.shape[0] == coils) and 0 < value.shape[0] < value.shape[1]
    require(fits, f"{argument}.shape", tuple(value.shape), wanted)
    require(bool(torch.isfinite(torch.view_as_real(value)).all()), argument, value, wanted)


def require_pixel_axis(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is ``"height"`` or ``"width"``."""
    require_choice(argument, value, PIXEL_AXES)


def place_of(axis: PixelAxis) -> int:
    """Return the place of an axis of pixels among those of k-space, counted from the end."""
    return AXES.index(axis) - len(AXES)
