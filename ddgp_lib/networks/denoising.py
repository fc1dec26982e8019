"""Denoisers that know their noise level."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from deepinv.models import Denoiser, DnCNN
from torch import nn

from ..arguments import require, require_count, require_counts, require_flag, require_number, require_tensor
from ..names import DenoiserNetwork
from .patches import pad_to_multiple
from .unet import PatchUNet


class NoiseAwareDnCNN(Denoiser):
    """DnCNN D_σ on 2×2 patches of pixels, with the noise level as a further input channel.

    deepinv's :class:`~deepinv.models.DnCNN` ignores the noise level that it is given.  Here, as in FFDNet, pixels
    are first gathered into channels, which makes the network three times faster and doubles what each output
    sees, and a constant map of σ is appended.

    Parameters
    ----------
    channels : int
        Image channels.
    depth : int
        Number of 3×3 convolutions.
    width : int
        Channels between convolutions.
    noise_scaled : bool
        Whether the network's output is multiplied by σ, D_σ(x) = x + σ N(x, σ), so that D_σ tends to the identity
        with σ and the network is as good at low noise as at high.

    References
    ----------
    Zhang et al., "Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising", 2017; Zhang et
    al., "FFDNet: toward a fast and flexible solution for CNN-based image denoising", 2018; Karras et al.,
    "Elucidating the design space of diffusion-based generative models", 2022, for the scaling.
    """

    def __init__(
        self, channels: int = 1, depth: int = 6, width: int = 48, *, noise_scaled: bool = False
    ) -> None:
        super().__init__()
        require_counts(channels=channels, width=width)
        require_count("depth", depth, lowest=2)
        require_flag("noise_scaled", noise_scaled)
        self.architecture = {
            "channels": channels,
            "depth": depth,
            "width": width,
            "noise_scaled": noise_scaled,
        }
        stacked = 4 * channels + 1
        self.gather = nn.PixelUnshuffle(2)
        self.network = DnCNN(stacked, stacked, depth=depth, nf=width, pretrained=None)
        self.scatter = nn.PixelShuffle(2)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor, sigma: float | torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Denoise ``x`` of shape (N, C, H, W), whose noise has standard deviation ``sigma``."""
        _require_noisy(x, sigma, self.architecture["channels"])
        height, width = x.shape[-2:]
        patches = self.gather(pad_to_multiple(x, 2))
        levels = self._handle_sigma(sigma, reference_tensor=x)
        noise_map = levels.expand(-1, 1, *patches.shape[2:])
        stacked = torch.cat([patches, noise_map], dim=1).contiguous(memory_format=torch.channels_last)
        denoised = self.network(stacked)[:, :-1]
        if self.architecture["noise_scaled"]:
            denoised = patches + levels * (denoised - patches)
        return self.scatter(denoised.contiguous())[..., :height, :width]


class NoiseAwareUNet(Denoiser):
    r"""D_σ(x) = x + N(x, σ), with a bias-free U-Net N that is given a map of the noise level.

    N is positively homogeneous, so :math:`D_{t\sigma}(t x) = t D_\sigma(x)` for t > 0: what is learned at one noise
    level holds for an image of another brightness at another level.  It sees further than a stack of convolutions of
    the same time, which pays at high noise.

    Parameters
    ----------
    channels : int
        Image channels.
    widths : tuple of int
        Channels at each scale, see :class:`~ddgp_lib.networks.unet.PatchUNet`.

    References
    ----------
    Zhang et al., "Plug-and-play image restoration with deep denoiser prior", 2021, for the U-Net with a noise map;
    Mohan et al., "Robust and interpretable blind image denoising via bias-free convolutional neural networks", 2020.

    Examples
    --------
    >>> import torch
    >>> denoiser = NoiseAwareUNet(1, (8, 16))
    >>> bool((denoiser(torch.ones(1, 1, 8, 8), 0.1) == 1).all())  # untrained, it is the identity
    True
    """

    def __init__(self, channels: int = 1, widths: tuple[int, ...] = (24, 48, 96)) -> None:
        super().__init__()
        require_count("channels", channels)
        self.network = PatchUNet(channels + 1, channels, widths)
        self.architecture: dict[str, Any] = {"channels": channels, "widths": list(widths)}

    def forward(self, x: torch.Tensor, sigma: float | torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Denoise ``x`` of shape (N, C, H, W), whose noise has standard deviation ``sigma``, or one each (N,)."""
        _require_noisy(x, sigma, self.architecture["channels"])
        levels = self._handle_sigma(sigma, reference_tensor=x)
        return x + self.network(torch.cat([x, levels.expand(-1, 1, *x.shape[2:])], dim=1))


DENOISERS: Mapping[DenoiserNetwork, Callable[..., Any]] = {"dncnn": NoiseAwareDnCNN, "unet": NoiseAwareUNet}
"""Denoisers by name, built from their architecture."""


def _require_noisy(x: Any, sigma: Any, channels: int) -> None:
    """Refuse what is no image of so many channels, or no noise level."""
    require_tensor("x", x, dimensions=4, finite=False)
    _require_level(sigma)
    require(x.shape[1] == channels, "x.shape", tuple(x.shape), f"{channels} channel(s)")


def _require_level(sigma: Any) -> None:
    """Refuse a noise level that is no finite number, 0 or above; a GPU would be waited for to look into a tensor."""
    if not isinstance(sigma, torch.Tensor):
        return require_number("sigma", sigma, lowest=0)
    return require_tensor("sigma", sigma, finite=False)
