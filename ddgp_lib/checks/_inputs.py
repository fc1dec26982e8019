"""What the checks accept as arguments, and how they call what they check."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from deepinv.utils import TensorList

from ..arguments import (
    LARGEST_IMAGE,
    is_integer,
    is_number,
    require,
    require_callable,
    require_device,
    require_instance,
    require_seed,
)
from ._vectors import Probes, Value, describe, each, flat, parts, tensors_of
from .failure import CheckFailed

UNWRITTEN = (
    "the function is not written yet: it ends without a return statement, or in `...`; "
    "return the result on its last line"
)
DOUBLE = (torch.float64, torch.complex128)
OFFSET = 0x9E3779B9
"""Added to the seed: an operator is often made from the same one, and its first rows would then be the images."""


def as_number(argument: str, value: Any) -> float:
    """Return a number, or a tensor with one entry, as a float; refuse anything else."""
    if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    require(is_number(value), argument, value, "a number")
    return float(value)


def require_tolerance(value: Any) -> None:
    """Refuse a tolerance that is not a number above 0 and below 1."""
    require(0 < as_number("tolerance", value) < 1, "tolerance", value, "a number above 0 and below 1")


def require_function(argument: str, value: Any) -> None:
    """Refuse what cannot be called; ``...`` in its place is an unfinished stub."""
    if value is Ellipsis:
        raise CheckFailed(f"{argument} is `...`: nothing yet", "a function", UNWRITTEN)
    require_callable(argument, value)


def require_physics(physics: Any) -> None:
    """Refuse what has no ``A`` and ``A_adjoint``."""
    fits = hasattr(physics, "A") and hasattr(physics, "A_adjoint")
    require(fits, "physics", physics, "an operator with A and A_adjoint")


def probes_for(
    function: Any,
    shape: Sequence[int],
    seed: int,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Probes:
    """Make the source of random images for a function or an operator.

    Parameters
    ----------
    function : Any
        What the images are for.  Its tensors decide what is left open: their device, and double precision where all
        of them have it.
    shape : sequence of int
        Shape of the images, with the batch.
    seed : int
        Seed of the generator.
    dtype, device : torch.dtype, torch.device, optional
        Number format and device; by default as above, otherwise float32 on the CPU.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    sized = isinstance(shape, list | tuple) and all(is_integer(n) and n >= 1 for n in shape)
    require(sized and len(shape) >= 1, "shape", shape, "a tuple of integers, 1 or above, the batch first")
    fits = math.prod(shape) <= LARGEST_IMAGE
    require(fits, "shape", shape, f"a shape of at most {LARGEST_IMAGE} numbers")
    require_seed("seed", seed)
    require_instance("dtype", dtype, torch.dtype, "a torch.dtype", none=True)
    require_device("device", device)
    tensors = list(tensors_of(function))
    if dtype is None:
        double = bool(tensors) and all(tensor.dtype in DOUBLE for tensor in tensors)
        dtype = torch.float64 if double else torch.float32
    require(dtype.is_floating_point or dtype.is_complex, "dtype", dtype, "floating-point or complex numbers")
    place = (
        torch.device(device) if device is not None else tensors[0].device if tensors else torch.device("cpu")
    )
    return Probes(tuple(shape), dtype, place, torch.Generator().manual_seed((int(seed) + OFFSET) % 2**32))


@dataclass(frozen=True)
class Call:
    """A function under the name that messages give it; what it returns is checked on each call.

    Every call hands over copies, without gradients, and returns a copy.  A result that is its input, or a view of
    it, is accepted: it does no harm as long as nothing is written into it.

    Attributes
    ----------
    name : str
        Its name in messages.
    function : callable
        The function.
    inputs : tuple of str
        Names of its arguments.
    exact : bool
        Whether the result's number format has to be that of ``like``, and not its kind (real, complex) alone.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...] = ("x",)
    exact: bool = False

    def __call__(self, *given: Value, like: Value | None = None) -> Value:
        """Call the function.

        Parameters
        ----------
        *given : Tensor or TensorList
            Its arguments.
        like : Tensor or TensorList, optional
            What the result has to agree with in shape and number format.

        Raises
        ------
        CheckFailed
            If the function stops with an error, returns nothing or something else than finite numbers of that form,
            or changes its arguments.
        """
        handed = [each(_copy, value) for value in given]
        result = self._values(self._run(handed))
        self._require_unchanged(given, handed)
        if like is not None:
            self._require_form(result, like)
        finite = all(bool(torch.isfinite(part).all()) for part in parts(result))
        if not finite:
            raise CheckFailed(f"{self.name} returned NaN or infinite entries", "finite numbers", NOT_FINITE)
        return each(_copy, result)

    def _run(self, handed: list[Value]) -> Any:
        """Call the function, and report an error in it."""
        try:
            return self.function(*handed)
        except CheckFailed:
            raise
        except NotImplementedError as error:
            raise CheckFailed(f"{self.name} stopped with {error!r}", "a tensor", UNWRITTEN) from error
        except Exception as error:
            given = " and ".join(map(describe, handed))
            raise CheckFailed(
                f"{self.name} stopped with {type(error).__name__}: {error}",
                f"a tensor, for an input {given}",
                f"an error inside {self.name}, whose line is in the traceback above, or an input of another shape "
                "or number format than it takes",
            ) from error

    def _values(self, result: Any) -> Value:
        """Return a tensor or a TensorList, and nothing else."""
        if result is None or result is Ellipsis:
            raise CheckFailed(f"{self.name} returned nothing yet ({result})", "a tensor", UNWRITTEN)
        if isinstance(result, tuple | list) and result and all(isinstance(t, torch.Tensor) for t in result):
            result = TensorList(list(result))
        if not isinstance(result, torch.Tensor | TensorList):
            cause = "a number, an array or a tuple is returned in the place of the tensor"
            raise CheckFailed(f"{self.name} returned {type(result).__name__}", "a tensor", cause)
        for part in parts(result):
            if not (part.is_floating_point() or part.is_complex()):
                cause = "rounding, a comparison or an index is returned in the place of the values"
                raise CheckFailed(f"{self.name} returned {part.dtype}", "floating-point numbers", cause)
        return result

    def _require_unchanged(self, given: Sequence[Value], handed: Sequence[Value]) -> None:
        """Refuse a function that writes into its arguments."""
        for name, before, after in zip(self.inputs, given, handed, strict=False):
            if not all(map(torch.equal, parts(before), parts(after))):
                raise CheckFailed(
                    f"{self.name} changed its input {name}",
                    f"{name} as it was",
                    "an operation in place, such as `x += …`, `x[…] = …` or `x.clamp_()`, on the caller's tensor, or "
                    "on a view of it: work on `x.clone()`",
                )

    def _require_form(self, result: Value, like: Value) -> None:
        """Refuse another shape or number format."""
        found, wanted = describe(result), describe(like)
        if [p.shape for p in parts(result)] != [p.shape for p in parts(like)]:
            raise CheckFailed(f"{self.name} returned {found}", wanted, _shape_cause(result, like))
        for part, model in zip(parts(result), parts(like), strict=True):
            if part.is_complex() != model.is_complex():
                cause = TO_REAL if part.is_complex() else TO_COMPLEX
                raise CheckFailed(f"{self.name} returned {found}", wanted, cause)
            if self.exact and part.dtype != model.dtype:
                cause = (
                    "a constant or a buffer in another precision: make it with `dtype=x.dtype`, or `.to(x)`"
                )
                raise CheckFailed(f"{self.name} returned {found}", wanted, cause)


NOT_FINITE = (
    "a division by zero, such as by a singular value or a norm that vanishes, or a root or logarithm of a negative "
    "number"
)
TO_REAL = "the result of a Fourier transform is returned as it is: real images go in, so take the real part"
TO_COMPLEX = "the imaginary part is lost on the way: complex images go in, so complex ones come out"


def _shape_cause(result: Value, like: Value) -> str:
    """Say how a wrong shape may have come about."""
    found, wanted = ([tuple(part.shape) for part in parts(value)] for value in (result, like))
    if len(found) != len(wanted):
        return f"{len(found)} tensors are returned in the place of {len(wanted)}"
    if found[0] == ():
        return "a sum or a norm over everything is returned: keep the images apart"
    if found[0] == wanted[0][1:]:
        return "the batch dimension is lost: index or squeeze fewer dimensions"
    if len(flat(result)) == len(flat(like)):
        return "the numbers are there, in another arrangement: reshape or transpose at the end"
    return (
        "a crop, a padding, a stride or an axis that is not undone, or the result of another step is returned"
    )


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()
