"""Masks of variable density: more near the zero frequency, where more of an image's energy is."""

import torch

from ..arguments import (
    LARGEST_SIDE,
    is_integer,
    require,
    require_count,
    require_generator,
    require_integer,
    require_number,
)

BISECTIONS = 20
"""Radii that are tried for a Poisson disc."""


def column_mask(
    width: int, acceleration: float, calibration: int, generator: torch.Generator, *, power: float = 3.0
) -> torch.Tensor:
    r"""Draw whole columns with the density :math:`(1 - |k|)^p`, k from −1 to 1.

    Parameters
    ----------
    width : int
        Number of columns W.
    acceleration : float
        R, 1 or above: round(W / R) columns are measured, with those of the calibration.
    calibration : int
        Columns around the zero frequency, W // 2, that are always measured.
    generator : torch.Generator
        Makes the draws.
    power : float
        p, 0 or above; 0 is uniform.

    Returns
    -------
    Tensor, shape (W,), bool

    Raises
    ------
    ValueError
        If an argument is not accepted, or the calibration alone has more columns.

    References
    ----------
    Lustig, Donoho and Pauly, "Sparse MRI", 2007.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.scanner import column_mask
    >>> int(column_mask(64, 4.0, 8, torch.Generator().manual_seed(0)).sum())
    16
    """
    require_count("width", width)
    require_integer("calibration", calibration, lowest=0, highest=width)
    count = _count(width, acceleration, calibration)
    require_generator("generator", generator)
    require_number("power", power, lowest=0)
    always = torch.zeros(width, dtype=torch.bool)
    always[_middle(width, calibration)] = True
    return _drawn(_radius((width,)), always, count, generator, power)


def random_mask(
    sides: tuple[int, int],
    acceleration: float,
    calibration: int,
    generator: torch.Generator,
    *,
    power: float = 3.0,
) -> torch.Tensor:
    r"""Draw places with the density :math:`(1 - |k|)^p`, independent of one another; k is 1 at the furthest corner.

    Parameters
    ----------
    sides : pair of int
        Height and width of k-space.
    acceleration : float
        R, 1 or above: round(H W / R) places are measured, with those of the calibration.
    calibration : int
        Side of the square around the zero frequency that is always measured.
    generator : torch.Generator
        Makes the draws.
    power : float
        p, 0 or above; 0 is uniform.

    Returns
    -------
    Tensor, shape (H, W), bool

    Raises
    ------
    ValueError
        If an argument is not accepted, or the calibration alone has more places.
    """
    _require_sides(sides)
    require_integer("calibration", calibration, lowest=0, highest=min(sides))
    count = _count(sides[0] * sides[1], acceleration, calibration**2)
    require_generator("generator", generator)
    require_number("power", power, lowest=0)
    return _drawn(_radius(sides), _square(sides, calibration), count, generator, power)


def poisson_disc_mask(
    sides: tuple[int, int],
    acceleration: float,
    calibration: int,
    generator: torch.Generator,
    *,
    slope: float = 2.0,
) -> torch.Tensor:
    r"""Draw places none of which are close to one another: a Poisson disc of variable density.

    Places are tried in a random order.  Each that is taken keeps later ones at a distance of more than
    :math:`r (1 + s |k|)` places.  r is found by bisection so that enough are taken; the last of too many are dropped.

    Parameters
    ----------
    sides : pair of int
        Height and width of k-space.
    acceleration : float
        R, 1 or above: round(H W / R) places are measured, with those of the calibration.
    calibration : int
        Side of the square around the zero frequency that is always measured.
    generator : torch.Generator
        Makes the draws.
    slope : float
        s, 0 or above: how much wider the distance is at the furthest corner.

    Returns
    -------
    Tensor, shape (H, W), bool

    Raises
    ------
    ValueError
        If an argument is not accepted, or the calibration alone has more places.

    References
    ----------
    Bridson, "Fast Poisson disk sampling in arbitrary dimensions", 2007; Vasanawala et al., "Practical parallel
    imaging compressed sensing MRI", 2011.
    """
    _require_sides(sides)
    require_integer("calibration", calibration, lowest=0, highest=min(sides))
    count = _count(sides[0] * sides[1], acceleration, calibration**2)
    require_generator("generator", generator)
    require_number("slope", slope, lowest=0)
    always = _square(sides, calibration)
    order = torch.randperm(sides[0] * sides[1], generator=generator)
    spread = 1 + slope * _radius(sides)
    low, high, best = 0.0, float(max(sides)), torch.ones(sides, dtype=torch.bool)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        found = _taken(order, middle * spread, always)
        enough = int(found.sum()) >= count
        low, high, best = (middle, high, found) if enough else (low, middle, best)
        if int(best.sum()) - count <= count // 200:
            break
    return _dropped(best, always, count, order)


def _require_sides(sides: tuple[int, int]) -> None:
    pair = isinstance(sides, tuple | list) and len(sides) == 2 and all(map(is_integer, sides))
    fits = pair and min(sides) >= 1 and max(sides) <= LARGEST_SIDE and sides[0] * sides[1] <= 2**22
    require(
        fits, "sides", sides, f"height and width, integers from 1 to {LARGEST_SIDE}, {2**22} places at most"
    )


def _count(places: int, acceleration: float, always: int) -> int:
    """Return how many places are measured, at least those that always are."""
    require_number("acceleration", acceleration, lowest=1)
    count = round(places / acceleration)
    highest = places / max(1, always)
    require(
        count >= max(1, always), "acceleration", acceleration, f"at most {highest:g}: places over calibration"
    )
    return count


def _middle(side: int, width: int) -> slice:
    return slice(side // 2 - width // 2, side // 2 - width // 2 + width)


def _square(sides: tuple[int, int], width: int) -> torch.Tensor:
    always = torch.zeros(sides, dtype=torch.bool)
    always[_middle(sides[0], width), _middle(sides[1], width)] = True
    return always


def _radius(sides: tuple[int, ...]) -> torch.Tensor:
    """Return the distance from the zero frequency, as a fraction of the furthest."""
    squared = torch.zeros(sides, dtype=torch.float64)
    for place, side in enumerate(sides):
        k = (torch.arange(side, dtype=torch.float64) - side // 2) / max(1, side // 2)
        squared += k.square().reshape([-1 if n == place else 1 for n in range(len(sides))])
    return (squared / len(sides)).sqrt()


def _drawn(
    radius: torch.Tensor, always: torch.Tensor, count: int, generator: torch.Generator, power: float
) -> torch.Tensor:
    """Draw without replacement: the first of independent exponential times whose rates are the density."""
    density = (1 - radius).clamp(min=1e-3) ** power
    times = torch.empty_like(radius).exponential_(generator=generator) / density
    times[always] = -1  # before all others
    mask = torch.zeros(radius.numel(), dtype=torch.bool)
    mask[times.flatten().argsort(stable=True)[:count]] = True
    return mask.reshape(radius.shape)


def _taken(order: torch.Tensor, distances: torch.Tensor, always: torch.Tensor) -> torch.Tensor:
    """Take places in an order, each with its distance from all that were taken before it."""
    height, width = distances.shape
    mask, blocked = always.numpy().copy(), always.numpy().copy()
    rows, columns = torch.arange(height).numpy()[:, None], torch.arange(width).numpy()
    reach = distances.numpy()
    for place in order.tolist():
        row, column = divmod(place, width)
        if blocked[row, column]:
            continue
        mask[row, column] = True
        radius = float(reach[row, column])
        whole = int(radius)
        near = (
            slice(max(0, row - whole), row + whole + 1),
            slice(max(0, column - whole), column + whole + 1),
        )
        blocked[near] |= (rows[near[0]] - row) ** 2 + (columns[near[1]] - column) ** 2 <= radius**2
    return torch.from_numpy(mask)


def _dropped(mask: torch.Tensor, always: torch.Tensor, count: int, order: torch.Tensor) -> torch.Tensor:
    """Drop the places of the end of an order until there are as many as wanted."""
    kept = mask.flatten().clone()
    free = order[(mask & ~always).flatten()[order]]
    kept[free[len(free) - (int(kept.sum()) - count) :]] = False
    return kept.reshape(mask.shape)
