"""deepinv's linear operators at small sizes, by name: what the library is tried on that has no operator of ours.

Each factory returns the operator and the shape (C, H, W) of its images, not square and in colour where it allows.
"""

from collections.abc import Callable

import torch
from deepinv.physics import (
    MRI,
    Blur,
    BlurFFT,
    CompressedSensing,
    CompressiveSpectralImaging,
    Decolorize,
    Denoising,
    Downsampling,
    Inpainting,
    LinearPhysics,
    MultiCoilMRI,
    Pansharpen,
    SinglePixelCamera,
    Tomography,
    stack,
)
from deepinv.physics.functional import gaussian_blur

from ddgp_lib.operators import birdcage_maps

Operator = tuple[LinearPhysics, tuple[int, int, int]]


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _columns(height: int, width: int) -> torch.Tensor:
    return (torch.arange(width) % 3 == 0).float().expand(2, height, width).clone()


def _multi_coil() -> Operator:
    physics = MultiCoilMRI(
        mask=_columns(12, 16)[None], coil_maps=birdcage_maps(3, 12, 16)[None], img_size=(2, 12, 16)
    )
    return physics, (2, 12, 16)


def _stacked() -> Operator:
    size = (3, 12, 16)
    blur = BlurFFT(img_size=size, filter=gaussian_blur(sigma=(1.0, 1.0)))
    return stack(Inpainting(img_size=size, mask=0.5, rng=_seeded()), blur), size


def _matrix() -> Operator:
    rows = torch.randn(60, 3 * 8 * 10, generator=_seeded())
    physics = LinearPhysics(
        A=lambda x, **_: x.flatten(1) @ rows.to(x).T,
        A_adjoint=lambda y, **_: (y @ rows.to(y)).reshape(-1, 3, 8, 10),
    )
    return physics, (3, 8, 10)


OPERATORS: dict[str, Callable[[], Operator]] = {
    "denoising": lambda: (Denoising(), (3, 12, 16)),
    "inpainting": lambda: (Inpainting((3, 12, 16), mask=0.5, rng=_seeded()), (3, 12, 16)),
    "blur": lambda: (Blur(gaussian_blur(sigma=(0.7, 0.7)), padding="reflect"), (3, 12, 16)),
    "blur_valid": lambda: (Blur(torch.ones(1, 1, 3, 3) / 9, padding="valid"), (3, 12, 16)),
    "blur_fft": lambda: (BlurFFT((3, 12, 16), gaussian_blur(sigma=(1.0, 1.0))), (3, 12, 16)),
    "downsampling": lambda: (Downsampling((3, 16, 24), "gaussian", 4), (3, 16, 24)),
    "downsampling_plain": lambda: (Downsampling((3, 16, 24), None, 2), (3, 16, 24)),
    "single_pixel": lambda: (SinglePixelCamera(64, (1, 16, 16)), (1, 16, 16)),
    "single_pixel_slow": lambda: (SinglePixelCamera(64, (1, 16, 16), fast=False), (1, 16, 16)),
    "compressed_sensing": lambda: (CompressedSensing(100, (3, 8, 10), rng=_seeded()), (3, 8, 10)),
    "compressed_sensing_by_channel": lambda: (
        CompressedSensing(40, (3, 8, 10), channelwise=True, rng=_seeded()),
        (3, 8, 10),
    ),
    "tomography": lambda: (Tomography(angles=10, img_width=12, circle=False, normalize=True), (1, 12, 12)),
    "decolorize": lambda: (Decolorize(), (3, 12, 16)),
    "mri": lambda: (MRI(mask=_columns(12, 16), img_size=(2, 12, 16)), (2, 12, 16)),
    "multi_coil_mri": _multi_coil,
    "cassi": lambda: (CompressiveSpectralImaging((3, 13, 17), rng=_seeded()), (3, 13, 17)),
    "cassi_spatial": lambda: (CompressiveSpectralImaging((3, 13, 17), mode="sd", rng=_seeded()), (3, 13, 17)),
    "stacked": _stacked,
    "pansharpen": lambda: (Pansharpen((3, 16, 24)), (3, 16, 24)),
    "matrix": _matrix,
}
