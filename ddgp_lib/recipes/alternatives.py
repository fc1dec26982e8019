"""What decides the networks that a user would pick instead of a preconditioner: an end-to-end and an unrolled one.

Both are deepinv's, on the same U-Net as P_θ, with as many parameters, and are trained as long on the same images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from deepinv.models import ArtifactRemoval, Denoiser
from deepinv.optim import PnP
from deepinv.optim.data_fidelity import L2
from deepinv.unfolded import unfolded_builder
from torch import nn

from .. import fields
from ..arguments import require_count, require_instance, require_positive
from ..names import Alternative
from ..networks import PatchUNet

STAGES = 6
"""Iterations of the unrolled network, each with a U-Net of its own."""


class ResidualUNet(Denoiser):
    """x + N(x), with N a bias-free U-Net that starts at zero and knows no noise level.

    Parameters
    ----------
    channels : int
        Image channels.
    widths : tuple of int
        See :class:`~ddgp_lib.networks.unet.PatchUNet`.
    """

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.network = PatchUNet(channels, channels, widths)

    def forward(self, x: torch.Tensor, sigma: Any = None, **kwargs: Any) -> torch.Tensor:
        """Map images (N, C, H, W), sides multiples of 8, to images; ``sigma`` is ignored."""
        return x + self.network(x)


def _end_to_end(channels: int, stepsize: float) -> nn.Module:
    return ArtifactRemoval(ResidualUNet(channels, (32, 64, 128)), mode="adjoint")


def _unrolled(channels: int, stepsize: float) -> nn.Module:
    return unfolded_builder(
        "PGD",
        params_algo={"stepsize": [stepsize] * STAGES},
        trainable_params=["stepsize"],
        data_fidelity=L2(),
        prior=[PnP(ResidualUNet(channels, (13, 26, 52))) for _ in range(STAGES)],
        max_iter=STAGES,
    )


ALTERNATIVES: Mapping[Alternative, Callable[[int, float], nn.Module]] = {
    "end_to_end": _end_to_end,
    "unrolled": _unrolled,
}
"""Reconstructors by name, built from the number of channels and the first step size."""


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
    """

    name: Alternative
    steps: int
    batch_size: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    perturbed: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        fields.check_fields(self, ALTERNATIVE_FIELDS)


ALTERNATIVE_FIELDS: Mapping[str, fields.Check] = {
    "name": fields.one_of(ALTERNATIVES),
    "steps": fields.count,
    "batch_size": fields.size,
    "learning_rate": fields.positive,
    "weight_decay": fields.not_negative,
    "perturbed": fields.share,
    "seed": fields.seed,
}
"""What each field accepts."""


def build_alternative(recipe: AlternativeRecipe, channels: int, stepsize: float) -> nn.Module:
    """Build an untrained reconstructor, called as ``model(y, physics)``.

    Parameters
    ----------
    recipe : AlternativeRecipe
        Its name and seed decide the network and the initial weights.
    channels : int
        Image channels.
    stepsize : float
        α = 1/‖A‖², above zero, where the step sizes of the unrolled network start.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    require_instance("recipe", recipe, AlternativeRecipe, "an AlternativeRecipe")
    require_count("channels", channels)
    require_positive("stepsize", stepsize)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return ALTERNATIVES[recipe.name](channels, stepsize)
