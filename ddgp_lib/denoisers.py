"""A small denoiser that knows its noise level and is trained to expand little."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from deepinv.models import Denoiser, DnCNN, DRUNet
from torch import nn
from tqdm.auto import trange

from . import fields
from .arguments import (
    require,
    require_callable,
    require_choice,
    require_count,
    require_generator,
    require_images,
    require_instance,
    require_integer,
    require_number,
    require_seed,
)
from .checkpoints import build, is_weights_file, load_checkpoint, save_checkpoint, weights_path
from .data import Split, perturb
from .fingerprint import of_images
from .metrics import psnr
from .names import DenoiserNetwork, PretrainedDenoiser
from .networks.denoising import DENOISERS, NoiseAwareDnCNN, NoiseAwareUNet
from .operators.iterative import norms, spread

NoiseAware = NoiseAwareDnCNN | NoiseAwareUNet


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


Augment = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def train_denoiser(
    images: Split,
    recipe: DenoiserRecipe | None = None,
    *,
    augment: Augment = perturb,
    progress: bool = True,
) -> NoiseAware:
    """Train a denoiser on clean images with Gaussian noise of random level.

    First ``recipe.steps`` steps of the squared error alone, then ``recipe.finetune_steps`` with the Jacobian
    penalty, which is about ten times slower a step.

    Parameters
    ----------
    images : Split
        Training and validation images.
    recipe : DenoiserRecipe, optional
        Its defaults are those of the shipped weights.
    augment : callable
        (images, generator) ↦ images: the change that a share ``perturbed`` of the images gets.
    progress : bool
        Show a progress bar.

    Returns
    -------
    NoiseAwareDnCNN or NoiseAwareUNet
        The trained denoiser, in evaluation mode.

    Raises
    ------
    ValueError
        If the loss stops being finite.
    """
    require_instance("images", images, Split, "a Split: images to train on, to choose on and to test")
    require_instance("recipe", recipe, DenoiserRecipe, "None, or a DenoiserRecipe", none=True)
    require_callable("augment", augment, "a function of images and a generator")
    recipe = recipe or DenoiserRecipe()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # deepinv draws initial weights globally
        denoiser = _untrained(recipe, images.train.shape[1])
        fit = partial(_fit, denoiser, images.train, recipe, augment, progress=progress)
        fit(recipe.steps, recipe.learning_rate, penalised=False)
        fit(recipe.finetune_steps, recipe.learning_rate / 4, penalised=True)
    return denoiser.eval()


def _untrained(recipe: DenoiserRecipe, channels: int) -> NoiseAware:
    if recipe.network == "unet":
        return NoiseAwareUNet(channels, recipe.widths)
    return NoiseAwareDnCNN(channels, noise_scaled=recipe.noise_scaled)


def _fit(
    denoiser: NoiseAware,
    images: torch.Tensor,
    recipe: DenoiserRecipe,
    augment: Augment,
    steps: int,
    learning_rate: float,
    *,
    penalised: bool,
    progress: bool,
) -> None:
    if steps == 0:
        return
    generator, starts = (torch.Generator().manual_seed(recipe.seed) for _ in range(2))
    optimiser = torch.optim.Adam(denoiser.parameters(), lr=learning_rate)
    schedule = _schedule(optimiser, steps, recipe.warmup)
    name = "denoiser, Jacobian penalty" if penalised else "denoiser"
    for step in (bar := trange(steps, desc=name, disable=not progress)):
        clean = images[torch.randint(len(images), (recipe.batch_size,), generator=generator)]
        if recipe.perturbed:
            chosen = torch.rand(len(clean), generator=generator) < recipe.perturbed
            clean = torch.where(chosen.view(-1, 1, 1, 1), augment(clean, generator), clean)
        if recipe.crop is not None:
            clean = random_squares(clean, recipe.crop, generator)
        spread = torch.rand(recipe.batch_size, generator=generator)
        sigma = recipe.sigma_min * (recipe.sigma_max / recipe.sigma_min) ** spread
        noisy = clean + sigma.view(-1, 1, 1, 1) * torch.randn(clean.shape, generator=generator)
        scale = sigma.square() if recipe.noise_scaled else sigma
        loss = ((denoiser(noisy, sigma) - clean).square() / scale.view(-1, 1, 1, 1)).mean()
        if penalised:
            part = slice(recipe.jacobian_images)
            found = jacobian_norms(denoiser, noisy[part], sigma[part], recipe.power_iterations, starts)
            loss = loss + recipe.penalty * (found - recipe.bound).clamp_min(0).square().mean()
        value = loss.item()
        if not math.isfinite(value):
            raise ValueError(
                f"loss={value}: expected a finite one in step {step + 1} of {steps} of the {name}"
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(denoiser.parameters(), recipe.clip)
        optimiser.step()
        schedule.step()
        bar.set_postfix(loss=f"{value:.4f}", refresh=False)


def _schedule(
    optimiser: torch.optim.Optimizer, steps: int, warmup: float
) -> torch.optim.lr_scheduler.LRScheduler:
    """Fall along a cosine, after a linear rise over a share of the steps."""
    rise = round(warmup * steps)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps - rise)
    if rise == 0:
        return fall
    grow = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / (rise + 1), total_iters=rise)
    return torch.optim.lr_scheduler.SequentialLR(optimiser, [grow, fall], [rise])


def random_squares(images: torch.Tensor, side: int, generator: torch.Generator) -> torch.Tensor:
    """Cut a square of ``side`` pixels out of each image (N, C, H, W) at random, and mirror the batch at random."""
    require_images("images", images)
    height, width = images.shape[-2:]
    require_integer("side", side, lowest=1, highest=min(height, width))
    require_generator("generator", generator)
    rows = torch.randint(height - side + 1, (len(images),), generator=generator).tolist()
    columns = torch.randint(width - side + 1, (len(images),), generator=generator).tolist()
    squares = torch.stack(
        [
            image[:, row : row + side, column : column + side]
            for image, row, column in zip(images, rows, columns, strict=True)
        ]
    )
    return squares.flip(-1) if torch.rand((), generator=generator) < 0.5 else squares


def jacobian_norms(
    denoiser: Denoiser,
    x: torch.Tensor,
    sigma: float | torch.Tensor,
    iterations: int,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Spectral norm of the denoiser's Jacobian J at each image, by power iteration on JᵀJ; differentiable.

    Parameters
    ----------
    denoiser : Denoiser
        The denoiser D_σ.
    x : Tensor, shape (N, C, H, W)
        Where the Jacobian is taken.
    sigma : float or Tensor of shape (N,)
        Noise level.
    iterations : int
        Power iterations, 1 or above; the estimate grows towards the norm with their number.
    generator : torch.Generator, optional
        Draws where the iteration starts; by default one with seed 0.

    Returns
    -------
    Tensor, shape (N,)
        ‖∂D_σ/∂x‖₂. A denoiser with norms of at most 1 does not expand distances.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.
    """
    require_callable("denoiser", denoiser, "a denoiser, called as denoiser(x, sigma)")
    require_images("x", x)
    require_integer("iterations", iterations, lowest=1, highest=10_000)
    require_generator("generator", generator, none=True)
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    u = torch.randn(x.shape, generator=generator, device=generator.device, dtype=x.dtype).to(x.device)
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        denoised = denoiser(point, sigma)
        weights = torch.ones_like(denoised, requires_grad=True)
        (pulled,) = torch.autograd.grad(denoised, point, weights, create_graph=True)  # Jᵀw, linear in w
        for _ in range(iterations):
            u = u / spread(norms(u), u)
            (pushed,) = torch.autograd.grad(pulled, weights, u, create_graph=True)
            (product,) = torch.autograd.grad(denoised, point, pushed, create_graph=True)
            squared = (u * product).flatten(1).sum(dim=1)
            u = product
        return squared.sqrt()


def denoising_psnr(denoiser: Denoiser, images: torch.Tensor, sigma: float, seed: int = 0) -> float:
    """Mean PSNR (dB, on [0, 1]) of denoised images whose noise has standard deviation ``sigma``."""
    require_images("images", images)
    require_callable("denoiser", denoiser, "a denoiser, called as denoiser(x, sigma)")
    require_number("sigma", sigma, above=0)
    require_seed("seed", seed)
    generator = torch.Generator().manual_seed(int(seed))
    noisy = images + sigma * torch.randn(images.shape, generator=generator)
    with torch.no_grad():
        return float(psnr(denoiser(noisy, sigma), images, floor=0).mean())


def save_denoiser(
    path: str | Path,
    denoiser: NoiseAware,
    task_name: str,
    recipe: DenoiserRecipe,
    metrics: Mapping[str, Any],
    images: Split | None = None,
) -> None:
    """Write a denoiser with its recipe and metrics, and a sketch of its images, to a safetensors file."""
    network = next((name for name, kind in DENOISERS.items() if type(denoiser) is kind), None)
    require(network is not None, "denoiser", denoiser, f"one of {tuple(DENOISERS)}")
    description: dict[str, Any] = {
        "kind": "denoiser",
        "task": task_name,
        "recipe": asdict(recipe),
        "metrics": dict(metrics),
    }
    description["architecture"] = denoiser.architecture | ({"network": network} if network != "dncnn" else {})
    if images is not None:
        description["fingerprint"] = {"images": of_images(images.train, images.val)}
    save_checkpoint(path, denoiser.state_dict(), description)


def load_denoiser(source: str | Path, path: str | Path | None = None) -> NoiseAware:
    """Load a task's shipped denoiser, or one from a file.

    Parameters
    ----------
    source : str or Path
        The name of the task that it was trained for; or the file itself, which is taken as it is.
    path : str or Path, optional
        A file written by :func:`save_denoiser` for this task; by default the shipped one.

    Returns
    -------
    NoiseAwareDnCNN or NoiseAwareUNet
        In evaluation mode, its parameters frozen.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is corrupt, or holds something else.
    """
    expected = {"kind": "denoiser"}
    if is_weights_file(source):
        path = source
    else:
        path = weights_path(str(source), "denoiser") if path is None else path
        expected["task"] = str(source)
    tensors, description = load_checkpoint(path, **expected)
    return build(lambda: _described(description["architecture"]), tensors, path)


def _described(architecture: Mapping[str, Any]) -> NoiseAware:
    """Build an untrained denoiser; files of before do not say that it is a DnCNN."""
    name = architecture.get("network", "dncnn")
    require_choice("network", name, DENOISERS)
    return DENOISERS[name](**{key: value for key, value in architecture.items() if key != "network"})


PRETRAINED: Mapping[PretrainedDenoiser, tuple[Callable[..., Denoiser], str]] = {
    "dncnn": (DnCNN, "download"),
    "dncnn_lipschitz": (DnCNN, "download_lipschitz"),
    "drunet": (DRUNet, "download"),
}
"""deepinv's denoisers by name, and the weights that each is given."""


def pretrained_denoiser(name: PretrainedDenoiser, channels: int = 1) -> Denoiser:
    """Load one of deepinv's pretrained denoisers, which are downloaded on first use.

    Parameters
    ----------
    name : str
        ``"dncnn"`` (trained at one low noise level, ignores σ), ``"dncnn_lipschitz"`` (the same, trained not to
        expand) or ``"drunet"``.
    channels : int
        1 for grey images, 3 for colour.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    require_choice("name", name, PRETRAINED)
    require_count("channels", channels)
    model, weights = PRETRAINED[name]
    return model(in_channels=channels, out_channels=channels, pretrained=weights).eval().requires_grad_(False)
