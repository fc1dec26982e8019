# %% [markdown]
# (three-tasks)=
# # Three cameras, one recipe: what can be guessed, and what cannot
#
# The [first case study](single-pixel) distilled a preconditioner $P$ for one camera and one kind of image: a network
# inside the gradient step of plug-and-play FISTA, trained to make of a *student's* gradient that of a *teacher*, which
# measures more. Here the same recipe stands behind three cameras: the single-pixel camera and its digits, an MRI
# scanner that skips three columns of k-space out of four, and a camera whose pixels are too large by a factor of four.
# They do not lose the same things. Does one recipe work behind all of them? And where it helps little, could we have
# known before training?
#
# ```{note}
# **Time:** 18 minutes of reading, less than a minute of computing. **Before this:** the case studies, and
# [](best-rivals) for the methods that $P$ is compared with. **After it** you can
#
# 1. say what an operator loses in three numbers: modes that it sees, its condition on them, and the share of the
#    image that lies outside;
# 2. estimate, before any training, how much of a null space can be guessed;
# 3. compare methods by paired gains with their errors, by iterations and by seconds;
# 4. say what a held-out test covers, and what it does not: other operators, other noise, other images;
# 5. check a reconstruction against its data, without knowing the truth;
# 6. read runs of 1,000 iterations, with and without a safeguard.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import dataclasses
import math

import torch

import ddgp_lib
from ddgp_lib import answers, figures, widgets
from ddgp_lib.data import load_faces
from ddgp_lib.experiments.benchmark import SAFEGUARDED, load_benchmark
from ddgp_lib.experiments.refusing import refusing
from ddgp_lib.experiments.seeds import best_of, rivals_of
from ddgp_lib.experiments.verdicts import (
    lead,
    over_rivals,
    reference_of,
    show_leads,
    title_of,
    verdict,
)
from ddgp_lib.operators import norms, null_projection, range_projection
from ddgp_lib.solvers import discrepancy
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
names = {"digits": "single_pixel", "brain": "mri", "faces": "super_resolution"}
tasks = {label: ddgp_lib.load_task(name) for label, name in names.items()}
results = {label: load_benchmark(name) for label, name in names.items()}
seeds = {label: result["seeds"] for label, result in results.items()}
best = {label: reference_of(found) for label, found in seeds.items()}

# %% [markdown]
# **Key results**: the gain of the distilled $P$ over the best method that learns nothing, on held-out images, with 95 %
# intervals over images and three trainings of $P$. First after 20 iterations, then between the best iterations of both. For the brain, that of the
# head is the one to quote: the rest is black.

# %% tags=["hide-input"]
places = {"digits": ("digits", False), "brain": ("brain", False)}
places |= {"brain, head": ("brain", True), "faces": ("faces", False)}
rows = {}
for place, (label, region) in places.items():
    two = (lead(seeds[label], k=k, region=region) for k in (20, None))
    rows[place] = [title_of(best[label]), *((d.mean, d.interval) for d in two)]
heads = [Column(n, "dB", signed=True) for n in ("after 20", "between bests")]
heads = ["best that learns nothing", *heads]
table("Gain of P in mean PSNR, with its 95 % interval.", heads, rows, corner="images")

# %% [markdown]
# The same as a picture, beside the preconditioner that sees the gradient alone, and the linear [closed
# form](closed-form):

# %% mystnb={"figure": {"name": "fig-three-gains", "caption": "Gain over the best method that learns nothing after 20 iterations, mean over held-out images, with 95 % intervals over images, and over three trainings of the distilled P. Left of the line a method that was trained does worse than one that was not."}, "image": {"alt": "Four rows, digits, brain, the head alone, and faces, with three dots and error bars each: distilled, gradient only and linear. A vertical line marks zero."}} tags=["hide-input"]
learned = ("distilled", "distilled_gradient_only", "distilled_linear")
gained = {}
for place, (label, region) in places.items():
    each = {title_of(n): lead(seeds[label], n, region=region) for n in learned}
    gained[place] = {title: (d.mean, d.interval) for title, d in each.items()}
roles = {"distilled": "distilled", "gradient only": "gradient_only", "linear": "linear"}
figures.dots(gained, xlabel="gain (dB), 95 % interval", roles=roles, reference=0)

# %% [markdown]
# ## What each camera loses
#
# The measurements fix $A^+A\,x$ and say nothing about $(I - A^+A)\,x$. So two numbers come first: how many modes a
# camera sees, out of how many, and what share of an image's norm the part $(I - A^+A)\,x$ has. The last column is a
# forecast. If a student recovered exactly what its teacher sees, and nothing else, the norm of its error would fall by
# the ratio of the two shares.

# %%
lost, forecast, rows = {}, {}, {}
for label, task in tasks.items():
    images, cameras = task.test_images[:48], (task.student, task.teacher)
    hidden = [norms(null_projection(A, images)) / norms(images) for A in cameras]
    lost[label] = [float(share.mean()) for share in hidden]
    forecast[label] = 20 * math.log10(lost[label][0] / lost[label][1])
    seen = [A.rank for A in cameras]
    rows[label] = [images[0].numel(), *seen, *lost[label], forecast[label]]
heads = ["modes", "student sees", "teacher sees"]
heads += ["share unseen by the student", "by the teacher"]
heads.append(Column("forecast", "dB", digits=1))
table("What student and teacher lose.", heads, rows)

# %%
assert max(lost["brain"][0], lost["faces"][0]) < 0.2 < 0.5 < lost["digits"][0]
assert max(forecast.values()) - min(forecast.values()) < 2

# %% [markdown]
# Counting modes and weighing them are different things. The MRI scanner misses three quarters of all modes and the
# super-resolution camera nearly all of them, yet the part of an image that they miss has a sixth or a seventh of its
# norm: both keep the low frequencies, where such images are strong. The single-pixel camera misses more than half of
# the norm. By the forecast the three teachers have about equally much to teach, within two decibels. What differs is
# how.
#
# **Single-pixel camera: digits.** The student lacks 922 of 1,024 Hadamard patterns, and the teacher has 308 of them.
# The rows are orthonormal, $A A^\top = I$, so the 102 modes that are seen are perfectly conditioned: nothing is slow,
# much is silent. The MNIST digits {cite}`lecun1998gradient` are real, the measurements are computed, with noise of
# standard deviation 0.01.
#
# **MRI: brain slices.** The student measures 32 of 128 columns of k-space {cite}`lustig2007sparse`, ten in the middle
# and the others at random, denser near the middle; the teacher measures 32 more. Again $A A^\top = I$. Training and
# validation slices are of one man, the Colin27 average {cite}`holmes1998enhancement`; test slices are of MNI152, an
# average of 152 other people {cite}`fonov2011unbiased`, smoother than a scan and without a skull. So an error over
# slices says nothing about another head. Phase, coil, k-space and noise are simulated.
#
# **Super-resolution: faces.** The student blurs by four pixels and keeps one pixel in $4 \times 4$
# {cite}`zhao2016fast`, the teacher blurs by one pixel and keeps four times as many. This operator has a real spectrum:
# it passes on coarse modes fully and finer ones ever more weakly, until the noise, here of standard deviation 0.001,
# drowns them. Modes with $s_i \le \eta\,\lVert A \rVert$, $\eta = 0.03$, count as unseen. The ORL faces
# {cite}`samaria1994parameterisation`, by courtesy of AT&T Laboratories Cambridge, are of other people in training,
# validation and test.
#
# In none of the three is there an error in the model: the reconstruction knows the operator exactly. Two of these
# claims can be checked at once: orthonormal rows, and a student's modes that the teacher sees as well, exactly or, for
# super-resolution, up to a few per cent of their norm.

# %%
rows = {}
for label, task in tasks.items():
    A, generator = task.student, torch.Generator().manual_seed(0)
    noise = torch.randn(8, *task.img_size, generator=generator)
    y, visible = A.A(noise), range_projection(A, noise)
    gap = float((A.A(A.A_adjoint(y)) - y).norm() / y.norm())
    missed = float(null_projection(task.teacher, visible).norm() / visible.norm())
    rows[label] = [gap, missed]
heads = [Column(head, digits=4) for head in ("AAᵀ differs from I by", "teacher misses")]
table("Two checks, relative to the norm of what is mapped.", heads, rows)

# %% tags=["hide-input"]
digits, brains, faces = tasks.values()
assert max(rows["digits"] + rows["brain"]) < 1e-5
assert rows["faces"][0] > 1e-5
assert rows["faces"][1] < 0.05
assert (digits.student.rank, digits.teacher.rank) == (102, 102 + 308)
columns = [int(A.columns.sum()) for A in (brains.student, brains.teacher)]
assert columns == [32, 32 + 32]
assert brains.student.columns[59:69].all()

# %% [markdown]
# The spectrum of super-resolution, student and teacher, each relative to its largest singular value:

# %%
eta, spectra, rows = 0.03, {}, {}
for name, A in (("student", faces.student), ("teacher", faces.teacher)):
    values = (A.spectrum / A.squared_norm).sqrt().flatten()
    spectra[name] = values = values.sort(descending=True).values
    seen = values[values > eta]
    rows[name] = [len(values), len(seen), float(1 / seen[-1])]
heads = ["measured modes", "seen", Column("condition number", digits=1)]
table("Super-resolution: what is above the threshold.", heads, rows)

# %%
assert 1 / spectra["student"][faces.student.rank - 1] ** 2 > 1000

# %% mystnb={"figure": {"name": "fig-three-spectrum", "caption": "Super-resolution: singular values of student and teacher, each relative to its largest; the remaining modes, up to 4,096, are zero. What lies below the line counts as unseen."}, "image": {"alt": "Two falling curves of relative singular values on a logarithmic axis. The student's has 256 values, crosses the line at 0.03 after 145 and ends near one ten-thousandth. The teacher's has 1024 and ends at 0.17, above the line."}} tags=["hide-input"]
figures.curves(
    {name: range(1, len(values) + 1) for name, values in spectra.items()},
    spectra,
    xlabel="index $i$",
    ylabel="$s_i \\,/\\, s_1$",
    yscale="log",
    roles={"student": "baseline", "teacher": "teacher"},
    horizontal={"counts as zero below": eta},
    legend="above",
)

# %% [markdown]
# Where does the threshold stand against the noise? Each mode has its own measurement, $u_i^\top y$, and over the
# test faces its signal, $u_i^\top A x^*$, has a root mean square that can be compared with the noise.

# %%
A, ratios, rows = faces.student, {}, {}
signal = A.left_rows @ A.A(faces.test_images) @ A.left_columns
signal = signal.square().mean(dim=(0, 1))
strength = (A.spectrum / A.squared_norm).sqrt()
for low, high in ((0.1, 1), (0.03, 0.1), (0.01, 0.03), (0, 0.01)):
    band = (strength > low) & (strength <= high)
    ratios[low] = float(signal[band].mean().sqrt()) / 0.001
    rows[f"from {low} to {high}"] = [int(band.sum()), ratios[low]]
heads = ["modes", Column("signal over noise", digits=1)]
table("Signal in bands of singular values.", heads, rows, corner="relative value")

# %%
assert ratios[0.03] > 2 > ratios[0.01] > 0.5 > ratios[0]

# %% [markdown]
# Just above the threshold the signal is a few times the noise, below it about as large as the noise or smaller. So
# the threshold is a choice, but not an arbitrary one.
#
# Both difficulties of [conditioning](conditioning) meet in this camera: silent modes, most of them, and slow ones. A
# gradient step with $\alpha = 1/\lVert A \rVert^2$ corrects the weakest mode that is seen by less than a thousandth,
# since $\kappa^2$ is above 1,000. For slow modes there is a remedy that needs no learning, a [function of $A^\top
# A$](linear-preconditioners). Here it is the damped Newton step,
#
# $$
# R_\lambda = \lVert A \rVert^2 \bigl(A^\top A + \lambda \lVert A \rVert^2 I\bigr)^{-1},
# $$ (eq-newton)
#
# which treats all modes well above $\sqrt\lambda\, \lVert A \rVert$ alike. For this task the preconditioner has the
# form $P_\theta(\nabla g; z) = R_\lambda \nabla g + (I - A^+A)\, N_\theta(\nabla g, z)$: algebra for what is slow,
# a network for what is silent. With $A A^\top = I$, $R_\lambda$ only scales the gradient, so the other two tasks
# keep the null-space form {eq}`eq-null-space-form`, $P_\theta(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(\nabla g,
# z)$. A gain over no $P$ now has two sources, and the method `newton`, $P = R_\lambda$ alone, separates them.
#
# ## Before any training: can the null space be guessed?
#
# The network of a preconditioner predicts what is unseen from what is seen. The simplest predictor is a linear
# regression. Subtract the mean image $\bar x$ from the training images, split each, and collect the given parts,
# which are seen, in the rows of $G$ and the hidden parts in those of $H$. For a new image, ridge regression guesses
# the hidden part as
#
# $$
# \begin{aligned}
# \hat h = {} & H^\top \bigl(G G^\top + \varepsilon I\bigr)^{-1} \\
# & \quad G \, A^+A (x - \bar x) .
# \end{aligned}
# $$ (eq-linear-guess)
#
# `guess_error` computes $\lVert \hat h - h \rVert / \lVert h \rVert$, where $h = (I - A^+A)(x - \bar x)$: one if
# nothing is guessed, zero if everything is. Its ridge is a multiple of the mean of the diagonal of $G G^\top$.


# %%
def guess_error(task, images, ridge):
    train = task.train_images[:2000]
    mean, parts = train.mean(dim=0, keepdim=True), (train, images)
    G, seen = (range_projection(task.student, x - mean).flatten(1) for x in parts)
    H, h = (null_projection(task.student, x - mean).flatten(1) for x in parts)
    gram = G @ G.T
    damped = gram + ridge * gram.diagonal().mean() * torch.eye(len(gram))
    weights = torch.linalg.solve(damped, H)
    return float((norms(seen @ G.T @ weights - h) / norms(h)).mean())


# %% [markdown]
# The ridge is chosen on validation images, the number is for test images.


# %%
def left_by_guess(task):
    val, test = task.val_images[:48], task.test_images[:48]
    errors = {r: guess_error(task, val, r) for r in (1e-3, 0.01, 0.1, 1, 10)}
    return guess_error(task, test, min(errors, key=errors.get))


guessed = {label: left_by_guess(task) for label, task in tasks.items()}
rows = {label: [left] for label, left in guessed.items()}
table("Share of the hidden part that a linear guess leaves, 48 images.", ["left by the guess"], rows)

# %%
assert guessed["digits"] < 0.75 < 0.85 < guessed["brain"] < 0.95 < guessed["faces"]

# %% [markdown]
# Even a linear map guesses a good part of what a digit hides. Of a brain slice it guesses little, and of a face as good
# as nothing. A network can do better: it is not linear, and works on neighbourhoods, of which a few hundred images hold
# very many. So this is a warning, not a bound. It says where to expect most, and where least.
#
# ## Twenty iterations, live
#
# The solvers are those of the case studies: plug-and-play FISTA without $P$, the best method that learns nothing, FISTA
# with the distilled $P$, and with the teacher's measurements in place of the student's. What each leaves open was tuned
# on validation images. The test images are the first three of each task, not the best. The recipes of the three
# trainings differ in what the folded table says, and in nothing else. (`None` for $\sigma$ or for the range of the
# noise is the task's own level; `damping_noise` is the $\sigma_0$ [below](away-from-home).)

# %% tags=["hide-cell"]
recipes = [task.preset.recipes["distilled"] for task in tasks.values()]
rows = {}
for field in dataclasses.fields(recipes[0]):
    values = [getattr(recipe, field.name) for recipe in recipes]
    if any(value != values[0] for value in values):
        words = (" + ".join(v) if isinstance(v, dict) else str(v) for v in values)
        rows[field.name] = list(words)
table("Where the three recipes differ.", list(tasks), rows)

# %% [markdown]
# Now the runs. On how many of the nine images is $P$ ahead of the best method that learns nothing?

# %%
live = {label: {} for label in tasks}
for label, task in tasks.items():
    for kind in dict.fromkeys(("none", best[label], "distilled", "teacher")):
        solver, run = ddgp_lib.load_solver(task, kind), live[label]
        options = {"physics": task.teacher if kind == "teacher" else task.student}
        options |= {"images": task.test_images[:3], "max_iter": 20}
        run[kind] = ddgp_lib.evaluate(task, solver, **options)

# %%
better = behind = 0
for label, traces in live.items():
    last = {kind: trace.psnr[-1] for kind, trace in traces.items()}
    better += int((last[best[label]] < last["distilled"]).sum())
    behind += int((last["distilled"] < last["teacher"]).sum())
print(f"P helps on {better} of 9, and the teacher is ahead of it on {behind} of 9")
assert behind >= 7

# %% [markdown]
# In the pictures each image has two rows: in the upper one the truth and four estimates, in the lower one what the
# student's data give in one gradient step from zero, and the errors.


# %%
def show(label):
    task = tasks[label]
    truth = task.test_images[:3]
    back = task.stepsize * task.student.A_adjoint(task.measure(truth))
    runs = live[label].items()
    found = {title_of(kind): task.picture(trace.estimate) for kind, trace in runs}
    seen = "$\\alpha_s A_s^T y_s$", task.picture(back)
    return figures.comparison(task.picture(truth), found, seen=seen)


# %% mystnb={"figure": {"name": "fig-three-digits", "caption": "Single-pixel camera: three digits after 20 iterations, with their PSNR and their absolute errors on one scale."}, "image": {"alt": "Three digits, two rows each. Upper rows: the true digit, then estimates without P, by the best method that learns nothing, with the distilled P and of the teacher, in most cases ever closer to the truth. Lower rows: a blocky back-projection and error maps, weakest for the teacher."}} tags=["hide-input"]
show("digits")

# %% mystnb={"figure": {"name": "fig-three-brains", "caption": "MRI: the magnitudes of an axial, a coronal and a sagittal slice after 20 iterations, with their PSNR and their absolute errors on one scale."}, "image": {"alt": "Three brain slices, two rows each. Upper rows: the true slice, then estimates without P, by the best method that learns nothing, with the distilled P and of the teacher. Lower rows: a back-projection, smeared and with stripes beside the brain, and error maps: without P with stripes too, with P along edges, and faint for the teacher."}} tags=["hide-input"]
show("brain")

# %% mystnb={"figure": {"name": "fig-three-faces", "caption": "Super-resolution: three faces after 20 iterations, with their PSNR and their absolute errors on one scale. Faces: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three faces, two rows each. Upper rows: the true face, then estimates without P, which show hardly more than dark places for the eyes, by the best method that learns nothing and with the distilled P, where features have outlines, and of the teacher, the sharpest. Lower rows: a very blurred back-projection, and error maps with lines along eyes, nose and outline, ever weaker."}} tags=["hide-input"]
show("faces")

# %% [markdown]
# How do the estimates get there? Move through the iterations of the sagittal slice. Where do the *ghosts* go first, the
# copies that the missing columns cause, and what is left of the error when they are gone?

# %% tags=["hide-input"]
sagittal, paths = brains.test_images[2:3], {}
for kind in (best["brain"], "distilled"):
    iterates = ddgp_lib.load_solver(brains, kind).iterates
    run = iterates(brains.measure(sagittal), brains.student, 20)
    paths[title_of(kind)] = [x for x, _ in run]


def at_iteration(k):
    found = {name: brains.picture(path[k])[0] for name, path in paths.items()}
    truth = brains.picture(sagittal)[0]
    return figures.reconstructions(truth, found, columns=3, error_limit=0.3)


def describe(k):
    reached = {n: float(brains.psnr(path[k], sagittal)) for n, path in paths.items()}
    words = ", ".join(f"{name} {value:.1f} dB" for name, value in reached.items())
    return f"A brain slice after {k} iterations, and its error: {words}."


# %% [markdown]
# The static control and its live twin share this dictionary.

# %% tags=["hide-input"]
slider = {
    "draw": at_iteration,
    "values": [0, 1, 2, 3, 5, 8, 12, 20],
    "label": "iteration k",
    "alt": describe,
    "start": 6,
    "dpi": 130,
    "caption": "A test slice: the truth, the best that learns nothing, P, and errors.",
}
widgets.frames(**slider)

# %% [markdown]
# With $P$ hardly a ghost is visible after three iterations, and the error lies along edges. In a live kernel, the next
# cell draws the same picture anew at each move.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## Many held-out images
#
# Three images show how, not how much. What follows is over more of them, for 200 iterations. Measuring it takes longer
# than a page should, so it was done beforehand, by `python -m ddgp_lib benchmark TASK`, and the results ship with the
# library. The first table is the one that counts: gains over the best method that learns nothing, for $P$, for the
# preconditioner with the paper's input, and for the networks that one may train instead ([](best-rivals)).

# %% tags=["hide-input"]
known = dict.fromkeys(rival for found in seeds.values() for rival in rivals_of(found))
show_leads(seeds, ["distilled", "distilled_gradient_only", *known], within="head")

# %% tags=["hide-input"]
for place, (label, region) in places.items():
    found = seeds[label]
    rivals = over_rivals(found, region=region)
    top = best_of(found, ["distilled", *rivals], region=region)
    print(f"{place}: the highest mean has {title_of(top)};", end=" ")
    phrases = []
    for word in ("ahead of", "even with", "behind"):
        those = [title_of(n) for n, each in rivals.items() if verdict(each) == word]
        phrases += [f"{word} {', '.join(those)}"] if those else []
    print(f"P is {'; '.join(phrases)}")

# %% [markdown]
# The networks are asked once, and take a fraction of the time of twenty iterations. If operator, noise and images will
# stay as they are, one that is not behind $P$ is what to try first. They were trained for the same time as $P$, with
# one exception. For faces the training of $P$ was stopped early, because validation faces stop gaining, which [that
# chapter](super-resolution) tells with the seconds. The time is short. With four times as much for both, the unfolded
# network [is even with $P$ in MRI](mri-case).
#
# Now the whole course of the runs that share the solver. Look for two things: where a curve falls after its best, and
# where two curves meet, since there $P$ has bought time and not quality.

# %% mystnb={"figure": {"name": "fig-three-curves", "caption": "Mean PSNR over held-out images at 1, 2, 5, 10, 20, 50, 100 and 200 iterations."}, "image": {"alt": "Three panels of PSNR against iterations on a logarithmic axis, one for each task, with a curve for each method. The teacher's is the highest in every panel. For digits and brain the distilled curve rises within five iterations. For faces all but that without P are nearly level from the start, and the curve without P rises slowly towards them."}} tags=["hide-input"]
compared = {}
for label, result in results.items():
    methods = dict(result["side_by_side"]["methods"])
    methods.pop("distilled_fast", None)  # it is made to stop after a few iterations
    compared[label] = methods
roles = {"no P": "baseline", "Newton": "newton", "gradient only": "gradient_only"}
roles |= {name: name for name in ("distilled", "linear", "teacher")}
figure, panels = figures.axes(3, height=3)
for panel, (label, methods) in zip(panels, compared.items(), strict=True):
    iterations = [int(k) for k in methods["none"]["psnr"]]
    curves = {"Newton": [math.nan] * len(iterations)}  # in the legend of all panels
    for kind, found in methods.items():
        curves[title_of(kind)] = [mean for mean, _ in found["psnr"].values()]
    look = {"xlabel": "iteration", "ylabel": f"{label}: PSNR (dB)", "xscale": "log"}
    look |= {"legend": "above" if panel is panels[0] else None, "ax": panel}
    figures.curves(iterations, curves, roles=roles, **look)
figure

# %% [markdown]
# The numbers behind the curves, and two other measures of the same runs, open on demand: the structural similarity
# SSIM, and the data residual, of the teacher on its own data. Where a residual is near zero at 200, tuning has let the
# denoiser fade, and the data are fitted with their noise.

# %% tags=["hide-cell"]
rows = {}
for label, methods in compared.items():
    for kind, found in methods.items():
        psnr = [found["psnr"][k] for k in ("1", "5", "20", "200")]
        lost_later = found["best_psnr"] - found["psnr"]["200"][0]
        rows[f"{label}, {title_of(kind)}"] = [*map(tuple, psnr), lost_later]
heads = [Column(f"k = {k}", "dB") for k in (1, 5, 20, 200)]
heads.append(Column("lost by 200", "dB"))
table("Mean PSNR over held-out images, with its standard error.", heads, rows)

# %% tags=["hide-cell"]
measures, rows = [(key, k) for key in ("ssim", "residual") for k in ("20", "200")], {}
for label, methods in compared.items():
    for kind, found in methods.items():
        values = [found[key][k][0] for key, k in measures]
        rows[f"{label}, {title_of(kind)}"] = values
        faded = found["setting"].get("prior_decay")
        assert found["residual"]["200"][0] > 2e-4 or faded
heads = [Column(f"{key} at {k}", digits=4) for key, k in measures]
table("SSIM and relative data residual, means over held-out images.", heads, rows)

# %% [markdown]
# The standard errors of these means say how much another draw of *images* would move them. The methods see the same
# images, so for a comparison the difference on each image is what counts, and its error is smaller. The next table has
# it, over the *same solver without $P$*: at iteration 20, with the share of images on which a method helps, and between
# the best means of the runs. How long does a method take to reach the best mean PSNR of that solver? The times include
# the network's own cost. (The methods took turns on one thread of one machine. What is counted is the processor's time,
# and of five rounds the least.)

# %%
timed = {label: result["timing"]["milliseconds"] for label, result in results.items()}
rows = {}
for label, methods in compared.items():
    for kind in [k for k in ("none", "newton", "distilled") if k in methods]:
        found, each = methods[kind], timed[label][kind]
        over = found["best_psnr"] - methods["none"]["best_psnr"]
        row = [tuple(found["gain_20"]), f"{found['better_20']:.0%}", over]
        first = found["iterations_to_baselines_best"]
        row = [None, None, None] if kind == "none" else row
        until = [first, first * each] if first else ["never", None]
        rows[f"{label}, {title_of(kind)}"] = [*row, each, *until]
heads = [Column("gain at 20", "dB", signed=True), "better on"]
heads += [Column("bests", "dB", signed=True), Column("an iteration", "ms", digits=1)]
heads += ["iterations to no P's best", Column("until then", "ms", digits=0)]
table("What is gained over no P, and how long it takes.", heads, rows)

# %%
assert all(result["timing"]["threads"] == 1 for result in results.values())
assert all(1 < spent["distilled"] / spent["none"] < 4 for spent in timed.values())

# %% [markdown]
# These numbers are about the solver, and not about what a user wins. Where the solver without $P$ is still rising at
# iteration 20, a part of the gain there is time, and the column of the bests is lower. In super-resolution the better
# part of a gain over no $P$ is time. Compare the iterations of Newton's step, which learns nothing, with those of no
# $P$. What the network has learned there is the difference of the rows *Newton* and *distilled*.
#
# The *linear* closed form takes seconds to minutes and no training loop. What a network adds to it stands in
# {numref}`fig-three-gains`; for faces the closed form contains Newton's step, and is about as good as it.
#
# (away-from-home)=
# ## In other conditions
#
# So far the camera, its noise and the kind of image were the task's own. Now one of them changes at a time, and nothing
# is trained or tuned again, for any method. The step is $1/\lVert A \rVert^2$ of the camera at hand; there are 20
# iterations, and at most 50 images. The reference is the best method that learns nothing *in that condition*. A dot
# left of the line is a loss against it.


# %% tags=["hide-input"]
def in_conditions(label):
    values = {}
    for row in results[label]["generalisation"]["rows"]:
        nothing = row["best_baseline"]
        rival = max(rivals_of(seeds[label]), key=lambda name: row["psnr"][name][0])
        over = {"distilled": "distilled", "best rival": rival}
        pairs = {name: row["gain_over_best"][kind] for name, kind in over.items()}
        values[f"{row['condition']} ({title_of(nothing)})"] = {
            name: (mean, 2 * error) for name, (mean, error) in pairs.items()
        }
    look = {"roles": {"distilled": "distilled", "best rival": "rival"}, "reference": 0}
    return figures.dots(values, xlabel="gain (dB), ± two standard errors", **look)


# %% mystnb={"figure": {"name": "fig-three-digits-conditions", "caption": "Digits: gain over the best method that learns nothing, which is named in brackets, in each condition; of the rivals, the best in that condition."}, "image": {"alt": "A row for each condition with a dot and an error bar for the distilled preconditioner and for the best rival. A vertical line marks zero. The sentences below name the rows that lie left of it."}} tags=["hide-input"]
in_conditions("digits")

# %% mystnb={"figure": {"name": "fig-three-brain-conditions", "caption": "Brain slices, errors taken over the whole image: gain over the best method that learns nothing, in each condition."}, "image": {"alt": "A row for each condition with a dot and an error bar for the distilled preconditioner and for the best rival. A vertical line marks zero. The sentences below name the rows that lie left of it."}} tags=["hide-input"]
in_conditions("brain")

# %% mystnb={"figure": {"name": "fig-three-faces-conditions", "caption": "Faces: gain over the best method that learns nothing, in each condition."}, "image": {"alt": "A row for each condition with a dot and an error bar for the distilled preconditioner and for the best rival. A vertical line marks zero. The sentences below name the rows that lie left of it."}} tags=["hide-input"]
in_conditions("faces")

# %% [markdown]
# Where does $P$ lose to the best method that learns nothing, by more than two standard errors? Where is its mean higher
# than that of the best rival? And from how many images did the [safeguard](when-it-breaks) take $P$?

# %%
off = 0
for label, result in results.items():
    losses, ahead = [], []
    for row in result["generalisation"]["rows"]:
        mean, error = row["gain_over_best"]["distilled"]
        rivals = [row["psnr"][name][0] for name in rivals_of(seeds[label])]
        losses += [row["condition"]] * (mean < -2 * error)
        ahead += [row["condition"]] * (row["psnr"]["distilled"][0] > max(rivals))
        off += row["rejected"]
    print(f"{label}: behind what learns nothing: {'; '.join(losses) or 'nowhere'};")
    print(f"    ahead of the best rival: {'; '.join(ahead) or 'nowhere'}")
print(f"the safeguard took P from {off} images of all three")

# %% [markdown]
# Two things are known beforehand. Under more noise, the damping and $\sigma$ have to follow. The damping of Newton's
# step is a ratio of variances, noise to signal, and the solver is told the noise: above the level $\sigma_0 = 0.001$
# that $\lambda$ was chosen for, it takes $\lambda\, (\sigma_w / \sigma_0)^2$, where $\sigma_w$ is the standard
# deviation of $w$. [Super-resolution](super-resolution) shows what a fixed damping would do, and [MRI](mri-case) what a
# fixed $\sigma$ does. And behind another operator a solver fits the data whatever the network says, because $P$'s
# correction stays in the null space, or what counts as such. A network that is asked once has no such second chance.
#
# The safeguard watches how residuals change, and can tell an iteration that goes astray from one that comes to rest.
# Behind the digits' camera, faces come to rest too, at a wrong image. Where $P$ does harm, it helps to know the
# conditions, and to train on what will be met. It also helps to ask the data.
#
# (refusal)=
# ## A check that needs no truth
#
# The data are noisy, so even the true image does not fit them exactly. How far it is off, we know. With $m$
# measurements and noise of standard deviation $\sigma_w$, the *discrepancy*
#
# $$
# q(x) = \frac{\lVert A x - y \rVert}{\sigma_w \sqrt m}
# $$ (eq-tt-discrepancy)
#
# is close to 1 at the true image. Morozov's principle {cite}`morozov1966solution` stops an iteration where $q$ falls to
# about 1. We use the same number after the run, as a test. On validation digits we note the largest $q$ that the tuned
# run with $P$ ends at, and allow half as much again. An image beyond that bound is *refused*: it is given to total
# variation, which was trained on no kind of image.

# %%
checked = refusing(digits)
others = {"digits": digits.test_images[:50], "faces": load_faces(32).test[:50]}
print(f"bound: {checked.highest:.1f}")

# %%
rows, refusals, q = {}, {}, {}
for name, truth in others.items():
    y, A = digits.measure(truth), digits.student
    x, refused = checked.decide(y, A)
    runs = [checked.solver(y, A), checked.fallback(y, A), x]
    q[name] = discrepancy(runs[0], y, A)
    refusals[name] = int(refused.sum())
    rows[name] = [float(digits.psnr(run, truth).mean()) for run in runs]
    rows[name] += [float(q[name].min()), float(q[name].max()), refusals[name]]
heads = [Column(head, "dB") for head in ("with P", "TV", "checked")]
heads += [Column("lowest q", digits=1), Column("highest q", digits=1), "refused of 50"]
table("Behind the digits' camera.", heads, rows)

# %%
assert refusals == {"digits": 0, "faces": 50}
assert q["faces"].min() > 1.5 * checked.highest
assert rows["faces"][1] > rows["faces"][0] + 5
assert rows["digits"][0] > rows["digits"][1] + 5

# %% [markdown]
# Every face is refused and no digit is. The two ranges of $q$ are far apart, so the bound hardly matters. The price is
# one product with $A$ for each image, and a second solver for those that are refused. Total variation is far better on
# these faces than any method with the digits' denoiser: the loss of $P$ against what one should use is several
# decibels.
#
# Does the check help super-resolution, whose network was trained on neither digits nor portraits? There the other
# solver is Newton's step.

# %%
checked, rows = refusing(faces, fallback="newton"), {}
others = {"faces": faces.test_images[:50], **faces.preset.other_images(faces, 50)}
print(f"bound: {checked.highest:.1f}")

# %%
for name, truth in others.items():
    y, A = faces.measure(truth), faces.student
    runs = [solver(y, A) for solver in (checked.solver, checked.fallback)]
    q[name] = discrepancy(runs[0], y, A)
    rows[name] = [float(faces.psnr(run, truth).mean()) for run in runs]
    rows[name] += [float(q[name].min()), float(q[name].max())]
    rows[name].append(f"{int((q[name] > checked.highest).sum())} of {len(truth)}")
heads = [Column(head, "dB") for head in ("with P", "Newton")]
heads += [Column("lowest q", digits=1), Column("highest q", digits=1), "refused"]
table("Behind the faces' camera.", heads, rows)

# %%
assert all((q[name] <= checked.highest).all() for name in others)

# %% [markdown]
# It does not. The data of these images are fitted about as well as those of faces, so nothing is refused. What a
# network gets wrong there lies in modes that the camera does not see. The check finds images that contradict their
# data. A wrong image that agrees with them passes.
#
# ## A thousand iterations
#
# Training followed a state for at most as many iterations as the row `horizon` of the recipes says. What becomes of it
# after a thousand? Nothing in the training tells. The table has the mean PSNR, the lowest PSNR of an image at the end,
# and from how many images the safeguard took $P$ in a second run.

# %%
long = {label: result["long_runs"] for label, result in results.items()}
rows = {}
for label, runs in long.items():
    methods = runs["methods"]
    for kind in [k for k in ("none", "newton", *SAFEGUARDED) if k in methods]:
        found = methods[kind]
        row = [*(found["psnr"][k] for k in ("20", "200", "1000")), found["lowest"]]
        guarded = methods.get(f"{kind} + safeguard", {"rejected": None})
        rows[f"{label}, {title_of(kind)}"] = [*row, guarded["rejected"]]
heads = [Column(f"k = {k}", "dB") for k in (20, 200, "1,000")]
heads += [Column("lowest image", "dB"), "images without P"]
called = {"digits": "digits", "brain": "brain slices", "faces": "faces"}
counts = ", ".join(f"{long[key]['n_images']} {word}" for key, word in called.items())
table(f"Runs of 1,000 iterations: {counts}.", heads, rows)

# %% [markdown]
# Do the preconditioned runs stay where they are, and what does the safeguard change?

# %% tags=["hide-input"]
rows = {}
for label, runs in long.items():
    psnr = {kind: found["psnr"] for kind, found in runs["methods"].items()}
    drift = [psnr[n]["1000"] - psnr[n]["200"] for n in ("distilled", "none")]
    change = psnr["distilled + safeguard"]["1000"] - psnr["distilled"]["1000"]
    over = psnr["distilled + safeguard"]["1000"] - psnr["none"]["1000"]
    rows[label] = [*drift, change, over]
heads = ["with P, since 200", "without P, since 200"]
heads += ["with P, by the safeguard", "safeguarded P minus no P"]
heads = [Column(head, "dB", signed=True) for head in heads]
table("Changes of the mean PSNR, at 1,000 iterations.", heads, rows)

# %%
for runs in long.values():
    assert all(found["finite"] for found in runs["methods"].values())

# %% [markdown]
# All values stay finite. (Of faces, all 80 that are held out were run.) A method was tuned for 200 iterations at most,
# and nothing in its tuning asked for more. So a loss after that is no surprise, and it can be a baseline's. At tuned
# settings on the training's own kind of images the safeguard has little to do. It is there for settings and operators
# that are not tuned, where a rejected image gets the iterates of the same solver without $P$.
#
# ## Why the gains differ
#
# Two tables sum up. In the first, what could be known before any training, and what came of it: the share that the run
# with $P$ leaves after 20 iterations of the same hidden part, $(I - A^+A)(x - \bar x)$, and the gain.

# %% tags=["hide-input"]
rows = {}
for label, found in seeds.items():
    task, x = tasks[label], tasks[label].test_images[:48]
    centred = x - task.train_images[:2000].mean(dim=0)
    share = float((norms(null_projection(task.student, centred)) / norms(x)).mean())
    missing = compared[label]["distilled"]["null_error"]["20"][0] / share
    rows[label] = [*lost[label], guessed[label], missing, lead(found).mean]
heads = ["share unseen by the student", "by the teacher"]
heads += ["left by a linear guess", "left with P"]
heads.append(Column("gain over the best", "dB", signed=True))
table("Before training, and after.", heads, rows)

# %% [markdown]
# Where the fourth number is well below the third, the guess was too pessimistic. For MRI a likely reason is that what
# has been folded onto an edge can be told from that edge and its neighbourhood, at which a convolutional network looks
# and a regression on 311 whole slices does not. A guess before training shows where something can be learned. It cannot
# show that there is nothing.
#
# The second table has, over the held-out images, the two parts of the error after 20 and after 200 iterations, relative
# to the image; for each image their squares add up.

# %% tags=["hide-input"]
parts = [(key, k) for key in ("null_error", "range_error") for k in ("20", "200")]
shown = ("none", "newton", "distilled")
rows, errors = {}, {}
for label, methods in compared.items():
    for kind in [kind for kind in shown if kind in methods]:
        values = [methods[kind][key][k][0] for key, k in parts]
        errors[label, kind] = dict(zip(parts, values, strict=True))
        rows[f"{label}, {title_of(kind)}"] = values
heads = [Column(f"{key.split('_')[0]} at {k}", digits=3) for key, k in parts]
table("Error in the null space and in the range, relative to the image.", heads, rows)

# %% [markdown]
# How much of the baseline's null-space error remains with $P$? And what does Newton's step do to the range error?

# %%
remains = {}
for label in tasks:
    late = [errors[label, kind]["null_error", "200"] for kind in ("none", "distilled")]
    remains[label] = late[1] / late[0]
slow, newton = (errors["faces", n]["range_error", "20"] for n in ("none", "newton"))
print(f"faces: range error at 20 {slow:.3f} without P, {newton:.3f} with Newton's step")
rows = {label: [100 * share] for label, share in remains.items()}
head = Column("remains with P", "%", digits=0)
table("The null-space error of no P after 200 iterations.", [head], rows)

# %%
assert remains["digits"] < 0.7 < 0.9 < remains["faces"]
assert remains["brain"] < remains["faces"]
assert slow > 3 * newton
assert eta**2 < faces.preset.recipes["distilled"].damping

# %% [markdown]
# Three causes suggest themselves. **How much of the hidden part can be guessed.** Coarse blocks of a digit allow few
# continuations, since strokes are alike. An edge in a brain slice and its fold are two signs of one thing. The fine
# detail of a face seems to depend little on its coarse modes. The best prediction of something that does not depend on
# the data is its mean, and that is what squared errors teach a network to return. The teachers' shares do not explain
# the differences: by the forecast they had about equally much to teach.
#
# **What the denoiser finds anyway.** MRI leaves gaps *between* columns that are measured, and the folds that they
# cause look unlike an image. A denoiser removes a part of them alone, within about twenty iterations. What $P$ gains over
# it there is quality: the gain between the best iterations is the same.
#
# **How slow the seen modes are.** With $A A^\top = I$ the gradient step fits the range at once, and $P$ has nothing to
# do there. (The range error that is left is the denoiser's. Where it is smaller with $P$, a better image is probably
# spoiled less.) In super-resolution Newton's step repairs the range within 20 iterations, for which the baseline needs
# many more. It also moves the strongest of the modes that count as unseen, by less than half of their error in a step,
# since $\eta^2 < \lambda$; all others are the denoiser's and the network's to find. That part of a gain needs no
# teacher.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 16_three_tasks
# ```
#
# ## Exercises
#
# ```{exercise} Weak modes that count as silent
# :label: ex-weak-modes
#
# In super-resolution $A^+A$ leaves out the modes with $s_i \le \eta \lVert A \rVert$, $\eta = 0.03$, so $A (I -
# A^+A)$ is not zero. Show that $\lVert A (I - A^+A)\, v \rVert \le \eta \lVert A \rVert \lVert v \rVert$. By how
# much can the network change the data residual of a step with $\alpha = 1/\lVert A \rVert^2$? Check it for the
# shipped preconditioner at the point that the distilled solver has reached after three iterations.
# ```

# %% tags=["hide-cell"]
A, truth = faces.student, faces.test_images[:3]
y = faces.measure(truth)
z = list(ddgp_lib.load_solver(faces, "distilled").iterates(y, A, 3))[-1][1]
grad = A.A_adjoint(A.A(z) - y)
P = ddgp_lib.load_preconditioner("super_resolution")
state = ddgp_lib.State(z, k=3, physics=A, y=y)
extra = P(grad, state) - P.base(grad, state)
change = norms(faces.stepsize * A.A(extra))
bound = eta * faces.stepsize**0.5 * norms(extra)
heads = [Column(f"image {i}", digits=4) for i in (1, 2, 3)]
rows = {"by the network": change.tolist(), "at most": bound.tolist()}
table("Change of the data residual of a step.", heads, rows)

# %% tags=["hide-cell"]
assert (change <= 1.001 * bound).all()

# %% [markdown]
# ```{solution} ex-weak-modes
# :class: dropdown
#
# Write $v = \sum_i c_i v_i$. Then $A (I - A^+A)\, v = \sum_{s_i \le \eta \lVert A \rVert} s_i c_i u_i$, whose
# squared norm is at most $\eta^2 \lVert A \rVert^2 \sum_i c_i^2$. The network adds $(I - A^+A) N_\theta$ to the
# direction, so the residual after the step changes by $\alpha A (I - A^+A) N_\theta$, at most $\alpha \eta \lVert A
# \rVert \lVert N_\theta \rVert = \eta \lVert N_\theta \rVert / \lVert A \rVert$. (`extra` is already in the null
# space, so its norm may stand for that of $N_\theta$.) For the other two tasks the change is zero: between 1 and 0
# they have no singular value.
# ```
#
# ```{exercise} The ceiling
# :label: ex-ceiling
#
# Let an oracle correct the baseline's estimate after 20 iterations in the null space of the student: once
# everything there, and once only what the teacher sees, by $(A_t^+A_t - A_s^+A_s)(x^* - x_{20})$. Which PSNR do the
# three tasks reach, and where does the distilled preconditioner stand between the baseline and the second ceiling?
# ```

# %% tags=["hide-cell"]
rows = {}
for label, task in tasks.items():
    truth, run = task.test_images[:3], live[label]
    plain, found = (run[kind].estimate for kind in ("none", "distilled"))
    missing = null_projection(task.student, truth - plain)
    taught = missing - null_projection(task.teacher, truth - plain)
    reached = (plain, found, plain + taught, plain + missing)
    psnrs = [float(task.psnr(x, truth).mean()) for x in reached]
    base, with_p, second, first = psnrs
    rows[label] = [*psnrs, f"{(with_p - base) / (second - base):.0%}"]
    assert first > second > base
heads = [Column(n, "dB") for n in ("no P", "distilled", "second ceiling", "first")]
table("Three images each after 20 iterations.", [*heads, "way to the second"], rows)

# %% [markdown]
# ```{solution} ex-ceiling
# :class: dropdown
#
# The cell above is the experiment. The first ceiling is what a network that acts in the null space could reach at best
# from this estimate; what is then missing is the error in the range. The second is the most that a perfect imitation of
# the teacher would add. It is a ceiling for that prediction, not for the method: an image that is better in the null
# space also changes what the denoiser does in the range. And all three networks were trained towards the true image
# too. Where the last column is above 100 %, the network has found a part of what the teacher does not see.
# ```
#
# ```{exercise} A forecast from two shares
# :label: ex-tt-forecast
#
# A student does not see a part of the images with 0.45 of their norm, its teacher one with 0.15. By how many decibels
# does the PSNR rise at most, if the student learns exactly what its teacher sees? And why can the best preconditioner
# gain more?
# ```

# %%
answer = None  # put the decibels here
answers.check("ex-tt-forecast", answer)

# %% [markdown]
# ```{solution} ex-tt-forecast
# :class: dropdown
#
# If the range is right, the norm of the error falls by the ratio of the two shares, and the PSNR rises by twenty times
# its logarithm. A network that is trained on the true image too may guess what the teacher does not see either.
# ```
#
# ```{exercise} How sharp is the discrepancy?
# :label: ex-tt-discrepancy
#
# At the true image $q^2$ of {eq}`eq-tt-discrepancy` is the mean of $m$ squared standard normal numbers. What is its
# standard deviation for $m = 102$? Which bound on $q^2$ would a true digit exceed in about two of a hundred cases?
# ```

# %%
answer = None  # put the standard deviation of q² here
answers.check("ex-tt-discrepancy", answer)

# %% [markdown]
# ```{solution} ex-tt-discrepancy
# :class: dropdown
#
# A squared standard normal number has the variance 2, and a mean of $m$ of them the variance $2/m$. Two standard
# deviations above 1 are exceeded in about two of a hundred cases. The bound that this chapter takes from validation
# digits is far above it: a run ends at an image that fits its data less well than the true one.
# ```
#
# ## Recap
#
# You can now
#
# - say what three operators lose: single-pixel and MRI have silent modes only ($A A^\top = I$), super-resolution has silent
#   and weak ones, and a threshold decides where silence begins;
# - forecast before training. The count of unseen modes says little; the share of an image in them says more. A linear
#   guess shows what can certainly be learned, and errs on the low side;
# - separate what algebra does for slow modes from what a network does for silent ones;
# - read a gain: over the best method that learns nothing, paired, with its error, at an iteration and between bests. How
#   large it is here, the key results say. With everything else as it ships, training on the true image alone is as good:
#   [the teacher hardly matters](best-rivals);
# - look for the best reference in each condition before a method is called robust;
# - use a safeguard, which stops runs that go astray, and the discrepancy, which finds images that contradict their data. A
#   wrong image that fits its data is found by neither;
# - say what is not tested: all measurements here are simulated, with the operator that the reconstruction knows. What a
#   real scanner or camera adds, from calibration errors to motion, is missing.
#
# ## Further reading
#
# Compressed sensing for MRI begins with {cite}`lustig2007sparse`; plug-and-play methods for it are reviewed in
# {cite}`ahmad2020plug`, and a preconditioned one that is proved to converge is {cite}`hong2024p2np`. Spectra that
# fall without a gap, and what noise makes of them, are the subject of {cite}`hansen2010discrete`. The journal
# extension of the distilled preconditioner, {cite}`dipa2026`, treats several cameras as well.
