"""Count what a method costs: the products with AᵀA."""

from typing import Any

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require_img_size
from .algebra import normal, squared_norm
from .protocol import require_physics


class Counted(LinearPhysics):
    """An operator that counts the products with its AᵀA; a closed form for Newton's step is passed on uncounted.

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
                setattr(self, name, getattr(physics, name))

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀA x, counted once."""
        self.count += 1
        return normal(self._physics[0], x)
