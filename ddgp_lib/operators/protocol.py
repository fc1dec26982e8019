"""What the library asks of a linear operator, and what an operator may offer beyond it.

Every one of deepinv's linear operators meets :class:`LinearOperator`, so all of the library works with it.  The other
protocols are quick or exact forms of what :mod:`~ddgp_lib.operators.algebra` otherwise finds by iterations; they
are used where an operator has them.

====================  ==========================================  =======================================
asked for             by                                          otherwise
====================  ==========================================  =======================================
``A``, ``A_adjoint``  everything                                  none: they are required
``A_adjoint_A``       the gradient, in each iteration             deepinv's default, ``A`` then ``A_adjoint``
``squared_norm``      step sizes, Newton, the safeguard's scale   the singular values, or power iteration
``range_projection``  the null-space forms                        the singular values, or conjugate gradients
``newton``            Newton's step and the forms with it         the singular values, or conjugate gradients
``rank``              the book's tables                           none
====================  ==========================================  =======================================

``A_dagger`` is not asked for: in deepinv it need not be the pseudo-inverse, as filtered back-projection for
tomography and Brovey's product for pansharpening.
"""

from typing import Any, Protocol, runtime_checkable

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require


@runtime_checkable
class LinearOperator(Protocol):
    """A linear map from images (N, C, H, W) to measurements, a tensor or deepinv's ``TensorList`` of tensors."""

    def A(self, x: torch.Tensor, **kwargs: Any) -> Any:  # noqa: N802 (deepinv's name)
        """Return A x of images (N, C, H, W)."""
        ...

    def A_adjoint(self, y: Any, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return Aᵀy, images (N, C, H, W)."""
        ...

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """Return AᵀA x of images (N, C, H, W)."""
        ...


def require_physics(physics: Any, argument: str = "physics") -> None:
    """Raise a ``ValueError`` unless an argument is a linear operator."""
    linear = isinstance(physics, LinearPhysics | LinearOperator)  # the class first, which is quicker to see
    require(linear, argument, type(physics).__name__, "a linear operator with A, A_adjoint and A_adjoint_A")


class WithSquaredNorm(Protocol):
    """An operator that knows its norm."""

    squared_norm: float
    """‖A‖²."""


class WithRangeProjection(Protocol):
    """An operator that knows the projector on the range of Aᵀ."""

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, C, H, W)."""
        ...


class WithNewton(Protocol):
    """An operator that knows the damped inverse of AᵀA."""

    def newton(self, x: torch.Tensor, damping: float) -> torch.Tensor:
        """‖A‖² (AᵀA + λ‖A‖² I)⁻¹ x of images (N, C, H, W), with λ = ``damping``."""
        ...


class WithRank(Protocol):
    """An operator that knows how many modes it sees."""

    rank: int
    """Number of singular values that count as more than zero."""
