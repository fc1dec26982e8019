"""Whether a preconditioner keeps the rules that a solver relies on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from ..arguments import require_flag
from ..operators import norms
from ..preconditioners import State
from ._inputs import Call, probes_for, require_function, require_physics, require_tolerance
from ._reference import measured, reference_projection, seen
from ._vectors import Probes, distance, each, minus, norm, scaled
from .failure import CheckFailed, likeliest

POINTS = 3


def check_preconditioner(
    preconditioner: Callable[[torch.Tensor, State], torch.Tensor],
    physics: Any,
    shape: Sequence[int],
    *,
    null_space: bool = False,
    descent: bool = False,
    tolerance: float = 1e-4,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> float:
    r"""Check what a solver relies on in P, at three random points z with the gradient g = Aᵀ(A z − y).

    P is called as ``P(grad, state)`` with ``State(z, 0, physics, y)``.  Its direction has the shape and the number
    format of the gradient and is finite, the gradient and the state stay as they are, a second call gives the same,
    and so does an image alone in the place of a batch.

    Parameters
    ----------
    preconditioner : callable
        P.
    physics : LinearPhysics
        The operator A, the same for all images.
    shape : sequence of int
        Shape of z, with the batch; two images are taken where it is one.
    null_space : bool
        Whether A P(g) = A g must hold: P changes only what A does not see, so that the data are fitted as without it.
    descent : bool
        Whether ⟨g, P(g)⟩ > 0 must hold for each image, so that short steps along −P(g) lower the data term.
    tolerance : float
        Relative deviation that counts as rounding, between 0 and 1.
    seed : int
        Seed of the random images; z and the images behind y are uniform in [0, 1).
    dtype, device : torch.dtype, torch.device, optional
        Number format and device of z; by default those of the operator's tensors.

    Returns
    -------
    float
        The largest relative deviation found, of a second call, an image alone, and A P(g) from A g; no unit.

    Raises
    ------
    CheckFailed
        If a rule is broken.  Causes that are told apart: randomness or memory, statistics of the batch, a correction
        that is not projected or projected onto the range, a gradient that is left out, a factor, and a sign.
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.checks import CheckFailed, check_preconditioner
    >>> from ddgp_lib.operators import HadamardCamera
    >>> from ddgp_lib.preconditioners import Scalar
    >>> camera = HadamardCamera(0.25, (1, 8, 8))
    >>> check_preconditioner(Scalar(1.5), camera, (2, 1, 8, 8), descent=True)
    0.0
    >>> try:
    ...     check_preconditioner(Scalar(1.5), camera, (2, 1, 8, 8), null_space=True)
    ... except CheckFailed as failed:
    ...     print(failed.cause)
    P also multiplies what A sees by 1.5: keep that factor in the step size, and P(g) = g there
    """
    require_tolerance(tolerance)
    require_function("preconditioner", preconditioner)
    require_physics(physics)
    require_flag("null_space", null_space)
    require_flag("descent", descent)
    probes = probes_for(physics, shape, seed, dtype, device)
    probes = replace(probes, shape=(max(2, shape[0]), *shape[1:]))
    rules = [_repeats, _alone, *([_keeps_data] if null_space else []), *([_descends] if descent else [])]
    points = [_Point.drawn(preconditioner, physics, probes) for _ in range(POINTS)]
    return max(rule(point, tolerance) for rule in rules for point in points)


@dataclass(frozen=True)
class _Point:
    """P, a gradient, the state there, and the direction that P makes of it."""

    P: Call
    physics: Any
    grad: torch.Tensor
    z: torch.Tensor
    y: Any
    direction: torch.Tensor

    @classmethod
    def drawn(cls, preconditioner: Any, physics: Any, probes: Probes) -> "_Point":
        A, adjoint = measured(physics), Call("physics.A_adjoint", physics.A_adjoint, ("y",))
        z = probes.uniform()
        y = A(probes.uniform())
        grad = adjoint(minus(A(z), y), like=z)
        P = Call(
            "the preconditioner",
            lambda grad, z, y: preconditioner(grad, State(z, 0, physics, y)),
            ("grad", "state.z", "state.y"),
            exact=True,
        )
        return cls(P, physics, grad, z, y, P(grad, z, y, like=grad))

    def again(self, images: slice = slice(None)) -> torch.Tensor:
        """P at this point once more, for some images of the batch."""
        y = each(lambda part: part[images], self.y)
        return self.P(self.grad[images], self.z[images], y, like=self.grad[images])


def _repeats(point: _Point, tolerance: float) -> float:
    """Deviation of a second call."""
    deviation = distance(point.again(), point.direction)
    if not deviation <= tolerance:
        raise CheckFailed(
            f"two calls of P with the same gradient and state differ by {deviation:.2g} of their norm",
            "the same direction",
            "P draws random numbers, is a network in training mode (call .eval()), or remembers the call before: "
            "what it needs to know belongs into its arguments",
        )
    return deviation


def _alone(point: _Point, tolerance: float) -> float:
    """Deviation of an image alone from the same image in a batch."""
    images = [slice(i, i + 1) for i in range(len(point.grad))]
    deviation = max(distance(point.again(image), point.direction[image]) for image in images)
    if not deviation <= tolerance:
        raise CheckFailed(
            f"the direction of an image alone and of the same image in a batch differ by {deviation:.2g}",
            "the same direction: images do not know each other",
            "a norm, a mean or a maximum is taken over the whole batch, or batch normalisation is in training mode: "
            "keep the first dimension out of every sum",
        )
    return deviation


def _keeps_data(point: _Point, tolerance: float) -> float:
    """Return what A sees of P(g) − g."""
    deviation = seen(point.physics, minus(point.direction, point.grad), point.grad)
    if not deviation <= tolerance:
        diagnoses = (_only_correction, _scaled_data, _into_range)
        raise CheckFailed(
            f"A P(g) and A g differ by {deviation:.2g} of ‖A g‖",
            "A P(g) = A g: the measured data are fitted as without P",
            likeliest((partial(look, point, max(tolerance, 1e-3)) for look in diagnoses), UNPROJECTED),
        )
    return deviation


UNPROJECTED = (
    "the correction is not projected onto the null space: P(g) = g + (I − A⁺A) N(g), with the projection as the last "
    "step on N(g); a Newton step in the place of g changes the data too"
)


def _only_correction(point: _Point, tolerance: float) -> str | None:
    """See whether A P(g) = 0."""
    if seen(point.physics, point.direction, point.grad) > tolerance:
        return None
    return "the gradient is left out: P returns the projected correction alone; add g to it"


def _scaled_data(point: _Point, tolerance: float) -> str | None:
    """See whether A P(g) is a multiple of A g."""
    A = measured(point.physics)
    data, found = A(point.grad), A(point.direction)
    ratio = norm(found) / max(norm(data), 1e-300)
    for factor in (ratio, -ratio):
        if norm(minus(found, scaled(factor, data))) <= tolerance * norm(found):
            return (
                f"P also multiplies what A sees by {factor:.4g}: keep that factor in the step size, and P(g) = g "
                "there"
            )
    return None


def _into_range(point: _Point, tolerance: float) -> str | None:
    """See whether the correction lies in the range."""
    project = reference_projection(point.physics, point.z)
    correction = minus(point.direction, point.grad)
    if project is None or norm(minus(correction, project(correction))) > tolerance * norm(correction):
        return None
    return (
        "the correction lies in the range of Aᵀ, where A sees all of it: project with I − A⁺A, not with A⁺A"
    )


def _descends(point: _Point, tolerance: float) -> float:
    """Refuse a direction that does not go downhill; there is no deviation to return."""
    grad, direction = point.grad, point.direction
    slopes = (grad.flatten(1).conj() * direction.flatten(1)).sum(1).real
    cosines = slopes / (norms(grad) * norms(direction)).clamp(min=1e-30)
    if bool((cosines <= 0).any()):
        raise CheckFailed(
            f"⟨g, P(g)⟩ is {float(cosines.min()):.2g} of ‖g‖ ‖P(g)‖ for one of the images",
            "above 0: −P(g) goes downhill",
            "P returns zero" if norm(direction) == 0 else FLIPPED if bool((cosines < -0.1).all()) else TURNED,
        )
    return 0.0


FLIPPED = "the sign is flipped: the solver subtracts P(g), so P(g) has to point along g and not along −g"
TURNED = "P turns some gradients by more than a right angle: nothing keeps its correction smaller than g"
