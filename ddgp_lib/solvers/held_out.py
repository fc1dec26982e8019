"""Measurements that a solver is not given, and the operator that is left of the others."""

from typing import Any

import torch
from deepinv.physics import LinearPhysics

from ..arguments import require
from ..operators import norms, single_precision, squared_norm
from ..operators.iterative import start_vector
from ..operators.known import found_once


class KeptRows(LinearPhysics):
    r"""Some rows M A of an operator whose rows are orthogonal and of one length, with 0 and 1 in the diagonal M.

    Its closed forms follow from :math:`M A A^\top M = \|A\|^2 M`.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    kept : Tensor, shape (N, …)
        M, of the shape of the measurements: 1 where they are kept.
    norm : float
        ‖A‖².
    """

    def __init__(self, physics: LinearPhysics, kept: torch.Tensor, norm: float) -> None:
        super().__init__(noise_model=physics.noise_model)
        self._physics = [physics]  # not a submodule
        self.kept, self.squared_norm = kept, norm

    @property
    def whole(self) -> LinearPhysics:
        """A itself, with all of its rows."""
        return self._physics[0]

    def A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """M A x of images (N, C, H, W)."""
        return self.kept * single_precision(self._physics[0].A)(x)

    def A_adjoint(self, y: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀM y, images (N, C, H, W)."""
        return single_precision(self._physics[0].A_adjoint)(self.kept * y)

    def A_adjoint_A(self, x: torch.Tensor, **kwargs: Any) -> torch.Tensor:  # noqa: N802 (deepinv's name)
        """AᵀM A x of images (N, C, H, W)."""
        return self.A_adjoint(self.A(x))

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """(M A)⁺M A x of images (N, C, H, W)."""
        return self.A_adjoint_A(x) / self.squared_norm

    def newton(self, x: torch.Tensor, damping: float) -> torch.Tensor:
        """‖A‖² (AᵀM A + λ‖A‖² I)⁻¹ x of images (N, C, H, W), with λ = ``damping``."""
        return x / damping + (1 / (1 + damping) - 1 / damping) * self.range_projection(x)


def hold_out(
    physics: LinearPhysics, y: torch.Tensor, img_size: tuple[int, ...], share: float, seed: int
) -> torch.Tensor:
    """Draw measurements to hold out, from the weaker half of each image's: no run could do without the strongest.

    What is drawn for an image does not depend on the others of the batch.  Where whole columns are measured, as in
    Cartesian MRI, whole columns are held out.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    y : Tensor, shape (N, …)
        Measurements.
    img_size : tuple of int
        Shape (C, H, W) of an image.
    share : float
        Share of all measurements, above 0 and below a half; at least one is held out.
    seed : int
        Seed of the choice.

    Returns
    -------
    Tensor, shape (N, …)
        1 where a measurement is held out, 0 where it is kept or not made at all.

    Raises
    ------
    ValueError
        If the rows of A are not orthogonal or not of one length, or fewer than four.
    """
    seen, orthogonal = found_once(physics, "measured", img_size, lambda: _measured(physics, img_size))
    columns = seen.flatten(0, -2).all(dim=0)  # those that are measured as a whole
    by_column = not bool(seen.all()) and bool((seen == columns).all())
    units, sizes = (
        (columns, y.flatten(1, -2).norm(dim=1)) if by_column else (seen.flatten(), y.abs().flatten(1))
    )
    count = int(units.sum())
    what = (
        f"0 for {type(physics).__name__}: its rows are not orthogonal and of one length, or fewer than four"
    )
    require(orthogonal and count >= 4, "held_out", share, what)
    weak = torch.where(units, sizes, torch.inf).argsort(dim=1)[:, : count // 2]
    drawn = torch.rand(units.numel(), generator=torch.Generator().manual_seed(int(seed))).to(y.device)
    chosen = weak.gather(1, drawn[weak].argsort(dim=1)[:, : max(1, round(share * count))])
    held = torch.zeros_like(sizes).scatter(1, chosen, 1.0)
    if not by_column:
        return held.reshape(y.shape)
    return held.reshape(len(y), *[1] * (y.ndim - 2), -1).expand(y.shape)


def _measured(physics: LinearPhysics, img_size: tuple[int, ...]) -> tuple[torch.Tensor, bool]:
    """Find which entries an image of noise has in y, (1, …), and whether A Aᵀ is ‖A‖² on them."""
    own = next(
        (t for t in [*physics.parameters(), *physics.buffers()] if t.is_floating_point()), torch.ones(1)
    )
    with torch.no_grad():
        y = physics.A(start_vector(img_size, own.dtype, own.device))
        if not isinstance(y, torch.Tensor) or not squared_norm(physics, img_size) > 0:
            return torch.zeros(1, dtype=torch.bool), False
        again = physics.A(physics.A_adjoint(y)) / squared_norm(physics, img_size)
    return y != 0, bool((norms(again - y) <= 1e-3 * norms(y)).all())
