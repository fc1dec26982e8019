r"""Noise of a single-pixel camera's coefficients: one level for patterns that collect half of the light, and photons.

Both estimates are made without a model of the scene, and both are a little too large, since what they take for noise
holds some of the scene.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from ...arguments import require, require_integer, require_number, require_tensor
from ..noise_level import MEDIAN_ABSOLUTE, MEDIAN_ERROR, NoiseEstimate

ROUNDS = 20
"""Times that the fit of :func:`fit_photon_noise` is weighted anew."""


@dataclass(frozen=True)
class PhotonNoise:
    r"""Noise whose variance is :math:`a + b \ell` under a mean light :math:`\ell` of the pattern.

    A pattern of norm 1 on m pixels is ±1/√m there.  So the photons that it collects have the variance b times the sum
    of the light over m, whatever m is.

    Attributes
    ----------
    constant : float
        a, in squared units of the coefficients.
    gain : float
        b, in units of the coefficients.
    rtol : float
        Relative standard error of the standard deviation.
    """

    constant: float
    gain: float = 0.0
    rtol: float = 0.0

    def sigma(self, light: torch.Tensor) -> torch.Tensor:
        """Return the standard deviation under a mean light, which counts as 0 where it is below; the same shape."""
        return (self.constant + self.gain * light.clamp(min=0)).sqrt()

    def scaled(self, factor: float) -> "PhotonNoise":
        """Return the noise of coefficients that are multiplied by a factor."""
        return PhotonNoise(factor**2 * self.constant, factor * self.gain, self.rtol)


def light_of(images: torch.Tensor, coarsest: int) -> torch.Tensor:
    """Return the mean of an image under each Haar pattern, laid out as the coefficients.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
        H = W, a power of two.
    coarsest : int
        Sums in a row of the coarsest level.

    Returns
    -------
    Tensor, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If an argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.measured.photons import light_of
    >>> light_of(torch.arange(4.0).reshape(1, 1, 2, 2), coarsest=1)[0, 0].tolist()
    [[1.5, 1.5], [1.5, 1.5]]
    """
    require_tensor("images", images, dimensions=4)
    side = images.shape[-1]
    square = images.shape[-2] == side and side.bit_count() == 1
    require(square, "images.shape", tuple(images.shape), "(N, C, H, W) with H = W, a power of two")
    require_integer("coarsest", coarsest, lowest=1, highest=side)
    found, means = torch.empty_like(images), images
    while means.shape[-1] > coarsest:
        means = functional.avg_pool2d(means, 2)
        half = means.shape[-1]
        found[..., : 2 * half, : 2 * half] = means.repeat(1, 1, 2, 2)
    found[..., :coarsest, :coarsest] = means
    return found


def fit_photon_noise(
    finest: torch.Tensor, edges: torch.Tensor, light: torch.Tensor, groups: int = 8
) -> PhotonNoise:
    r"""Fit the noise to the differences of quarters of the finest Haar level, of which the scene has least.

    Places are sorted by their light and cut into groups.  In each, the half with the smallest ``edges`` is taken, and
    the median of \|d\| tells the level.  Edges are found by other coefficients, whose noise is not that of d, so that
    the choice does not make the level too small.  The variances of the groups are fitted by a straight line, each
    weighted by the fit's own relative error.

    Parameters
    ----------
    finest : Tensor, any shape
        The differences d.
    edges : Tensor, of the same shape
        How much the scene changes at each place, such as the squares of the differences across and down.
    light : Tensor, of the same shape
        The mean light of each.
    groups : int
        Number of groups, at least 2, with 16 places or more in each.

    Returns
    -------
    PhotonNoise
        With neither number below 0.

    Raises
    ------
    ValueError
        If an argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.measured.photons import fit_photon_noise
    >>> generator = torch.Generator().manual_seed(0)
    >>> light, edges = torch.rand(2, 20000, generator=generator)
    >>> noise = (0.01 + 0.1 * light).sqrt() * torch.randn(20000, generator=generator)
    >>> found = fit_photon_noise(noise, edges, light)
    >>> abs(found.constant - 0.01) < 0.005, abs(found.gain - 0.1) < 0.02
    (True, True)
    """
    require_tensor("finest", finest)
    require_tensor("edges", edges, shape=tuple(finest.shape))
    require_tensor("light", light, shape=tuple(finest.shape))
    require_integer("groups", groups, lowest=2)
    require(finest.numel() >= 16 * groups, "groups", groups, f"{finest.numel() // 16} at most")
    means, variances, kept = [], [], 0
    for part in light.flatten().argsort().tensor_split(groups):
        flat = part[edges.flatten()[part].argsort()[: len(part) // 2]]
        means.append(float(light.flatten()[flat].double().mean()))
        variances.append((float(finest.flatten()[flat].abs().double().median()) / MEDIAN_ABSOLUTE) ** 2)
        kept += len(flat)
    constant, gain = _line(means, variances)
    return PhotonNoise(constant, gain, MEDIAN_ERROR / math.sqrt(kept))


def noise_between(first: torch.Tensor, second: torch.Tensor, least: int) -> NoiseEstimate:
    """Estimate the noise of two acquisitions of one scene, from the patterns that change most often.

    The second may be brighter than the first: their ratio is fitted to all coefficients but the first one.  What is
    left at the patterns with ``least`` changes of sign or more in a row, and in a column, is taken for noise of one
    level in both.  What differs between the scenes makes the estimate too large.

    Parameters
    ----------
    first, second : Tensor, shape (H, W)
        Hadamard coefficients in their natural order; H = W, a power of two.
    least : int
        Changes of sign, from 1 to H - 1.

    Returns
    -------
    NoiseEstimate
        For a coefficient of either.

    Raises
    ------
    ValueError
        If an argument is not accepted.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.measured.photons import noise_between
    >>> generator = torch.Generator().manual_seed(0)
    >>> scene = torch.randn(32, 32, generator=generator)
    >>> one, two = (scene + 0.1 * torch.randn(32, 32, generator=generator) for _ in range(2))
    >>> found = noise_between(one, two, least=16)
    >>> abs(found.sigma - 0.1) < 3 * found.error, found.numbers
    (True, 256)
    """
    require_tensor("first", first, dimensions=2)
    require_tensor("second", second, shape=tuple(first.shape))
    side = len(first)
    square = first.shape[1] == side >= 2 and side.bit_count() == 1
    require(square, "first.shape", tuple(first.shape), "(H, W) with H = W, a power of two")
    require_integer("least", least, lowest=1, highest=side - 1)
    one, two = (values.double().flatten()[1:] for values in (first, second))
    energy = float(one @ one)
    require_number("first", energy, above=0)
    ratio = float(one @ two) / energy
    often = sign_changes(side) >= least
    left = (second - ratio * first).double()[often][:, often]
    sigma = math.sqrt(float(left.square().mean()) / (1 + ratio**2))
    return NoiseEstimate(sigma, sigma / math.sqrt(2 * left.numel()), left.numel())


def sign_changes(side: int) -> torch.Tensor:
    """Return how often each row of the Hadamard matrix in natural order changes its sign, shape (side,).

    Examples
    --------
    >>> from ddgp_lib.experiments.measured.photons import sign_changes
    >>> sign_changes(8).tolist()
    [0, 7, 3, 4, 1, 6, 2, 5]
    """
    power = isinstance(side, int) and side >= 1 and side.bit_count() == 1
    require(power, "side", side, "a power of two")
    matrix = torch.ones(1, 1)
    while len(matrix) < side:
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return (matrix[:, 1:] != matrix[:, :-1]).sum(dim=1)


def _line(means: list[float], variances: list[float]) -> tuple[float, float]:
    """Fit variances by a + b · means, neither below 0, each weighted by 1 over the square of what is fitted."""
    x, v = (torch.tensor(values, dtype=torch.float64) for values in (means, variances))
    fitted = v.clamp(min=float(v.max()) * 1e-6)
    constant = gain = 0.0
    for _ in range(ROUNDS):
        w = fitted.square().reciprocal()
        mean_x, mean_v = (w * x).sum() / w.sum(), (w * v).sum() / w.sum()
        spread = (w * (x - mean_x).square()).sum()
        gain = float((w * (x - mean_x) * (v - mean_v)).sum() / spread) if spread > 0 else 0.0
        constant = float(mean_v - gain * mean_x)
        if gain < 0:
            constant, gain = float(mean_v), 0.0
        elif constant < 0:
            constant, gain = 0.0, float((w * x * v).sum() / (w * x * x).sum())
        fitted = (constant + gain * x).clamp(min=float(v.max()) * 1e-6)
    return constant, gain
