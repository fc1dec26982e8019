"""A small denoiser that knows its noise level and is trained to expand little."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from deepinv.models import Denoiser, DnCNN, DRUNet
from torch import nn

from .arguments import (
    require,
    require_callable,
    require_choice,
    require_count,
    require_flag,
    require_generator,
    require_images,
    require_instance,
    require_integer,
    require_number,
    require_seed,
)
from .checkpoints import (
    CheckpointError,
    beside,
    build,
    hash_of,
    is_weights_file,
    load_checkpoint,
    save_checkpoint,
    weights_path,
)
from .data import Split, perturb
from .data.augment import Augment, augmented
from .fingerprint import Fingerprint, of_augment, of_images
from .metrics import psnr
from .names import PretrainedDenoiser
from .networks.denoising import DENOISERS, NoiseAwareDnCNN, NoiseAwareUNet
from .operators.iterative import norms, spread
from .recipes.denoising import DenoiserRecipe
from .training import ResumableTraining, build_schedule

NoiseAware = NoiseAwareDnCNN | NoiseAwareUNet


def train_denoiser(
    images: Split,
    recipe: DenoiserRecipe | None = None,
    *,
    augment: Augment = perturb,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
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
    checkpoint : str or Path, optional
        A file to write the state of the training to, and to resume from if it exists, to the same bits; the second
        phase has one of its own beside it.
    checkpoint_every : int
        Steps between writes, 1 or above.
    progress : bool
        Show a progress bar.

    Returns
    -------
    NoiseAwareDnCNN or NoiseAwareUNet
        The trained denoiser, in evaluation mode.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, the loss stops being finite, or ``augment`` gives other than
        images like its own.
    CheckpointError
        If a checkpoint was written by another recipe or for other images, or that of the second phase after another
        first phase, as where that was given more steps.
    """
    require_instance("images", images, Split, "a Split: images to train on, to choose on and to test")
    require_instance("recipe", recipe, DenoiserRecipe, "None, or a DenoiserRecipe", none=True)
    require_callable("augment", augment, "a function of images and a generator")
    for name, part in {"images.train": images.train, "images.val": images.val}.items():
        _require_scale(name, part)
    recipe = recipe or DenoiserRecipe()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # deepinv draws initial weights globally
        denoiser = _untrained(recipe, images.train.shape[1])
        second = replace(recipe, steps=recipe.finetune_steps, learning_rate=recipe.learning_rate / 4)
        for phase, penalised in ((recipe, False), (second, True)):
            if phase.steps == 0:
                continue
            training = _Training(images, phase, denoiser, augment, penalised=penalised)
            name = "denoiser, Jacobian penalty" if penalised else "denoiser"
            file = checkpoint if checkpoint is None or not penalised else beside(checkpoint, "penalised")
            training.run(name, file, checkpoint_every, progress=progress)
    return denoiser.eval()


def _untrained(recipe: DenoiserRecipe, channels: int) -> NoiseAware:
    if recipe.network == "unet":
        return NoiseAwareUNet(channels, recipe.widths)
    return NoiseAwareDnCNN(channels, noise_scaled=recipe.noise_scaled)


def _require_scale(name: str, images: torch.Tensor) -> None:
    """Refuse images beyond [0, 1]; channels that are real and imaginary parts may have either sign."""
    require_images(name, images)
    require_images(name, images.abs(), bounds=(0, 1))


class _Training(ResumableTraining):
    """One phase of the training of a denoiser, with the Jacobian penalty or without."""

    def __init__(
        self,
        images: Split,
        recipe: DenoiserRecipe,
        denoiser: NoiseAware,
        augment: Augment,
        *,
        penalised: bool,
    ) -> None:
        optimiser = torch.optim.Adam(denoiser.parameters(), lr=recipe.learning_rate)
        generator, self.starts = (torch.Generator().manual_seed(recipe.seed) for _ in range(2))
        described: Any = SimpleNamespace(name="denoiser", train_images=images.train)
        constant = build_schedule("constant", recipe.steps)
        super().__init__("denoiser training", described, recipe, denoiser, optimiser, constant, generator)
        self.rates = _schedule(optimiser, recipe.steps, recipe.warmup)
        self.denoiser, self.images, self.augment, self.penalised = denoiser, images, augment, penalised
        self.start = hash_of(denoiser.state_dict()) if penalised else None

    def made_for(self) -> Fingerprint:
        """Return sketches of the images, and of the way to change some of them."""
        images = of_images(self.images.train, self.images.val)
        return {"images": images, "augment": of_augment(self.augment, self.images.train)}

    def advance(self) -> float:
        """Take one optimisation step; return the loss."""
        clean = self._clean()
        recipe, generator = self.recipe, self.generator
        spread = torch.rand(recipe.batch_size, generator=generator)
        sigma = recipe.sigma_min * (recipe.sigma_max / recipe.sigma_min) ** spread
        noisy = clean + sigma.view(-1, 1, 1, 1) * torch.randn(clean.shape, generator=generator)
        scale = sigma.square() if recipe.noise_scaled else sigma
        loss = ((self.model(noisy, sigma) - clean).square() / scale.view(-1, 1, 1, 1)).mean()
        if self.penalised:
            part = slice(recipe.jacobian_images)
            found = jacobian_norms(
                self.denoiser, noisy[part], sigma[part], recipe.power_iterations, self.starts
            )
            loss = loss + recipe.penalty * (found - recipe.bound).clamp_min(0).square().mean()
        if math.isfinite(value := loss.item()):
            self.update_weights(loss)
        self.step += 1
        return value

    def _clean(self) -> torch.Tensor:
        """Draw images, some of them perturbed, or squares of them."""
        images, recipe, generator = self.images.train, self.recipe, self.generator
        clean = images[torch.randint(len(images), (recipe.batch_size,), generator=generator)]
        if recipe.perturbed:
            chosen = torch.rand(len(clean), generator=generator) < recipe.perturbed
            clean = torch.where(chosen.view(-1, 1, 1, 1), augmented(self.augment, clean, generator), clean)
        return clean if recipe.crop is None else random_squares(clean, recipe.crop, generator)

    def update_weights(self, loss: torch.Tensor) -> None:
        """Follow the gradient of a loss, no longer than ``clip`` where that is said."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimiser.step()
        self.rates.step()

    def notes(self) -> dict[str, Any]:
        """Return what the second phase has started from; None of the first."""
        return {"start": self.start}

    def _require_same(self, path: str | Path, description: dict[str, Any]) -> None:
        super()._require_same(path, description)
        if self.penalised and description.get("start", self.start) != self.start:  # older ones do not say
            raise CheckpointError(
                f"checkpoint={str(path)!r}: written for another first phase, expected the one at hand"
            )

    def own_tensors(self) -> dict[str, torch.Tensor]:
        """Return the state of the generator of power iterations."""
        return {"starts": self.starts.get_state()}

    def take(self, path: str | Path, tensors: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
        """Take over that state too, and the rate."""
        super().take(path, tensors, description)
        self.starts.set_state(tensors["starts"])
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # PyTorch's, of a schedule that is ahead of its optimiser
            for _ in range(self.step):
                self.rates.step()


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
    if not isinstance(sigma, torch.Tensor):
        require_number("sigma", sigma, lowest=0)
        sigma = float(sigma)
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
    _require_scale("images", images)
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
    *,
    half: bool = False,
) -> None:
    """Write a denoiser with its recipe and metrics, and a sketch of its images, to a safetensors file.

    With ``half`` its weights are rounded to half precision, and the file is half as large.
    """
    require_flag("half", half)
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
    weights = {name: tensor.half() if half else tensor for name, tensor in denoiser.state_dict().items()}
    save_checkpoint(path, weights, description)


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
