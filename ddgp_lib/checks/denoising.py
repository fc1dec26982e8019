"""Whether a denoiser removes noise."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch

from ..arguments import require, require_images, require_positive, require_seed
from ._inputs import Call, as_number, require_function
from ._vectors import distance, norm
from .failure import CheckFailed, likeliest

REPEATS = 1e-4
"""Relative difference of two calls that counts as rounding."""


def check_denoiser(
    denoiser: Callable[[torch.Tensor, float], torch.Tensor],
    images: torch.Tensor,
    sigma: float,
    *,
    gain: float = 0.0,
    seed: int = 0,
) -> float:
    """Check that a denoiser makes noisy images better, by more than ``gain`` dB.

    White Gaussian noise of standard deviation σ is added, and ``denoiser(noisy, sigma)`` called.  The result has the
    shape and the number format of the images, is finite, and a second call gives the same.

    Parameters
    ----------
    denoiser : callable
        D_σ, called as deepinv's denoisers are.
    images : Tensor, shape (N, C, H, W)
        Clean images, like those that the denoiser is for.
    sigma : float
        σ, above zero, in the units of the images.
    gain : float
        What it has to gain, in dB.
    seed : int
        Seed of the noise.

    Returns
    -------
    float
        The gain: PSNR after minus PSNR before, in dB, the mean over the images.

    Raises
    ------
    CheckFailed
        If it gains less.  Causes that are told apart: σ or the images on the scale 0 to 255, the noise returned in
        the place of the image, an unchanged image, over-smoothing, noise that is left, and missing weights.
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.checks import CheckFailed, check_denoiser
    >>> flat = torch.full((4, 1, 16, 16), 0.5)
    >>> blur = torch.nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    >>> check_denoiser(lambda x, sigma: blur(x), flat, 0.1) > 8
    True
    >>> try:
    ...     check_denoiser(lambda x, sigma: x, flat, 0.1)
    ... except CheckFailed as failed:
    ...     print(failed.cause)
    it returns its input: the noise level is lost on the way, or the network is not trained
    """
    require_function("denoiser", denoiser)
    require_images("images", images)
    require_positive("sigma", as_number("sigma", sigma))
    require(math.isfinite(as_number("gain", gain)), "gain", gain, "a finite number")
    require_seed("seed", seed)
    trial = _Trial.drawn(denoiser, images, float(sigma), seed)
    reached = trial.gain(trial.result)
    if not reached > gain:
        diagnoses = (
            partial(look, trial, gain) for look in (_residual, _unchanged, _other_sigma, _other_range)
        )
        raise CheckFailed(
            f"the denoiser changes the PSNR by {reached:+.2f} dB at σ = {sigma:g}",
            f"a gain of more than {gain:g} dB",
            likeliest(diagnoses, _amount(trial, reached)),
        )
    return reached


@dataclass(frozen=True)
class _Trial:
    """A denoiser, clean and noisy images, and what it made of them."""

    denoiser: Callable[[torch.Tensor, float], torch.Tensor]
    clean: torch.Tensor
    noisy: torch.Tensor
    sigma: float

    @classmethod
    def drawn(cls, denoiser: Any, images: torch.Tensor, sigma: float, seed: int) -> "_Trial":
        generator = torch.Generator().manual_seed(int(seed))
        noise = torch.randn(images.shape, dtype=images.dtype, generator=generator).to(images.device)
        return cls(denoiser, images.detach(), images.detach() + sigma * noise, sigma)

    def denoised(self, scale: float = 1.0, sigma_scale: float = 1.0) -> torch.Tensor:
        """Return D(s x, t σ) / s for the noisy images x and factors s and t."""
        call = Call("the denoiser", lambda x: self.denoiser(x, sigma_scale * self.sigma), exact=True)
        return call(scale * self.noisy, like=self.noisy) / scale

    @cached_property
    def result(self) -> torch.Tensor:
        """The denoised images, if two calls agree on them."""
        result = self.denoised()
        difference = distance(self.denoised(), result)
        if not difference <= REPEATS:
            raise CheckFailed(
                f"two calls on one image differ by {difference:.2g} of their norm",
                "the same image",
                "the network is in training mode, with dropout: call .eval(); or the denoiser draws random numbers, "
                "or starts where the call before ended, as deepinv's TVDenoiser does",
            )
        return result

    def gain(self, result: torch.Tensor) -> float:
        """PSNR of a result over that of the noisy images, in dB, the mean over the batch."""
        before, after = (_errors(images, self.clean) for images in (self.noisy, result))
        return float(10 * (before / after.clamp(min=1e-30)).log10().mean())


def _errors(images: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Mean squared error of each image, shape (N,), in double precision."""
    return (images - clean).abs().double().square().flatten(1).mean(1)


def _residual(trial: _Trial, gain: float) -> str | None:
    """See whether x − D(x) is the denoised image."""
    other = trial.gain(trial.noisy - trial.result)
    if other <= max(gain, 0):
        return None
    return f"it returns the noise, and not the image: x − D(x) gains {other:.2f} dB, so subtract"


def _unchanged(trial: _Trial, gain: float) -> str | None:
    """See whether D(x) = x."""
    if norm(trial.result - trial.noisy) > 1e-3 * norm(trial.noisy - trial.clean):
        return None
    return "it returns its input: the noise level is lost on the way, or the network is not trained"


def _other_sigma(trial: _Trial, gain: float) -> str | None:
    """Try σ on another scale."""
    for factor in (255, 1 / 255):
        other = trial.gain(trial.denoised(sigma_scale=factor))
        if other > max(gain, 0):
            level = factor * trial.sigma
            return f"σ is on another scale, 0 to 1 against 0 to 255: with σ = {level:.4g} it gains {other:.2f} dB"
    return None


def _other_range(trial: _Trial, gain: float) -> str | None:
    """Try images and σ on the scale 0 to 255."""
    other = trial.gain(trial.denoised(255, 255))
    if other <= max(gain, 0):
        return None
    return f"it is made for images from 0 to 255: with 255 x and 255 σ it gains {other:.2f} dB"


def _amount(trial: _Trial, reached: float) -> str:
    """Compare what is removed with the noise, and what is left with the clean images."""
    removed = norm(trial.result - trial.noisy) / norm(trial.noisy - trial.clean)
    change = f"it changes the image by {removed:.2f} times the noise"
    if reached > 0 and removed < 0.7:
        return f"it leaves noise: {change}, so it takes σ for lower than it is"
    if reached > 0:
        return f"it denoises, and less than is asked: {change}; it is trained for other images or another noise level"
    if _roughness(trial.result) < _roughness(trial.clean):
        return f"it smooths too much: {change}, so it takes σ for higher than it is, or is not made for such images"
    return f"it is not trained for such images, or its weights are not loaded: {change}, and makes them no smoother"


def _roughness(images: torch.Tensor) -> float:
    """Size of the differences between neighbouring pixels."""
    return norm(images.diff(dim=-1)) + norm(images.diff(dim=-2))
