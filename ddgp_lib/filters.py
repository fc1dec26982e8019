r"""Filter factors of linear regularisation methods, and two rules that choose one without the true image.

A linear method writes its estimate in the modes of A as :math:`\sum_i f_i\,(u_i^\top y / s_i)\, v_i`.  The filter
factor :math:`f_i` says how much of what the data say of mode i is believed: 1 is all, 0 is nothing.  A family of
methods, one for each iteration, damping or rank, is a table of factors with a row for each member.  In the place of
:math:`v_i^\top x` and :math:`u_i^\top y` the functions take tensors (N, n), a row for each image.
"""

import torch

from .analysis import error_factors
from .arguments import require, require_number, require_positive, require_tensor


def landweber(values: torch.Tensor, step: float, iterations: int) -> torch.Tensor:
    """Filter factors 1 − (1 − α s_i²)^k of gradient descent from zero, which is Landweber's iteration.

    Parameters
    ----------
    values : Tensor, shape (n,)
        Singular values s_i, 0 or above.
    step : float
        Step size α > 0.
    iterations : int
        K, 0 or above.

    Returns
    -------
    Tensor, shape (K + 1, n)
        A row for each k = 0, …, K.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Landweber, "An iteration formula for Fredholm integral equations of the first kind", 1951.

    Examples
    --------
    >>> import torch
    >>> landweber(torch.tensor([1.0, 0.5]), step=1.0, iterations=2)
    tensor([[0.0000, 0.0000],
            [1.0000, 0.2500],
            [1.0000, 0.4375]])
    """
    _require_values(values)
    return 1 - error_factors(values**2, step, iterations)


def tikhonov(values: torch.Tensor, dampings: torch.Tensor) -> torch.Tensor:
    """Filter factors s_i² / (s_i² + λ) of Tikhonov's method.

    Parameters
    ----------
    values : Tensor, shape (n,)
        Singular values s_i, 0 or above.
    dampings : Tensor, shape (K,)
        Dampings λ > 0, in units of s_i².

    Returns
    -------
    Tensor, shape (K, n)

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Hansen, "Discrete Inverse Problems: Insight and Algorithms", SIAM, 2010, chapter 4.

    Examples
    --------
    >>> import torch
    >>> tikhonov(torch.tensor([1.0, 0.5]), torch.tensor([0.25]))
    tensor([[0.8000, 0.5000]])
    """
    _require_values(values)
    require_tensor("dampings", dampings, dimensions=1)
    require(bool((dampings > 0).all()), "dampings", dampings, "numbers above 0")
    eigenvalues = values**2
    return eigenvalues / (eigenvalues + dampings[:, None].to(values))


def truncated(values: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
    """Filter factors of the truncated decomposition (TSVD): 1 for the r largest s_i, 0 for the others.

    Parameters
    ----------
    values : Tensor, shape (n,)
        Singular values s_i in falling order, 0 or above; modes with s_i = 0 are never let in.
    ranks : Tensor, shape (K,)
        Numbers r of modes that are let in, 0 or above.

    Returns
    -------
    Tensor, shape (K, n)

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or the values do not fall.

    References
    ----------
    Hansen, "Discrete Inverse Problems: Insight and Algorithms", SIAM, 2010, chapter 4.

    Examples
    --------
    >>> import torch
    >>> truncated(torch.tensor([1.0, 0.5, 0.1]), torch.tensor([0, 2]))
    tensor([[0., 0., 0.],
            [1., 1., 0.]])
    """
    _require_values(values)
    require(bool((values.diff() <= 0).all()), "values", values, "numbers in falling order")
    accepted = isinstance(ranks, torch.Tensor) and ranks.ndim == 1 and not ranks.is_complex()
    require(accepted, "ranks", ranks, "a tensor (K,) of numbers of modes")
    require(bool((ranks >= 0).all()), "ranks", ranks, "numbers, 0 or above")
    place = torch.arange(values.numel(), device=values.device)
    return ((place < ranks[:, None]) & (values > 0)).to(values)


def squared_residuals(factors: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    """Squared residual ‖A x − y‖² of each estimate, known without the true image.

    Parameters
    ----------
    factors : Tensor, shape (K, n)
        Filter factors f_i.
    data : Tensor, shape (N, n)
        u_iᵀy for each image; what of y lies outside the range of A is left out.

    Returns
    -------
    Tensor, shape (K, N)

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> squared_residuals(torch.tensor([[0.5, 0.0]]), torch.tensor([[2.0, 1.0]]))
    tensor([[2.]])
    """
    _require_tables(factors, data=data)
    return (1 - factors) ** 2 @ (data.to(factors) ** 2).T


def squared_errors(
    factors: torch.Tensor, values: torch.Tensor, data: torch.Tensor, truth: torch.Tensor
) -> torch.Tensor:
    """Squared error ‖x − x*‖² of each estimate, for which the true image is needed.

    Parameters
    ----------
    factors : Tensor, shape (K, n)
        Filter factors f_i.
    values : Tensor, shape (n,)
        Singular values s_i, 0 or above; where s_i = 0 the estimate is 0.
    data, truth : Tensor, shape (N, n)
        u_iᵀy and v_iᵀx* for each image.

    Returns
    -------
    Tensor, shape (K, N)

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import torch
    >>> one = torch.ones(1, 1)
    >>> squared_errors(0.5 * one, torch.tensor([0.5]), one, 3 * one)
    tensor([[4.]])
    """
    _require_tables(factors, data=data, truth=truth)
    _require_values(values)
    require(values.numel() == factors.shape[1], "values.shape", tuple(values.shape), f"({factors.shape[1]},)")
    inverse = torch.where(values > 0, 1 / values.clamp(min=torch.finfo(values.dtype).tiny), 0.0)
    naive, truth = data.to(factors) * inverse.to(factors), truth.to(factors)
    # ‖f b − x‖² written out, so that no table (K, N, n) is made.
    found = factors**2 @ (naive**2).T - 2 * factors @ (naive * truth).T + (truth**2).sum(1)
    return found.clamp(min=0)


def discrepancy_principle(
    residuals: torch.Tensor, noise: float, count: int, factor: float = 1.0
) -> torch.Tensor:
    """First member of a family whose squared residual is at most that of the noise, (τσ)² m.

    The true image has the residual ‖w‖ ≈ σ √m.  To fit the data more closely is to fit noise.

    Parameters
    ----------
    residuals : Tensor, shape (K, N)
        Squared residuals, see :func:`squared_residuals`; rows from the most regularised member on.
    noise : float
        Standard deviation σ of each entry of w, above 0.
    count : int
        Number m of measurements.
    factor : float
        τ, above 0; a little above 1 where σ is not known well.

    Returns
    -------
    Tensor, shape (N,)
        Row that is chosen for each image; the last one where no residual is small enough.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    References
    ----------
    Morozov, "On the solution of functional equations by the method of regularization", 1966.

    Examples
    --------
    >>> import torch
    >>> discrepancy_principle(torch.tensor([[4.0], [1.0], [0.2]]), noise=0.5, count=4)
    tensor([1])
    """
    require_tensor("residuals", residuals, dimensions=2)
    require_positive("noise", noise)
    require_number("count", count, above=0)
    require_positive("factor", factor)
    fits = residuals <= (factor * noise) ** 2 * count
    return torch.where(fits.any(dim=0), fits.int().argmax(dim=0), residuals.shape[0] - 1)


def cross_validation(residuals: torch.Tensor, factors: torch.Tensor, count: int) -> torch.Tensor:
    """Member of a family with the smallest generalised cross-validation score ‖A x − y‖² / (m − Σ f_i)².

    The score estimates how well an estimate predicts a measurement that it has not used.  It asks for no noise level.

    Parameters
    ----------
    residuals : Tensor, shape (K, N)
        Squared residuals, see :func:`squared_residuals`.
    factors : Tensor, shape (K, n)
        Filter factors f_i.
    count : int
        Number m of measurements; a member with Σ f_i ≥ m is never chosen.

    Returns
    -------
    Tensor, shape (N,)
        Row that is chosen for each image.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted, or every member lets all modes in.

    References
    ----------
    Golub, Heath and Wahba, "Generalized cross-validation as a method for choosing a good ridge parameter", 1979.

    Examples
    --------
    >>> import torch
    >>> factors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> cross_validation(squared_residuals(factors, torch.tensor([[3.0, 0.1]])), factors, count=2)
    tensor([1])
    """
    require_tensor("residuals", residuals, dimensions=2)
    require_tensor("factors", factors, dimensions=2)
    fits = factors.shape[0] == residuals.shape[0]
    require(fits, "factors.shape", tuple(factors.shape), f"({residuals.shape[0]}, n)")
    require_number("count", count, above=0)
    free = count - factors.sum(dim=1)
    require(bool((free > 1e-9 * count).any()), "count", count, "more than the smallest sum of filter factors")
    scores = residuals / free.clamp(min=1e-9 * count).to(residuals)[:, None] ** 2
    return torch.where((free > 1e-9 * count)[:, None], scores, torch.inf).argmin(dim=0)


def _require_values(values: torch.Tensor) -> None:
    """Refuse what is no tensor (n,) of singular values."""
    require_tensor("values", values, dimensions=1)
    accepted = values.numel() > 0 and not values.is_complex() and bool((values >= 0).all())
    require(accepted, "values", values, "singular values (n,), 0 or above")


def _require_tables(factors: torch.Tensor, **tables: torch.Tensor) -> None:
    """Refuse tables whose rows do not have an entry for each mode."""
    require_tensor("factors", factors, dimensions=2)
    for name, table in tables.items():
        require_tensor(name, table, dimensions=2)
        modes = factors.shape[1]
        require(table.shape[1] == modes, f"{name}.shape", tuple(table.shape), f"(N, {modes})")
