"""Images on one grey scale, and reconstructions with their errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ..arguments import (
    require,
    require_count,
    require_flag,
    require_instance,
    require_integer,
    require_number,
)
from ._common import as_picture, psnr_of, require_labelled, require_texts, require_tuple
from .style import WIDTH, BookFigure, Numbers, styled


def _show(
    ax: Axes, array: NDArray[np.float64], title: str, vmin: float, vmax: float, cmap: str, size: float = 11
) -> Any:
    """Draw one image without ticks and return matplotlib's image."""
    if array.ndim == 3:
        array = np.clip((array - vmin) / (vmax - vmin), 0, 1)
    drawn = ax.imshow(array, cmap=cmap, vmin=vmin, vmax=vmax)
    ax.set_title(title, fontsize=size)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#BBBBBB")
    return drawn


def _grid(count: int, columns: int | None, most: int) -> tuple[int, int]:
    """Return rows and columns for ``count`` images."""
    require_count("columns", columns, none=True)
    rows = -(-count // (columns or most))
    return rows, columns or -(-count // rows)


@styled
def images(
    pictures: Mapping[str, Numbers],
    *,
    vmin: float = 0.0,
    vmax: float = 1.0,
    columns: int | None = None,
    signed: bool = False,
    scale_label: str | None = None,
) -> BookFigure:
    """Show images side by side on one grey scale.

    Parameters
    ----------
    pictures : mapping of title to image
        Images (H, W), (1, H, W), (3, H, W) or (1, C, H, W); complex ones are shown by their magnitude.
    vmin, vmax : float
        Values drawn black and white.
    columns : int, optional
        Images per row, four at most by default.
    signed : bool
        Use a diverging map for images that have both signs (blue negative, white zero, red positive);
        ``vmin`` is then taken as minus ``vmax``.
    scale_label : str, optional
        Label of a colour bar; none is drawn without it.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no image, one has an unsuitable shape, or ``vmin`` is not below ``vmax``.
    """
    require_labelled("pictures", pictures, "at least one titled image")
    require_flag("signed", signed)
    require_number("vmin", vmin)
    require_number("vmax", vmax)
    require_instance("scale_label", scale_label, str, "a text", none=True)
    if signed:
        vmin = -vmax
    if not vmin < vmax:
        raise ValueError(f"vmin={vmin!r}, vmax={vmax!r}: expected vmin below vmax")
    rows, wide = _grid(len(pictures), columns, 4)
    lines = 1 + max(title.count("\n") for title in pictures)
    height = rows * (min(WIDTH / wide, 2.4) + 0.15 + 0.2 * lines) + (0.55 if scale_label else 0.0)
    figure = BookFigure(figsize=(WIDTH, height), layout="constrained")
    grid = figure.subplots(rows, wide, squeeze=False).ravel()
    drawn = None
    for ax, (title, image) in zip(grid, pictures.items(), strict=False):
        array = as_picture(image, f"pictures[{title!r}]")
        drawn = _show(ax, array, title, vmin, vmax, "RdBu_r" if signed else "gray", 11 if wide < 4 else 10)
    for ax in grid[len(pictures) :]:
        ax.set_axis_off()
    if scale_label and drawn is not None:
        figure.colorbar(drawn, ax=grid.tolist(), location="bottom", label=scale_label, shrink=0.8, aspect=40)
    return figure


def _error_grid(count: int, columns: int | None, parts: bool) -> tuple[BookFigure, list[list[Axes]]]:
    """Return a figure with ``count`` axes for images and as many for their errors, below them.

    A single estimate has its error beside it: three images in a row. With ``parts``, there are axes below those of
    the images, and below those of the errors, for a part of each. The lists are of images, errors, and the parts
    after either where there are some.
    """
    each = 2 if parts else 1
    if count == 2 and columns is None:
        height = each * WIDTH / 3 + 1.1
        figure = BookFigure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(each, 3, squeeze=False)
        pairs = [[list(row[:2]) for row in grid], [[row[2]] * 2 for row in grid]]
        return figure, [*pairs[0], *pairs[1]]
    rows, wide = _grid(count, columns, 4)
    height = rows * 2 * (each * WIDTH / wide + 0.3) + 0.6
    figure = BookFigure(figsize=(WIDTH, height), layout="constrained")
    grid = figure.subplots(2 * each * rows, wide, squeeze=False)
    return figure, [list(grid[start :: 2 * each].ravel()) for start in range(2 * each)]


def _part(inset: Any, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return the top, the left and the side of a part, or None; refuse what does not lie in an image."""
    if inset is None:
        return None
    require_tuple("inset", inset, 3)
    for index, value in enumerate(inset):
        require_integer(f"inset[{index}]", value, lowest=0)
    top, left, side = (int(value) for value in inset)
    inside = side >= 1 and top + side <= shape[0] and left + side <= shape[1]
    accepted = f"(top, left, side) of a square within the {shape[0]} × {shape[1]} pixels of truth"
    require(inside, "inset", inset, accepted)
    return top, left, side


def _show_part(ax: Axes, below: Axes, part: tuple[int, int, int]) -> None:
    """Frame a part of the image in ``ax``, and draw the same pixels, enlarged, in ``below``."""
    (drawn,) = ax.images
    top, left, side = part
    pixels = np.asarray(drawn.get_array())[top : top + side, left : left + side]
    vmin, vmax = drawn.get_clim()
    _show(below, pixels, "", float(vmin), float(vmax), str(drawn.get_cmap().name))
    for colour, width in (("black", 2.4), ("white", 1.0)):  # seen on dark and on bright images
        frame = Rectangle((left - 0.5, top - 0.5), side, side, fill=False, color=colour, linewidth=width)
        frame.set_clip_on(False)
        ax.add_patch(frame)


@styled
def reconstructions(
    truth: Numbers,
    estimates: Mapping[str, Numbers],
    *,
    error_limit: float | None = None,
    columns: int | None = None,
    truth_title: str = "true image",
    inset: tuple[int, int, int] | None = None,
) -> BookFigure:
    """Show estimates of one image with their PSNR, and below each its absolute error on one shared scale.

    Parameters
    ----------
    truth : image
        The true image on [0, 1]; complex images are compared by their magnitude.
    estimates : mapping of name to image
        Images of the truth's shape.
    error_limit : float, optional
        Error drawn at the bright end of the scale; the largest error by default.
    columns : int, optional
        Images per row, the true image included; four at most by default, so that they stay large on a
        telephone.
    truth_title : str
        Title of the true image.
    inset : (top, left, side), optional
        A square of pixels that is framed in every image and every error, and shown enlarged below it, without
        smoothing.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no estimate, a shape differs from the truth's, ``error_limit`` is not positive, or ``inset``
        does not lie within the image.
    """
    require_labelled("estimates", estimates, "at least one named estimate")
    require_number("error_limit", error_limit, above=0, none=True)
    require_texts(truth_title=truth_title)
    reference = as_picture(truth, "truth")
    part = _part(inset, reference.shape)
    arrays = {name: as_picture(image, f"estimates[{name!r}]") for name, image in estimates.items()}
    for name, array in arrays.items():
        if array.shape != reference.shape:
            raise ValueError(
                f"estimates[{name!r}] has shape {array.shape}: expected {reference.shape}, as truth"
            )
    errors = {name: np.abs(array - reference) for name, array in arrays.items()}
    limit = error_limit or max(float(e.max()) for e in errors.values()) or 1.0
    figure, grid = _error_grid(len(arrays) + 1, columns, part is not None)
    top, bottom = grid[0], grid[len(grid) // 2]
    _show(top[0], reference, f"{truth_title}\n", 0, 1, "gray")
    drawn: Any = None
    for position, (name, array) in enumerate(arrays.items(), start=1):
        _show(top[position], array, f"{name}\n{psnr_of(array, reference):.1f} dB", 0, 1, "gray")
        error = errors[name].mean(axis=-1) if array.ndim == 3 else errors[name]
        drawn = _show(bottom[position], error, "|error|", 0, limit, "inferno")
    count = len(arrays) + 1
    used = {id(ax) for row in grid[: len(grid) // 2] for ax in row[:count]}
    used |= {id(ax) for row in grid[len(grid) // 2 :] for ax in row[1:count]}
    if part is not None:
        for ax, below in [*zip(*grid[:2], strict=True), *zip(*grid[2:], strict=True)]:
            if ax.images and not below.images:
                _show_part(ax, below, part)
    for ax in figure.axes:
        if id(ax) not in used:
            ax.set_axis_off()
    label = "absolute error (grey levels on [0, 1])"
    figure.colorbar(drawn, ax=figure.axes, location="bottom", label=label, aspect=40)
    return figure


@styled
def comparison(
    truths: Numbers,
    estimates: Mapping[str, Numbers],
    *,
    seen: tuple[str, Numbers] | None = None,
    error_limit: float | None = None,
) -> BookFigure:
    """Show several estimates of several images, and below each its absolute error; all share two scales.

    Every image has two rows: the true image and its estimates with their PSNR, then what is ``seen`` of the image
    and the errors.

    Parameters
    ----------
    truths : images (N, H, W), (N, 1, H, W) or (N, 3, H, W)
        True images on [0, 1].
    estimates : mapping of name to images
        Batches of the truths' shape.
    seen : (title, images), optional
        A batch for the places below the true images, such as what a camera sees of them.
    error_limit : float, optional
        Error drawn at the bright end of the scale; the largest error by default.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no estimate, a shape differs from the truths', or ``error_limit`` is not positive.
    """
    require_labelled("estimates", estimates, "at least one named batch")
    require_number("error_limit", error_limit, above=0, none=True)
    references = _pictures(truths, "truths")
    batches = {name: _pictures(batch, f"estimates[{name!r}]") for name, batch in estimates.items()}
    for name, batch in batches.items():
        if [array.shape for array in batch] != [array.shape for array in references]:
            found, wanted = (len(batch), batch[0].shape), (len(references), references[0].shape)
            raise ValueError(f"estimates[{name!r}] has shape {found}: expected {wanted}, as truths")
    errors = {
        name: [np.abs(array - truth) for array, truth in zip(batch, references, strict=True)]
        for name, batch in batches.items()
    }
    limit = error_limit or max(float(e.max()) for batch in errors.values() for e in batch) or 1.0
    below = None if seen is None else _seen(seen, len(references))
    wide = 1 + len(batches)
    figure = BookFigure(
        figsize=(WIDTH, len(references) * (2 * WIDTH / wide + 0.48) + 0.7), layout="constrained"
    )
    grid = figure.subplots(2 * len(references), wide, squeeze=False)
    size = 11 if wide < 4 else 10
    drawn: Any = None
    for row, truth in enumerate(references):
        upper, lower = grid[2 * row], grid[2 * row + 1]
        _show(upper[0], truth, "true image\n", 0, 1, "gray", size)
        if below is None:
            lower[0].set_axis_off()
        else:
            _show(lower[0], below[1][row], below[0], 0, 1, "gray", size)
        for position, (name, batch) in enumerate(batches.items(), start=1):
            title = f"{name}\n{psnr_of(batch[row], truth):.1f} dB"
            _show(upper[position], batch[row], title, 0, 1, "gray", size)
            error = errors[name][row]
            error = error.mean(axis=-1) if error.ndim == 3 else error
            drawn = _show(lower[position], error, "|error|", 0, limit, "inferno", size)
    label = "absolute error (grey levels on [0, 1])"
    figure.colorbar(drawn, ax=figure.axes, location="bottom", label=label, aspect=40)
    return figure


def _seen(seen: Any, count: int) -> tuple[str, list[NDArray[np.float64]]]:
    """Return a title and ``count`` images."""
    titled = isinstance(seen, tuple | list) and len(seen) == 2 and isinstance(seen[0], str)
    require(titled, "seen", seen, "None, or a pair (title, images)")
    pictures = _pictures(seen[1], "seen")
    require(len(pictures) == count, "seen", f"{len(pictures)} images", f"{count}, as truths")
    return seen[0], pictures


def _pictures(batch: Numbers, name: str) -> list[NDArray[np.float64]]:
    """Return a batch as a list of images (H, W) or (H, W, 3)."""
    numbers = isinstance(batch, torch.Tensor | np.ndarray | Sequence) and not isinstance(batch, str)
    require(numbers, name, batch, "images (N, C, H, W)")
    if len(np.shape(batch)) not in (3, 4) or len(batch) == 0:  # type: ignore[arg-type]
        raise ValueError(f"{name} has shape {tuple(np.shape(batch))}: expected images (N, C, H, W)")
    return [as_picture(image, f"{name}[{index}]") for index, image in enumerate(batch)]  # type: ignore[arg-type]
