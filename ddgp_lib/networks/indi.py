"""A U-Net that is told how far a reconstruction has come."""

import torch
from torch import nn
from torch.nn import functional

from ..arguments import require, require_counts, require_flag, require_tensor
from .initial import for_relu, start_at_zero
from .patches import OnPatches

FREQUENCIES = 8
"""Number of frequencies of the embedding of time."""


class TimeEmbedding(nn.Module):
    """Map a time s in [0, 1] to features: cos(π j s) and sin(π j s) for j = 1, …, 8, and two layers on them.

    References
    ----------
    Vaswani et al., "Attention is all you need", 2017.
    """

    def __init__(self, width: int, *, bias: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, width, bias=bias),
            nn.SiLU(),
            nn.Linear(width, width, bias=bias),
            nn.SiLU(),
        )

    def forward(self, s: torch.Tensor) -> torch.Tensor:
        """Map (N,) to (N, width)."""
        angles = torch.pi * s[:, None] * torch.arange(1, FREQUENCIES + 1, device=s.device)
        return self.layers(torch.cat([angles.cos(), angles.sin()], dim=1))


class TimedBlock(nn.Module):
    """Two 3×3 convolutions with ReLUs, where time scales each channel between them.

    With biases, time also shifts each channel.

    References
    ----------
    Perez et al., "FiLM: visual reasoning with a general conditioning layer", 2018.
    """

    def __init__(self, before: int, after: int, features: int, *, bias: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1, bias=bias)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=bias)
        self.scale = nn.Linear(features, after, bias=bias)
        self.shift = nn.Linear(features, after) if bias else None

    def forward(self, v: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """Map (N, before, H, W), with features of time (N, features), to (N, after, H, W)."""
        hidden = self.first(v) * (1 + self.scale(time)[:, :, None, None])
        if self.shift is not None:
            hidden = hidden + self.shift(time)[:, :, None, None]
        return torch.relu(self.second(torch.relu(hidden)))


class TimedUNet(OnPatches):
    """A U-Net of three scales in which the iteration scales every channel, on 2×2 patches of pixels.

    In InDI a network restores an image in steps and is told the time of each; here the time is how far the iteration
    has come, see :func:`~ddgp_lib.networks.iteration.iteration_progress`.  Without biases N(0, s) = 0 and
    N(c v, s) = c N(v, s) for c > 0.  The last layer starts at zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Channels at the finest scale; twice and four times as many at the next, and as many features of time as at the
        second.
    bias : bool
        Whether convolutions and linear layers have biases.

    References
    ----------
    Delbracio and Milanfar, "Inversion by direct iteration: an alternative to denoising diffusion for image
    restoration", 2023; Ronneberger et al., "U-Net", 2015.
    """

    wants_iteration = True
    """Whether the network is called with the progress of the iteration, ``network(v, s)``."""

    def __init__(self, in_channels: int, out_channels: int, width: int = 32, *, bias: bool = False) -> None:
        super().__init__(in_channels, patch=2, multiple=8)
        require_counts(out_channels=out_channels, width=width)
        require_flag("bias", bias)
        fine, middle, coarse = width, 2 * width, 4 * width

        def block(before: int, after: int) -> TimedBlock:
            return TimedBlock(before, after, middle, bias=bias)

        def narrow(before: int, after: int) -> nn.Conv2d:
            return nn.Conv2d(before, after, 3, padding=1, bias=bias)

        self.down = nn.ModuleList([block(4 * in_channels, fine), block(fine, middle), block(middle, coarse)])
        self.narrow = nn.ModuleList([narrow(coarse, middle), narrow(middle, fine)])
        self.up = nn.ModuleList([block(2 * middle, middle), block(2 * fine, fine)])
        self.last = nn.Conv2d(fine, 4 * out_channels, 1, bias=bias)
        for_relu(self)
        start_at_zero(self.last)
        self.time = TimeEmbedding(middle, bias=bias)
        self.to(memory_format=torch.channels_last)

    def forward(self, v: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W), with the progress s in [0, 1], (N,) or (1,), to (N, out_channels, H, W)."""
        features, skipped = self.to_patches(v), []
        require_tensor("s", s, dimensions=1, finite=False)
        require(len(s) in (1, len(v)), "s.shape", tuple(s.shape), f"(1,) or ({len(v)},), as v has images")
        time = self.time(s)
        for level, block in enumerate(self.down):
            features = block(functional.max_pool2d(features, 2) if level else features, time)
            skipped.append(features)
        for narrow, block, skip in zip(self.narrow, self.up, skipped[-2::-1], strict=True):
            wide = torch.relu(narrow(functional.interpolate(features, scale_factor=2.0)))
            features = block(torch.cat([skip, wide], dim=1), time)
        return self.to_image(self.last(features), v)
