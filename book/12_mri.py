# %% [markdown]
# (mri-case)=
# # MRI: predicting the columns that were not measured
#
# A scanner that skips three columns of k-space out of four is four times as fast. What it measures is perfectly
# conditioned. What it does not measure is in the null space, as with the [single-pixel camera](single-pixel), and the
# same method applies: a preconditioner $P$ that guesses. What differs is the operator. Images are complex, the missing
# part is a set of whole columns, and one can look at a guess column by column. And scanners change: another mask, more
# coils, more noise. Which of these changes does a preconditioner survive that was trained for one mask and one coil?
#
# ```{note}
# **Time:** 15 minutes of reading, less than a minute of computing. **Before this:** the [single-pixel
# camera](single-pixel), for the preconditioner, its form and its losses. **After it** you can
#
# 1. write $A^\top A$ of Cartesian MRI as a convolution along rows, and read its mask as a point spread function;
# 2. say what random gaps do that regular ones do not, and what they cannot do;
# 3. look in k-space at what a preconditioner predicts, and where its guess ends;
# 4. judge it in the head and not in the black around it, against the best method that learns nothing;
# 5. test it on other masks, on more noise with the $\sigma$ that suits it, and on a detail that no training image had;
# 6. recognise the scanner for which it is the wrong tool, and use algebra there.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import dataclasses
import itertools

import torch

import ddgp_lib
from ddgp_lib import answers, figures, widgets, wipes
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.experiments.benchmark import BENCHMARKS_FOLDER
from ddgp_lib.experiments.seeds import gain, rivals_of, values_of
from ddgp_lib.experiments.statistics import paired_difference
from ddgp_lib.experiments.verdicts import (
    lead,
    over_rivals,
    reference_of,
    strongest,
    title_of,
    told,
    verdict,
)
from ddgp_lib.operators import CartesianMRI, measure, newton, norms, null_projection
from ddgp_lib.preconditioners import Newton
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
measured = load_benchmark("mri")["seeds"]
classical = reference_of(measured, region=True)
rival = strongest(measured, rivals_of(measured), region=True)

# %% [markdown]
# **Key results**, on the test slices after 20 iterations, with 95 % intervals. The best method that learns nothing and
# the best rival are those with the highest mean in the head. All were trained for some minutes. With four times as many,
# $P$ and the unfolded network **are even**; a table below shows it.

# %% tags=["hide-input"]
for place, region in (("in the head", True), ("whole slice", False)):
    first = gain(measured, "distilled", classical, region=region)
    second = gain(measured, "distilled", rival, region=region)
    print(f"{place}: P is {verdict(first)} {title_of(classical)}, {told(first)};")
    print(f"    {verdict(second)} {title_of(rival)}, {told(second)}")

# %% [markdown]
# Now one test slice, of a volume that no training has seen. Of 128 columns of k-space 32 are measured, with noise of
# standard deviation 0.01. All methods run for 20 iterations. What each leaves open was tuned on validation slices. The
# *teacher* measures 32 columns more. *Gradient only* and *distilled* are two preconditioners $P$; *no P* has none, and
# neither has the best method that learns nothing.

# %%
task = ddgp_lib.load_task("mri")
A, x = task.student, task.test_images[:4]
y = task.measure(x)
zero_filled = A.A_adjoint(y)
kinds = {
    "no P": "none",
    title_of(classical): classical,
    "gradient only": "distilled_gradient_only",
    "distilled": "distilled",
    "teacher": "teacher",
}
solvers = {name: ddgp_lib.load_solver(task, kind) for name, kind in kinds.items()}
cameras = dict.fromkeys(kinds, A) | {"teacher": task.teacher}
traces = {
    name: ddgp_lib.evaluate(task, solver, images=x, physics=cameras[name], max_iter=20)
    for name, solver in solvers.items()
}

# %% mystnb={"figure": {"name": "fig-mr-question", "caption": "A test slice from a quarter of k-space: magnitudes, PSNR and absolute errors. Zero-filled is what the data give in one step."}, "image": {"alt": "A brain slice and five reconstructions with error maps. Zero-filled: smeared sideways, with errors everywhere. No P and the best method that learns nothing: sharper, with errors along edges and within the brain. Distilled: close to the truth, with weak errors, most of them along edges. Teacher: hardly an error."}} tags=["hide-input"]
shown = 3
pictures = {"zero-filled": zero_filled}
for name in ("no P", title_of(classical), "distilled", "teacher"):
    pictures[name] = traces[name].estimate
pictures = {name: task.picture(image)[shown] for name, image in pictures.items()}
figures.reconstructions(task.picture(x)[shown], pictures, columns=3)

# %% [markdown]
# The best method that learns nothing and the distilled $P$ once more, on one place. Move the border, and look at the
# folds at the rim of the brain.

# %% tags=["hide-input"]
halves = {name: pictures[name] for name in (title_of(classical), "distilled")}
caption = "A test slice after 20 iterations, by two methods; PSNR of the whole slice."
wipes.wipe_estimates(task.picture(x)[shown], halves, what="A slice", caption=caption)

# %% [markdown]
# ## The method in a few lines
#
# Plug-and-play FISTA, {eq}`eq-pnp-fista`, has a gradient step on $g(x) = \tfrac12 \lVert A x - y \rVert^2$, a denoiser
# $D_\sigma$, and momentum where tuning chose it. A preconditioner changes the gradient step alone, to
# $u = z - \alpha P(\nabla g(z); z)$. Both of ours have the null-space form {eq}`eq-null-space-form`,
#
# $$ P_\theta(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(\nabla g, z) , $$
#
# in which a network $N_\theta$ writes into what the data do not show, and nowhere else, as in a null-space network
# {cite}`schwab2019deep`. The network was trained at points $z$ that the solver itself reaches. One loss turns the
# gradient of this scanner into that of the teacher, another draws the next iterate to the *true image*, and in a second
# phase whole runs were tuned on true images. For *gradient only* the network does not see $z$. The [single-pixel
# chapter](single-pixel) derives all this.
#
# ## k-space, column by column
#
# An MR image is complex. Its phase comes from coils and fields and varies smoothly; its magnitude is what a radiologist
# looks at, and what PSNR compares here. (The magnitudes are real; phase, k-space and noise are computed from processed
# images, which can flatter a method that is trained on such images {cite}`shimron2022implicit`. See the [data
# cards](data.md).) The scanner measures the centred orthonormal Fourier transform $F$ of the image, and a mask $K$
# keeps whole columns, because it is along one direction that time is spent {cite}`lustig2007sparse`:
#
# $$ A = K F, \qquad A A^\top = I, \qquad A^+ = A^\top . $$ (eq-mr-model)
#
# Ten columns in the middle are always measured. The others are drawn at random, denser near the middle, where the
# signal is. A full mask shows what is there to be measured.

# %%
everything = CartesianMRI(1, task.img_size)
kspace = everything.A(x)


def log_magnitude(k):  # 0.01 is black, 10 is white
    return (k.norm(dim=-3).clamp(min=1e-2).log10() + 2) / 3


# %% mystnb={"figure": {"name": "fig-mr-kspace", "caption": "Upper row: magnitude and phase of the slice. Lower row: all of its k-space and the columns that the student measures, as the logarithm of the magnitude; unmeasured columns are black."}, "image": {"alt": "Upper row: a brain slice, and its phase, which falls smoothly from left to right inside the brain and is white outside. Lower row: k-space, bright in the middle and falling to all sides; and what is left of it, a solid band in the middle and single columns beside it, fewer towards the edges."}} tags=["hide-input"]
phase = torch.atan2(x[shown, 1], x[shown, 0])
figures.images(
    {
        "magnitude": x[shown].norm(dim=0),
        "phase, scaled to [0, 1]": (phase - phase.min()) / (phase.max() - phase.min()),
        "k-space": log_magnitude(kspace[shown]),
        "measured": log_magnitude(y[shown]),
    },
    columns=2,
)

# %% [markdown]
# The mask does not touch the transform along a column, which therefore cancels in $A^\top A$. What remains acts on
# every row of the image alone, and is a circular convolution with the **point spread function** $\psi$ of the mask:
#
# $$
# (A^\top A\, x)(r, c) = \sum_{c'} \psi(c - c')\, x(r, c'), \qquad \psi = \text{inverse DFT of the mask} .
# $$ (eq-mr-psf)
#
# A mask of $1/R$ of all columns, $R$ the acceleration, has $\psi(0) = 1/R$ and, by Parseval, $\sum_c \lvert \psi(c)
# \rvert^2 = 1/R$. So
#
# $$
# \sum_{c \neq 0} \lvert \psi(c) \rvert^2 = \frac{1}{R} \Bigl( 1 - \frac{1}{R} \Bigr)
# $$ (eq-mr-sidelobes)
#
# for *every* such mask: the energy of what a pixel sends to wrong places is fixed, and only its distribution can be
# chosen. Compare ours with one that takes every fourth column.


# %%
def spread(columns):
    return torch.fft.ifft(torch.fft.ifftshift(columns).double())


offsets = torch.arange(128)
psi = spread(A.columns)
rows = torch.complex(x[:, 0], x[:, 1]).to(torch.complex128)
convolved = torch.view_as_real(rows @ psi[(offsets - offsets[:, None]) % 128])
convolved = convolved.movedim(-1, 1).float()
torch.testing.assert_close(convolved, A.A_adjoint_A(x), rtol=0, atol=1e-5)

# %% [markdown]
# That is {eq}`eq-mr-psf`. And {eq}`eq-mr-sidelobes`, for both masks:

# %%
regular = offsets % 4 == 0
for columns in (A.columns, regular):
    others = float(spread(columns).abs().square()[1:].sum())
    print(f"{int(columns.sum())} columns, folded: {others:.4f};", end=" ")
    print(f"formula: {1 / 4 * (1 - 1 / 4):.4f}")
    assert abs(others - 3 / 16) < 1e-6

# %% mystnb={"figure": {"name": "fig-mr-psf", "caption": "Point spread functions of two masks with 32 of 128 columns, relative to their peak. The same energy lies beside the peak."}, "image": {"alt": "Two curves against the shift in pixels, 0 to 64. Every fourth column: zero everywhere except peaks of height one at 0, 32 and 64. Random columns: a main lobe that falls within a few pixels, and then irregular side lobes below 0.25 everywhere."}} tags=["hide-input"]
figures.curves(
    range(65),
    {
        "random, dense in the middle": psi.abs()[:65] / psi.abs()[0],
        "every fourth column": spread(regular).abs()[:65] * 4,
    },
    xlabel="shift (pixels)",
    ylabel="$|\\psi| \\,/\\, \\psi(0)$",
    roles={"random, dense in the middle": "baseline", "every fourth column": "other"},
    markers=False,
    legend="above",
)

# %% mystnb={"figure": {"name": "fig-mr-aliasing", "caption": "One slice, measured and projected back, with the two masks. Regular gaps give four equal copies, random gaps a smear."}, "image": {"alt": "Three images. The true brain slice. From every fourth column: four overlapping copies of the brain, equally bright and fainter than the truth. From random columns: one brain, blurred sideways, with faint irregular streaks."}} tags=["hide-input"]
assert psi.abs()[4:125].max() < 0.25 * psi.abs()[0]
assert (spread(regular).abs()[[32, 64, 96]] > 0.249).all()
folded = CartesianMRI(4, task.img_size, mask=regular)
figures.images(
    {
        "$x^*$": task.picture(x)[shown],
        "every fourth column": task.picture(folded.A_adjoint_A(x))[shown],
        "random columns": task.picture(A.A_adjoint_A(x))[shown],
    }
)

# %% [markdown]
# Regular gaps put copies of the brain onto the brain, and a copy looks like an image. Random gaps spread the same
# energy as something that does *not* look like one, and a denoiser can tell it from the brain. That is the idea of
# **incoherent** sampling {cite}`lustig2007sparse`. The dense middle does a second thing: it measures the strongest
# columns without a gap. Its price is the wide main lobe, a blur.
#
# ## Nothing to precondition, everything to guess
#
# The rows of $A$ are orthonormal. Every function of $A^\top A$ then acts on the gradient as a
# [number](linear-preconditioners), a damped Newton step too. And at the start, $z_0 = A^\top y$, there is no gradient
# at all.

# %%
z0, P = zero_filled, ddgp_lib.load_preconditioner("mri")
gradient = A.A_adjoint_A(z0) - A.A_adjoint(y)
assert gradient.abs().max() < 1e-5
later = A.A_adjoint_A(x) - A.A_adjoint(y)  # at the true image, where it is noise
torch.testing.assert_close(newton(A, later, 0.1), later / 1.1, rtol=0, atol=1e-5)
assert P.form == "null_space"

# %% [markdown]
# So no algebra, and the null-space form {eq}`eq-null-space-form`. At $z_0$ it reads
#
# $$
# - P_\theta(0; z_0) = - (I - A^\top A)\, N_\theta(0, z_0) .
# $$ (eq-mr-first)
#
# This is the network's first guess of the missing columns, from the zero-filled image alone. It contains nothing
# else: in measured columns its transform is zero.

# %%
guess = -P(gradient, ddgp_lib.State(z0, k=0, physics=A, y=y))
assert everything.A(guess)[..., A.columns].abs().max() < 1e-4
stages = {
    "truth": kspace,
    "zero-filled": y,
    "$z_0 - P(0; z_0)$": everything.A(z0 + guess),
    "distilled, k = 20": everything.A(traces["distilled"].estimate),
}

# %% mystnb={"figure": {"name": "fig-mr-predicted", "caption": "k-space of one slice, logarithm of the magnitude: what is true, what was measured, what the preconditioner adds in its first step, and the estimate after 20 iterations."}, "image": {"alt": "Four pictures of k-space. Truth: full. Zero-filled: black columns. After one step: the gaps near the middle are filled, those further out only in a faint horizontal band. After 20 iterations: a full disc around the middle, dark towards the left and right edges, where the truth is not."}} tags=["hide-input"]
figures.images({name: log_magnitude(k[shown]) for name, k in stages.items()}, columns=2)

# %% [markdown]
# How good is the guess? Take the columns that the student does not measure, in bands of equal distance from the
# middle, and compare the error in them with the signal in them. A value of one means that a column might as well have
# been left empty.


# %%
distance = (offsets - 64).abs()


def error_left(image):
    wrong, signal = (everything.A(v).square().sum((0, 1, 2)) for v in (image - x, x))
    bands = [~A.columns & (distance // 8 == band) for band in range(8)]
    return [float((wrong[band].sum() / signal[band].sum()).sqrt()) for band in bands]


# %%
left = {"first step of P": error_left(z0 + guess)}
for name in ("no P", "distilled", "teacher"):
    left[f"{name}, k = 20"] = error_left(traces[name].estimate)

# %% mystnb={"figure": {"name": "fig-mr-bands", "caption": "Error left in the columns that the student skips, by their distance from the middle of k-space, over four slices."}, "image": {"alt": "Four curves against distance 4 to 60, which all end higher than they start. The first step of P starts below 0.5 and passes one further out. Distilled after 20 iterations starts near the teacher's curve, below no P; towards the far end both come near one or pass it. The teacher's curve is the lowest of all."}} tags=["hide-input"]
roles = ("other", "baseline", "distilled", "teacher")
figures.curves(
    range(4, 64, 8),
    left,
    xlabel="distance from the middle (columns)",
    ylabel="error left",
    roles=dict(zip(left, roles, strict=True)),
    horizontal={"an empty column": 1.0},
    legend="above",
)

# %% [markdown]
# How far out is $P$ ahead of the denoiser alone? The rest of what is said below is asserted. (The first curve is $z_0 -
# P_\theta(0; z_0)$, before any denoising.)

# %%
first, plain, final, teacher = left.values()
ahead = [a < b for a, b in zip(final, plain, strict=True)]
reach = 8 * (ahead.index(False) if False in ahead else len(ahead))
print(f"Up to {reach} of 64 columns from the middle P leaves less than no P.")

# %%
assert first[0] < 0.5  # the first step fills the columns next to the middle
assert max(final[:2]) < 0.2  # later they are as good as the teacher's
assert all(a < b + 0.1 for a, b in zip(final[:2], teacher[:2], strict=True))
assert all(a < b - 0.05 for a, b in zip(final[:2], plain[:2], strict=True))
assert min(final[-1], first[-1], plain[-1]) > 0.85  # at the edge nothing is found

# %% [markdown]
# In its first step the network takes away more than half of the error in the columns next to the middle, before the
# denoiser has said anything. Twenty iterations, in which the two take turns, do far better than that step: the
# innermost bands are then about as good as the teacher's, which *measures* half of all columns, and better than what
# the denoiser finds alone. Outwards the guess fades, and near the edge of k-space no method without data has found
# much. (A value above one means that a wrong detail, or noise, is worse than an empty column. There a method that
# leaves the column empty has the smaller error.) In [super-resolution](super-resolution) everything beyond a radius is
# missing, and guessing ends just outside of it. Here measured columns stand between the missing ones, a few of them far
# out.
#
# ## Results
#
# Most of a slice is black. So we judge twice: over the whole slice, and over the **head**, what is brighter than 0.05
# in the true slice, with small gaps closed and holes filled. No method is told this mask. First the four slices; the
# last column is the share of the squared error that lies outside of the head.

# %%
within = task.region(x)


def judged(v):
    wrong = (task.picture(v) - task.picture(x)).square()
    outside = float((wrong * ~within).sum() / wrong.sum())
    psnrs = [float(task.psnr(v, x, within=mask).mean()) for mask in (None, within)]
    return [*psnrs, outside]


rows = {"zero-filled": judged(zero_filled)}
rows |= {name: judged(trace.estimate) for name, trace in traces.items()}
heads = [Column("whole slice", "dB"), Column("head", "dB"), "error outside"]
table("Mean PSNR of four slices after 20 iterations.", heads, rows)

# %% mystnb={"figure": {"name": "fig-mr-curves", "caption": "Mean PSNR of four whole slices against iterations."}, "image": {"alt": "Rising curves against iterations 1 to 20 on a logarithmic axis. Distilled starts above 30 dB and levels off within ten iterations. Gradient only starts like no P and ends between it and distilled; both are still rising. The best method that learns nothing rises all the time. The teacher ends highest."}} tags=["hide-input"]
psnr = {name: trace.psnr.mean(dim=1) for name, trace in traces.items()}
roles = {title_of(classical): "other", "no P": "baseline", "teacher": "teacher"}
roles |= {"distilled": "distilled", "gradient only": "gradient_only"}
figures.curves(
    range(1, 21),
    psnr,
    xlabel="iteration",
    ylabel="PSNR (dB)",
    xscale="log",
    roles={name: roles[name] for name in psnr},
    legend="above",
)

# %%
assert psnr["no P"][-1] > rows["zero-filled"][0] + 4
assert psnr["teacher"][-1] > psnr["distilled"][-1] + 1
assert abs(psnr["gradient only"][0] - psnr["no P"][0]) < 0.5

# %% [markdown]
# The network that sees the gradient alone begins where *no P* begins, because its input is zero there. *No P* is the
# solver that this book improves, and not what a practitioner would pick: the [denoiser with a falling
# $\sigma$](best-rivals), or total variation, may be better. So the gains below are counted from the best method that
# learns nothing. They are over 48 test slices. Beside $P$ stand the networks that one may train in the same time,
# which [another chapter](best-rivals) introduces. Look at both dots of a row. Where that of the head lies further to
# the left, a part of the gain over whole slices was black background.

# %% mystnb={"figure": {"name": "fig-mr-gains", "caption": "Gain over the best method that learns nothing, over whole slices and in the head alone, with 95 % intervals over slices and trainings."}, "image": {"alt": "A row for each learned method, the distilled preconditioner first, with two dots each, for the whole slice and for the head, and error bars. A vertical line marks zero."}} tags=["hide-input"]
places = {"whole slice": False, "head": True}
learned = ("distilled", "distilled_gradient_only", "distilled_linear")
gained = {}
for name in (*learned, *rivals_of(measured)):
    row = gained[title_of(name)] = {}
    for place, region in places.items():
        each = lead(measured, name, region=region)
        row[place] = each.mean, each.interval
colours = {"whole slice": "guide", "head": "truth"}
figures.dots(gained, xlabel="gain (dB), 95 % interval", roles=colours, reference=0)

# %% [markdown]
# The same gain of $P$ in numbers: at iteration 20, between the best iterations of both methods, and on the worst slice.
# A method that is still rising at 20 is given its time in the second column.

# %%
rows = {}
for place, region in places.items():
    early, late = (lead(measured, k=k, region=region) for k in (20, None))
    rows[place] = [(d.mean, d.interval) for d in (early, late)] + [early.worst]
heads = ("at k = 20", "between bests", "worst slice at 20")
heads = [Column(head, "dB", signed=True) for head in heads]
table("Gain of P over the best that learns nothing, 95 % intervals.", heads, rows)

# %% [markdown]
# And the rivals, in words:

# %% tags=["hide-input"]
words = {}
for place, region in places.items():
    each = over_rivals(measured, region=region).items()
    words[place] = {title_of(name): verdict(difference) for name, difference in each}
    for word in ("ahead of", "even with", "behind"):
        names = [name for name, found in words[place].items() if found == word]
        print(f"{place}: P is {word} {', '.join(names) or 'none'}")

# %% [markdown]
# A network that is asked once needs a fraction of the time of twenty iterations. Where $P$ is even with one or behind
# it, that network is the better choice for this scanner, as long as nothing about the scanner changes.
#
# **What the black does.** The head fills less than a third of these slices. A method that leaves nothing in the
# background has a PSNR over the whole slice that is higher by a constant, $-10 \log_{10}$ of the head's share
# ({eq}`eq-rv-head`), whatever it does in the head. A method that leaves streaks there loses a part of that. So a lead
# over whole slices can be a lead in painting black, which is no diagnosis. SSIM is worse in this respect: it is an
# average over windows, and most windows are black. We quote the head first for that reason. (The slices are neighbours
# in one averaged volume, so an interval over them says nothing about other heads.)

# %%
share = float(task.region(task.test_images[: measured["n_images"]]).float().mean())
assert measured["n_images"] == 48
constant = -10 * torch.tensor(share).log10()
print(f"the head fills {share:.0%}, the constant is {constant:.1f} dB")
assert share < 1 / 3

# %% [markdown]
# Does it matter here, which of the two is quoted?

# %% tags=["hide-input"]
whole, head = words["whole slice"], words["head"]
changed = [name for name in head if whole[name] != head[name]]
for name in changed:
    print(f"{name}: over whole slices P is {whole[name]} it,", end=" ")
    print(f"and in the head {head[name]} it.")
if not changed:
    print("No verdict about a rival changes with the place.")

# %% [markdown]
# The gains over what learns nothing stand in both places in the table above. Where they differ, that of the head is the
# one to quote.
#
# **What limits the gain?** All slices of the training are of one head. Had $P$ learned that head by heart, its gain on
# those slices would be far above that on the test slices. We count it on sixteen of them.

# %%
truth = task.train_images[::20]
data, inside = task.measure(truth, 1), task.region(truth)
reached = {}
for kind in (classical, "distilled"):
    found = ddgp_lib.load_solver(task, kind)(data, A)
    reached[kind] = task.psnr(found, truth, within=inside)
on_seen = paired_difference(reached["distilled"], reached[classical])
print(f"in the head, slices of the training: P is {told(on_seen)} over {title_of(classical)}")
print(f"in the head, test slices: {told(lead(measured, region=True))}")

# %%
assert abs(on_seen.mean - lead(measured, region=True).mean) < 1

# %% [markdown]
# It is about the same gain. So this $P$ has not learned slices by heart, and it is not the lack of other heads that limits
# it here. For [faces](super-resolution) it is the other way round.
#
# Do the minutes of the training limit it? $P$ and its closest rival, the unfolded network, were trained once more with
# the same seed, each for four times as many steps, in both phases of $P$. They took the same time to a tenth, about an
# hour of one busy core each. $P$ runs with the setting that was tuned for the shipped one. (The weights do not ship;
# `ddgp_lib/presets/longer.py` has the commands.)

# %%
longer = load_benchmark("mri", BENCHMARKS_FOLDER / "longer")["seeds"]
pairs = {
    f"P over {title_of(classical)}": ("distilled", classical),
    f"unfolded over {title_of(classical)}": ("unfolded", classical),
    "P over unfolded": ("distilled", "unfolded"),
}
trainings = {"as shipped": measured, "four times": longer}
rows = {name: [] for name in pairs}
for (name, pair), region, found in itertools.product(pairs.items(), places.values(), trainings.values()):
    first, second = (values_of(found, kind, region=region)[0] for kind in pair)
    difference = paired_difference(first, second)
    rows[name].append((difference.mean, difference.interval))
heads = [f"{place}, {steps}" for place in places for steps in trainings]
heads = [Column(head, "dB", signed=True) for head in heads]
table("Lead at k = 20 with one training of each, 95 % intervals.", heads, rows)

# %%
assert all(rows[name][1][0] > rows[name][0][0] for name in list(rows)[:2])
assert max(abs(rows["P over unfolded"][place][0]) for place in (1, 3)) < 0.15

# %% [markdown]
# The minutes do limit it: with four times as many, $P$ gains two thirds of a decibel. But the unfolded network gains
# more, and **the two are then even**. So the lead of $P$ over networks in this chapter is one in short trainings. It
# says that $P$ learns faster, with a denoiser that was trained before, and not that it ends higher. All other tables
# are of the short trainings. This is one training of each, so the intervals are over slices alone.
#
# ## Other masks
#
# Training saw one mask. $P_\theta$ is not told which columns a scanner measures, except in three places: by the
# gradient, by the streaks in the iterate, and by the projector $I - A^\top A$ behind the network. Is that enough to
# carry it to masks that it has not seen?
#
# A random mask is one draw. How lucky was ours? For eight draws, the share of an image's energy in the columns that are
# missing:

# %%
power = everything.A(x).square().sum((0, 1, 2))
missed = {}
for seed in range(8):
    columns = CartesianMRI(4, task.img_size, mask_seed=seed).columns
    missed[seed] = float(power[~columns].sum() / power.sum())
worse = sum(share < missed[0] for share in missed.values())
print("missing energy:", ", ".join(f"{share:.2%}" for share in missed.values()))
print(f"our draw, the first, misses more than {worse} of the other 7")
assert torch.equal(CartesianMRI(4, task.img_size, mask_seed=0).columns, A.columns)

# %% [markdown]
# Now five slices behind other accelerations, another draw, and two regular masks: every sixth column and the ten in the
# middle, and every fourth without a middle. Nothing is tuned again, for any method.

# %%
middle = (offsets >= 59) & (offsets < 69)
masks = {}
for R in (2, 3, 4, 6, 8):
    masks[f"acceleration {R}"] = CartesianMRI(R, task.img_size).columns
masks["another draw"] = CartesianMRI(4, task.img_size, mask_seed=1).columns
masks["every sixth, and middle"] = middle | (offsets % 6 == 2)
masks["every fourth"] = regular
options = {"img_size": task.img_size, "noise": 0.01}
scanners = {name: CartesianMRI(mask=mask, **options) for name, mask in masks.items()}


# %%
spread = task.test_images[::40]  # every fortieth slice of the volume
assert len(spread) == 5
spread_head = task.region(spread)


def in_head(v):
    return float(task.psnr(v, spread, within=spread_head).mean())


moved, scores, rows, won = {}, {}, {}, {}
others = list(dict.fromkeys(("no P", title_of(classical))))
for name, scanner in scanners.items():
    data = measure(scanner, spread, seed=0)
    moved[name] = {"zero-filled": scanner.A_adjoint(data)}
    for kind in (*others, "distilled"):
        moved[name][kind] = solvers[kind](data, scanner)
    psnrs = scores[name] = {key: in_head(v) for key, v in moved[name].items()}
    won[name] = psnrs["distilled"] - max(psnrs[key] for key in others)
    rows[name] = [int(scanner.columns.sum()), *psnrs.values(), won[name]]
heads = [Column(key, "dB", digits=1) for key in psnrs]
heads = ["columns", *heads, Column("P over the better", "dB", digits=1, signed=True)]
table("Mean PSNR in the head, five slices behind eight masks.", heads, rows)

# %% tags=["hide-input"]
helped = [name for name, gain_there in won.items() if gain_there > 0]
print(f"P is better with {len(helped)} of {len(won)} masks; not with:", end=" ")
print(", ".join(name for name in won if name not in helped) or "none")

# %%
assert max(scores["every fourth"].values()) < 16

# %% [markdown]
# With half of the columns, more than in its training, $P$ does harm: less is missing there than what it has learned to
# add. Choose the mask. Look for two things: streaks that are left beside an edge, and detail that looks right and is not.
# (In the slider the PSNR is that of the whole slice.)


# %% tags=["hide-input"]
def draw_mask(name):
    pictures = {key: task.picture(image)[0] for key, image in moved[name].items()}
    look = {"columns": 3, "error_limit": 0.4}
    return figures.reconstructions(task.picture(x)[0], pictures, **look)


def describe_mask(name):
    reached = {key: float(task.psnr(v[:1], x[:1])) for key, v in moved[name].items()}
    words = ", ".join(f"{key} {value:.1f} dB" for key, value in reached.items())
    return f"A slice behind the mask '{name}', reconstructions and errors: {words}."


slider = {"draw": draw_mask, "values": list(masks), "label": "Mask", "start": 2}
slider["dpi"] = 120
widgets.frames(
    **slider,
    alt=describe_mask,
    text=lambda name: f"{name} ({int(masks[name].sum())} columns)",
    caption="One test slice behind eight masks. P was trained on acceleration 4.",
)

# %% [markdown]
# Five slices are few, and show an order of magnitude; [three cameras](three-tasks) tests other masks over more of them.
# A plausible reason for what carries over is that the network works on neighbourhoods, in which it finds streaks and
# edges whatever the mask, and that the projector tells it where it may write.
#
# **The failure** is the last row. Without a middle the four copies are equally bright, and no method on this page can
# know which of them is the brain. All stay below 16 dB, with the preconditioner and without.
#
# In a live kernel the next cell draws anew at each move; add a mask of your own to `masks` above.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## Several coils: where algebra is back
#
# Real scanners have several receive coils. Coil $c$ sees the image through its own smooth sensitivity, a diagonal
# matrix $E_c$, so that $y_c = K F E_c\, x + w_c$ {cite}`pruessmann1999sense`, and the rows of $A$ are no longer
# orthonormal. We take four simulated coils, at $64 \times 64$ pixels. $A^\top A$ still acts on each row of the image
# alone, so its spectrum comes from 64 small matrices.

# %%
four = ddgp_lib.load_task("mri", size=64, coils=4)
one_coil = CartesianMRI(4, four.img_size, noise=0.01)
small = dataclasses.replace(four, student=one_coil)
B = four.student

# %% mystnb={"figure": {"name": "fig-mr-coils", "caption": "Magnitudes of the four simulated sensitivities. Their squares add up to one in every pixel."}, "image": {"alt": "Four smooth grey patterns, each bright at one side of the square, right, bottom, left and top, and darker towards the opposite side."}} tags=["hide-input"]
maps = B.coil_maps.reshape(4, 64, 64)
figures.images({f"coil {c}": sensitivity.abs() for c, sensitivity in enumerate(maps)})

# %% mystnb={"figure": {"name": "fig-mr-spectrum", "caption": "Singular values at 64 by 64 pixels with 16 of 64 columns, each of a complex mode. With one coil they are one or zero, with four they fall without a gap."}, "image": {"alt": "Two curves of singular values against their index, on a logarithmic axis. One coil: 1024 values equal to one, then zeros, drawn as a bar at the bottom. Four coils: a fall from one to about 0.1 at index 1950, then a steep fall through many orders of magnitude until the values are drawn as zeros from about 2900 on."}}
spectra = {"1 coil": torch.cat([torch.ones(1024), torch.zeros(3072)])}
spectra["4 coils"] = B.spectrum.sqrt().flatten()
figures.spectrum(spectra, roles={"1 coil": "baseline", "4 coils": "other"})

# %%
held = four.test_images[:4]
rows = {}
for name, scanner in (("1 coil", one_coil), ("4 coils", B)):
    unseen = float((norms(null_projection(scanner, held)) / norms(held)).mean())
    strong = int((spectra[name] > 0.1 * scanner.squared_norm**0.5).sum())
    rows[name] = [unseen, scanner.rank // 2, strong]
kappa = float((B.spectrum.max() / B.spectrum[B.inverse > 0].min()).sqrt())
print(f"condition number with four coils: {kappa:.0f}")
heads = ["unseen share of an image", "complex modes", "above 0.1 of the largest"]
table("What one coil sees, and what four see.", heads, rows)

# %%
assert rows["4 coils"][0] < rows["1 coil"][0] / 4
assert rows["4 coils"][2] > 1.8 * rows["1 coil"][1]
assert kappa > 5e4
assert torch.equal(one_coil.columns, B.columns)

# %% [markdown]
# Much of what one coil cannot see, four see weakly: modes that were in the null space are now slow ones. (The spectrum
# has no gap, so the condition number is nothing but the reciprocal of the threshold $\eta = 10^{-5}$ below which a mode
# counts as unseen.) That calls for the damped Newton step, $R_\lambda = \lVert A \rVert^2 (A^\top A + \lambda \lVert A
# \rVert^2 I)^{-1}$ in the place of $P$, in closed form here, row by row; its damping, $\lambda = 0.1$, is not tuned.
# Will the preconditioner that was distilled for one coil help as well? It can be used: it needs an $A^+A$, and gets
# one. To be fair to it, we first run it on *one* coil at this smaller size, and we give the baseline with its own
# setting and with that of $P$. No setting was tuned for four coils.

# %%
tuning = ddgp_lib.load_tuning(task)
settings = {kind: tuning[kind]["setting"] for kind in ("none", "distilled")}
methods = {
    "no P": (None, "none"),
    "Newton": (Newton(0.1), "none"),
    "no P, P's setting": (None, "distilled"),
    "distilled": (P, "distilled"),
}
coils = {}
for name, t in (("1 coil", small), ("4 coils", four)):
    for label, (preconditioner, kind) in methods.items():
        options = {"stepsize": t.stepsize, **settings[kind]}
        solver = ddgp_lib.PreconditionedFISTA(t.denoiser, preconditioner, **options)
        found = solver(t.measure(held), t.student)
        coils[name, label] = float(t.psnr(found, held).mean())
rows, worth = {}, {}
for n in ("1 coil", "4 coils"):
    worth[n] = coils[n, "distilled"] - coils[n, "no P, P's setting"]
    rows[n] = [*(coils[n, label] for label in methods), worth[n]]
heads = [Column(label, "dB") for label in methods]
heads.append(Column("what the weights add", "dB", signed=True))
table("Mean PSNR of four slices of 64 by 64 pixels.", heads, rows)

# %%
assert worth["4 coils"] < 0.5 * worth["1 coil"]
assert coils["4 coils", "Newton"] > coils["4 coils", "no P"]
assert coils["4 coils", "Newton"] > coils["4 coils", "distilled"]

# %% [markdown]
# The last column compares two runs with the same setting, with the weights and without them. With one coil they carry
# over to half the size. With four coils **they add less than half of that**, and neither run comes up to Newton's step,
# a linear map. The network still guesses missing columns, but what is left for it is the null space of *this* operator.
# The modes that it would have filled are measured now, if weakly, and Newton's step recovers them. A preconditioner for
# four coils would have to be distilled with four coils, and in the form {eq}`eq-sr-form`, which puts Newton's step in
# the place of the gradient; that has not been done here.
#
# ```{note}
# The four maps here are known exactly. Real coils come without their maps: they are estimated from the middle of
# k-space, by ESPIRiT for instance, with errors that these numbers leave out. The noise of real coils is correlated, and
# has to be whitened first. `ddgp_lib.scanner` reads raw multi-coil data and does both. Three-dimensional scans skip
# columns in two directions, and then there is no spectrum row by row: Newton's step is computed by conjugate gradients.
# ```
#
# ## Two more tests: noise, and something new
#
# The noise first, three and ten times that of the tuning. The denoiser's $\sigma$ is a noise level. So it has to follow
# the noise, as the damping of Newton's step does: with `sigma_noise` a solver is told the noise $\nu_0$ that it was
# tuned for, and raises $\sigma$ above it to $\max(\sigma, \sqrt\alpha\, \nu)$, roughly. All methods get this, total
# variation with its weight too, and the reference is the best that learns nothing *at each noise*.

# %%
names = (*measured["baselines"], "distilled")
tests = [(0.01, None), (0.03, None), (0.03, 0.01), (0.1, None), (0.1, 0.01)]
change, rows = {}, {}
for noise, follows in tests:
    scanner = CartesianMRI(4, task.img_size, noise=noise)
    data, psnrs = measure(scanner, spread, seed=0), []
    for name in names:
        run = ddgp_lib.load_solver(task, name, sigma_noise=follows)
        psnrs.append(in_head(run(data, scanner)))
    change[noise, follows] = psnrs[-1] - max(psnrs[:-1])
    label = f"noise {noise:g}, σ {'follows' if follows else 'as tuned'}"
    rows[label] = [*psnrs, change[noise, follows]]
heads = [Column(title_of(name), "dB", digits=1) for name in names]
heads.append(Column("P over the best other", "dB", digits=1, signed=True))
table("Mean PSNR in the head, five slices.", heads, rows)

# %% tags=["hide-input"]
for noise in (0.03, 0.1):
    stays, follows = change[noise, None], change[noise, 0.01]
    print(f"Noise {noise:g}: P against the best that learns nothing", end=" ")
    print(f"{follows:+.1f} dB if σ follows, {stays:+.1f} dB with σ as tuned.")

# %% [markdown]
# The last column is what may be said about $P$ at another noise, and only where $\sigma$ follows. At ten times the noise
# most of the loss with $\sigma$ as tuned is that of a denoiser with the wrong level, and $P$ has it too. At three times it
# makes little difference on these slices.
#
# The second test matters more to those who read such images. A method that has learned what brains look like may remove
# what it has not seen. We darken a spot of a slice, as some lesions do, of 1.5 or 3 pixels' radius, at four places in
# turn. We measure with and without it, with the same noise, and ask which share of its contrast the reconstructions
# show.

# %%
grid = torch.arange(128)
before, spots = x[shown : shown + 1], {}
centres = ((40, 44), (40, 76), (88, 44), (88, 76))
for radius in (1.5, 3.0):
    away = [(grid[:, None] - r) ** 2 + (grid - c) ** 2 for r, c in centres]
    spots[radius] = (torch.stack(away) <= radius**2).float()
spots = torch.cat(list(spots.values()))
added = 0.25 * spots[:, None] / task.picture(before).clamp(min=0.1)
changed = torch.cat([before, before * (1 - added)])
inserted = (task.picture(changed[1:]) - task.picture(before))[:, 0]
assert ((inserted < -0.2) == (spots > 0)).all()  # every spot lies in the brain


# %%
def found_by(name):
    A = cameras[name]
    noise = measure(A, before, 0) - A.A(before)
    return task.picture(solvers[name](A.A(changed) + noise, A))


def shares_of(image):
    found = image[:, 0]
    return ((found[1:] - found[0]) * spots).sum((1, 2)) / (inserted * spots).sum((1, 2))


restored = {name: found_by(name) for name in (*others, "distilled", "teacher")}
shares, rows = {name: shares_of(image) for name, image in restored.items()}, {}
for name, each in shares.items():
    values = [v for part in each.split(4) for v in (part.mean(), part.min())]
    rows[name] = [f"{value:.0%}" for value in values]
heads = [f"radius {r}, {what}" for r in ("1.5", "3") for what in ("mean", "least")]
table("Share of a spot's contrast that is found, over four places.", heads, rows)

# %%
assert all(0 < each.min() < each.max() < 1.5 for each in shares.values())
small = {name: float(each[:4].mean()) for name, each in shares.items()}
assert small["distilled"] < min(small[name] for name in others)
assert small["teacher"] > max(small[name] for name in (*others, "distilled"))

# %% [markdown]
# A table of shares does not say how a weak spot looks. Here is the first of the larger spots, with its surroundings
# enlarged. Could you point at it without the frame? Then look at the error maps. A ring says that the edge of the spot is
# blurred, a filled disc that its contrast is lost.

# %% mystnb={"figure": {"name": "fig-mr-spot", "caption": "The slice with a dark spot of 3 pixels' radius and its reconstructions, with PSNR and absolute errors. What is framed is enlarged below each."}, "image": {"alt": "A brain slice with a dark round spot, and its reconstructions by the methods of the table, each with error maps. Below each the part around the spot is enlarged, so that its pixels can be counted."}} tags=["hide-input"]
one = 1 + len(centres)  # after the slice as it was and the smaller spots
pictures = {name: restored[name][one] for name in (others[-1], "distilled", "teacher")}
place = (centres[0][0] - 12, centres[0][1] - 12, 24)
look = {"truth_title": "with a spot", "inset": place}
figures.reconstructions(task.picture(changed)[one], pictures, **look)

# %% [markdown]
# What a spot has in measured columns is in the data, and the gradient step restores it each time. What it has in the
# others is guessed, and no training image had such spots. A share below 100 % is lost contrast. Compare the rows that
# have the same columns: of the small spots $P$ shows less than the two methods without it, although its PSNR is higher
# on average. What it has learned of brains has no such spots. The teacher shows more than all three: it has measured
# more. These are four places in one slice and
# one shape: an example of a test that ought to be made, and not its result. Elsewhere more may be lost.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 12_mri
# ```
#
# ## Exercises
#
# ```{exercise} What a mask cannot change
# :label: ex-mr-sidelobes
#
# Derive {eq}`eq-mr-sidelobes` from Parseval's identity. Then show that for every mask with $W/R$ of $W$ columns the
# largest side lobe is at least some number times $\psi(0)$. Which number is it for $W = 128$ and $R = 4$? Why is the
# mask of this chapter allowed to have much higher values next to the peak?
# ```

# %%
answer = None  # put the bound on |ψ| / ψ(0) here
answers.check("ex-mr-sidelobes", answer)

# %% [markdown]
# ```{solution} ex-mr-sidelobes
# :class: dropdown
#
# Let $K_j \in \{0, 1\}$ say whether column $j$ is measured. With the factor $1/W$ in the inverse DFT, $\sum_c \lvert
# \psi(c) \rvert^2 = \frac1W \sum_j K_j^2 = \frac1W \cdot \frac{W}{R} = \frac1R$, and $\psi(0) = \frac1W \sum_j K_j =
# \frac1R$. The difference $\frac1R - \frac1{R^2}$ is shared by $W - 1$ shifts, so the largest of them has at least the
# mean; divide by $\psi(0)^2 = 1/R^2$, and the bound is $\sqrt{(R - 1)/(W - 1)}$. Values next to the peak belong to its
# main lobe: they blur, which is harmless in comparison, because the columns near the middle, where the signal is, are
# complete.
# ```
#
# ```{exercise} Half of k-space for nothing
# :label: ex-mr-hermitian
#
# If an image is real, what does column $-j$ of its k-space say that column $j$ does not? How many columns would the
# student's mask then amount to? (`A.columns` is the mask; the column of frequency zero has the index 64.) Check the
# symmetry for the magnitude of a slice, and for the slice with its phase.
# ```

# %%
answer = None  # put the number of columns here
answers.check("ex-mr-hermitian", answer)

# %% [markdown]
# ```{solution-start} ex-mr-hermitian
# :label: sol-mr-hermitian
# :class: dropdown
# ```
# Nothing: the transform of a real image satisfies $\hat x(-f) = \overline{\hat x(f)}$. A column and its mirror image
# are measured together, and outside of the middle a random mask seldom contains both, so the mask would grow by half.
# With a phase the symmetry is gone. That is why a simulation with real images is too easy: its reconstruction is told,
# without anybody's intention, that there is no phase. (In practice a smooth phase is estimated from the middle of
# k-space, and the symmetry used approximately.)

# %%
magnitude = task.picture(x[:1])
mirror = (128 - offsets) % 128
real = torch.cat([magnitude, 0 * magnitude], dim=1)
for name, image in (("real", real), ("with phase", x[:1])):
    k = torch.view_as_complex(everything.A(image).movedim(1, -1).contiguous())[0]
    gap = float((k - k[mirror][:, mirror].conj()).norm() / k.norm())
    print(f"{name}: k-space differs from its mirrored conjugate by {gap:.2g}")
    assert (gap < 1e-4) == (name == "real")
assert int((A.columns | A.columns[mirror]).sum()) > 1.4 * A.columns.sum()

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Who can use another row?
# :label: ex-mr-rows
#
# $A^\top A$ acts on each row of the image alone. Which of the three, the plain gradient step, the preconditioner and
# the denoiser, can use one row to repair another? Change one row of $z_0$, and see which rows of the result change.
# ```
#
# ```{solution-start} ex-mr-rows
# :label: sol-mr-rows
# :class: dropdown
# ```
# The gradient step changes the one row, by {eq}`eq-mr-psf`. Denoiser and network see neighbourhoods and change many. A
# guess of the missing columns is therefore possible in two ways: along the row, from the streaks, and across rows,
# because an edge goes on in the next row. The gradient step has neither: it stays in its row, and in the measured
# columns.

# %%
nudged = z0[:1].clone()
generator = torch.Generator().manual_seed(0)
nudged[..., 64, :] += 0.1 * torch.randn(2, 128, generator=generator)
sigma = settings["distilled"]["sigma"]


def gradient_at(z):
    return A.A_adjoint_A(z) - zero_filled[:1]


steps = {
    "gradient": lambda z: z - gradient_at(z),
    "preconditioner": lambda z: P(gradient_at(z), ddgp_lib.State(z, 0, A, y[:1])),
    "denoiser": lambda z: task.denoiser(z, sigma),
}
for name, step in steps.items():
    difference = (step(nudged) - step(z0[:1])).abs().amax(dim=(0, 1, 3))
    touched = int((difference > 1e-4).sum())
    print(f"{name}: {touched} rows change")
    assert (touched == 1) == (name == "gradient")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now
#
# - write single-coil Cartesian MRI with $A A^\top = I$, and $A^\top A$ as a convolution of each row with the point spread
#   function of the mask. How much is folded is fixed by the acceleration; random gaps make it look unlike an image;
# - follow a guess in k-space: the first step fills missing columns near the middle, and the outer columns remain unknown
#   to all who do not measure them;
# - lead with the gain over the best method that learns nothing, in the head, and say what black background adds to a
#   PSNR over the whole slice;
# - test a preconditioner on other masks, and say why no method survives four equally bright copies;
# - let $\sigma$ follow the noise before a method is judged at another noise;
# - say why several coils make null-space modes slow ones, and why Newton's step is the tool there.
#
# By how much $P$ gains, and against whom, is in the key results at the beginning. With everything else as it ships,
# training on the true image alone is as good: [the teacher hardly matters](best-rivals). With four times the training
# time an unfolded network is as good, too.
#
# k-space, coils, phase and noise are simulated, and the test slices are of an average brain without a skull. Spots of
# one shape were put into one slice; what else may be lost was not tested.
#
# ## Further reading
#
# Incoherent sampling and sparsity: {cite}`lustig2007sparse`. Plug-and-play in MRI is reviewed in {cite}`ahmad2020plug`;
# a preconditioned method for several coils off the Cartesian grid, with a proof of convergence, is
# {cite}`hong2024p2np`. Unrolled networks for MRI: {cite}`hammernik2018learning`, {cite}`aggarwal2019modl`. The
# operators follow deepinv {cite}`tachella2025deepinverse`. Networks in equal time are in [](best-rivals), runs of 1,000
# iterations in [three cameras](three-tasks).
