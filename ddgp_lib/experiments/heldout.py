r"""Quality without a truth: the error on measurements that were held out, minus the energy of their noise.

A full measurement is itself noisy, and a prospective scan has none.  Let :math:`y_k = x_k + n_k` be a measurement
that a reconstruction :math:`\hat x` has not seen, :math:`\hat x_k` what the reconstruction predicts for it, and
:math:`n_k` noise of mean 0 that is independent of :math:`\hat x`.  Then

.. math:: \mathbb{E} |\hat x_k - y_k|^2 = \mathbb{E} |\hat x_k - x_k|^2 + \mathbb{E} |n_k|^2,

so that the mean of :math:`|\hat x_k - y_k|^2 - \mathbb{E} |n_k|^2` over what was held out is an unbiased estimate of
the true error there.  It can be below zero where the true error is near it.

**Noise.**  ``sigma`` is the standard deviation of a real number, and of the real *and* of the imaginary part of a
complex one, as the operators of this library add it.  So :math:`\mathbb{E} |n_k|^2 = c \sigma^2` with
:math:`c = 1` for real numbers and :math:`c = 2` for complex ones.

**Errors.**  Two questions have two standard errors.  Over *other places*, from which the held-out ones were drawn at
random, the spread between groups counts, with groups of places whose errors belong together, such as the columns of
k-space or the coils of a place.  With totals :math:`T_g` of :math:`n_g` numbers in G groups, N numbers in all and
their mean :math:`m`,

.. math:: s^2 = \frac{G}{G - 1} \sum_g \frac{(T_g - n_g m)^2}{N^2}.

At *these very places*, under other noise, the variance of one term is :math:`4 \sigma^2 |\hat x_k - x_k|^2 + 2 c
\sigma^4`, for Gaussian noise that is independent from place to place, of which :math:`4 \sigma^2 |\hat x_k - y_k|^2 -
2 c \sigma^4` is an unbiased estimate.

**Two reconstructions** are compared on the same measurements.  In the mean of :math:`|\hat a_k - y_k|^2 - |\hat b_k -
y_k|^2` the energy of the noise cancels, and so does much of its spread.

What was held out must have been used for nothing: neither for the image, nor for sensitivity maps, a noise level,
:math:`\sigma` of a denoiser or the iteration at which to stop.  It tells the error at places of its kind: where the
density of the measurements varies, not at those that were never measured, nor at the calibration region that is
always used.  Noise that correlates between coils keeps the estimate unbiased and its error by groups right, but not
the error under other noise; prewhitening mends that.  Noise whose level changes from line to line, as behind a window
along the readout, is given as a tensor (:func:`~ddgp_lib.experiments.noise_level.noise_by_line`).

References
----------
Batson and Royer, Noise2Self: blind denoising by self-supervision, ICML 2019 (the identity, for training).
Yaman et al., Self-supervised learning of physics-guided reconstruction neural networks without fully sampled
reference data, Magnetic Resonance in Medicine 84(6), 2020 (k-space that is held out).
Cochran, Sampling Techniques, 3rd edition, 1977, chapter 9A (the variance between groups).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ..arguments import (
    require,
    require_generator,
    require_integer,
    require_number,
    require_tensor,
)
from .statistics import t_quantile

DECIBELS = 10 / math.log(10)


class HeldOut(NamedTuple):
    """Which measurements a reconstruction may use, and which judge it: masks of bool that share no place."""

    used: torch.Tensor
    held_out: torch.Tensor


@dataclass(frozen=True)
class HeldOutError:
    """An estimate of the true error, from measurements that were held out.

    Attributes
    ----------
    value : float
        Mean of |x̂_k − x_k|² over the numbers that were held out.
    error : float
        Its standard error over other places, by groups.
    noise_error : float
        Its standard error at these very places, under other noise.
    interval : float
        Half the width of the confidence interval around ``value``: ``error`` times the quantile of Student's t.
    noise_energy : float
        What was subtracted: the mean of E |n_k|².
    signal : float
        Mean of |x_k|² there, estimated in the same way from the measurements alone.
    numbers, groups : int
        How many numbers were held out, and in how many groups.
    """

    value: float
    error: float
    noise_error: float
    interval: float
    noise_energy: float
    signal: float
    numbers: int
    groups: int

    @property
    def nmse(self) -> float:
        """The error by the signal's energy at the same places; NaN where there is no more than noise."""
        return self.value / self.signal if self.signal > 0 else math.nan


@dataclass(frozen=True)
class HeldOutDifference:
    """How much larger one reconstruction's error is than another's, on the same held-out measurements.

    Attributes
    ----------
    value : float
        Mean of |â_k − y_k|² − |b̂_k − y_k|²: below 0 where the first is better.
    error : float
        Its standard error over other places, by groups.
    interval : float
        ``error`` times the quantile of Student's t.
    noise_error : float or None
        Its standard error at these very places, under other noise; None without ``sigma``.
    decibels : float or None
        By how much the first is better, 10 log₁₀ of the ratio of the estimated true errors; None without ``sigma``,
        or where one of them is not above 0.
    decibels_error : float or None
        Its standard error over other places, to first order.
    numbers, groups : int
        How many numbers were held out, and in how many groups.
    """

    value: float
    error: float
    interval: float
    noise_error: float | None
    decibels: float | None
    decibels_error: float | None
    numbers: int
    groups: int


@dataclass(frozen=True)
class UsedResidual:
    """The residual on the measurements that were used, against the level of the noise and against the data.

    Attributes
    ----------
    ratio : float
        Mean of |x̂_k − y_k|² / E |n_k|²: 1 for the truth, below it where noise was fitted, above it where the data
        were not.
    error : float
        Standard error of the ratio for the truth, √(2 / (c N)).
    numbers : int
        N, how many numbers were used.
    relative : float
        ‖x̂ − y‖/‖y‖ over them; NaN where they are all 0.
    """

    ratio: float
    error: float
    numbers: int
    relative: float


def hold_out(
    measured: torch.Tensor,
    count: int,
    *,
    generator: torch.Generator,
    dim: int | None = None,
    kept: torch.Tensor | None = None,
) -> HeldOut:
    """Draw measurements that are held out, each with the same probability.

    Parameters
    ----------
    measured : Tensor of bool, any shape
        Which places were measured, such as a mask (H, W) of k-space.
    count : int
        How many places are held out, or how many lines with ``dim``; one at least stays in use.
    generator : Generator
        What draws.
    dim : int, optional
        Dimension whose places are held out as a whole: -1 for the columns of (H, W).  By default each place is drawn
        by itself.
    kept : Tensor of bool, of the same shape, optional
        Places that are always used, such as the calibration region; a line that meets one is.

    Returns
    -------
    HeldOut
        The masks ``used`` and ``held_out``, of the shape of ``measured``, which together are ``measured``.

    Raises
    ------
    ValueError
        If an argument is not accepted, or there are too few places.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.heldout import hold_out
    >>> mask = torch.tensor([True, False, True, True, False, True]).expand(4, 6)
    >>> used, held_out = hold_out(mask, 2, generator=torch.Generator().manual_seed(0), dim=-1)
    >>> used.any(dim=0).sum().item(), held_out.any(dim=0).sum().item(), (used & held_out).any().item()
    (2, 2, False)
    """
    _require_mask("measured", measured)
    require_integer("count", count, lowest=1)
    require_generator("generator", generator)
    candidates = measured
    if kept is not None:
        _require_mask("kept", kept)
        require(kept.shape == measured.shape, "kept.shape", tuple(kept.shape), f"{tuple(measured.shape)}")
        candidates = measured & ~kept
    if dim is None:
        places = candidates.flatten().nonzero()[:, 0]
    else:
        _require_dim(dim, measured)
        lines = _by_line(measured, dim).any(dim=1)
        lines = lines & ~_by_line(measured & ~candidates, dim).any(dim=1)
        places = lines.nonzero()[:, 0]
    chosen = places[torch.randperm(len(places), generator=generator)[: int(count)]]
    held_out = torch.zeros(measured.shape, dtype=torch.bool, device=measured.device)
    if dim is None:
        held_out.view(-1)[chosen] = True
    else:
        held_out.movedim(dim, 0)[chosen] = True
        held_out &= measured
    used = measured & ~held_out
    enough = len(places) >= count and bool(used.any())
    expected = f"at most the {len(places)} that may be held out, and fewer than were measured"
    require(enough, "count", count, expected)
    return HeldOut(used, held_out)


def held_out_error(
    prediction: torch.Tensor,
    measured: torch.Tensor,
    sigma: float | torch.Tensor,
    held_out: torch.Tensor,
    *,
    dim: int | None = None,
    sigma_rtol: float = 0.0,
    confidence: float = 0.95,
) -> HeldOutError:
    """Estimate the true error from held-out measurements: their mean squared error, minus the energy of their noise.

    Parameters
    ----------
    prediction : Tensor, any shape
        What the reconstruction predicts for the measurements, A x̂; real or complex.
    measured : Tensor, of the same shape and kind
        The measurements; those that were not made may hold anything finite.
    sigma : float or Tensor
        Standard deviation of the noise, of each part of a complex number; a tensor that broadcasts to ``measured``
        gives one to each coil, as (C, 1, 1).
    held_out : Tensor of bool
        Which were held out; it broadcasts to ``measured``, as a mask (H, W) does to (C, H, W).  The numbers that
        share a place of the mask are one group.
    dim : int, optional
        Dimension of ``held_out`` whose places are the groups instead: -1 where columns of (H, W) were held out.
    sigma_rtol : float
        Relative standard error of ``sigma``, which goes into both errors.
    confidence : float
        Of the interval, in (0, 1).

    Returns
    -------
    HeldOutError

    Raises
    ------
    ValueError
        If an argument is not accepted, or fewer than two groups were held out.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.heldout import held_out_error
    >>> generator = torch.Generator().manual_seed(0)
    >>> truth = torch.randn(20000, dtype=torch.complex64, generator=generator)
    >>> noise = 0.5 * torch.view_as_complex(torch.randn(20000, 2, generator=generator))
    >>> held_out = torch.ones(20000, dtype=torch.bool)
    >>> found = held_out_error(truth + 0.3, truth + noise, 0.5, held_out)
    >>> abs(found.value - 0.09) < 3 * found.error, found.noise_energy
    (True, 0.5)
    """
    totals = _checked(held_out, dim, prediction=prediction, measured=measured)
    require_number("sigma_rtol", sigma_rtol, lowest=0)
    require_number("confidence", confidence, above=0, below=1)
    energy, parts = _noise(sigma, measured)
    error, _ = totals(_square(prediction - measured))
    signal, counts = totals(_square(measured))
    noise, _ = totals(energy)
    found = (error - noise).sum() / counts.sum()
    of_sigma = 2 * sigma_rtol * float(noise.sum() / counts.sum())
    groups = len(counts)
    spread = math.hypot(_error_over_groups(error - noise, counts), of_sigma)
    each, _ = totals(4 / parts * energy * _square(prediction - measured) - 2 / parts * energy.square())
    floor, _ = totals(2 / parts * energy.square())
    variance = max(float(each.sum()), float(floor.sum())) / float(counts.sum()) ** 2
    return HeldOutError(
        value=float(found),
        error=spread,
        noise_error=math.hypot(math.sqrt(variance), of_sigma),
        interval=spread * t_quantile(groups, confidence),
        noise_energy=float(noise.sum() / counts.sum()),
        signal=float((signal - noise).sum() / counts.sum()),
        numbers=int(counts.sum()),
        groups=groups,
    )


def held_out_difference(
    first: torch.Tensor,
    second: torch.Tensor,
    measured: torch.Tensor,
    held_out: torch.Tensor,
    *,
    sigma: float | torch.Tensor | None = None,
    dim: int | None = None,
    sigma_rtol: float = 0.0,
    confidence: float = 0.95,
) -> HeldOutDifference:
    """Compare two reconstructions on the same held-out measurements; the energy of the noise cancels.

    Parameters
    ----------
    first, second : Tensor, any shape
        What the reconstructions predict for the measurements, A â and A b̂.
    measured : Tensor, of the same shape and kind
        The measurements.
    held_out : Tensor of bool
        Which were held out, as in :func:`held_out_error`.
    sigma : float or Tensor, optional
        Standard deviation of the noise, which the ratio in decibels and the error under other noise need.
    dim : int, optional
        Dimension of ``held_out`` whose places are the groups.
    sigma_rtol : float
        Relative standard error of ``sigma``.
    confidence : float
        Of the interval, in (0, 1).

    Returns
    -------
    HeldOutDifference

    Raises
    ------
    ValueError
        If an argument is not accepted, or fewer than two groups were held out.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.heldout import held_out_difference
    >>> generator = torch.Generator().manual_seed(0)
    >>> truth, noise = torch.randn(2, 20000, generator=generator)
    >>> held_out = torch.ones(20000, dtype=torch.bool)
    >>> found = held_out_difference(truth + 0.1, truth + 0.2, truth + noise, held_out, sigma=1.0)
    >>> abs(found.value - (0.01 - 0.04)) < 3 * found.error
    True
    """
    totals = _checked(held_out, dim, first=first, second=second, measured=measured)
    require_number("sigma_rtol", sigma_rtol, lowest=0)
    require_number("confidence", confidence, above=0, below=1)
    a, counts = totals(_square(first - measured))
    b, _ = totals(_square(second - measured))
    numbers = counts.sum()
    error = _error_over_groups(a - b, counts)
    noise_error = decibels = decibels_error = None
    if sigma is not None:
        energy, parts = _noise(sigma, measured)
        apart, _ = totals(4 / parts * energy * _square(first - second))
        noise_error = math.sqrt(float(apart.sum())) / float(numbers)
        noise = totals(energy)[0]
        errors = [float((each - noise).sum() / numbers) for each in (a, b)]
        if min(errors) > 0:
            decibels = DECIBELS * math.log(errors[1] / errors[0])
            relative = (b - noise) / errors[1] - (a - noise) / errors[0]
            of_sigma = 2 * sigma_rtol * float(noise.sum() / numbers) * (1 / errors[0] - 1 / errors[1])
            decibels_error = DECIBELS * math.hypot(_error_over_groups(relative, counts), of_sigma)
    return HeldOutDifference(
        value=float((a - b).sum() / numbers),
        error=error,
        interval=error * t_quantile(len(counts), confidence),
        noise_error=noise_error,
        decibels=decibels,
        decibels_error=decibels_error,
        numbers=int(numbers),
        groups=len(counts),
    )


def used_residual(
    prediction: torch.Tensor, measured: torch.Tensor, sigma: float | torch.Tensor, used: torch.Tensor
) -> UsedResidual:
    """Compare the residual on the measurements that were used with the level of the noise, and with the data.

    Parameters
    ----------
    prediction : Tensor, any shape
        What the reconstruction predicts for the measurements, A x̂.
    measured : Tensor, of the same shape and kind
        The measurements.
    sigma : float or Tensor
        Standard deviation of the noise, as in :func:`held_out_error`.
    used : Tensor of bool
        Which were used; it broadcasts to ``measured``.

    Returns
    -------
    UsedResidual

    Raises
    ------
    ValueError
        If an argument is not accepted, or nothing was used.

    References
    ----------
    Hansen, Rank-Deficient and Discrete Ill-Posed Problems, 1998, section 7.2 (the discrepancy principle).

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.heldout import used_residual
    >>> noise = 0.1 * torch.randn(5000, generator=torch.Generator().manual_seed(0))
    >>> found = used_residual(torch.zeros(5000), noise, 0.1, torch.ones(5000, dtype=torch.bool))
    >>> abs(found.ratio - 1) < 3 * found.error
    True
    """
    totals = _checked(used, None, "used", 1, prediction=prediction, measured=measured)
    energy, parts = _noise(sigma, measured)
    misfit = _square(prediction - measured)
    found, counts = totals(misfit / energy)
    numbers = float(counts.sum())
    left, signal = (float(totals(each)[0].sum()) for each in (misfit, _square(measured)))
    return UsedResidual(
        ratio=float(found.sum()) / numbers,
        error=math.sqrt(2 / (parts * numbers)),
        numbers=int(numbers),
        relative=math.sqrt(left / signal) if signal > 0 else math.nan,
    )


class _Totals:
    """Sums of numbers by group, and how many numbers there are in each."""

    def __init__(self, mask: torch.Tensor, dim: int | None) -> None:
        self.mask, self.dim = mask, dim

    def __call__(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        each = values.sum_to_size(self.mask.shape) * self.mask
        counts = self.mask.double() * (values.numel() // self.mask.numel())
        if self.dim is None:
            return each[self.mask], counts[self.mask]
        lines = [_by_line(part, self.dim).sum(dim=1) for part in (each, counts)]
        return lines[0][lines[1] > 0], lines[1][lines[1] > 0]


def _checked(
    mask: torch.Tensor, dim: int | None, name: str = "held_out", least: int = 2, **tensors: torch.Tensor
) -> _Totals:
    """Check what is compared with measurements, and return what sums it by group."""
    measured = tensors["measured"]
    require_tensor("measured", measured)
    for argument, tensor in tensors.items():
        require_tensor(argument, tensor, shape=tuple(measured.shape))
        kind = "complex" if measured.is_complex() else "real"
        same = tensor.is_complex() == measured.is_complex()
        require(same, f"{argument}.dtype", tensor.dtype, f"{kind} numbers, as those of measured")
    _require_mask(name, mask)
    shape, whole = tuple(mask.shape), tuple(measured.shape)
    pairs = zip(reversed(shape), reversed(whole), strict=False)
    fits = len(shape) <= len(whole) and all(a in (1, b) for a, b in pairs)
    require(fits, f"{name}.shape", shape, f"a shape that broadcasts to {whole}")
    if dim is not None:
        _require_dim(dim, mask)
    totals = _Totals(mask, dim)
    groups = len(totals(torch.ones(whole, dtype=torch.float64, device=measured.device))[1])
    require(groups >= least, name, mask, f"{least} or more places or lines, not {groups}")
    return totals


def _noise(sigma: float | torch.Tensor, measured: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Return the energy of the noise of each number, and how many parts a number has."""
    parts = 2 if measured.is_complex() else 1
    if isinstance(sigma, torch.Tensor):
        require_tensor("sigma", sigma)
        whole = tuple(measured.shape)
        pairs = zip(reversed(sigma.shape), reversed(whole), strict=False)
        fits = sigma.ndim <= len(whole) and all(a in (1, b) for a, b in pairs)
        require(fits, "sigma.shape", tuple(sigma.shape), f"a shape that broadcasts to {whole}")
        positive = not sigma.is_complex() and bool((sigma > 0).all())
        require(positive, "sigma", sigma, "real numbers above 0")
    else:
        require_number("sigma", sigma, above=0)
    level = torch.as_tensor(sigma, dtype=torch.float64, device=measured.device)
    return (parts * level.square()).expand(measured.shape), parts


def _error_over_groups(totals: torch.Tensor, counts: torch.Tensor) -> float:
    """Return the standard error of the mean of numbers, from their sums and counts by group."""
    groups, numbers = len(counts), counts.sum()
    apart = totals - counts * totals.sum() / numbers
    return float((groups / (groups - 1) * apart.square().sum()).sqrt() / numbers)


def _square(values: torch.Tensor) -> torch.Tensor:
    return values.abs().double().square()


def _by_line(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Return values as (places along a dimension, all others)."""
    return values.movedim(dim, 0).reshape(values.shape[dim], -1)


def _require_mask(argument: str, mask: torch.Tensor) -> None:
    accepted = isinstance(mask, torch.Tensor) and mask.dtype == torch.bool and mask.numel() > 0
    require(accepted, argument, mask, "a tensor of bool with one place at least")


def _require_dim(dim: int, mask: torch.Tensor) -> None:
    require_integer("dim", dim, lowest=-mask.ndim, highest=mask.ndim - 1, none=True)
