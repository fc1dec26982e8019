"""What a benchmark over seeds says: leads over the best that learns nothing and over rivals, in words and in tables.

All read what :func:`~ddgp_lib.experiments.seeds.over_seeds` found.  A difference is called one where its 95 %
interval over seeds and images leaves zero out, and, where a method was trained once, if it is no smaller than
trainings differ.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..tables import Column, Table, Value, table
from .seeds import AT, best_of, gain, rivals_of, values_of
from .statistics import Difference

TITLES: Mapping[str, str] = {
    "none": "no P",
    "newton": "Newton",
    "polynomial": "polynomial",
    "tv": "total variation",
    "annealed": "annealed FISTA",
    "admm": "exact ADMM",
    "teacher": "teacher",
    "distilled": "distilled",
    "distilled_gradient_only": "gradient only",
    "distilled_linear": "linear",
    "distilled_fast": "distilled, few steps",
    "distilled_supervised": "no teacher",
    "distilled_imitation": "teacher's losses",
    "direct": "direct",
    "null_space_network": "null-space network",
    "unfolded": "unfolded",
    "modl": "MoDL",
    "npn": "NPN",
    "npn_fista": "NPN in FISTA",
}
"""What tables and figures call a method."""


def title_of(name: str) -> str:
    """Return what tables call a method; its own name, with spaces, where nothing else is said.

    Examples
    --------
    >>> title_of("tv"), title_of("my_method")
    ('total variation', 'my method')
    """
    return TITLES.get(name, name.replace("_", " "))


ONE_TRAINING = 0.2
"""Decibels by which two methods have to differ where one was trained once: trainings of a recipe differ by half."""


def verdict(difference: Difference) -> str:
    """Return ``"ahead of"``, ``"behind"``, or ``"even with"`` where the 95 % interval holds zero.

    Where a method was trained once, no interval knows how much another training would differ.  There a difference
    of less than :data:`ONE_TRAINING` is even, too.  A difference that is not finite is none of them:
    ``"not comparable with"``.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.statistics import paired_difference
    >>> verdict(paired_difference(torch.tensor([3.0, 3.1, 2.9]), torch.tensor([1.0, 1.0, 1.0])))
    'ahead of'
    """
    if not (math.isfinite(difference.mean) and math.isfinite(difference.interval)):
        return "not comparable with"
    floor = ONE_TRAINING if difference.trained_once else 0.0
    if abs(difference.mean) <= max(difference.interval, floor):
        return "even with"
    return "ahead of" if difference.mean > 0 else "behind"


def told(difference: Difference) -> str:
    """Write a difference and half its 95 % interval.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.statistics import paired_difference
    >>> told(paired_difference(torch.tensor([3.0, 3.1, 2.9]), torch.tensor([1.0, 1.0, 1.0])))
    '+2.00 ± 0.25 dB'
    """
    return f"{difference.mean:+.2f} ± {difference.interval:.2f} dB"


def reference_of(result: Mapping[str, Any], k: int | None = AT, *, region: bool = False) -> str:
    """Return the method that learns no preconditioner with the highest mean at an iteration.

    Parameters
    ----------
    result : mapping
        What :func:`~ddgp_lib.experiments.seeds.over_seeds` returned.
    k : int or None
        The iteration; None lets each method have its own best one.
    region : bool
        Whether the pixels of the region alone count.

    Raises
    ------
    ValueError
        If there is no such iteration, the camera has no region, or there is no such method.
    """
    return strongest(result, result["baselines"], k, region=region)


def strongest(
    result: Mapping[str, Any], names: Iterable[str], k: int | None = AT, *, region: bool = False
) -> str:
    """Return the method of several with the highest mean at an iteration, or, for None, at its own best one.

    Parameters
    ----------
    result, k, region
        See :func:`reference_of`.
    names : iterable of str
        Methods.

    Raises
    ------
    ValueError
        If there is no such iteration, the camera has no region, or there is no such method.
    """
    names = list(names)
    if k is not None:
        return best_of(result, names, k, region=region)
    leaders = {i: best_of(result, names, i, region=region) for i in result["iterations"]}
    means = {i: float(values_of(result, name, i, region=region).mean()) for i, name in leaders.items()}
    return leaders[max(means, key=lambda i: means[i])]


def lead(
    result: Mapping[str, Any], name: str = "distilled", k: int | None = AT, *, region: bool = False
) -> Difference:
    """Return a method's gain over the best method that learns no preconditioner.

    Parameters
    ----------
    result, k, region
        See :func:`reference_of`.
    name : str
        The method.

    Raises
    ------
    ValueError
        If there is no such method or iteration, or the camera has no region.
    """
    return gain(result, name, reference_of(result, k, region=region), k, region=region)


def over_rivals(
    result: Mapping[str, Any], name: str = "distilled", k: int | None = AT, *, region: bool = False
) -> dict[str, Difference]:
    """Return a method's gains over every learned network that is asked once, by name.

    Parameters
    ----------
    result, name, k, region
        See :func:`lead`.

    Raises
    ------
    ValueError
        If there is no such method or iteration, or the camera has no region.
    """
    return {rival: gain(result, name, rival, k, region=region) for rival in rivals_of(result)}


def show_leads(
    results: Mapping[str, Mapping[str, Any]],
    names: Iterable[str],
    k: int | None = AT,
    *,
    within: str = "region",
) -> Table:
    """Write a column for each camera, and for its region: the best that learns nothing, and gains over it.

    Parameters
    ----------
    results : mapping of str to mapping
        What :func:`~ddgp_lib.experiments.seeds.over_seeds` returned, by the name of a column.
    names : iterable of str
        Methods; one that a camera lacks leaves its cell empty.
    k : int or None
        The iteration of all; None lets each method have its own best one.
    within : str
        What the column of a camera's region is called, after the camera's own name.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there is no such iteration.
    """
    columns = dict[str, list[Value]]()
    titles = {name: title_of(name) for name in names}
    for label, result in results.items():
        whole_only = result["methods"][result["baselines"][0]]["region_psnr"] is None
        for region in (False,) if whole_only else (False, True):
            reference = reference_of(result, k, region=region)
            found = {n: lead(result, n, k, region=region) for n in titles if n in result["methods"]}
            gains = [(d.mean, d.interval) if (d := found.get(n)) else None for n in titles]
            columns[f"{label}, {within}" if region else label] = [title_of(reference), *gains]
    heads = [Column(name, "dB", signed=True) for name in columns]
    heads_of_rows = ["best that learns nothing", *titles.values()]
    rows = dict(zip(heads_of_rows, zip(*columns.values(), strict=True), strict=True))
    when = "each at its own best iteration" if k is None else f"at iteration {k}"
    caption = f"Gain in mean PSNR over the best method that learns nothing, {when}, with its 95 % interval."
    return table(caption, heads, rows, corner="method")
