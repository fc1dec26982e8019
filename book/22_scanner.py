# %% [markdown]
# (real-scanner)=
# # Three scanners: one $P$ for one coil, seven coils and eight
#
# ```{note}
# **Time:** twenty minutes of reading, less than a minute of computing. **Before this:** [MRI](mri-case), Newton's step from
# [](linear-preconditioners), and held-out measurements from [](lensless-camera). **After it** you can
#
# 1. turn a scanner's k-space into an operator and measurements: noise, maps, scale;
# 2. say what takes the place of the null space where no gap parts it from the rest;
# 3. train one preconditioner for a family of scans, and carry it to scans that it has never seen;
# 4. judge it by k-space that was left out, beside the best method that learns no preconditioner.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math
import textwrap

import torch

from ddgp_lib import answers, checks, figures, tables, widgets
from ddgp_lib.data import load_measured
from ddgp_lib.experiments.measured import (
    head,
    load_result,
    low_field,
    multicoil,
    prospective,
)
from ddgp_lib.experiments.measured.candidates import solve_of
from ddgp_lib.experiments.noise_level import noise_by_line
from ddgp_lib.operators import CartesianMRI
from ddgp_lib.presets import multicoil_mri
from ddgp_lib.scanner import (
    espirit_maps,
    noise_covariance,
    prewhiten,
    root_sum_of_squares,
)
from ddgp_lib.tables import Column

# %% [markdown]
# **Key results**, computed from the experiments that this chapter describes. $P$ was trained on simulated scans alone.
# Each row compares it with the best method whose only learned part is a denoiser: the best on these very measurements,
# which only hindsight knows. Errors are those of k-space that no method was given, without the energy of its noise,
# except for eight coils, where it is not known. At 0.055 T two networks that learn no preconditioner were run as well.
# R is the acceleration: places of k-space over those that are used.

# %% tags=["hide-input"]
results = {name: load_result(name) for name in ("low_field", "head", "prospective")}
CONDITIONS = (
    ("low_field", "lowfield_gre", "0.055 T, gradient echo, R = 4"),
    ("low_field", "lowfield_fse", "0.055 T, spin echo, R = 4"),
    ("head", "R = 4", "3 T, seven coils, R = 4"),
    ("head", "R = 6", "3 T, seven coils, R = 6"),
    ("head", "R = 8", "3 T, seven coils, R = 8"),
    ("prospective", "R = 8", "eight coils, R = 8"),
)
over_best, body = {}, {}


def told(found):
    """Return a gain with its error, and over which method."""
    if found is None:
        return [None, None]
    return [(found["gain"], found["gain_error"]), found["best"].split(",")[0]]


for name, condition, title in CONDITIONS:
    found = results[name]["over_best"][condition]
    over_best[title] = found.get("classical", found)
    body[title] = told(over_best[title]) + told(found.get("networks"))
compared = ("what learns nothing", "the networks")
gains = [Column(f"over the best of {what}", "dB", signed=True) for what in compared]
columns = [gains[0], "which is", gains[1], "which is"]
tables.table("Gain of P by left-out k-space, with its standard error.", columns, body)

# %% [markdown]
# ## The question in one picture
#
# The simplest scanner first. It has a field of 0.055 T, from a permanent magnet, and one coil, the antenna that receives
# the signal of a head. Three columns of k-space out of four are left out. What can be told of them?


# %% tags=["hide-input"]
def rows_of(name, condition):
    """Return the rows of an experiment by method, the first of each name."""
    found = {}
    for row in results[name]["rows"]:
        if row["condition"] == condition:
            found.setdefault(row["method"].split(",")[0], row)
    return found


scans = low_field.scans_of("lowfield_fse", slice(3, 6))
scanner, candidates = scans.task.student, low_field.methods(scans.task)
chosen = rows_of("low_field", "lowfield_fse")
best = over_best["0.055 T, spin echo, R = 4"]["best"]
images = {}
for name in ("zero-filled", best, "P"):
    solve = solve_of(chosen[name], candidates)
    *_, images[name] = solve(scanner, scans.y, chosen[name]["iteration"])

# %% mystnb={"figure": {"name": "fig-scan-question", "caption": "A head at 0.055 T from a quarter of the columns of k-space, and from all: the image of the used columns, the best of those whose only learned part is a denoiser, and $P$. Data: Y. Liu et al., Nature Communications 2021 (CC0)."}, "image": {"alt": "Four pictures of a head from the side. The first is grainy and blurred across, the second is smoother, the third has more contrast, and the fourth, of all columns, is sharp and noisy."}} tags=["hide-input"]
shown = {name: scans.task.picture(x)[1] for name, x in images.items()}
shown["all columns"] = scans.task.picture(scans.reference)[1]
figures.images(shown, columns=2)

# %% [markdown]
# In the notation of [](mri-case),
#
# $$
# y = M F x + w ,
# $$ (eq-scan-one-coil)
#
# where $F$ is the Fourier transform of the complex image $x$, $M$ keeps a quarter of the columns, and $w$ is noise. This
# time $y$ was measured.
#
# The picture of all columns is no truth. It has noise of its own, and a method that removes it is farther from this
# picture and nearer to the head. So no method is judged by how much it resembles this picture. The columns that were
# left out judge. A method predicts them, and from its squared error there the energy of their noise is taken away. If
# the noise of the columns is independent and its level right, this is an unbiased estimate of the true error.
#
# ## What was measured, and what is not known
#
# Four files, none of them part of the book: `python -m ddgp_lib data` lists them. Their [cards](data.md) say what is
# not known. Some of it matters for all that follows.

# %%
low_field_head, seven = load_measured("lowfield_fse"), load_measured("head_7_coils")
for measured in (low_field_head, seven, load_measured("head_8_coils")):
    print(measured.card.title)
    for sentence in measured.card.unknown:
        print(textwrap.fill(f"- {sentence}", 84, subsequent_indent="  "))

# %% [markdown]
# ## One coil at 0.055 T
#
# Ten slices each of two records: a *gradient echo* and a *spin echo*, two ways to excite and read the same tissue, with
# different contrast.
#
# **Noise.** A window was applied from row to row of k-space, by whom is not known. So the noise differs between rows. At
# both ends of a row there is hardly any signal. The spread of these numbers, over ten slices, is the noise of the row.

# %% mystnb={"figure": {"name": "fig-scan-noise", "caption": "Noise of each row of k-space by the ends of the row, relative to the mean of all rows, smoothed over seven rows."}, "image": {"alt": "Two curves over the rows. Both are highest in the middle. That of the gradient echo falls to about a half at both ends, that of the spin echo to a seventh on one side and a half on the other."}} tags=["hide-input"]
gradient_echo = load_measured("lowfield_gre")
ECHOES = {"gradient echo": "lowfield_gre", "spin echo": "lowfield_fse"}
records = dict(zip(ECHOES, (gradient_echo["kspace"], low_field_head["kspace"]), strict=True))
side = low_field.OUTER
levels = {name: noise_by_line(k, side).flatten() for name, k in records.items()}
places = {name: torch.linspace(-1, 1, len(v)).tolist() for name, v in levels.items()}
smooth = {
    name: torch.nn.functional.avg_pool1d(v[None], 7, 1, 3, count_include_pad=False)[0]
    for name, v in levels.items()
}
roles = dict(zip(levels, ("baseline", "distilled"), strict=True))
figures.curves(
    places,
    {name: (v / v.square().mean().sqrt()).tolist() for name, v in smooth.items()},
    xlabel="row, from -1 to 1",
    ylabel="noise",
    roles=roles,
    markers=False,
    ylim=(0, 1.5),
)

# %% [markdown]
# A second estimate needs no window: the air around the head. If both were right, their ratio would be 1. How far it is
# from 1 is taken as the error of the noise's level, and goes into the standard errors at low field. The level is given
# in the brightness that images are scaled to below, where a bright pixel has 0.7.

# %%
body = {}
for name, k in records.items():
    rows = float(levels[name].square().mean().sqrt())
    level = results["low_field"]["noise"][ECHOES[name]]
    body[name] = [level, low_field.air_noise(k) / rows]
columns = [Column("noise", digits=3), Column("air / ends of rows")]
tables.table("The noise of two records at 0.055 T.", columns, body)

# %%
assert all(abs(ratio - 1) < 0.1 for _, ratio in body.values())

# %% [markdown]
# **Units.** A denoiser and a $P$ were trained on images of a certain brightness. A scanner's numbers have any. So each
# slice is scaled until the image of its used columns is as bright as that of a simulated slice: the 99th percentile is
# 0.7.
#
# **Settings.** Each method is run in simulation: brain slices with simulated phases, behind the same columns, with
# white noise of the measured level. Its grid grows until the best setting is inside. No setting is chosen on the
# measurement. Only the level of the noise is taken from it, from columns that judge, too.
#
# **Methods.** TV is total variation, by FISTA or by ADMM, whichever is better in simulation. PnP is plug-and-play FISTA.
# *Annealed* lets σ fall over 20 iterations, by FISTA or by exact ADMM. *Unfolded* and *null space network* are two of
# the networks of [](best-rivals). *P of one camera* is that of [](mri-case). Plug-and-play was tried with two denoisers,
# that of $P$ and that of [](mri-case), and with updates that fade after ten iterations, {eq}`eq-update-decay`, as those
# of $P$ do; the best in simulation was taken.
#
# *Promised* is the PSNR in simulation. The first row is the best one there of those that train nothing but a denoiser.

# %% tags=["hide-input"]
SHOWN = ("TV", "PnP", "PnP annealed", "ADMM annealed", "unfolded", "null space network")
SHOWN = (*SHOWN, "P of one camera", "P")
columns = [
    Column("promised", "dB", digits=2),
    Column("iterations", digits=0),
    Column("error", digits=3, best="low"),
    Column("PSNR", "dB", digits=2),
]


def low_table(name, words):
    """Return a table of one contrast: what was promised, and what was measured."""
    body = {
        method: [
            row["simulated"],
            row["iteration"],
            (row["error"], row["standard_error"]),
            row["psnr"],
        ]
        for method, row in rows_of("low_field", name).items()
        if method in SHOWN
    }
    title = f"Ten slices at 0.055 T, {words}, a quarter of the columns."
    return tables.table(title, columns, body)


low_table("lowfield_gre", "gradient echo")

# %% tags=["hide-input"]
low_table("lowfield_fse", "spin echo")

# %% [markdown]
# *Error* is the root of the mean squared error on the columns that were left out, less the energy of their noise,
# relative to the signal there, as in {eq}`eq-lens-held-out`. It is 1 for an image that knows nothing of them. *PSNR* is
# against the image of all columns, whose noise it counts as truth.
#
# The order of the simulation is not that of the measurement. On the gradient echo it puts total variation behind
# plug-and-play, and the measurement puts it before it. On the spin echo these can hardly be told apart. *Promised* and
# *PSNR* are not to be compared: one is against a truth, the other against a picture whose noise alone allows no more
# than about 30 and 26 dB ({ref}`ex-scan-ceiling`).
#
# **What becomes of it.** A method that is stopped at its best iteration needs somebody who knows when. So each run goes
# on, on three slices of the spin echo, live.

# %%
MARKS = (1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 80)
curves = {}
for name in ("PnP", "TV", "P"):
    solve = solve_of(chosen[name], candidates)
    curves[name] = []
    for k, x in enumerate(solve(scanner, scans.y, MARKS[-1]), 1):
        if k in MARKS:
            error = scans.judge.error(low_field.predicted(x)).nmse
            curves[name].append(math.sqrt(error))

# %% mystnb={"figure": {"name": "fig-scan-low-runs", "caption": "Error on the left-out columns by iteration, three slices of the spin echo; settings from simulation."}, "image": {"alt": "Three curves. That of P falls for five iterations and then hardly moves. Total variation falls slowly. Plug-and-play falls a little for seven iterations, and then rises steeply."}} tags=["hide-input"]
roles = {"PnP": "baseline", "TV": "rival", "P": "distilled"}
axes = {"xlabel": "iteration", "ylabel": "relative error", "xscale": "log"}
figures.curves(MARKS, curves, roles=roles, **axes)

# %%
low = {c: rows_of("low_field", c) for c in low_field.RECORDS}
late = {c: rows_of("low_field", f"{c}, {low_field.LONG}") for c in low_field.RECORDS}
for c in low_field.RECORDS:
    drift = 20 * math.log10(late[c]["P"]["error"] / low[c]["P"]["error"])
    words = next(name for name, record in ECHOES.items() if record == c)
    print(f"{words}: P after {low_field.LONG} iterations has lost {drift:.2f} dB")

# %% [markdown]
# Plug-and-play does not settle: here its error grows again after seven iterations, and has nearly doubled after 80. Total
# variation stays where it is. $P$ decays too, but slowly: the lines above have the loss on all ten slices, between the
# iteration that simulation chose and the last one.
#
# ## Seven coils at 3 T: preparation
#
# Every coil $c$ sees the head through its own map $S_c$, a complex number for each pixel, which says how strongly the
# coil receives from there:
#
# $$
# y_c = M F S_c x + w_c , \qquad c = 1, \dots, C .
# $$ (eq-scan-coils)
#
# The maps are not known, nor how the noise of the coils is correlated. The steps from a record to an operator are
# those of a scanner's own software. Each is a function with its reference on [the page for your own data](raw_data.md).
#
# **Prewhitening.** Noise of coils is correlated. The air around the head tells its covariance, and a triangular matrix
# mixes the coils so that their noise is independent and equally strong. As a check, the matrix is found from the air on
# the left, and tried on that on the right.

# %%
record, images = head.prepared_head(), seven["image"]
outer = [*range(26), *range(-26, 0)]
left, right = images[:, outer, :22].flatten(1), images[:, outer, -22:]
white = prewhiten(right, noise_covariance(left)).flatten(1)
apart = noise_covariance(white) - torch.eye(len(white))
print(f"largest deviation from the unit matrix: {float(apart.abs().max()):.2f}")
assert apart.abs().max() < 0.2

# %% [markdown]
# **Maps.** ESPIRiT {cite}`uecker2014espirit` finds the coils' maps from the fully sampled middle of k-space, and from
# nothing else. It also says where there is no signal to be seen.

# %% mystnb={"figure": {"name": "fig-scan-maps", "caption": "Magnitudes of four of the seven maps, found from the middle of k-space at R = 8, and the image of all coils. Data: midas.lab (MIT)."}, "image": {"alt": "Five pictures of one size. Three maps show a smooth bright area at different sides of a head; the third map is nearly black, a coil that sees little. The fifth picture is the head, an axial slice with the skull."}} tags=["hide-input"]
splits = {R: head.columns(tuple(record.data.shape[-2:]), R) for R in (4, 6, 8)}
maps = espirit_maps(record.data * splits[8].judging.used).maps
everything = root_sum_of_squares(images[None])[0]
shown = {f"coil {c + 1}": maps[c].abs() for c in (0, 1, 2, 3)}
shown["all coils"] = everything / everything.flatten().quantile(0.995)
figures.images(shown, columns=3)

# %% [markdown]
# **What is hidden.** With one coil a column is measured or it is not. With several, each place of k-space is seen a
# little through its neighbours. Some singular values $s$ of $A$ are zero: at R = 8 seven coils give $7 \cdot 27 = 189$
# numbers for the 216 pixels of a row. The others fall smoothly towards it, and no gap parts the two. So the null space
# of {eq}`eq-null-space-form` needs a threshold, and the split is soft:
#
# $$
# P(g; z) = R_\lambda g + \lambda R_\lambda N(g, z), \qquad
# R_\lambda = \lVert A \rVert^2 (A^\top A + \lambda \lVert A \rVert^2 I)^{-1} .
# $$ (eq-soft-split)
#
# With the relative singular value $r = s / \lVert A \rVert$, Newton's step fits the share $r^2 / (r^2 + \lambda)$ of a
# mode at once, and the network $N$ has a say in the rest, $\lambda / (r^2 + \lambda)$. We take $\lambda = 0.03$.

# %% mystnb={"figure": {"name": "fig-scan-split", "caption": "The soft split: the share of a mode that Newton's step fits, and the share that is left to the network, for λ = 0.03."}, "image": {"alt": "Two curves over the relative singular value from 0 to 1. One rises from 0 to nearly 1, the other falls from 1 to nearly 0. They cross at 0.17."}} tags=["hide-input"]
r = torch.linspace(0, 1, 101)
share = r**2 / (r**2 + multicoil.DAMPING)
figures.curves(
    r.tolist(),
    {"Newton's step": share.tolist(), "network": (1 - share).tolist()},
    xlabel="relative singular value r",
    ylabel="share of the mode",
    roles={"Newton's step": "newton", "network": "distilled"},
    markers=False,
    vertical={"√λ": math.sqrt(multicoil.DAMPING)},
)

# %% [markdown]
# Both parts have one $\lambda$, so a direction costs one solve, by conjugate gradients: about twenty products with
# $A^\top A$. Newton's step alone costs the same.
#
# ## One $P$ for many scans
#
# The first $P$ of [](mri-case) has seen one choice of columns. A scanner has many. So this one is trained for a family:
# every 40 steps one of eight scanners gives way to a new one. Each scanner has its teacher, with the same coils and twice
# as many places of k-space, and solver states of its own. A step of the training looks at one scanner, and at four of its
# states. No scan of this chapter was among them. Maps, masks, noise and phases are simulated. The images are slices of
# another head, photographs and dead leaves, of $128 \times 128$ pixels. One thing was looked up: how rough phases are was
# set after the head of seven coils, from all of its columns.

# %% tags=["hide-input"]
family = multicoil_mri.FAMILY
recipe = multicoil_mri.PRESET.recipes["distilled"]
facts = {
    "coils": f"{family.coils[0]} to {family.coils[1]}, with maps drawn at random",
    "acceleration": f"{family.accelerations[0]:g} to {family.accelerations[1]:g}",
    "places": " or ".join(family.masks),
    "noise": f"{family.noise[0]} to {family.noise[1]}",
    "teacher": f"the same coils, {1 / family.teacher:g} times as many places",
    "images": "brain slices with skull, photographs, dead leaves",
    "phases": "smooth ones, and rough ones in half of the images",
    "steps": f"{recipe.steps:,}, and {recipe.tuned_steps} through four iterations",
}
body = {name: [value] for name, value in facts.items()}
tables.table("How P was trained.", [Column("value")], body)

# %% [markdown]
# Two choices differ from those of the earlier chapters. The first is the material: the phases of a measured head are
# rough, and a denoiser that has seen smooth ones alone may take some of the head for noise. The second is the loss.
# Squared errors of an easy scan and of a hard one differ a hundredfold, so hard ones dominate their mean. Here the error
# is taken in decibels,
#
# $$
# L_{\mathrm{dB}} = \operatorname{mean}\, 10 \log_{10} \frac{\lVert x - x^* \rVert^2}{\lVert x^* \rVert^2} ,
# $$ (eq-loss-decibels)
#
# in which a gain of 1 dB counts the same for all. That this is better we cannot say: a training of the same length with
# squared errors, at half the learning rate, came to the same on scans that were drawn anew, within 0.02 dB, and was
# 0.3 dB behind on the validation slices (the numbers stand beside the recipe). The gradient's loss {eq}`eq-losses` is
# added to it as in the other chapters.
#
# ## Seven coils: what was measured
#
# At R = 8, live: 27 of 216 columns. Settings were chosen without the columns that judge. A fifth of the used columns
# outside of the *calibration region*, the fully measured middle, was set aside, four at least. Each setting was run on
# the rest, and the one that predicted the set-aside columns best was then run on all that may be used. A laboratory can
# do the same with a scan that was accelerated when it was made. Four columns are few, so settings are uncertain.
#
# CG-SENSE is least squares with a damping, whose iterations are stopped: a second regularisation. Newton-PnP is
# plug-and-play with Newton's step and no momentum. For both, and for all others, σ, λ and the stop are chosen. Total
# variation is tried by FISTA, by Newton's step and by ADMM.

# %%
scan = multicoil.scan_of(record, splits[8].judging, head.NOISE)
assert checks.check_adjoint(scan.physics, (1, 2, *record.data.shape[-2:])) < 1e-4
known, measured_at_8 = multicoil.methods(), rows_of("head", "R = 8")
at, curves, MARKS = {}, {}, (1, 2, 3, 5, 7, 10, 14, 20, 30, 50)
THREE = ("TV", "Newton-PnP", "P")
for name in THREE:
    solve = solve_of(measured_at_8[name], known)
    run = enumerate(solve(scan.physics, scan.y, MARKS[-1]), 1)
    at[name] = {k: x for k, x in run if k in MARKS}
    errors = (scan.judge.error(scan.predict(x)) for x in at[name].values())
    curves[name] = [math.sqrt(error.nmse) for error in errors]

# %% mystnb={"figure": {"name": "fig-scan-head", "caption": "The head at R = 8: total variation and plug-and-play, both with Newton's step, $P$, each after its own number of iterations or 50, and the image of all columns, whose noise is real. The dB are against that noisy image. The inset shows the front of the brain, the dark maps the errors. Data: midas.lab (MIT)."}, "image": {"alt": "Four pictures of a head from above, with a part enlarged below each and errors below that. All three reconstructions are smoother than the image of all columns. Total variation has flat patches, Newton's step faint ripples, P neither."}} tags=["hide-input"]
whole = torch.view_as_real(scan.judge.measured).movedim(-1, 0)[None].contiguous()
truth = scan.whole.A_adjoint(whole)
white = float(truth.norm(dim=1).flatten().quantile(0.995))


def grey(x):
    """Return the magnitude where a coil sees anything, relative to bright pixels."""
    return (scan.physics.support * x.norm(dim=1)[0] / white).clamp(0, 1)


stops = {name: min(measured_at_8[name]["iteration"], MARKS[-1]) for name in THREE}
ends = {name: at[name][stop] for name, stop in stops.items()}
look = {"truth_title": "all columns", "inset": (60, 78, 60), "columns": 4}
figures.reconstructions(grey(truth), {n: grey(x) for n, x in ends.items()}, **look)

# %% mystnb={"figure": {"name": "fig-scan-head-runs", "caption": "Error on the left-out columns by iteration at R = 8."}, "image": {"alt": "Three falling curves. That of P is the lowest throughout and reaches about one half first. Those of total variation and of plug-and-play with Newton's step follow."}} tags=["hide-input"]
colours = ("rival", "newton", "distilled")
roles = dict(zip(curves, colours, strict=True))
axes = {"xlabel": "iteration", "ylabel": "relative error", "xscale": "log"}
figures.curves(MARKS, curves, roles=roles, **axes)

# %% [markdown]
# The control shows what the three look like on their way.


# %% tags=["hide-input"]
def draw_scan(iteration):
    """Draw the reconstructions after some iterations."""
    return figures.images({name: grey(at[name][iteration]) for name in THREE})


def describe_scan(iteration):
    """Say the errors in words."""
    place = MARKS.index(iteration)
    words = ", ".join(f"{name} {curves[name][place]:.2f}" for name in THREE)
    return f"The head at R = 8 after {iteration} iterations. Errors: {words}."


slider = {"draw": draw_scan, "values": MARKS, "label": "iteration", "start": 4}
widgets.frames(**slider, alt=describe_scan, caption="Data: midas.lab (MIT).")

# %% [markdown]
# In a live kernel, the next cell draws the same. With another acceleration in `splits[8]` above, the settings stay those
# of R = 8.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# All methods at all three accelerations, each with the setting that the set-aside columns chose.

# %% tags=["hide-input"]
columns = [Column(f"R = {R}", digits=3, best="low") for R in (4, 6, 8)]
by_R = {R: rows_of("head", f"R = {R}") for R in (4, 6, 8)}
body = {name: [by_R[R][name]["error"] for R in by_R] for name in by_R[8]}
tables.table("Relative error on the columns that were left out.", columns, body)

# %% tags=["hide-input"]
columns = [
    Column("gain", "dB", digits=2, signed=True),
    Column("iterations without P", digits=0),
    Column("iterations of P to be as good", digits=0),
    Column("transforms until then", digits=0),
]
body, price = {}, {}
for R, rows in by_R.items():
    found = over_best[f"3 T, seven coils, R = {R}"]
    its, ours = rows[found["best"].split(",")[0]], rows["P"]
    each = ours["transforms"] / ours["iteration"]
    price[R] = found["reached"] and round(found["reached"] * each)
    gain = (found["gain"], found["gain_error"])
    body[f"R = {R}"] = [gain, its["iteration"], found["reached"], price[R]]
title = "P and the best method without it, with hindsight."
tables.table(title, columns, body)

# %% [markdown]
# ## Eight coils, and no reference at all
#
# The third scanner's scan was accelerated when it was made: one place of k-space in eight was measured, more of them near the
# middle. There is nothing to compare a picture with. A tenth of the measured places outside of the calibration region
# is held out and judges. Another tenth of the rest has chosen the settings.
#
# There is no scan of noise either, and no place of k-space without signal. So the coils are not prewhitened, and nothing
# can be subtracted from the error on held-out places. The noise adds the same to all methods: who is ahead can be told,
# and by how many decibels of the true error cannot. Any difference in dB is understated, whoever is ahead.

# %%
record_8, kept = prospective.prepared_scan()
split = prospective.places(record_8.mask, kept)
scan_8 = multicoil.scan_of(record_8, split.judging, 0.0)
print(f"measured: {float(record_8.mask.float().mean()):.1%} of k-space")
print(f"held out: {int(split.judging.held_out.sum())} places")
measured_8 = rows_of("prospective", "R = 8")
rival_8 = over_best["eight coils, R = 8"]["best"].split(",")[0]
pictures = {}
for name in ("CG-SENSE", rival_8, "P"):
    solve = solve_of(measured_8[name], known)
    stop = measured_8[name]["iteration"]
    *_, pictures[name] = solve(scan_8.physics, scan_8.y, stop)

# %% mystnb={"figure": {"name": "fig-scan-eight", "caption": "The accelerated scan: CG-SENSE, the best method without $P$, and $P$. Data: the authors of SigPy (BSD-3-Clause)."}, "image": {"alt": "Three pictures of one slice of a head. The first is grainy, the other two are smoother and look alike."}} tags=["hide-input"]
white = float(pictures["P"].norm(dim=1).flatten().quantile(0.995))
figures.images({n: x.norm(dim=1)[0] / white for n, x in pictures.items()}, columns=3)

# %% tags=["hide-input"]
columns = [
    Column("iterations", digits=0),
    Column("error", digits=4, best="low"),
    Column("residual", digits=4),
]
body = {n: [r["iteration"], r["error"], r["residual"]] for n, r in measured_8.items()}
tables.table("Eight coils: error on held-out places, noise included.", columns, body)

# %% [markdown]
# ## What survived
#
# **At low field** $P$ is ahead of what the simulation would have chosen by more than a decibel on both contrasts. With
# hindsight it is level with total variation on the gradient echo, and ahead of ADMM by a decibel on the spin echo, with
# a standard error of half of one.
#
# **A $P$ for one choice of columns.** The spin echo has 128 columns. So its mask is the very one that three networks of
# [](mri-case) were trained on: the unfolded one, the null-space one and the $P$ there. All three have a lower error than
# the $P$ for many scans. On the gradient echo, whose mask they have not seen, all three have a higher one. One record
# each is too little to say more.

# %%
trained_on = CartesianMRI(low_field.ACCELERATION, (2, 128, 128)).mask[0, 0, 0]
assert torch.equal(scanner.mask[0, 0, 0], trained_on)
one_choice = ("unfolded", "null space network", low_field.ONE_CAMERA)
errors = {c: {n: row["error"] for n, row in low[c].items()} for c in low}
assert all(errors["lowfield_fse"][n] < errors["lowfield_fse"]["P"] for n in one_choice)
assert all(errors["lowfield_gre"][n] > errors["lowfield_gre"]["P"] for n in one_choice)
assert all(low[c]["P"]["gain"] > 1 for c in low)
echo = over_best["0.055 T, gradient echo, R = 4"]
assert abs(echo["gain"]) < echo["gain_error"]

# %% [markdown]
# **Seven coils: even in the end.** The three accelerations are one slice, behind columns of one seed. The errors are over
# places of one scan: other heads, and another training of $P$, would add to them. $P$ is ahead of total variation by
# 0.2 dB at most. Differences up to 0.2 dB between single trainings are called even in this book.
#
# **Seven coils: fewer iterations, not less work.** With hindsight $P$ passes the error of the best method without it after
# a tenth of its iterations or fewer. At R = 6 and 8 that is total variation with Newton's step, which was still getting
# better at the limit of 200 iterations. But a step of plain FISTA costs two Fourier transforms of all coils, and one with
# $P$ or with Newton's step about forty. For the transforms that $P$ needs, FISTA can take some sixty to two hundred
# steps, and that is about what total variation takes by FISTA: thirty at R = 4.
#
# **Eight coils: behind.** ADMM is ahead of $P$ by a little more than a tenth of a decibel, which is twice the standard
# error. The noise in the error makes that too small, and by how much is not known.

# %%
for R, transforms in price.items():
    found = over_best[f"3 T, seven coils, R = {R}"]
    assert 0 < found["gain"] < 0.25
    assert 10 * found["reached"] <= found["iterations"]
    assert 100 < transforms < 400
    each = by_R[R]["P"]["transforms"] / by_R[R]["P"]["iteration"]
    assert 30 < each < 45
eight = over_best["eight coils, R = 8"]
assert -0.3 < eight["gain"] < -0.1
assert eight["reached"] is None

# %% [markdown]
# ## What limits it
#
# Two more $P$ were trained, for the scanner of seven coils alone: with its maps and its noise, and columns drawn anew at
# R from 4 to 8. Both took the same number of steps, fewer than the shipped $P$.
#
# - The first has seen the simulated images, as the shipped $P$ has.
# - The second has seen the very image that it is judged on, from all columns, noise included.
#
# Nobody can train the second: it has seen the answer. It is a control. It tells how far a $P$ of this form and size
# comes with the right image. The last row is no method. It is what the maps cannot say of the record, whatever $P$ is.

# %% tags=["hide-input"]
limits = load_result("limits")
TRAINED = ("shipped P", "this scanner", "this scanner, this head")
columns = [Column(f"R = {R}", digits=3) for R in (4, 6, 8)]
columns += [Column(f"R = {R}, gain", "dB", signed=True) for R in (4, 6, 8)]
found = {R: [r for r in limits["rows"] if r["condition"] == f"R = {R}"] for R in (4, 6, 8)}
body = {}
for place, name in enumerate(TRAINED):
    rows = [found[R][place] for R in found]
    gains = [r["gain"] and (r["gain"], r["gain_error"]) for r in rows]
    body[name] = [r["error"] for r in rows] + gains
body["beyond the maps"] = [*limits["beyond_maps"].values(), None, None, None]
title = "Relative error on the left-out columns, and gain over the shipped P."
tables.table(title, columns, body)

# %%
held_back = {}
for R, (shipped, _, told) in found.items():
    worst = told["error"] ** 2 + limits["learned_noise"][f"R = {R}"]
    held_back[R] = 10 * math.log10(shipped["error"] ** 2 / worst)
print("at least", ", ".join(f"{gain:+.1f} dB at R = {R}" for R, gain in held_back.items()))

# %%
assert all(scanner["gain"] < -0.2 for _, scanner, _ in found.values())
assert all(told["gain"] > 2.5 for *_, told in found.values())
assert all(gain > 1 for gain in held_back.values())
for R, (_, _, told) in found.items():
    assert limits["beyond_maps"][f"R = {R}"] < 0.7 * told["error"]

# %% [markdown]
# The gain of the second is told too high, since it has seen the noise of the columns that judge. An image can hold a
# seventh of the noise of seven coils. The line below the table takes all of that off.
#
# **The images limit it.** With the right image, the same form, size and denoiser come decibels further, behind the same
# maps. So none of these stops the shipped $P$ where it stands. To know the scanner does not make up for fewer steps: the
# first is behind the shipped $P$, which was trained longer. What is missing is what heads look like. The denoisers and
# $P$ have seen one head, at one contrast, beside photographs and dead leaves.
#
# How much of this other measured heads would bring, this does not say. A $P$ that has seen other heads has not seen this
# one.
#
# ## A checklist for your own scan
#
# | check | with | here |
# |---|---|---|
# | noise | air, ends of rows, a scan of noise | two estimates, 7 % apart at 0.055 T |
# | coils | prewhitening, maps from used places alone | within 0.2 of the unit matrix |
# | units | brightness of simulated images, by the same function | a factor for each slice |
# | a split | singular values, or a threshold | λ = 0.03 |
# | settings | simulation, or places set aside | never by the error that is reported |
# | judge | k-space left out, minus its noise | columns, or single places |
# | rivals | total variation, falling σ, Newton with a denoiser | tuned alike; no wavelets, and no network for several coils |
# | run on | 200 iterations | at low field |
# | one command | `python -m ddgp_lib measured head` | also `low_field`, `prospective` |
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 22_scanner
# ```
#
# ## Exercises
#
# ```{exercise} Half seen
# :label: ex-scan-share
#
# With $\lambda = 0.03$, which share of a mode with the relative singular value $r = 0.1$ does Newton's step fit at once?
# ```

# %%
answer = None  # a share, from 0 to 1
answers.check("ex-scan-share", answer)

# %% [markdown]
# ```{solution} ex-scan-share
# :class: dropdown
#
# $r^2 / (r^2 + \lambda) = 0.01 / 0.04 = 0.25$. Three quarters are left to the network.
# ```
#
# ```{exercise} A noisy reference
# :label: ex-scan-ceiling
#
# The real and the imaginary part of each pixel of a reference have noise of standard deviation 0.05, and its brightest
# pixel is 1. Where the head is bright, the noise changes the magnitude by its part along the signal alone. What is the
# PSNR of the *true* magnitude against the reference there?
# ```

# %%
answer = None  # dB
answers.check("ex-scan-ceiling", answer)

# %% [markdown]
# ```{solution} ex-scan-ceiling
# :class: dropdown
#
# $20 \log_{10}(1 / 0.05) = 26.0$ dB. The true image itself gets no more. An image that repeats the noise of the reference
# can get more without being better: so does the null-space network in the tables above.
# ```
#
# ```{exercise} Wrong units
# :label: ex-scan-units
#
# Someone forgets the units: all measurements are four times too large. Run $P$ on them at R = 8, with the settings as
# they are, and divide the image by four. Is it the same image?
# ```

# %% [markdown]
# ```{solution-start} ex-scan-units
# :label: sol-scan-units
# :class: dropdown
# ```

# %%
row, errors = measured_at_8["P"], {}
for factor in (0.25, 1, 4):
    solve = solve_of(row, known)
    *_, x = solve(scan.physics, factor * scan.y, row["iteration"])
    errors[factor] = math.sqrt(scan.judge.error(scan.predict(x / factor)).nmse)
body = {f"{factor}": [error] for factor, error in errors.items()}
title = "P on scaled measurements at R = 8: error on the columns that were left out."
tables.table(title, [Column("error", digits=3, best="low")], body, corner="factor")

# %%
assert errors[1] < min(errors[0.25], errors[4])

# %% [markdown]
# No. Neither the denoiser with a fixed σ nor the network is homogeneous: they know how bright a head is, and how strong
# the noise. With the wrong units they remove too much or too little.
# ```{solution-end}
# ```
#
# ```{exercise} Another family
# :label: ex-scan-family
#
# Your scanner has 32 coils. `multicoil_mri.FAMILY` has at most ten. Which field do you change, and which step of
# preparation would let you keep the family as it is?
# ```
#
# ```{solution} ex-scan-family
# :class: dropdown
#
# The field is `coils`. A file that sets `multicoil_mri.FAMILY = replace(multicoil_mri.FAMILY, coils=(4, 32))`, with
# `replace` from `dataclasses`, and then imports `PRESET`, is what the training is given. Coil compression keeps the
# family: `compress_coils` mixes 32 coils into ten virtual ones, which hold nearly all of the signal.
# ```
#
# ## Recap
#
# - Maps and units come from the used measurements. The noise does not: at low field and for seven coils it was estimated
#   from all columns, those that judge included. A scanner has a scan of noise for it.
# - With several coils the null space becomes soft. One $\lambda$ says what Newton's step fits and what the network adds.
# - One $P$, trained on simulated scans of many kinds, is carried to scans of one, seven and eight coils.
# - It is judged by k-space that was left out, beside the best method without $P$. With hindsight it is even with that one
#   on the gradient echo and, in the end, with seven coils, a decibel ahead on the spin echo, and a little behind with
#   eight coils.
# - The images of the training limit it: a $P$ that has seen the head itself comes decibels further.
#
# ## Further reading
#
# {cite}`pruessmann1999sense` is SENSE; {cite}`uecker2014espirit` finds the maps; {cite}`liu2021lowfield` built the
# scanner at 0.055 T; {cite}`aggarwal2019modl` and {cite}`hammernik2018learning` are unrolled networks for several coils;
# {cite}`shimron2022implicit` shows what goes wrong when prepared data are taken for raw ones.
