"""A transformer on patches."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.autograd.forward_ad import unpack_dual
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..arguments import require, require_counts, require_flag
from .initial import start_at_zero
from .patches import OnPatches

HEADS = 4
"""Attention heads of each layer."""

LOWEST_FREQUENCY = 1 / 100
"""Lowest frequency of the position embedding, in radians per patch; the highest is 1."""


class ViT(OnPatches):
    """A vision transformer on 4×4 patches of pixels, of which each attends to all.

    Positions are told by fixed sines and cosines, so that a grid of patches may have any size; the cost of attention
    grows with the square of their number.  Layer normalisation, softmax, GELU and the position break homogeneity
    even without biases; :class:`~ddgp_lib.networks.homogeneous.Homogeneous` brings it back.  The last layer starts at
    zero.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : int
        Entries of a token, a multiple of 4.
    depth : int
        Number of transformer layers.
    bias : bool
        Whether linear layers and normalisations have biases.

    Raises
    ------
    ValueError
        If ``width`` is not a multiple of 4.

    References
    ----------
    Dosovitskiy et al., "An image is worth 16×16 words: transformers for image recognition at scale", 2021; Beyer et
    al., "Better plain ViT baselines for ImageNet-1k", 2022, for the position embedding.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 96, *, depth: int = 4, bias: bool = False
    ) -> None:
        super().__init__(in_channels, patch=4)
        require_counts(out_channels=out_channels, width=width, depth=depth)
        require_flag("bias", bias)
        require(width % 4 == 0, "width", width, "a multiple of 4")
        self.embed = nn.Linear(16 * in_channels, width, bias=bias)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                HEADS,
                dim_feedforward=4 * width,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
                bias=bias,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, bias=bias)
        self.last = nn.Linear(width, 16 * out_channels, bias=bias)
        start_at_zero(self.last)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        patches = self.to_patches(v)
        height, width = patches.shape[-2:]
        tokens = self.embed(patches.flatten(2).transpose(1, 2))
        tokens = tokens + positions(height, width, tokens.shape[-1]).to(tokens)
        with _differentiable_attention(tokens):
            for layer in self.layers:
                tokens = layer(tokens)
        return self.to_image(self.last(self.norm(tokens)).transpose(1, 2).unflatten(2, (height, width)), v)


def _differentiable_attention(tokens: torch.Tensor) -> AbstractContextManager[None]:
    """Choose an attention that has the derivative asked for: the fastest one on a CPU has none in forward mode."""
    forward_mode = unpack_dual(tokens).tangent is not None
    return sdpa_kernel(SDPBackend.MATH) if forward_mode else nullcontext()


def positions(height: int, width: int, features: int) -> torch.Tensor:
    """Sines and cosines of a place's row and column, ``features`` / 4 frequencies of each.

    Parameters
    ----------
    height, width : int
        Size of the grid.
    features : int
        Number of features, a multiple of 4.

    Returns
    -------
    Tensor, shape (height · width, features)
        Values in [−1, 1]; places in the order of rows.
    """
    frequencies = LOWEST_FREQUENCY ** torch.linspace(0, 1, features // 4)
    rows = torch.arange(height)[:, None] * frequencies
    columns = torch.arange(width)[:, None] * frequencies
    of_row = torch.cat([rows.sin(), rows.cos()], dim=1)[:, None].expand(-1, width, -1)
    of_column = torch.cat([columns.sin(), columns.cos()], dim=1)[None].expand(height, -1, -1)
    return torch.cat([of_row, of_column], dim=2).flatten(0, 1)
