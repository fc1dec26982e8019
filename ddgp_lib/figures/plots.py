"""Curves, spectra, landscapes, heat maps, bars and dots with error bars."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes

from ..arguments import (
    require,
    require_choice,
    require_flag,
    require_instance,
    require_number,
    require_positive,
)
from ._common import (
    add_legend,
    as_array,
    as_vector,
    axes_for,
    check_roles,
    figure_of,
    finish,
    legend_height,
    require_axes,
    require_frame,
    require_labelled,
    require_numbers,
    require_texts,
    require_tuple,
    role_of,
)
from .style import COLOURS, LINE_STYLES, BookFigure, Numbers, Scale, axes, styled


@styled
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
    errors: Mapping[str, Numbers] | None = None,
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
    errors : mapping of label to sequence, optional
        Half lengths of vertical error bars; those that are not finite are not drawn.
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
        If there is no curve, lengths differ, a role is unknown, a scale is unknown, or error bars are given to a
        curve that does not exist.
    """
    check_roles(series, roles)
    require_frame(xlabel=xlabel, ylabel=ylabel, xlim=xlim, ylim=ylim, legend=legend, height=height, ax=ax)
    require_instance("title", title, str, "a text", none=True)
    require_flag("markers", markers)
    for name, places in {"horizontal": horizontal, "vertical": vertical}.items():
        require_numbers(name, places or {})
    require_numbers("points", points or {}, 2)
    if errors is not None:
        require_labelled("errors", errors, "None, or a mapping of labels to half lengths", empty=True)
    if isinstance(x, Mapping):
        missing = [label for label in series if label not in x]
        require(not missing, "x", list(x), f"abscissae of {missing} too")
    unknown = set(errors or {}) - set(series)
    if unknown:
        raise ValueError(f"errors names {sorted(unknown)}: expected labels among {sorted(series)}")
    for name, scale in (("xscale", xscale), ("yscale", yscale)):
        require_choice(name, scale, get_args(Scale))
    entries = len(series) + len(horizontal or {}) + len(vertical or {}) + len(points or {})
    ax = axes_for(entries, legend, height, ax)
    for position, (label, ordinates) in enumerate(series.items()):
        role = role_of(label, roles, position)
        v = as_vector(ordinates, f"series[{label!r}]")
        u = as_vector(x[label] if isinstance(x, Mapping) else x, "x")
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
        if errors is not None and label in errors:
            half = as_vector(errors[label], f"errors[{label!r}]")
            if half.shape != v.shape:
                raise ValueError(
                    f"errors[{label!r}] has {half.size} values and series has {v.size}: expected equal lengths"
                )
            ax.errorbar(
                u[kept], v[kept], yerr=half[kept], fmt="none", ecolor=COLOURS[role], elinewidth=1.5, capsize=4
            )
    _guides(ax, horizontal or {}, vertical or {}, points or {})
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    if title is not None:
        ax.set_title(title)
    return finish(ax, xlim, ylim, legend)


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


@styled
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
    check_roles(singular_values, roles, "singular_values")
    require_number("floor", floor, lowest=0, below=1)
    require_texts(ylabel=ylabel)
    require_axes(ax)
    ax = axes_for(len(singular_values), "above", 3.2, ax)
    bottoms = []
    for position, (label, values) in enumerate(singular_values.items()):
        s = np.sort(as_vector(values, f"singular_values[{label!r}]"))[::-1]
        if not (s[-1] >= 0 and 0 < s[0] < np.inf):
            raise ValueError(
                f"singular_values[{label!r}] spans [{s[-1]}, {s[0]}]: expected s ≥ 0, not all zero"
            )
        role = role_of(label, roles, position)
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
    top = max(float(as_vector(v, "singular_values").max()) for v in singular_values.values())
    ax.set_ylim(min(bottoms) / (top / min(bottoms)) ** 0.25 / 2, 2 * top)
    add_legend(ax, "above")
    return figure_of(ax)


@styled
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
    require_tuple("eigenvalues", eigenvalues, 2)
    accepted = min(eigenvalues) >= 0 and max(eigenvalues) > 0
    require(accepted, "eigenvalues", eigenvalues, "two numbers ≥ 0, not both zero")
    check_roles(paths, roles, "paths")
    require_texts(xlabel=xlabel, ylabel=ylabel)
    require_positive("limit", limit)
    figure, (ax,) = axes(height=height)
    side = np.linspace(-limit, limit, 121)
    e1, e2 = np.meshgrid(side, side)
    value = 0.5 * (eigenvalues[0] * e1**2 + eigenvalues[1] * e2**2)
    levels = value.max() * np.linspace(0.0, 1.0, 9)[1:] ** 2
    ax.contour(e1, e2, value, levels=levels, colors="#B5B5B5", linewidths=1)
    for position, (label, path) in enumerate(paths.items()):
        role = role_of(label, roles, position)
        walk = as_array(path, f"paths[{label!r}]")
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
    add_legend(ax, "above")
    return figure


@styled
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
    u, v = as_vector(x, "x"), as_vector(y, "y")
    require_texts(xlabel=xlabel, ylabel=ylabel, value_label=value_label)
    table = as_array(values, "values")
    if table.shape != (v.size, u.size):
        raise ValueError(f"values has shape {table.shape}: expected (len(y), len(x)) = {(v.size, u.size)}")
    for name, side in {"x": u, "y": v}.items():
        require(bool((np.diff(side) > 0).all()), name, side, "numbers that increase")
    require_instance("contours", contours, Sequence, "a sequence of levels")
    levels = as_array(contours, "contours") if contours else np.zeros(0)
    finite = bool(np.isfinite(levels).all())
    require(finite and bool((np.diff(levels) > 0).all()), "contours", contours, "levels that increase")
    require_numbers("points", points or {}, 2)
    for name, end in {"vmin": vmin, "vmax": vmax}.items():
        require_number(name, end, none=True)
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
    add_legend(ax, "above")
    return figure


@styled
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
    require_labelled("parts", parts, "at least one bar")
    require_texts(xlabel=xlabel)
    for name, values in parts.items():
        require_labelled(f"parts[{name!r}]", values, "a mapping of parts to values ≥ 0")
        require_numbers(f"parts[{name!r}]", values)
    if roles is not None:
        require_labelled("roles", roles, "None, or a mapping of parts to roles", empty=True)
    names = list(next(iter(parts.values())))
    for name, values in parts.items():
        alike = list(values) == names and min(values.values()) >= 0
        require(alike, f"parts[{name!r}]", dict(values), f"values ≥ 0 for {names}, in this order")
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
            color=COLOURS[role_of(part, roles, position)],
            edgecolor="white",
            hatch=hatches[position % 4],
            label=part,
        )
        start += lengths
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.grid(False, axis="y")
    add_legend(ax, "above")
    return figure


@styled
def dots(
    values: Mapping[str, Mapping[str, float | tuple[float, float]]],
    *,
    xlabel: str,
    roles: Mapping[str, str] | None = None,
    reference: float | None = None,
) -> BookFigure:
    """Draw a dot with its error bar for each method, one row for each name: numbers that are to be compared.

    Parameters
    ----------
    values : mapping of name to mapping of method to number
        A row for each name; a number, or a pair (mean, half the length of the error bar, ≥ 0), for each method.
        A name may lack methods that others have.
    xlabel : str
        Label of the horizontal axis, with units and with what the error bars are.
    roles : mapping of method to role, optional
        As in `curves`.
    reference : float, optional
        Where a vertical line is drawn, such as 0 for gains.

    Returns
    -------
    BookFigure

    Raises
    ------
    ValueError
        If there is no name or no method, a value is no finite number, or an error is negative.
    """
    spread = _with_errors(values)
    require_texts(xlabel=xlabel)
    require_number("reference", reference, none=True)
    methods = list(dict.fromkeys(method for row in spread.values() for method in row))
    check_roles(dict.fromkeys(methods), roles, "values")
    figure, (ax,) = axes(height=1.0 + (0.3 + 0.2 * len(methods)) * len(spread) + legend_height(len(methods)))
    if reference is not None:
        ax.axvline(reference, color=COLOURS["guide"], linewidth=1.2)
    shift = 0.7 / len(methods)
    for position, method in enumerate(methods):
        rows = [(place, row[method]) for place, row in enumerate(spread.values()) if method in row]
        height = [place + shift * (position - (len(methods) - 1) / 2) for place, _ in rows]
        means, errors = zip(*(value for _, value in rows), strict=True)
        role = role_of(method, roles, position)
        ax.errorbar(
            means,
            height,
            xerr=errors,
            capsize=3,
            elinewidth=1.5,
            label=method,
            color=COLOURS[role],
            marker=LINE_STYLES[role].marker or "o",
            linestyle="none",
        )
    ax.set_yticks(range(len(spread)), list(spread))
    ax.set_ylim(len(spread) - 0.5, -0.5)
    ax.set_xlabel(xlabel)
    ax.grid(False, axis="y")
    figure.legend(loc="outside upper left", ncols=2 if len(methods) > 2 else 1)  # names may leave little room
    return figure


def _with_errors(values: Any) -> dict[str, dict[str, tuple[float, float]]]:
    """Return every number with its error, 0 where none is given; refuse what is neither."""
    require_labelled("values", values, "at least one name with its methods")
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name, row in values.items():
        require_labelled(f"values[{name!r}]", row, "a mapping of methods to numbers")
        pairs = {method: value if isinstance(value, tuple) else (value, 0.0) for method, value in row.items()}
        require_numbers(f"values[{name!r}]", pairs, count=2)
        for method, (_, error) in pairs.items():
            require(error >= 0, f"values[{name!r}][{method!r}]", row[method], "an error ≥ 0")
        found[name] = {method: (float(mean), float(error)) for method, (mean, error) in pairs.items()}
    return found
