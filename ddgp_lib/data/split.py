"""Training, validation and test images, kept apart."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from ..arguments import require


class Split(NamedTuple):
    """Images for training, for choices made along the way, and for the numbers that are reported.

    Each is a float tensor of shape (N, C, H, W) with values in [0, 1].
    """

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor


def split_groups(names: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Divide names (of people, volumes, files) into parts, by a shuffle that any machine repeats.

    Names are put in the order of their SHA-256 and cut, so the parts do not depend on the order in which a file
    system lists them.  Every part gets at least one name.

    Parameters
    ----------
    names : sequence of str
        Different names, at least as many as parts.
    fractions : sequence of float
        Share of each part but the first, each above 0, below 1 together; the first part gets the rest.

    Returns
    -------
    list of list of str
        The names of each part, the first part first.

    Raises
    ------
    ValueError
        If there are too few names, or a share is outside what is accepted.
    """
    fit = all(share > 0 for share in fractions) and sum(fractions) < 1
    require(fit, "fractions", tuple(fractions), "shares above 0 that sum to less than 1")
    parts = 1 + len(fractions)
    require(
        len(names) >= parts, "names", tuple(names), f"at least {parts} people, volumes or files to divide"
    )
    order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    counts = [max(1, round(share * len(order))) for share in fractions]
    counts = [max(1, len(order) - sum(counts)), *counts]
    starts = [sum(counts[:k]) for k in range(parts)]
    return [order[start : start + count] for start, count in zip(starts, counts, strict=True)]


def existing_folder(folder: str | Path) -> Path:
    """Return the path of a folder.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"folder={str(folder)!r}: no such folder")
    return Path(folder)
