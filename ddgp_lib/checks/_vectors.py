"""Images and measurements as vectors: random ones, inner products, differences.

A value is a tensor, or deepinv's list of tensors, as stacked operators measure.  The inner product is the real one,
Re Σ aᵢ b̄ᵢ: complex numbers count as pairs of real ones, like the two channels of deepinv's MRI operators.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from deepinv.utils import TensorList

Value = Any
"""A tensor or a ``TensorList``."""


def parts(value: Value) -> list[torch.Tensor]:
    """Return the tensors of a value."""
    return [value] if isinstance(value, torch.Tensor) else list(value)


def each(function: Callable[..., torch.Tensor], *values: Value) -> Value:
    """Apply a function of tensors to the tensors of values, one by one."""
    if isinstance(values[0], torch.Tensor):
        return function(*values)
    return TensorList([function(*tensors) for tensors in zip(*map(parts, values), strict=True)])


def scaled(factor: complex, value: Value) -> Value:
    """Return a value times a number."""
    return each(lambda part: factor * part, value)


def added(u: Value, v: Value) -> Value:
    """Return u + v."""
    return each(torch.add, u, v)


def minus(u: Value, v: Value) -> Value:
    """Return u − v."""
    return each(torch.sub, u, v)


def flat(value: Value) -> torch.Tensor:
    """All numbers of a value as one real vector in double precision."""
    tensors = (
        torch.view_as_real(part.resolve_conj()) if part.is_complex() else part for part in parts(value)
    )
    return torch.cat([tensor.detach().cpu().double().flatten() for tensor in tensors])


def inner(u: Value, v: Value) -> float:
    """Real inner product of two values of one form."""
    return float(flat(u) @ flat(v))


def norm(value: Value) -> float:
    """Euclidean norm of all numbers of a value."""
    return float(flat(value).norm())


def size(value: Value) -> int:
    """Count the real numbers in a value."""
    return sum(part.numel() * (2 if part.is_complex() else 1) for part in parts(value))


def distance(u: Value, v: Value) -> float:
    """‖u − v‖ over the larger norm of the two; 0 where both are zero."""
    scale = max(norm(u), norm(v))
    return norm(minus(u, v)) / scale if scale > 0 else 0.0


def describe(value: Value) -> str:
    """Shape and number format, in words."""
    shapes = [f"{tuple(part.shape)} {str(part.dtype).removeprefix('torch.')}" for part in parts(value)]
    return shapes[0] if isinstance(value, torch.Tensor) else f"[{', '.join(shapes)}]"


def rms(numbers: list[float]) -> float:
    """Root mean square."""
    return math.sqrt(sum(number**2 for number in numbers) / len(numbers))


@dataclass(frozen=True)
class Probes:
    """A source of random images of one shape, of numbers of one format.

    Attributes
    ----------
    shape : tuple of int
        Shape of the images, with the batch.
    dtype : torch.dtype
        Their number format.
    device : torch.device
        Where they lie.
    generator : torch.Generator
        Source of all random numbers, on the CPU.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    generator: torch.Generator

    def normal(self) -> torch.Tensor:
        """Return standard normal images."""
        return torch.randn(self.shape, dtype=self.dtype, generator=self.generator).to(self.device)

    def uniform(self) -> torch.Tensor:
        """Return images with values in [0, 1)."""
        return torch.rand(self.shape, dtype=self.dtype, generator=self.generator).to(self.device)

    def like(self, value: Value) -> Value:
        """Return standard normal numbers in the form of a value."""
        return each(self._normal_like, value)

    def _normal_like(self, part: torch.Tensor) -> torch.Tensor:
        return torch.randn(part.shape, dtype=part.dtype, generator=self.generator).to(part.device)


def tensors_of(function: Any) -> Iterator[torch.Tensor]:
    """Floating-point and complex tensors that a module holds, or the module that a method belongs to."""
    module = getattr(function, "__self__", function)
    if isinstance(module, torch.nn.Module):
        held = (*module.parameters(), *module.buffers())
        yield from (tensor for tensor in held if tensor.is_floating_point() or tensor.is_complex())
