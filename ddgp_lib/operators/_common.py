"""What the operators of this package share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList

from ..arguments import require, require_number, require_tensor
from .iterative import parts
from .noise import unchanged

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

RTOL = 1e-5
"""Singular values below this fraction of the largest count as zero, as in :mod:`ddgp_lib.analysis`."""


def single_precision(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function of tensors compute in their own precision where ``torch.autocast`` surrounds the call.

    Half precision breaks what operators promise: an adjoint, a projector, a Newton step.  Tensors that come from a
    network under autocast are widened first.
    """

    @wraps(function)
    def exact(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        given = [parts(value)[0] for value in args if isinstance(value, torch.Tensor | TensorList)]
        device = given[0].device.type if given else "cpu"
        if not torch.is_autocast_enabled(device):
            return function(*args, **kwargs)
        with torch.autocast(device, enabled=False):
            return function(*map(_widened, args), **kwargs)

    return exact


def _widened(value: Any) -> Any:
    half = isinstance(value, torch.Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if half else value


def require_rtol(rtol: float) -> None:
    """Refuse a relative tolerance on the singular values that is not between 1e-6, for single precision, and 1."""
    require_number("rtol", rtol, lowest=1e-6, below=1)


def by_real_view(fn: Callable[[torch.Tensor], torch.Tensor], tensor: torch.Tensor) -> torch.Tensor:
    """Apply ``fn`` to a tensor, or to the real and imaginary parts of a complex one."""
    if not tensor.is_complex():
        return fn(tensor)
    return torch.view_as_complex(fn(torch.view_as_real(tensor)).contiguous())


def require_fixed(**parameters: Any) -> None:
    """Refuse to change at call time what an operator has precomputed from."""
    for name, value in parameters.items():
        require(value is None, name, type(value).__name__, "None: it is fixed at construction")


def require_sides(
    argument: str,
    batch: torch.Tensor,
    sides: tuple[int, int],
    dtypes: tuple[torch.dtype, ...],
    dimensions: int = 4,
) -> None:
    """Refuse what is no batch (N, …, H, W) of numbers with these sides, or of a type that an operator does not take.

    Under autocast PyTorch chooses the type, so it is not looked at.
    """
    require_tensor(argument, batch, finite=False)
    fits = batch.ndim == dimensions and batch.numel() > 0 and tuple(batch.shape[-2:]) == tuple(sides)
    expected = f"(N, …, {sides[0]}, {sides[1]}) with {dimensions} dimensions"
    require(fits, f"{argument}.shape", tuple(batch.shape), expected)
    taken = batch.dtype in dtypes or torch.is_autocast_enabled(batch.device.type)
    require(taken, f"{argument}.dtype", batch.dtype, " or ".join(map(str, dtypes)))


@contextmanager
def naming(argument: str, value: Any, expected: Callable[[], str]) -> Iterator[None]:
    """Name the argument in what PyTorch or deepinv say when a tensor does not fit an operator."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        raise ValueError(f"{argument}={value!r}: expected {expected()} ({error})") from error


class Picklable(LinearPhysics):
    """A linear operator that can be pickled, and so sent to another process.

    deepinv gives every operator maps that change nothing, as lambdas; they are left out and found in the class.
    """

    sensor_model = _U = _U_adjoint = _V = _V_adjoint = staticmethod(unchanged)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled or copied: all but deepinv's lambdas."""
        return {name: value for name, value in self.__dict__.items() if not _is_of_deepinv(value)}


def _is_of_deepinv(value: Any) -> bool:
    return getattr(value, "__name__", "") == "<lambda>" and value.__module__.startswith("deepinv")


class OldNames(Picklable):
    """A linear operator that is still called by a name of before."""

    def normal(self, x: torch.Tensor) -> torch.Tensor:
        """AᵀA x, the old name of ``A_adjoint_A``."""
        return self.A_adjoint_A(x)


class FixedSides(OldNames):
    """A linear operator with a mask: images and measurements whose sides are not the mask's are refused.

    A single row or column would be broadcast otherwise.  It stands before deepinv's operator among the bases.
    """

    mask: torch.Tensor
    complex_valued = False
    """Whether two channels are real and imaginary part."""
    dimensions = 4
    """Dimensions of measurements."""

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of images and measurements, here those of the mask."""
        return self.mask.shape[-2], self.mask.shape[-1]

    @property
    def types(self) -> tuple[torch.dtype, ...]:
        """Types of the numbers in images and measurements."""
        return (torch.float32, torch.float64)

    @single_precision
    def A(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return A x, after a look at the sides of x."""
        self._require_sides("x", x)
        return super().A(x, *args, **kwargs)

    @single_precision
    def A_adjoint(self, y: Any, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return Aᵀy, after a look at the sides of y."""
        self._require_sides("y", y)
        return super().A_adjoint(y, *args, **kwargs)

    @single_precision
    def A_adjoint_A(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return AᵀA x, after a look at the sides of x."""
        self._require_sides("x", x)
        return super().A_adjoint_A(x, *args, **kwargs)

    @single_precision
    def A_dagger(self, y: Any, *args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return A⁺y, after a look at the sides of y."""
        self._require_sides("y", y)
        return super().A_dagger(y, *args, **kwargs)

    def _require_sides(self, name: str, batch: torch.Tensor) -> None:
        height, width = self.sides
        require_sides(name, batch, (height, width), self.types, 4 if name == "x" else self.dimensions)
        pairs = not self.complex_valued or batch.shape[1] == 2
        expected = f"(N, 2, …, {height}, {width}): real and imaginary part"
        require(pairs, f"{name}.shape", tuple(batch.shape), expected)


class SelectedPatterns(FixedSides):
    """A single-pixel camera that measures some rows of an orthonormal basis: its mask is one there, and else zero."""

    def noise(self, x: torch.Tensor, **kwargs: int) -> torch.Tensor:
        """Add noise to the measured entries alone."""
        return self.mask * super().noise(x, **kwargs)

    @property
    def rank(self) -> int:
        """Number of modes that are seen, the patterns."""
        return int((self.mask != 0).sum())

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, C, H, W)."""
        return self.V((self.mask != 0) * self.V_adjoint(x))
