r"""A refusal: an image whose data a run does not explain gets another solver's reconstruction.

A denoiser and a preconditioner that know one kind of image pull every other kind towards it.  Where the data resist,
the run comes to rest at an image that fits them worse than their noise allows.  So the discrepancy

.. math::

    q(x) = \frac{\|A x - y\|}{\nu \sqrt{m}} ,

with the noise level ν and m measurements, tells of it without the true image: it is near 1 for the true image, and
below 1 where noise is fitted.  Morozov stops a run where q falls to a number a little above 1; here a run that ends
far above what it reaches on the images that it was tuned on is not believed.

It sees one way of being wrong alone.  An image that fits its data can be wrong in the null space of A, and passes.
"""

from typing import Any

import torch
from deepinv.models import Reconstructor
from deepinv.physics import LinearPhysics, Physics
from deepinv.utils import TensorList

from ..arguments import require, require_callable, require_number, require_positive, require_tensor
from ..operators import noise_of, norms
from ..operators.iterative import parts
from ..operators.protocol import require_physics
from .measurements import shapes


def discrepancy(
    x: torch.Tensor, y: torch.Tensor | TensorList, physics: LinearPhysics, noise: float | None = None
) -> torch.Tensor:
    r"""Return :math:`q = \|A x - y\| / (\nu \sqrt m)` of each image.

    Entries of y that are exactly zero, as k-space has where a mask measures nothing, are not counted in m.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
        Reconstructions.
    y : Tensor or TensorList, shape (N, …)
        Their measurements.  Of complex numbers the real and the imaginary part are counted as two.
    physics : LinearPhysics
        The operator A.
    noise : float, optional
        ν, the standard deviation of the noise on each real number of y, above zero; by default the operator's own.

    Returns
    -------
    Tensor, shape (N,)

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the operator does not tell its noise.

    References
    ----------
    Morozov, "On the solution of functional equations by the method of regularization", 1966.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.solvers import discrepancy
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> truth = task.test_images[:2]
    >>> q = discrepancy(truth, task.measure(truth), task.student)
    >>> bool(((q > 0.8) & (q < 1.2)).all())
    True
    """
    require_physics(physics)
    require_tensor("x", x, dimensions=4, finite=False)
    require_number("noise", noise, above=0, none=True)
    level = (noise_of(physics) or 0.0) if noise is None else noise
    require(level > 0, "noise", noise, "a number above 0, where the operator tells none")
    predicted: Any = physics.A(x)
    fits = isinstance(y, torch.Tensor | TensorList) and shapes(y) == shapes(predicted)
    require(fits, "y", shapes(y) if fits else type(y).__name__, f"measurements of x, {shapes(predicted)}")
    return norms(predicted - y) / (_counted(y).sqrt() * level)


def _counted(y: torch.Tensor | TensorList) -> torch.Tensor:
    """Count the real numbers of each image's measurements (N,) that are not exactly zero."""
    counts = []
    for part in parts(y):
        real = torch.view_as_real(part) if part.is_complex() else part
        counts.append((real != 0).flatten(1).sum(dim=1))
    return torch.stack(counts).sum(dim=0).clamp(min=1).float()


class Refusal(Reconstructor):
    """A solver whose images are kept where they explain their data, and another's in the place of all others.

    Parameters
    ----------
    solver, fallback : callable
        Reconstructors, called as ``solver(y, physics)``.  The second should need no images of one kind, as total
        variation.
    highest : float
        Discrepancy up to which an image is kept, above zero; one that is not finite is never kept.
    noise : float, optional
        ν, see :func:`discrepancy`; by default that of the operator at hand.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.solvers import Refusal
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> solver = Refusal(ddgp_lib.load_solver(task), ddgp_lib.load_solver(task, "tv"), highest=1.5)
    >>> faces = ddgp_lib.data.load_faces(32).test[:3]
    >>> x, refused = solver.decide(task.measure(faces), task.student)
    >>> refused.tolist()
    [True, True, True]
    """

    def __init__(self, solver: Any, fallback: Any, highest: float, *, noise: float | None = None) -> None:
        super().__init__()
        require_callable("solver", solver, "a reconstructor, called as solver(y, physics)")
        require_callable("fallback", fallback, "a reconstructor, called as fallback(y, physics)")
        require_positive("highest", highest)
        require_number("noise", noise, above=0, none=True)
        self.solver, self.fallback, self.highest, self.noise = solver, fallback, highest, noise

    def forward(self, y: Any, physics: Physics, **kwargs: Any) -> torch.Tensor:
        """Return the images (N, C, H, W) of measurements."""
        return self.decide(y, physics)[0]

    def decide(self, y: Any, physics: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the images (N, C, H, W), and which of them are the fallback's, (N,) of bool.

        Parameters
        ----------
        y : Tensor or TensorList
            Measurements.
        physics : LinearPhysics
            The operator that has measured them.
        """
        x = self.solver(y, physics)
        kept = discrepancy(x, y, physics, self.noise) <= self.highest
        if bool(kept.all()):
            return x, ~kept
        refused = ~kept
        x = x.clone()
        x[refused] = self.fallback(_some(y, refused), physics)
        return x, refused


def _some(y: torch.Tensor | TensorList, chosen: torch.Tensor) -> torch.Tensor | TensorList:
    """Return the measurements of some images."""
    return y[chosen] if isinstance(y, torch.Tensor) else TensorList([part[chosen] for part in parts(y)])
