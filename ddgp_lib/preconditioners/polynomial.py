r"""Polynomials in AᵀA: what a few products with the operator can do about its spectrum.

With :math:`t = \lambda / \|A\|^2 \in [0, 1]` an eigenvalue of :math:`A^\top A / \|A\|^2`, a step of
:math:`1/\|A\|^2` through P = p(AᵀA/‖A‖²) multiplies the error there by the residual polynomial
:math:`r(t) = 1 - t\, p(t)`, of degree d + 1 and with r(0) = 1.  Every rule below is a choice of r.
"""

import math
from collections.abc import Callable, Sequence

import torch
from numpy.polynomial import Chebyshev
from numpy.polynomial import Polynomial as Powers

from ..arguments import require, require_choice, require_integer, require_number
from ..operators import normal, squared_norm
from .base import Preconditioner, State

MAX_DEGREE = 8
"""Highest degree of a rule.  The coefficients grow with it, and Horner's rule in single precision loses digits: its
relative error is below 1e-2 up to degree 8, and beyond that from degree 10 on."""


def l2_coefficients(degree: int) -> list[float]:
    r"""Coefficients of the polynomial with the smallest :math:`\int_0^1 r(t)^2\, dt`.

    They solve :math:`\sum_j c_j / (i + j + 3) = 1 / (i + 2)` for i = 0, …, d.  The minimiser is known: with
    n = d + 1, r is the Jacobi polynomial :math:`\sum_k \frac{(-n)_k (n+2)_k}{(2)_k\, k!} t^k`, with rising factorials
    :math:`(a)_k = a (a+1) \cdots (a+k-1)`.

    Parameters
    ----------
    degree : int
        d, from 0 to :data:`MAX_DEGREE`.

    Returns
    -------
    list of float
        c_0, …, c_d, such as [4, −10/3] for d = 1 and [7.5, −15, 8.75] for d = 2.

    Raises
    ------
    ValueError
        If ``degree`` is outside what is accepted.

    References
    ----------
    Iyer et al., "Polynomial preconditioners for regularized linear inverse problems", SIAM J. Imaging Sci. 17(1),
    2024, for the rule; Stiefel, "Kernel polynomials in linear algebra", 1958, for the Jacobi polynomials.
    """
    _require_degree(degree)
    residual, n = [1.0], degree + 1
    for k in range(n):
        residual.append(residual[-1] * (k - n) * (n + 2 + k) / ((2 + k) * (1 + k)))
    return [-value for value in residual[1:]]


def chebyshev_coefficients(degree: int, lower: float) -> list[float]:
    r"""Coefficients of the polynomial with the smallest :math:`\max_{l \le t \le 1} |r(t)|`.

    With the Chebyshev polynomial T of degree d + 1,

    .. math:: r(t) = T_{d+1}\Bigl(\frac{1 + l - 2t}{1 - l}\Bigr) \Big/ T_{d+1}\Bigl(\frac{1 + l}{1 - l}\Bigr) .

    Parameters
    ----------
    degree : int
        d, from 0 to :data:`MAX_DEGREE`.
    lower : float
        l, the smallest t that counts, between 0 and 1.

    Returns
    -------
    list of float
        c_0, …, c_d.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Rutishauser, "Theory of gradient methods", 1959; Iyer et al., 2024, where it is the ℓ∞-optimal one; Hong,
    Xu, Hu and Fessler, "Provable preconditioned plug-and-play approach for compressed sensing MRI reconstruction",
    IEEE Trans. Comput. Imaging, 2024, for its use in plug-and-play methods.
    """
    _require_degree(degree)
    require_number("lower", lower, above=0, below=1)
    residual = Chebyshev.basis(degree + 1, domain=[lower, 1]).convert(kind=Powers).coef
    return (-residual[1:] / residual[0]).tolist()


def ifista_coefficients(degree: int) -> list[float]:
    """Coefficients of the polynomial with r(t) = (1 − t)^(d + 1): d + 1 plain gradient steps at once.

    On the data term alone it is as good as plain gradient descent for each product with AᵀA, and saves denoisers.

    Parameters
    ----------
    degree : int
        d, from 0 to :data:`MAX_DEGREE`.

    Returns
    -------
    list of float
        c_j = (−1)^j binomial(d + 1, j + 1) for j = 0, …, d.

    Raises
    ------
    ValueError
        If ``degree`` is outside what is accepted.

    References
    ----------
    Bhotto, Ahmad and Swamy, "An improved fast iterative shrinkage thresholding algorithm for image
    deblurring", SIAM J. Imaging Sci. 8(3), 2015.
    """
    _require_degree(degree)
    return [float((-1) ** j * math.comb(degree + 1, j + 1)) for j in range(degree + 1)]


RULES: dict[str, Callable[..., list[float]]] = {
    "l2": l2_coefficients,
    "chebyshev": chebyshev_coefficients,
    "ifista": ifista_coefficients,
}
"""Names of the rules for the coefficients."""


class Polynomial(Preconditioner):
    r"""A polynomial in the operator, :math:`P(g) = \sum_{j=0}^d c_j\, (A^\top A / \|A\|^2)^j g`.

    Where A Aᵀ = I it is a scalar on every gradient, :math:`\sum_j c_j`.

    Parameters
    ----------
    coefficients : sequence of float
        c_0, …, c_d, finite; see :meth:`of` for good ones.

    Attributes
    ----------
    products : int
        d.

    Raises
    ------
    ValueError
        If there are no coefficients, or one is not finite.

    References
    ----------
    Johnson, Micchelli and Paul, "Polynomial preconditioners for conjugate gradient calculations", 1983; Iyer et
    al., 2024, for inverse problems in imaging.

    Examples
    --------
    >>> from ddgp_lib.preconditioners import Polynomial
    >>> Polynomial.of("l2", 2).coefficients
    (7.5, -15.0, 8.75)
    """

    def __init__(self, coefficients: Sequence[float]) -> None:
        super().__init__()
        some = (
            isinstance(coefficients, Sequence) and not isinstance(coefficients, str) and len(coefficients) > 0
        )
        require(some, "coefficients", coefficients, "at least one number, all finite")
        for coefficient in coefficients:
            require_number("coefficients", coefficient)
        self.coefficients = tuple(map(float, coefficients))
        self.products = len(self.coefficients) - 1

    @classmethod
    def of(cls, kind: str, degree: int, *, lower: float | None = None) -> "Polynomial":
        """Build the polynomial of a rule.

        Parameters
        ----------
        kind : str
            ``"l2"`` (:func:`l2_coefficients`), ``"chebyshev"`` (:func:`chebyshev_coefficients`) or ``"ifista"``
            (:func:`ifista_coefficients`).
        degree : int
            d, from 0 to :data:`MAX_DEGREE`.
        lower : float, optional
            l of ``"chebyshev"``, between 0 and 1; for it alone.

        Raises
        ------
        ValueError
            If an argument is outside what is accepted.
        """
        require_choice("kind", kind, RULES)
        needed = kind == "chebyshev"
        require((lower is not None) == needed, "lower", lower, "a number for 'chebyshev', None otherwise")
        return cls(RULES[kind](degree, lower) if needed else RULES[kind](degree))

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        """Return p(AᵀA/‖A‖²) g for a gradient (N, C, H, W), by Horner's rule."""
        top = squared_norm(state.physics, tuple(grad.shape[1:]))
        direction = self.coefficients[-1] * grad
        for coefficient in self.coefficients[-2::-1]:
            direction = normal(state.physics, direction) / top + coefficient * grad
        return direction


def _require_degree(degree: int) -> None:
    require_integer("degree", degree, lowest=0, highest=MAX_DEGREE)
