r"""What the spectrum of an operator says about the iterations that invert it.

With the singular triplets :math:`(s_i, u_i, v_i)` of A, gradient descent on :math:`g(x) = \tfrac12\|A x -
y\|^2` acts on each coordinate :math:`v_i^\top x` alone and its error there is a scalar recursion in the
eigenvalue :math:`\lambda_i = s_i^2` of :math:`A^\top A`.  The functions of this module are those recursions
and their closed forms.  A preconditioner that is a function p of :math:`A^\top A` fits in too: it replaces
:math:`\lambda_i` by :math:`\lambda_i\, p(\lambda_i)`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from deepinv.physics import LinearPhysics

from .arguments import (
    require,
    require_choice,
    require_images,
    require_img_size,
    require_integer,
    require_number,
    require_positive,
    require_tensor,
)
from .operators import null_projection, range_projection
from .operators.protocol import require_physics
from .reprs import Brief

ZERO = 1e-5
"""Singular values below this fraction of the largest count as zero; single precision leaves about 1e-7."""

Rule = Literal["nesterov", "heavy_ball"]
Momentum = float | Callable[[int], float]


@dataclass(frozen=True, repr=False)
class Modes(Brief):
    """Singular value decomposition of an operator, A = U diag(s) Vᵀ, in double precision.

    Attributes
    ----------
    values : Tensor, shape (n,)
        Singular values s_i in falling order; those of the null space are exactly zero.
    left : Tensor, shape (m, min(m, n))
        Columns u_i.
    right : Tensor, shape (n, n)
        Columns v_i, an orthonormal basis of the images.
    img_size : tuple of int
        Shape (C, H, W) of an image.
    """

    values: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    img_size: tuple[int, ...]

    @property
    def eigenvalues(self) -> torch.Tensor:
        """Eigenvalues λ_i = s_i² of AᵀA."""
        return self.values**2

    @property
    def rank(self) -> int:
        """Number of singular values that are not zero."""
        return int((self.values > 0).sum())

    def analyse(self, images: torch.Tensor) -> torch.Tensor:
        """Coefficients v_iᵀx of images (N, C, H, W), as a tensor (N, n)."""
        require_images("images", images)
        fits = tuple(images.shape[1:]) == tuple(self.img_size)
        require(fits, "images.shape", tuple(images.shape), f"(N, *{tuple(self.img_size)})")
        return images.flatten(1).to(self.right) @ self.right

    def synthesise(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Images Σ_i c_i v_i of coefficients (N, n), as a tensor (N, C, H, W)."""
        require_tensor("coefficients", coefficients)
        accepted = coefficients.ndim == 2 and coefficients.shape[1] == self.right.shape[1]
        require(accepted, "coefficients.shape", tuple(coefficients.shape), f"(N, {self.right.shape[1]})")
        return (coefficients.to(self.right) @ self.right.T).reshape(-1, *self.img_size)


def dense_matrix(physics: LinearPhysics, img_size: tuple[int, ...]) -> torch.Tensor:
    """Write an operator as its matrix A, one column for each pixel.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of an image; n = C · H · W, at most 4,096 since the matrix has m · n entries.

    Returns
    -------
    Tensor, shape (m, n), double precision
        Its rows follow the entries of a measurement y in memory order.

    Raises
    ------
    ValueError
        If n is above 4,096.
    """
    require_physics(physics)
    require_img_size("img_size", img_size, "(C, H, W) with at most 4,096 entries")
    n = torch.Size(img_size).numel()
    require(n <= 4096, "img_size", img_size, "at most 4,096 entries")
    pixels = torch.eye(n).reshape(n, *img_size)
    return physics.A(pixels).reshape(n, -1).T.double()


def modes(physics: LinearPhysics, img_size: tuple[int, ...]) -> Modes:
    """Decompose an operator into its singular triplets (s_i, u_i, v_i).

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of an image, with at most 4,096 entries.

    Returns
    -------
    Modes
    """
    matrix = dense_matrix(physics, img_size)
    left, found, right = torch.linalg.svd(matrix, full_matrices=True)
    values = torch.zeros(matrix.shape[1], dtype=torch.float64)
    values[: found.numel()] = torch.where(found > ZERO * found[0], found, 0.0)
    return Modes(values, left[:, : found.numel()], right.T, tuple(img_size))


def singular_values(physics: LinearPhysics, img_size: tuple[int, ...]) -> torch.Tensor:
    """All n singular values of an operator in falling order, zeros included.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    img_size : tuple of int
        Shape (C, H, W) of an image, with at most 4,096 entries.

    Returns
    -------
    Tensor, shape (n,)
    """
    return modes(physics, img_size).values


def condition_number(values: torch.Tensor) -> float:
    """Largest over smallest non-zero value: κ on the range.

    Given singular values it is κ(A); given eigenvalues of AᵀA it is κ(AᵀA) = κ(A)².

    Parameters
    ----------
    values : Tensor
        Singular values or eigenvalues, 0 or above, not all zero.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is negative or all are zero.
    """
    positive = _positive("values", values)
    return float(positive.max() / positive.min())


def split(physics: LinearPhysics, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Split images into what the measurements determine and what they do not see.

    Parameters
    ----------
    physics : LinearPhysics
        The operator A.
    x : Tensor, shape (N, C, H, W)
        Images.

    Returns
    -------
    tuple of two Tensors
        A⁺A x in the range of Aᵀ and (I − A⁺A) x in the null space of A; they are orthogonal and add up to x.
    """
    require_physics(physics)
    require_images("x", x)
    return range_projection(physics, x), null_projection(physics, x)


def gradient_factors(eigenvalues: torch.Tensor, step: float) -> torch.Tensor:
    """Factor 1 − αλ_i by which one gradient step multiplies the error in each mode.

    Parameters
    ----------
    eigenvalues : Tensor
        λ_i = s_i², zeros included: their factor is 1.
    step : float
        Step size α > 0.

    Returns
    -------
    Tensor
    """
    _require_spectrum("eigenvalues", eigenvalues)
    require_positive("step", step)
    return 1 - step * eigenvalues


def gradient_rate(eigenvalues: torch.Tensor, step: float) -> float:
    """Largest |1 − αλ_i| over the modes that A sees: the factor per iteration in the long run.

    Parameters
    ----------
    eigenvalues : Tensor
        λ_i = s_i²; zeros are left out.
    step : float
        Step size α > 0; the iteration converges if the rate is below 1, that is for α < 2/L.

    Returns
    -------
    float
    """
    return float(gradient_factors(_positive("eigenvalues", eigenvalues), step).abs().max())


def best_gradient_step(eigenvalues: torch.Tensor) -> tuple[float, float]:
    """Step size α = 2/(L + μ) that makes the worst mode as fast as possible, and its rate (L − μ)/(L + μ).

    Parameters
    ----------
    eigenvalues : Tensor
        λ_i = s_i²; zeros are left out.

    Returns
    -------
    tuple of two floats
        Step size and rate.

    References
    ----------
    Goh, "Why Momentum Really Works", Distill, 2017.
    """
    positive = _positive("eigenvalues", eigenvalues)
    big, small = float(positive.max()), float(positive.min())
    return 2 / (big + small), (big - small) / (big + small)


def momentum_radius(
    eigenvalues: torch.Tensor, step: float, momentum: float, rule: Rule = "nesterov"
) -> torch.Tensor:
    r"""Spectral radius of the momentum iteration in each mode.

    The errors :math:`(e_{k+1}, e_k)` of a mode follow from :math:`(e_k, e_{k-1})` by a 2 × 2 companion
    matrix, with trace t and determinant d:

    - Nesterov, :math:`x_{k+1} = z_k - \alpha\nabla g(z_k)`, :math:`z_k = x_k + \beta(x_k - x_{k-1})`:
      t = (1 + β)(1 − αλ), d = β(1 − αλ);
    - heavy ball, :math:`x_{k+1} = x_k - \alpha\nabla g(x_k) + \beta(x_k - x_{k-1})`: t = 1 + β − αλ, d = β.

    Parameters
    ----------
    eigenvalues : Tensor
        λ_i = s_i².
    step : float
        Step size α > 0.
    momentum : float
        β, 0 or above.
    rule : {"nesterov", "heavy_ball"}
        Where the gradient is taken.

    Returns
    -------
    Tensor
        The larger modulus of the two eigenvalues; errors shrink like its powers.

    References
    ----------
    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Goh, "Why Momentum
    Really Works", Distill, 2017.
    """
    _check_rule(rule)
    require_number("momentum", momentum, lowest=0)
    plain = gradient_factors(eigenvalues, step)
    trace = (1 + momentum) * plain if rule == "nesterov" else momentum + plain
    determinant = momentum * plain if rule == "nesterov" else momentum * torch.ones_like(plain)
    discriminant = trace**2 - 4 * determinant
    real = (trace.abs() + discriminant.clamp(min=0).sqrt()) / 2
    return torch.where(discriminant < 0, determinant.abs().sqrt(), real)


def best_momentum(eigenvalues: torch.Tensor, rule: Rule = "nesterov") -> tuple[float, float, float]:
    """Constant momentum that suits a spectrum between μ and L, with κ² = L/μ.

    Nesterov's rule with α = 1/L takes β = (κ − 1)/(κ + 1) and contracts by 1 − 1/κ; heavy ball takes
    α = 4/(√L + √μ)², β = ((κ − 1)/(κ + 1))² and contracts by (κ − 1)/(κ + 1).  Gradient descent contracts by
    (κ² − 1)/(κ² + 1).

    Parameters
    ----------
    eigenvalues : Tensor
        λ_i = s_i²; zeros are left out.
    rule : {"nesterov", "heavy_ball"}
        Where the gradient is taken.

    Returns
    -------
    tuple of three floats
        Step size α, momentum β and rate.  Nesterov's β is the best for α = 1/L.

    References
    ----------
    Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k²)", 1983;
    Polyak, 1964.
    """
    _check_rule(rule)
    positive = _positive("eigenvalues", eigenvalues)
    big, small = float(positive.max()), float(positive.min())
    kappa = (big / small) ** 0.5
    ratio = (kappa - 1) / (kappa + 1)
    if rule == "nesterov":
        return 1 / big, ratio, 1 - 1 / kappa
    return 4 / (big**0.5 + small**0.5) ** 2, ratio**2, ratio


def error_factors(
    eigenvalues: torch.Tensor,
    step: float,
    iterations: int,
    momentum: Momentum = 0.0,
    rule: Rule = "nesterov",
) -> torch.Tensor:
    """Error left in each mode after k = 0, 1, …, K iterations, as a multiple of the error at the start.

    Parameters
    ----------
    eigenvalues : Tensor, shape (n,)
        λ_i = s_i², or λ_i p(λ_i) with a preconditioner p(AᵀA).
    step : float
        Step size α > 0.
    iterations : int
        K, 0 or above.
    momentum : float or callable
        β, or a function that gives the β_k of z_k, asked from k = 0 (where z_0 = x_0, whatever it gives); 0 is
        gradient descent, (1 − αλ_i)^k.
    rule : {"nesterov", "heavy_ball"}
        Where the gradient is taken.

    Returns
    -------
    Tensor, shape (K + 1, n)
        Signed factors; a row for each k.
    """
    _check_rule(rule)
    require_integer("iterations", iterations, lowest=0, highest=10**6)
    if not callable(momentum):
        require_number("momentum", momentum)
    plain = gradient_factors(eigenvalues, step)
    errors = [torch.ones_like(plain)]
    previous = errors[0]
    for k in range(1, iterations + 1):
        beta = momentum(k - 1) if callable(momentum) else momentum  # of z_{k−1}; irrelevant at k = 1
        current = errors[-1]
        extrapolated = current + beta * (current - previous)
        if rule == "nesterov":
            errors.append(plain * extrapolated)
        else:
            errors.append(extrapolated - step * eigenvalues * current)
        previous = current
    return torch.stack(errors)


@dataclass(frozen=True, repr=False)
class ErrorCurve(Brief):
    """Expected squared error of an iteration, split by its causes; each a tensor of shape (K + 1,).

    Attributes
    ----------
    unfinished : Tensor
        Error in the modes that A sees and that the iteration has not yet recovered.
    noise : Tensor
        Noise of the data that the iteration has let into the image.
    null : Tensor
        Error in the null space, which no iteration on these data changes.
    """

    unfinished: torch.Tensor
    noise: torch.Tensor
    null: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Sum of the three."""
        return self.unfinished + self.noise + self.null


def expected_error(
    values: torch.Tensor, coefficients: torch.Tensor, noise: float, factors: torch.Tensor
) -> ErrorCurve:
    r"""Return the expected squared error ‖x_k − x*‖² of an iteration from zero under white noise.

    In mode i, with the factor :math:`\varepsilon` that :func:`error_factors` gives, the iterate is
    :math:`(1 - \varepsilon)(v_i^\top x^* + u_i^\top w / s_i)`, so the error has the bias
    :math:`\varepsilon\, v_i^\top x^*` and the variance :math:`(1 - \varepsilon)^2 \sigma^2 / s_i^2`.

    Parameters
    ----------
    values : Tensor, shape (n,)
        Singular values s_i; the modes with s_i = 0 are the null space.
    coefficients : Tensor, shape (n,) or (N, n)
        v_iᵀx* of the true image, or of several, over which the mean is taken.
    noise : float
        Standard deviation σ of each entry of w, 0 or above.
    factors : Tensor, shape (K + 1, n)
        What :func:`error_factors` returns.

    Returns
    -------
    ErrorCurve

    References
    ----------
    Hansen, "Discrete Inverse Problems: Insight and Algorithms", SIAM, 2010, chapter 6.
    """
    _require_spectrum("values", values)
    require_tensor("coefficients", coefficients)
    fits = (
        coefficients.ndim in (1, 2) and coefficients.numel() > 0 and coefficients.shape[-1] == values.numel()
    )
    wanted = f"({values.numel()},) or (N, {values.numel()})"
    require(fits, "coefficients.shape", tuple(coefficients.shape), wanted)
    require_number("noise", noise, lowest=0)
    require_tensor("factors", factors, dimensions=2)
    expected = (factors.shape[0], values.numel())
    require(
        tuple(factors.shape) == expected, "factors.shape", tuple(factors.shape), f"(K + 1, {expected[1]})"
    )
    power = coefficients.to(values).reshape(-1, values.numel()).pow(2).mean(0)
    seen = values > 0
    return ErrorCurve(
        unfinished=(factors[:, seen] ** 2 * power[seen]).sum(1),
        noise=((1 - factors[:, seen]) ** 2 * (noise / values[seen]) ** 2).sum(1),
        null=power[~seen].sum().expand(factors.shape[0]),
    )


def _require_spectrum(argument: str, values: torch.Tensor) -> None:
    """Refuse what is no tensor of finite real numbers, one or more."""
    require_tensor(argument, values)
    numbers = values.is_floating_point() and values.numel() > 0
    require(numbers, argument, values, "a tensor of real numbers, one or more")


def _positive(argument: str, values: torch.Tensor) -> torch.Tensor:
    """Return the values that are not zero, after checking that none is negative and that there are some."""
    _require_spectrum(argument, values)
    low, high = float(values.min()), float(values.max())
    require(
        low >= 0 and high > 0, argument, (low, high), "numbers ≥ 0, not all zero (smallest, largest shown)"
    )
    return values[values > ZERO**2 * high]


def _check_rule(rule: str) -> None:
    """Refuse a momentum rule that is not known."""
    require_choice("rule", rule, get_args(Rule))
