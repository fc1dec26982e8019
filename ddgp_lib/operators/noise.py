"""Noise that depends on a seed and on nothing else: not on other calls, threads or processes."""

import copy
from threading import Lock
from typing import Any

import torch
from deepinv.physics import GaussianNoise, LinearPhysics, NoiseModel
from torch.utils.data import get_worker_info

from ..arguments import require, require_number, require_seed, require_tensor
from .iterative import parts
from .protocol import require_physics

_GLOBAL = Lock()
"""Held while PyTorch's global generator is seeded for a call, and those of noise models are exchanged."""


def unchanged(x: Any) -> Any:
    """Return x; deepinv's own is a lambda, which cannot be pickled."""
    return x


class OwnNoise(GaussianNoise):
    """White Gaussian noise with a generator of its own.

    A worker of a DataLoader gets a copy of the generator.  There it is seeded anew, once, from the worker's seed and
    its own: no two workers have the same noise, and ``torch.manual_seed`` before the loop decides it.

    Parameters
    ----------
    noise : float
        Standard deviation.
    seed : int
        Seed of the generator.
    """

    def __init__(self, noise: float, seed: int) -> None:
        super().__init__(noise, rng=torch.Generator().manual_seed(int(seed)))
        self.noise_model = unchanged
        self.worker: int | None = None

    def rng_manual_seed(self, seed: int | None = None) -> None:
        """Seed the generator: with ``seed``, or in a worker that has not done it with one of its own."""
        worker = get_worker_info()
        if seed is None and self.rng is not None and worker is not None and worker.seed != self.worker:
            self.worker = worker.seed
            seed = hash((worker.seed, self.rng.initial_seed())) % 2**63
        super().rng_manual_seed(seed)


def gaussian_noise(noise: float, seed: int) -> GaussianNoise:
    """White Gaussian noise with its own generator, after checking its standard deviation."""
    require_number("noise", noise, lowest=0)
    require_seed("seed", seed)
    return OwnNoise(noise, seed)


def noise_of(physics: Any) -> float | None:
    """Return the standard deviation ν of an operator's Gaussian noise, None where it does not tell one.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A with its noise model; one whose noise is not Gaussian, or that has none, tells nothing.

    Returns
    -------
    float or None
        ν, 0 or above, in units of the measurements; the largest where images have levels of their own.

    Raises
    ------
    ValueError
        If ``physics`` is not a linear operator.

    Examples
    --------
    >>> from ddgp_lib.operators import HadamardCamera, noise_of
    >>> round(noise_of(HadamardCamera(0.25, (1, 8, 8), noise=0.02)), 6)
    0.02
    """
    require_physics(physics)
    model = getattr(physics, "noise_model", None)
    return float(model.sigma.max()) if isinstance(model, GaussianNoise) else None


def add_noise(physics: LinearPhysics, clean: Any, seed: int, levels: torch.Tensor | None = None) -> Any:
    """Return y = A x + w from A x, with the noise of ``seed``; the operator and all generators stay as they were.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A with its noise model.
    clean : Tensor or TensorList
        A x.
    seed : int
        Seed of w.
    levels : Tensor, shape (N,), optional
        Standard deviations, one for each image, where the noise is Gaussian.

    Raises
    ------
    ValueError
        If there are levels and the operator's noise is not Gaussian.
    """
    model: Any = physics.noise_model
    if levels is not None:
        require_tensor("levels", levels)
    gaussian = levels is None or isinstance(model, GaussianNoise)
    require(gaussian, "noise_model", type(model).__name__, "GaussianNoise, for training with a noise_range")
    if type(model) not in (GaussianNoise, OwnNoise):
        return _with_seeded_generators(physics, clean, seed)
    lent = _shallow(physics)
    lent.noise_model = _shallow(model)
    lent.noise_model.sigma = model.sigma if levels is None else levels
    device = parts(clean)[0].device if model.rng is None else model.rng.device
    lent.noise_model.rng = torch.Generator(device).manual_seed(seed)
    return lent.noise(clean)


def _shallow(module: Any) -> Any:
    """Return a module with the same parts, which may be exchanged without changing the original's."""
    twin = copy.copy(module)
    for table in ("_modules", "_buffers"):
        twin.__dict__[table] = dict(module.__dict__[table])
    return twin


def _with_seeded_generators(physics: LinearPhysics, clean: Any, seed: int) -> Any:
    """Seed the global generator for one call, and give each noise model one of its own for as long."""
    models, device = _models(physics), parts(clean)[0].device
    before = [model.rng for model in models]
    with _GLOBAL, torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for place, (model, own) in enumerate(zip(models, before, strict=True)):
            model.rng = torch.Generator(own.device).manual_seed(seed + place)
        try:
            return physics.noise(clean)
        finally:
            for model, own in zip(models, before, strict=True):
                model.rng = own


def _models(physics: Any) -> list[Any]:
    """Return the noise models of an operator, and of the operators that it stacks, that have a generator."""
    stacked = getattr(physics, "physics_list", None) or [physics]
    models = {id(module): module for one in stacked for module in one.modules()}.values()
    return [model for model in models if isinstance(model, NoiseModel) and model.rng is not None]
