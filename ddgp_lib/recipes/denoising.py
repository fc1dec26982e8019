"""What decides the weights of a denoiser."""

from collections.abc import Mapping
from dataclasses import dataclass

from .. import fields
from ..arguments import require
from ..names import DenoiserNetwork
from ..networks.denoising import DENOISERS


@dataclass(frozen=True)
class DenoiserRecipe:
    """Everything that decides the weights of a shipped denoiser.

    The loss is the mean of (D_σ(x + σ n) − x)² / σ over pixels and log-uniform noise levels σ, with σ² in the place
    of σ where the network is ``noise_scaled``, plus ``penalty`` · max(‖J‖ − ``bound``, 0)², with J the Jacobian of
    D_σ at a noisy image and ‖J‖ its spectral norm by power iteration (Pesquet et al., "Learning maximally monotone
    operators for image recovery", 2021).  With a ``crop``, each step sees random squares of that side, mirrored at
    random.  ``network`` is one of :data:`~ddgp_lib.networks.denoising.DENOISERS`, of which ``"unet"`` has ``widths``.
    A share ``perturbed`` of the images is changed a little first.  The rate of each phase rises over a share
    ``warmup`` of its steps and falls along a cosine; gradients longer than ``clip`` are shortened to it.
    """

    steps: int = 5000
    finetune_steps: int = 250
    batch_size: int = 32
    learning_rate: float = 2e-3
    sigma_min: float = 0.01
    sigma_max: float = 0.3
    penalty: float = 1.0
    bound: float = 1.25
    jacobian_images: int = 4
    power_iterations: int = 8
    noise_scaled: bool = False
    crop: int | None = None
    seed: int = 0
    network: DenoiserNetwork = "dncnn"
    widths: tuple[int, ...] = (24, 48, 96)
    perturbed: float = 0.0
    warmup: float = 0.0
    clip: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        fields.check_fields(self, DENOISER_FIELDS)
        ordered = self.sigma_min <= self.sigma_max
        require(ordered, "sigma_max", self.sigma_max, f"at least sigma_min={self.sigma_min}")


DENOISER_FIELDS: Mapping[str, fields.Check] = {
    "steps": fields.whole,
    "finetune_steps": fields.whole,
    "batch_size": fields.size,
    "learning_rate": fields.positive,
    "sigma_min": fields.positive,
    "sigma_max": fields.positive,
    "penalty": fields.not_negative,
    "bound": fields.not_negative,
    "jacobian_images": fields.size,
    "power_iterations": fields.count,
    "noise_scaled": fields.flag,
    "crop": fields.count_or_none,
    "seed": fields.seed,
    "network": fields.one_of(DENOISERS),
    "widths": fields.several(fields.count),
    "perturbed": fields.share,
    "warmup": fields.share_below_one,
    "clip": fields.positive_or_none,
}
"""What each field accepts."""
