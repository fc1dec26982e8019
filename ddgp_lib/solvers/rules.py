"""Sequences that the solvers use: the momentum β_k and the weight γ_k of what is learned."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..arguments import require_integer, require_positive
from ..names import Momentum


def chambolle_dossal(k: int, a: float = 3.0) -> float:
    """β_k = (k − 1) / (k + a) for z_k, k = 1, 2, …, with a > 2: zero at first; no condition number is needed."""
    return (k - 1) / (k + a)


def deepinv_momentum(k: int, a: float = 3.0) -> float:
    """β_k = (k + a − 2) / (k + a − 1) for z_k, k = 1, 2, …: the rule of ``deepinv.optim.FISTA``, 2/3 at first."""
    return (k + a - 2) / (k + a - 1)


def no_momentum(k: int) -> float:
    """β_k = 0: proximal gradient descent."""
    return 0.0


MOMENTUM: dict[Momentum, Callable[[int], float]] = {
    "chambolle_dossal": chambolle_dossal,
    "deepinv": deepinv_momentum,
    "none": no_momentum,
}


@dataclass(frozen=True)
class DecayingWeight:
    """γ_k = min(1, (k₀ / (k + 1))²) for k = 0, 1, … with k₀ = ``start``; γ_k = 1 where ``start`` is None.

    The weights of a decaying rule add up to less than 2 k₀, so steps of bounded size, weighted so, move the iterates
    by a bounded total.
    """

    start: int | None

    def __post_init__(self) -> None:
        """Refuse what is no iteration."""
        require_integer("start", self.start, lowest=1, none=True)

    def __call__(self, k: int) -> float:
        """Return γ_k."""
        return 1.0 if self.start is None else min(1.0, (self.start / (k + 1)) ** 2)


def decaying_weight(start: int | None) -> Callable[[int], float]:
    """Return the rule k ↦ γ_k of :class:`DecayingWeight`, which can be pickled."""
    return DecayingWeight(start)


def relax(changed: torch.Tensor, u: torch.Tensor, weight: float) -> torch.Tensor:
    """Return u + γ (v − u) for a changed version v of u, such as D_σ(u); v itself for γ = 1."""
    return changed if weight == 1 else u + weight * (changed - u)


def geometric(first: float, last: float, count: int) -> list[float]:
    """Return ``count`` numbers, each the same multiple of the one before: σ or τ from ``first`` to ``last``.

    Parameters
    ----------
    first, last : float
        Ends of the sequence, above zero.
    count : int
        Its length, from 2 to a million.
    """
    require_positive("first", first)
    require_positive("last", last)
    require_integer("count", count, lowest=2, highest=1_000_000)
    return [first * (last / first) ** (k / (count - 1)) for k in range(count)]


@dataclass(frozen=True)
class Geometric:
    """A sequence as :func:`geometric` makes it for a run of any length: at its end, the last value goes on.

    Solvers take it as σ or τ, whatever their ``max_iter`` is.

    Parameters
    ----------
    first, last : float
        Values of the iterations 0 and ``count`` − 1, above zero.
    count : int
        Iterations until the end, from 2 to a million.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.solvers import Geometric
    >>> Geometric(0.4, 0.1, count=3).values(5)
    [0.4, 0.2, 0.1, 0.1, 0.1]
    """

    first: float
    last: float
    count: int

    def __post_init__(self) -> None:
        """Refuse what makes no sequence."""
        geometric(self.first, self.last, self.count)

    def values(self, least: int) -> list[float]:
        """Return the values of iterations 0, 1, …: ``least`` of them, and never fewer than ``count``."""
        require_integer("least", least, lowest=1, highest=1_000_000)
        sequence = geometric(self.first, self.last, self.count)
        return sequence + sequence[-1:] * (least - self.count)
