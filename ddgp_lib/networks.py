"""Networks N_θ for a preconditioner, built by name."""

import math
from collections.abc import Callable

import torch
from deepinv.models import UNet
from torch import nn

from .checks import require


class PatchUNet(nn.Module):
    """deepinv's U-Net without biases or normalisation, on 2×2 patches of pixels.

    Pixels are first gathered into channels (``PixelUnshuffle``), which costs no information and makes the
    network about twice as fast.  Without biases N(0) = 0 and N(c v) = c N(v) for c > 0: a gradient's scale, which
    falls by orders of magnitude over a reconstruction, needs no learning.  The last layer starts at zero, so that
    a preconditioner g + N(g) starts as the identity.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    widths : tuple of int
        Channels at each scale, from fine to coarse; image sides must be multiples of 2 to their number.

    References
    ----------
    Ronneberger et al., "U-Net", 2015; Mohan et al., "Robust and interpretable blind image denoising via bias-free
    convolutional neural networks", 2020.
    """

    def __init__(self, in_channels: int, out_channels: int, widths: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        self.gather = nn.PixelUnshuffle(2)
        self.unet = UNet(
            4 * in_channels,
            4 * out_channels,
            residual=False,
            bias=False,
            batch_norm=False,
            channels_per_scale=list(widths),
        )
        self.scatter = nn.PixelShuffle(2)
        nn.init.zeros_(self.unet.Conv_1x1.weight)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        patches = self.gather(v).contiguous(memory_format=torch.channels_last)
        return self.scatter(self.unet(patches).contiguous())


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {"unet": PatchUNet}


def build_network(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Build a network by its name, with weights from torch's global generator.

    Parameters
    ----------
    name : str
        ``"unet"``.
    in_channels, out_channels : int
        Image channels that go in and come out.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    require(name in NETWORKS, "network", name, f"one of {tuple(NETWORKS)}")
    return NETWORKS[name](in_channels, out_channels)


def iteration_features(k: int | torch.Tensor, count: int, longest: int) -> torch.Tensor:
    r"""Smooth functions of the iteration, φ_j(k) = cos(π j s) with s = log(1 + k) / log(1 + ``longest``) up to 1.

    On the logarithmic scale, early iterations, which differ most, are told apart best; past ``longest`` the features
    stay what they were, so that a network is never told of an iteration that it has not been trained on.

    Parameters
    ----------
    k : int, or Tensor of shape (N,)
        Iterations, from 0.
    count : int
        Number of features, j = 1, …, ``count``.
    longest : int
        The last iteration that differs from the next.

    Returns
    -------
    Tensor, shape (1, count) or (N, count)
        Values in [−1, 1].
    """
    iterations = torch.as_tensor(k, dtype=torch.get_default_dtype()).reshape(-1, 1)
    progress = (iterations.log1p() / math.log1p(longest)).clamp(max=1)
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
        See :func:`iteration_features`.

    Returns
    -------
    Tensor, shape (N, (1 + count) C, H, W)
    """
    if count == 0:
        return v
    features = iteration_features(k, count, longest).to(v)
    scaled = features[:, :, None, None, None] * v[:, None]
    return torch.cat([v, scaled.flatten(1, 2)], dim=1)
