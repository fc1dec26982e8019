"""What a solver does with measurements before it starts: ask the operator whether they are its own."""

from typing import Any, TypeAlias

import torch
from deepinv.utils import TensorList

from ..arguments import require
from ..operators import LinearOperator, single_precision
from ..operators._common import naming
from ..operators.iterative import parts

Measurements: TypeAlias = torch.Tensor | TensorList
"""One tensor, or those of a stacked operator."""


def back_project(y: Measurements, physics: LinearOperator) -> torch.Tensor:
    """Return Aᵀy, after asking the operator whether y is what it measures: A Aᵀy has the shape of y.

    Parameters
    ----------
    y : Tensor or TensorList
        Measurements of N images.
    physics : LinearOperator
        The operator A.

    Returns
    -------
    Tensor, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If ``physics`` is not a linear operator, or y has entries that are not finite or a shape that it does not
        measure.
    """
    linear = isinstance(physics, LinearOperator)
    require(linear, "physics", type(physics).__name__, "a linear operator with A, A_adjoint and A_adjoint_A")
    tensors = isinstance(y, torch.Tensor | TensorList)
    require(tensors, "y", type(y).__name__, "a tensor, or deepinv's TensorList of tensors")
    shape = shapes(y)
    some = all(part.ndim >= 2 and len(part) >= 1 for part in parts(y))
    require(some, "y.shape", shape, "measurements of one image or more, (N, …)")
    real = all(part.is_floating_point() or part.is_complex() for part in parts(y))
    require(real, "y.dtype", _types(y), "floating-point numbers, such as torch.float32")
    finite = all(bool(torch.isfinite(part).all()) for part in parts(y))
    require(finite, "y", "tensor with NaN or infinite entries", "finite entries only")
    with naming("y.shape", shape, lambda: _wanted(y, physics)):
        adjoint = single_precision(physics.A_adjoint)(y)
        with torch.no_grad():
            expected = shapes(single_precision(physics.A)(adjoint))
    declared = _declared(physics)
    fits = shape == expected and adjoint.ndim == 4 and len(adjoint) == len(parts(y)[0])
    if declared:
        fits = fits and tuple(adjoint.shape[-len(declared) :]) == declared
    require(fits, "y.shape", shape, _wanted(y, physics))
    return adjoint


def shapes(y: Measurements) -> Any:
    """Return the shape of measurements, a list of shapes where they are several tensors."""
    return tuple(y.shape) if isinstance(y, torch.Tensor) else [shapes(part) for part in y]


def _types(y: Measurements) -> str:
    return ", ".join(sorted({str(part.dtype) for part in parts(y)}))


def _declared(physics: LinearOperator) -> tuple[int, ...]:
    """Return the shape of images that an operator was built for, as far as it tells."""
    size = getattr(physics, "img_size", None) or getattr(physics, "imsize", None)  # as Downsampling
    if not isinstance(size, tuple | list) or not all(isinstance(n, int) for n in size):
        return ()
    return tuple(size)


def _wanted(y: Measurements, physics: LinearOperator) -> str:
    """Say what an operator measures, with the shape where it tells for what images it was built."""
    general = "what the physics measures, of its type"
    if len(_declared(physics)) != 3:
        return general
    try:
        zeros = torch.zeros(len(parts(y)[0]), *_declared(physics), device=parts(y)[0].device)
        return f"{shapes(physics.A(zeros))}, as the physics measures"
    except (RuntimeError, ValueError, TypeError, IndexError):
        return general
