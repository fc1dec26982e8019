"""What decides the networks that a user would pick instead of a preconditioner.

All stand on the same U-Net as P_θ, with as many parameters.  They start from the Tikhonov solution and take Newton
steps on the data, see :mod:`ddgp_lib.reconstructors`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .. import fields
from ..arguments import require_choice, require_count, require_instance
from ..checkpoints import build, load_checkpoint
from ..names import Alternative
from ..networks import PatchUNet
from ..preconditioners import Newton
from ..reconstructors import EndToEnd, NullSpaceNetwork, Unrolled

STAGES = 6
"""Stages of an unrolled network where nothing else is said."""

WIDTH = 32
"""Channels of P_θ's U-Net at its finest scale."""


@dataclass(frozen=True)
class AlternativeRecipe:
    """Everything, besides the task, that decides the weights of an alternative.

    Attributes
    ----------
    name : str
        One of :data:`ALTERNATIVES`.
    steps, batch_size : int
        Optimisation steps, and images in each.
    learning_rate, weight_decay : float
        Of AdamW; the rate is the largest of a cosine schedule with a warm-up.
    perturbed : float
        Fraction of training images that are changed a little, in [0, 1], by the task's ``augment``.
    seed : int
        Seed of the initial weights, the choice of images and the simulated noise.
    stages : int
        Stages of an unrolled network, which share its parameters or have about as many together.
    damping : float
        λ of the Newton steps, relative to ‖A‖², above zero.
    damping_noise : float or None
        Noise level that λ suits, from which it grows with the noise of the operator, see
        :class:`~ddgp_lib.preconditioners.classical.Newton`; None keeps it constant.
    noise_range : pair of float or None
        Lowest and highest standard deviation of the measurement noise, which is drawn log-uniformly for each image;
        None takes the operator's own.  The damping follows the operator's own in either case.
    """

    name: Alternative
    steps: int
    batch_size: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    perturbed: float = 0.5
    seed: int = 0
    stages: int = STAGES
    damping: float = 1e-3
    damping_noise: float | None = None
    noise_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        fields.check_fields(self, ALTERNATIVE_FIELDS)


def _direct(recipe: AlternativeRecipe, channels: int) -> nn.Module:
    return EndToEnd(PatchUNet(channels, channels, _widths(WIDTH)), _newton(recipe))


def _null_space_network(recipe: AlternativeRecipe, channels: int) -> nn.Module:
    return NullSpaceNetwork(PatchUNet(channels, channels, _widths(WIDTH)), _newton(recipe))


def _unfolded(recipe: AlternativeRecipe, channels: int) -> nn.Module:
    widths = _shared_widths(recipe.stages)
    return Unrolled([PatchUNet(channels, channels, widths) for _ in range(recipe.stages)], _newton(recipe))


def _modl(recipe: AlternativeRecipe, channels: int) -> nn.Module:
    return Unrolled([PatchUNet(channels, channels, _widths(WIDTH))] * recipe.stages, _newton(recipe))


def _newton(recipe: AlternativeRecipe) -> Newton:
    return Newton(recipe.damping, recipe.damping_noise)


def _widths(finest: int) -> tuple[int, ...]:
    return finest, 2 * finest, 4 * finest


def _shared_widths(stages: int) -> tuple[int, ...]:
    """Return the widths of each of several U-Nets that have about the parameters of one: these go with the square."""
    return _widths(max(1, round(WIDTH / stages**0.5)))


ALTERNATIVES: Mapping[Alternative, Callable[[AlternativeRecipe, int], nn.Module]] = {
    "direct": _direct,
    "null_space_network": _null_space_network,
    "unfolded": _unfolded,
    "modl": _modl,
    "npn": _direct,
}
"""Reconstructors by name, built from the recipe and the number of channels.

``"npn"`` is the predictor of :class:`~ddgp_lib.preconditioners.null_space_pull.NullSpacePull`: the network of
``"direct"``, trained on what the student does not see and the teacher does.
"""

REPLACED: Mapping[str, Alternative] = {"end_to_end": "direct", "unrolled": "unfolded"}
"""Names of before, of networks that started from Aᵀy, and what stands in their place."""


def require_alternative(argument: str, name: Any) -> None:
    """Refuse what is no alternative; one of before is told what has taken its place.

    Raises
    ------
    ValueError
        If the name is not one of :data:`ALTERNATIVES`.

    Examples
    --------
    >>> from ddgp_lib.recipes.alternatives import require_alternative
    >>> require_alternative("name", "unfolded")
    """
    known = tuple(ALTERNATIVES)
    replaced = REPLACED.get(name) if isinstance(name, str) else None
    if replaced is not None:
        raise ValueError(
            f"{argument}={name!r}: expected {replaced!r}, which has taken its place; all are {known}"
        )
    require_choice(argument, name, ALTERNATIVES)


ALTERNATIVE_FIELDS: Mapping[str, fields.Check] = {
    "name": require_alternative,
    "steps": fields.count,
    "batch_size": fields.size,
    "learning_rate": fields.positive,
    "weight_decay": fields.not_negative,
    "perturbed": fields.share,
    "seed": fields.seed,
    "stages": fields.count,
    "damping": fields.positive,
    "damping_noise": fields.positive_or_none,
    "noise_range": fields.range_or_none,
}
"""What each field accepts."""


def build_alternative(recipe: AlternativeRecipe, channels: int) -> nn.Module:
    """Build an untrained reconstructor, called as ``model(y, physics)``.

    Parameters
    ----------
    recipe : AlternativeRecipe
        Its name, stages, damping and seed decide the network and the initial weights.
    channels : int
        Image channels.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    require_instance("recipe", recipe, AlternativeRecipe, "an AlternativeRecipe")
    require_count("channels", channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return ALTERNATIVES[recipe.name](recipe, channels)


def read_alternative(path: str | Path, **expected: str) -> nn.Module:
    """Read a trained reconstructor from its file, in evaluation mode and with its parameters frozen.

    Parameters
    ----------
    path : str or Path
        A file written by :func:`~ddgp_lib.experiments.alternatives.save_alternative`.
    **expected
        What the file must say of itself, such as ``kind="npn"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is corrupt, or holds something else.
    """
    tensors, description = load_checkpoint(path, **expected)

    def described() -> nn.Module:
        recipe = AlternativeRecipe(**description["recipe"])
        return build_alternative(recipe, description["channels"])

    model: Any = build(described, tensors, path)
    model.made_for = description.get("fingerprint")
    read: nn.Module = model
    return read
