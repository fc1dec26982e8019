"""Grey faces seen through the blur of a camera that shook: a fourth camera, of deepinv's operator and this file."""

import math

import torch
from deepinv.models import Denoiser
from deepinv.physics import BlurFFT

from ..arguments import (
    LARGEST_SIDE,
    require,
    require_img_size,
    require_instance,
    require_integer,
    require_number,
    require_seed,
    require_size,
    require_tensor,
)
from ..checkpoints import WEIGHTS_FOLDER, weights_path
from ..data import Split, load_faces
from ..denoisers import load_denoiser
from ..operators import gaussian_noise
from ..operators._common import FixedSides
from ..recipes import DistillationRecipe
from ..tasks import SIGMAS, Counts, Preset, Task, chosen_sides, make_task
from .super_resolution import faces_of, perturb_face


class MotionBlur(FixedSides, BlurFFT):
    """deepinv's periodic blur, whose modes count as seen from a fraction ``rtol`` of the strongest on.

    A motion blur has hardly a singular value that is exactly zero.  So what is hidden is a choice: what noise hides.

    Parameters
    ----------
    img_size : tuple of int
        Image shape (C, H, W).
    kernel : Tensor, shape (K, K)
        The blur, K odd, with sum 1.
    noise : float
        Standard deviation of the white Gaussian noise on each pixel.
    seed : int
        Seed of the operator's own noise generator.
    rtol : float
        Singular values below ``rtol`` ‖A‖ count as zero in A⁺A.
    """

    def __init__(
        self, img_size: tuple[int, ...], kernel: torch.Tensor, noise: float, seed: int, rtol: float
    ) -> None:
        require_img_size("img_size", img_size)
        require_tensor("kernel", kernel, dimensions=2)
        odd = kernel.shape[0] == kernel.shape[1] and kernel.shape[0] % 2 == 1
        require(odd, "kernel.shape", tuple(kernel.shape), "(K, K) with K odd")
        require_number("rtol", rtol, lowest=0, below=1)
        noise_model = gaussian_noise(noise, seed)
        super().__init__(img_size=img_size, filter=kernel[None, None], noise_model=noise_model)
        self.rtol = rtol

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self.img_size[1], self.img_size[2]

    def range_projection(self, x: torch.Tensor) -> torch.Tensor:
        """A⁺A x of images (N, C, H, W)."""
        self._require_sides("x", x)
        strength = self.mask.abs()
        return self.V((strength >= self.rtol * strength.max()) * self.V_adjoint(x))


def shaken_path(length: float, seed: int, points: int = 2000) -> torch.Tensor:
    """Positions (points, 2) in pixels of a camera that moves at constant speed and turns smoothly at random.

    Parameters
    ----------
    length : float
        Length of the path in pixels, above zero.
    seed : int
        Seed of the first heading and of the three harmonics that it turns by.
    points : int
        Positions at equal distances in time.
    """
    require_number("length", length, above=0, highest=LARGEST_SIDE)
    require_seed("seed", seed)
    require_integer("points", points, lowest=1, highest=10**6)
    generator = torch.Generator().manual_seed(int(seed))
    heading = 2 * math.pi * torch.rand(1, generator=generator, dtype=torch.float64)
    turns = 1.2 * torch.randn(3, generator=generator, dtype=torch.float64)
    time = torch.linspace(0, 1, points, dtype=torch.float64)
    angle = heading + sum(turns[n - 1] / n * torch.sin(math.pi * n * time) for n in (1, 2, 3))
    return (torch.stack([angle.sin(), angle.cos()], dim=1) * length / points).cumsum(dim=0)


def exposed(path: torch.Tensor, share: float = 1.0) -> torch.Tensor:
    """Blur kernel (K, K), K odd, of the middle ``share`` of a path's time, in (0, 1]: how long each pixel is met."""
    require_tensor("path", path, dimensions=2)
    require(path.shape[1] == 2 and len(path) >= 1, "path.shape", tuple(path.shape), "(points, 2)")
    require_number("share", share, above=0, highest=1)
    path = path.double()
    kept = max(1, round(share * len(path)))
    first = (len(path) - kept) // 2
    part = path[first : first + kept]
    lowest, highest = part.min(dim=0).values, part.max(dim=0).values
    half = math.ceil(float((highest - lowest).max()) / 2) + 1
    place = part - (lowest + highest) / 2 + half
    corner = place.floor().long()
    far = place - corner
    kernel = torch.zeros(2 * half + 1, 2 * half + 1, dtype=torch.float64)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):  # each position is shared by its four neighbours
        weight = (far if row else 1 - far)[:, 0] * (far if column else 1 - far)[:, 1]
        kernel.index_put_((corner[:, 0] + row, corner[:, 1] + column), weight, accumulate=True)
    return (kernel / kernel.sum()).float()


def deblurring(
    *,
    length: float = 15.0,
    teacher_exposure: float = 0.3,
    shake: int = 0,
    noise: float = 0.01,
    rtol: float = 0.3,
    size: int | tuple[int, int] | None = None,
    sigma: float = 0.03,
    seed: int = 0,
    denoiser: Denoiser | None = None,
    images: Split | None = None,
) -> Task:
    """Grey faces seen through the blur of a camera that shook.

    Parameters
    ----------
    length : float
        Length in pixels of the path that the image moves along during the student's exposure.
    teacher_exposure : float
        Share of that time, from its middle, during which the teacher's shutter is open, in (0, 1].
    shake : int
        Seed of the path.
    noise : float
        Standard deviation of the Gaussian noise on each pixel, for student and teacher.
    rtol : float
        Modes weaker than this fraction of the strongest count as hidden, in [0, 1).
    size : int or pair of int, optional
        Side, or height and width, of the images in pixels, even; by default that of your own images, or 64.
    sigma : float
        Noise level for the denoiser.
    seed : int
        Seed of the cameras' noise generators.
    denoiser : Denoiser, optional
        Another denoiser than that of super-resolution, which was trained on the same faces.
    images : Split, optional
        Your own images instead of the faces, each part (N, C, H, W); with C = 3 give a denoiser of colour too.

    Returns
    -------
    Task
    """
    require_number("teacher_exposure", teacher_exposure, above=0, highest=1)
    require_seed("shake", shake)
    require_size("size", size, none=True)
    require_seed("seed", seed)
    require_instance("images", images, Split, "a Split", none=True)
    path, sides = shaken_path(length, shake), chosen_sides(size, images, 64)
    img_size = (1 if images is None else images.train.shape[1], *sides)
    student = MotionBlur(img_size, exposed(path), noise, seed, rtol)
    teacher = MotionBlur(img_size, exposed(path, teacher_exposure), noise, seed + 1, rtol)
    if images is None:
        images = faces_of(sides)
    if denoiser is None:
        denoiser = load_denoiser(weights_path("super_resolution", "denoiser"))
    return make_task(student, teacher, images, denoiser, sigma, preset=PRESET, img_size=img_size)


PRESET = Preset(
    name="deblurring",
    make=deblurring,
    augment=perturb_face,
    images=load_faces,
    recipes={
        "distilled": DistillationRecipe(
            form="newton_null_space",
            losses={"gradient": 1.0, "supervised": 1.0},
            perturbed=1.0,
            steps=1800,
            batch_size=8,
            learning_rate=3e-3,
            pool_size=128,
            sigma=0.02,
            momentum="none",
            damping=0.03,
            damping_noise=0.01,
            parameters="small",
        ),
    },
    counts=Counts(tuning=40, validation=40, evaluation=80, study=(12, 40)),
    sigmas=(0.003, 0.005, 0.007, *SIGMAS),  # without P the best is 0.01, the end of the usual grid
    conditions={
        "noise 0.003": {"noise": 0.003},
        "noise 0.03": {"noise": 0.03},
        "shake 1": {"shake": 1},
        "length 17": {"length": 17.0},
    },
    weights=WEIGHTS_FOLDER,
)
