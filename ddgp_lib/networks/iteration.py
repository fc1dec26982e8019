"""The iteration k as an input of a network."""

import math
from typing import Any

import torch

from ..arguments import require, require_count, require_integer, require_tensor


def require_iteration(argument: str, value: Any) -> None:
    """Raise a ``ValueError`` unless ``value`` is an iteration from 0, or a tensor (N,) of numbers.

    What a tensor holds is not looked at, since a GPU would have to be waited for.
    """
    if not isinstance(value, torch.Tensor):
        return require_integer(argument, value, lowest=0)
    expected = "an integer, or a tensor (N,) of them"
    require(value.ndim <= 1 and value.numel() >= 1, f"{argument}.shape", tuple(value.shape), expected)
    real = not value.is_complex() and value.dtype != torch.bool
    return require(real, f"{argument}.dtype", value.dtype, "torch.int64")


def iteration_progress(k: int | torch.Tensor, longest: int) -> torch.Tensor:
    """Return how far a reconstruction has come, s = log(1 + k) / log(1 + ``longest``), 1 at most.

    On the logarithmic scale, early iterations, which differ most, are told apart best; past ``longest`` the progress
    stays 1, so that a network is never told of an iteration that it has not been trained on.

    Parameters
    ----------
    k : int, or Tensor of shape (N,)
        Iterations, from 0.
    longest : int
        The last iteration that differs from the next.

    Returns
    -------
    Tensor, shape (1,) or (N,)
        Values in [0, 1].
    """
    require_iteration("k", k)
    require_integer("longest", longest, lowest=1)
    iterations = torch.as_tensor(k, dtype=torch.get_default_dtype()).reshape(-1)
    return (iterations.log1p() / math.log1p(longest)).clamp(max=1)


def iteration_features(k: int | torch.Tensor, count: int, longest: int) -> torch.Tensor:
    r"""Smooth functions of the iteration, φ_j(k) = cos(π j s) of its progress s.

    Parameters
    ----------
    k : int, or Tensor of shape (N,)
        Iterations, from 0.
    count : int
        Number of features, j = 1, …, ``count``.
    longest : int
        The last iteration that differs from the next, see :func:`iteration_progress`.

    Returns
    -------
    Tensor, shape (1, count) or (N, count)
        Values in [−1, 1].
    """
    require_count("count", count)
    progress = iteration_progress(k, longest)[:, None]
    return torch.cos(torch.pi * progress * torch.arange(1, count + 1, device=progress.device))


def with_iteration(v: torch.Tensor, k: int | torch.Tensor, count: int, longest: int) -> torch.Tensor:
    """Append v multiplied by each feature φ_j(k) of the iteration to v, along the channels.

    The first layer's weights thus become functions of the iteration, W(k) = W_0 + Σ_j φ_j(k) W_j.  As the map is
    linear in v, a network without biases keeps N(0, k) = 0 and N(c v, k) = c N(v, k) for c > 0.

    Parameters
    ----------
    v : Tensor, shape (N, C, H, W)
        Inputs of a network.
    k : int, or Tensor of shape (N,)
        Iterations.
    count : int
        Number of features; with 0, v is returned as it is.
    longest : int
        See :func:`iteration_progress`.

    Returns
    -------
    Tensor, shape (N, (1 + count) C, H, W)
    """
    require_tensor("v", v, dimensions=4, finite=False)
    require_count("count", count, lowest=0)
    if count == 0:
        return v
    features = iteration_features(k, count, longest).to(v)
    scaled = features[:, :, None, None, None] * v[:, None]
    return torch.cat([v, scaled.flatten(1, 2)], dim=1)
