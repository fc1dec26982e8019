"""What decides a linear preconditioner that is distilled in closed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from .. import fields
from ..arguments import require_instance
from ..names import After, LinearForm, LinearInputs, Momentum, StructureName
from ..preconditioners.linear import AFTER, LINEAR_FORMS, LINEAR_INPUTS, LinearPreconditioner
from ..preconditioners.structures import STRUCTURES, Structure
from ..solvers import MOMENTUM


class LinearFields(TypedDict, total=False):
    """Fields of :class:`LinearRecipe`, as keyword arguments; what each means is said there."""

    structure: StructureName
    stride: int
    rank: int | None
    inputs: LinearInputs
    form: LinearForm
    after: After
    iterations: int
    n_images: int
    ridges: tuple[float, ...]
    validation_images: int
    sigma: float | None
    momentum: Momentum
    seed: int
    damping: float
    damping_noise: float | None


@dataclass(frozen=True)
class LinearRecipe:
    """Everything, besides the task, that decides a distilled linear preconditioner.

    Attributes
    ----------
    structure : str
        See :mod:`~ddgp_lib.preconditioners.structures`: ``"full"``, ``"rows"``, ``"convolution"``, ``"diagonal"`` or
        ``"scalar"``.
    stride : int
        s of a convolution; other structures have none.
    rank : int or None
        Rank of each matrix, see :meth:`~ddgp_lib.linear.ridge.Ridge.low_rank_weights`; None is no restriction.
    inputs, form, after : str
        See :class:`~ddgp_lib.preconditioners.linear.LinearPreconditioner`.
    iterations : int
        K, the number of fitted iterations.
    n_images : int
        Training images; where the task has fewer, copies changed a little by its ``augment`` follow.
    ridges : tuple of float
        Values of ε to choose from in each iteration.
    validation_images : int
        Validation images that ε is chosen on.
    sigma : float or None
        Noise level for the denoiser between regressions; None takes the task's.
    momentum : str
        Rule for β_k, see :class:`~ddgp_lib.solvers.fista.PreconditionedFISTA`.
    seed : int
        Seed of the choice of images and of the simulated noise.
    damping, damping_noise : float, float or None
        Of the Newton step in the form ``"newton_null_space"``.
    """

    structure: StructureName = "full"
    stride: int = 1
    rank: int | None = None
    inputs: LinearInputs = "affine"
    form: LinearForm = "null_space"
    after: After = "identity"
    iterations: int = 4
    n_images: int = 3000
    ridges: tuple[float, ...] = (1e-3, 1e-2)
    validation_images: int = 50
    sigma: float | None = None
    momentum: Momentum = "none"
    seed: int = 0
    damping: float = 1e-3
    damping_noise: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be fitted."""
        fields.check_fields(self, LINEAR_FIELDS)


LINEAR_FIELDS: Mapping[str, fields.Check] = {
    "structure": fields.one_of(STRUCTURES),
    "stride": fields.count,
    "rank": fields.count_or_none,
    "inputs": fields.one_of(LINEAR_INPUTS),
    "form": fields.one_of(LINEAR_FORMS),
    "after": fields.one_of(AFTER),
    "iterations": fields.count,
    "n_images": partial(fields.size, lowest=2),
    "ridges": fields.several(fields.not_negative),
    "validation_images": fields.size,
    "sigma": fields.positive_or_none,
    "momentum": fields.one_of(MOMENTUM),
    "seed": fields.seed,
    "damping": fields.positive,
    "damping_noise": fields.positive_or_none,
}
"""What each field accepts."""


def build_linear_preconditioner(recipe: LinearRecipe, img_size: tuple[int, ...]) -> LinearPreconditioner:
    """Build an unfitted preconditioner, L_k = 0 and b_k = 0, for images (C, H, W)."""
    require_instance("recipe", recipe, LinearRecipe, "a LinearRecipe")
    stride = recipe.stride if recipe.structure == "convolution" else 1
    return LinearPreconditioner(
        Structure(recipe.structure, img_size, stride),
        recipe.iterations,
        inputs=recipe.inputs,
        form=recipe.form,
        rank=recipe.rank,
        after=recipe.after,
        damping=recipe.damping,
        damping_noise=recipe.damping_noise,
    )
