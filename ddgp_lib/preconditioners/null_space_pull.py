"""A pull towards what a network predicts of the part that the measurements do not see (NPN)."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList

from ..arguments import require_callable, require_number
from ..operators import null_projection, range_projection, squared_norm
from ..operators.protocol import require_physics
from .base import Preconditioner, State

Predictor: TypeAlias = Callable[[torch.Tensor | TensorList, LinearPhysics], torch.Tensor]
"""Images from measurements and their operator, called as ``predictor(y, physics)``."""


def unseen(physics: LinearPhysics, teacher: LinearPhysics | None, x: torch.Tensor) -> torch.Tensor:
    r"""S x, the part of images that an operator does not see: all of it, or what a teacher sees of it.

    :math:`S = A_t^+ A_t (I - A^+ A)`, or :math:`I - A^+ A` without a teacher.

    Parameters
    ----------
    physics : LinearPhysics
        A.
    teacher : LinearPhysics or None
        A_t, on images of the same shape.
    x : Tensor, shape (N, C, H, W)
        Images.

    Returns
    -------
    Tensor, shape (N, C, H, W)
    """
    part = null_projection(physics, x)
    return part if teacher is None else range_projection(teacher, part)


def pull(physics: LinearPhysics, teacher: LinearPhysics | None, x: torch.Tensor) -> torch.Tensor:
    r"""Sᵀ S x with the S of :func:`unseen`: the gradient of ½‖S x‖², in the null space of A.

    Where the operators are nested, as range A_sᵀ within range A_tᵀ, it is the orthogonal projection
    :math:`(I - A^+ A) A_t^+ A_t`; where they are not, it is symmetric with a norm of at most 1.

    Parameters
    ----------
    physics, teacher, x
        See :func:`unseen`.

    Returns
    -------
    Tensor, shape (N, C, H, W)
    """
    part = unseen(physics, teacher, x)
    return part if teacher is None else null_projection(physics, part)


class NullSpacePull(Preconditioner):
    r"""The gradient of a regulariser that predicts what is not seen.

    A network predicts from the measurements what S x is, for rows S in the null space of A.  The regulariser
    :math:`\tfrac{1}{2} \gamma \|A\|^2 \|S (x - n(y))\|^2` adds its gradient to that of the data,

    .. math::

        P(g; z) = g + \gamma_k \|A\|^2 S^\top S\, (z - n(y)), \qquad \gamma_k = \gamma d^k,

    so that a step of 1/‖A‖² goes the fraction γ_k of the way to the prediction, and A P(g) = A g.  The prediction is
    made once for each batch of measurements.

    Parameters
    ----------
    predictor : callable
        n, called as ``predictor(y, physics)``: images (N, C, H, W), of which S n(y) alone is used.
    teacher : LinearPhysics, optional
        A_t, so that S is what it sees and A does not, see :func:`unseen`; by default S is the whole null space of A.
    weight : float
        γ, in (0, 1].
    decay : float
        d, in (0, 1]; with 1 the weight is constant.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Jacome, Gualdrón-Hurtado, Suárez-Rodríguez and Arguello, "NPN: Non-linear projections of the null-space for
    imaging inverse problems", 2025.  There S has fewer rows than pixels and G(y) = S n(y) is what the network gives.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.preconditioners import NullSpacePull
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> P = NullSpacePull(lambda y, physics: physics.A_adjoint(y), task.teacher, weight=0.5)
    >>> solver = ddgp_lib.PreconditionedFISTA(task.denoiser, P, sigma=task.sigma, max_iter=2)
    >>> solver(task.measure(task.test_images[:1]), task.student).shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(
        self,
        predictor: Predictor,
        teacher: LinearPhysics | None = None,
        *,
        weight: float = 0.5,
        decay: float = 1.0,
    ) -> None:
        super().__init__()
        require_callable("predictor", predictor, "a network, called as predictor(y, physics)")
        if teacher is not None:
            require_physics(teacher, "teacher")
        require_number("weight", weight, above=0, highest=1)
        require_number("decay", decay, above=0, highest=1)
        self.predictor, self.teacher = predictor, teacher
        self.weight, self.decay = weight, decay

    def prepare(self, y: torch.Tensor | TensorList, physics: LinearPhysics) -> torch.Tensor:
        """Return Sᵀ S n(y), (N, C, H, W)."""
        return pull(physics, self.teacher, self.predictor(y, physics))

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return g + γ_k ‖A‖² Sᵀ S (z − n(y)), of the gradient's shape."""
        predicted = state.prepared
        if predicted is None:
            predicted = self.prepare(state.y, state.physics)
        difference = pull(state.physics, self.teacher, state.z) - predicted
        top = squared_norm(state.physics, tuple(state.z.shape[1:]))
        return grad + top * self._weight_at(state.k) * difference

    def _weight_at(self, k: int | torch.Tensor) -> float | torch.Tensor:
        """γ_k, one for each image where k is a tensor (N,)."""
        faded = self.weight * self.decay**k
        return faded.view(-1, 1, 1, 1) if isinstance(faded, torch.Tensor) else faded
