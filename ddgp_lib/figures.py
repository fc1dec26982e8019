"""The plotting style of the book: every figure of every chapter is drawn by a function of this module.

Figures are about as wide as a column of text and use few, large letters, so that they can be read on a
telephone 390 pixels wide. Their background is white in light and dark mode alike. Curves differ by colour, by
dash pattern and by marker, so that colour is never the only sign. The PNG bytes depend on the data alone:
saving the same figure twice gives the same file.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

WIDTH = 5.2
"""Width of every figure in inches."""

DPI = 140
"""Resolution of a figure shown in a notebook, in dots per inch."""

COLOURS: dict[str, str] = {
    "baseline": "#0072B2",
    "distilled": "#D55E00",
    "gradient_only": "#A8417A",
    "linear": "#B57C00",
    "teacher": "#007A5A",
    "truth": "#000000",
    "other": "#6B6B6B",
    "range": "#0072B2",
    "null": "#D55E00",
    "guide": "#8A8A8A",
}
"""Colour of each role, after Okabe and Ito's colour-blind-safe palette, darkened for contrast on white."""


@dataclass(frozen=True)
class LineStyle:
    """How the curve of one role looks, apart from its colour."""

    dashes: str | tuple[int, tuple[float, ...]]
    marker: str


LINE_STYLES: dict[str, LineStyle] = {
    "baseline": LineStyle("-", "o"),
    "distilled": LineStyle("--", "s"),
    "gradient_only": LineStyle("-.", "^"),
    "linear": LineStyle((0, (5, 1, 1, 1, 1, 1)), "D"),
    "teacher": LineStyle((0, (1, 1)), "v"),
    "truth": LineStyle("-", "*"),
    "other": LineStyle((0, (3, 2)), "X"),
    "range": LineStyle("-", "o"),
    "null": LineStyle("--", "s"),
    "guide": LineStyle((0, (2, 2)), ""),
}
"""Dash pattern and marker of each role."""

CYCLE: tuple[str, ...] = ("baseline", "distilled", "teacher", "gradient_only", "linear", "other")
"""Roles given in turn to the curves of a figure that names none."""

STYLE: dict[str, Any] = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.handlelength": 2.6,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "figure.dpi": DPI,
}

P = ParamSpec("P")
R = TypeVar("R")
Scale = Literal["linear", "log", "symlog"]
Numbers = ArrayLike | torch.Tensor


def _styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run ``draw`` under the book's style, whatever style its caller has set."""

    @wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return wrapped


class BookFigure(Figure):
    """A matplotlib figure that a notebook shows as one deterministic PNG, with or without pyplot."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/png": base64.b64encode(png(self)).decode("ascii"), "text/plain": repr(self)}


@_styled
def png(figure: Figure, *, dpi: int = DPI, colours: int | None = 256) -> bytes:
    """Render a figure to PNG bytes that depend on its content alone.

    Parameters
    ----------
    figure : Figure
        Any matplotlib figure.
    dpi : int
        Dots per inch.
    colours : int or None
        Number of palette colours, 2 to 256; a palette makes the file three to five times smaller. None keeps
        full colour.

    Returns
    -------
    bytes
        The PNG file, without a time stamp or the name of the software.

    Raises
    ------
    ValueError
        If ``dpi`` is not positive or ``colours`` is outside 2 to 256.
    """
    if dpi <= 0:
        raise ValueError(f"dpi={dpi!r}: expected a positive number of dots per inch")
    if colours is not None and not 2 <= colours <= 256:
        raise ValueError(f"colours={colours!r}: expected None or an integer from 2 to 256")
    if figure.canvas is None or not isinstance(figure.canvas, FigureCanvasAgg):
        FigureCanvasAgg(figure)
    # A layout computed twice may move by a pixel, so it is computed once and kept.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=dpi, metadata={"Software": None})
    if colours is None:
        return raw.getvalue()
    picture = Image.open(raw).convert("RGB").quantize(colours, method=Image.Quantize.MAXCOVERAGE)
    small = io.BytesIO()
    picture.save(small, format="PNG", optimize=True)
    return small.getvalue()


@_styled
def axes(rows: int = 1, *, height: float = 3.2, share_x: bool = False) -> tuple[BookFigure, list[Axes]]:
    """Return an empty figure with ``rows`` axes, one above the other.

    Axes are stacked, never side by side, so that they keep their width on a telephone.

    Parameters
    ----------
    rows : int
        Number of axes.
    height : float
        Height of each in inches.
    share_x : bool
        Whether they share their horizontal axis.

    Returns
    -------
    tuple of BookFigure and list of Axes

    Raises
    ------
    ValueError
        If ``rows`` or ``height`` is not positive.
    """
    if rows < 1:
        raise ValueError(f"rows={rows!r}: expected at least 1")
    if height <= 0:
        raise ValueError(f"height={height!r}: expected a positive number of inches")
    figure = BookFigure(figsize=(WIDTH, rows * height), layout="constrained")
    grid = figure.subplots(rows, 1, squeeze=False, sharex=share_x)
    return figure, list(grid[:, 0])


def _array(values: Numbers) -> NDArray[np.float64]:
    """Return ``values`` as a NumPy array of floats, tensors included."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _vector(values: Numbers, name: str) -> NDArray[np.float64]:
    """Return ``values`` as a one-dimensional NumPy array."""
    array = _array(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: expected a non-empty sequence of numbers")
    return array


def _role(label: str, roles: Mapping[str, str] | None, position: int) -> str:
    """Return a curve's role: the one asked for, the one its label names, or the next of the cycle."""
    role = (roles or {}).get(label, label if label in LINE_STYLES else CYCLE[position % len(CYCLE)])
    if role not in LINE_STYLES:
        raise ValueError(f"roles[{label!r}]={role!r}: expected one of {sorted(LINE_STYLES)}")
    return role


def _checked_roles(series: Mapping[str, Any], roles: Mapping[str, str] | None) -> None:
    """Refuse an empty set of curves and roles given to curves that do not exist."""
    if not series:
        raise ValueError("series={}: expected at least one labelled curve")
    unknown = set(roles or {}) - set(series)
    if unknown:
        raise ValueError(f"roles names {sorted(unknown)}: expected labels among {sorted(series)}")


def _figure_of(ax: Axes) -> BookFigure:
    """Return the figure that ``ax`` belongs to."""
    figure = ax.figure
    if not isinstance(figure, BookFigure):
        raise ValueError(
            f"ax belongs to a {type(figure).__name__}: expected axes made by ddgp_lib.figures.axes"
        )
    return figure


@_styled
def curves(
    x: Numbers | Mapping[str, Numbers],
    series: Mapping[str, Numbers],
    *,
    xlabel: str,
    ylabel: str,
    xscale: Scale = "linear",
    yscale: Scale = "linear",
    roles: Mapping[str, str] | None = None,
    markers: bool = True,
    horizontal: Mapping[str, float] | None = None,
    vertical: Mapping[str, float] | None = None,
    points: Mapping[str, tuple[float, float]] | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    title: str | None = None,
    legend: str | None = "best",
    height: float = 3.2,
    ax: Axes | None = None,
) -> BookFigure:
    """Draw labelled curves that differ by colour, dash pattern and marker.

    Parameters
    ----------
    x : sequence or mapping of label to sequence
        Abscissae, common to all curves or one sequence per label.
    series : mapping of label to sequence
        Ordinates; values that are not finite are left out.
    xlabel, ylabel : str
        Axis labels, with units.
    xscale, yscale : {"linear", "log", "symlog"}
        Axis scales.
    roles : mapping of label to role, optional
        A key of `COLOURS` for a label. A label that is itself a role needs none; others take roles in turn.
    markers : bool
        Whether about ten markers are drawn along each curve.
    horizontal, vertical : mapping of label to position, optional
        Thin guide lines, labelled in the legend.
    points : mapping of label to (x, y), optional
        Single points to mark, labelled in the legend.
    xlim, ylim : tuple of float, optional
        Axis limits.
    title : str, optional
        Title of the axes.
    legend : str or None
        Position of the legend in matplotlib's words, "above" to put it above the axes, or None for no legend.
    height : float
        Height in inches.
    ax : Axes, optional
        Axes made by `axes`; a new figure by default.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no curve, lengths differ, a role is unknown, or a scale is unknown.
    """
    _checked_roles(series, roles)
    for name, scale in (("xscale", xscale), ("yscale", yscale)):
        if scale not in ("linear", "log", "symlog"):
            raise ValueError(f"{name}={scale!r}: expected 'linear', 'log' or 'symlog'")
    if ax is None:
        entries = len(series) + len(horizontal or {}) + len(vertical or {}) + len(points or {})
        ax = axes(height=height + (_above(entries) if legend == "above" else 0.0))[1][0]
    for position, (label, ordinates) in enumerate(series.items()):
        role = _role(label, roles, position)
        v = _vector(ordinates, f"series[{label!r}]")
        u = _vector(x[label] if isinstance(x, Mapping) else x, "x")
        if u.shape != v.shape:
            raise ValueError(
                f"series[{label!r}] has {v.size} values and x has {u.size}: expected equal lengths"
            )
        kept = np.isfinite(v)
        ax.plot(
            u[kept],
            v[kept],
            color=COLOURS[role],
            linestyle=LINE_STYLES[role].dashes,
            marker=LINE_STYLES[role].marker if markers else "",
            markevery=0.12 if v.size > 12 else 1,
            label=label,
        )
    _guides(ax, horizontal or {}, vertical or {}, points or {})
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    if title is not None:
        ax.set_title(title)
    if xlim is not None:
        ax.set_xlim(*xlim)
    if ylim is not None:
        ax.set_ylim(*ylim)
    _legend(ax, legend)
    return _figure_of(ax)


def _guides(
    ax: Axes,
    horizontal: Mapping[str, float],
    vertical: Mapping[str, float],
    points: Mapping[str, tuple[float, float]],
) -> None:
    """Add guide lines, each kind with its own dash patterns, and single points."""
    patterns = [(0, (1, 1.5)), (0, (5, 2)), (0, (5, 2, 1, 2))]
    for position, (label, y) in enumerate(horizontal.items()):
        ax.axhline(y, color=COLOURS["guide"], linewidth=1.5, linestyle=patterns[position % 3], label=label)
    for position, (label, x) in enumerate(vertical.items()):
        ax.axvline(x, color=COLOURS["truth"], linewidth=1.2, linestyle=patterns[position % 3], label=label)
    for position, (label, (x, y)) in enumerate(points.items()):
        ax.plot([x], [y], "Pshd*"[position % 5], color=COLOURS["truth"], markersize=9, label=label, zorder=5)


def _above(entries: int) -> float:
    """Return the height in inches of a legend above the axes."""
    return 0.26 * (entries if entries <= 2 else -(-entries // 2))


def _legend(ax: Axes, position: Any) -> None:
    """Place the legend, inside the axes or above them."""
    if position is None or not ax.get_legend_handles_labels()[1]:
        return
    if position == "above":
        columns = 2 if len(ax.get_legend_handles_labels()[1]) > 2 else 1
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, borderaxespad=0.3)
    else:
        ax.legend(loc=position)


def _picture(image: Numbers, name: str) -> NDArray[np.float64]:
    """Return an image as (H, W) or (H, W, 3); a complex one as its magnitude."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().resolve_conj().numpy()
    array = np.asarray(image)
    if np.iscomplexobj(array):
        array = np.abs(array)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3:
        array = np.moveaxis(array, 0, -1)
    if (array.ndim == 3 and array.shape[-1] != 3) or array.ndim not in (2, 3):
        raise ValueError(
            f"{name} has shape {array.shape}: expected one grey (H, W) or colour (3, H, W) image"
        )
    return array.astype(np.float64)


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
    if columns is not None and columns < 1:
        raise ValueError(f"columns={columns!r}: expected at least 1")
    rows = -(-count // (columns or most))
    return rows, columns or -(-count // rows)


@_styled
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
    if not pictures:
        raise ValueError("pictures={}: expected at least one titled image")
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
        array = _picture(image, f"pictures[{title!r}]")
        drawn = _show(ax, array, title, vmin, vmax, "RdBu_r" if signed else "gray", 11 if wide < 4 else 10)
    for ax in grid[len(pictures) :]:
        ax.set_axis_off()
    if scale_label and drawn is not None:
        figure.colorbar(drawn, ax=grid.tolist(), location="bottom", label=scale_label, shrink=0.8, aspect=40)
    return figure


def _psnr(estimate: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the PSNR in decibels for images on [0, 1]."""
    error = float(np.mean((estimate - truth) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def _error_grid(count: int, columns: int | None) -> tuple[BookFigure, list[Axes], list[Axes]]:
    """Return a figure with ``count`` axes for images and as many for their errors, below them.

    A single estimate has its error beside it: three images in a row.
    """
    if count == 2 and columns is None:
        figure = BookFigure(figsize=(WIDTH, WIDTH / 3 + 1.1), layout="constrained")
        truth, estimate, error = figure.subplots(1, 3)
        return figure, [truth, estimate], [error, error]
    rows, wide = _grid(count, columns, 4)
    figure = BookFigure(figsize=(WIDTH, rows * 2 * (WIDTH / wide + 0.3) + 0.6), layout="constrained")
    grid = figure.subplots(2 * rows, wide, squeeze=False)
    return figure, list(grid[0::2].ravel()), list(grid[1::2].ravel())


@_styled
def reconstructions(
    truth: Numbers,
    estimates: Mapping[str, Numbers],
    *,
    error_limit: float | None = None,
    columns: int | None = None,
    truth_title: str = "true image",
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

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no estimate, a shape differs from the truth's, or ``error_limit`` is not positive.
    """
    if not estimates:
        raise ValueError("estimates={}: expected at least one named estimate")
    if error_limit is not None and error_limit <= 0:
        raise ValueError(f"error_limit={error_limit!r}: expected a positive number")
    reference = _picture(truth, "truth")
    arrays = {name: _picture(image, f"estimates[{name!r}]") for name, image in estimates.items()}
    for name, array in arrays.items():
        if array.shape != reference.shape:
            raise ValueError(
                f"estimates[{name!r}] has shape {array.shape}: expected {reference.shape}, as truth"
            )
    errors = {name: np.abs(array - reference) for name, array in arrays.items()}
    limit = error_limit or max(float(e.max()) for e in errors.values()) or 1.0
    figure, top, bottom = _error_grid(len(arrays) + 1, columns)
    _show(top[0], reference, f"{truth_title}\n", 0, 1, "gray")
    drawn: Any = None
    for position, (name, array) in enumerate(arrays.items(), start=1):
        _show(top[position], array, f"{name}\n{_psnr(array, reference):.1f} dB", 0, 1, "gray")
        error = errors[name].mean(axis=-1) if array.ndim == 3 else errors[name]
        drawn = _show(bottom[position], error, "|error|", 0, limit, "inferno")
    used = {id(ax) for ax in (*top[: len(arrays) + 1], *bottom[1 : len(arrays) + 1])}
    for ax in figure.axes:
        if id(ax) not in used:
            ax.set_axis_off()
    label = "absolute error (grey levels on [0, 1])"
    figure.colorbar(drawn, ax=figure.axes, location="bottom", label=label, aspect=40)
    return figure


@_styled
def spectrum(
    singular_values: Mapping[str, Numbers],
    *,
    floor: float = 1e-6,
    ylabel: str = "singular value $s_i$",
    roles: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> BookFigure:
    """Draw singular values in falling order on a logarithmic scale, those that are zero included.

    Values below ``floor`` times the largest count as zero; they are drawn on a line at the bottom, and the
    legend says how many there are.

    Parameters
    ----------
    singular_values : mapping of operator to sequence
        All n singular values of each operator, zeros included, in any order.
    floor : float
        Relative size below which a singular value is drawn as zero.
    ylabel : str
        Label of the vertical axis.
    roles : mapping of label to role, optional
        As in `curves`.
    ax : Axes, optional
        Axes made by `axes`; a new figure by default.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no operator, a singular value is negative, or all of them are zero.
    """
    _checked_roles(singular_values, roles)
    if ax is None:
        ax = axes(height=3.2 + _above(len(singular_values)))[1][0]
    bottoms = []
    for position, (label, values) in enumerate(singular_values.items()):
        s = np.sort(_vector(values, f"singular_values[{label!r}]"))[::-1]
        if s[-1] < 0 or s[0] == 0:
            raise ValueError(
                f"singular_values[{label!r}] spans [{s[-1]}, {s[0]}]: expected s ≥ 0, not all zero"
            )
        role = _role(label, roles, position)
        rank = int((s > floor * s[0]).sum())
        bottoms.append(s[rank - 1])
        ax.plot(
            np.arange(1, rank + 1),
            s[:rank],
            color=COLOURS[role],
            linestyle=LINE_STYLES[role].dashes,
            marker=LINE_STYLES[role].marker,
            markevery=0.12,
            label=f"{label} ({s.size - rank} zeros)",
        )
        ax.plot(
            [rank + 1, s.size] if rank < s.size else [],
            [0.02 + 0.03 * position] * 2 if rank < s.size else [],
            color=COLOURS[role],
            linestyle=LINE_STYLES[role].dashes,
            linewidth=5,
            transform=ax.get_xaxis_transform(),
        )
    ax.set(xlabel="index $i$", ylabel=ylabel, yscale="log")
    top = max(float(_vector(v, "singular_values").max()) for v in singular_values.values())
    ax.set_ylim(min(bottoms) / (top / min(bottoms)) ** 0.25 / 2, 2 * top)
    _legend(ax, "above")
    return _figure_of(ax)


@_styled
def landscape(
    eigenvalues: tuple[float, float],
    paths: Mapping[str, Numbers],
    *,
    xlabel: str,
    ylabel: str,
    limit: float = 1.2,
    roles: Mapping[str, str] | None = None,
    height: float = 3.6,
) -> BookFigure:
    """Draw the level curves of ½(λ₁ e₁² + λ₂ e₂²) and the paths that iterations take on it.

    Parameters
    ----------
    eigenvalues : tuple of two floats
        λ₁ and λ₂, not negative; a zero gives the straight valley of a null space.
    paths : mapping of label to array of shape (K, 2)
        Iterates, one row each.
    xlabel, ylabel : str
        Names of the two coordinates.
    limit : float
        The square from -limit to limit is drawn.
    roles : mapping of label to role, optional
        As in `curves`.
    height : float
        Height in inches.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If an eigenvalue is negative, both are zero, or a path does not have shape (K, 2).
    """
    if min(eigenvalues) < 0 or max(eigenvalues) == 0:
        raise ValueError(f"eigenvalues={eigenvalues!r}: expected two numbers ≥ 0, not both zero")
    _checked_roles(paths, roles)
    figure, (ax,) = axes(height=height)
    side = np.linspace(-limit, limit, 121)
    e1, e2 = np.meshgrid(side, side)
    value = 0.5 * (eigenvalues[0] * e1**2 + eigenvalues[1] * e2**2)
    levels = value.max() * np.linspace(0.0, 1.0, 9)[1:] ** 2
    ax.contour(e1, e2, value, levels=levels, colors="#B5B5B5", linewidths=1)
    for position, (label, path) in enumerate(paths.items()):
        role = _role(label, roles, position)
        walk = _array(path)
        if walk.ndim != 2 or walk.shape[1] != 2:
            raise ValueError(f"paths[{label!r}] has shape {walk.shape}: expected (K, 2)")
        ax.plot(
            walk[:, 0],
            walk[:, 1],
            color=COLOURS[role],
            linestyle=LINE_STYLES[role].dashes,
            marker=LINE_STYLES[role].marker,
            markersize=5,
            linewidth=1.5,
            label=label,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(-limit, limit), ylim=(-limit, limit))
    ax.grid(False)
    _legend(ax, "above")
    return figure


@_styled
def heatmap(
    values: Numbers,
    *,
    x: Numbers,
    y: Numbers,
    xlabel: str,
    ylabel: str,
    value_label: str,
    contours: Sequence[float] = (),
    points: Mapping[str, tuple[float, float]] | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    height: float = 3.8,
) -> BookFigure:
    """Draw a function of two variables as colours, with level curves and marked points.

    Parameters
    ----------
    values : array of shape (len(y), len(x))
        The function on a regular grid.
    x, y : sequence
        Grid coordinates, increasing.
    xlabel, ylabel, value_label : str
        Labels, with units.
    contours : sequence of float
        Levels to draw and number as curves, increasing.
    points : mapping of label to (x, y), optional
        Points to mark.
    vmin, vmax : float, optional
        Ends of the colour scale.
    height : float
        Height in inches.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If the shape of ``values`` is not (len(y), len(x)).
    """
    u, v = _vector(x, "x"), _vector(y, "y")
    table = _array(values)
    if table.shape != (v.size, u.size):
        raise ValueError(f"values has shape {table.shape}: expected (len(y), len(x)) = {(v.size, u.size)}")
    figure, (ax,) = axes(height=height)
    drawn = ax.pcolormesh(
        u, v, table, cmap="cividis", vmin=vmin, vmax=vmax, shading="nearest", rasterized=True
    )
    if contours:
        lines = ax.contour(u, v, table, levels=list(contours), colors="white", linewidths=1.2)
        ax.clabel(lines, fontsize=10)
    for position, (label, (a, b)) in enumerate((points or {}).items()):
        marker = "Pshd*"[position % 5]
        ax.plot(
            [a], [b], marker, color="white", markeredgecolor="black", markersize=10, label=label, linestyle=""
        )
    figure.colorbar(drawn, ax=ax, label=value_label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(False)
    _legend(ax, "above")
    return figure


@_styled
def bars(
    parts: Mapping[str, Mapping[str, float]],
    *,
    xlabel: str,
    roles: Mapping[str, str] | None = None,
) -> BookFigure:
    """Draw one stacked horizontal bar per name, such as an error split into range and null space.

    Parameters
    ----------
    parts : mapping of name to mapping of part to value
        Every name has the same parts, each with a value ≥ 0.
    xlabel : str
        Label of the horizontal axis, with units.
    roles : mapping of part to role, optional
        As in `curves`.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no bar, the parts differ between bars, or a value is negative.
    """
    if not parts:
        raise ValueError("parts={}: expected at least one bar")
    names = list(next(iter(parts.values())))
    for name, values in parts.items():
        if list(values) != names or min(values.values()) < 0:
            raise ValueError(
                f"parts[{name!r}]={dict(values)!r}: expected values ≥ 0 for {names}, in this order"
            )
    figure, (ax,) = axes(height=0.9 + 0.5 * len(parts))
    start = np.zeros(len(parts))
    hatches = ("", "///", "...", "xx")
    for position, part in enumerate(names):
        lengths = np.array([float(values[part]) for values in parts.values()])
        ax.barh(
            list(parts),
            lengths,
            left=start,
            height=0.6,
            color=COLOURS[_role(part, roles, position)],
            edgecolor="white",
            hatch=hatches[position % 4],
            label=part,
        )
        start += lengths
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.grid(False, axis="y")
    _legend(ax, "above")
    return figure
