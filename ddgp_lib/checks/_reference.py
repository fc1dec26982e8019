"""What an operator itself says about its range and its null space, where it can be believed."""

from collections.abc import Callable
from typing import Any

import torch
from deepinv.physics import LinearPhysics

from ..operators._common import RTOL
from ._inputs import Call
from ._vectors import Probes, Value, distance, inner, minus, norm, scaled

LEAK = 0.1
"""An A⁺A that loses more of A x than this is not believed; thresholds on singular values lose 0.03 in this book."""


def measured(physics: Any) -> Call:
    """Return A of an operator, under its name."""
    return Call("physics.A", physics.A)


def reference_projection(physics: Any, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return the operator's own A⁺A, or None where it has none in closed form, or none that is a projection.

    deepinv's general A⁺ is iterative and stops early; it counts as none.
    """
    candidates: list[Callable[[torch.Tensor], torch.Tensor]] = []
    if isinstance(physics, LinearPhysics) and type(physics).A_dagger is not LinearPhysics.A_dagger:
        candidates.append(lambda v: physics.A_dagger(physics.A(v)))
    if hasattr(physics, "range_projection"):
        candidates.append(physics.range_projection)
    return next((project for project in candidates if _believable(physics, project, x)), None)


def _believable(physics: Any, project: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> bool:
    """Say whether a projection keeps itself, and nearly all of A x."""
    try:
        once = project(x)
        twice, data = project(once), physics.A(x)
        loss = norm(minus(data, physics.A(once))) / max(norm(data), 1e-300)
    except Exception:  # it is a convenience: without it, less is checked
        return False
    return loss < LEAK and distance(once, twice) < 1e-3


def seen(physics: Any, part: torch.Tensor, of: torch.Tensor) -> float:
    """How much of a part of an image A sees, relative to ‖A x‖ for the image x = ``of``.

    What the operator's own A⁺A counts as not seen, since its singular values are below the threshold of that
    projection, is not seen here either.
    """
    A, total = measured(physics), max(norm(measured(physics)(of)), 1e-300)
    strict = norm(A(part)) / total
    project = reference_projection(physics, of)
    return strict if project is None else min(strict, norm(project(part)) / max(norm(of), 1e-300))


def is_null(physics: Any, part: torch.Tensor, probes: Probes) -> bool:
    """Say whether A maps an image to zero: to less than 1e-5 ‖A‖ ‖part‖, as in :mod:`ddgp_lib.analysis`."""
    return norm(measured(physics)(part)) <= RTOL * top_eigenvalue(physics, probes, 20) ** 0.5 * norm(part)


def top_eigenvalue(
    physics: Any,
    probes: Probes,
    iterations: int,
    direction: Callable[[torch.Tensor], torch.Tensor] = lambda grad: grad,
) -> float:
    """Largest eigenvalue of A P Aᵀ by power iteration, which is that of P AᵀA too.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    probes : Probes
        Source of the first image.
    iterations : int
        Products at most; it ends when the value changes by less than 1e-5 of it.
    direction : callable
        P, linear; by default the identity.

    Returns
    -------
    float
        For a symmetric P, a value below the eigenvalue, by less as the iterations go on.
    """
    A, adjoint = measured(physics), Call("physics.A_adjoint", physics.A_adjoint, ("y",))
    data: Value = A(probes.normal())
    value = 0.0
    for _ in range(iterations):
        size = norm(data)
        if size == 0:
            break
        data = scaled(1 / size, data)
        product = A(direction(adjoint(data)))
        previous, value = value, inner(data, product)
        data = product
        if abs(value - previous) <= 1e-5 * abs(value):
            break
    return value
