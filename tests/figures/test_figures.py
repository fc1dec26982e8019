"""Figures of the book: the same bytes every time, readable, and clear about bad arguments."""

import io
import json
import re

import matplotlib
import matplotlib.colors
import numpy as np
import pytest
import torch
from PIL import Image

from ddgp_lib import figures

K = np.arange(1, 51)
SQUARE = np.linspace(0, 1, 64).reshape(8, 8)

DRAW = {
    "curves": lambda: figures.curves(K, {"a": 1 / K, "b": 2 / K}, xlabel="k", ylabel="e", yscale="log"),
    "images": lambda: figures.images({"a": SQUARE, "b": SQUARE.T}, scale_label="grey level"),
    "signed": lambda: figures.images({"a": SQUARE - 0.5}, signed=True, scale_label="weight"),
    "reconstructions": lambda: figures.reconstructions(SQUARE, {"a": SQUARE.T, "b": SQUARE + 0.1}),
    "inset": lambda: figures.reconstructions(SQUARE, {"a": SQUARE.T}, inset=(0, 3, 4)),
    "comparison": lambda: figures.comparison(
        torch.tensor(SQUARE)[None, None].expand(2, 1, 8, 8),
        {"a": np.stack([SQUARE.T, SQUARE])},
        seen=("seen", np.stack([SQUARE, SQUARE])),
    ),
    "spectrum": lambda: figures.spectrum({"a": np.r_[np.ones(3), 0.0], "b": 0.5 ** np.arange(4)}),
    "landscape": lambda: figures.landscape((1, 0.1), {"a": SQUARE[:, :2]}, xlabel="$e_1$", ylabel="$e_2$"),
    "heatmap": lambda: figures.heatmap(
        SQUARE,
        x=K[:8],
        y=K[:8],
        xlabel="x",
        ylabel="y",
        value_label="v",
        contours=[0.5],
        points={"p": (2, 3)},
    ),
    "plane": lambda: figures.plane({"a": SQUARE[:, :2]}, {"b": SQUARE[:, 2:4]}),
    "bars": lambda: figures.bars({"a": {"range": 1.0, "null": 2.0}}, xlabel="error"),
    "dots": lambda: figures.dots({"a": {"P": (1.0, 0.5), "no P": 2.0}, "b": {"P": 3.0}}, xlabel="PSNR (dB)"),
}


@pytest.mark.parametrize("name", DRAW)
def test_the_same_data_give_the_same_bytes_without_metadata(name):
    first = DRAW[name]()
    once = figures.png(first)
    assert once == figures.png(first) == figures.png(DRAW[name]())
    assert b"Software" not in once
    assert b"matplotlib" not in once
    assert len(once) < 60_000


@pytest.mark.parametrize("name", DRAW)
def test_a_vector_graphic_repeats_too(name):
    once = figures.svg(DRAW[name]())
    assert once == figures.svg(DRAW[name]())
    assert "<dc:date>" not in once
    assert "<dc:creator>" not in once
    assert "<text" not in once  # letters are outlines
    assert not re.search(r" d=\"[^\"]*\d\.\d{3}", once)
    figure = DRAW[name]()
    picture = Image.open(io.BytesIO(figures.png(figure)))
    assert figures.svg(figure) == once
    assert once.count(f'width="{picture.width}" height="{picture.height}"') == 1
    assert (
        "scale(0.015625)" in once
    )  # of a letter's outline: rounded as a coordinate is, it would grow by a quarter


@pytest.mark.parametrize("name", DRAW)
def test_a_users_style_changes_nothing(name):
    expected = figures.png(DRAW[name]())
    with matplotlib.rc_context({"figure.facecolor": "black", "font.size": 30, "lines.linewidth": 9}):
        assert figures.png(DRAW[name]()) == expected


@pytest.mark.parametrize("name", DRAW)
def test_letters_are_large_enough_on_a_telephone(name):
    figure = DRAW[name]()
    figures.png(figure)
    pixels_per_point = 350 / figures.WIDTH / 72
    texts = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text().strip() and t.get_visible()]
    assert min(t.get_fontsize() for t in texts) * pixels_per_point > 9
    assert figure.get_facecolor() == (1, 1, 1, 1)


def test_a_figure_shows_itself_in_a_notebook():
    bundle = DRAW["curves"]()._repr_mimebundle_()
    assert set(bundle) == {"image/png", "image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == figures.svg(DRAW["curves"]())
    json.dumps(bundle)


@pytest.mark.parametrize("name", ["images", "reconstructions", "comparison", "heatmap"])
def test_a_figure_of_pixels_shows_itself_as_pixels(name):
    assert set(DRAW[name]()._repr_mimebundle_()) == {"image/png", "text/plain"}


def test_a_figure_of_very_many_marks_shows_itself_as_pixels():
    figure, (axes,) = figures.axes()
    axes.plot(np.random.default_rng(0).random(20_000), ".")
    assert set(figure._repr_mimebundle_()) == {"image/png", "text/plain"}


def luminance(colour: str) -> float:
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_each_method_has_a_colour_and_a_sign_of_its_own():
    methods = (
        "baseline",
        "distilled",
        "gradient_only",
        "linear",
        "newton",
        "rival",
        "teacher",
        "truth",
        "other",
    )
    assert len({figures.COLOURS[name] for name in methods}) == len(methods)
    assert len({figures.LINE_STYLES[name].marker for name in methods}) == len(methods)
    assert len({str(figures.LINE_STYLES[name].dashes) for name in methods}) >= len(methods) - 1
    assert set(figures.COLOURS) == set(figures.LINE_STYLES)


@pytest.mark.parametrize("role", figures.COLOURS)
def test_colours_contrast_with_white_as_graphics_must(role):
    assert 1.05 / (luminance(figures.COLOURS[role]) + 0.05) >= 3


def test_curves_of_one_figure_differ_in_more_than_colour():
    signs = {(figures.LINE_STYLES[r].dashes, figures.LINE_STYLES[r].marker) for r in figures.CYCLE}
    assert len(signs) == len(figures.CYCLE)
    drawn = figures.curves(K, dict.fromkeys("abcdef", K), xlabel="x", ylabel="y").axes[0].lines
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == 6


def test_a_label_that_is_a_role_takes_its_colour():
    figure = figures.curves(
        K, {"other name": K, "teacher": K}, xlabel="x", ylabel="y", roles={"other name": "null"}
    )
    assert [line.get_color() for line in figure.axes[0].lines] == [
        figures.COLOURS["null"],
        figures.COLOURS["teacher"],
    ]


def test_values_that_are_not_finite_are_left_out():
    figure = figures.curves(K, {"a": np.where(K > 10, np.nan, K)}, xlabel="x", ylabel="y")
    assert len(figure.axes[0].lines[0].get_xdata()) == 10


def test_dots_stand_at_their_means_with_their_errors():
    ax = DRAW["dots"]().axes[0]
    first, second = ax.containers
    assert [first.get_label(), second.get_label()] == ["P", "no P"]
    assert first.lines[0].get_xdata().tolist() == [1.0, 3.0]
    reach = [np.ptp(segment[:, 0]) for segment in first.lines[2][0].get_segments()]
    assert reach == pytest.approx([1.0, 0.0])
    assert second.lines[0].get_ydata() > first.lines[0].get_ydata()[0]  # below it, as in the legend
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_the_legend_of_dots_stays_inside_the_figure_beside_long_names():
    methods = dict.fromkeys(("more updates", "late states", "no unrolling", "target"), (1.0, 0.5))
    figure = figures.dots({"a name that leaves little room": methods}, xlabel="gain (dB)")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y0 >= figure.axes[0].get_window_extent().y1


def test_error_bars_reach_as_far_as_they_are_told():
    drawn = figures.curves(
        [1, 2, 3], {"a": [1, 2, 3]}, xlabel="x", ylabel="y", errors={"a": [0.5, 0.25, np.nan]}
    )
    (bars,) = [c for c in drawn.axes[0].collections if len(c.get_segments())]
    reach = [np.ptp(segment[:, 1]) for segment in bars.get_segments() if len(segment)]
    np.testing.assert_allclose(reach, [1.0, 0.5])


def test_all_images_share_one_grey_scale_and_complex_ones_show_their_magnitude():
    figure = figures.images(
        {"a": torch.tensor(SQUARE)[None, None], "b": 2j * SQUARE, "c": torch.ones(3, 8, 8)}
    )
    drawn = [ax.images[0] for ax in figure.axes]
    assert {image.get_clim() for image in drawn[:2]} == {(0, 1)}
    np.testing.assert_allclose(drawn[1].get_array(), 2 * SQUARE)
    assert drawn[2].get_array().shape == (8, 8, 3)


def test_reconstructions_state_the_psnr_and_share_one_error_scale():
    figure = figures.reconstructions(SQUARE, {"a": SQUARE + 0.1, "b": SQUARE, "c": SQUARE - 0.2}, columns=4)
    titles = [ax.get_title() for ax in figure.axes]
    assert "a\n20.0 dB" in titles
    assert "b\ninf dB" in titles
    errors = [ax.images[0] for ax in figure.axes if ax.get_title() == "|error|"]
    assert all(e.get_clim() == (0, pytest.approx(0.2)) for e in errors)


@pytest.mark.parametrize(("count", "columns"), [(1, None), (3, 2), (4, 5)])
def test_an_inset_shows_the_pixels_that_are_framed(count: int, columns: int | None) -> None:
    truth = np.random.default_rng(0).random((16, 16))
    estimates = {f"a{n}": truth + 0.01 * (n + 1) * SQUARE.repeat(2, 0).repeat(2, 1) for n in range(count)}
    figure = figures.reconstructions(truth, estimates, columns=columns, inset=(2, 5, 9))
    drawn = [ax for ax in figure.axes if ax.images]
    parts = [ax.images[0].get_array() for ax in drawn if ax.images[0].get_array().shape == (9, 9)]
    expected = [truth, *estimates.values(), *(np.abs(a - truth) for a in estimates.values())]
    assert len(parts) == len(expected)
    for array in expected:
        assert sum(np.array_equal(part, array[2:11, 5:14]) for part in parts) == 1
    framed = [ax for ax in drawn if ax.patches]
    assert len(framed) == len(expected)
    assert {patch.get_bbox().bounds for ax in framed for patch in ax.patches} == {(4.5, 1.5, 9, 9)}
    assert all(ax.images[0].get_interpolation() == "nearest" for ax in drawn)
    figures.png(figure, dpi=50)
    for ax in framed:  # an enlarged part stands below what it is of, on the same scale
        below = min(
            (b for b in drawn if not b.patches and b.get_position().y1 < ax.get_position().y0),
            key=lambda b: (abs(b.get_position().x0 - ax.get_position().x0), -b.get_position().y1),
        )
        np.testing.assert_array_equal(below.images[0].get_array(), ax.images[0].get_array()[2:11, 5:14])
        assert below.images[0].get_clim() == ax.images[0].get_clim()
        assert below.images[0].get_cmap() == ax.images[0].get_cmap()


def test_an_inset_of_a_colour_image_has_its_colours() -> None:
    truth = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    figure = figures.reconstructions(truth, {"a": 0.5 * truth}, inset=(1, 2, 3))
    parts = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    part = next(array for array in parts if array.shape == (3, 3, 3))
    np.testing.assert_allclose(part, truth[:, 1:4, 2:5].movedim(0, -1))


def test_without_an_inset_a_figure_is_as_it_was() -> None:
    figure = figures.reconstructions(SQUARE, {"a": SQUARE, "b": SQUARE})
    assert len([ax for ax in figure.axes if ax.images]) == 5
    assert not any(ax.patches for ax in figure.axes if ax.images)


def test_a_comparison_shows_each_image_with_its_own_error():
    truths = torch.tensor(np.stack([SQUARE, 0.5 * SQUARE]))[:, None]
    shift = torch.tensor([0.1, 0.2])[:, None, None, None]
    figure = figures.comparison(truths, {"a": truths + shift, "b": truths}, seen=("data", truths))
    titles = [ax.get_title() for ax in figure.axes]
    assert [title for title in titles if title.startswith("a")] == ["a\n20.0 dB", "a\n14.0 dB"]
    assert titles.count("data") == 2
    errors = [ax.images[0] for ax in figure.axes if ax.get_title() == "|error|"]
    assert all(e.get_clim() == (0, pytest.approx(0.2)) for e in errors)
    np.testing.assert_allclose(errors[2].get_array(), 0.2)
    assert not figures.comparison(truths, {"a": truths}).axes[2].axison


def test_the_spectrum_counts_zeros():
    figure = figures.spectrum({"camera": torch.cat([torch.ones(5), torch.zeros(11)])})
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "camera (11 zeros)"


def test_the_palette_keeps_a_colour_map_smooth():
    true = Image.open(io.BytesIO(figures.png(DRAW["signed"](), colours=None))).convert("RGB")
    small = Image.open(io.BytesIO(figures.png(DRAW["signed"]()))).convert("RGB")
    assert np.abs(np.asarray(true, float) - np.asarray(small, float)).max() < 24


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.curves(K, {}, xlabel="x", ylabel="y"), "series={}"),
        (lambda: figures.curves(K, {"a": K[:3]}, xlabel="x", ylabel="y"), "3 values and x has 50"),
        (lambda: figures.curves(K, {"a": K}, xlabel="x", ylabel="y", roles={"a": "best"}), "'best'"),
        (lambda: figures.curves(K, {"a": K}, xlabel="x", ylabel="y", roles={"b": "null"}), "['b']"),
        (lambda: figures.curves(K, {"a": K}, xlabel="x", ylabel="y", xscale="square"), "xscale='square'"),
        (
            lambda: figures.curves(K, {"a": K}, xlabel="x", ylabel="y", errors={"b": K}),
            "errors names ['b']",
        ),
        (
            lambda: figures.curves(K, {"a": K}, xlabel="x", ylabel="y", errors={"a": K[:3]}),
            "errors['a'] has 3 values",
        ),
        (lambda: figures.images({}), "pictures={}"),
        (lambda: figures.images({"a": np.ones((2, 8, 8))}), "(2, 8, 8)"),
        (lambda: figures.images({"a": SQUARE}, vmin=1, vmax=0), "vmin=1"),
        (lambda: figures.images({"a": SQUARE}, columns=0), "columns=0"),
        (lambda: figures.reconstructions(SQUARE, {}), "estimates={}"),
        (lambda: figures.reconstructions(SQUARE, {"a": SQUARE[:4]}), "(4, 8)"),
        (lambda: figures.reconstructions(SQUARE, {"a": SQUARE}, error_limit=-1), "error_limit=-1"),
        *(
            (lambda inset=inset: figures.reconstructions(SQUARE, {"a": SQUARE}, inset=inset), named)
            for inset, named in (
                ((0, 0, 9), "inset=(0, 0, 9): expected"),
                ((5, 0, 4), "inset=(5, 0, 4)"),
                ((0, 5, 4), "within the 8 × 8 pixels of truth"),
                ((0, 0, 0), "inset=(0, 0, 0)"),
                ((-1, 0, 2), "inset[0]=-1"),
                ((0, 0.5, 2), "inset[1]=0.5"),
                ((0, 2), "inset=(0, 2)"),
            )
        ),
        (lambda: figures.comparison(SQUARE[None], {}), "estimates={}"),
        (lambda: figures.comparison(SQUARE, {"a": SQUARE}), "truths has shape (8, 8)"),
        (lambda: figures.comparison(SQUARE[None], {"a": SQUARE[None, :4]}), "estimates['a'] has shape"),
        (lambda: figures.comparison(SQUARE[None], {"a": SQUARE[None]}, error_limit=0), "error_limit=0"),
        (lambda: figures.spectrum({"a": [-1.0, 1.0]}), "singular_values['a']"),
        (
            lambda: figures.landscape((-1, 1), {"a": SQUARE[:, :2]}, xlabel="x", ylabel="y"),
            "eigenvalues=(-1, 1)",
        ),
        (lambda: figures.landscape((1, 1), {"a": SQUARE}, xlabel="x", ylabel="y"), "(8, 8)"),
        (lambda: figures.heatmap(SQUARE, x=K, y=K, xlabel="", ylabel="", value_label=""), "(50, 50)"),
        (lambda: figures.bars({}, xlabel="x"), "parts={}"),
        (lambda: figures.bars({"a": {"x": -1.0}}, xlabel="x"), "parts['a']"),
        (lambda: figures.dots({}, xlabel="x"), "values={}"),
        (lambda: figures.dots({"a": {}}, xlabel="x"), "values['a']"),
        (lambda: figures.dots({"a": {"x": (1.0, -1.0)}}, xlabel="x"), "values['a']['x']"),
        (lambda: figures.axes(0), "rows=0"),
        (lambda: figures.axes(height=0), "height=0"),
        (lambda: figures.png(DRAW["bars"](), dpi=0), "dpi=0"),
        (lambda: figures.png(DRAW["bars"](), colours=1), "colours=1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
