"""Given in problem set 4: the parameters of the course, a small camera with a hole, and four filters for it."""

import math
from dataclasses import dataclass

import course
import torch
from torch.nn import functional

from ddgp_lib.data import load_digits

SIDE = 16
PIXELS = SIDE * SIDE


@dataclass(frozen=True)
class Parameters:
    """What is drawn for a course or a student.

    Attributes
    ----------
    digit : int
        Which of the validation digits the small camera looks at.
    hole : float
        Radius in pixels of the disc in which the camera has lost its pixels.
    turn : float
        By how many degrees the turning filter turns the image in each call.
    overshoot : float
        Minus the least eigenvalue that the overshooting filter has with the small camera.
    brightness : float
        Gain of the lens in the middle of the image.
    fall_off : float
        Share of the gain that is lost in the corners.
    momentum : float
        A constant momentum.
    digits : tuple of int
        Which of the validation digits the single-pixel camera looks at.
    """

    digit: int
    hole: float
    turn: float
    overshoot: float
    brightness: float
    fall_off: float
    momentum: float
    digits: tuple[int, ...]


def parameters(key: str, student: str = "") -> Parameters:
    """Draw the parameters."""
    rng = course.draw(key, student, "pnp_fista")
    return Parameters(
        digit=int(rng.integers(1000)),
        hole=float(rng.choice([5.0, 5.5, 6.0])),
        turn=float(rng.choice([-3.5, -3.0, 3.0, 3.5])),
        overshoot=float(rng.choice([0.38, 0.4, 0.42, 0.44])),
        brightness=round(float(rng.uniform(0.8, 1.6)), 2),
        fall_off=round(float(rng.uniform(0.2, 0.4)), 2),
        momentum=float(rng.choice([0.5, 0.6, 0.7, 0.8, 0.9])),
        digits=tuple(int(i) for i in rng.choice(1000, 4, replace=False)),
    )


def normal(shape, seed):
    """Draw an array of standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def image(p: Parameters):
    """Return a digit as a vector of PIXELS numbers in [0, 1]."""
    digit = load_digits().val[p.digit : p.digit + 1].double()
    return functional.interpolate(digit, size=(SIDE, SIDE), mode="bilinear", antialias=True).flatten()


def distances():
    """Return the distance of each pixel from the middle of the image, (PIXELS,)."""
    place = torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2
    return (place[:, None] ** 2 + place[None, :] ** 2).sqrt().flatten()


def camera(p: Parameters):
    """Return the matrix A of the small camera: a row for each pixel outside the hole, times the gain of the lens."""
    r = distances()
    gain = p.brightness * (1 - p.fall_off * (r / r.max()) ** 2)
    return torch.diag(gain)[r > p.hole]


def averaging(p: Parameters):
    """Return a filter W that replaces each pixel by a mean over pixels that are near and of similar brightness.

    It is the graph filter I − (K's degrees − K) / (largest degree) with the symmetric weights K_ij, and so symmetric
    itself. Its weights come from the true image, which only a simulation has.
    """
    place = torch.arange(SIDE, dtype=torch.float64)
    places = torch.cartesian_prod(place, place)
    truth = image(p)[:, None]
    near = torch.cdist(places, places) ** 2 / (2 * 0.6**2)
    similar = (truth - truth.T) ** 2 / (2 * 0.3**2)
    weights = torch.exp(-near - similar)
    degrees = weights.sum(dim=1)
    return torch.eye(PIXELS, dtype=torch.float64) - (torch.diag(degrees) - weights) / degrees.max()


def overshooting(p: Parameters):
    """Return a filter that goes in the direction of `averaging`, and too far: I − c (I − W) with c > 1.

    The factor c is found by bisection: with the small camera and a step of 1/L the least eigenvalue is −overshoot.
    """
    A, W, identity = camera(p), averaging(p), torch.eye(PIXELS, dtype=torch.float64)
    squares = (A**2).sum(dim=0)  # AᵀA is diagonal
    root = (1 - squares / squares.max()).sqrt()
    small, large = 1.0, 8.0
    for _ in range(30):
        c = (small + large) / 2
        least = torch.linalg.eigvalsh(root[:, None] * (identity - c * (identity - W)) * root)[0]
        small, large = (c, large) if least > -p.overshoot else (small, c)
    return identity - c * (identity - W)


def turning(p: Parameters):
    """Return `averaging`, followed by a turn of the image by a few degrees about its middle."""
    angle, half = math.radians(p.turn), (SIDE - 1) / 2
    place = torch.arange(SIDE, dtype=torch.float64) - half
    y, x = torch.meshgrid(place, place, indexing="ij")
    source = torch.stack(
        [math.sin(angle) * y + math.cos(angle) * x, math.cos(angle) * y - math.sin(angle) * x], -1
    )
    pictures = torch.eye(PIXELS, dtype=torch.float64).reshape(-1, 1, SIDE, SIDE)
    turned = functional.grid_sample(
        pictures, (source / half).expand(PIXELS, -1, -1, -1), padding_mode="border", align_corners=True
    )
    return turned.reshape(PIXELS, PIXELS).T @ averaging(p)


def gradient_step(u):
    """Denoise an image (PIXELS,) by one gradient step on a smoothed total variation: D(u) = u − ∇φ(u).

    φ adds c δ² (sqrt(1 + (d/δ)²) − 1) over all differences d of neighbours, with c = 1/8 and δ = 0.1.
    """

    def slope(d):
        return d / 8 / (1 + (d / 0.1) ** 2).sqrt()

    picture = u.reshape(SIDE, SIDE)
    down, across = slope(picture.diff(dim=0)), slope(picture.diff(dim=1))
    change = functional.pad(down, (0, 0, 1, 0)) - functional.pad(down, (0, 0, 0, 1))
    change = change + functional.pad(across, (1, 0)) - functional.pad(across, (0, 1))
    return u - change.reshape(u.shape)
