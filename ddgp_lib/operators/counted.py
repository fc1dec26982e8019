"""Count what a method costs: the products with AᵀA."""

from collections.abc import Callable
from typing import Any

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_img_size
from .algebra import normal, squared_norm
from .protocol import require_physics

CLOSED_FORM = 2
"""Products that a closed form counts as."""


class Counted(LinearPhysics):
    """An operator that counts the products with its AᵀA.

    A closed form, for Newton's step or for the projection on the range, is passed on and counts as two products.
    That is rather too many: on the book's cameras it takes the time of 0.2 to 1.4 of them.

    Parameters
    ----------
    physics : LinearPhysics
        The operator.
    img_size : tuple of int
        Shape (C, H, W) of its images.

    Attributes
    ----------
    count : int
        Products so far.
    """

    def __init__(self, physics: LinearPhysics, img_size: tuple[int, ...]) -> None:
        require_physics(physics)
        require_img_size("img_size", img_size)
        super().__init__(A=physics.A, A_adjoint=physics.A_adjoint, noise_model=physics.noise_model)
        self.squared_norm, self.count = squared_norm(physics, img_size), 0
        self._physics = [physics]  # not a submodule
        for name in ("newton", "range_projection"):
            if hasattr(physics, name):
                setattr(self, name, self._charged(getattr(physics, name)))

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x, counted once."""
        self.count += 1
        return normal(self._physics[0], x)

    def _charged(self, closed_form: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def charged(*arguments: Any) -> torch.Tensor:
            self.count += CLOSED_FORM
            return closed_form(*arguments)

        return charged
