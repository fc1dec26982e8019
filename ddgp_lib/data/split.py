"""Training, validation and test images, kept apart."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from ..arguments import is_number, require, require_images, require_integer
from ..reprs import brief, line
from .listing import LOGGER, named, normalised, warn


class Split(NamedTuple):
    """Images for training, for choices made along the way, and for the numbers that are reported.

    Each is a float tensor of shape (N, C, H, W) with values in [0, 1].
    """

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor

    def __repr__(self) -> str:
        return line("Split", {name: brief(part) for name, part in self._asdict().items()})


def split_groups(names: Sequence[str], fractions: Sequence[float]) -> list[list[str]]:
    """Divide names (of people, volumes, files) into parts, by a shuffle that any machine repeats.

    Names are put in the order of their SHA-256 and cut, so the parts do not depend on the order in which a file
    system lists them, nor on how it composes letters with accents.  Every part gets at least one name.

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
        If there are too few names, one is there twice, or a share is outside what is accepted.
    """
    listed = isinstance(fractions, list | tuple) and all(is_number(share) for share in fractions)
    fit = listed and all(share > 0 for share in fractions) and sum(fractions) < 1
    require(fit, "fractions", fractions, "shares above 0 that sum to less than 1")
    strings = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    require(strings, "names", names, "a list of names")
    parts, different = 1 + len(fractions), {normalised(name) for name in names}
    require(len(different) == len(names), "names", names, "different names")
    require(
        len(names) >= parts, "names", tuple(names), f"at least {parts} people, volumes or files to divide"
    )
    order = sorted(
        names, key=lambda name: hashlib.sha256(normalised(name).encode(errors="surrogateescape")).digest()
    )
    counts = [max(1, round(share * len(order))) for share in fractions]
    counts = [max(1, len(order) - sum(counts)), *counts]
    while sum(counts) > len(order):
        counts[max(k for k, count in enumerate(counts) if count > 1)] -= 1
    starts = [sum(counts[:k]) for k in range(parts)]
    return [order[start : start + count] for start, count in zip(starts, counts, strict=True)]


def read_parts(
    folder: Path,
    parts: Sequence[Sequence[Path]],
    read: Callable[[Path], torch.Tensor],
    limit: int | None,
    *,
    complex_valued: bool = False,
) -> Split:
    """Read the files of the three parts, none of which is in two of them, and finish the split.

    Parameters
    ----------
    folder : Path
        Where the files are, for what is said of them.
    parts : sequence of sequences of Path
        The files for training, validation and testing.
    read : callable
        Reads a file's images (N, C, H, W).
    limit : int, optional
        Largest number of images in each part.
    complex_valued : bool
        Whether the channels are a real and an imaginary part.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If a number is not accepted, a part is empty, a file is there twice, or :func:`finish` refuses the images.
    """
    require_integer("limit", limit, lowest=1, none=True)
    seen: dict[str, Path] = {}
    for name, files in zip(Split._fields, parts, strict=True):
        require(bool(files), name, [], "at least one picture")
        for file in files:
            same = seen.setdefault(os.path.realpath(file), file)
            require(same is file, name, str(file), f"no file twice; it is {named([same], folder)} already")
    images, origins = [], []
    for files in parts:
        stacks: list[torch.Tensor] = []
        labels: list[str] = []
        for file in files:
            if limit is not None and len(labels) >= limit:
                break
            stacks.append(read(file))
            label, count = named([file], folder), len(stacks[-1])
            labels += [label] if count == 1 else [f"{label} ({k + 1})" for k in range(count)]
        images.append(torch.cat(stacks)[:limit])
        origins.append(labels[:limit])
    return finish(folder, images, origins, complex_valued=complex_valued)


def finish(
    folder: Path,
    images: Sequence[torch.Tensor],
    origins: Sequence[Sequence[str]],
    *,
    complex_valued: bool = False,
) -> Split:
    """Make a split of images that were read: every loader of one's own images ends here.

    An image that is equal, number by number, to one of a later part is left out of the earlier one: what is tested
    is not trained on.  Two kinds are kept, with a warning: blank images, where nothing else would remain; and complex
    slices, whose files say that they are of different people.

    Parameters
    ----------
    folder : Path
        Where the images are from.
    images : sequence of Tensor
        The three parts, each (N, C, H, W).
    origins : sequence of sequences of str
        What each image is called in a message.
    complex_valued : bool
        Whether the channels are a real and an imaginary part: then magnitudes are at most 1.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If a part is empty, its images are of another shape than those for training, or a value is not finite or not
        in [0, 1].

    Warns
    -----
    UserWarning
        Of images that two parts have.
    """
    for name, part, labels in zip(Split._fields, images, origins, strict=True):
        require(len(labels) > 0, name, [], "at least one picture")
        values = part.norm(dim=1, keepdim=True) if complex_valued else part
        require_images(name, values, bounds=(0, 1))
        shape, wanted = tuple(part.shape[1:]), tuple(images[0].shape[1:])
        require(shape == wanted, f"{name}.shape", shape, f"{wanted}, the shape of the images for training")
    later: dict[bytes, str] = {}
    parts = []
    for name, part, labels in reversed(list(zip(Split._fields, images, origins, strict=True))):
        keys = [hashlib.sha256(image.contiguous().numpy()).digest() for image in part]
        same = [f"{label} (as {later[key]})" for key, label in zip(keys, labels, strict=True) if key in later]
        fresh = [k for k, key in enumerate(keys) if key not in later]
        blank = bool((part == part[:, :, :1, :1]).all())
        kept = complex_valued or (blank and not fresh)
        if same and not kept:
            require(bool(fresh), name, labels[0], f"an image that no later part has too: {named(same)}")
            part = part[fresh]
        if same:
            fate = "kept though a later part has them" if kept else "left out, since a later part has them"
            warn(f"{name}: {len(same)} of {len(keys)} images {fate} too: {named(same)}")
        later |= {key: f"{name}'s {label}" for key, label in zip(keys, labels, strict=True)}
        parts.append(part)
    split = Split(*reversed(parts))
    counts = ", ".join(f"{len(part)} {name}" for name, part in zip(Split._fields, split, strict=True))
    LOGGER.info("%s: images read: %s, each %s", folder, counts, tuple(split.train.shape[1:]))
    return split
