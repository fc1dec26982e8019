"""A simulated head in simulated coils: an ellipse with structure and a smooth phase."""

import torch

from ddgp_lib.data.fourier import centred_fourier


def grid(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the coordinates of pixels, from −1 to 1."""
    sides = (torch.linspace(-1, 1, n, dtype=torch.float64) for n in (height, width))
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    return rows, columns


def head(height: int = 96, width: int = 80) -> torch.Tensor:
    """Make a complex image (H, W): skull of 1, inside 0.6 with two holes, zero outside."""
    y, x = grid(height, width)
    outer = (y / 0.8) ** 2 + (x / 0.7) ** 2 < 1
    inner = (y / 0.7) ** 2 + (x / 0.6) ** 2 < 1
    holes = ((y - 0.2) / 0.2) ** 2 + ((x.abs() - 0.25) / 0.12) ** 2 < 1
    image = 1.0 * outer.double() - 0.4 * inner - 0.4 * (holes & inner)
    return torch.polar(image, 1.5 * x + y**2).to(torch.complex64)


def coil_maps(coils: int = 6, height: int = 96, width: int = 80) -> torch.Tensor:
    """Make smooth sensitivities (C, H, W) of coils of unequal strength around the head."""
    y, x = grid(height, width)
    maps = []
    for c in range(coils):
        angle = torch.tensor(2 * torch.pi * c / coils, dtype=torch.float64)
        near = (1 + 0.1 * c) * torch.exp(-((y - 1.1 * angle.sin()) ** 2 + (x - 1.1 * angle.cos()) ** 2) / 2)
        maps.append(torch.polar(near, angle + 0.7 * (x * angle.sin() - y * angle.cos())))
    return torch.stack(maps).to(torch.complex64)


def scan(
    coils: int = 6, height: int = 96, width: int = 80
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return k-space (C, H, W), the image, and the maps that made it."""
    image, maps = head(height, width), coil_maps(coils, height, width)
    return centred_fourier(maps * image), image, maps


def complex_noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Draw complex noise of variance 1."""
    return torch.randn(shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))
