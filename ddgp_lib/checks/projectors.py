"""Whether a function is the orthogonal projection onto the range of Aᵀ, or onto the null space of A."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from ..arguments import require_choice
from ._inputs import Call, probes_for, require_function, require_physics, require_tolerance
from ._reference import is_null, measured, reference_projection, seen
from ._vectors import Probes, distance, inner, minus, norm, scaled, size
from .adjoints import asymmetry
from .failure import CheckFailed, likeliest
from .linearity import departure, repeats

ONTO = ("range", "null")


def check_projector(
    projector: Callable[[Any], Any],
    shape: Sequence[int],
    *,
    physics: Any = None,
    onto: str = "range",
    tolerance: float = 1e-4,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> float:
    r"""Check that a function P of images is an orthogonal projection, and with an operator, onto which space.

    In this order, on random images:

    - P P x = P x, it is idempotent;
    - ⟨P x, z⟩ = ⟨x, P z⟩, it is symmetric, and the projection therefore orthogonal;
    - with an operator: A P x = A x onto the range of Aᵀ, A P x = 0 onto the null space of A;
    - with an operator that has A⁺ in closed form: P is that space and no other.  Where there is no closed form, and
      there are fewer measurements than pixels, P = I is not accepted for the range, nor P = 0 for the null space.

    A component is in the null space where its singular value is below 1e-5 ‖A‖, or below the threshold of the
    operator's own A⁺.

    Parameters
    ----------
    projector : callable
        P, of a batch of images.
    shape : sequence of int
        Shape of the images, with the batch.
    physics : LinearPhysics, optional
        A; without it only the first two properties are checked, and they hold for I and 0 too.
    onto : str
        ``"range"``, P = A⁺A, or ``"null"``, P = I − A⁺A.
    tolerance : float
        Relative deviation that counts as rounding, between 0 and 1.  A projection by an iterative solver is as exact
        as the solver.
    seed : int
        Seed of the random images, standard normal.
    dtype, device : torch.dtype, torch.device, optional
        Number format and device of the images; by default those of the operator's tensors, with real numbers.

    Returns
    -------
    float
        The largest relative deviation found; no unit.

    Raises
    ------
    CheckFailed
        If a property does not hold.  Causes that are told apart: the other space, AᵀA in the place of A⁺A, another
        factor, a projection onto {x: A x = y}, an inexact solver or a damped inverse, and an oblique projection.
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Trefethen and Bau, "Numerical Linear Algebra", 1997, lecture 6.

    Examples
    --------
    >>> from ddgp_lib.checks import CheckFailed, check_projector
    >>> from ddgp_lib.operators import HadamardCamera, null_projection
    >>> camera = HadamardCamera(0.25, (1, 8, 8))
    >>> check_projector(lambda x: null_projection(camera, x), (2, 1, 8, 8), physics=camera, onto="null") < 1e-6
    True
    >>> try:
    ...     check_projector(lambda x: null_projection(camera, x), (2, 1, 8, 8), physics=camera, onto="range")
    ... except CheckFailed as failed:
    ...     print(failed.cause)
    it projects onto the null space of A, the other one: x − P x is what was asked for
    """
    require_tolerance(tolerance)
    require_choice("onto", onto, ONTO)
    require_function("projector", projector)
    if physics is not None:
        require_physics(physics)
    probes = probes_for(projector if physics is None else physics, shape, seed, dtype, device)
    question = _Question(Call("the projector", projector), physics, onto, probes, probes.normal())
    rules = RULES if physics is not None else RULES[:2]
    largest = 0.0
    for rule in rules:
        deviation = rule.deviation(question)
        if not deviation <= tolerance:
            found, expected = rule.found.format(deviation), rule.expected[onto]
            raise CheckFailed(found, expected, rule.cause(question, tolerance))
        largest = max(largest, deviation)
    return largest


@dataclass(frozen=True)
class _Question:
    """What is asked: whether P projects onto a space of an operator; with one random image x."""

    P: Call
    physics: Any
    onto: str
    probes: Probes
    x: torch.Tensor

    def project(self, image: torch.Tensor) -> torch.Tensor:
        """P of an image."""
        return self.P(image, like=image)

    @property
    def normal(self) -> torch.Tensor:
        """AᵀA x."""
        return Call("physics.A_adjoint", self.physics.A_adjoint, ("y",))(measured(self.physics)(self.x))

    @property
    def complement(self) -> "_Question":
        """The same question of I − P."""
        return replace(self, P=Call("its complement", lambda image: image - self.P.function(image.clone())))


def _idempotent(q: _Question) -> float:
    """‖P P x − P x‖ relative to ‖x‖."""
    once = q.project(q.x)
    return norm(minus(q.project(once), once)) / norm(q.x)


def _symmetric(q: _Question) -> float:
    """‖P − Pᵀ‖_F relative to ‖I‖_F."""
    return asymmetry(q.P, q.probes) / size(q.x) ** 0.5


def _sees(q: _Question) -> float:
    """Return what A sees of x − P x for the range, and of P x for the null space."""
    projected = q.project(q.x)
    return seen(q.physics, minus(q.x, projected) if q.onto == "range" else projected, q.x)


def _whole(q: _Question) -> float:
    """Return what P has beyond the range, or lacks of the null space, against the operator's own projection."""
    reference = reference_projection(q.physics, q.x)
    projected = q.project(q.x)
    trivial = _trivial(q, projected)
    if trivial or reference is None:
        return trivial
    own = reference(q.x)
    difference = minus(projected, own if q.onto == "range" else minus(q.x, own))
    return norm(difference) / norm(q.x) if is_null(q.physics, difference, q.probes) else 0.0


def _trivial(q: _Question, projected: torch.Tensor) -> float:
    """Return 1 for the identity, or for 0, where there are fewer measurements than pixels; otherwise 0."""
    missing = minus(q.x, projected) if q.onto == "range" else projected
    fewer = size(measured(q.physics)(q.x)) < size(q.x)
    return 1.0 if fewer and norm(missing) < 1e-3 * norm(q.x) else 0.0


def _random(q: _Question, tolerance: float) -> str | None:
    """See whether P draws random numbers."""
    return None if repeats(q.P, q.x) <= tolerance else "P adds noise: two calls on one image differ"


def _affine(q: _Question, tolerance: float) -> str | None:
    """See whether P(0) = 0."""
    if norm(q.project(torch.zeros_like(q.x))) <= tolerance * norm(q.x):
        return None
    return (
        "P(0) is not zero: it projects onto the images that fit some data, {x: A x = y}; a projection onto a space "
        "leaves y out"
    )


def _nonlinear(q: _Question, tolerance: float) -> str | None:
    """See whether P is linear, or nearly, as iterative solvers are."""
    failed, deviation = departure(q.P, q.x, q.probes.normal(), tolerance / 10)
    if failed is None:
        return None
    if deviation < 0.1 and (shrunk := _inexact(q, tolerance)):
        return shrunk
    solved = deviation < 0.1 and _idempotent(q) < SMALL
    return NEARLY if solved else f"the projector is not linear: {failed.cause}"


def _other_space(q: _Question, tolerance: float) -> str | None:
    """See whether I − P does what was asked of P."""
    other = q.complement
    if q.physics is None or max(_idempotent(other), _sees(other), _whole(other)) > tolerance:
        return None
    space = {"range": "the null space of A", "null": "the range of Aᵀ"}[q.onto]
    return f"it projects onto {space}, the other one: x − P x is what was asked for"


def _normal_operator(q: _Question, tolerance: float) -> str | None:
    """See whether P is AᵀA, or I − AᵀA."""
    if q.physics is None:
        return None
    normal, projected = q.normal, q.project(q.x)
    nearest = min(distance(projected, normal), distance(minus(q.x, projected), normal))
    return NORMAL if nearest <= tolerance else None


def _scaled_normal_operator(q: _Question, tolerance: float) -> str | None:
    """See whether P, or I − P, is a multiple of AᵀA."""
    if q.physics is None:
        return None
    normal, projected = q.normal, q.project(q.x)
    for part in (projected, minus(q.x, projected)):
        factor = inner(part, normal) / max(norm(normal) ** 2, 1e-300)
        if norm(part) > 0 and distance(part, scaled(factor, normal)) <= tolerance:
            return f"{NORMAL}; a factor, here {factor:.4g}, does not change that"
    return None


NORMAL = (
    "AᵀA stands where A⁺A is meant: it multiplies each component by its squared singular value, and is a projection "
    "only where these are 0 or 1; use the pseudo-inverse, A_dagger"
)


def _factor(q: _Question, tolerance: float) -> str | None:
    """See whether P, or I − P, is a multiple of a projection."""
    for name, question in (("P", q), ("I − P", q.complement)):
        once = question.project(q.x)
        twice = question.project(once)
        ratio = norm(twice) / max(norm(once), 1e-300)
        proportional = norm(minus(twice, ratio * once)) <= tolerance * norm(once)
        if proportional and abs(ratio - 1) > 0.02 and norm(once) > 0.01 * norm(q.x):
            return f"{name} is {ratio:.4g} times a projection: divide by that factor, such as ‖A‖²"
    return None


def _inexact(q: _Question, tolerance: float) -> str | None:
    """See whether P shrinks what it projects, but has no factor below 0 or above 1."""
    once = q.project(q.x)
    shrinks = 1 - 1e-6
    if not 0 < norm(q.project(once)) < shrinks * norm(once) < shrinks**2 * norm(q.x):
        return None
    return SHRUNK


SHRUNK = (
    "components are shrunk by factors between 0 and 1: the inverse is damped (Tikhonov), or an iterative solver "
    "stopped early, before it reached the weak components; a projection keeps a component or removes it"
)


def _nearly(q: _Question, tolerance: float) -> str | None:
    """See whether A sees little of what it should not see."""
    return NEARLY if _sees(q) < SMALL else None


SMALL = 0.05
NEARLY = (
    "P is nearly right: an iterative solver stopped early, or weak components are left out below a threshold; solve "
    "more exactly, or give the check that threshold as its tolerance"
)


def _unchanged(q: _Question, tolerance: float) -> str | None:
    """See whether P is the identity or zero."""
    projected = q.project(q.x)
    wanted, other = ("sees", "does not see") if q.onto == "range" else ("does not see", "sees")
    if distance(projected, q.x) < tolerance:
        return f"it returns its input: what A {other} has to be taken away"
    if norm(projected) < tolerance * norm(q.x):
        return f"it returns zero: what A {wanted} has to be kept"
    return None


@dataclass(frozen=True)
class _Rule:
    """A property of projections, and where to look when it does not hold."""

    deviation: Callable[[_Question], float]
    found: str
    expected: dict[str, str]
    causes: tuple[Callable[[_Question, float], str | None], ...]
    otherwise: str

    def cause(self, question: _Question, tolerance: float) -> str:
        """Return the likeliest cause."""
        loose = max(tolerance, 1e-3)
        return likeliest((partial(cause, question, loose) for cause in self.causes), self.otherwise)


RULES = (
    _Rule(
        _idempotent,
        "P P x and P x differ by {:.2g} of ‖x‖",
        dict.fromkeys(ONTO, "P P x = P x: what is projected stays where it is"),
        (_random, _affine, _normal_operator, _factor, _scaled_normal_operator, _inexact, _nonlinear),
        "applying P twice is not the same as once, so it is no projection: it should be A⁺A or I − A⁺A with one and "
        "the same A",
    ),
    _Rule(
        _symmetric,
        "⟨P x, z⟩ and ⟨x, P z⟩ differ by {:.2g} of what ⟨x, z⟩ is in size",
        dict.fromkeys(ONTO, "the same number: P = Pᵀ"),
        (_random, _affine, _nonlinear),
        "the projection is oblique: P P = P, but x − P x is not orthogonal to P x; another inverse than the "
        "pseudo-inverse stands beside A, such as one for a weighted norm",
    ),
    _Rule(
        _sees,
        "A sees {:.2g} of what it should not see",
        {
            "range": "A P x = A x: the projection onto the range of Aᵀ leaves the measurements as they are",
            "null": "A P x = 0: A does not see its null space",
        },
        (_other_space, _unchanged, _nearly),
        "P belongs to another operator, such as one with another mask or kernel, or to a part of the space alone",
    ),
    _Rule(
        _whole,
        "P x is off by {:.2g} of ‖x‖ in the null space of A",
        {
            "range": "P x without anything that A does not see",
            "null": "P x with all that A does not see",
        },
        (_unchanged,),
        "P belongs to another operator, such as one with another mask, or to a part of the space alone",
    ),
)
