import torch
from torch import Tensor

def gaussian_blur(
    psf_size: tuple[int, ...] | None = None,
    sigma: float | tuple[float, ...] | Tensor = (1.0, 1.0),
    angle: float | tuple[float, ...] | Tensor = 0.0,
    device: str = "cpu",
    dtype: torch.dtype = ...,
) -> Tensor: ...
def bicubic_filter(factor: int = 2, device: torch.device | str = "cpu") -> Tensor: ...
def sinc_filter(
    factor: float | Tensor = 2, length: int = 11, windowed: bool = True, device: torch.device | str = "cpu"
) -> Tensor: ...
