"""Homogeneity for networks whose layers do not have it."""

import torch
from torch import nn

from ..arguments import require, require_instance, require_tensor


class Homogeneous(nn.Module):
    r"""Make a network positively homogeneous: N(v) = s M(v / s), with s the root mean square of v.

    Then N(c v) = c N(v) for c > 0, and N(0) = 0, whatever M is; s is taken of each image of a batch by itself.  A
    gradient falls by orders of magnitude over a reconstruction, and M sees it at one scale.

    Parameters
    ----------
    network : nn.Module
        M: (N, C_in, H, W) to (N, C, H, W).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        require_instance("network", network, nn.Module, "a network")
        self.network = network

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Map (N, C_in, H, W) to (N, C, H, W)."""
        require_tensor("v", v, finite=False)
        require(v.ndim >= 2 and v.numel() > 0, "v.shape", tuple(v.shape), "(N, C_in, H, W)")
        scale = torch.linalg.vector_norm(v, dim=tuple(range(1, v.ndim)), keepdim=True) / v[0].numel() ** 0.5
        return scale * self.network(v / scale.clamp_min(torch.finfo(v.dtype).tiny))
