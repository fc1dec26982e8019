"""Whether A_adjoint is the adjoint of A."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..arguments import require
from ._inputs import Call, probes_for, require_function, require_tolerance
from ._vectors import Probes, Value, distance, each, inner, norm, rms
from .failure import CheckFailed, Diagnosis, likeliest
from .linearity import nonlinearity

PROBES = 5


def check_adjoint(
    physics: Any,
    shape: Sequence[int],
    *,
    adjoint: Callable[[Any], Any] | None = None,
    tolerance: float = 1e-4,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> float:
    r"""Check that ⟨A x, y⟩ = ⟨x, Aᵀy⟩, on five pairs of a random image and random measurements.

    The inner product is the real one: Re Σ aᵢ b̄ᵢ where numbers are complex, and the sum over both channels where two
    channels are the real and imaginary part.  For a linear A it decides the complex adjoint as well.

    Parameters
    ----------
    physics : LinearPhysics or callable
        An operator with ``A`` and ``A_adjoint``, or the function A.
    shape : sequence of int
        Shape of x, with the batch.
    adjoint : callable, optional
        Aᵀ; by default the operator's own, and needed with a function A.
    tolerance : float
        Deviation that counts as rounding, between 0 and 1.
    seed : int
        Seed of the random images, standard normal.
    dtype, device : torch.dtype, torch.device, optional
        Number format and device of x; by default those of the operator's tensors, with real numbers.

    Returns
    -------
    float
        :math:`\|A - B^\top\|_F / \|A\|_F` for the given adjoint B, as estimated from the five pairs; no unit.

    Raises
    ------
    CheckFailed
        If it is not the adjoint.  Causes that are told apart: A or Aᵀ is not linear, a constant factor or the sign,
        a missing complex conjugate, a mask that is missing, a pseudo-inverse, and a convolution in the place of the
        correlation, where A is a convolution without stride.
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Claerbout, "Earth Soundings Analysis: Processing versus Inversion", 1992, for the dot-product test.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.checks import CheckFailed, check_adjoint
    >>> matrix = torch.tensor([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
    >>> check_adjoint(lambda x: x @ matrix.T, (4, 2), adjoint=lambda y: y @ matrix) < 1e-6
    True
    >>> try:
    ...     check_adjoint(lambda x: x @ matrix.T, (4, 2), adjoint=lambda y: 2 * y @ matrix)
    ... except CheckFailed as failed:
    ...     print(failed.cause)
    A_adjoint is 2 times the adjoint: a normalisation or a weight is missing in one of the two maps, or there twice
    """
    require_tolerance(tolerance)
    A, B = _maps(physics, adjoint)
    pairs = _Pairs.drawn(A, B, probes_for(physics, shape, seed, dtype, device))
    deviation = pairs.mismatch()
    if not deviation <= tolerance:
        raise CheckFailed(
            f"⟨A x, y⟩ and ⟨x, A_adjoint y⟩ differ by {deviation:.2g} of their size; the first pair has "
            f"{pairs.left()[0]:.4g} and {pairs.right()[0]:.4g}",
            f"the same number for all x and y, up to {tolerance:g}",
            _cause(pairs, tolerance),
        )
    return deviation


def _maps(physics: Any, adjoint: Any) -> tuple[Call, Call]:
    """Find A and its adjoint in the arguments."""
    forward = getattr(physics, "A", physics)
    require_function("physics", forward)
    if adjoint is None:
        adjoint = getattr(physics, "A_adjoint", None)
        require(adjoint is not None, "adjoint", None, "the adjoint, as physics is a function A")
    require_function("adjoint", adjoint)
    return Call("A", forward), Call("A_adjoint", adjoint, ("y",))


def _same(value: Value) -> Value:
    return value


@dataclass(frozen=True)
class _Pairs:
    """Random images x and measurements y, with A x; ``turn`` is applied around the adjoint."""

    A: Call
    B: Call
    x: list[Value]
    y: list[Value]
    Ax: list[Value]
    turn: Callable[[Value], Value] = _same

    @classmethod
    def drawn(cls, A: Call, B: Call, probes: Probes) -> "_Pairs":
        x = [probes.normal() for _ in range(PROBES)]
        Ax = [A(image) for image in x]
        if not any(map(norm, Ax)):
            cause = "A is not written yet, or its mask or kernel is empty"
            raise CheckFailed("A x is zero for five random images", "measurements that depend on x", cause)
        return cls(A, B, x, [probes.like(data) for data in Ax], Ax)

    def left(self) -> list[float]:
        """Return ⟨A x, y⟩ of each pair."""
        return list(map(inner, self.Ax, self.y))

    def back(self) -> list[Value]:
        """Return B y of each pair."""
        pairs = zip(self.x, self.y, strict=True)
        return [self.turn(self.B(self.turn(data), like=image)) for image, data in pairs]

    def right(self) -> list[float]:
        """Return ⟨x, B y⟩ of each pair."""
        return list(map(inner, self.x, self.back()))

    def mismatch(self) -> float:
        """Root mean square of the differences, relative to that of ⟨A x, y⟩."""
        left, right = self.left(), self.right()
        return rms([a - b for a, b in zip(left, right, strict=True)]) / max(rms(left), 1e-300)


def asymmetry(call: Call, probes: Probes) -> float:
    """‖B − Bᵀ‖_F of a map B of images, as estimated from five pairs of them."""
    x, y = ([probes.normal() for _ in range(PROBES)] for _ in range(2))
    left = [inner(call(u, like=u), v) for u, v in zip(x, y, strict=True)]
    right = [inner(u, call(v, like=v)) for u, v in zip(x, y, strict=True)]
    return rms([a - b for a, b in zip(left, right, strict=True)])


def _cause(pairs: _Pairs, tolerance: float) -> str:
    loose = max(tolerance, 1e-3)
    diagnoses: tuple[Diagnosis, ...] = (
        lambda: nonlinearity(pairs.A, pairs.x[0], pairs.x[1], loose),
        lambda: nonlinearity(pairs.B, pairs.y[0], pairs.y[1], loose),
        lambda: _conjugate(pairs, loose),
        lambda: _off_range(pairs, loose),
        lambda: _pseudo_inverse(pairs, loose),
        lambda: _factor(pairs, loose),
        lambda: _unflipped(pairs, loose),
    )
    return likeliest(diagnoses, OTHERWISE)


OTHERWISE = (
    "A_adjoint undoes the steps of A in another order, or leaves one out: transpose each step, the last one first, "
    "with its padding, cropping and strides, and with complex factors conjugated"
)


def _conjugate(pairs: _Pairs, tolerance: float) -> str | None:
    """Try the adjoint between two conjugations."""
    if replace(pairs, turn=conjugate).mismatch() > tolerance:
        return None
    return "the complex conjugate is missing: A_adjoint is the transpose, and the adjoint conjugates it"


def conjugate(value: Value) -> Value:
    """Conjugate complex numbers, or the second of two real channels."""
    return each(_conjugate_part, value)


def _conjugate_part(part: torch.Tensor) -> torch.Tensor:
    if part.is_complex():
        return part.conj().resolve_conj()
    if part.ndim < 3 or part.shape[1] != 2:
        return part
    return torch.cat([part[:, :1], -part[:, 1:]], dim=1)


def _off_range(pairs: _Pairs, tolerance: float) -> str | None:
    """Try measurements that are some A x."""
    measured = replace(pairs, y=[*pairs.Ax[1:], pairs.Ax[0]])
    if measured.mismatch() > tolerance:
        return None
    return (
        "A_adjoint is right for measurements A x and wrong for others: it uses entries that A never fills, so apply "
        "the mask in the adjoint too"
    )


def _pseudo_inverse(pairs: _Pairs, tolerance: float) -> str | None:
    """See whether A B A = A."""
    x, Ax = pairs.x[0], pairs.Ax[0]
    if distance(pairs.A(pairs.B(Ax, like=x)), Ax) > tolerance:
        return None
    ratio = _ratio(pairs, tolerance)
    factor = "" if ratio is None else f"; here it is {ratio:.4g} times the adjoint{_transform(ratio, x)}"
    return (
        "A_adjoint is an inverse of A, such as the pseudo-inverse: A A_adjoint gives measurements back as they are; "
        f"the adjoint multiplies by the singular values, and does not divide by them{factor}"
    )


def _factor(pairs: _Pairs, tolerance: float) -> str | None:
    """See whether B is a multiple of the adjoint."""
    ratio = _ratio(pairs, tolerance)
    if ratio is None:
        return None
    if ratio == 0:
        return "A_adjoint returns zero, so it is not written yet, or its mask or kernel is empty"
    if abs(ratio + 1) <= tolerance:
        return "the sign of A_adjoint is flipped: it is −1 times the adjoint"
    return (
        f"A_adjoint is {ratio:.4g} times the adjoint: a normalisation or a weight is missing in one of the two maps, "
        f"or there twice{_transform(ratio, pairs.x[0])}"
    )


def _ratio(pairs: _Pairs, tolerance: float) -> float | None:
    """⟨x, B y⟩ / ⟨A x, y⟩ where it is the same for all pairs."""
    left, right = pairs.left(), pairs.right()
    ratio = sum(a * b for a, b in zip(left, right, strict=True)) / sum(a * a for a in left)
    rest = rms([b - ratio * a for a, b in zip(left, right, strict=True)])
    return ratio if rest <= tolerance * abs(ratio) * rms(left) else None


def _transform(ratio: float, image: torch.Tensor) -> str:
    """Name the Fourier transform where the factor is a power of the number of pixels that it may bring in."""
    pixels = math.prod(image.shape[2:])
    usual = pixels > 1 and any(abs(ratio / pixels**power - 1) < 1e-3 for power in (-1, -0.5, 0.5, 1))
    hint = f'; it fits the {pixels} pixels of an image, so give both Fourier transforms norm="ortho"'
    return hint if usual else ""


def _unflipped(pairs: _Pairs, tolerance: float) -> str | None:
    """Try the adjoint between two reversals of the image: they turn a convolution into a correlation."""
    if replace(pairs, turn=reverse).mismatch() > tolerance:
        return None
    return (
        "the kernel is not flipped: the adjoint of a convolution is the correlation with the same kernel, which is a "
        "convolution with the kernel reversed along each axis; or what A crops is put back at the other end"
    )


def reverse(value: Value) -> Value:
    """Reverse images (N, C, …) along each axis of space, and signals (N, n) along theirs."""
    return each(lambda part: part.flip(tuple(range(2 if part.ndim > 2 else part.ndim - 1, part.ndim))), value)
