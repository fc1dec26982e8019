from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

class NoiseModel(nn.Module):
    noise_model: Callable[..., Tensor]
    rng: torch.Generator | None
    def __init__(
        self, noise_model: Callable[..., Tensor] | None = None, rng: torch.Generator | None = None
    ) -> None: ...
    def forward(self, input: Tensor, seed: int | None = None) -> Tensor: ...
    def rng_manual_seed(self, seed: int | None = None) -> None: ...

class GaussianNoise(NoiseModel):
    sigma: Tensor
    def __init__(self, sigma: float | Tensor = 0.1, rng: torch.Generator | None = None) -> None: ...
    def forward(
        self, x: Tensor, sigma: float | Tensor | None = None, seed: int | None = None, **kwargs: Any
    ) -> Tensor: ...
