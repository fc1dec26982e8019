"""A small lens-less camera with a scene, and problems as matrices."""

import torch
from scipy.optimize import nnls

from ddgp_lib.operators import LenslessCamera


def camera_of(height, width, seed=0):
    """Make a camera whose point spread function is sharp and sparse, as a diffuser's caustics are."""
    generator = torch.Generator().manual_seed(seed)
    psf = torch.rand(height, width, generator=generator, dtype=torch.float64) ** 4
    return LenslessCamera(psf / psf.norm())


def scene(camera, noise=0.01, seed=0):
    """Return the truth, zero but for a bright patch in the middle, and its noisy measurements of norm 1."""
    generator = torch.Generator().manual_seed(seed)
    height, width = camera.sides["x"]
    truth = torch.zeros(1, 1, height, width, dtype=torch.float64)
    patch = truth[..., height // 3 : -(height // 3), width // 3 : -(width // 3)]
    patch += (torch.rand(patch.shape, generator=generator, dtype=torch.float64) > 0.5).double()
    clean = camera.A(truth)
    level = noise * clean.norm() / clean.numel() ** 0.5
    y = clean + level * torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    return truth / y.norm(), y / y.norm()


def matrix_of(function, sides):
    """Return a linear map of images (N, 1, H, W) as a matrix, by its columns."""
    count = sides[0] * sides[1]
    basis = torch.eye(count, dtype=torch.float64).reshape(count, 1, *sides)
    return function(basis).flatten(1).T


def objective(camera, x, y):
    """½‖A x − y‖²."""
    return 0.5 * float((camera.A(x) - y).square().sum())


def solution_of(camera, y):
    """Return the x ≥ 0 of the lowest objective, by an active-set method; pixels that are not seen are zero."""
    A = matrix_of(camera.A, camera.sides["x"])
    seen = A.norm(dim=0) > 1e-12
    found = torch.zeros(A.shape[1], dtype=torch.float64)
    found[seen] = torch.from_numpy(nnls(A[:, seen].numpy(), y.flatten().numpy(), maxiter=10000)[0])
    return found.reshape(1, 1, *camera.sides["x"])
