"""What every preconditioner is, and what a solver tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from deepinv.utils import TensorList
from torch import nn

from ..arguments import require, require_callable, require_instance, require_integer, require_tensor
from ..operators.iterative import parts
from ..reprs import Brief


@dataclass(frozen=True, repr=False)
class State(Brief):
    """What a solver knows when it asks for a direction.

    Attributes
    ----------
    z : Tensor, shape (N, C, H, W)
        The point z_k at which the gradient was taken.
    k : int, or Tensor of shape (N,)
        The iteration, from 0; a tensor where the images of a batch are at different ones, as in training.
    physics : LinearPhysics
        The operator A; None where the preconditioner asks for none.
    y : Tensor or TensorList
        The measurements; None likewise.
    noise : Tensor of shape (N,), optional
        Standard deviation of the noise of each image's measurements, where it is not the operator's own, as in
        training with a ``noise_range``; by default the operator tells it, or nobody.
    prepared : Tensor, shape (N, …), or None
        What the preconditioner's own ``prepare`` made of the measurements before the first iteration; None where it
        makes nothing, or where nobody has asked it.

    Raises
    ------
    ValueError
        If an attribute is of another type.
    """

    z: torch.Tensor
    k: int | torch.Tensor
    physics: LinearPhysics
    y: torch.Tensor | TensorList
    noise: torch.Tensor | None = None
    prepared: torch.Tensor | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no state; that the entries are finite is not looked at in each iteration."""
        require_tensor("z", self.z, finite=False)
        if not isinstance(self.k, torch.Tensor):
            require_integer("k", self.k, lowest=0)
        require_instance(
            "y", self.y, torch.Tensor | TensorList, "a tensor, or deepinv's TensorList", none=True
        )
        if self.noise is not None:
            require_tensor("noise", self.noise, shape=tuple(self.z.shape[:1]), finite=False)
        require_instance("prepared", self.prepared, torch.Tensor, "a tensor (N, …)", none=True)


class Preconditioner(nn.Module):
    """A map P from a gradient (N, C, H, W) to a direction of the same shape, ``P(grad, state)``.

    By-hand preconditioners ignore what they do not need of the state.

    Attributes
    ----------
    products : int
        Products with AᵀA that each application costs beside the one of the gradient itself, for comparisons at equal
        operator calls; 0 where a class does not say otherwise.
    made_for : dict or None
        The :func:`~ddgp_lib.fingerprint.fingerprint` of the task that it was trained for, where that is known.
    """

    products: int = 0
    made_for: dict[str, Any] | None = None

    def __call__(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the direction that replaces the gradient ``grad``, a tensor of the shape of ``state.z``."""
        require_instance("state", state, State, "a State")
        require_tensor("grad", grad, shape=tuple(state.z.shape), finite=False)
        if not torch.is_autocast_enabled(grad.device.type):
            require(grad.dtype == state.z.dtype, "grad.dtype", grad.dtype, f"{state.z.dtype}, as state.z")
        return super().__call__(grad, state)

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the direction that replaces the gradient ``grad``."""
        raise NotImplementedError

    def prepare(self, y: torch.Tensor | TensorList, physics: LinearPhysics) -> torch.Tensor | None:
        """Return what is made of the measurements once for all iterations, an entry for each image, or None.

        Solvers call it before the first iteration and give it back as ``state.prepared``.
        """
        return None

    def require_precision(self, grad: torch.Tensor) -> None:
        """Refuse a gradient of another type than the weights, unless autocast chooses the type."""
        own = next(chain(self.parameters(), self.buffers()), grad).dtype
        fits = grad.dtype == own or torch.is_autocast_enabled(grad.device.type)
        require(fits, "grad.dtype", grad.dtype, f"{own}, as the weights")


class Identity(Preconditioner):
    """P(g) = g: the solver without a preconditioner."""

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return the gradient itself."""
        return grad


def prepared_by(
    preconditioner: Callable[[torch.Tensor, State], Any], y: torch.Tensor | TensorList, physics: LinearPhysics
) -> torch.Tensor | None:
    """Return what P makes of the measurements of N images before the first iteration; None where it has no such wish.

    Raises
    ------
    ValueError
        If it is neither None nor a tensor with an entry for each image.
    """
    if not isinstance(preconditioner, Preconditioner):
        return None
    made = preconditioner.prepare(y, physics)
    count = len(parts(y)[0])
    fits = made is None or (isinstance(made, torch.Tensor) and made.ndim > 0 and len(made) == count)
    require(
        fits, "P.prepare(y, physics)", made, f"None, or a tensor with {count} entries, one for each image"
    )
    return made


def ask(
    preconditioner: Callable[[torch.Tensor, State], Any], grad: torch.Tensor, state: State
) -> torch.Tensor:
    """Return P(g; z), asked with copies of g and z, which P may change, and checked.

    Parameters
    ----------
    preconditioner : callable
        P, as ``P(grad, state)``.
    grad : Tensor, shape (N, C, H, W)
        g.
    state : State
        What P is told; its ``y`` is passed on as it is.

    Returns
    -------
    Tensor, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If it is not a tensor of the gradient's shape, type and device.  (Under ``torch.autocast`` a direction in half
        precision is accepted, and widened.)
    """
    require_callable("P", preconditioner, "a preconditioner, called as P(grad, state)")
    made = preconditioner(grad.clone(), replace(state, z=state.z.clone()))
    return like_images("P(grad, state)", made, grad, "the gradient")


def like_images(
    argument: str, made: Any, images: torch.Tensor, called: str = "what it was given"
) -> torch.Tensor:
    """Return what a network made of images, once it is found to be alike: it would be broadcast in silence.

    Parameters
    ----------
    argument : str
        What gave it.
    made : Any
        What it gave.
    images : Tensor, shape (N, C, H, W)
        What it was given.
    called : str
        What a message calls that.

    Returns
    -------
    Tensor, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If it is not a tensor of the images' shape, type and device.  (Under ``torch.autocast`` half precision is
        accepted, and widened.)
    """
    if isinstance(made, torch.Tensor) and made.is_floating_point():
        made = made.to(images.dtype) if torch.is_autocast_enabled(images.device.type) else made
    tensor = isinstance(made, torch.Tensor)
    wanted = (tuple(images.shape), images.dtype, images.device)
    got = (tuple(made.shape), made.dtype, made.device) if tensor else type(made).__name__
    require(got == wanted, argument, got, f"a tensor like {called}, {wanted}")
    return made
